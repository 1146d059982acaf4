//! A disagreement in the literature: how often 17 students of 17 teachers find the global minimum.

use super::basins::z_score;
use super::claim::{Bench, Bound, Claim, Failure, Findings, Group, Outcome, Table, Verdict};
use super::ensembles::ensemble;
use crate::figure::{Axis, Colour, Figure, Layer, Mark, Panel};
use crate::sweep::{CellSummary, PRESETS, Summary};

/// The share of global ends at seventeen teachers.
pub(super) const SEVENTEEN: Claim = Claim {
    id: "basins-seventeen",
    title: "The global minimum at k = 17: a disagreement settled",
    group: Group::Basins,
    statement: "At k = n = 17 a start reaches the global minimum with probability 10.3 % (1712.08968), 9.8 % (2006.01005), or 13.1 to \
                13.25 % (2604.09412).",
    source: "arXiv 1712.08968 (1000 runs), 2006.01005 (500 runs), 2604.09412 (10\u{2074} runs, quoted second-hand)",
    method: "Both published protocols with n = 17, 18 and 19 students, and n = 17 on a grid of five steps and the gradient flow times four \
             scales of the start. The claim tests the first two shares; the third is compared with every cell.",
    expected: Verdict::Holds,
    note: "The verdict is on the first two shares; the third is met by no cell of the full grid (docs/sweep.md).",
    measure: seventeen,
};

/// The first two published shares, in per cent, and their runs.
const PUBLISHED: [(&str, f64, u64); 2] = [("1712.08968", 10.3, 1000), ("2006.01005", 9.8, 500)];
/// The third, quoted as a range, and its runs.
const THIRD: ([f64; 2], u64) = ([13.1, 13.25], 10_000);

fn preset(bench: &Bench<'_>, name: &str, runs: u64) -> Result<Summary, Failure> {
    let text = PRESETS.iter().find(|p| p.name == name).map(crate::sweep::Preset::spec);
    let text = text.ok_or_else(|| format!("there is no preset {name}"))?;
    // The preset's first line of its own says how many runs a full sweep has.
    let text: Vec<String> = text
        .lines()
        .map(|line| if line.starts_with("runs = ") { format!("runs = {runs}") } else { line.to_owned() })
        .collect();
    ensemble(bench, name, &text.join("\n"))
}

fn interval(cell: &CellSummary) -> String {
    let s = &cell.global_share;
    format!("{:.2} [{:.2}, {:.2}]", 100.0 * s.share, 100.0 * s.low, 100.0 * s.high)
}

fn number(cell: &CellSummary, key: &str) -> f64 {
    cell.keys.get(key).and_then(serde_json::Value::as_f64).unwrap_or(f64::NAN)
}

fn seventeen(bench: &Bench<'_>) -> Outcome {
    let mut findings = Findings::default();
    let protocols = preset(bench, "seventeen", bench.pick(300, 100_000))?;
    let grid = preset(bench, "seventeen-grid", bench.pick(100, 10_000))?;
    protocol_table(bench, &mut findings, &protocols)?;
    grid_table(&mut findings, &grid);
    findings.figure(
        "basins-seventeen",
        "Share of starts that reach the global minimum at k = n = 17, against the step of gradient descent, for four scales of the \
         start (standard deviation of an entry times \u{221a}17); bars are 95 % Wilson intervals. Marks at step 0 are the gradient \
         flow. Grey lines: the range of the third source.",
        &picture(&grid),
    );
    Ok(findings)
}

