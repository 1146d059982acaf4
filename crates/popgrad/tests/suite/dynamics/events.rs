//! Events of the flow: bounds that are reached, functions that change sign, students that vanish.

use super::landscapes::{Plain, distance, norm};
use popgrad::{
    AbsoluteTolerance, Advance, Direction, EventFunction, EventKind, FlowOptions, GradientFlow, RecordPlan,
    Status, StopRule, ZeroStudentRule,
};

fn stop(rule: StopRule) -> FlowOptions {
    FlowOptions { stop: rule, ..FlowOptions::default() }
}

fn one_relu() -> Plain {
    Plain::new(1, vec![vec![1.0, 0.0]])
}

#[test]
fn the_gradient_norm_is_met_from_below_and_closely() {
    for bound in [1e-2, 1e-5, 1e-8] {
        let options = stop(StopRule { gradient_norm: Some(bound), ..StopRule::default() });
        let end = GradientFlow::try_new(one_relu(), &[0.2, 0.9], options).unwrap().run();
        assert_eq!(end.status, Status::Converged);
        assert_eq!(end.events.last().unwrap().kind, EventKind::GradientNorm);
        assert!(end.gradient_norm <= bound && end.gradient_norm >= bound * (1.0 - 1e-6), "{end:?}");
    }
}

#[test]
fn the_loss_bound_is_met_and_a_bound_that_holds_at_the_start_ends_there() {
    let options = stop(StopRule { loss: Some(1e-3), ..StopRule::default() });
    let end = GradientFlow::try_new(one_relu(), &[0.2, 0.9], options.clone()).unwrap().run();
    assert_eq!((end.status, end.events[0].kind), (Status::Converged, EventKind::Loss));
    assert!(end.loss <= 1e-3 && end.loss >= 1e-3 * (1.0 - 1e-6), "{end:?}");
    let end = GradientFlow::try_new(one_relu(), &[1.0, 1e-9], options).unwrap().run();
    assert_eq!((end.status, end.steps, end.time), (Status::Converged, 0, 0.0));
}

#[test]
fn functions_are_located_at_their_exact_times() {
    // On the ray opposite to the teacher r = r0 exp(-t/2), so -r crosses -1/2 at t = 2 ln(2 r0).
    let options = stop(StopRule { time: Some(4.0), ..StopRule::default() });
    let build = |direction| {
        let half = EventFunction::new(|_, y: &[f64]| y[0] + 0.5).with_direction(direction);
        GradientFlow::try_new(one_relu(), &[-1.0, 0.0], options.clone()).unwrap().with_event(half).run()
    };
    let want = 2.0 * libm::log(2.0);
    for (direction, count) in [(Direction::Either, 1), (Direction::Rising, 1), (Direction::Falling, 0)] {
        let end = build(direction);
        assert_eq!((end.status, end.events.len()), (Status::TimeLimit, count));
        if count == 1 {
            assert!((end.events[0].time - want).abs() <= 1e-7, "{} instead of {want}", end.events[0].time);
        }
    }
}

#[test]
fn a_function_can_end_the_run_and_events_come_in_order_of_time() {
    let record = RecordPlan::every(1_000_000);
    let options = FlowOptions { record, ..stop(StopRule { time: Some(9.0), ..StopRule::default() }) };
    // Both change sign within the same few steps; the later one was added first.
    let mut flow = GradientFlow::try_new(one_relu(), &[-1.0, 0.0], options)
        .unwrap()
        .with_event(EventFunction::new(|t, _| t - 1.0001).ending_the_run())
        .with_event(EventFunction::new(|t, _| t - 1.0));
    let Advance::Done(end) = flow.advance(u64::MAX) else { panic!("the run must end") };
    assert_eq!(end.status, Status::Event);
    let kinds: Vec<_> = end.events.iter().map(|e| e.kind.index().unwrap()).collect();
    assert_eq!(kinds, [1, 0]);
    assert!((end.time - 1.0001).abs() < 1e-12 && (end.point[0] + libm::exp(-0.5 * end.time)).abs() < 1e-8);
    let marked: Vec<_> = flow.rows().iter().map(|row| row.event.map(EventKind::name)).collect();
    assert_eq!(marked, [None, Some("crossing"), Some("crossing")]);
}

/// Output weight -1 on the teacher's own ray: `r' = -(r + |v|) / 2`, so zero is reached at `2 ln(1 + r0/|v|)`.
#[test]
fn a_student_on_a_ray_vanishes_at_its_exact_time() {
    for (r0, rtol) in [(1.0, 1e-8), (0.3, 1e-8), (5.0, 1e-8), (1e-6, 1e-8), (1.0, 1e-5), (1.0, 1e-12)] {
        let mut landscape = one_relu();
        landscape.output = vec![-1.0];
        let atol = AbsoluteTolerance::OfSmallestStudent(0.01 * rtol);
        let options =
            FlowOptions { rtol, atol, ..stop(StopRule { time: Some(100.0), ..StopRule::default() }) };
        let end = GradientFlow::try_new(landscape, &[r0, 0.0], options).unwrap().run();
        let want = 2.0 * libm::log1p(r0);
        assert_eq!(end.status, Status::ZeroStudent, "{end:?}");
        assert_eq!(
            end.events,
            [popgrad::Event { kind: EventKind::ZeroStudent { student: 0 }, step: end.steps, time: end.time }]
        );
        assert!((end.time - want).abs() <= rtol * want, "r0 {r0}: {} instead of {want}", end.time);
        assert_eq!((end.point, end.gradient_norm, end.loss), (vec![0.0, 0.0], 0.0, 0.25));
        assert!(end.steps + end.rejected < 400, "{} + {} steps", end.steps, end.rejected);
    }
}

