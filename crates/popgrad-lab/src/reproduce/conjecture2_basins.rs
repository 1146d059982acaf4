//! Conjecture 2: how often a noisy start below the diagonal reaches the teacher, against the noise.

use super::basins::z_score;
use super::claim::{Bench, Bound, Claim, Failure, Findings, Group, Interrupted, Outcome, Table, Verdict};
use super::numbers::significant;
use super::plane_basins;
use super::sampling::largest;
use crate::figure::{Axis, Colour, Figure, Layer, Mark, Panel};
use crate::sweep::{Plan, Spec, ends_in_memory};
use popgrad::{Level, RunEnd, wilson_interval};

/// The probability of success over the noise, and the basins of the plane.
pub(super) const BASINS: Claim = Claim {
    id: "conjecture2-basins",
    title: "The probability of success over the noise",
    group: Group::Noise,
    statement: "With an orthonormal teacher, a start W0 with x0 on the diagonal, y0 < x0 off it, and isotropic noise \
                converges to w*.",
    source: "Conjecture 2, Theorem 7",
    method: "Ensembles of gradient descents from (x0, y0) = (0.5, 0) with normal noise on each entry, K = 2 to 100, step 2/K. \
             Noise is a standard deviation relative to x0 \u{2212} y0, which is sqrt(x0\u{b2} + (K \u{2212} 1) y0\u{b2}) here. A start is global \
             when its loss is below 10\u{207b}\u{b3} and has not risen for ten steps; it is then at w* if the largest entry of every \
             student is that of its own teacher, else at a permutation. It is spurious when its gradient is below 10\u{207b}\u{2075} at \
             a higher loss, and undecided after 10\u{2074} steps or 200 K. Basins of the plane by gradient flow from a grid.",
    expected: Verdict::Open,
    note: "Little noise does no harm at any K; more of it leads to permutations of w* where K is small, and to spurious minima \
           where K is large.",
    measure,
};

/// The start without noise, x0 on the diagonal and zero off it.
const START: f64 = 0.5;
/// Losses below this are global; the smallest loss of a spurious end is among the numbers measured.
const GLOBAL_LOSS: f64 = 1e-3;
/// Confidence of the intervals that a check looks at: about ten of them leave a false alarm of 1e-6.
const SURE: f64 = 1.0 - 1e-7;
/// Fewest starts whose interval can lie above 0.99 at that confidence.
const ENOUGH: u64 = 3000;

/// Levels of noise over the gap, and which of a size's counts of starts holds there: where no start fails, where the first do,
/// where most sizes turn, elsewhere.
const LEVELS: [(f64, usize); 9] =
    [(0.05, 0), (0.1, 1), (0.15, 3), (0.2, 2), (0.3, 3), (0.4, 2), (0.6, 3), (1.0, 3), (2.0, 3)];

/// A number of units with the starts of its levels in the quick and in the full profile.
type Size = (usize, [u64; 4], [u64; 4]);
/// The full profile has 1.18 million starts together.
const SIZES: [Size; 6] = [
    (2, [3000; 4], [50_000; 4]),
    (5, [3000; 4], [50_000; 4]),
    (10, [3000, 3000, 1000, 500], [20_000; 4]),
    (20, [3000, 400, 100, 64], [10_000; 4]),
    (50, [32, 32, 16, 0], [3000, 3000, 400, 400]),
    (100, [8, 8, 0, 0], [3000, 500, 16, 16]),
];

/// Where a start ends.
#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    Teacher,
    Exchanged,
    /// With its loss.
    Spurious(f64),
    Undecided,
}

/// The end of a run of `units` students; the teachers are the unit vectors.
fn classify(end: &RunEnd, units: usize) -> End {
    if !end.status.is_converged() {
        return End::Undecided;
    }
    if end.loss >= GLOBAL_LOSS {
        return End::Spurious(end.loss);
    }
    let mut rows = end.weights.chunks_exact(units).enumerate();
    let own = rows.all(|(j, row)| row.iter().enumerate().all(|(i, w)| i == j || *w < row[j]));
    if own { End::Teacher } else { End::Exchanged }
}

/// The spec of one level: `stop` has the rules that end a run.
fn spec(units: usize, noise: f64, runs: u64, stop: &str) -> String {
    format!(
        "runs = {runs}\nseed = 2\n[problem]\nteacher = \"orthonormal:{units}\"\n[start]\nlaw = \"around_plane\"\nx = {START}\n\
         y = 0.0\nsd = {}\n[dynamics]\nstep = {}\n[stop]\n{stop}",
        noise * START,
        2.0 / units as f64
    )
}

fn stop(units: usize) -> String {
    let steps = (200 * units).max(10_000);
    format!("gradient_norm = 1e-5\nloss = {GLOBAL_LOSS}\nloss_steps = 10\nsteps = {steps}\n")
}

fn ends(bench: &Bench<'_>, units: usize, text: &str) -> Result<Vec<End>, Failure> {
    let plan = Plan::resolve(&Spec::parse("conjecture2-basins", text)?, Level::detect())?;
    let cells = ends_in_memory(&plan, bench.interrupt(), &|end| classify(end, units))?;
    Ok(cells.ok_or(Interrupted)?.swap_remove(0))
}

