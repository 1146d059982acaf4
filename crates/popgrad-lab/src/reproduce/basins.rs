//! How often gradient descent ends in a spurious minimum: the published tables, by ensembles of starts.

use super::claim::{Bench, Bound, Claim, Failure, Findings, Group, Interrupted, Outcome, Table, Verdict};
use super::ensembles::ensemble;
use super::numbers::significant;
use super::sampling::largest;
use crate::sweep::{CellSummary, Plan, Spec, Summary, ends_in_memory};
use popgrad::Level;
use std::f64::consts::TAU;
use std::fmt::Write;

/// As many students as teachers.
pub(super) const EQUAL: Claim = Claim {
    id: "basins-equal",
    title: "Share of starts that miss the global minimum, n = k",
    group: Group::Basins,
    statement: "With n = k students the share of starts that miss the global minimum grows from 0.3 % at k = 6 to 94.9 % at k = 20.",
    source: "arXiv 1712.08968, table of section 5 and data of the authors",
    method: "Gradient descent from normal entries of variance 1/k, step 0.1 per sample, halved above a gradient of 10\u{2074}, until every \
             neuron's gradient is below 10\u{207b}\u{2079} (both on their scale, 2\u{3c0} times ours); ends merged modulo permutations. z compares \
             two shares of finitely many starts by their pooled variance.",
    expected: Verdict::Holds,
    note: "",
    measure: equal,
};

/// One student more than teachers.
pub(super) const SURPLUS: Claim = Claim {
    id: "basins-surplus",
    title: "Share of starts that miss the global minima, n = k + 1",
    group: Group::Basins,
    statement: "With n = k + 1 students the share is 0.1 % at k = 8 and 10.2 % at k = 15.",
    source: "arXiv 1712.08968, table of section 5 and data of the authors",
    method: "As for n = k; a start counts as global once its loss is below 10\u{207b}\u{b3}, the published threshold, and no longer rises, because \
             the gradient falls only like 1/t\u{b2} near the manifold of global minima.",
    expected: Verdict::Holds,
    note: "",
    measure: surplus,
};

/// The rule that ends such starts by their loss.
pub(super) const RUN_ON: Claim = Claim {
    id: "basins-run-on",
    title: "Running on to the published stop changes no class",
    group: Group::Basins,
    statement: "A start of n = k + 1 students whose loss is below 10\u{207b}\u{b3} ends at a global minimum.",
    source: "arXiv 1712.08968, section 5: the threshold",
    method: "The same starts with and without the rule, to the published bound on the gradient or 5\u{b7}10\u{2076} steps.",
    expected: Verdict::Holds,
    note: "",
    measure: run_on,
};

/// Shares by block structure.
pub(super) const BLOCKS: Claim = Claim {
    id: "basins-blocks",
    title: "Shares by block structure",
    group: Group::Basins,
    statement: "Of 500 starts a given share ends at the global minimum and at the minima of structure [j, k \u{2212} j].",
    source: "arXiv 2006.01005, data of the authors",
    method: "Gradient descent from normal entries of variance 1/k, step 5/k, to a gradient of 10\u{207b}\u{b9}\u{b2}.",
    expected: Verdict::Holds,
    note: "",
    measure: blocks,
};

/// A published row: units, starts that missed in per cent of 1000, distinct minima, and the most frequent ones by count and loss.
struct Row {
    teachers: u32,
    missed: f64,
    distinct: usize,
    frequent: &'static [(u64, f64)],
}

/// Starts behind each published row of 2018.
const STARTS_2018: u64 = 1000;

/// arXiv 1712.08968, n = k.
const EQUAL_ROWS: [Row; 6] = [
    Row { teachers: 6, missed: 0.3, distinct: 1, frequent: &[(3, 0.025_080_58)] },
    Row { teachers: 8, missed: 12.6, distinct: 1, frequent: &[(126, 0.021_508_04)] },
    Row { teachers: 10, missed: 34.6, distinct: 2, frequent: &[(312, 0.018_702_19), (34, 0.035_326_88)] },
    Row { teachers: 12, missed: 58.5, distinct: 6, frequent: &[(427, 0.016_523_79), (135, 0.031_551_18)] },
    Row { teachers: 15, missed: 80.3, distinct: 9, frequent: &[(374, 0.014_063_88), (273, 0.027_107_48)] },
    Row { teachers: 20, missed: 94.9, distinct: 21, frequent: &[(241, 0.032_151_62), (204, 0.021_922_97)] },
];

