//! Drawing: panels laid out on the page, layers placed between the axes.

use super::axis::{Axis, Scale, Tick, scientific};
use super::canvas::{Canvas, Pen, Side, TextShape, dress, on_white};
use super::clip::{Area, Point, dashes};
use super::legend::{SMALL, draw_legend, height_below, text_width, wrapped};
use super::palette::Colour;
use super::panel::{Anchor, Arrow, Dash, Figure, HeatMap, Layer, Mark, Panel, Shape};

const LABEL: f64 = 12.0;
const TITLE: f64 = 12.0;
const BAR_WIDTH: f64 = 12.0;

impl Figure {
    /// The figure as a file: SVG on a white ground, the same in every viewer and on paper.
    pub fn to_svg(&self) -> String {
        on_white(&self.to_inline_svg())
    }

    /// The figure as a part of a page, without a ground of its own and in the page's ink.
    pub fn to_inline_svg(&self) -> String {
        let columns = self.columns.min(self.panels.len().max(1));
        let rows = self.panels.len().div_ceil(columns).max(1);
        let (width, height) = (self.panel_width * columns as f64, self.panel_height * rows as f64);
        let mut buffer = String::new();
        let mut canvas = Canvas::new(&mut buffer, width, height);
        for (i, panel) in self.panels.iter().enumerate() {
            let (column, row) = ((i % columns) as f64, (i / columns) as f64);
            let cell = Area {
                left: column * self.panel_width,
                top: row * self.panel_height,
                right: (column + 1.0) * self.panel_width,
                bottom: (row + 1.0) * self.panel_height,
            };
            draw_panel(&mut canvas, panel, cell);
        }
        canvas.finish();
        dress(&buffer, width, height, &self.name)
    }
}

/// Dash and gap in points.
pub(super) fn dash_lengths(dash: Dash) -> Option<(f64, f64)> {
    match dash {
        Dash::Solid => None,
        Dash::Dashed => Some((6.0, 3.5)),
        Dash::Dotted => Some((1.8, 2.6)),
    }
}

/// A panel's axes, resolved, and the area between them.
struct Frame<'a> {
    x: &'a Axis,
    y: &'a Axis,
    x_range: (f64, f64),
    y_range: (f64, f64),
    plot: Area,
}

impl Frame<'_> {
    /// A data point on the page; not finite if it has no place on a logarithmic axis.
    fn place(&self, (x, y): Point) -> Point {
        let across = self.x.place(self.x_range, x).unwrap_or(f64::NAN);
        let up = self.y.place(self.y_range, y).unwrap_or(f64::NAN);
        (self.plot.left + across * self.plot.width(), self.plot.bottom - up * self.plot.height())
    }
}

/// All values along one axis, for an axis that takes its range from the data.
fn values(panel: &Panel, pick: fn(Point) -> f64, upright: bool) -> Vec<f64> {
    let mut out = Vec::new();
    for layer in &panel.layers {
        match &layer.shape {
            Shape::Line(points) | Shape::Marks(points, _) => out.extend(points.iter().copied().map(pick)),
            Shape::Bars(bars) | Shape::Band(bars) => {
                out.extend(bars.iter().flat_map(|b| [pick((b.0, b.1)), pick((b.0, b.2))]));
            }
            Shape::Arrows(arrows) => out.extend(arrows.iter().map(|a| pick(a.at))),
            Shape::Heat(map) => out.extend(if upright { &map.y_edges } else { &map.x_edges }),
            Shape::Across(y) if upright => out.push(*y),
            Shape::Upright(x) if !upright => out.push(*x),
            Shape::Across(_) | Shape::Upright(_) | Shape::Text(..) => {}
        }
    }
    out
}

fn heat_of(panel: &Panel) -> Option<(&HeatMap, (f64, f64))> {
    panel.layers.iter().find_map(|l| match &l.shape {
        Shape::Heat(map) => Some((map, map.range.unwrap_or_else(|| extent(&map.values)))),
        _ => None,
    })
}

