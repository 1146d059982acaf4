//! Why runs end, and what is handed out then.

use popgrad::{
    EnsembleDynamics, EnsembleStop, Level, LossStop, Matrix, NormKind, RunEnd, RunStatus, StartLaw,
    StepHalving, TwoLayer, TwoLayerEnsemble, XyEnsemble, XyPlane, XyStart,
};

fn orthonormal(k: usize, n: usize) -> TwoLayerEnsemble {
    TwoLayerEnsemble::try_new(TwoLayer::try_new(Matrix::identity(k, k)).unwrap(), n).unwrap()
}

fn given(starts: Vec<f64>) -> StartLaw {
    StartLaw::Given { starts }
}

fn ends(ensemble: &TwoLayerEnsemble, runs: u64) -> Vec<RunEnd> {
    ensemble.runs(0..runs, Level::detect()).unwrap().finish()
}

#[test]
fn a_run_of_six_units_reaches_the_published_minimum_or_the_teacher() {
    // Safran & Shamir (2018): three runs in a thousand end at loss 0.0250805810024635.
    let stop = EnsembleStop { gradient_norm: Some(1e-12), ..EnsembleStop::default() };
    let ensemble = orthonormal(6, 6)
        .with_dynamics(EnsembleDynamics::descent(5.0 / 6.0 / std::f64::consts::TAU))
        .with_stop(stop);
    let ends = ends(&ensemble, 200);
    for end in &ends {
        assert_eq!(end.status, RunStatus::Converged, "run {}", end.run);
        assert!(end.gradient_norm <= 1e-12);
        let global = end.loss < 1e-20;
        assert!(global || (end.loss - 0.0250805810024635).abs() < 1e-15, "run {}: {}", end.run, end.loss);
    }
}

#[test]
fn both_norms_end_runs_where_they_say() {
    let stop = EnsembleStop { gradient_norm: Some(1e-6), ..EnsembleStop::default() };
    for norm in [NormKind::Frobenius, NormKind::LargestNeuron] {
        let ensemble = orthonormal(4, 4).with_stop(EnsembleStop { norm, ..stop });
        for end in ends(&ensemble, 20) {
            let w = popgrad::MatrixView::try_new(4, 4, &end.weights).unwrap();
            let gradient = ensemble.problem().gradient(popgrad::Student::new(w)).unwrap().weights;
            let rows: Vec<f64> = (0..4).map(|j| gradient.row(j).iter().map(|g| g * g).sum()).collect();
            let square = match norm {
                NormKind::Frobenius => rows.iter().sum::<f64>(),
                NormKind::LargestNeuron => rows.iter().copied().fold(0.0, f64::max),
            };
            // The gradient's own rounding is a few EPSILON.
            assert!((end.gradient_norm - square.sqrt()).abs() <= 64.0 * f64::EPSILON, "{norm:?}");
            assert!(
                end.gradient_norm <= 1e-6 && end.gradient_norm > 0.9e-6,
                "a step changes the norm by little"
            );
        }
    }
}

#[test]
fn with_more_students_than_teachers_the_loss_ends_a_run_early() {
    let by_gradient = EnsembleStop { gradient_norm: Some(1e-8), steps: 3000, ..EnsembleStop::default() };
    let rule = LossStop { below: 1e-3, steps: 50 };
    let by_loss = EnsembleStop { loss: Some(rule), ..by_gradient };
    let ensemble = orthonormal(5, 6).with_dynamics(EnsembleDynamics::descent(0.1));
    let early = ends(&ensemble.clone().with_stop(by_loss), 24);
    let late = ends(&ensemble.with_stop(by_gradient), 24);
    assert!(early.iter().any(|end| end.status == RunStatus::LossBelow));
    for (early, late) in early.iter().zip(&late) {
        if early.status == RunStatus::LossBelow {
            assert!(early.loss <= 1e-3 && late.loss <= early.loss && early.steps < late.steps);
            assert!(early.steps >= 50);
        }
    }
}

