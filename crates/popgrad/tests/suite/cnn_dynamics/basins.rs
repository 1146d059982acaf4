//! Early decisions: the proved sets, against runs to the end that know nothing of them.

use super::{arrived, descend, problem, runge_kutta, start};
use popgrad::{CnnBasin, CnnState, RandomStream, ReducedCnn};
use std::f64::consts::PI;

/// How far a run of the reference goes: `pi - phi` falls like `1/t`, and runs close to the saddle take their time.
const STEPS: usize = 60_000;

/// Runs to an end by `step`, with the first early decision on the way; `None` if the run stays between.
fn both_ends(
    problem: &ReducedCnn,
    mut state: CnnState,
    step: impl Fn(&CnnState) -> CnnState,
    decide: impl Fn(&CnnState) -> CnnBasin,
) -> (CnnBasin, usize, Option<bool>) {
    let (mut early, mut at) = (CnnBasin::Undecided, 0);
    for n in 0..STEPS {
        if early == CnnBasin::Undecided {
            (early, at) = (decide(&state), n);
        }
        if let Some(end) = arrived(problem, &state) {
            return (early, at, Some(end));
        }
        state = step(&state);
    }
    (early, at, None)
}

/// Runs `count` starts with and without the early decision; returns how many were decided at the start.
fn compare(
    problem: &ReducedCnn,
    (p, count): (usize, u64),
    step: impl Fn(&CnnState) -> CnnState,
    decide: impl Fn(&CnnState) -> CnnBasin,
) -> (u64, u64) {
    let (mut at_start, mut global) = (0, 0);
    for index in 0..count {
        let first = start(problem, p, 8, index);
        let (early, at, end) = both_ends(problem, first, &step, &decide);
        let end = end.unwrap_or_else(|| panic!("start {index} of {problem:?} has no end: {first:?}"));
        let want = if end { CnnBasin::Global } else { CnnBasin::Spurious };
        assert_eq!(early, want, "start {index} of {problem:?}, p = {p}: {first:?}");
        at_start += u64::from(at == 0);
        global += u64::from(end);
    }
    (at_start, global)
}

#[test]
fn twelve_thousand_flows_end_where_they_were_said_to_end() {
    let cells = [(10, 3.0, 6), (25, 4.0, 6), (9, 1.0, 2), (36, 9.0, 3), (4, 1.5, 2), (16, 0.0, 4)];
    let (mut decided, mut total) = (0, 0);
    for (k, ratio, p) in cells {
        let problem = problem(k, ratio);
        let h = 1.5 / problem.rates(1.0).sum.max(1.0);
        let (at_start, global) = compare(
            &problem,
            (p, 2000),
            |state| runge_kutta(&problem, state, h),
            |state| problem.flow_basin(state).unwrap(),
        );
        println!("k = {k}, ratio {ratio}, p = {p}: {global} of 2000 global, {at_start} decided at the start");
        assert!(global > 900 && global < 2000);
        (decided, total) = (decided + at_start, total + 2000);
    }
    assert!(total >= 10_000 && decided > 2 * total / 5, "{decided} of {total} decided at the start");
}

#[test]
fn three_thousand_descents_end_where_they_were_said_to_end() {
    for (k, ratio, p) in [(10, 3.0, 6), (25, 4.0, 3), (9, 1.0, 2)] {
        let problem = problem(k, ratio);
        // The largest step that the proof allows for the output weights; |v| = 1 allows it for the filter.
        let eta = problem.largest_basin_step();
        compare(
            &problem,
            (p, 1000),
            |state| descend(&problem, state, eta),
            |state| problem.descent_basin(state, eta).unwrap(),
        );
    }
}