/// Smallest and largest finite value.
fn extent(values: &[f64]) -> (f64, f64) {
    let finite = values.iter().copied().filter(|x| x.is_finite());
    let (low, high) = finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), x| (a.min(x), b.max(x)));
    if low < high { (low, high) } else { (low.min(0.0), high.max(1.0)) }
}

fn draw_panel(canvas: &mut Canvas<'_>, panel: &Panel, cell: Area) {
    let heat = heat_of(panel);
    let x_range = heat.map_or_else(
        || panel.x.resolve(&values(panel, |p| p.0, false)),
        |(map, _)| panel.x.range.unwrap_or_else(|| extent(&map.x_edges)),
    );
    let y_range = heat.map_or_else(
        || panel.y.resolve(&values(panel, |p| p.1, true)),
        |(map, _)| panel.y.range.unwrap_or_else(|| extent(&map.y_edges)),
    );
    let title = wrapped(&panel.title, 1.14 * TITLE, cell.width() - 24.0);
    let legend_height = height_below(panel, cell.width() - 16.0);
    let top = cell.top + 8.0 + 16.0 * title.len() as f64;
    let bottom = cell.bottom - 44.0 - legend_height - if legend_height > 0.0 { 6.0 } else { 0.0 };
    let (y_marks, y_minor) = panel.y.marks(y_range, steps(bottom - top, 42.0));
    let tick_room = y_marks.iter().map(|t| text_width(&t.label, SMALL)).fold(0.0, f64::max);
    let bar_room = heat.map_or(0.0, |(_, range)| BAR_WIDTH + 42.0 + bar_label_width(range));
    let mut plot =
        Area { left: cell.left + 32.0 + tick_room, top, right: cell.right - 14.0 - bar_room, bottom };
    if let Some(aspect) = panel.aspect.ratio(x_range, y_range) {
        let height = plot.height().min(plot.width() / aspect);
        let spare = 0.5 * (plot.width() - height * aspect);
        plot = Area { left: plot.left + spare, right: plot.right - spare, bottom: plot.top + height, ..plot };
    }
    let (x_marks, x_minor) = panel.x.marks(x_range, steps(plot.width(), 58.0));
    let frame = Frame { x: &panel.x, y: &panel.y, x_range, y_range, plot };
    draw_grid(canvas, &frame, &x_marks, &y_marks);
    for layer in &panel.layers {
        draw_layer(canvas, &frame, layer, panel.arrow_length);
    }
    draw_axes(canvas, &frame, (&x_marks, &x_minor), (&y_marks, &y_minor), tick_room);
    if let Some((map, range)) = heat {
        draw_colour_bar(canvas, map, range, plot);
    }
    let middle = 0.5 * (cell.left + cell.right);
    let bold =
        TextShape { size: TITLE, bold: true, across: Side::Centre, down: Side::Centre, upwards: false };
    for (i, line) in title.iter().enumerate() {
        canvas.text(line, (middle, cell.top + 11.0 + 16.0 * i as f64), Colour::Ink, bold);
    }
    let below = Area {
        left: cell.left + 8.0,
        right: cell.right - 8.0,
        top: plot.bottom + 44.0,
        bottom: plot.bottom + 44.0 + legend_height,
    };
    draw_legend(canvas, panel, plot, below);
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small count")]
fn steps(length: f64, each: f64) -> usize {
    (length / each).max(2.0) as usize
}

fn small(across: Side, down: Side) -> TextShape {
    TextShape { size: SMALL, bold: false, across, down, upwards: false }
}

fn draw_grid(canvas: &mut Canvas<'_>, frame: &Frame<'_>, x: &[Tick], y: &[Tick]) {
    let pen = Pen::faint(Colour::Grey, 0.6, 0.28);
    let plot = frame.plot;
    for tick in x {
        let at = frame.place((tick.value, frame.y_range.0)).0;
        canvas.line((at, plot.top), (at, plot.bottom), pen);
    }
    for tick in y {
        let at = frame.place((frame.x_range.0, tick.value)).1;
        canvas.line((plot.left, at), (plot.right, at), pen);
    }
}

/// The outline of an area; the back end draws a rectangle's own outline too thin.
fn draw_outline(canvas: &mut Canvas<'_>, a: Area, pen: Pen) {
    let corners =
        [(a.left, a.top), (a.right, a.top), (a.right, a.bottom), (a.left, a.bottom), (a.left, a.top)];
    canvas.polyline(&corners, pen);
}

fn draw_axes(
    canvas: &mut Canvas<'_>,
    frame: &Frame<'_>,
    x: (&[Tick], &[f64]),
    y: (&[Tick], &[f64]),
    tick_room: f64,
) {
    let pen = Pen::new(Colour::Ink, 0.9);
    let plot = frame.plot;
    draw_outline(canvas, plot, pen);
    let across = |value: f64| frame.place((value, frame.y_range.0)).0;
    let up = |value: f64| frame.place((frame.x_range.0, value)).1;
    for tick in x.0 {
        canvas.line((across(tick.value), plot.bottom), (across(tick.value), plot.bottom + 4.0), pen);
        let at = (across(tick.value), plot.bottom + 6.0);
        canvas.text(&tick.label, at, Colour::Ink, small(Side::Centre, Side::After));
    }
    for value in x.1 {
        canvas.line((across(*value), plot.bottom), (across(*value), plot.bottom + 2.2), pen);
    }
    for tick in y.0 {
        canvas.line((plot.left - 4.0, up(tick.value)), (plot.left, up(tick.value)), pen);
        let at = (plot.left - 6.0, up(tick.value));
        canvas.text(&tick.label, at, Colour::Ink, small(Side::Before, Side::Centre));
    }
    for value in y.1 {
        canvas.line((plot.left - 2.2, up(*value)), (plot.left, up(*value)), pen);
    }
    let label =
        TextShape { size: LABEL, bold: false, across: Side::Centre, down: Side::Centre, upwards: false };
    canvas.text(&frame.x.label, (0.5 * (plot.left + plot.right), plot.bottom + 32.0), Colour::Ink, label);
    let at = (plot.left - tick_room - 19.0, 0.5 * (plot.top + plot.bottom));
    canvas.text(&frame.y.label, at, Colour::Ink, TextShape { upwards: true, ..label });
}

fn draw_layer(canvas: &mut Canvas<'_>, frame: &Frame<'_>, layer: &Layer, arrow_length: f64) {
    let pen = Pen::faint(layer.colour, layer.width, layer.opacity);
    let plot = frame.plot;
    match &layer.shape {
        Shape::Line(points) => {
            let placed: Vec<Point> = points.iter().map(|p| frame.place(*p)).collect();
            draw_line(canvas, plot, &placed, layer.dash, pen);
        }
        Shape::Marks(points, mark) => {
            for at in points.iter().map(|p| frame.place(*p)).filter(|p| plot.contains(*p)) {
                draw_mark(canvas, at, *mark, layer.width, pen);
            }
        }
        Shape::Bars(bars) => {
            for (x, low, high) in bars {
                draw_bar(canvas, plot, frame.place((*x, *low)), frame.place((*x, *high)), pen);
            }
        }
        Shape::Band(band) => draw_band(canvas, frame, band, pen),
        Shape::Arrows(arrows) => {
            for arrow in arrows {
                draw_arrow(canvas, frame, arrow, arrow_length, pen);
            }
        }
        Shape::Heat(map) => draw_heat(canvas, frame, map),
        Shape::Across(y) => {
            let at = frame.place((frame.x_range.0, *y)).1;
            draw_line(canvas, plot, &[(plot.left, at), (plot.right, at)], layer.dash, pen);
        }
        Shape::Upright(x) => {
            let at = frame.place((*x, frame.y_range.0)).0;
            draw_line(canvas, plot, &[(at, plot.bottom), (at, plot.top)], layer.dash, pen);
        }
        Shape::Text(at, text, anchor) => {
            let (x, y) = frame.place(*at);
            let (place, shape) = match anchor {
                Anchor::Right => ((x + 6.0, y), small(Side::After, Side::Centre)),
                Anchor::Left => ((x - 6.0, y), small(Side::Before, Side::Centre)),
                Anchor::Above => ((x, y - 10.0), small(Side::Centre, Side::Centre)),
                Anchor::Below => ((x, y + 10.0), small(Side::Centre, Side::Centre)),
            };
            canvas.text(text, place, layer.colour, shape);
        }
    }
}

fn draw_line(canvas: &mut Canvas<'_>, plot: Area, placed: &[Point], dash: Dash, pen: Pen) {
    for piece in plot.polyline(placed) {
        match dash_lengths(dash) {
            Some((on, off)) => dashes(&piece, on, off).iter().for_each(|d| canvas.polyline(d, pen)),
            None => canvas.polyline(&piece, pen),
        }
    }
}

/// A mark of the given radius.
pub(super) fn draw_mark(canvas: &mut Canvas<'_>, (x, y): Point, mark: Mark, r: f64, pen: Pen) {
    let thin = Pen { width: 1.3, ..pen };
    match mark {
        Mark::Disc => canvas.circle((x, y), r, pen, true),
        Mark::Circle => canvas.circle((x, y), r, thin, false),
        Mark::Square => canvas.rectangle((x - 0.9 * r, y - 0.9 * r), (x + 0.9 * r, y + 0.9 * r), pen, true),
        Mark::Triangle => {
            canvas.polygon(&[(x, y - 1.2 * r), (x + 1.1 * r, y + 0.8 * r), (x - 1.1 * r, y + 0.8 * r)], pen);
        }
        Mark::Diamond => {
            let s = 1.25 * r;
            canvas.polygon(&[(x, y - s), (x + s, y), (x, y + s), (x - s, y)], pen);
        }
        Mark::Cross => {
            canvas.line((x - r, y - r), (x + r, y + r), thin);
            canvas.line((x - r, y + r), (x + r, y - r), thin);
        }
    }
}

fn draw_bar(canvas: &mut Canvas<'_>, plot: Area, low: Point, high: Point, pen: Pen) {
    if !(low.0.is_finite() && high.1.is_finite()) || low.0 < plot.left || low.0 > plot.right {
        return;
    }
    // A lower end without a place on a logarithmic axis reaches to its foot.
    let foot = if low.1.is_finite() { low } else { (low.0, plot.bottom) };
    let (a, b) = (plot.clamp(foot), plot.clamp(high));
    canvas.line(a, b, pen);
    for (end, inside) in [(a, plot.contains(foot)), (b, plot.contains(high))] {
        if inside {
            canvas.line((end.0 - 3.0, end.1), (end.0 + 3.0, end.1), pen);
        }
    }
}

fn draw_band(canvas: &mut Canvas<'_>, frame: &Frame<'_>, band: &[(f64, f64, f64)], pen: Pen) {
    let edge = |pick: fn(&(f64, f64, f64)) -> f64| -> Vec<Point> {
        let placed = band.iter().map(|b| frame.place((b.0, pick(b))));
        placed.filter(|p| p.0.is_finite() && p.1.is_finite()).map(|p| frame.plot.clamp(p)).collect()
    };
    let mut outline = edge(|b| b.1);
    outline.extend(edge(|b| b.2).into_iter().rev());
    canvas.polygon(&outline, pen);
}

fn draw_arrow(canvas: &mut Canvas<'_>, frame: &Frame<'_>, arrow: &Arrow, longest: f64, pen: Pen) {
    let from = frame.place(arrow.at);
    let plot = frame.plot;
    let (sx, sy) = (
        plot.width() / (frame.x_range.1 - frame.x_range.0),
        plot.height() / (frame.y_range.1 - frame.y_range.0),
    );
    let (dx, dy) = (arrow.direction.0 * sx, -arrow.direction.1 * sy);
    let size = libm::hypot(dx, dy);
    if !(size > 0.0 && plot.contains(from)) || arrow.length <= 0.0 {
        return;
    }
    let (ex, ey) = (dx / size, dy / size);
    let length = longest * arrow.length.min(1.0);
    let tip = (from.0 + length * ex, from.1 + length * ey);
    let Some((a, b)) = plot.segment(from, tip) else { return };
    canvas.line(a, b, pen);
    if plot.contains(tip) && length > 2.0 {
        let (h, w) = (0.32 * length.max(8.0), 0.15 * length.max(8.0));
        let back = (tip.0 - h * ex, tip.1 - h * ey);
        canvas.polygon(&[tip, (back.0 - w * ey, back.1 + w * ex), (back.0 + w * ey, back.1 - w * ex)], pen);
    }
}

fn draw_heat(canvas: &mut Canvas<'_>, frame: &Frame<'_>, map: &HeatMap) {
    let columns = map.x_edges.len().saturating_sub(1);
    let range = map.range.unwrap_or_else(|| extent(&map.values));
    let plot = frame.plot;
    for (i, value) in map.values.iter().enumerate().filter(|(_, v)| v.is_finite()) {
        let (column, row) = (i % columns.max(1), i / columns.max(1));
        let (Some(y0), Some(y1)) = (map.y_edges.get(row), map.y_edges.get(row + 1)) else { return };
        let a = plot.clamp(frame.place((map.x_edges[column], *y0)));
        let b = plot.clamp(frame.place((map.x_edges[column + 1], *y1)));
        let share = (value - range.0) / (range.1 - range.0);
        let pen = Pen { rgb: map.map.rgb(share), opacity: 1.0, width: 1.0 };
        // Neighbours overlap by a hair, so that no seam shows between them.
        canvas.rectangle((a.0, b.1), (b.0 + 0.25, a.1 + 0.25), pen, true);
        if let Some(decimals) = map.decimals {
            let (r, g, bl) = pen.rgb;
            let light = 0.3 * f64::from(r) + 0.59 * f64::from(g) + 0.11 * f64::from(bl);
            let rgb = if light > 130.0 { Colour::Black } else { Colour::White };
            let at = (0.5 * (a.0 + b.0), 0.5 * (a.1 + b.1));
            canvas.text(&format!("{value:.decimals$}"), at, rgb, small(Side::Centre, Side::Centre));
        }
    }
}

fn bar_ticks((low, high): (f64, f64)) -> Vec<Tick> {
    let axis = Axis::linear("");
    debug_assert!(axis.scale == Scale::Linear);
    let ticks = axis.marks((low, high), 5).0;
    if ticks.is_empty() { vec![Tick { value: low, label: scientific(low) }] } else { ticks }
}

fn bar_label_width(range: (f64, f64)) -> f64 {
    bar_ticks(range).iter().map(|t| text_width(&t.label, SMALL)).fold(0.0, f64::max)
}

fn draw_colour_bar(canvas: &mut Canvas<'_>, map: &HeatMap, range: (f64, f64), plot: Area) {
    let left = plot.right + 10.0;
    let slices = 64;
    for i in 0..slices {
        let at = |k: f64| plot.bottom - plot.height() * k / f64::from(slices);
        let rgb = map.map.rgb((f64::from(i) + 0.5) / f64::from(slices));
        let (low, high) = ((left, at(f64::from(i) + 1.0)), (left + BAR_WIDTH, at(f64::from(i))));
        canvas.rectangle(low, (high.0, high.1 + 0.25), Pen { rgb, opacity: 1.0, width: 1.0 }, true);
    }
    let pen = Pen::new(Colour::Ink, 0.9);
    draw_outline(canvas, Area { left, right: left + BAR_WIDTH, ..plot }, pen);
    for tick in bar_ticks(range) {
        let y = plot.bottom - plot.height() * (tick.value - range.0) / (range.1 - range.0);
        canvas.line((left + BAR_WIDTH, y), (left + BAR_WIDTH + 3.0, y), pen);
        let at = (left + BAR_WIDTH + 6.0, y);
        canvas.text(&tick.label, at, Colour::Ink, small(Side::After, Side::Centre));
    }
    let at = (left + BAR_WIDTH + 21.0 + bar_label_width(range), 0.5 * (plot.top + plot.bottom));
    let label =
        TextShape { size: LABEL, bold: false, across: Side::Centre, down: Side::Centre, upwards: true };
    canvas.text(&map.label, at, Colour::Ink, label);
}
