//! The drawing surface: `plotters`' SVG back end on a fine grid, in user units.

use super::clip::Point;
use super::palette::{Colour, INK};
use plotters::prelude::{DrawingBackend, IntoFont, RGBAColor, SVGBackend, ShapeStyle};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontFamily, FontStyle, FontTransform, RGBColor, TextStyle};

/// Grid steps of the back end per user unit; its coordinates are whole numbers.
const FINE: f64 = 8.0;

/// How a text stands to the point it is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// Ends at the point.
    Before,
    /// Is centred on the point.
    Centre,
    /// Starts at the point.
    After,
}

/// Size, weight and placement of a text.
#[derive(Clone, Copy, Debug)]
pub(super) struct TextShape {
    pub(super) size: f64,
    pub(super) bold: bool,
    pub(super) across: Side,
    pub(super) down: Side,
    pub(super) upwards: bool,
}

/// Line width and colour.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pen {
    pub(super) rgb: (u8, u8, u8),
    pub(super) opacity: f64,
    pub(super) width: f64,
}

impl Pen {
    pub(super) fn new(colour: Colour, width: f64) -> Self {
        Self { rgb: colour.rgb(), opacity: 1.0, width }
    }

    pub(super) fn faint(colour: Colour, width: f64, opacity: f64) -> Self {
        Self { rgb: colour.rgb(), opacity, width }
    }

    fn colour(&self) -> RGBAColor {
        RGBColor(self.rgb.0, self.rgb.1, self.rgb.2).mix(self.opacity)
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a line width on the page")]
    fn style(&self) -> ShapeStyle {
        ShapeStyle {
            color: self.colour(),
            filled: false,
            stroke_width: (self.width * FINE).round().max(1.0) as u32,
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a place on the page")]
fn grid((x, y): Point) -> (i32, i32) {
    ((x * FINE).round() as i32, (y * FINE).round() as i32)
}

/// A page of the given size that collects shapes.
pub(super) struct Canvas<'a> {
    backend: SVGBackend<'a>,
}

impl<'a> Canvas<'a> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a page size")]
    pub(super) fn new(buffer: &'a mut String, width: f64, height: f64) -> Self {
        let size = ((width * FINE).round() as u32, (height * FINE).round() as u32);
        Self { backend: SVGBackend::with_string(buffer, size) }
    }

    // Writing into a `String` cannot fail, so the back end's results carry nothing; each is dropped here.

    pub(super) fn line(&mut self, a: Point, b: Point, pen: Pen) {
        let _ = self.backend.draw_line(grid(a), grid(b), &pen.style());
    }

    pub(super) fn polyline(&mut self, points: &[Point], pen: Pen) {
        let mut placed: Vec<(i32, i32)> = points.iter().map(|p| grid(*p)).collect();
        placed.dedup();
        if placed.len() > 1 {
            let _ = self.backend.draw_path(placed, &pen.style());
        }
    }

    pub(super) fn polygon(&mut self, points: &[Point], pen: Pen) {
        let placed: Vec<(i32, i32)> = points.iter().map(|p| grid(*p)).collect();
        let _ = self.backend.fill_polygon(placed, &pen.colour());
    }

    pub(super) fn rectangle(&mut self, a: Point, b: Point, pen: Pen, fill: bool) {
        let style = ShapeStyle { filled: fill, ..pen.style() };
        let _ = self.backend.draw_rect(grid(a), grid(b), &style, fill);
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a radius on the page")]
    pub(super) fn circle(&mut self, centre: Point, radius: f64, pen: Pen, fill: bool) {
        let radius = (radius * FINE).round().max(1.0) as u32;
        let _ = self.backend.draw_circle(grid(centre), radius, &pen.style(), fill);
    }

    pub(super) fn text(&mut self, text: &str, at: Point, colour: Colour, shape: TextShape) {
        let font = (FontFamily::SansSerif, shape.size * FINE * 1.24).into_font();
        let font = if shape.bold { font.style(FontStyle::Bold) } else { font };
        let font = if shape.upwards { font.transform(FontTransform::Rotate270) } else { font };
        let horizontal = match shape.across {
            Side::Before => HPos::Right,
            Side::Centre => HPos::Center,
            Side::After => HPos::Left,
        };
        let vertical = match shape.down {
            Side::Before => VPos::Bottom,
            Side::Centre => VPos::Center,
            Side::After => VPos::Top,
        };
        let (r, g, b) = colour.rgb();
        let paint = RGBColor(r, g, b);
        let style = TextStyle::from(font).color(&paint).pos(Pos::new(horizontal, vertical));
        let _ = self.backend.draw_text(text, &style, grid(at));
    }

    pub(super) fn finish(mut self) {
        let _ = self.backend.present();
    }
}

/// Gives the finished picture its size in user units, its role, its name, and the reader's text colour.
pub(super) fn dress(svg: &str, width: f64, height: f64, name: &str) -> String {
    let body = svg.find('>').map_or("", |end| &svg[end + 1..]);
    let ink = format!("\"#{:02X}{:02X}{:02X}\"", INK.0, INK.1, INK.2);
    let body = body.replace(&ink, "\"currentColor\"").replace(" opacity=\"1\"", "");
    let body = body.replace(">\n", ">").replace("\n<", "<").replace('<', "\n<");
    let name = name.replace('&', "&amp;").replace('<', "&lt;");
    let (fine_width, fine_height) = (width * FINE, height * FINE);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {fine_width} {fine_height}\" role=\"img\" stroke-linejoin=\"round\">\
         <title>{name}</title>{}\n",
        body.trim_end()
    )
}

/// The same picture on a white ground and in dark ink.
pub(crate) fn on_white(svg: &str) -> String {
    let ground = "</title>\n<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>";
    let ink = format!("\"#{:02X}{:02X}{:02X}\"", INK.0, INK.1, INK.2);
    svg.replacen("</title>", ground, 1).replace("\"currentColor\"", &ink)
}
