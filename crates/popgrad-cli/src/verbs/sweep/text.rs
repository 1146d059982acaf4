//! A finished sweep as lines of text.

use popgrad_lab::sweep::{CellSummary, ClassSummary, Summary};
use std::path::Path;

/// Classes listed for a cell.
const MOST_CLASSES: usize = 8;
/// Cells whose classes are listed.
const MOST_CELLS: usize = 40;

/// Polished losses and eigenvalues this near are equal.
const SAME: f64 = 1e-9;

pub(super) fn summary(summary: &Summary, out: &Path) -> String {
    let mut lines = Vec::new();
    for cell in summary.cells.iter().take(MOST_CELLS) {
        lines.push(head(cell));
        for class in cell.classes.iter().take(MOST_CLASSES) {
            // The classes of a convolutional network are named, without an eigenvalue.
            let eigenvalue = class
                .lambda_min
                .map_or_else(String::new, |x| format!("lambda_min {:<12} ", format!("{x:.8}")));
            lines.push(
                format!(
                    "  {:>9} {:>8.3} %  [{:.3}, {:.3}]  loss {:<18} {}{} {}",
                    class.count,
                    100.0 * class.share.share,
                    100.0 * class.share.low,
                    100.0 * class.share.high,
                    format!("{:.12}", class.loss),
                    eigenvalue,
                    class.nature.as_deref().unwrap_or(&class.kind),
                    class.isotropy.as_deref().unwrap_or("")
                )
                .trim_end()
                .to_owned(),
            );
        }
        if let Some((a, b)) = look_alike(cell) {
            lines.push(format!(
                "  classes {a} and {b} are one point after Newton's method: classes.tolerance is too small for these ends, or \
                 stop.gradient_norm too large"
            ));
        }
        if let Some(more) = cell.classes.len().checked_sub(MOST_CLASSES).filter(|n| *n > 0) {
            lines.push(format!("  and {more} more classes"));
        }
    }
    if let Some(more) = summary.cells.len().checked_sub(MOST_CELLS).filter(|n| *n > 0) {
        lines.push(format!("and {more} more cells, in cells.parquet"));
    }
    lines.push(format!("tables: {}", out.display()));
    lines.join("\n")
}

/// Two classes whose polished points cannot be told apart by loss, smallest eigenvalue and symmetry.
fn look_alike(cell: &CellSummary) -> Option<(u32, u32)> {
    let known: Vec<_> = cell.classes.iter().filter_map(|c| Some((c, c.lambda_min?))).collect();
    let near = |x: f64, y: f64| (x - y).abs() <= SAME * (x.abs() + y.abs());
    known.iter().enumerate().find_map(|(i, (a, x))| {
        let same =
            |(b, y): &&(&ClassSummary, f64)| near(a.loss, b.loss) && near(*x, *y) && a.isotropy == b.isotropy;
        known[i + 1..].iter().find(same).map(|(b, _)| (a.class, b.class))
    })
}

fn head(cell: &CellSummary) -> String {
    let keys: Vec<String> = cell.keys.iter().map(|(key, value)| format!("{key} = {value}")).collect();
    let keys = if keys.is_empty() { String::new() } else { format!(" ({})", keys.join(", ")) };
    let statuses: Vec<String> = cell.statuses.iter().map(|(name, n)| format!("{n} {name}")).collect();
    format!(
        "cell {}{keys}: {} runs, {:.3} % global [{:.3}, {:.3}], mean {:.0} steps, at most {}; {}",
        cell.cell,
        cell.runs,
        100.0 * cell.global_share.share,
        100.0 * cell.global_share.low,
        100.0 * cell.global_share.high,
        cell.mean_steps,
        cell.most_steps,
        statuses.join(", ")
    )
}
