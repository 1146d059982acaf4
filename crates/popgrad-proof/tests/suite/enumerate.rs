//! All in-plane critical points of two teachers, against known roots and against a search by Newton's method.

use popgrad::{Blocks, Matrix, RandomStream, Student, TwoLayer, symmetric_eigenvectors};
use popgrad_proof::{
    EnumerateError, Enumeration, EnumerationSearch, Interval, PointClass, PointStatus, certify_fold,
    certify_threshold,
};

fn teacher(degrees: f64, ratio: f64) -> Matrix {
    let a = degrees.to_radians();
    let second = if degrees == 90.0 { [0.0, ratio] } else { [ratio * a.cos(), ratio * a.sin()] };
    Matrix::from_rows(&[[1.0, 0.0], second])
}

fn enumerated(teacher: &Matrix) -> Enumeration {
    let found = EnumerationSearch::try_new(teacher.view()).unwrap().finish().unwrap();
    assert_eq!(found.undecided, 0, "{found:?}");
    for p in &found.points {
        assert_eq!(p.in_plane.status, PointStatus::Certified);
        assert!(p.in_plane.index.is_some() && p.out_of_plane_index.is_some(), "{p:?}");
    }
    assert_eq!(found.points.iter().filter(|p| p.class == PointClass::Global).count(), 1);
    found
}

/// Angle, index in the plane and across it.
type Found = (f64, usize, usize);

/// The isolated points, by rising angle.
fn isolated(found: &Enumeration) -> Vec<Found> {
    let points = found.points.iter().filter(|p| p.class == PointClass::Isolated);
    let mut list: Vec<Found> = points
        .map(|p| (p.theta.middle(), p.in_plane.index.unwrap(), p.out_of_plane_index.unwrap()))
        .collect();
    list.sort_by(|a, b| a.0.total_cmp(&b.0));
    list
}

/// Roots found by a multi-start Newton method in another program, to 13 digits; no further one is known.
#[test]
fn known_roots_are_found_and_no_others() {
    let pi = std::f64::consts::PI;
    let cases: [(f64, f64, &[Found]); 7] = [
        (90.0, 1.0, &[(pi, 1, 1)]),
        (60.0, 1.0, &[(pi, 1, 1)]),
        (90.0, 0.5, &[(2.7261051257509, 1, 1)]),
        (60.0, 0.5, &[(2.9766586771076, 1, 1)]),
        (120.0, 0.3, &[(1.8974503862848, 1, 1)]),
        (135.0, 1.0, &[(2.5499534398539, 1, 1), (2.5499534398539, 1, 1), (pi, 2, 1)]),
        (90.0, 0.1, &[(0.6014311065426, 1, 0), (0.9621161008075, 0, 0), (2.3835154294597, 1, 1)]),
    ];
    for (degrees, ratio, want) in cases {
        let got = isolated(&enumerated(&teacher(degrees, ratio)));
        assert_eq!(got.len(), want.len(), "{degrees} {ratio}: {got:?}");
        for (g, w) in got.iter().zip(want) {
            assert!((g.0 - w.0).abs() < 2e-12 && (g.1, g.2) == (w.1, w.2), "{degrees} {ratio}: {g:?} {w:?}");
        }
    }
}

/// The open question of section 5.2: one teacher strictly inside the students' cone, and a strict local minimum.
#[test]
fn a_spurious_minimum_has_one_teacher_in_the_cone() {
    let found = enumerated(&teacher(90.0, 0.1));
    let spurious =
        found.points.iter().find(|p| p.class == PointClass::Isolated && p.in_plane.index == Some(0)).unwrap();
    assert_eq!((spurious.teachers_in_cone, spurious.out_of_plane_index), (Some(1), Some(0)));
    let (loss, lambda) = (spurious.in_plane.loss.unwrap(), spurious.in_plane.lambda_min.unwrap());
    assert!((loss.middle() - 0.001437758710).abs() < 1e-12 && lambda.lo() > 0.00703, "{spurious:?}");
}

