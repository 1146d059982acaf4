//! Fig. 9: starts with noise, and top weights of several laws.

use super::claim::{Bench, Bound, Claim, Findings, Group, Outcome, Table, Verdict};
use super::numbers::significant;
use super::sampling::largest;
use crate::figure::{Axis, Colour, Dash, Figure, Layer, Panel};
use popgrad::{
    Advance, DescentOptions, GradientDescent, Landscape, Matrix, MatrixView, RandomStream, RecordPlan,
    Status, StopRule, Trained, TwoLayer, TwoLayerLandscape, wilson_interval,
};
use rayon::prelude::*;
use std::ops::Range;

/// What can go wrong while a claim is measured.
type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Students, teachers, and input dimension; the paper states neither.
const UNITS: usize = 5;
const INPUTS: usize = 10;
/// Step of gradient descent per sample times the mean square of the top weights; the paper states none.
const STEP: f64 = 0.2;
/// Time at which a run that has not converged is given up, times the mean square of the top weights.
const TIME: f64 = 2400.0;
/// A run has converged once its loss is below this share of the loss at the start.
const CONVERGED: f64 = 1e-6;

/// Where the paper leaves the experiment open.
const NOTE: &str = "The paper states neither d nor K nor the step, and its public script has d = 100, K = 50 and other noise; \
                    here d = 10, K = 5, orthonormal teachers, and the step 0.2 over the mean square of the top weights (trained ones: at most 0.2). For \
                    larger K a share of such runs ends in spurious minima.";

/// The top row.
pub(super) const NOISE: Claim = Claim {
    id: "fig9-noise",
    title: "Noise at the start does not prevent convergence",
    group: Group::Noise,
    statement: "From w = 10\u{207b}\u{b3} w* + 10\u{207b}\u{b3} noise, with noise 0.5 to 2.0, the runs converge to the teacher up to a \
                permutation.",
    source: "Section 7.2, Fig. 9, top row",
    method: "Four noise levels, eight runs each, with the noise read as standard deviation and as variance, and the top weights \
             (all 1) fixed and trained: runs whose loss falls below 1e-6 of its start.",
    expected: Verdict::Holds,
    note: NOTE,
    measure: noise,
};

/// The bottom row, positive top weights.
pub(super) const POSITIVE: Claim = Claim {
    id: "fig9-positive-weights",
    title: "Positive top weights: the runs converge",
    group: Group::Noise,
    statement: "With top weights uniform in [1, 2], [0.1, 1.1] or [0.01, 0.11] and noise 0.5 the runs converge as well.",
    source: "Section 7.2, Fig. 9, bottom row",
    method: "Three laws, eight runs each, both readings of the noise, top weights fixed at the teacher's and trained from there: \
             runs whose loss falls below 1e-6 of its start.",
    expected: Verdict::Holds,
    note: NOTE,
    measure: positive,
};

/// The bottom row, mixed signs.
pub(super) const MIXED: Claim = Claim {
    id: "fig9-mixed-signs",
    title: "Top weights of both signs: fewer runs converge in time",
    group: Group::Noise,
    statement: "With top weights drawn from N(0, 1), of both signs, convergence is worse than with positive ones.",
    source: "Section 7.2, Fig. 9, bottom row, last panel",
    method: "Many runs with N(0, 1) beside as many with [1, 2]: the share converged within a given time, with Wilson intervals; \
             of the rest, those whose loss still falls (slow) and those at rest above zero (stuck).",
    expected: Verdict::Holds,
    note: NOTE,
    measure: mixed,
};

/// A law of the top weights.
#[derive(Clone, Copy, Debug, PartialEq)]
enum TopWeights {
    Ones,
    Uniform(f64, f64),
    Normal,
}

impl TopWeights {
    fn draw(self, stream: &mut RandomStream) -> f64 {
        match self {
            Self::Ones => 1.0,
            Self::Uniform(low, high) => low + (high - low) * stream.uniform(),
            Self::Normal => stream.normal(),
        }
    }

    fn name(self) -> String {
        match self {
            Self::Ones => "top weights 1".to_owned(),
            Self::Uniform(low, high) => format!("top weights in [{low}, {high}]"),
            Self::Normal => "top weights N(0, 1)".to_owned(),
        }
    }
}