#[test]
fn a_zero_student_ends_the_run_at_once() {
    let starts = vec![1.0, 0.1, 0.0, 0.0, 0.9, 0.0, 0.1, 1.1];
    let ensemble = orthonormal(2, 2).with_start(given(starts));
    let ends = ends(&ensemble, 2);
    assert_eq!((ends[0].status, ends[0].steps), (RunStatus::ZeroStudent, 0));
    assert_eq!(ends[0].weights, [1.0, 0.1, 0.0, 0.0]);
    assert!(ends[0].loss.is_finite() && ends[0].gradient_norm.is_finite());
    assert_eq!(ends[1].status, RunStatus::StepLimit);
}

#[test]
fn a_run_that_leaves_the_numbers_diverges_without_a_nan() {
    let huge = orthonormal(3, 3).with_dynamics(EnsembleDynamics::descent(1e90));
    let large = orthonormal(3, 3).with_dynamics(EnsembleDynamics::descent(100.0));
    for ensemble in [huge, large] {
        for end in ends(&ensemble, 10) {
            assert_eq!(end.status, RunStatus::Diverged);
            assert!(end.weights.iter().all(|w| w.is_finite()));
            assert!(!end.loss.is_nan() && end.gradient_norm.is_finite() && end.steps > 0);
        }
    }
}

#[test]
fn steps_are_halved_and_runs_begun_again_above_the_limit() {
    let halving = StepHalving::RestartAbove { gradient_norm: 1e4 };
    let stop = EnsembleStop { gradient_norm: Some(1e-9), steps: 2000, ..EnsembleStop::default() };
    let ensemble =
        orthonormal(3, 3).with_dynamics(EnsembleDynamics::Descent { step: 64.0, halving }).with_stop(stop);
    for end in ends(&ensemble, 12) {
        assert!(end.halvings >= 2, "{} halvings", end.halvings);
        let step = 64.0 / f64::from(1_u32 << end.halvings);
        assert_eq!(end.time, end.steps as f64 * step);
        // The run is the one that begins with the halved step.
        let again = orthonormal(3, 3).with_dynamics(EnsembleDynamics::descent(step)).with_stop(stop);
        let again = again.runs(end.run..end.run + 1, Level::detect()).unwrap().finish();
        assert_eq!(
            (&again[0].weights, again[0].steps, again[0].status),
            (&end.weights, end.steps, end.status)
        );
        assert_eq!(again[0].halvings, 0);
    }
}

#[test]
fn the_loss_never_rises_under_a_small_step() {
    let ensemble = orthonormal(4, 5).with_dynamics(EnsembleDynamics::descent(0.05));
    let mut before = vec![f64::INFINITY; 8];
    for steps in (0..200).step_by(10) {
        let stop = EnsembleStop { steps, ..EnsembleStop::default() };
        for (end, before) in ends(&ensemble.clone().with_stop(stop), 8).iter().zip(&mut before) {
            assert!(end.loss <= *before, "run {} at {steps} steps", end.run);
            *before = end.loss;
        }
    }
}

#[test]
fn a_run_on_the_diagonal_of_the_plane_stays_there() {
    let plane = XyPlane::try_new(7).unwrap();
    let stop = EnsembleStop { gradient_norm: Some(1e-13), ..EnsembleStop::default() };
    let ensemble = XyEnsemble::new(plane).with_start(XyStart::Given { starts: vec![[0.4, 0.4], [0.0, 0.0]] });
    let ends = ensemble.with_stop(stop).runs(0..2, Level::detect()).unwrap().finish();
    assert_eq!(ends[0].status, RunStatus::Converged);
    assert_eq!(ends[0].weights[0].to_bits(), ends[0].weights[1].to_bits());
    assert!((ends[0].weights[0] - plane.saddle().x).abs() < 1e-13);
    assert_eq!(ends[1].status, RunStatus::ZeroStudent);
}
