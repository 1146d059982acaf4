//! Two runs of the paper's algorithm, one to each minimum, and the two phases of training.

use super::claim::{Bench, Bound, Claim, Failure, Findings, Group, Outcome, Table, Verdict};
use super::numbers::{significant, with_uncertainty};
use super::sampling::largest;
use crate::figure::{Axis, Colour, Dash, Figure, Layer, Panel};
use popgrad::{
    Advance, Cnn, CnnLandscape, CnnState, CnnStudent, DescentOptions, GradientDescent, LineFit,
    PhaseCoordinate, PhaseMethod, ReducedCnn, StopRule, fit_line, two_sided_bound,
};
use rayon::prelude::*;
use std::f64::consts::FRAC_PI_2;

/// The two minima as ends of runs.
pub(super) const CURVES: Claim = Claim {
    id: "cnn-curves",
    title: "Convergence to the global and to the spurious minimum",
    group: Group::ConvolutionalTraining,
    statement: "Gradient descent with weight normalisation converges to the teacher from one start and to the spurious minimum from \
                another.",
    source: "Du et al. (2018), figure of the two convergences",
    method: "Gradient descent in v and a, both gradients at the old point, k = 25, p = 8, ratio 4, step 0.1, from one draw of v and a and from \
             the same draw with other signs. The loss, the angle, and near the spurious point the power of 1/t with which the loss \
             approaches that of the point.",
    expected: Verdict::Holds,
    note: "To the teacher the loss falls exponentially. To the spurious point the angle approaches \u{3c0} like 1/t only, and the loss like \
           1/t\u{b3}, because the point is degenerate; on the usual axes that looks like a plateau.",
    measure: curves,
};

/// Patches, their dimension, ratio, step and number of steps of the two runs.
const RUN: (usize, usize, f64, f64, u64) = (25, 8, 4.0, 0.1, 200_000);

/// What is kept of a run: step, loss, angle with its supplement.
struct Mark {
    step: u64,
    loss: f64,
    theta: f64,
    psi: f64,
}

fn curves(bench: &Bench<'_>) -> Outcome {
    let (k, p, ratio, step, last) = RUN;
    let problem = Cnn::with_ratio(k, p, ratio)?;
    let reduced = problem.reduced();
    let (filter, output) = draw(bench, &problem, |state| Ok(reduced.is_sufficient_start(state)?))?;
    let good = run(bench, &problem, (&filter, &output), (step, last))?;
    let negative: Vec<f64> = filter.iter().map(|x| -x).collect();
    let opposite: Vec<f64> = output.iter().map(|x| -x).collect();
    let bad = run(bench, &problem, (&negative, &opposite), (step, last))?;
    let mut findings = Findings::default();
    let (Some(end), Some(lost)) = (good.last(), bad.last()) else { return Err("a run has no steps".into()) };
    findings.check("loss at the end of the run to the teacher", end.loss, None, Bound::at_most(1e-20));
    findings.check("its angle \u{3c6}, in radians", end.theta, None, Bound::at_most(1e-9));
    let point = problem.spurious_point();
    let excess = bench.maths.tainted(lost.loss) / point.loss - 1.0;
    findings.check(
        "excess of the other run's loss over the spurious value",
        excess,
        None,
        Bound::around(0.0, 1e-8),
    );
    findings.check("its angle \u{3c0} \u{2212} \u{3c6}, in radians", lost.psi, None, Bound::at_most(0.01));
    let law = approach(&bad, point.loss, step)?;
    findings.check(
        "exponent of the excess in t, from t = 2000 on",
        law.slope,
        Some(law.slope_error),
        Bound::around(-3.0, 0.1),
    );
    findings.figure(
        "cnn-curves",
        "Gradient descent with weight normalisation, k = 25, p = 8, ratio 4: the same draw with two choices of signs. Left the loss, and \
         dashed how far it is above that of the spurious point; right the angle between the filters.",
        &figure(&good, &bad, point.loss),
    );
    Ok(findings)
}