/// A level of noise with what became of its starts.
struct Cell {
    units: usize,
    noise: f64,
    runs: u64,
    teacher: u64,
    exchanged: u64,
    spurious: u64,
    /// Smallest loss of a spurious end.
    least: f64,
}

impl Cell {
    fn of(units: usize, noise: f64, ends: &[End]) -> Self {
        let count = |wanted: fn(&End) -> bool| ends.iter().filter(|e| wanted(e)).count() as u64;
        let loss = |e: &End| if let End::Spurious(loss) = e { *loss } else { f64::INFINITY };
        Self {
            units,
            noise,
            runs: ends.len() as u64,
            teacher: count(|e| *e == End::Teacher),
            exchanged: count(|e| *e == End::Exchanged),
            spurious: count(|e| matches!(e, End::Spurious(_))),
            least: ends.iter().map(loss).fold(f64::INFINITY, f64::min),
        }
    }

    fn global(&self) -> u64 {
        self.teacher + self.exchanged
    }
}

fn measure(bench: &Bench<'_>) -> Outcome {
    let mut findings = Findings::default();
    let mut cells = Vec::new();
    for (units, quick, full) in SIZES {
        let size = bench.pick(quick, full);
        for (noise, runs) in LEVELS.map(|(noise, which)| (noise, size[which])) {
            if runs > 0 {
                let found = ends(bench, units, &spec(units, noise, runs, &stop(units)))?;
                cells.push(Cell::of(units, noise, &found));
            }
        }
    }
    check(bench, &mut findings, &cells)?;
    findings.table(table(&cells)?);
    findings.figure(
        "conjecture2-success",
        "Share of starts that end at w* (left) and at w* or a permutation of it (right), against the noise; bars are 95 % Wilson \
         intervals, which show how few starts the largest K have in the quick profile.",
        &figure(&cells)?,
    );
    plane_basins::pictures(bench, &mut findings)?;
    Ok(findings)
}

/// Largest rise of a share from one level of noise to the next of the same units, in standard errors.
fn largest_rise(cells: &[Cell]) -> (f64, usize) {
    let next = cells.windows(2).filter(|w| w[0].units == w[1].units);
    let share = |c: &Cell| (c.teacher as f64 / c.runs as f64, c.runs);
    let rises: Vec<f64> = next.map(|w| z_score(share(&w[1]), share(&w[0]))).collect();
    (largest(rises.iter().copied()), rises.len())
}

fn check(bench: &Bench<'_>, findings: &mut Findings, cells: &[Cell]) -> Result<(), Failure> {
    let (mut safe, mut lost, mut few) = (f64::INFINITY, f64::NEG_INFINITY, f64::INFINITY);
    for cell in cells.iter().filter(|c| c.runs >= ENOUGH) {
        let low = |count| wilson_interval(count, cell.runs, SURE).map(|w| w.low);
        if cell.noise <= 0.05 {
            safe = safe.min(low(cell.teacher)?);
        }
        if cell.units <= 5 {
            few = few.min(low(cell.global())?);
        }
    }
    for cell in cells.iter().filter(|c| c.noise >= 2.0) {
        lost = lost.max(wilson_interval(cell.teacher, cell.runs, SURE)?.high);
    }
    let (rise, levels) = largest_rise(cells);
    let whole = |low| Bound::Within { low, high: 1.0 };
    findings.check(
        "noise 0.05: smallest Wilson lower end (confidence 1 \u{2212} 1e-7) of the share at w*, K with 3000 starts or more",
        bench.maths.tainted(safe),
        None,
        whole(0.99),
    );
    findings.check(
        "noise 2: largest Wilson upper end of the share at w*, over K",
        lost,
        None,
        Bound::at_most(0.9),
    );
    findings.check(
        "K = 2, 5: smallest Wilson lower end of the share at w* or a permutation, over the noise",
        bench.maths.tainted(few),
        None,
        whole(0.99),
    );
    findings.check(
        "largest rise of the share at w* with the noise, in standard errors",
        rise,
        None,
        Bound::at_most(bench.sigmas(levels)?),
    );
    findings.check(
        "smallest loss of a spurious end, over the threshold",
        cells.iter().map(|c| c.least).fold(f64::INFINITY, f64::min) / GLOBAL_LOSS,
        None,
        Bound::at_least(2.0),
    );
    findings.number("starts", cells.iter().map(|c| c.runs).sum::<u64>() as f64, None);
    findings.remark(
        "The full profile has 1.18 million starts and takes some 45 minutes of processor time: 45 seconds for the 1.08 million of K \
         = 2, 5 and 10, seven minutes for K = 20, eleven for K = 50 and 24 for K = 100.",
    );
    Ok(())
}

/// `share [low, high]` in per cent.
fn per_cent(count: u64, runs: u64) -> Result<String, Failure> {
    let w = wilson_interval(count, runs, 0.95)?;
    Ok(format!("{:.2} [{:.2}, {:.2}]", 100.0 * w.share, 100.0 * w.low, 100.0 * w.high))
}

