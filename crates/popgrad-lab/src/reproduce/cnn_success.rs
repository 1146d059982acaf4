//! The two probabilities of the abstract, of the global and of the spurious minimum, and what restarts do.

use super::basins::z_score;
use super::claim::{Bench, Bound, Claim, Failure, Findings, Group, Interrupted, Outcome, Table, Verdict};
use super::cnn_table1::{DIMENSIONS, Entry, entries, spec};
use super::ensembles::ensemble;
use super::numbers::significant;
use super::sampling::largest;
use crate::sweep::{Plan, Spec, ends_in_memory};
use popgrad::{
    Cnn, CnnBasin, CnnEnsemble, CnnSigns, Level, RunStatus, WilsonInterval, restart_success, wilson_interval,
};

/// The abstract's constant probability of the global minimum.
pub(super) const GLOBAL: Claim = Claim {
    id: "cnn-global",
    title: "The global minimum is reached with constant probability, and restarts raise it",
    group: Group::ConvolutionalBasins,
    statement: "From random starts gradient descent with weight normalisation reaches the global minimum with at least constant \
                probability, 1/4 by the proof, which restarts raise at will; of the four starts (\u{b1}v, \u{b1}a) one always succeeds.",
    source: "Du et al. (2018), abstract and section 4",
    method: "Table 1's ensembles: the least lower end of a Wilson interval over all cells. Restarts: the share q of one half of the starts, and \
             beside 1 \u{2212} (1 \u{2212} q)^r the share of groups of r starts of the other half with a success. Signs: every draw with all four \
             choices, of which exactly one has to satisfy the theorem's conditions and be proved to reach the teacher.",
    expected: Verdict::Holds,
    note: "",
    measure: global,
};

/// The abstract's constant probability of the spurious minimum.
pub(super) const TRAPPED: Claim = Claim {
    id: "cnn-trapped",
    title: "The spurious minimum is reached with constant probability too",
    group: Group::ConvolutionalBasins,
    statement: "With constant probability the same algorithm converges to the spurious local minimum, for teachers whose ratio is small.",
    source: "Du et al. (2018), abstract and section 4",
    method: "Table 1's ensembles. Below the threshold the lower end of the Wilson interval of the spurious share has to lie above zero, for \
             patches of dimension 2, 3, 4 and 6; from the threshold on every start of every cell has to reach the teacher.",
    expected: Verdict::Holds,
    note: "The paper supposes a ratio below 1/poly(p). In few dimensions the whole range below the threshold has spurious ends; with 20 and \
           100 they die out well before it, because v starts almost orthogonal to w*.",
    measure: trapped,
};

/// Confidence of the Wilson intervals.
const CONFIDENCE: f64 = 0.95;

/// Dimensions of a patch for which spurious ends are expected in every cell below the threshold.
const LOW_DIMENSIONS: [u32; 4] = [2, 3, 4, 6];

/// Wilson interval of the spurious share of a cell.
fn spurious_share(entry: &Entry<'_>) -> Result<WilsonInterval, Failure> {
    Ok(wilson_interval(entry.cell.non_global, entry.cell.runs, CONFIDENCE)?)
}