/// Section 5.3: for equal lengths the segments lie along the bisector, `|w_1| + |w_2| = 2 |v| h(angle/2) / pi`.
#[test]
fn segments_lie_along_the_bisector() {
    let found = enumerated(&teacher(60.0, 1.0));
    let segments: Vec<_> = found.points.iter().filter(|p| p.class == PointClass::Segment).collect();
    assert_eq!(segments.len(), 2);
    let h = |t: f64| (std::f64::consts::PI - t) * t.cos() + t.sin();
    let half = std::f64::consts::FRAC_PI_6;
    for (segment, t) in segments.iter().zip([half, std::f64::consts::PI - half]) {
        let center = segment.in_plane.center.as_ref().unwrap();
        let length = 2.0 * (center.row(0)[0].powi(2) + center.row(0)[1].powi(2)).sqrt();
        assert!((length - 2.0 * h(t) / std::f64::consts::PI).abs() < 1e-12);
        assert!((center.row(0)[1] / center.row(0)[0] - half.tan()).abs() < 1e-11);
        assert_eq!(segment.in_plane.manifold_dimension, Some(1));
    }
}

/// A student may vanish where the other one is critical, at the ends of the segments, or both may; for teachers that are not
/// collinear the loss descends from all of these points.
#[test]
fn no_zero_student_is_stationary_for_teachers_in_general_position() {
    for (degrees, ratio) in [(90.0, 1.0), (60.0, 0.5), (135.0, 1.0), (175.0, 0.3), (5.0, 1.0)] {
        let teacher = teacher(degrees, ratio);
        let found = EnumerationSearch::try_new(teacher.view()).unwrap().finish().unwrap();
        let segments = found.points.iter().filter(|p| p.class == PointClass::Segment).count();
        assert_eq!(found.vanished.len(), segments + 1, "{degrees} {ratio}");
        let problem = TwoLayer::try_new(teacher).unwrap();
        for p in &found.vanished {
            assert_eq!(p.stationary, Some(false), "{degrees} {ratio}: {p:?}");
            // The loss really descends: a short second student in the direction lowers it as the slope says.
            let (descent, length) = (p.descent.unwrap(), 1e-6);
            let mut moved = p.students.clone();
            let zero = usize::from(p.segment.is_some());
            let e = [descent.direction.cos(), descent.direction.sin()].map(|x| length * x);
            moved.row_mut(zero).copy_from_slice(&e);
            let loss = |w: &Matrix| problem.loss(Student::new(w.view())).unwrap();
            assert!(
                p.loss.contains(loss(&p.students)) || (p.loss.middle() - loss(&p.students)).abs() < 1e-14
            );
            let slope = (loss(&moved) - loss(&p.students)) / length;
            // The quadratic term is at most one half times the length.
            assert!(
                (slope - descent.slope.middle()).abs() < 2e-6 && slope < 0.0,
                "{degrees} {ratio}: {p:?} {slope}"
            );
        }
    }
}

/// Parallel teachers are one teacher: the students share it out, or one of them is it.
#[test]
fn parallel_teachers_leave_a_segment_of_global_minima() {
    for rows in [[[1.0, 0.0], [1.0, 0.0]], [[1.0, 0.0], [0.1, 0.0]], [[0.3, -0.7], [0.15, -0.35]]] {
        let teacher = Matrix::from_rows(&rows);
        let found = EnumerationSearch::try_new(teacher.view()).unwrap().finish().unwrap();
        assert_eq!((found.undecided, found.points.len(), found.vanished.len()), (0, 1, 2), "{found:?}");
        let p = &found.points[0];
        assert_eq!((p.class, p.class.dimension()), (PointClass::GlobalSegment, 1));
        assert_eq!(
            (p.in_plane.index, p.in_plane.nullity, p.in_plane.manifold_dimension),
            (Some(0), Some(2), Some(1))
        );
        assert_eq!((p.out_of_plane_index, p.in_plane.loss), (Some(0), Some(Interval::ZERO)));
        let (end, both) = (&found.vanished[0], &found.vanished[1]);
        assert_eq!((end.stationary, end.loss, end.segment), (Some(true), Interval::ZERO, Some(0)));
        let sum = [rows[0][0] + rows[1][0], rows[0][1] + rows[1][1]];
        assert!((0..2).all(|i| (end.students.row(0)[i] - sum[i]).abs() < 1e-14), "{end:?}");
        assert_eq!((both.stationary, both.segment), (Some(false), None));
    }
}