/// How the paper's noise level is read.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Reading {
    Deviation,
    Variance,
}

/// One kind of run.
#[derive(Clone, Copy, Debug)]
struct Setting {
    units: usize,
    inputs: usize,
    noise: f64,
    reading: Reading,
    top: TopWeights,
    trained: Trained,
}

impl Setting {
    fn new(noise: f64, top: TopWeights) -> Self {
        Self {
            units: UNITS,
            inputs: INPUTS,
            noise,
            reading: Reading::Deviation,
            top,
            trained: Trained::Weights,
        }
    }
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Converged,
    /// The loss still falls.
    Slow,
    /// At rest above zero.
    Stuck,
}

struct Run {
    fate: Fate,
    /// Loss over the loss at the start, for the first 100 steps.
    curve: Vec<(f64, f64)>,
}

/// The two-layer landscape through the mathematics under test.
struct Bent<'a, 'p> {
    bench: &'a Bench<'a>,
    inner: TwoLayerLandscape<'p>,
}

impl Landscape for Bent<'_, '_> {
    fn dimension(&self) -> usize {
        self.inner.dimension()
    }
    fn gradient(&mut self, point: &[f64], out: &mut [f64]) {
        self.inner.gradient(point, out);
        self.bench.maths.bend(out, point);
    }
    fn loss(&mut self, point: &[f64]) -> f64 {
        self.bench.maths.tainted(self.inner.loss(point))
    }
    fn students(&self) -> Vec<Range<usize>> {
        self.inner.students()
    }
}

fn run(bench: &Bench<'_>, setting: Setting, index: u64) -> Result<Run, Failure> {
    bench.pause()?;
    let mut stream = bench.stream(index);
    let (k, d) = (setting.units, setting.inputs);
    let teacher = Matrix::identity(k, d);
    let top: Vec<f64> = (0..k).map(|_| setting.top.draw(&mut stream)).collect();
    let square = top.iter().map(|a| a * a).sum::<f64>() / k as f64;
    let spread = match setting.reading {
        Reading::Deviation => setting.noise,
        Reading::Variance => setting.noise.sqrt(),
    };
    let mut w = Matrix::zeros(k, d);
    for (w, v) in w.as_mut_slice().iter_mut().zip(teacher.as_slice()) {
        *w = 1e-3 * (v + spread * stream.normal());
    }
    let problem = TwoLayer::try_new(teacher)?.with_teacher_output(top.clone())?;
    let inner = TwoLayerLandscape::new(&problem, k).with_output(top)?.with_trained(setting.trained);
    let start = inner.state(MatrixView::try_new(k, d, w.as_slice())?)?;
    let mut bent = Bent { bench, inner };
    let unit = bent.loss(&start);
    // Trained top weights grow from small ones until they balance the rows, so that their step is that for ones.
    let (step, factor) = match setting.trained {
        Trained::Weights => (STEP / square, 1.0),
        _ => (STEP / square.max(1.0), 4.0),
    };
    let options = |steps, first: bool| DescentOptions {
        step,
        stop: StopRule {
            loss: if first { None } else { Some(CONVERGED * unit) },
            gradient_norm: if first { None } else { Some(1e-8 * square) },
            steps: Some(steps),
            ..StopRule::default()
        },
        record: if first { RecordPlan::every(2) } else { RecordPlan::default() },
        ..DescentOptions::default()
    };
    let mut head = GradientDescent::try_new(&mut bent, &start, options(100, true))?;
    while let Advance::Running(_) = head.advance(100) {}
    let curve = head.take_rows().iter().map(|r| (r.step as f64, r.loss / unit)).collect();
    let middle = head.point().to_vec();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of steps")]
    let steps = (0.5 * factor * TIME / STEP) as u64;
    let half = GradientDescent::try_new(&mut bent, &middle, options(steps, false))?.run();
    let end = if half.status == Status::StepLimit {
        GradientDescent::try_new(&mut bent, &half.point, options(steps, false))?.run()
    } else {
        half.clone()
    };
    let fate = if end.loss <= CONVERGED * unit {
        Fate::Converged
    } else if end.loss < 0.98 * half.loss {
        Fate::Slow
    } else {
        Fate::Stuck
    };
    Ok(Run { fate, curve })
}