/// The same, n = k + 1.
const SURPLUS_ROWS: [Row; 2] = [
    Row { teachers: 8, missed: 0.1, distinct: 1, frequent: &[(1, 0.020_560_79)] },
    Row { teachers: 15, missed: 10.2, distinct: 8, frequent: &[(52, 0.027_503_2)] },
];

/// arXiv 2006.01005: units, then per cent of 500 starts at the global minimum, [1, k-1], [2, k-2], [3, k-3], [4, k-4].
const BLOCK_ROWS: [(u32, [f64; 5], usize); 9] = [
    (6, [100.0, 0.0, 0.0, 0.0, 0.0], 1),
    (8, [88.6, 11.4, 0.0, 0.0, 0.0], 2),
    (10, [68.0, 30.0, 2.0, 0.0, 0.0], 3),
    (12, [46.2, 41.8, 11.0, 0.6, 0.0], 5),
    (15, [22.0, 31.6, 29.2, 13.4, 2.0], 9),
    (20, [5.8, 14.6, 28.0, 18.0, 18.6], 15),
    (30, [0.4, 1.6, 3.4, 7.2, 12.0], 20),
    (50, [0.0, 0.0, 0.2, 0.2, 0.2], 28),
    (100, [0.0, 0.0, 0.0, 0.0, 0.0], 32),
];
/// Starts behind each of these rows.
const STARTS_2021: u64 = 500;

/// The largest difference between a loss that is printed with eight decimals and ours.
const LOSS_DIGITS: f64 = 6e-9;
/// Losses below this count as global, as published.
const GLOBAL_LOSS: f64 = 1e-3;

/// The difference of two shares in standard errors of the pooled share; zero where both are zero or one.
pub(super) fn z_score((a, n): (f64, u64), (b, m): (f64, u64)) -> f64 {
    let (n, m) = (n as f64, m as f64);
    let pooled = (a * n + b * m) / (n + m);
    let variance = pooled * (1.0 - pooled) * (1.0 / n + 1.0 / m);
    if variance > 0.0 { (a - b) / variance.sqrt() } else { 0.0 }
}

fn per_cent(share: f64) -> String {
    format!("{:.2}", 100.0 * share)
}

/// `share [low, high]` of a cell's starts that converged above the threshold, in per cent.
fn missed(cell: &CellSummary) -> Result<(f64, String), Failure> {
    let interval = popgrad::wilson_interval(cell.non_global, cell.runs, 0.95)?;
    let text =
        format!("{} [{}, {}]", per_cent(interval.share), per_cent(interval.low), per_cent(interval.high));
    Ok((interval.share, text))
}

fn unconverged(cell: &CellSummary) -> u64 {
    cell.runs - cell.global - cell.non_global
}

/// The spec of the published protocol of 2018 for the given numbers of teachers, `surplus` students more.
fn protocol_2018(starts: u64, teachers: impl Iterator<Item = u32>, surplus: u32, by_loss: bool) -> String {
    let mut text = format!(
        "runs = {starts}\nseed = 2018\n[dynamics]\nstep = 0.1\nhalve_above = {}\n[stop]\nnorm = \"largest_neuron\"\n\
         gradient_norm = {}\nsteps = 5000000\n[classes]\nglobal_loss = {GLOBAL_LOSS}\n",
        1e4 / TAU,
        1e-9 / TAU
    );
    for k in teachers {
        let students = k + surplus;
        let _ =
            write!(text, "[[cells]]\nproblem.teacher = \"orthonormal:{k}\"\nproblem.students = {students}\n");
        if by_loss {
            let _ = writeln!(text, "stop.loss = {GLOBAL_LOSS}");
        }
    }
    text
}