#[test]
fn a_large_angle_with_negative_alpha_decides_nothing() {
    // The set that looks like a basin and is none: some flows that enter it reach the teacher.
    let problem = problem(10, 3.0);
    let top = problem.saddle_angle().unwrap().theta;
    let (mut inside, mut returned) = (0, 0);
    for index in 0..6000 {
        let mut state = start(&problem, 6, 8, index);
        if state.angle().theta > top && state.overlap < 0.0 {
            inside += 1;
            let end = loop {
                if let Some(end) = arrived(&problem, &state) {
                    break end;
                }
                state = runge_kutta(&problem, &state, 0.5);
            };
            returned += u64::from(end);
        }
    }
    println!("{returned} of {inside} flows from phi > phi_c, alpha < 0 reach the teacher");
    assert!(inside > 200 && returned > 10, "{returned} of {inside}");
}

#[test]
fn above_the_threshold_everything_but_the_opposite_ray_is_global() {
    let problem = problem(25, 16.0);
    let target = problem.teacher_state(1.0);
    for index in 0..1000 {
        let mut state = start(&problem, 3, 9, index);
        assert_eq!(problem.flow_basin(&state).unwrap(), CnnBasin::Global, "start {index}: {state:?}");
        // Starts close to phi = pi pass the spurious point, here a saddle, on their way.
        let mut steps = 0;
        while state.angle().theta > 0.01 || (state.overlap - target.overlap).abs() > 0.01 {
            state = runge_kutta(&problem, &state, 0.3);
            steps += 1;
            assert!(steps < STEPS, "start {index} has no end");
        }
    }
    let opposite = problem.spurious_state(1.0);
    assert_eq!(problem.flow_basin(&opposite).unwrap(), CnnBasin::Spurious);
}

/// A random problem and a random state of it, of moderate size.
fn random(stream: &mut RandomStream) -> (ReducedCnn, CnnState) {
    let k = 2 + usize::try_from(stream.next_u64() % 30).unwrap();
    let (s, square) = (0.3 + 2.0 * stream.uniform(), 0.2 + 3.0 * stream.uniform());
    let ratio = stream.uniform() * k as f64;
    let sum = stream.rademacher() * (ratio * square).sqrt();
    let problem = ReducedCnn::try_new(k, s, sum, square).unwrap();
    let state = CnnState::at_angle(
        0.3 + 2.0 * stream.uniform(),
        PI * stream.uniform(),
        2.0 * s * square * stream.uniform_centred(),
        2.0 * s * square * (k as f64).sqrt() * stream.uniform_centred(),
    );
    (problem, state)
}

#[test]
fn no_step_of_descent_within_the_limit_leaves_a_proved_set() {
    // Theorem 4, at exactly the largest step that it allows.
    let mut stream = RandomStream::new(20, 0);
    let (mut inside, mut limited_by_filter) = (0, 0);
    for _ in 0..200_000 {
        let (problem, state) = random(&mut stream);
        let norm = state.filter_norm();
        let by_output = problem.largest_basin_step();
        let by_filter = 2.0 * norm * norm / (problem.filter_norm() * problem.overlap_bound(&state));
        let eta = by_output.min(by_filter) * (1.0 - 4.0 * f64::EPSILON);
        let before = problem.descent_basin(&state, eta).unwrap();
        if before == CnnBasin::Undecided {
            continue;
        }
        inside += 1;
        limited_by_filter += usize::from(by_filter < by_output);
        let mut after = state;
        for _ in 0..5 {
            let next = descend(&problem, &after, eta);
            let slack = 1e-12;
            let turned = next.angle().theta - after.angle().theta;
            let closer = if before == CnnBasin::Global { turned } else { -turned };
            assert!(closer <= slack && next.y >= 0.0, "{problem:?} {state:?}: {turned}");
            after = next;
        }
        // Rounding aside, which the margin of the sets turns into "undecided".
        let end = problem.descent_basin(&after, eta).unwrap();
        assert!(end == before || end == CnnBasin::Undecided, "{problem:?} {state:?}");
        assert!(if before == CnnBasin::Global { after.overlap >= 0.0 } else { after.overlap <= 0.0 });
    }
    println!("{inside} states inside, {limited_by_filter} with the filter's limit");
    assert!(inside > 20_000 && limited_by_filter > 5_000);
}

