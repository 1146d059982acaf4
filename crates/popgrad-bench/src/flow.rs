//! W3: the gradient flow to a gradient norm of 1e-8, with the peers' start and tolerances.

use crate::arrays::Arrays;
use crate::clock::time;
use crate::report;
use popgrad::{
    AbsoluteTolerance, Evaluator, FlowOptions, GradientFlow, Landscape, MatrixView, Outcome, Status,
    StopRule, Student, TwoLayer,
};
use std::ops::Range;

const RTOL: f64 = 1e-8;
const ATOL: f64 = 1e-10;
/// The end state may differ from a reference of far smaller tolerances by this many times [`RTOL`].
const AGREEMENT: f64 = 10.0;

/// The hidden weights of `k` students, output weights fixed at one.
struct Weights<'p> {
    evaluator: Evaluator<'p>,
    problem: &'p TwoLayer,
    k: usize,
}

impl<'p> Weights<'p> {
    fn new(problem: &'p TwoLayer, k: usize) -> Self {
        // As `TwoLayerLandscape`: pairs only where the field is far below every tolerance.
        Self { evaluator: Evaluator::new(problem, k).with_pairs_below(1e-9), problem, k }
    }
}

impl Landscape for Weights<'_> {
    fn dimension(&self) -> usize {
        self.k * self.problem.input_dimension()
    }

    fn gradient(&mut self, point: &[f64], out: &mut [f64]) {
        let view = MatrixView::try_new(self.k, self.problem.input_dimension(), point);
        let done = view.is_ok_and(|v| self.evaluator.gradient_into(Student::new(v), out).is_ok());
        if !done {
            out.fill(f64::NAN);
        }
    }

    fn loss(&mut self, _point: &[f64]) -> f64 {
        0.0 // not asked for by the stop rule of this workload
    }

    fn students(&self) -> Vec<Range<usize>> {
        let d = self.problem.input_dimension();
        (0..self.k).map(|j| j * d..(j + 1) * d).collect()
    }
}

/// One flow; the end state is compared with a reference run to the same time.
pub(crate) fn run(arrays: &Arrays, k: usize) -> Result<(), String> {
    let start = arrays.matrix(&format!("w3_{k}_w"))?;
    let problem = TwoLayer::try_new(arrays.matrix(&format!("w3_{k}_v"))?).map_err(|e| e.to_string())?;
    let flow = |rtol: f64, atol: f64, stop: StopRule| -> Result<Outcome, String> {
        let options =
            FlowOptions { rtol, atol: AbsoluteTolerance::Fixed(atol), stop, ..FlowOptions::default() };
        let run = GradientFlow::try_new(Weights::new(&problem, k), start.as_slice(), options);
        run.map(GradientFlow::run).map_err(|e| e.to_string())
    };
    let to_norm = StopRule { gradient_norm: Some(1e-8), ..StopRule::default() };
    let end = flow(RTOL, ATOL, to_norm)?;
    if end.status != Status::Converged {
        return Err(format!("the flow ended as {}", end.status.name()));
    }
    let reference = flow(1e-13, 1e-15, StopRule { time: Some(end.time), ..StopRule::default() })?;
    let pairs = end.point.iter().zip(&reference.point);
    let error = pairs.fold(0.0_f64, |m, (a, b)| m.max((a - b).abs())) / RTOL;
    if error > AGREEMENT {
        return Err(format!("the end state is {error:.1} rtol from the reference"));
    }
    let timing = time(|| flow(RTOL, ATOL, to_norm).map(|o| o.steps));
    let steps = (end.steps + end.rejected) as f64;
    let more = [("accepted_and_rejected", steps), ("t", end.time), ("end_error_in_rtol", error)];
    report("flow", "GradientFlow::run", &k.to_string(), timing, &more);
    Ok(())
}