fn table(cells: &[Cell]) -> Result<Table, Failure> {
    let head = ["K", "noise", "starts", "w*, %", "w* or a permutation, %", "spurious", "undecided"];
    let mut table = Table::new("Ends of noisy starts, in per cent with 95 % Wilson intervals.", &head);
    for cell in cells {
        table.row(vec![
            cell.units.to_string(),
            significant(cell.noise, 2),
            cell.runs.to_string(),
            per_cent(cell.teacher, cell.runs)?,
            per_cent(cell.global(), cell.runs)?,
            cell.spurious.to_string(),
            (cell.runs - cell.global() - cell.spurious).to_string(),
        ]);
    }
    Ok(table)
}

fn figure(cells: &[Cell]) -> Result<Figure, Failure> {
    Ok(Figure::new("Probability of success over the noise", 2)
        .panel_size(480.0, 340.0)
        .with(panel("at w*", cells, |c| c.teacher)?)
        .with(panel("at w* or a permutation", cells, Cell::global)?))
}

fn panel(title: &str, cells: &[Cell], count: fn(&Cell) -> u64) -> Result<Panel, Failure> {
    let ticks = [(0.05, "0.05"), (0.1, "0.1"), (0.2, "0.2"), (0.5, "0.5"), (1.0, "1"), (2.0, "2")];
    let x = Axis::log("noise / (x0 \u{2212} y0)").range(0.04, 2.5).ticks(&ticks);
    let mut panel = Panel::new(title, x, Axis::linear("share of starts").range(-0.03, 1.03));
    for (i, (units, ..)) in SIZES.into_iter().enumerate() {
        let (mut points, mut bars) = (Vec::new(), Vec::new());
        for cell in cells.iter().filter(|c| c.units == units) {
            let w = wilson_interval(count(cell), cell.runs, 0.95)?;
            // Side by side, so that bars of one level do not cover each other.
            let place = cell.noise * (1.0 + 0.02 * (i as f64 - 2.5));
            points.push((place, w.share));
            bars.push((place, w.low, w.high));
        }
        let colour = Colour::series(i);
        panel.push(Layer::line(points.iter().copied()).colour(colour).width(1.0));
        panel.push(Layer::bars(bars).colour(colour));
        panel.push(Layer::marks(points, Mark::series(i)).colour(colour).label(&format!("K = {units}")));
    }
    Ok(panel)
}

#[cfg(test)]
mod tests {
    use super::super::maths::Maths;
    use super::super::plan::Profile;
    use super::*;
    use std::sync::atomic::AtomicBool;

    #[test]
    fn ending_a_run_by_its_loss_changes_no_end() {
        let flag = AtomicBool::new(false);
        let bench = Bench::new("conjecture2-basins", Profile::Quick, 1, Maths::exact(), &flag);
        for (units, noise) in [(5, 0.6), (10, 0.3), (10, 1.0)] {
            let run = |stop: &str| ends(&bench, units, &spec(units, noise, 64, stop)).unwrap();
            let to_the_end = run("gradient_norm = 1e-10\nsteps = 100000\n");
            let by_loss = run(&stop(units));
            for (a, b) in by_loss.iter().zip(&to_the_end) {
                match (a, b) {
                    (End::Spurious(x), End::Spurious(y)) => assert!((x - y).abs() < 1e-6, "{x} {y}"),
                    _ => assert_eq!(a, b, "K = {units}, noise {noise}"),
                }
            }
            assert!(by_loss.contains(&End::Exchanged), "K = {units}, noise {noise}: {by_loss:?}");
        }
    }

    fn cell(units: usize, noise: f64, (teacher, runs): (u64, u64)) -> Cell {
        Cell { units, noise, runs, teacher, exchanged: 0, spurious: 0, least: 0.1 }
    }

    #[test]
    fn the_checks_notice_a_failure_a_success_that_is_too_good_and_a_wrong_number() {
        let flag = AtomicBool::new(false);
        let agrees = |defect: f64, safe: u64, lost: u64| {
            let maths = if defect > 0.0 { Maths::with_defect(defect) } else { Maths::exact() };
            let bench = Bench::new("conjecture2-basins", Profile::Quick, 1, maths, &flag);
            let mut findings = Findings::default();
            let cells = [cell(5, 0.05, (safe, 3000)), cell(10, 2.0, (lost, 500))];
            check(&bench, &mut findings, &cells).unwrap();
            findings.satisfied()
        };
        assert!(agrees(0.0, 3000, 100));
        assert!(!agrees(0.05, 3000, 100));
        assert!(!agrees(0.0, 2990, 100));
        assert!(!agrees(0.0, 3000, 499));
    }

    #[test]
    fn a_share_that_rises_with_the_noise_is_noticed() {
        let cell = |units, teacher| cell(units, 0.1, (teacher, 1000));
        assert!(largest_rise(&[cell(2, 900), cell(2, 800), cell(5, 1000)]).0 < 0.0);
        assert!(largest_rise(&[cell(2, 800), cell(2, 900), cell(5, 10)]).0 > 5.0);
    }
}
