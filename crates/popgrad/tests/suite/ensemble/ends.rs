//! Why runs end, and what is handed out then.

use popgrad::accuracy::bound;
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

#[test]
fn eight_units_end_at_the_teacher_or_at_the_published_minimum() {
    // Safran, Yehudai & Shamir (2021): two minima at k = 8, 88.6 % and 11.4 % of 500 runs.
    let stop = EnsembleStop { gradient_norm: Some(1e-12), ..EnsembleStop::default() };
    let ensemble = orthonormal(8, 8).with_dynamics(EnsembleDynamics::descent(5.0 / 8.0)).with_stop(stop);
    let ends = ends(&ensemble, 400);
    let global = ends.iter().filter(|end| end.loss < 1e-20).count();
    let spurious = ends.iter().filter(|end| (end.loss - 0.02150804).abs() < 5e-9).count();
    assert_eq!(global + spurious, 400);
    // Both samples scatter: five standard errors of the difference are 10 %.
    assert!((global as f64 / 400.0 - 0.886).abs() < 0.1, "{global} of 400");
}

#[test]
fn gradients_fall_to_rounding_and_stay_there() {
    // A few EPSILON in each of the k^2 entries (B.9); a few runs of twenty units are still on their way.
    for (k, steps) in [(6_u32, 4000), (20, 12_000)] {
        let eta = 5.0 / f64::from(k);
        let stop = EnsembleStop { steps, ..EnsembleStop::default() };
        let ensemble =
            orthonormal(k as usize, k as usize).with_dynamics(EnsembleDynamics::descent(eta)).with_stop(stop);
        let mut norms: Vec<f64> = ends(&ensemble, 24).iter().map(|end| end.gradient_norm).collect();
        norms.sort_by(f64::total_cmp);
        println!("k = {k}: gradient norms {:e} to {:e}, median {:e}", norms[0], norms[23], norms[12]);
        let rounding = f64::EPSILON * f64::from(k);
        assert!(norms[12] <= rounding, "{:e} and {rounding:e}", norms[12]);
    }
}

#[test]
fn polishing_reaches_rounding_without_leaving_the_minimum() {
    let stop = EnsembleStop { gradient_norm: Some(1e-7), ..EnsembleStop::default() };
    let ensemble = orthonormal(6, 6).with_dynamics(EnsembleDynamics::descent(0.5)).with_stop(stop);
    let gradient = bound("TwoLayerEnsemble::polish#gradient_norm").unwrap();
    let loss = bound("TwoLayerEnsemble::polish#loss").unwrap();
    for end in ends(&ensemble, 300) {
        let polished = ensemble.polish(&end).unwrap().expect("the minima of six units are isolated");
        assert!(gradient.used(polished.gradient_norm, 0.0, 12.0) <= 1.0, "{:e}", polished.gradient_norm);
        // A gradient of 1e-7 over the smallest eigenvalue, 0.0047.
        assert!(polished.moved <= 1e-7 / 0.0047 * 1.1 && polished.smallest_eigenvalue > 0.0047);
        if end.loss > 1e-3 {
            assert!(loss.used(polished.loss, 0.0250805810024635, 1.0) <= 1.0, "{}", polished.loss);
        } else {
            assert!(polished.loss < 1e-28, "{:e}", polished.loss);
        }
    }
    // One more student than teachers: the ends are not isolated.
    let stop = EnsembleStop { loss: Some(LossStop { below: 1e-3, steps: 20 }), ..EnsembleStop::default() };
    let wide = orthonormal(3, 4).with_stop(stop);
    let end = &ends(&wide, 1)[0];
    if let Some(polished) = wide.polish(end).unwrap() {
        assert!(polished.smallest_eigenvalue < 1e-2, "a nearly flat direction");
    }
}

#[test]
#[allow(clippy::reversed_empty_ranges)] // it is to be refused
fn what_makes_no_sense_is_refused_in_words() {
    let level = Level::detect();
    let refused = |ensemble: TwoLayerEnsemble| ensemble.runs(0..3, level).unwrap_err().to_string();
    let good = orthonormal(2, 3);
    let cases = [
        (refused(good.clone().with_start(given(vec![1.0; 5]))), "start.starts has 5 entries; it needs 6"),
        (refused(good.clone().with_start(given(vec![1.0; 12]))), "run 2 is asked for but only 2 starts"),
        (refused(good.clone().with_start(StartLaw::Normal { sd: -1.0 })), "start.sd = -1, but it must be"),
        (refused(good.clone().with_start(given(vec![f64::NAN; 18]))), "start.starts[0] = NaN is not finite"),
        (refused(good.clone().with_output(vec![1.0])), "output has 1 entries; it needs 3"),
        (refused(good.clone().with_dynamics(EnsembleDynamics::descent(0.0))), "step = 0, but it must be"),
        (
            refused(good.clone().with_stop(EnsembleStop { time: Some(1.0), ..EnsembleStop::default() })),
            "stop.time = 1",
        ),
        (good.runs(3..1, level).unwrap_err().to_string(), "the range of runs 3..1 ends before it begins"),
    ];
    for (got, want) in cases {
        assert!(got.starts_with(want), "{got}");
    }
    let leaky = TwoLayer::try_new(Matrix::identity(2, 2)).unwrap().with_leaky(0.1).unwrap();
    assert!(TwoLayerEnsemble::try_new(leaky, 2).unwrap_err().to_string().contains("a leaky slope"));
    assert!(good.runs(5..5, level).unwrap().finish().is_empty());
}

#[test]
fn the_bits_of_runs_are_frozen() {
    // FNV-1a over the bits of all weights: a change here raises NUMERICS.
    let hash = |ends: &[RunEnd]| {
        ends.iter()
            .flat_map(|end| &end.weights)
            .flat_map(|w| w.to_bits().to_le_bytes())
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
                (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
            })
    };
    let stop = EnsembleStop { steps: 100, ..EnsembleStop::default() };
    let descent = hash(&ends(&orthonormal(5, 6).with_stop(stop), 10));
    let flow = hash(&ends(&orthonormal(3, 3).with_dynamics(EnsembleDynamics::flow()).with_stop(stop), 10));
    let plane = XyEnsemble::new(XyPlane::try_new(5).unwrap()).with_stop(stop);
    let plane = hash(&plane.runs(0..10, Level::detect()).unwrap().finish());
    assert_eq!(
        [descent, flow, plane].map(|h| format!("{h:016x}")),
        ["f893b072d8e7ca22", "896e0a19ba35d019", "d68b95dc71d9932e"]
    );
}