#[test]
fn a_larger_step_can_leave_the_set() {
    // Beyond the limit of Theorem 4 the sum overshoots and alpha changes its sign: nothing is claimed, rightly.
    let problem = problem(25, 4.0);
    let eta = 1.9 * 2.0 * PI / (25.0 + PI - 1.0);
    let mut stream = RandomStream::new(21, 0);
    let mut left = 0;
    for _ in 0..20_000 {
        let state = CnnState::at_angle(
            1.0,
            PI * stream.uniform(),
            0.02 * stream.uniform(),
            -20.0 + 22.0 * stream.uniform(),
        );
        if problem.flow_basin(&state).unwrap() == CnnBasin::Global {
            assert_eq!(problem.descent_basin(&state, eta).unwrap(), CnnBasin::Undecided);
            let next = descend(&problem, &descend(&problem, &state, eta), eta);
            left += usize::from(next.overlap < 0.0);
        }
    }
    assert!(left > 100, "{left}");
}

#[test]
fn the_published_sets_are_inside_the_proved_ones() {
    let mut stream = RandomStream::new(22, 0);
    let (mut sufficient, mut trapped) = (0, 0);
    for _ in 0..100_000 {
        let (problem, state) = random(&mut stream);
        if problem.is_sufficient_start(&state).unwrap() {
            sufficient += 1;
            assert_eq!(problem.flow_basin(&state).unwrap(), CnnBasin::Global, "{problem:?} {state:?}");
        }
        // (W.63)
        let (k, s) = (problem.patches() as f64, problem.filter_norm());
        let share = PI * problem.ratio() / (k + PI - 1.0);
        let bound = s * (k - 1.0) * problem.output_sum() * problem.output_sum() / (k + PI - 1.0);
        let h = popgrad::angular_h(state.angle().theta);
        let margin = 1e-9;
        if state.overlap <= 0.0 && problem.output_sum() * state.sum >= bound && h <= 1.0 - share - margin {
            trapped += 1;
            assert_eq!(problem.flow_basin(&state).unwrap(), CnnBasin::Spurious, "{problem:?} {state:?}");
        }
    }
    println!("{sufficient} sufficient starts, {trapped} trapped");
    assert!(sufficient > 3_000 && trapped > 500);
}

#[test]
fn signs_of_the_output_weights_do_not_matter_to_the_decision() {
    let mut stream = RandomStream::new(23, 0);
    for _ in 0..5_000 {
        let (problem, state) = random(&mut stream);
        let mirrored = ReducedCnn::try_new(
            problem.patches(),
            problem.filter_norm(),
            -problem.output_sum(),
            problem.output_square(),
        )
        .unwrap();
        // (a, a*) -> (-a, -a*): alpha stays, the sums change their signs.
        let other = CnnState { sum: -state.sum, ..state };
        assert_eq!(problem.flow_basin(&state), mirrored.flow_basin(&other));
    }
}

#[test]
fn the_saddle_itself_is_undecided_and_its_sides_are_not() {
    for (k, ratio) in [(9, 0.0), (9, 1.0), (25, 6.0)] {
        let problem = problem(k, ratio);
        let saddle = problem.saddle_state(1.0).unwrap();
        assert_eq!(problem.flow_basin(&saddle).unwrap(), CnnBasin::Undecided);
        let phi = saddle.angle().theta;
        for (turn, want) in [(-1e-6, CnnBasin::Global), (1e-6, CnnBasin::Spurious)] {
            let state = CnnState::at_angle(1.0, phi + turn, -1e-3 * turn, saddle.sum);
            assert_eq!(problem.flow_basin(&state).unwrap(), want, "k = {k}, ratio {ratio}");
        }
    }
    assert_eq!(CnnBasin::Spurious.name(), "spurious");
}
