//! Table 1 of Du, Lee, Tian, Poczos and Singh (2018): how often gradient descent reaches the global minimum.

use super::basins::{ensemble, z_score};
use super::claim::{Bench, Bound, Claim, Findings, Group, Outcome, Table, Verdict};
use super::numbers::significant;
use super::sampling::largest;
use crate::sweep::{CellSummary, Plan, Spec, ends_in_memory};
use popgrad::{Cnn, Level, RunStatus, wilson_interval};

/// The table.
pub(super) const TABLE1: Claim = Claim {
    id: "cnn-table1",
    title: "Table 1: probability of the global minimum",
    group: Group::ConvolutionalBasins,
    statement: "From random starts gradient descent reaches the global minimum with probability one half where 1\u{1d40}a* = 0, more often \
                the larger (1\u{1d40}a*)\u{b2}/|a*|\u{b2} is, and always where that is large.",
    source: "Du et al. (2018), Table 1",
    method: "Gradient descent on v and a with weight normalisation, step 0.05, v uniform on the sphere and a uniform in the ball of \
             radius |1\u{1d40}a*|/\u{221a}k (|w*| = |a*| = 1); a run ends once its basin is proved. z compares two shares by their pooled \
             variance and takes the published ones as of 1000 starts.",
    expected: Verdict::Holds,
    note: "The dimension p of a patch behind the published table is unconfirmed, and the shares depend on it: read the rows of each p on their \
           own. So is the number of starts.",
    measure: table1,
};

/// Dimensions of a patch.
const DIMENSIONS: [u32; 6] = [2, 3, 4, 6, 20, 100];
/// Numbers of patches.
const PATCHES: [u32; 6] = [25, 36, 49, 64, 81, 100];
/// `(1.a*)^2 / |a*|^2`.
const RATIOS: [u32; 6] = [0, 1, 4, 9, 16, 25];
/// Published shares: patches, then one for each ratio.
const PUBLISHED: [(u32, [f64; 6]); 3] = [
    (25, [0.50, 0.55, 0.73, 1.0, 1.0, 1.0]),
    (49, [0.50, 0.53, 0.61, 0.78, 1.0, 1.0]),
    (100, [0.50, 0.50, 0.57, 0.63, 0.75, 0.90]),
];
/// Starts that a published share is taken to be of.
const PUBLISHED_STARTS: u64 = 1000;
/// What of a difference may come of rounding to two decimals.
const ROUNDING: f64 = 0.005;

/// One cell of the grid.
struct Entry<'s> {
    patches: u32,
    ratio: u32,
    below: bool,
    cell: &'s CellSummary,
    share: f64,
}

impl Entry<'_> {
    fn published(&self) -> Option<f64> {
        let row = PUBLISHED.iter().find(|row| row.0 == self.patches)?;
        RATIOS.iter().position(|ratio| *ratio == self.ratio).map(|at| row.1[at])
    }

    /// The difference from the published share beyond its rounding, in standard errors.
    fn score(&self) -> Option<f64> {
        let published = self.published()?;
        let beyond = ((self.share - published).abs() - ROUNDING).max(0.0) * (self.share - published).signum();
        Some(z_score((published + beyond, self.cell.runs), (published, PUBLISHED_STARTS)))
    }
}

fn list(numbers: &[u32]) -> String {
    numbers.iter().map(u32::to_string).collect::<Vec<_>>().join(", ")
}

/// The spec of the table for some dimensions of a patch.
fn spec(starts: u64, dynamics: &str, dimensions: &[u32]) -> String {
    format!(
        "runs = {starts}\nseed = 2018\n[problem]\nkind = \"cnn\"\n[dynamics]\n{dynamics}\n[stop]\nbasin = true\nsteps = 1000000\n\
         [grid]\nproblem.patch_dimension = [{}]\nproblem.patches = [{}]\nproblem.ratio = [{}]\n",
        list(dimensions),
        list(&PATCHES),
        list(&RATIOS)
    )
}

fn table1(bench: &Bench<'_>) -> Outcome {
    let mut findings = Findings::default();
    let starts = bench.pick(20_000, 1_000_000);
    let summary = ensemble(bench, "cnn-table1", &spec(starts, "step = 0.05", &DIMENSIONS))?;
    let settings = PATCHES.iter().flat_map(|k| RATIOS.iter().map(move |ratio| (*k, *ratio)));
    let mut entries = Vec::new();
    for ((patches, ratio), cell) in settings.cycle().zip(&summary.cells) {
        let below = f64::from(ratio) < Cnn::with_ratio(patches as usize, 2, f64::from(ratio))?.threshold();
        entries.push(Entry {
            patches,
            ratio,
            below,
            cell,
            share: bench.maths.tainted(cell.global_share.share),
        });
    }
    check(&mut findings, bench, &entries)?;
    let mut scores = Vec::new();
    for (p, entries) in DIMENSIONS.iter().zip(entries.chunks_exact(PATCHES.len() * RATIOS.len())) {
        findings.table(table(*p, entries));
        let worst = largest(entries.iter().filter_map(Entry::score).map(f64::abs));
        findings.number(
            &format!("p = {p}: largest difference from a published share, in standard errors"),
            worst,
            None,
        );
        scores.push(worst);
    }
    let allowed = bench.sigmas(PUBLISHED.len() * RATIOS.len() * DIMENSIONS.len())?;
    findings.check(
        "the same at the dimension that fits best",
        scores.iter().copied().fold(f64::INFINITY, f64::min),
        None,
        Bound::at_most(allowed),
    );
    compare_with_flow(&mut findings, bench)?;
    findings.remark(&format!(
        "{starts} starts a cell; in brackets the published share and z, computed beyond its rounding to two decimals. Intervals are of 95 %."
    ));
    Ok(findings)
}

