//! The atlas as one page: no scripts, no network.

use super::record::Record;
use super::run::{AtlasRun, Ending};
use crate::figure::{Axis, Colour, Figure, Layer, Mark, Panel};
use crate::storage::Provenance;
use popgrad::MatrixView;
use std::fmt::Write as _;

const STYLE: &str = include_str!("page.css");
/// Classes drawn one by one; the table has them all.
const DRAWN: usize = 60;
/// Students and teachers drawn at most; larger matrices would show nothing.
const MOST_CELLS: usize = 40;

/// The whole page.
pub(super) fn render(run: &AtlasRun, records: &[Record], provenance: &Provenance, ending: Ending) -> String {
    let mut page = String::from("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    page.push_str("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    page.push_str("<title>Critical points</title>\n<style>\n");
    page.push_str(STYLE);
    page.push_str("</style>\n</head>\n<body>\n<main>\n");
    page.push_str(&header(run, records, provenance, ending));
    page.push_str("<h2>Loss and index</h2>\n");
    page.push_str(&overview(records));
    page.push_str("<h2>Classes</h2>\n");
    page.push_str(&table(records));
    page.push_str("<h2>Drawings</h2>\n<p>Inner products of students (rows) with teachers (columns), and the spectrum of the Hessian: \
                   negative eigenvalues in red, on a scale of the inverse hyperbolic sine.</p>\n<div class=\"cards\">\n");
    for record in records.iter().take(DRAWN) {
        page.push_str(&card(run, record));
    }
    page.push_str("</div>\n</main>\n</body>\n</html>\n");
    page
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn header(run: &AtlasRun, records: &[Record], provenance: &Provenance, ending: Ending) -> String {
    let problem = &run.plan.problem;
    let (m, d) = (problem.teacher().rows(), problem.input_dimension());
    let mut out = String::from("<h1>Critical points of a two-layer ReLU network</h1>\n");
    let _ = writeln!(
        out,
        "<p>{} students, {m} teachers, input dimension {d}. {} classes modulo permutations and rotations.</p>",
        run.plan.students,
        records.len()
    );
    if ending != Ending::Complete {
        let _ = writeln!(
            out,
            "<p class=\"partial\">This atlas is partial ({}): {} of {} searches are done.</p>",
            ending.name().replace('_', " "),
            run.progress().done,
            run.progress().total
        );
    }
    let ends: Vec<String> =
        run.statuses.iter().map(|(status, n)| format!("{n} {}", status.replace('_', " "))).collect();
    if run.started > 0 {
        let _ = writeln!(out, "<p>{} random starts: {}.</p>", run.started, ends.join(", "));
    }
    if let Some(unseen) = run.unseen() {
        let _ = writeln!(
            out,
            "<p>Estimated share of starts of this kind that would meet a new class: {:.4} &#177; {:.4} (Good and Turing; {} \
             of {} hits were the only one of their class), at least {:.1} further classes (Chao). This is an estimate \
             for this way of starting, not a proof of completeness.</p>",
            unseen.unseen_share,
            unseen.standard_error,
            unseen.singletons,
            unseen.draws,
            unseen.unseen_classes
        );
    }
    let seed = provenance.seed.map_or_else(String::new, |s| format!(", seed {s}"));
    let _ = writeln!(
        out,
        "<p class=\"meta\">popgrad {}, numerics {}{seed}. Options: <code>{}</code></p>",
        escaped(&provenance.version),
        provenance.numerics,
        escaped(&provenance.spec)
    );
    out
}

fn colour_of(nature: &str) -> Colour {
    match nature {
        "global_minimum" => Colour::Green,
        "minimum" => Colour::Blue,
        "saddle" => Colour::Orange,
        _ => Colour::Grey,
    }
}

/// Loss against index, one mark a class.
fn overview(records: &[Record]) -> String {
    let mut panel = Panel::new("", Axis::linear("loss"), Axis::linear("index"));
    for (i, nature) in ["global_minimum", "minimum", "saddle", "degenerate"].into_iter().enumerate() {
        let points: Vec<(f64, f64)> =
            records.iter().filter(|r| r.nature == nature).map(|r| (r.loss, r.index as f64)).collect();
        if !points.is_empty() {
            panel.push(
                Layer::marks(points, Mark::series(i))
                    .colour(colour_of(nature))
                    .label(&nature.replace('_', " ")),
            );
        }
    }
    Figure::new("Loss and index of critical points", 1).panel_size(640.0, 320.0).with(panel).to_svg()
}

fn table(records: &[Record]) -> String {
    let heads = [
        "class",
        "loss",
        "nature",
        "index",
        "nullity",
        "manifold",
        "by rotations",
        "lambda min, error estimated",
        "isotropy",
        "orbit",
        "in plane",
        "teachers in student cone",
        "students in teacher cone",
        "hits",
        "descents end in",
    ];
    let mut out = String::from("<div class=\"wide\"><table>\n<thead><tr>");
    heads.iter().for_each(|h| {
        let _ = write!(out, "<th>{h}</th>");
    });
    out.push_str("</tr></thead>\n<tbody>\n");
    for r in records {
        let orbit = r.orbit_size.map_or_else(|| format!("10^{:.1}", r.orbit_size_log10), |n| n.to_string());
        let cone = |(inside, edge): (usize, usize)| {
            if edge == 0 { inside.to_string() } else { format!("{inside} ({edge} on the boundary)") }
        };
        let mut ends: Vec<usize> = r.descents.iter().filter_map(|d| d.2).collect();
        ends.sort_unstable();
        ends.dedup();
        let ends: Vec<String> = ends.iter().map(ToString::to_string).collect();
        let plane = if r.in_plane { "yes".to_owned() } else { format!("no, rank {}", r.out_of_plane_rank) };
        let cells = [
            r.class.to_string(),
            format!("{:.12}", r.loss),
            r.nature.replace('_', " "),
            r.index.to_string(),
            r.nullity.to_string(),
            r.manifold_dimension.to_string(),
            r.rotation_dimension.to_string(),
            format!("{:.8} \u{b1} {:.0e}", r.lambda_min, r.eigenvalue_error),
            r.isotropy.clone(),
            orbit,
            plane,
            cone(r.teachers_in_student_cone),
            cone(r.students_in_teacher_cone),
            r.hits.to_string(),
            ends.join(", "),
        ];
        out.push_str("<tr>");
        for (cell, head) in cells.iter().zip(heads) {
            let wraps = ["isotropy", "descents end in"].contains(&head) || head.ends_with("cone");
            let class = if wraps { " class=\"text\"" } else { "" };
            let _ = write!(out, "<td{class}>{}</td>", escaped(cell));
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody>\n</table></div>\n");
    out
}

/// One class: its matrix of inner products and its spectrum.
fn card(run: &AtlasRun, record: &Record) -> String {
    let caption = format!(
        "{}: {}, loss {:.8}, {}",
        record.class,
        record.nature.replace('_', " "),
        record.loss,
        record.isotropy
    );
    let mut out = String::from("<figure>\n");
    out.push_str(&matrix(record.weights.view(), run.plan.problem.teacher()));
    out.push_str(&spectrum(&record.spectrum));
    let _ = writeln!(out, "<figcaption>{}</figcaption>\n</figure>", escaped(&caption));
    out
}

/// Inner products as coloured cells, students in the order that puts large ones on the diagonal.
fn matrix(students: MatrixView<'_>, teachers: MatrixView<'_>) -> String {
    let (k, m) = (students.rows(), teachers.rows());
    if k > MOST_CELLS || m > MOST_CELLS {
        return format!("<p>{k} x {m} inner products are not drawn.</p>\n");
    }
    let dot =
        |j: usize, t: usize| -> f64 { students.row(j).iter().zip(teachers.row(t)).map(|(x, y)| x * y).sum() };
    let mut order: Vec<usize> = Vec::with_capacity(k);
    for t in 0..m.min(k) {
        let left = (0..k).filter(|j| !order.contains(j));
        let best = left.max_by(|a, b| dot(*a, t).abs().total_cmp(&dot(*b, t).abs()));
        order.extend(best);
    }
    order.extend((0..k).filter(|j| !order.contains(j)).collect::<Vec<_>>());
    let all: Vec<f64> =
        order.iter().flat_map(|j| (0..m).map(move |t| (*j, t))).map(|(j, t)| dot(j, t)).collect();
    let largest = all.iter().fold(1e-300_f64, |a, x| a.max(x.abs()));
    let cell = 160.0 / k.max(m) as f64;
    let mut out = format!(
        "<svg viewBox=\"0 0 {w:.1} {h:.1}\" width=\"{w:.0}\" height=\"{h:.0}\" role=\"img\" aria-label=\"inner products\">\n",
        w = cell * m as f64,
        h = cell * k as f64
    );
    for (at, x) in all.iter().enumerate() {
        let (row, column) = (at / m, at % m);
        let (shade, share) = (if *x < 0.0 { "#d55e00" } else { "#0072b2" }, x.abs() / largest);
        let _ = writeln!(
            out,
            "<rect x=\"{:.2}\" y=\"{:.2}\" width=\"{cell:.2}\" height=\"{cell:.2}\" fill=\"{shade}\" fill-opacity=\"{share:.3}\" stroke=\"#888\" stroke-width=\"0.3\"><title>{x:.6}</title></rect>",
            cell * column as f64,
            cell * row as f64
        );
    }
    out.push_str("</svg>\n");
    out
}

/// Eigenvalues as ticks on a line; the height of a tick grows with the multiplicity.
fn spectrum(values: &[(f64, usize)]) -> String {
    let place = |x: f64| libm::asinh(20.0 * x);
    let low = values.iter().map(|v| place(v.0)).fold(-0.2, f64::min);
    let high = values.iter().map(|v| place(v.0)).fold(0.2, f64::max);
    let x = |v: f64| 6.0 + 188.0 * (place(v) - low) / (high - low);
    let mut out = String::from(
        "<svg viewBox=\"0 0 200 58\" width=\"200\" height=\"58\" role=\"img\" aria-label=\"spectrum\">\n",
    );
    let _ = writeln!(out, "<line x1=\"6\" y1=\"42\" x2=\"194\" y2=\"42\" stroke=\"#888\"/>");
    let _ = writeln!(
        out,
        "<line x1=\"{0:.2}\" y1=\"4\" x2=\"{0:.2}\" y2=\"46\" stroke=\"#888\" stroke-dasharray=\"2 2\"/>",
        x(0.0)
    );
    let _ = writeln!(
        out,
        "<text x=\"{:.2}\" y=\"56\" font-size=\"9\" text-anchor=\"middle\" fill=\"currentColor\">0</text>",
        x(0.0)
    );
    for (value, multiplicity) in values {
        let colour = if *value < 0.0 { "#c00000" } else { "#0072b2" };
        let height = 10.0 + 8.0 * libm::log10(*multiplicity as f64 + 1.0);
        let _ = writeln!(
            out,
            "<line x1=\"{0:.2}\" y1=\"42\" x2=\"{0:.2}\" y2=\"{1:.2}\" stroke=\"{colour}\" stroke-width=\"1.2\"><title>{value:.8} x {multiplicity}</title></line>",
            x(*value),
            (42.0 - height).max(2.0)
        );
    }
    out.push_str("</svg>\n");
    out
}