/// Opposite teachers: the teachers themselves, four segments, and what the lengths add.
#[test]
fn opposite_teachers_are_enumerated() {
    for (ratio, isolated_points) in [(1.0, 1), (0.5, 0), (0.1, 0)] {
        let teacher = Matrix::from_rows(&[[1.0, 0.0], [-ratio, 0.0]]);
        let found = EnumerationSearch::try_new(teacher.view()).unwrap().finish().unwrap();
        assert_eq!(found.undecided, 0, "{ratio}: {found:?}");
        let count = |class: PointClass| found.points.iter().filter(|p| p.class == class).count();
        assert_eq!(count(PointClass::Global), 1);
        assert_eq!(count(PointClass::Segment), 4, "{ratio}: {found:?}");
        assert_eq!(count(PointClass::Isolated), isolated_points, "{ratio}: {found:?}");
        assert!(found.vanished.iter().all(|p| p.stationary == Some(false)));
        // The reflection in the line of the teachers takes the list to itself.
        for (n, p) in found.points.iter().enumerate() {
            assert_eq!(found.points[p.mirror.unwrap()].mirror, Some(n));
        }
        // One student pair learns one teacher: the loss that is left is a quarter of the other one's square.
        for left in [ratio, 1.0] {
            let loss = 0.25 * left * left;
            let near = |p: &&popgrad_proof::EnumeratedPoint| {
                (p.in_plane.loss.unwrap().middle() - loss).abs() < 1e-12
            };
            let mut on_line = found.points.iter().filter(near).filter(|p| p.class == PointClass::Segment);
            let segment = on_line.next().unwrap();
            assert_eq!(
                (segment.in_plane.index, segment.in_plane.nullity),
                (Some(0), Some(2)),
                "{ratio} {left}"
            );
        }
    }
}

/// What rounding keeps from an axis is put on it; other near misses are named.
#[test]
fn nearly_collinear_teachers() {
    let rounded = teacher(180.0, 0.5);
    assert!(rounded.row(1)[1] != 0.0);
    let found = EnumerationSearch::try_new(rounded.view()).unwrap().finish().unwrap();
    assert_eq!(found.teacher, Matrix::from_rows(&[[1.0, 0.0], [-0.5, 0.0]]));
    assert_eq!(found.undecided, 0);
    let near = Matrix::from_rows(&[[0.3, 0.7], [0.1 * 0.3, 0.1 * 0.7]]);
    let error = EnumerationSearch::try_new(near.view()).unwrap_err();
    assert!(matches!(error, EnumerateError::NearlyCollinear { .. }), "{error}");
    let zero = Matrix::from_rows(&[[0.3, 0.7], [0.0, 0.0]]);
    assert!(matches!(
        EnumerationSearch::try_new(zero.view()),
        Err(EnumerateError::ZeroTeacher { teacher: 1 })
    ));
}

/// The two saddles of equal teachers at 135 degrees are each other's mirror images; the antiparallel one is its own.
#[test]
fn mirror_images_are_recognised() {
    let found = enumerated(&teacher(135.0, 1.0));
    for (n, p) in found.points.iter().enumerate() {
        let image = p.mirror.unwrap();
        assert_eq!(found.points[image].mirror, Some(n), "{n} {image}");
        let alone = p.theta.contains(std::f64::consts::PI) || p.class == PointClass::Global;
        if alone {
            assert_eq!(image, n);
        }
    }
    assert_eq!(found.points.iter().enumerate().filter(|(n, p)| p.mirror != Some(*n)).count(), 4);
    assert!(enumerated(&teacher(90.0, 0.5)).points.iter().all(|p| p.mirror.is_none()));
}

