//! Table 1 of Du, Lee, Tian, Poczos and Singh (2018): how often gradient descent reaches the global minimum.

use super::basins::z_score;
use super::claim::{Bench, Bound, Claim, Failure, Findings, Group, Interrupted, Outcome, Table, Verdict};
use super::ensembles::ensemble;
use super::numbers::significant;
use super::sampling::largest;
use crate::figure::{Axis, Colour, Figure, Layer, LegendPlace, Mark, Panel};
use crate::sweep::{CellSummary, Plan, Spec, Summary, ends_in_memory};
use popgrad::{Cnn, Level, RunStatus};

/// The table.
pub(super) const TABLE1: Claim = Claim {
    id: "cnn-table1",
    title: "Table 1: probability of the global minimum",
    group: Group::ConvolutionalBasins,
    statement: "From random starts gradient descent reaches the global minimum with probability one half where 1\u{1d40}a* = 0, more often \
                the larger (1\u{1d40}a*)\u{b2}/|a*|\u{b2} is, and always where that is large.",
    source: "Du et al. (2018), Table 1",
    method: "Gradient descent on v and a with weight normalisation, step 0.05, v uniform on the sphere and a uniform in the ball of \
             radius |1\u{1d40}a*|/\u{221a}k (|w*| = |a*| = 1); a run ends once its basin is proved. z is a difference in standard errors: it \
             takes the pooled variance of the two shares, the published ones as of 1000 starts, and counts only what lies beyond the \
             published rounding to two decimals.",
    expected: Verdict::Holds,
    note: "The dimension p of a patch and the number of starts behind the published table are unconfirmed, and the shares depend strongly on \
           p: so there is a table for each p. Start i is drawn from the same random numbers in every cell. The cells thus share their \
           chance errors, a difference between two cells is surer than their intervals suggest, and at ratio 0, where the sign of \
           cos \u{3c6}\u{2080} alone decides, all cells have one and the same share.",
    measure: table1,
};

/// Dimensions of a patch.
pub(super) const DIMENSIONS: [u32; 6] = [2, 3, 4, 6, 20, 100];
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
pub(super) struct Entry<'s> {
    pub(super) dimension: u32,
    pub(super) patches: u32,
    pub(super) ratio: u32,
    /// The ratio below which the spurious point is a minimum, and whether this one is.
    pub(super) threshold: f64,
    pub(super) below: bool,
    pub(super) cell: &'s CellSummary,
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
pub(super) fn spec(starts: u64, dynamics: &str, dimensions: &[u32]) -> String {
    format!(
        "runs = {starts}\nseed = 2018\n[problem]\nkind = \"cnn\"\n[dynamics]\n{dynamics}\n[stop]\nbasin = true\nsteps = 1000000\n\
         [grid]\nproblem.patch_dimension = [{}]\nproblem.patches = [{}]\nproblem.ratio = [{}]\n",
        list(dimensions),
        list(&PATCHES),
        list(&RATIOS)
    )
}

/// The cells of a summary of [`spec`] with all dimensions, with what they are.
pub(super) fn entries<'s>(bench: &Bench<'_>, summary: &'s Summary) -> Result<Vec<Entry<'s>>, Failure> {
    let settings = DIMENSIONS
        .iter()
        .flat_map(|p| PATCHES.iter().flat_map(move |k| RATIOS.iter().map(move |ratio| (*p, *k, *ratio))));
    let mut entries = Vec::new();
    for ((dimension, patches, ratio), cell) in settings.zip(&summary.cells) {
        let threshold = Cnn::with_ratio(patches as usize, dimension as usize, f64::from(ratio))?.threshold();
        let (below, share) = (f64::from(ratio) < threshold, bench.maths.tainted(cell.global_share.share));
        entries.push(Entry { dimension, patches, ratio, threshold, below, cell, share });
    }
    Ok(entries)
}