fn protocol_table(bench: &Bench<'_>, findings: &mut Findings, summary: &Summary) -> Result<(), Failure> {
    let mut table = Table::new(
        "Per cent of starts that reach the global minima, with 95 % Wilson intervals, at the published protocols.",
        &["n", "step", "starts", "global, %", "z to 10.3 %", "z to 9.8 %", "z to 13.1 %", "not converged"],
    );
    let mut worst = 0.0_f64;
    for cell in &summary.cells {
        let share = bench.maths.tainted(cell.global_share.share);
        let scores = PUBLISHED.map(|(_, percent, runs)| z_score((share, cell.runs), (0.01 * percent, runs)));
        let third = z_score((share, cell.runs), (0.01 * THIRD.0[0], THIRD.1));
        let equal = number(cell, "problem.students") == 17.0;
        if equal {
            worst = scores.iter().fold(worst, |m, z| m.max(z.abs()));
            findings.number(
                &format!("n = 17, step {:.3}: share of global ends", number(cell, "dynamics.step")),
                share,
                Some((share * (1.0 - share) / cell.runs as f64).sqrt()),
            );
        }
        let score =
            |z: f64| if equal { format!("{z:+.1}").replace('-', "\u{2212}") } else { "\u{2013}".to_owned() };
        table.row(vec![
            number(cell, "problem.students").to_string(),
            format!("{:.3}", number(cell, "dynamics.step")),
            cell.runs.to_string(),
            interval(cell),
            score(scores[0]),
            score(scores[1]),
            score(third),
            (cell.runs - cell.global - cell.non_global).to_string(),
        ]);
    }
    let allowed = bench.sigmas(4)?;
    findings.check(
        "largest difference from the first two published shares, in standard errors",
        worst,
        None,
        Bound::at_most(allowed),
    );
    findings.table(table);
    Ok(())
}

fn grid_table(findings: &mut Findings, grid: &Summary) {
    let mut table = Table::new(
        "n = 17: per cent of starts that reach the global minimum, by step (rows) and scale of the start.",
        &["step", "0.25", "0.5", "1", "2"],
    );
    for row in grid.cells.chunks(4) {
        let step = number(&row[0], "dynamics.step");
        let head = if step.is_nan() { "flow".to_owned() } else { format!("{step:.3}") };
        table.row(std::iter::once(head).chain(row.iter().map(interval)).collect());
    }
    let inside = |c: &&CellSummary| {
        let (low, high) = (100.0 * c.global_share.low, 100.0 * c.global_share.high);
        low <= THIRD.0[1] && high >= THIRD.0[0]
    };
    let compatible = grid.cells.iter().filter(inside).count();
    findings.remark(&format!(
        "Of the {} cells of the grid, {compatible} have an interval that meets the third source's {} to {} %; {} starts a cell.",
        grid.cells.len(),
        THIRD.0[0],
        THIRD.0[1],
        grid.cells.first().map_or(0, |c| c.runs)
    ));
    findings.table(table);
}

fn picture(grid: &Summary) -> Figure {
    let x = Axis::linear("step of gradient descent (0: gradient flow)").range(-0.02, 0.32);
    let mut panel = Panel::new("", x, Axis::linear("share of global ends, %"));
    for (i, scale) in [0.25, 0.5, 1.0, 2.0].into_iter().enumerate() {
        let cells: Vec<&CellSummary> =
            grid.cells.iter().filter(|c| number(c, "start.scale") == scale).collect();
        // Side by side, so that bars of one step do not cover each other.
        let place = |c: &CellSummary| {
            let step = number(c, "dynamics.step");
            (if step.is_nan() { 0.0 } else { step }) + 0.003 * (i as f64 - 1.5)
        };
        let bars = cells.iter().map(|c| (place(c), 100.0 * c.global_share.low, 100.0 * c.global_share.high));
        let marks = cells.iter().map(|c| (place(c), 100.0 * c.global_share.share));
        let colour = Colour::series(i);
        panel.push(Layer::bars(bars).colour(colour));
        panel.push(Layer::marks(marks, Mark::series(i)).colour(colour).label(&format!("scale {scale}")));
    }
    for percent in THIRD.0 {
        panel.push(Layer::across(percent).colour(Colour::Grey));
    }
    Figure::new("Share of global ends at seventeen teachers", 1).panel_size(420.0, 300.0).with(panel)
}
