//! The end of a run depends on ensemble, seed and its number only.

use popgrad::{
    EnsembleAdvance, EnsembleDynamics, EnsembleError, EnsembleProgress, EnsembleStop, Level, LossStop,
    Matrix, NormKind, RandomStream, RunEnd, StartLaw, Trained, TwoLayer, TwoLayerEnsemble, XyEnsemble,
    XyPlane, XyStart,
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
        got.sort_by_key(|end| end.run);
        assert_same(&got, &want, &format!("{name}, cut into calls"));
    }
}

#[test]
fn ranges_that_are_added_change_no_bit() {
    let level = Level::detect();
    for (name, ensemble) in ensembles() {
        let mut want = ensemble.runs(0..21, level).unwrap().finish();
        want.extend(ensemble.runs(30..34, level).unwrap().finish());
        // Added before the first step, while lanes work, while some rest, and after all have ended; one range is empty.
        let mut machine = ensemble.runs(0..0, level).unwrap();
        assert_eq!(machine.advance(10), EnsembleAdvance::Done(Vec::new()), "{name}");
        machine.extend(0..9).unwrap();
        machine.advance(24);
        machine.extend(9..12).unwrap();
        machine.extend(12..12).unwrap();
        let mut got = Vec::new();
        while machine.progress().ended < 8 {
            assert_eq!(machine.progress().runs, 12, "{name}");
            machine.advance(8);
        }
        machine.extend(12..21).unwrap();
        got.extend(machine.take_ended());
        loop {
            if let EnsembleAdvance::Done(ends) = machine.advance(1000) {
                break got.extend(ends);
            }
        }
        machine.extend(30..34).unwrap();
        assert_eq!(machine.progress().runs, 25, "{name}");
        got.extend(machine.finish());
        got.sort_by_key(|end| end.run);
        assert_same(&got, &want, name);
    }
    let given: StartLaw = [Matrix::identity(1, 1).view(); 4].into_iter().collect();
    let problem = TwoLayer::try_new(Matrix::identity(1, 1)).unwrap();
    let ensemble = TwoLayerEnsemble::try_new(problem, 1).unwrap().with_start(given);
    let mut machine = ensemble.runs(0..2, level).unwrap();
    assert_eq!(machine.extend(3..5), Err(EnsembleError::Starts { run: 4, starts: 4 }));
    let backwards = std::ops::Range { start: 3, end: 2 };
    assert_eq!(machine.extend(backwards), Err(EnsembleError::Range { start: 3, end: 2 }));
    assert_eq!(machine.extend(2..4), Ok(()));
}

/// The share of lanes that had a run to step, over the life of a machine to which ranges of ten runs are added in time or
/// for which each range is a machine of its own.
fn busy_share(ensemble: &TwoLayerEnsemble, ranges: u64, in_time: bool) -> f64 {
    let (slice, mut spent, mut tried) = (80_u64, 0, 0);
    let mut machine = ensemble.runs(0..10, Level::detect()).unwrap();
    for range in 1..=ranges {
        let is_over =
            |p: EnsembleProgress| p.ended == p.runs || (in_time && range < ranges && p.waiting == 0);
        while !is_over(machine.progress()) {
            machine.advance(slice);
            spent += slice;
        }
        if in_time {
            machine.extend(range * 10..range * 10 + 10).unwrap();
            tried = machine.progress().steps;
        } else {
            tried += machine.progress().steps;
            machine = ensemble.runs(range * 10..range * 10 + 10, Level::detect()).unwrap();
        }
    }
    tried as f64 / spent as f64
}

#[test]
fn no_lane_rests_while_ranges_are_added_in_time() {
    let (_, ensemble) = ensembles().swap_remove(0);
    let stop = EnsembleStop { gradient_norm: Some(1e-9), ..EnsembleStop::default() };
    let ensemble = ensemble.with_stop(stop);
    let (alone, together) = (busy_share(&ensemble, 30, false), busy_share(&ensemble, 30, true));
    assert!(
        together > 0.9 && alone < 0.8,
        "{alone} of the lanes with a machine for a range, {together} with one"
    );
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