fn runs(bench: &Bench<'_>, setting: Setting, first: u64, count: u64) -> Result<Vec<Run>, Failure> {
    (0..count).into_par_iter().map(|i| run(bench, setting, first + i)).collect()
}

fn count(runs: &[Run], fate: Fate) -> u64 {
    runs.iter().filter(|r| r.fate == fate).count() as u64
}

const READINGS: [(Reading, &str); 2] =
    [(Reading::Deviation, "standard deviation"), (Reading::Variance, "variance")];
const TRAININGS: [(Trained, &str); 2] = [(Trained::Weights, "fixed"), (Trained::WeightsAndOutput, "trained")];

/// All readings and trainings of some panels: panels for each reading, and the converged runs of each combination.
fn panels(
    bench: &Bench<'_>,
    settings: &[(Setting, String)],
    findings: &mut Findings,
    bounded: bool,
) -> Result<[Vec<Panel>; 2], Failure> {
    let mut out = [Vec::new(), Vec::new()];
    let mut hits = [[0_u64; 2]; 2];
    for (p, (setting, title)) in settings.iter().enumerate() {
        for (r, (reading, _)) in READINGS.into_iter().enumerate() {
            let axis = Axis::linear("steps").range(0.0, 100.0);
            let mut panel = Panel::new(title, axis, Axis::log("J/J(0)").range(2e-4, 2.0));
            for (t, (trained, name)) in TRAININGS.into_iter().enumerate() {
                let setting = Setting { reading, trained, ..*setting };
                // Fixed and trained start from the same draws.
                let runs = runs(bench, setting, (p * 2 + r) as u64 * 1000, 8)?;
                hits[r][t] += count(&runs, Fate::Converged);
                let (colour, dash) = [(Colour::Blue, Dash::Solid), (Colour::Vermilion, Dash::Dashed)][t];
                for (i, run) in runs.iter().enumerate() {
                    let line = Layer::line(run.curve.iter().copied()).colour(colour).dash(dash).width(1.0);
                    panel.push(if i == 0 { line.label(name) } else { line });
                }
            }
            out[r].push(panel);
        }
    }
    let all = 8 * settings.len() as u64;
    for (r, (_, reading)) in READINGS.iter().enumerate() {
        for (t, (_, training)) in TRAININGS.iter().enumerate() {
            let name =
                format!("noise read as {reading}, top weights {training}: runs of {all} that converge");
            if bounded {
                findings.check(&name, hits[r][t] as f64, None, Bound::exactly(all as f64));
            } else {
                findings.number(&name, hits[r][t] as f64, None);
            }
        }
    }
    Ok(out)
}

fn draw(findings: &mut Findings, name: &str, what: &str, panels: [Vec<Panel>; 2]) {
    for (panels, (reading, text)) in panels.into_iter().zip(READINGS) {
        let columns = panels.len();
        let figure =
            Figure::new(&format!("{what}, noise read as {text}"), columns.min(4)).panel_size(232.0, 232.0);
        let suffix = if reading == Reading::Deviation { "deviation" } else { "variance" };
        let caption = format!(
            "{what}, redrawn with the noise read as {text}: loss over its start, eight runs a panel, d = {INPUTS}, K = {UNITS}, \
             top weights fixed (lines) and trained (dashed)."
        );
        findings.figure(
            &format!("{name}-{suffix}"),
            &caption,
            &panels.into_iter().fold(figure, Figure::with),
        );
    }
}