/// A damped Newton method on the gradient from random starts reaches nothing that is not on the list.
#[test]
fn newton_from_random_starts_finds_nothing_else() {
    let teacher = Matrix::from_rows(&[[0.9, 0.3], [-0.2, 0.6]]);
    let found = enumerated(&teacher);
    let problem = TwoLayer::try_new(teacher).unwrap();
    let losses: Vec<f64> = found.points.iter().map(|p| p.in_plane.loss.unwrap().middle()).collect();
    let mut stream = RandomStream::new(31, 0);
    let mut reached = 0;
    for _ in 0..200 {
        let mut entries = vec![0.0; 4];
        stream.fill_normal(&mut entries);
        let mut w = Matrix::try_new(2, 2, entries).unwrap();
        let mut settled = false;
        for _ in 0..200 {
            let Ok(g) = problem.gradient(Student::new(w.view())) else { break };
            let Ok(h) = problem.hessian(Student::new(w.view()), Blocks::Weights) else { break };
            let size = g.weights.as_slice().iter().map(|x| x * x).sum::<f64>().sqrt();
            if size < 1e-12 {
                settled = true;
                break;
            }
            let (values, vectors) = symmetric_eigenvectors(h.view()).unwrap();
            let mut step = [0.0; 4];
            for (i, value) in values.iter().enumerate() {
                let along: f64 = g.weights.as_slice().iter().zip(vectors.row(i)).map(|(a, b)| a * b).sum();
                let damped = value / (value * value + 0.1 * size * size);
                step.iter_mut().zip(vectors.row(i)).for_each(|(s, v)| *s += along * damped * v);
            }
            let length = step.iter().map(|x| x * x).sum::<f64>().sqrt();
            let share = (0.3 / length).min(1.0);
            w.as_mut_slice().iter_mut().zip(step).for_each(|(x, s)| *x -= share * s);
        }
        // A vanishing student is no point of the list.
        let shortest =
            (0..2).map(|j| w.row(j).iter().map(|x| x * x).sum::<f64>()).fold(f64::INFINITY, f64::min);
        if settled && shortest > 1e-12 {
            reached += 1;
            let loss = problem.loss(Student::new(w.view())).unwrap();
            assert!(
                losses.iter().any(|l| (l - loss).abs() < 1e-10),
                "{loss} is not among {losses:?}, at {w:?}"
            );
        }
    }
    assert!(reached > 100, "{reached}");
}

/// Where the search is cut changes nothing.
#[test]
fn cuts_change_nothing() {
    let teacher = teacher(60.0, 0.5);
    let whole = enumerated(&teacher);
    let mut search = EnumerationSearch::try_new(teacher.view()).unwrap();
    while !search.advance(7) {}
    assert_eq!(search.finish().unwrap(), whole);
}

/// The ratio at which the spurious minimum and a saddle meet, for teachers at right angles; both sides of it enumerated.
#[test]
fn the_threshold_of_the_spurious_minimum_is_a_fold() {
    let fold = certify_fold(Interval::PI / 2.0, [0.76, 0.87, 0.1136]).unwrap().unwrap();
    assert!((fold.ratio.middle() - 0.1136).abs() < 5e-5 && fold.ratio.width() < 1e-8, "{fold:?}");
    let ratio = fold.ratio.middle();
    let below = isolated(&enumerated(&teacher(90.0, ratio - 1e-3)));
    let above = isolated(&enumerated(&teacher(90.0, ratio + 1e-3)));
    assert_eq!((below.len(), above.len()), (3, 1), "{below:?} {above:?}");
    assert_eq!((above[0].1, above[0].2), (1, 1));
    // Below, a saddle and a minimum on either side of the fold.
    assert_eq!([(below[0].1, below[0].2), (below[1].1, below[1].2)], [(1, 0), (0, 0)]);
    assert!(below[0].0 < fold.theta.lo() && fold.theta.hi() < below[1].0, "{below:?} {fold:?}");
}

/// The thresholds that a continuation in another program found, to four digits.
#[test]
fn thresholds_at_other_angles_are_certified() {
    let cases = [
        (15.0, 0.1229),
        (30.0, 0.1164),
        (45.0, 0.1125),
        (60.0, 0.1107),
        (75.0, 0.1111),
        (90.0, 0.1136),
        (105.0, 0.1184),
        (120.0, 0.1257),
        (135.0, 0.1359),
        (150.0, 0.1498),
        (165.0, 0.1682),
    ];
    for (degrees, ratio) in cases {
        let fold = certify_threshold(degrees).unwrap().unwrap();
        assert!(
            (fold.ratio.middle() - ratio).abs() < 1e-4 && fold.ratio.width() < 1e-7,
            "{degrees}: {fold:?}"
        );
    }
    assert_eq!(certify_threshold(0.0).unwrap(), None);
    assert_eq!(certify_threshold(f64::NAN).unwrap(), None);
}