fn trapped(bench: &Bench<'_>) -> Outcome {
    let mut findings = Findings::default();
    let starts = bench.pick(20_000, 1_000_000);
    let summary = ensemble(bench, "cnn-trapped", &spec(starts, "step = 0.05", &DIMENSIONS))?;
    let entries = entries(bench, &summary)?;
    let (mut least, mut touching, mut above, mut empty) = (f64::INFINITY, 0_u32, 0, Vec::new());
    let mut table = Table::new(
        "Below the threshold, for each p the cell with the fewest spurious ends, with an interval of 95 %.",
        &["p", "k", "ratio", "threshold", "starts", "spurious", "share"],
    );
    for p in DIMENSIONS {
        let cells: Vec<_> = entries.iter().filter(|entry| entry.dimension == p).collect();
        above += cells
            .iter()
            .filter(|entry| !entry.below)
            .map(|entry| entry.cell.runs - entry.cell.global)
            .sum::<u64>();
        let mut rarest: Option<&Entry<'_>> = None;
        for entry in cells.into_iter().filter(|entry| entry.below) {
            if LOW_DIMENSIONS.contains(&p) {
                let low = bench.maths.tainted(spurious_share(entry)?.low);
                // A share that is no number counts as reaching zero.
                touching += u32::from(low.is_nan() || low <= 0.0);
                least = least.min(low);
            }
            if entry.cell.non_global == 0 {
                empty.push(format!("p = {p}, k = {}, ratio {}", entry.patches, entry.ratio));
            }
            if rarest.is_none_or(|other| entry.cell.non_global < other.cell.non_global) {
                rarest = Some(entry);
            }
        }
        let Some(entry) = rarest else { continue };
        let share = spurious_share(entry)?;
        table.row(vec![
            p.to_string(),
            entry.patches.to_string(),
            entry.ratio.to_string(),
            significant(entry.threshold, 4),
            entry.cell.runs.to_string(),
            entry.cell.non_global.to_string(),
            format!("{:.5} [{:.5}, {:.5}]", share.share, share.low, share.high),
        ]);
    }
    let name = "p \u{2264} 6: cells below the threshold whose interval of the spurious share reaches zero";
    findings.check(name, f64::from(touching), None, Bound::exactly(0.0));
    findings.number("p \u{2264} 6: least lower end of the spurious share below the threshold", least, None);
    findings.check(
        "starts from the threshold on that do not reach the teacher",
        bench.maths.tainted(above as f64),
        None,
        Bound::exactly(0.0),
    );
    findings.number("all p: cells below the threshold without a spurious end", empty.len() as f64, None);
    findings.table(table);
    if !empty.is_empty() {
        findings.remark(&format!(
            "Cells below the threshold in which none of {starts} starts was trapped: {}.",
            empty.join("; ")
        ));
    }
    Ok(findings)
}

fn global(bench: &Bench<'_>) -> Outcome {
    let mut findings = Findings::default();
    let starts = bench.pick(20_000, 1_000_000);
    let summary = ensemble(bench, "cnn-global", &spec(starts, "step = 0.05", &DIMENSIONS))?;
    let mut lowest = 1.0_f64;
    for entry in entries(bench, &summary)? {
        lowest = lowest.min(wilson_interval(entry.cell.global, entry.cell.runs, CONFIDENCE)?.low);
    }
    findings.check(
        "least lower end of an interval of the share of global ends",
        bench.maths.tainted(lowest),
        None,
        Bound::at_least(0.25),
    );
    findings.number("cells", summary.cells.len() as f64, None);
    restarts(bench, &mut findings, starts)?;
    signs(bench, &mut findings)?;
    Ok(findings)
}

/// Patches and ratio of the cells in which restarts are counted, p = 6.
const RESTARTED: [(usize, f64); 4] = [(25, 0.0), (25, 4.0), (49, 9.0), (100, 9.0)];
/// The largest number of restarts.
const MOST: usize = 6;

