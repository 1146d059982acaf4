//! Runs of an ensemble against the single machines of the same dynamics.

use popgrad::{
    AbsoluteTolerance, DescentOptions, EnsembleDynamics, EnsembleStop, FlowOptions, GradientDescent,
    GradientFlow, Level, Matrix, RandomStream, RunStatus, StartLaw, Status, StopRule, Trained, TwoLayer,
    TwoLayerEnsemble, TwoLayerLandscape, XyEnsemble, XyPlane, XyStart,
};

const STEPS: u64 = 300;

fn random(rows: usize, d: usize) -> Matrix {
    let mut m = Matrix::zeros(rows, d);
    RandomStream::new(41, (rows * d) as u64).fill_normal(m.as_mut_slice());
    m
}

/// A step's rounding is at most a few `EPSILON` of the lengths of all units, and the flow multiplies errors by no more
/// than this over the runs below.
fn tolerance(units: usize) -> f64 {
    64.0 * f64::EPSILON * units as f64 * STEPS as f64
}

#[test]
fn descent_agrees_with_single_runs() {
    for (teacher, k, trained, output) in [
        (Matrix::identity(6, 6), 6, Trained::Weights, vec![]),
        (Matrix::identity(3, 50), 4, Trained::Weights, vec![]),
        (random(3, 4), 5, Trained::Weights, vec![1.0, -0.7, 0.5, 1.5, 1.0]),
        (random(4, 20), 3, Trained::Weights, vec![]),
        (random(2, 3), 3, Trained::WeightsAndOutput, vec![0.5, 1.0, -0.5]),
    ] {
        let (m, d) = (teacher.rows(), teacher.cols());
        let problem = TwoLayer::try_new(teacher).unwrap();
        let step = 0.05;
        let ensemble = TwoLayerEnsemble::try_new(problem.clone(), k)
            .unwrap()
            .with_output(output.clone())
            .with_trained(trained)
            .with_dynamics(EnsembleDynamics::descent(step))
            .with_stop(EnsembleStop { steps: STEPS, ..EnsembleStop::default() });
        for end in ensemble.runs(0..9, Level::detect()).unwrap().finish() {
            let mut landscape = TwoLayerLandscape::new(&problem, k).with_trained(trained);
            if !output.is_empty() {
                landscape = landscape.with_output(output.clone()).unwrap();
            }
            let start = landscape.state(ensemble.start(end.run).unwrap().view()).unwrap();
            let stop = StopRule { steps: Some(STEPS), ..StopRule::default() };
            let options = DescentOptions { step, stop, ..DescentOptions::default() };
            let want = GradientDescent::try_new(landscape, &start, options).unwrap().run();
            assert_eq!((end.status, want.status), (RunStatus::StepLimit, Status::StepLimit));
            assert_eq!((end.steps, end.time), (STEPS, want.time));
            let got = end.weights.iter().chain(&end.output);
            let worst = got.zip(&want.point).map(|(x, y)| (x - y).abs()).fold(0.0, f64::max);
            assert!(worst <= tolerance(m + k), "K = {k}, d = {d}, run {}: {worst:e}", end.run);
            assert!((end.loss - want.loss).abs() <= tolerance(m + k), "{} and {}", end.loss, want.loss);
            assert!((end.gradient_norm - want.gradient_norm).abs() <= tolerance(m + k));
        }
    }
}

#[test]
fn the_plane_agrees_with_single_runs() {
    for units in [2, 3, 5, 40] {
        let plane = XyPlane::try_new(units).unwrap();
        let step = 0.5 / units as f64;
        let ensemble = XyEnsemble::new(plane)
            .with_start(XyStart::Uniform { x: [-1.0, 1.0], y: [-1.0, 1.0] })
            .with_dynamics(EnsembleDynamics::descent(step))
            .with_stop(EnsembleStop { steps: STEPS, ..EnsembleStop::default() });
        for end in ensemble.runs(0..40, Level::detect()).unwrap().finish() {
            let stop = StopRule { steps: Some(STEPS), ..StopRule::default() };
            let options = DescentOptions { step, stop, ..DescentOptions::default() };
            let want =
                GradientDescent::try_new(plane, &ensemble.start(end.run).unwrap(), options).unwrap().run();
            assert_eq!(end.steps, want.steps);
            for (x, y) in end.weights.iter().zip(&want.point) {
                assert!((x - y).abs() <= tolerance(units), "K = {units}, run {}: {x} and {y}", end.run);
            }
            let g = plane.field(want.point[0], want.point[1]).unwrap();
            let k = units as f64;
            let norm = (k * (g[0] * g[0] + (k - 1.0) * g[1] * g[1])).sqrt();
            assert!((end.gradient_norm - norm).abs() <= tolerance(units), "{} and {norm}", end.gradient_norm);
        }
    }
}

#[test]
fn the_plane_is_the_full_network_restricted() {
    let units = 4;
    let (step, start) = (0.1, [0.7, 0.2]);
    let stop = EnsembleStop { steps: STEPS, ..EnsembleStop::default() };
    let dynamics = EnsembleDynamics::descent(step);
    let plane = XyEnsemble::new(XyPlane::try_new(units).unwrap())
        .with_start(XyStart::Given { starts: vec![start] })
        .with_dynamics(dynamics)
        .with_stop(stop);
    let centre = XyPlane::try_new(units).unwrap().embed(start[0], start[1]);
    let full = TwoLayerEnsemble::try_new(TwoLayer::try_new(Matrix::identity(units, units)).unwrap(), units)
        .unwrap()
        .with_start([centre.view()].into_iter().collect::<StartLaw>())
        .with_dynamics(dynamics)
        .with_stop(stop);
    let plane = &plane.runs(0..1, Level::detect()).unwrap().finish()[0];
    let full = &full.runs(0..1, Level::detect()).unwrap().finish()[0];
    assert!((plane.weights[0] - full.weights[0]).abs() <= tolerance(units));
    assert!((plane.weights[1] - full.weights[1]).abs() <= tolerance(units));
    assert!((plane.loss - full.loss).abs() <= tolerance(units));
    assert!((plane.gradient_norm - full.gradient_norm).abs() <= tolerance(units));
}