fn noise(bench: &Bench<'_>) -> Outcome {
    let mut findings = Findings::default();
    let settings: Vec<(Setting, String)> =
        [0.5, 1.0, 1.5, 2.0].map(|n| (Setting::new(n, TopWeights::Ones), format!("noise {n}"))).to_vec();
    let panels = panels(bench, &settings, &mut findings, true)?;
    draw(&mut findings, "fig9-top", "Fig. 9, top row", panels);
    let mut table = Table::new(
        "More units, noise 0.5 as standard deviation, d = 2K, top weights 1: how runs end.",
        &["K", "runs", "converged", "slow", "stuck", "share converged, 95 % Wilson interval"],
    );
    let many = bench.pick(48, 1000);
    for (i, units) in [5_usize, 8, 10, 14].into_iter().enumerate() {
        let setting = Setting { units, inputs: 2 * units, ..Setting::new(0.5, TopWeights::Ones) };
        let runs = runs(bench, setting, 1_000_000 * (i as u64 + 1), many)?;
        table.row(row(&units.to_string(), &runs)?);
    }
    findings.table(table);
    Ok(findings)
}

fn row(name: &str, runs: &[Run]) -> Result<Vec<String>, Failure> {
    let hits = count(runs, Fate::Converged);
    let interval = wilson_interval(hits, runs.len() as u64, 0.95)?;
    Ok(vec![
        name.to_owned(),
        runs.len().to_string(),
        hits.to_string(),
        count(runs, Fate::Slow).to_string(),
        count(runs, Fate::Stuck).to_string(),
        format!(
            "{} ({} to {})",
            significant(interval.share, 3),
            significant(interval.low, 3),
            significant(interval.high, 3)
        ),
    ])
}

fn laws() -> [TopWeights; 3] {
    [TopWeights::Uniform(1.0, 2.0), TopWeights::Uniform(0.1, 1.1), TopWeights::Uniform(0.01, 0.11)]
}

fn positive(bench: &Bench<'_>) -> Outcome {
    let mut findings = Findings::default();
    let settings: Vec<(Setting, String)> = laws().map(|l| (Setting::new(0.5, l), l.name())).to_vec();
    let panels = panels(bench, &settings, &mut findings, true)?;
    draw(&mut findings, "fig9-bottom", "Fig. 9, bottom row, positive top weights", panels);
    Ok(findings)
}

fn mixed(bench: &Bench<'_>) -> Outcome {
    let mut findings = Findings::default();
    let setting = Setting::new(0.5, TopWeights::Normal);
    let panels = panels(bench, &[(setting, setting.top.name())], &mut findings, false)?;
    draw(&mut findings, "fig9-mixed", "Fig. 9, bottom row, last panel", panels);
    let many = bench.pick(200, 2000);
    let mut table = Table::new(
        "How runs end within the time 2400 over the mean square of the top weights; noise 0.5 as standard deviation.",
        &["top weights", "runs", "converged", "slow", "stuck", "share converged, 95 % Wilson interval"],
    );
    let mut ends = Vec::new();
    for (t, (trained, name)) in TRAININGS.into_iter().enumerate() {
        for (l, top) in [TopWeights::Uniform(1.0, 2.0), TopWeights::Normal].into_iter().enumerate() {
            let setting = Setting { trained, ..Setting::new(0.5, top) };
            let runs = runs(bench, setting, 100_000 * (1 + 2 * t + l) as u64, many)?;
            table.row(row(&format!("{}, {name}", top.name()), &runs)?);
            ends.push(runs);
        }
    }
    for (pair, (_, name)) in ends.chunks(2).zip(TRAININGS) {
        let shares = [&pair[0], &pair[1]].map(|runs| count(runs, Fate::Converged) as f64 / many as f64);
        let mean = 0.5 * (shares[0] + shares[1]);
        let error = (2.0 * mean * (1.0 - mean) / many as f64).sqrt();
        findings.number(&format!("top weights {name}, [1, 2]: share converged"), shares[0], None);
        findings.number(&format!("top weights {name}, N(0, 1): share converged"), shares[1], None);
        findings.check(
            &format!("top weights {name}: difference of the two shares, in standard errors of equal shares"),
            (shares[0] - shares[1]) / error,
            None,
            Bound::at_least(bench.sigmas(2)?),
        );
    }
    let stuck = largest(ends.iter().map(|r| count(r, Fate::Stuck) as f64));
    findings.number("most runs stuck, of any row of the table", stuck, None);
    findings.remark(
        "A unit whose top weight is small moves at the rate of its square, which makes most of the runs that have not converged \
         slow rather than stuck.",
    );
    findings.table(table);
    Ok(findings)
}