/// The first draw, `v` uniform on the sphere and `a` in the ball of the theorem, whose state satisfies a condition.
fn draw(
    bench: &Bench<'_>,
    problem: &Cnn,
    good: impl Fn(&CnnState) -> Result<bool, Failure>,
) -> Result<(Vec<f64>, Vec<f64>), Failure> {
    let (k, p) = (problem.patches(), problem.patch_dimension());
    let radius = problem.filter_norm() * problem.output_sum().abs() / (k as f64).sqrt();
    for index in 0..1000 {
        let mut stream = bench.stream(index);
        let mut direction = |n: usize, length: f64| -> Vec<f64> {
            let x: Vec<f64> = (0..n).map(|_| stream.normal()).collect();
            let norm = x.iter().map(|x| x * x).sum::<f64>().sqrt();
            x.iter().map(|x| length * x / norm).collect()
        };
        let (filter, output) = (direction(p, 1.0), direction(k, 0.9 * radius));
        if good(&problem.reduced_state(CnnStudent { filter: &filter, output: &output })?)? {
            return Ok((filter, output));
        }
    }
    Err("none of 1000 draws satisfies the condition".into())
}

/// Follows gradient descent and keeps some thirty marks a decade.
fn run(
    bench: &Bench<'_>,
    problem: &Cnn,
    (filter, output): (&[f64], &[f64]),
    (step, last): (f64, u64),
) -> Result<Vec<Mark>, Failure> {
    let start: Vec<f64> = filter.iter().chain(output).copied().collect();
    let stop = StopRule { steps: Some(last + 1), ..StopRule::default() };
    let options = DescentOptions { step, stop, ..DescentOptions::default() };
    let mut descent = GradientDescent::try_new(CnnLandscape::new(problem), &start, options)?;
    let mut marks: Vec<Mark> = Vec::new();
    let mut now = 0;
    loop {
        let (filter, output) = descent.point().split_at(problem.patch_dimension());
        let student = CnnStudent { filter, output };
        let angle = problem.reduced_state(student)?.angle();
        marks.push(Mark { step: now, loss: problem.loss(student)?, theta: angle.theta, psi: angle.psi });
        if now >= last {
            return Ok(marks);
        }
        bench.pause()?;
        let next = (now + 1 + now / 13).min(last);
        if let Advance::Done(_) = descent.advance(next - now) {
            return Ok(marks);
        }
        now = next;
    }
}

/// The straight line through the logarithms of the loss's excess and of the time.
fn approach(marks: &[Mark], lowest: f64, step: f64) -> Result<LineFit, Failure> {
    let late = marks.iter().filter(|m| m.step as f64 * step >= 2000.0);
    let points: Vec<(f64, f64)> =
        late.map(|m| (libm::log(m.step as f64 * step), libm::log(m.loss - lowest))).collect();
    let (x, y): (Vec<f64>, Vec<f64>) = points.into_iter().unzip();
    Ok(fit_line(&x, &y)?)
}

fn figure(good: &[Mark], bad: &[Mark], lowest: f64) -> Figure {
    let last = RUN.4 as f64;
    let line = |marks: &[Mark], value: &dyn Fn(&Mark) -> f64| {
        let points: Vec<(f64, f64)> =
            marks.iter().filter(|m| m.step > 0).map(|m| (m.step as f64, value(m))).collect();
        Layer::line(points)
    };
    let steps = || Axis::log("step").range(1.0, last);
    let loss = Panel::new("(a) loss", steps(), Axis::log("loss").range(1e-16, 2.0))
        .with(line(good, &|m| m.loss).colour(Colour::Blue).label("to the teacher"))
        .with(line(bad, &|m| m.loss).colour(Colour::Vermilion).label("to the spurious point"))
        .with(
            line(bad, &|m| m.loss - lowest)
                .colour(Colour::Vermilion)
                .dash(Dash::Dashed)
                .label("its excess over the point"),
        );
    let ticks = [(0.0, "0"), (FRAC_PI_2, "\u{3c0}/2"), (2.0 * FRAC_PI_2, "\u{3c0}")];
    let angle = Axis::linear("angle \u{3c6}").range(0.0, 2.0 * FRAC_PI_2).ticks(&ticks);
    let angle = Panel::new("(b) angle between the filters", steps(), angle)
        .with(line(good, &|m| m.theta).colour(Colour::Blue).label("to the teacher"))
        .with(line(bad, &|m| m.theta).colour(Colour::Vermilion).label("to the spurious point"));
    Figure::new("Two runs of the convolutional network", 2).panel_size(370.0, 290.0).with(loss).with(angle)
}