/// What holds whatever the dimension of a patch is.
fn check(
    findings: &mut Findings,
    bench: &Bench<'_>,
    entries: &[Entry<'_>],
) -> Result<(), super::claim::Failure> {
    let undecided: u64 = entries.iter().map(|e| e.cell.runs - e.cell.global - e.cell.non_global).sum();
    findings.check("starts left undecided", undecided as f64, None, Bound::exactly(0.0));
    let half = entries.iter().filter(|e| e.ratio == 0).map(|e| {
        let runs = e.cell.runs as f64;
        (e.share - 0.5).abs() / (0.25 / runs).sqrt()
    });
    let allowed = bench.sigmas(PATCHES.len() * DIMENSIONS.len())?;
    findings.check(
        "1\u{1d40}a* = 0: largest difference from one half, in standard errors",
        largest(half),
        None,
        Bound::at_most(allowed),
    );
    let above = entries.iter().filter(|e| !e.below).map(|e| e.cell.non_global as f64).sum();
    findings.check("spurious ends above the threshold", above, None, Bound::exactly(0.0));
    let falls = entries
        .windows(2)
        .filter(|w| w[1].ratio > w[0].ratio)
        .map(|w| z_score((w[0].share, w[0].cell.runs), (w[1].share, w[1].cell.runs)));
    let allowed = bench.sigmas(entries.len())?;
    findings.check(
        "largest fall of the share from one ratio to the next, in standard errors",
        largest(falls),
        None,
        Bound::at_most(allowed),
    );
    let mut lowest = 1.0_f64;
    for entry in entries {
        lowest = lowest.min(wilson_interval(entry.cell.global, entry.cell.runs, 0.95)?.low);
    }
    findings.check(
        "least lower bound of a share of global ends",
        bench.maths.tainted(lowest),
        None,
        Bound::at_least(0.25),
    );
    let without = entries.iter().filter(|e| e.below && e.cell.non_global == 0).count();
    findings.number("cells below the threshold without a spurious end", without as f64, None);
    Ok(())
}

fn table(p: u32, entries: &[Entry<'_>]) -> Table {
    let mut head = vec!["k".to_owned(), "threshold".to_owned()];
    head.extend(RATIOS.iter().map(|ratio| format!("ratio {ratio}")));
    let head: Vec<&str> = head.iter().map(String::as_str).collect();
    let mut table = Table::new(&format!("p = {p}: share of global ends."), &head);
    for row in entries.chunks_exact(RATIOS.len()) {
        let threshold = 1.0 + f64::from(row[0].patches - 1) / std::f64::consts::PI;
        let mut cells = vec![row[0].patches.to_string(), significant(threshold, 4)];
        for entry in row {
            let share = entry.cell.global_share;
            let published = match (entry.published(), entry.score()) {
                (Some(published), Some(z)) => format!(" ({published:.2}, {z:+.1})").replace('-', "\u{2212}"),
                _ => String::new(),
            };
            cells.push(format!("{:.4} [{:.4}, {:.4}]{published}", entry.share, share.low, share.high));
        }
        table.row(cells);
    }
    table
}

/// The same starts by descent and by the flow, at one dimension.
fn compare_with_flow(findings: &mut Findings, bench: &Bench<'_>) -> Result<(), super::claim::Failure> {
    let starts = bench.pick(1000, 20_000);
    let mut ends = Vec::new();
    for dynamics in ["step = 0.05", "method = \"flow\""] {
        let spec = Spec::parse("cnn-table1", &spec(starts, dynamics, &[6]))?;
        let plan = Plan::resolve(&spec, Level::detect())?;
        let look = |end: &popgrad::RunEnd| end.status == RunStatus::GlobalBasin;
        ends.push(ends_in_memory(&plan, bench.interrupt(), &look)?.ok_or(super::claim::Interrupted)?);
    }
    let pairs = ends[0].iter().flatten().zip(ends[1].iter().flatten());
    let differ = pairs.filter(|(descent, flow)| descent != flow).count() as f64;
    let all = (starts * (PATCHES.len() * RATIOS.len()) as u64) as f64;
    findings.check(
        "p = 6: share of starts that descent and the flow take to different minima",
        bench.maths.tainted(differ / all),
        None,
        Bound::at_most(0.01),
    );
    Ok(())
}