fn restarts(bench: &Bench<'_>, findings: &mut Findings, starts: u64) -> Result<(), Failure> {
    let heads: Vec<String> = (1..=MOST).map(|r| format!("r = {r}")).collect();
    let mut head = vec!["k", "ratio", "q"];
    head.extend(heads.iter().map(String::as_str));
    let caption =
        "p = 6: share of groups of r starts with a success, and in brackets 1 \u{2212} (1 \u{2212} q)^r.";
    let mut table = Table::new(caption, &head);
    let mut scores = Vec::new();
    for (k, ratio) in RESTARTED {
        let text = format!(
            "runs = {starts}\nseed = 1712\n[problem]\nkind = \"cnn\"\npatches = {k}\npatch_dimension = 6\nratio = {ratio}\n\
             [dynamics]\nstep = 0.05\n[stop]\nbasin = true\nsteps = 1000000\n"
        );
        let plan = Plan::resolve(&Spec::parse("cnn-global", &text)?, Level::detect())?;
        let look = |end: &popgrad::RunEnd| end.status == RunStatus::GlobalBasin;
        let ends = ends_in_memory(&plan, bench.interrupt(), &look)?.ok_or(Interrupted)?;
        let (first, second) = ends[0].split_at(ends[0].len() / 2);
        let q = first.iter().filter(|global| **global).count() as f64 / first.len() as f64;
        let mut cells = vec![k.to_string(), ratio.to_string(), format!("{q:.4}")];
        for r in 1..=MOST {
            let groups = second.chunks_exact(r);
            let count = groups.len() as u64;
            let share = groups.filter(|group| group.contains(&true)).count() as f64 / count as f64;
            let theory = restart_success(bench.maths.tainted(q).min(1.0), u32::try_from(r)?)?;
            // The theory inherits the error of q, times its derivative r (1 - q)^(r - 1); the share has its own.
            let power = i32::try_from(r)? - 1;
            let slope = (1..=power).fold(r as f64, |slope, _| slope * (1.0 - q));
            let variance =
                slope * slope * q * (1.0 - q) / first.len() as f64 + theory * (1.0 - theory) / count as f64;
            scores.push((share - theory).abs() / variance.sqrt());
            cells.push(format!("{share:.4} ({theory:.4})"));
        }
        table.row(cells);
    }
    let allowed = bench.sigmas(scores.len())?;
    findings.check(
        "restarts: largest difference from 1 \u{2212} (1 \u{2212} q)^r, in standard errors",
        largest(scores),
        None,
        Bound::at_most(allowed),
    );
    findings.table(table);
    Ok(())
}

/// Every draw with all four choices of signs.
fn signs(bench: &Bench<'_>, findings: &mut Findings) -> Result<(), Failure> {
    let draws = bench.pick(2_000, 50_000);
    let (mut failures, mut differ) = (0_u64, Vec::new());
    for (cell, (k, ratio)) in RESTARTED.into_iter().enumerate() {
        bench.pause()?;
        let problem = Cnn::with_ratio(k, 6, bench.maths.tainted(ratio))?;
        let reduced = problem.reduced();
        let ensemble = CnnEnsemble::try_new(problem)?.with_seed(2018 + cell as u64);
        let mut chosen = 0_u64;
        for run in 0..draws {
            let state = ensemble.start_state(run)?;
            let mut sufficient = 0;
            let mut proved = true;
            for signs in CnnSigns::all() {
                let start = signs.apply(&state);
                if reduced.is_sufficient_start(&start)? {
                    sufficient += 1;
                    proved &= reduced.descent_basin(&start, 0.05)? == CnnBasin::Global;
                }
            }
            // With a = 0 its sign makes no difference: the choice counts twice.
            let wanted = if ratio == 0.0 { 2 } else { 1 };
            failures += u64::from(sufficient != wanted || !proved);
            chosen += u64::from(reduced.is_sufficient_start(&state)?);
        }
        let expected = if ratio == 0.0 { 0.5 } else { 0.25 };
        differ.push(z_score((chosen as f64 / draws as f64, draws), (expected, u64::MAX)).abs());
    }
    let name = "draws of whose four signs not exactly one satisfies the conditions, or that one is not proved to succeed";
    findings.check(name, bench.maths.tainted(failures as f64), None, Bound::exactly(0.0));
    let allowed = bench.sigmas(differ.len())?;
    let name = "share of draws that satisfy the conditions, from 1/4 (1/2 at ratio 0), in standard errors";
    findings.check(name, largest(differ), None, Bound::at_most(allowed));
    Ok(())
}