/// The abstract's two phases.
pub(super) const PHASES: Claim = Claim {
    id: "cnn-two-phases",
    title: "A slow first phase and a fast second one",
    group: Group::ConvolutionalTraining,
    statement: "Training has two phases: slow at first, while a\u{b7}a* or cos \u{3c6} is small, then linearly convergent; the first lasts at most \
                of the order of 1/(a\u{2080}\u{b7}a* cos \u{3c6}\u{2080}).",
    source: "Du et al. (2018), abstract and the theorem on the two phases",
    method: "T1 is the first time at which \u{2212}d log J/dt reaches half its final rate. Its exponents in a\u{2080}\u{b7}a* and in cos \u{3c6}\u{2080} are fitted \
             over four decades with 95 % intervals, for the flow and for gradient descent, beside the growth of T1 with log(1/\u{b7}) that the \
             rate of leaving the saddle predicts; the slope of the second phase beside twice the slowest rate at the teacher. Ratio 0 \
             unless it is named.",
    expected: Verdict::Holds,
    note: "The bound of the first phase is an upper bound only: next to the saddle T1 grows like the logarithm of 1/(a\u{2080}\u{b7}a*) and of \
           1/cos \u{3c6}\u{2080}, so that its exponents tend to zero; and for a ratio above zero it stays bounded. The theorem's constants are quoted \
           from memory of the paper.",
    measure: phases,
};

fn phases(bench: &Bench<'_>) -> Outcome {
    let mut findings = Findings::default();
    first_phase(bench, &mut findings)?;
    second_phase(bench, &mut findings)?;
    Ok(findings)
}

const METHODS: [(PhaseMethod, &str); 2] =
    [(PhaseMethod::Flow, "flow"), (PhaseMethod::Descent { step: 0.5 }, "descent, step 0.5")];

fn first_phase(bench: &Bench<'_>, findings: &mut Findings) -> Result<(), Failure> {
    let problem = ReducedCnn::try_new(25, 1.0, 0.0, 1.0)?;
    let points = bench.pick(9, 25);
    let values: Vec<f64> =
        (0..points).map(|i| 1e-3 * libm::pow(10.0, -4.0 * f64::from(i) / f64::from(points - 1))).collect();
    let base = CnnState::at_angle(1.0, FRAC_PI_2, 0.0, 0.0);
    let rate = problem.saddle_rate(1.0).ok_or("there is no saddle")?;
    let z = two_sided_bound(0.05)?;
    let mut table = Table::new(
        "First phase of starts with one of a\u{2080}\u{b7}a* and cos \u{3c6}\u{2080} between 10\u{207b}\u{2077} and 10\u{207b}\u{b3}, the other zero; k = 25, \
         ratio 0, |v| = 1; intervals of 95 %.",
        &["varied", "method", "exponent of T1", "growth of T1 with log(1/\u{b7})", "predicted"],
    );
    let mut layers: Vec<Layer> = Vec::new();
    let mut longest = 0.0_f64;
    let (mut steepest, mut off) = (0.0_f64, 0.0_f64);
    for (i, (coordinate, name)) in
        [(PhaseCoordinate::Overlap, "a\u{2080}\u{b7}a*"), (PhaseCoordinate::Cosine, "cos \u{3c6}\u{2080}")]
            .into_iter()
            .enumerate()
    {
        for (j, (method, how)) in METHODS.into_iter().enumerate() {
            bench.pause()?;
            let scan = problem.scan_first_phase(&base, coordinate, &values, (method, 1e4))?;
            let predicted = match method {
                PhaseMethod::Descent { step } => step / libm::log1p(step * rate),
                _ => 1.0 / rate,
            };
            let (exponent, line) = (&scan.exponent, &scan.logarithmic);
            steepest = steepest.min(exponent.slope - z * exponent.slope_error);
            off = largest([off, (bench.maths.tainted(line.slope) / predicted - 1.0).abs()]);
            table.row(vec![
                name.to_owned(),
                how.to_owned(),
                with_uncertainty(exponent.slope, Some(z * exponent.slope_error), 4),
                with_uncertainty(line.slope, Some(z * line.slope_error), 4),
                significant(predicted, 5),
            ]);
            let points: Vec<(f64, f64)> =
                scan.values.iter().copied().zip(scan.first_phase.iter().copied()).collect();
            let dash = if j == 0 { Dash::Solid } else { Dash::Dashed };
            let label = format!("{name}, {how}");
            longest = largest(scan.first_phase.iter().copied().chain([longest]));
            layers.push(Layer::line(points).colour(Colour::series(i)).dash(dash).label(&label));
        }
    }
    findings.check(
        "lowest end of an exponent's interval: T1 grows no faster than the bound",
        steepest,
        None,
        Bound::at_least(-1.0),
    );
    findings.check(
        "growth of T1 with the logarithm, relative to the prediction",
        off,
        None,
        Bound::at_most(0.01),
    );
    findings.table(table);
    let axis = Axis::log("a\u{2080}\u{b7}a* or cos \u{3c6}\u{2080} at the start").range(1e-7, 1e-3);
    let mut panel = Panel::new("First phase", axis, Axis::linear("T1").range(0.0, 1.08 * longest));
    layers.into_iter().for_each(|layer| panel.push(layer));
    findings.figure(
        "cnn-first-phase",
        "The length of the first phase over a\u{2080}\u{b7}a* and over cos \u{3c6}\u{2080}, the other being zero: straight on a logarithmic axis.",
        &Figure::new("Length of the first phase", 1).panel_size(480.0, 300.0).with(panel),
    );
    Ok(())
}

