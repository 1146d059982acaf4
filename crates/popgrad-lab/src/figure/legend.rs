//! Legends: which layers are named, and where each entry stands.

use super::canvas::{Canvas, Pen, Side, TextShape};
use super::clip::{Area, Point, dashes};
use super::draw::{dash_lengths, draw_mark};
use super::palette::Colour;
use super::panel::{Layer, LegendPlace, Panel, Shape};

/// Font size of legends and tick labels, in points.
pub(super) const SMALL: f64 = 11.0;
const ROW: f64 = 16.0;
const SAMPLE: f64 = 22.0;
const GAP: f64 = 14.0;

/// Width of a text in the fonts that browsers choose for `sans-serif`, on the safe side.
pub(super) fn text_width(text: &str, size: f64) -> f64 {
    let wide = |c: char| match c {
        'i' | 'l' | 'j' | '.' | ',' | '|' | ' ' | '\'' | '(' | ')' | 't' | 'f' | 'r' => 0.36,
        'm' | 'w' | 'M' | 'W' => 0.86,
        c if c.is_uppercase() => 0.7,
        _ => 0.59,
    };
    size * text.chars().map(wide).sum::<f64>()
}

/// Splits a text into lines no wider than `width`, at spaces.
pub(super) fn wrapped(text: &str, size: f64, width: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if text_width(line, size) + text_width(word, size) + 0.4 * size < width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

fn entries(panel: &Panel) -> Vec<&Layer> {
    panel.layers.iter().filter(|l| !l.label.is_empty()).collect()
}

/// Entries of a legend below the axis, in rows that fit the width.
fn rows(panel: &Panel, width: f64) -> Vec<Vec<&Layer>> {
    let mut rows: Vec<Vec<&Layer>> = Vec::new();
    let mut used = f64::INFINITY;
    for layer in entries(panel) {
        let need = SAMPLE + 6.0 + text_width(&layer.label, SMALL) + GAP;
        if used + need > width + GAP {
            rows.push(Vec::new());
            used = 0.0;
        }
        used += need;
        rows.last_mut().into_iter().for_each(|row| row.push(layer));
    }
    rows
}

/// Height that a legend below the axis needs.
pub(super) fn height_below(panel: &Panel, width: f64) -> f64 {
    if panel.legend == LegendPlace::Below { ROW * rows(panel, width).len() as f64 } else { 0.0 }
}

/// Draws the legend: below, centred on `below`, or inside the plotting area.
pub(super) fn draw_legend(canvas: &mut Canvas<'_>, panel: &Panel, plot: Area, below: Area) {
    if panel.legend == LegendPlace::Below {
        for (i, row) in rows(panel, below.width()).iter().enumerate() {
            let total: f64 =
                row.iter().map(|l| SAMPLE + 6.0 + text_width(&l.label, SMALL) + GAP).sum::<f64>() - GAP;
            let mut x = (0.5 * (plot.left + plot.right - total)).min(below.right - total).max(below.left);
            let y = below.top + ROW * (i as f64 + 0.5);
            for layer in row {
                draw_entry(canvas, layer, (x, y));
                x += SAMPLE + 6.0 + text_width(&layer.label, SMALL) + GAP;
            }
        }
        return;
    }
    let list = entries(panel);
    let width = list.iter().map(|l| SAMPLE + 6.0 + text_width(&l.label, SMALL)).fold(0.0, f64::max);
    let height = ROW * list.len() as f64;
    let x = match panel.legend {
        LegendPlace::TopRight | LegendPlace::BottomRight => plot.right - width - 8.0,
        _ => plot.left + 8.0,
    };
    let top = match panel.legend {
        LegendPlace::BottomLeft | LegendPlace::BottomRight => plot.bottom - height - 6.0,
        _ => plot.top + 6.0,
    };
    for (i, layer) in list.into_iter().enumerate() {
        draw_entry(canvas, layer, (x, top + ROW * (i as f64 + 0.5)));
    }
}

fn draw_entry(canvas: &mut Canvas<'_>, layer: &Layer, at: Point) {
    draw_sample(canvas, layer, at);
    let shape =
        TextShape { size: SMALL, bold: false, across: Side::After, down: Side::Centre, upwards: false };
    canvas.text(&layer.label, (at.0 + SAMPLE + 6.0, at.1), Colour::Ink, shape);
}

fn draw_sample(canvas: &mut Canvas<'_>, layer: &Layer, (x, y): Point) {
    let pen = Pen::faint(layer.colour, layer.width, layer.opacity.max(0.35));
    match &layer.shape {
        Shape::Marks(_, mark) => draw_mark(canvas, (x + 0.5 * SAMPLE, y), *mark, layer.width.max(2.5), pen),
        Shape::Band(_) | Shape::Heat(_) => {
            canvas.rectangle((x + 2.0, y - 5.0), (x + SAMPLE - 2.0, y + 5.0), pen, true);
        }
        Shape::Bars(_) => canvas.line((x + 0.5 * SAMPLE, y - 6.0), (x + 0.5 * SAMPLE, y + 6.0), pen),
        _ => {
            let ends = [(x, y), (x + SAMPLE, y)];
            match dash_lengths(layer.dash) {
                Some((dash, gap)) => {
                    dashes(&ends, dash, gap).iter().for_each(|piece| canvas.polyline(piece, pen));
                }
                None => canvas.polyline(&ends, pen),
            }
        }
    }
}