fn table1(bench: &Bench<'_>) -> Outcome {
    let mut findings = Findings::default();
    let starts = bench.pick(20_000, 1_000_000);
    let summary = ensemble(bench, "cnn-table1", &spec(starts, "step = 0.05", &DIMENSIONS))?;
    let entries = entries(bench, &summary)?;
    check(&mut findings, bench, &entries)?;
    let blocks: Vec<&[Entry<'_>]> = entries.chunks_exact(PATCHES.len() * RATIOS.len()).collect();
    findings.figure(
        "cnn-table1",
        "Share of global ends over the ratio, one line for each dimension p of a patch, and the published shares, whose p is unconfirmed.",
        &figure(&blocks),
    );
    let worst = |block: &&[Entry<'_>]| largest(block.iter().filter_map(Entry::score).map(f64::abs));
    let scores: Vec<f64> = blocks.iter().map(worst).collect();
    findings.table(beside_published(&blocks, &scores));
    for (p, block) in DIMENSIONS.iter().zip(&blocks) {
        findings.table(table(*p, block));
    }
    let allowed = bench.sigmas(PUBLISHED.len() * RATIOS.len() * DIMENSIONS.len())?;
    findings.check(
        "largest |z| from the published shares at the dimension p that fits best",
        scores.iter().copied().fold(f64::INFINITY, f64::min),
        None,
        Bound::at_most(allowed),
    );
    compare_with_flow(&mut findings, bench)?;
    findings.remark(&format!(
        "{starts} starts a cell. Shares are in per cent; in square brackets Wilson intervals of 95 %. From the threshold \
         1 + (k \u{2212} 1)/\u{3c0} on there is no spurious minimum."
    ));
    Ok(findings)
}

/// What holds whatever the dimension of a patch is.
fn check(findings: &mut Findings, bench: &Bench<'_>, entries: &[Entry<'_>]) -> Result<(), Failure> {
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
    Ok(())
}

/// A difference in standard errors, without the sign of a zero.
fn score_text(z: f64) -> String {
    let text = format!("{z:+.1}");
    if text[1..] == *"0.0" { "0.0".to_owned() } else { text.replace('-', "\u{2212}") }
}

/// The published shares with those of every dimension beside them.
fn beside_published(blocks: &[&[Entry<'_>]], scores: &[f64]) -> Table {
    let mut head = vec!["k".to_owned(), "ratio".to_owned(), "published".to_owned()];
    head.extend(DIMENSIONS.iter().map(|p| format!("p = {p}")));
    let head: Vec<&str> = head.iter().map(String::as_str).collect();
    let mut table = Table::new("Beside the published shares, in per cent; in round brackets z.", &head);
    for (at, entry) in blocks.first().into_iter().flat_map(|block| block.iter()).enumerate() {
        let Some(published) = entry.published() else { continue };
        let mut row =
            vec![entry.patches.to_string(), entry.ratio.to_string(), format!("{:.0}", 100.0 * published)];
        for block in blocks {
            let z = block[at].score().map_or_else(String::new, |z| format!("\u{a0}({})", score_text(z)));
            row.push(format!("{:.2}{z}", 100.0 * block[at].share));
        }
        table.row(row);
    }
    let mut last = vec![String::new(), String::new(), "largest |z|".to_owned()];
    last.extend(scores.iter().map(|z| format!("{z:.1}")));
    table.row(last);
    table
}

fn table(p: u32, entries: &[Entry<'_>]) -> Table {
    let mut head = vec!["k".to_owned(), "threshold".to_owned()];
    head.extend(RATIOS.iter().map(|ratio| format!("ratio {ratio}")));
    let head: Vec<&str> = head.iter().map(String::as_str).collect();
    let mut table = Table::new(&format!("p = {p}: share of global ends in per cent."), &head);
    for row in entries.chunks_exact(RATIOS.len()) {
        let mut cells = vec![row[0].patches.to_string(), significant(row[0].threshold, 4)];
        for entry in row {
            let share = entry.cell.global_share;
            let [middle, low, high] =
                [entry.share, share.low, share.high].map(|x| format!("{:.2}", 100.0 * x));
            cells.push(format!("{middle} [{low},\u{a0}{high}]"));
        }
        table.row(cells);
    }
    table
}

/// The shares over the ratio, a panel for each published number of patches.
fn figure(blocks: &[&[Entry<'_>]]) -> Figure {
    let mut figure = Figure::new("Table 1 as curves", 3).panel_size(280.0, 260.0);
    for (letter, (patches, shares)) in ["a", "b", "c"].into_iter().zip(PUBLISHED) {
        let x = Axis::linear("ratio").range(-1.0, 26.0);
        let y = Axis::linear("share of global ends").range(0.45, 1.03);
        let mut panel = Panel::new(&format!("({letter}) k = {patches}"), x, y).legend(LegendPlace::Below);
        for (i, (p, block)) in DIMENSIONS.iter().zip(blocks).enumerate() {
            let those = block.iter().filter(|entry| entry.patches == patches);
            let line = Layer::line(those.map(|entry| (f64::from(entry.ratio), entry.share)));
            panel.push(line.colour(Colour::series(i)).label(&format!("p = {p}")));
        }
        let published = RATIOS.iter().map(|ratio| f64::from(*ratio)).zip(shares);
        panel.push(Layer::marks(published, Mark::Circle).colour(Colour::Ink).width(2.5).label("published"));
        figure.push(panel);
    }
    figure
}

/// The same starts by descent and by the flow, at one dimension.
fn compare_with_flow(findings: &mut Findings, bench: &Bench<'_>) -> Result<(), Failure> {
    let starts = bench.pick(1000, 20_000);
    let mut ends = Vec::new();
    for dynamics in ["step = 0.05", "method = \"flow\""] {
        let spec = Spec::parse("cnn-table1", &spec(starts, dynamics, &[6]))?;
        let plan = Plan::resolve(&spec, Level::detect())?;
        let look = |end: &popgrad::RunEnd| end.status == RunStatus::GlobalBasin;
        ends.push(ends_in_memory(&plan, bench.interrupt(), &look)?.ok_or(Interrupted)?);
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