/// Patches, ratio and length of the filter: the slowest mode is the angle or the output weights.
const SLOPES: [(usize, f64, f64); 6] =
    [(9, 1.0, 1.0), (9, 1.0, 2.0), (25, 4.0, 1.0), (25, 0.0, 1.3), (49, 9.0, 1.0), (4, 4.0, 1.5)];

fn second_phase(bench: &Bench<'_>, findings: &mut Findings) -> Result<(), Failure> {
    let mut table = Table::new(
        "Slope of \u{2212}log J in the second phase.",
        &["k", "ratio", "|v|", "method", "measured", "theory"],
    );
    let cases: Vec<_> = SLOPES.into_iter().flat_map(|case| METHODS.map(|method| (case, method))).collect();
    let rows: Result<Vec<_>, Failure> = cases
        .into_par_iter()
        .map(|((k, ratio, norm), (method, how))| {
            bench.pause()?;
            let problem = ReducedCnn::try_new(k, 1.0, libm::sqrt(ratio), 1.0)?;
            // Half of the teacher's mean, and of the rest of a* (none where the ratio is k) a tenth.
            let sum = 0.5 * problem.output_sum();
            let share = ratio / k as f64;
            let start = CnnState::at_angle(norm, 1.2, 0.5 * share + 0.1 * (1.0 - share), sum);
            // A step within the limit of the output weights.
            let method = match method {
                PhaseMethod::Descent { .. } => {
                    PhaseMethod::Descent { step: 0.2 * problem.step_limits(norm)[0].min(1.0) }
                }
                flow => flow,
            };
            let phases = problem.two_phases(&start, method, 1e5)?;
            let measured = bench.maths.tainted(-phases.tail.slope);
            let how = if let PhaseMethod::Descent { step } = method {
                format!("descent, step {}", significant(step, 2))
            } else {
                how.to_owned()
            };
            let cells = vec![
                k.to_string(),
                ratio.to_string(),
                norm.to_string(),
                how,
                significant(measured, 5),
                significant(phases.final_rate, 5),
            ];
            Ok((cells, (measured / phases.final_rate - 1.0).abs()))
        })
        .collect();
    let mut off = 0.0_f64;
    for (cells, difference) in rows? {
        off = largest([off, difference]);
        table.row(cells);
    }
    findings.check(
        "second phase: largest relative difference of a slope from theory",
        off,
        None,
        Bound::at_most(0.02),
    );
    findings.table(table);
    Ok(())
}