/// A table of all rows with the published ones beside.
fn table_of_2018(
    findings: &mut Findings,
    bench: &Bench<'_>,
    summary: &Summary,
    published: &[Row],
    surplus: u32,
) -> Result<(), Failure> {
    let mut table = Table::new(
        "Starts that converge to a loss above 10\u{207b}\u{b3}, in per cent with 95 % Wilson intervals.",
        &[
            "k",
            "n",
            "missed, %",
            "published, %",
            "z",
            "minima",
            "published",
            "smallest \u{3bb}",
            "most frequent",
            "not converged",
            "steps, mean",
        ],
    );
    let (mut scores, mut losses) = (Vec::new(), Vec::new());
    for (k, cell) in (6_u32..).zip(&summary.cells) {
        let (share, text) = missed(cell)?;
        let share = bench.maths.tainted(share);
        let row = published.iter().find(|r| r.teachers == k);
        let score = row.map(|r| z_score((share, cell.runs), (0.01 * r.missed, STARTS_2018)));
        scores.extend(score);
        let spurious: Vec<_> = cell.classes.iter().filter(|c| !c.is_global).collect();
        for (count, loss) in row.map_or(&[][..], |r| r.frequent) {
            // Thirty of a thousand: a thousand starts miss a class of that share with probability 6e-14.
            let nearest = spurious.iter().map(|c| (c.loss - loss).abs()).fold(f64::INFINITY, f64::min);
            if *count >= 30 {
                losses.push(nearest);
            }
        }
        let smallest = spurious.iter().filter_map(|c| c.lambda_min).fold(f64::INFINITY, f64::min);
        let frequent = spurious.first().map_or_else(String::new, |c| {
            format!("{} \u{d7} {} {}", c.count, significant(c.loss, 7), c.isotropy.as_deref().unwrap_or(""))
        });
        let dash = || "\u{2013}".to_owned();
        table.row(vec![
            k.to_string(),
            (k + surplus).to_string(),
            text,
            row.map_or_else(dash, |r| r.missed.to_string()),
            score.map_or_else(dash, |z| format!("{z:+.1}").replace('-', "\u{2212}")),
            spurious.len().to_string(),
            row.map_or_else(dash, |r| r.distinct.to_string()),
            if smallest.is_finite() { significant(smallest, 5) } else { dash() },
            frequent,
            unconverged(cell).to_string(),
            format!("{:.0}", cell.mean_steps),
        ]);
    }
    let allowed = bench.sigmas(published.len())?;
    findings.check(
        "largest difference from a published share, in standard errors",
        largest(scores.iter().map(|z| z.abs())),
        None,
        Bound::at_most(allowed),
    );
    if !losses.is_empty() {
        findings.check(
            "largest distance of a published loss of thirty starts or more from a loss met",
            largest(losses),
            None,
            Bound::at_most(LOSS_DIGITS),
        );
    }
    findings.table(table);
    Ok(())
}

fn equal(bench: &Bench<'_>) -> Outcome {
    let mut findings = Findings::default();
    let starts = bench.pick(1000, 100_000);
    let summary = ensemble(bench, "basins-equal", &protocol_2018(starts, 6..=20, 0, false))?;
    table_of_2018(&mut findings, bench, &summary, &EQUAL_ROWS, 0)?;
    findings.remark(&format!("{starts} starts a row; published rows have {STARTS_2018}."));
    Ok(findings)
}

fn surplus(bench: &Bench<'_>) -> Outcome {
    let mut findings = Findings::default();
    let starts = bench.pick(1000, 100_000);
    let summary = ensemble(bench, "basins-surplus", &protocol_2018(starts, 6..=20, 1, true))?;
    table_of_2018(&mut findings, bench, &summary, &SURPLUS_ROWS, 1)?;
    findings.remark(&format!(
        "{starts} starts a row; published rows have {STARTS_2018}. All ends below the threshold are one class, the global manifold, \
         which has no smallest eigenvalue."
    ));
    Ok(findings)
}

/// Whether an end is that of a converged run, its loss, and its steps.
type End = (bool, f64, u64);

fn ends(bench: &Bench<'_>, text: &str) -> Result<Vec<Vec<End>>, Failure> {
    let plan = Plan::resolve(&Spec::parse("basins-run-on", text)?, Level::detect())?;
    let look = |end: &popgrad::RunEnd| (end.status.is_converged(), end.loss, end.steps);
    ends_in_memory(&plan, bench.interrupt(), &look)?.ok_or_else(|| Interrupted.into())
}

