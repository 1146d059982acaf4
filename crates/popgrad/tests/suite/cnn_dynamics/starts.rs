//! Sufficient starts, the choice of signs, restarts.

use super::{arrived, problem, runge_kutta, start};
use crate::fixture::{Worst, allowed};
use popgrad::{CnnSigns, CnnState, ReducedCnn, restart_success};

fn reaches_teacher(problem: &ReducedCnn, first: &CnnState) -> bool {
    let h = 1.5 / problem.rates(1.0).sum.max(1.0);
    let mut state = *first;
    for _ in 0..60_000 {
        if let Some(end) = arrived(problem, &state) {
            return end;
        }
        state = runge_kutta(problem, &state, h);
    }
    panic!("no end from {first:?}");
}

#[test]
fn of_four_signs_exactly_one_is_sufficient_and_it_succeeds() {
    let mut starts = 0;
    for (k, ratio, p) in [(4, 1.0, 2), (25, 4.0, 6), (10, 3.0, 3), (9, 9.0, 20), (36, 0.25, 2)] {
        let problem = problem(k, ratio);
        for index in 0..400 {
            let first = start(&problem, p, 77, index);
            let good: Vec<CnnSigns> = CnnSigns::all()
                .into_iter()
                .filter(|signs| problem.is_sufficient_start(&signs.apply(&first)).unwrap())
                .collect();
            assert_eq!(good.len(), 1, "start {index} of k = {k}: {first:?}");
            assert_eq!(problem.sufficient_signs(&first).unwrap(), Some(good[0]));
            assert!(reaches_teacher(&problem, &good[0].apply(&first)), "start {index} of k = {k}: {first:?}");
            starts += 1;
        }
    }
    assert!(starts >= 1000);
}

#[test]
fn without_a_sum_the_sign_of_the_filter_alone_decides() {
    let problem = problem(16, 0.0);
    for index in 0..300 {
        let first = start(&problem, 4, 78, index);
        assert_eq!((first.overlap, first.sum), (0.0, 0.0));
        let signs = problem.sufficient_signs(&first).unwrap().unwrap();
        assert!(!signs.flip_output && signs.flip_filter == (first.x < 0.0));
        assert!(reaches_teacher(&problem, &signs.apply(&first)));
        let other = CnnSigns { flip_filter: !signs.flip_filter, ..signs };
        assert!(!reaches_teacher(&problem, &other.apply(&first)));
    }
}

#[test]
fn signs_change_the_whole_network_as_they_say() {
    use popgrad::{Cnn, CnnStudent};
    let full = Cnn::try_new(&[1.0, 2.0, -1.0], &[0.5, 1.0, -0.3]).unwrap();
    let (v, a) = ([0.3, -0.8, 0.1], [0.1, -0.4, 0.2]);
    let state = full.reduced_state(CnnStudent { filter: &v, output: &a }).unwrap();
    for signs in CnnSigns::all() {
        let flipped =
            |x: &[f64], flip: bool| -> Vec<f64> { x.iter().map(|x| if flip { -x } else { *x }).collect() };
        let (filter, output) = (flipped(&v, signs.flip_filter), flipped(&a, signs.flip_output));
        let want = full.reduced_state(CnnStudent { filter: &filter, output: &output }).unwrap();
        assert_eq!(signs.apply(&state), want);
    }
}

#[test]
fn a_start_with_too_large_a_sum_has_no_sufficient_signs() {
    let problem = problem(9, 1.0);
    let start = CnnState::at_angle(1.0, 1.0, 0.5, 1.5);
    assert_eq!(problem.sufficient_signs(&start).unwrap(), None);
    let right_angle = CnnState { x: 0.0, y: 1.0, overlap: 0.5, sum: 0.5, rest: 0.0 };
    assert_eq!(problem.sufficient_signs(&right_angle).unwrap(), None);
}

#[test]
fn restarts_have_their_digits() {
    let mut worst = Worst::new("restart_success");
    // 1 - (1 - q)^r in 50 digits.
    let golden = [
        (0.25, 4, 0.683_593_75),
        (0.5, 1, 0.5),
        (1e-9, 3, 2.999_999_997_000_000_188e-9),
        (0.1, 100, 0.999_973_438_601_113_6),
        (1.0, 2, 1.0),
        (0.0, 5, 0.0),
        (0.7, 0, 0.0),
    ];
    for (q, r, want) in golden {
        worst.check(restart_success(q, r).unwrap(), want, allowed("restart_success", want), || {
            format!("{q}, {r}")
        });
    }
    assert!(restart_success(1.5, 2).is_err() && restart_success(f64::NAN, 2).is_err());
}