#[test]
fn the_flow_agrees_with_single_runs() {
    for (teacher, k, trained, atol) in [
        (Matrix::identity(6, 6), 6, Trained::Weights, AbsoluteTolerance::OfSmallestStudent(1e-10)),
        (random(3, 30), 2, Trained::Weights, AbsoluteTolerance::Fixed(1e-9)),
        (random(2, 3), 3, Trained::WeightsAndOutput, AbsoluteTolerance::OfSmallestStudent(1e-10)),
    ] {
        let (m, d) = (teacher.rows(), teacher.cols());
        let problem = TwoLayer::try_new(teacher).unwrap();
        let (rtol, time) = (1e-8, 6.0);
        let ensemble = TwoLayerEnsemble::try_new(problem.clone(), k)
            .unwrap()
            .with_trained(trained)
            .with_dynamics(EnsembleDynamics::Flow { rtol, atol })
            .with_stop(EnsembleStop { time: Some(time), ..EnsembleStop::default() });
        for end in ensemble.runs(0..11, Level::detect()).unwrap().finish() {
            let landscape = TwoLayerLandscape::new(&problem, k).with_trained(trained);
            let start = landscape.state(ensemble.start(end.run).unwrap().view()).unwrap();
            let stop = StopRule { time: Some(time), ..StopRule::default() };
            let options = FlowOptions { rtol, atol, stop, ..FlowOptions::default() };
            let want = GradientFlow::try_new(landscape, &start, options).unwrap().run();
            assert_eq!((end.status, want.status), (RunStatus::TimeLimit, Status::TimeLimit));
            assert!(end.time == want.time && end.steps.abs_diff(want.steps) <= 2, "run {}", end.run);
            // Two runs of one integrator that differ by rounding are far closer than their tolerance. In a basis of the
            // units the mean over the components is another one, and so are the steps.
            let reduced = d > k + m;
            let allowed = if reduced { rtol } else { 1e-3 * rtol };
            let worst = end.weights.iter().chain(&end.output).zip(&want.point).map(|(x, y)| (x - y).abs());
            let worst = worst.fold(0.0, f64::max);
            assert!(worst <= allowed, "K = {k}, run {}: {worst:e}", end.run);
        }
    }
}

#[test]
fn the_flow_stops_where_the_gradient_norm_meets_its_bound() {
    let problem = TwoLayer::try_new(Matrix::identity(5, 5)).unwrap();
    let bound = 1e-7;
    let ensemble = TwoLayerEnsemble::try_new(problem.clone(), 5)
        .unwrap()
        .with_dynamics(EnsembleDynamics::flow())
        .with_stop(EnsembleStop { gradient_norm: Some(bound), ..EnsembleStop::default() });
    for end in ensemble.runs(0..10, Level::detect()).unwrap().finish() {
        let landscape = TwoLayerLandscape::new(&problem, 5);
        let start = landscape.state(ensemble.start(end.run).unwrap().view()).unwrap();
        let stop = StopRule { gradient_norm: Some(bound), ..StopRule::default() };
        let options = FlowOptions { stop, ..FlowOptions::default() };
        let want = GradientFlow::try_new(landscape, &start, options).unwrap().run();
        assert_eq!((end.status, want.status), (RunStatus::Converged, Status::Converged));
        assert!(end.gradient_norm <= bound && end.gradient_norm > 0.999 * bound, "{}", end.gradient_norm);
        // Where stability limits the step, rounding decides which step is rejected: the times differ a little.
        assert!((end.time - want.time).abs() <= 1e-4 * want.time, "{} and {}", end.time, want.time);
    }
}

#[test]
fn a_student_that_the_flow_takes_to_zero_ends_its_run_there() {
    // A student opposite to a lone teacher, beside a helper: it shrinks to zero in finite time under the flow.
    let problem = TwoLayer::try_new(Matrix::from_rows(&[[1.0, 0.0]])).unwrap();
    let start = Matrix::from_rows(&[[1.4, 0.0], [0.1, 0.0]]);
    let ensemble = TwoLayerEnsemble::try_new(problem.clone(), 2)
        .unwrap()
        .with_start([start.view()].into_iter().collect::<StartLaw>())
        .with_dynamics(EnsembleDynamics::flow());
    let end = &ensemble.runs(0..1, Level::detect()).unwrap().finish()[0];
    let landscape = TwoLayerLandscape::new(&problem, 2);
    let point = landscape.state(start.view()).unwrap();
    let want = GradientFlow::try_new(landscape, &point, FlowOptions::default()).unwrap().run();
    assert_eq!((end.status, want.status), (RunStatus::ZeroStudent, Status::ZeroStudent));
    assert!((end.time - want.time).abs() <= 1e-7, "{} and {}", end.time, want.time);
    assert_eq!(end.weights[2..], [0.0, 0.0]);
    assert!((end.weights[0] - want.point[0]).abs() <= 1e-7 && end.gradient_norm.is_finite());
}
