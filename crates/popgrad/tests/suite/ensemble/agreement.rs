//! Runs of an ensemble against the single machines of the same dynamics.

use popgrad::{
    DescentOptions, EnsembleDynamics, EnsembleStop, GradientDescent, Level, Matrix, RandomStream, RunStatus,
    StartLaw, Status, StopRule, Trained, TwoLayer, TwoLayerEnsemble, TwoLayerLandscape, XyEnsemble, XyPlane,
    XyStart,
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
