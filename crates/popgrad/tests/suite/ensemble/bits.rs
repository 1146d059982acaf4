//! The end of a run depends on ensemble, seed and its number only.

use popgrad::{
    EnsembleAdvance, EnsembleDynamics, EnsembleStop, Level, LossStop, Matrix, NormKind, RandomStream, RunEnd,
    StartLaw, Trained, TwoLayer, TwoLayerEnsemble, XyEnsemble, XyPlane, XyStart,
};

/// Everything of an end as bits.
fn bits(end: &RunEnd) -> (u64, &'static str, u64, u32, [u64; 3], Vec<u64>) {
    let weights = end.weights.iter().chain(&end.output).map(|w| w.to_bits()).collect();
    let numbers = [end.time.to_bits(), end.loss.to_bits(), end.gradient_norm.to_bits()];
    (end.run, end.status.name(), end.steps, end.halvings, numbers, weights)
}

fn assert_same(got: &[RunEnd], want: &[RunEnd], what: &str) {
    assert_eq!(got.len(), want.len(), "{what}");
    for (got, want) in got.iter().zip(want) {
        assert_eq!(bits(got), bits(want), "{what}");
    }
}

/// Ensembles of every kind of problem: orthonormal, rotated, oblique, reduced, with fixed and with trained outputs.
fn ensembles() -> Vec<(&'static str, TwoLayerEnsemble)> {
    let stop = EnsembleStop { gradient_norm: Some(1e-6), steps: 400, ..EnsembleStop::default() };
    let random = |rows: usize, d: usize| {
        let mut m = Matrix::zeros(rows, d);
        RandomStream::new(77, rows as u64).fill_normal(m.as_mut_slice());
        m
    };
    let of = |teacher: Matrix, k: usize| {
        TwoLayerEnsemble::try_new(TwoLayer::try_new(teacher).unwrap(), k)
            .unwrap()
            .with_stop(stop)
            .with_seed(5)
    };
    let rotated = Matrix::from_rows(&[[0.6, 0.8, 0.0], [-0.8, 0.6, 0.0], [0.0, 0.0, 1.0]]);
    let largest = EnsembleStop { norm: NormKind::LargestNeuron, ..stop };
    let by_loss = EnsembleStop { loss: Some(LossStop { below: 2e-3, steps: 20 }), ..stop };
    let sphere = StartLaw::Sphere { radius: 0.7 };
    vec![
        ("orthonormal", of(Matrix::identity(6, 6), 6)),
        ("wide", of(Matrix::identity(3, 40), 4)),
        ("rotated", of(rotated, 3).with_start(sphere)),
        ("oblique", of(random(3, 4), 5).with_stop(largest)),
        ("oblique in many dimensions", of(random(3, 30), 2)),
        ("fixed outputs", of(Matrix::identity(4, 4), 3).with_output(vec![1.0, -0.5, 2.0])),
        ("trained outputs", of(random(2, 3), 3).with_trained(Trained::WeightsAndOutput)),
        ("loss", of(Matrix::identity(5, 5), 6).with_stop(by_loss)),
        ("one", of(Matrix::identity(1, 1), 1)),
        ("flow", of(Matrix::identity(4, 4), 4).with_dynamics(EnsembleDynamics::flow())),
        ("flow, reduced", of(random(2, 20), 3).with_dynamics(EnsembleDynamics::flow())),
    ]
}

#[test]
fn every_level_gives_the_same_bits() {
    for (name, ensemble) in ensembles() {
        let want = ensemble.runs(3..14, Level::Portable).unwrap().finish();
        for level in Level::available() {
            let got = ensemble.runs(3..14, level).unwrap().finish();
            assert_same(&got, &want, &format!("{name} at {level:?}"));
        }
    }
}

#[test]
fn neither_the_range_nor_the_lane_nor_the_cut_changes_a_bit() {
    let level = Level::detect();
    for (name, ensemble) in ensembles() {
        let want = ensemble.runs(0..21, level).unwrap().finish();
        let mut parts = ensemble.runs(0..1, level).unwrap().finish();
        parts.extend(ensemble.runs(1..9, level).unwrap().finish());
        parts.extend(ensemble.runs(9..21, level).unwrap().finish());
        assert_same(&parts, &want, &format!("{name}, cut into ranges"));
        let mut machine = ensemble.runs(0..21, level).unwrap();
        let mut got = Vec::new();
        let mut budget = 1;
        loop {
            match machine.advance(budget) {
                EnsembleAdvance::Running(progress) => assert!(progress.ended <= progress.runs),
                EnsembleAdvance::Done(ends) => break got.extend(ends),
            }
            got.extend(machine.take_ended());
            budget = budget % 97 + 13;
        }
        assert_same(&got, &want, &format!("{name}, cut into calls"));
        for (i, end) in got.iter().enumerate() {
            assert_eq!(end.run, i as u64, "{name}: ends come in the order of the runs");
        }
    }
}

#[test]
fn the_plane_keeps_its_bits_too() {
    let stop = EnsembleStop { gradient_norm: Some(1e-9), steps: 3000, ..EnsembleStop::default() };
    for law in [
        XyStart::BelowDiagonal { x: [0.001, 1.0] },
        XyStart::Uniform { x: [-1.0, 1.0], y: [-1.0, 1.0] },
        XyStart::Grid { x: [0.1, 1.0], y: [0.1, 1.0], columns: 7, rows: 6 },
    ] {
        let ensemble = XyEnsemble::new(XyPlane::try_new(5).unwrap())
            .with_start(law)
            .with_dynamics(EnsembleDynamics::descent(0.2))
            .with_stop(stop);
        let want = ensemble.runs(0..42, Level::Portable).unwrap().finish();
        for level in Level::available() {
            let mut got = ensemble.runs(0..5, level).unwrap().finish();
            got.extend(ensemble.runs(5..42, level).unwrap().finish());
            assert_same(&got, &want, &format!("{level:?}"));
        }
    }
}