fn run_on(bench: &Bench<'_>) -> Outcome {
    let mut findings = Findings::default();
    let starts = bench.pick(10, 200);
    let last = bench.pick(7, 10);
    let by_loss = ends(bench, &protocol_2018(starts, 6..=last, 1, true))?;
    let to_the_end = ends(bench, &protocol_2018(starts, 6..=last, 1, false))?;
    let mut table = Table::new(
        "The same starts ended by the loss, and run on.",
        &["k", "n", "starts", "global by loss", "global, run on", "not converged", "steps, mean and most"],
    );
    let global = |end: &End| bench.maths.tainted(end.1) < GLOBAL_LOSS;
    let (mut moved, mut worst) = (0, 0.0_f64);
    for (k, (early, late)) in (6_u32..).zip(by_loss.iter().zip(&to_the_end)) {
        // Start by start, those at the step limit included: their loss has not risen to the threshold again.
        moved += early.iter().zip(late).filter(|(a, b)| global(a) != global(b)).count();
        worst = largest(late.iter().filter(|e| global(e)).map(|e| e.1).chain([worst]));
        let steps = late.iter().map(|e| e.2);
        let mean = steps.clone().map(|n| n as f64).sum::<f64>() / starts as f64;
        table.row(vec![
            k.to_string(),
            (k + 1).to_string(),
            starts.to_string(),
            early.iter().filter(|e| global(e)).count().to_string(),
            late.iter().filter(|e| global(e)).count().to_string(),
            late.iter().filter(|e| !e.0).count().to_string(),
            format!("{mean:.0}, {}", steps.max().unwrap_or(0)),
        ]);
    }
    findings.check("starts that change class", moved as f64, None, Bound::exactly(0.0));
    findings.check("largest loss of a global end", worst, None, Bound::at_most(1e-6));
    findings.table(table);
    Ok(findings)
}

fn blocks(bench: &Bench<'_>) -> Outcome {
    let mut findings = Findings::default();
    let last = bench.pick(15, 100);
    let rows: Vec<_> = BLOCK_ROWS.iter().filter(|(k, ..)| *k <= last).collect();
    let mut table = Table::new(
        "Per cent of starts, ours and published.",
        &[
            "k",
            "starts",
            "global",
            "[1, k\u{2212}1]",
            "[2, k\u{2212}2]",
            "[3, k\u{2212}3]",
            "[4, k\u{2212}4]",
            "minima",
            "not converged",
        ],
    );
    let mut scores = Vec::new();
    for (k, published, distinct) in rows {
        let starts = if *k <= 30 { STARTS_2021 } else { 100 };
        let text = format!(
            "runs = {starts}\nseed = 2021\n[problem]\nteacher = \"orthonormal:{k}\"\n[dynamics]\nstep = {}\n[stop]\n\
             gradient_norm = 1e-12\nsteps = 200000\n",
            5.0 / f64::from(*k)
        );
        let summary = ensemble(bench, &format!("basins-blocks-{k}"), &text)?;
        let cell = &summary.cells[0];
        let mut cells = vec![k.to_string(), starts.to_string()];
        for (j, percent) in published.iter().enumerate() {
            let label = if j == 0 { String::new() } else { format!("[{j},{}]", *k as usize - j) };
            let matches = |c: &&crate::sweep::ClassSummary| {
                if j == 0 {
                    c.is_global
                } else {
                    !c.is_global && c.isotropy.as_deref() == Some(label.as_str())
                }
            };
            let count: u64 = cell.classes.iter().filter(matches).map(|c| c.count).sum();
            let share = bench.maths.tainted(count as f64 / cell.runs as f64);
            scores.push(z_score((share, cell.runs), (0.01 * percent, STARTS_2021)));
            cells.push(format!("{} ({percent})", per_cent(share)));
        }
        cells.push(format!("{} ({distinct})", cell.classes.len()));
        cells.push(unconverged(cell).to_string());
        table.row(cells);
    }
    let allowed = bench.sigmas(scores.len())?;
    findings.check(
        "largest difference from a published share, in standard errors",
        largest(scores.iter().map(|z| z.abs())),
        None,
        Bound::at_most(allowed),
    );
    findings.table(table);
    findings.remark("Published numbers are in brackets; theirs are of 500 starts each.");
    Ok(findings)
}