/// Two students three times too long leave a positive residual everywhere, so a third one has nowhere to go but
/// zero, whatever its direction.
fn crowded() -> (Plain, [f64; 6]) {
    let landscape = Plain::new(3, vec![vec![1.0, 0.0], vec![-1.0, 0.0]]);
    (landscape, [0.05, 0.08, 3.0, 0.1, -3.0, 0.2])
}

#[test]
fn a_student_that_turns_while_it_shrinks_vanishes_at_a_converging_time() {
    let run = |rtol| {
        let (landscape, start) = crowded();
        let atol = AbsoluteTolerance::OfSmallestStudent(0.01 * rtol);
        let options =
            FlowOptions { rtol, atol, ..stop(StopRule { time: Some(50.0), ..StopRule::default() }) };
        GradientFlow::try_new(landscape, &start, options).unwrap().run()
    };
    let reference = run(1e-12);
    assert_eq!(reference.status, Status::ZeroStudent);
    assert_eq!(reference.events[0].kind, EventKind::ZeroStudent { student: 0 });
    assert_eq!(reference.point[..2], [0.0, 0.0]);
    for rtol in [1e-5, 1e-7, 1e-9] {
        let end = run(rtol);
        assert_eq!(end.status, Status::ZeroStudent);
        let error = (end.time - reference.time).abs() + distance(&end.point, &reference.point);
        assert!(error <= rtol, "rtol {rtol:e}: {error:e}");
    }
}

#[test]
fn a_frozen_student_stays_and_the_others_move_as_if_it_were_not_there() {
    let (landscape, start) = crowded();
    let record = RecordPlan::every(1);
    let freeze = FlowOptions {
        zero_student: ZeroStudentRule::Freeze,
        record,
        ..stop(StopRule { time: Some(6.0), ..StopRule::default() })
    };
    let mut flow = GradientFlow::try_new(landscape.clone(), &start, freeze).unwrap();
    let Advance::Done(end) = flow.advance(u64::MAX) else { panic!("the run must end") };
    assert_eq!((end.status, end.point[0], end.point[1]), (Status::TimeLimit, 0.0, 0.0));
    let dead = flow.rows().iter().find(|row| row.event.is_some()).expect("the event has a row");
    assert!(dead.time < 1.0 && norm(&dead.point[..2]) == 0.0);
    assert!(flow.rows().windows(2).all(|pair| pair[0].time <= pair[1].time));
    let rest = stop(StopRule { time: Some(6.0 - dead.time), ..StopRule::default() });
    let pair = GradientFlow::try_new(Plain::new(2, landscape.teacher), &dead.point[2..], rest).unwrap().run();
    assert!(distance(&pair.point, &end.point[2..]) <= 1e-7, "{:?} {:?}", pair.point, end.point);
}

#[test]
fn slow_decay_is_no_vanishing() {
    // Opposite to the teacher r = exp(-t/2): 1e-22 at t = 100, yet never zero.
    let options = stop(StopRule { time: Some(100.0), ..StopRule::default() });
    let end = GradientFlow::try_new(one_relu(), &[-1.0, 0.0], options).unwrap().run();
    assert_eq!((end.status, end.events.len()), (Status::TimeLimit, 0));
    assert!(end.point[0] < 0.0 && end.point[0] > -1e-9);
    let options = stop(StopRule { gradient_norm: Some(1e-6), ..StopRule::default() });
    let end = GradientFlow::try_new(one_relu(), &[-1.0, 0.0], options).unwrap().run();
    assert_eq!(end.status, Status::Converged, "the ray ends at the zero student in infinite time only");
}

#[test]
fn zero_students_at_the_start_and_in_company_are_all_reported() {
    let (landscape, mut start) = crowded();
    start[..2].fill(0.0);
    let options = stop(StopRule { time: Some(1.0), ..StopRule::default() });
    let end = GradientFlow::try_new(landscape.clone(), &start, options.clone()).unwrap().run();
    assert_eq!((end.status, end.time, end.steps), (Status::ZeroStudent, 0.0, 0));
    let freeze = FlowOptions { zero_student: ZeroStudentRule::Freeze, ..options };
    let end = GradientFlow::try_new(landscape, &start, freeze.clone()).unwrap().run();
    assert_eq!((end.status, end.events.len()), (Status::TimeLimit, 1));
    // Two equal students on the ray vanish together: r' = -(2 r + 1)/2 for each, zero at ln(1 + 2 r0).
    let mut landscape = Plain::new(2, vec![vec![1.0, 0.0]]);
    landscape.output = vec![-1.0, -1.0];
    let end = GradientFlow::try_new(landscape, &[0.4, 0.0, 0.4, 0.0], freeze).unwrap().run();
    let students: Vec<_> = end.events.iter().map(|e| e.kind.index()).collect();
    assert_eq!(students, [Some(0), Some(1)]);
    for event in &end.events {
        assert!((event.time - libm::log(1.8)).abs() < 1e-7, "{}", event.time);
    }
}
