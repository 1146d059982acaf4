//! Certificates of points, enumerations and folds: what was found passes, what was changed does not.

use popgrad::Matrix;
use popgrad_proof::{
    BoxProof, EnumerationCertificate, EnumerationSearch, Interval, PointClaimError, PointOptions,
    PointProblem, PointsCertificate, certify_threshold, check_enumeration, check_fold, check_points,
};

fn certificate(teacher: &Matrix, points: &[Matrix]) -> PointsCertificate {
    let ones = |n: usize| vec![1.0; n];
    let problem =
        PointProblem::try_new(teacher.clone(), ones(teacher.rows()), ones(points[0].rows())).unwrap();
    let reports: Vec<_> =
        points.iter().map(|p| problem.certify(p.view(), PointOptions::default()).unwrap()).collect();
    problem.certificate(&reports).unwrap()
}

/// The first `k - 1` rows are `a` on the diagonal, `b` off it and `c` in the last column; the last row is `d` and then `e`.
fn block(k: usize, [a, b, c, d, e]: [f64; 5]) -> Matrix {
    let last = k - 1;
    let entry = |i: usize, j: usize| match (i == last, j == last) {
        (false, false) if i == j => a,
        (false, false) => b,
        (false, true) => c,
        (true, false) => d,
        (true, true) => e,
    };
    Matrix::try_new(k, k, (0..k * k).map(|at| entry(at / k, at % k)).collect()).unwrap()
}

/// Isolated points, segments, orbits of rotations, split teachers, and points that permutations leave alone.
fn good() -> Vec<PointsCertificate> {
    let half = 0.5 * 1.068_309_886_183_790_7;
    let (x, z) = (0.52457922, 0.40913248);
    let symmetric = [1.003004, -0.003655, 0.093187, 0.063715, -0.810021];
    vec![
        certificate(
            &Matrix::identity(2, 2),
            &[Matrix::identity(2, 2), Matrix::from_rows(&[[half, half], [half, half]])],
        ),
        certificate(
            &Matrix::identity(6, 6),
            &[block(6, [0.986704, -0.050413, 0.308011, 0.224516, -0.601512])],
        ),
        certificate(
            &Matrix::identity(2, 5),
            &[Matrix::from_rows(&[[x, x, z, 0.0, 0.0], [x, x, -z, 0.0, 0.0]])],
        ),
        certificate(&Matrix::identity(1, 2), &[Matrix::from_rows(&[[0.3, 0.0], [0.7, 0.0]])]),
        certificate(&Matrix::identity(20, 20), &[block(20, symmetric)]),
    ]
}

#[test]
fn certificates_of_points_are_accepted() {
    let all = good();
    for c in &all {
        assert_eq!(check_points(c), Ok(c.points.len()), "{c:?}");
        for p in &c.points {
            assert!(p.index.is_some() && p.nullity.is_some() && p.radius < p.unique_radius, "{p:?}");
        }
    }
    // The minimum of twenty units is proved in the subspace that permutations fix, and its orbit in six units without.
    assert_eq!((all[4].points[0].symmetry.clone(), all[1].points[0].symmetry.len()), (vec![1, 19], 0));
    assert_eq!(all[2].points[0].manifold_dimension, Some(2));
    assert!(all[3].points[0].is_teacher);
}

/// A change of a point claim that makes it wrong.
type Change = fn(&mut PointsCertificate);

#[test]
fn edited_points_are_refused() {
    let changes: [(&str, Change); 10] = [
        ("a digit of the center", |c| c.points[0].center.row_mut(0)[0] += 1e-9),
        ("a digit of the teacher", |c| c.teacher.row_mut(0)[0] += 1e-9),
        ("the index", |c| c.points[0].index = c.points[0].index.map(|i| i + 1)),
        ("the index left open", |c| c.points[0].index = None),
        ("the nullity", |c| c.points[0].nullity = Some(17)),
        ("the loss", |c| c.points[0].loss = c.points[0].loss + 1e-3),
        ("the eigenvalue", |c| c.points[0].lambda_min = c.points[0].lambda_min + 1e-3),
        ("a smaller radius", |c| c.points[0].radius *= 0.5),
        ("a larger ball", |c| c.points[0].unique_radius = 0.5),
        ("the mark", |c| c.points[0].is_teacher = !c.points[0].is_teacher),
    ];
    for good in good() {
        for (what, change) in &changes {
            let mut bad = good.clone();
            change(&mut bad);
            assert!(check_points(&bad).is_err(), "{what} of {good:?}");
        }
        let mut bad = good.clone();
        bad.points[0].coincident = vec![vec![0, 1, 99]];
        assert!(matches!(check_points(&bad), Err(PointClaimError::Center { point: 0, .. })));
    }
    let mut bad = good().swap_remove(4);
    bad.points[0].symmetry = vec![20];
    assert!(matches!(check_points(&bad), Err(PointClaimError::NotProved { .. })));
    let mut bad = good().swap_remove(0);
    bad.teacher_output.push(1.0);
    assert!(matches!(check_points(&bad), Err(PointClaimError::Problem(_))));
}

/// Nothing that is not certified gets a certificate.
#[test]
fn refuted_points_have_no_certificate() {
    let problem = PointProblem::try_new(Matrix::identity(2, 2), vec![1.0; 2], vec![1.0; 2]).unwrap();
    let off = Matrix::from_rows(&[[0.9, 0.2], [0.1, 0.7]]);
    let report = problem.certify(off.view(), PointOptions::default()).unwrap();
    assert_eq!(problem.certificate(&[report]), None);
}

#[test]
fn edited_folds_are_refused() {
    for degrees in [45.0, 90.0, 150.0] {
        let good = certify_threshold(degrees).unwrap().unwrap().certificate(degrees);
        assert_eq!(check_fold(&good), Ok(()));
        let mut bad = good;
        bad.degrees += 1e-6;
        assert!(check_fold(&bad).is_err());
        for n in 0..3 {
            let mut bad = good;
            bad.enclosure[n] = bad.enclosure[n] + 2.0 * bad.enclosure[n].width();
            assert!(check_fold(&bad).is_err(), "{degrees} {n}");
            let mut bad = good;
            bad.enclosure[n] = Interval::point(bad.enclosure[n].lo());
            assert!(check_fold(&bad).is_err(), "{degrees} {n}");
            let mut bad = good;
            bad.unique[n] = bad.unique[n] + 1.0;
            assert!(check_fold(&bad).is_err(), "{degrees} {n}");
        }
    }
    let mut bad = certify_threshold(90.0).unwrap().unwrap().certificate(90.0);
    bad.degrees = f64::NAN;
    assert!(check_fold(&bad).is_err());
}

fn enumerated(rows: [[f64; 2]; 2]) -> EnumerationCertificate {
    let teacher = Matrix::from_rows(&rows);
    let search = EnumerationSearch::try_new(teacher.view()).unwrap();
    search.finish_with_certificate().unwrap().1.unwrap()
}

#[test]
fn certificates_of_enumerations_are_accepted() {
    for (rows, points, stationary) in [
        ([[1.0, 0.0], [0.0, 1.0]], 4, 0),
        ([[1.0, 0.0], [0.0, 0.1]], 6, 0),
        ([[0.9, 0.3], [-0.2, 0.6]], 4, 0),
        ([[1.0, 0.0], [0.5, 0.0]], 1, 1),
        ([[1.0, 0.0], [-0.5, 0.0]], 5, 0),
        ([[1.0, 2.0], [-1.0, -2.0]], 6, 0),
    ] {
        let good = enumerated(rows);
        let found = check_enumeration(&good).unwrap();
        assert_eq!((found.points, found.stationary), (points, stationary), "{rows:?}");
        assert_eq!(found.boxes, good.searches.iter().map(|s| s.boxes.len()).sum::<usize>());
    }
}

/// A change of an enumeration that makes it wrong.
type Edit = fn(&mut EnumerationCertificate);

#[test]
fn edited_enumerations_are_refused() {
    let edits: [(&str, Edit, &str); 17] = [
        ("a dropped box", |c| shorten(&mut c.searches[0].boxes, 5), "no box covers"),
        ("swapped boxes", |c| c.searches[1].boxes.swap(2, 3), "out of order"),
        (
            "a moved end",
            |c| c.searches[0].boxes[4].0.u[1] = c.searches[0].boxes[4].0.u[1].next_up(),
            "overlap",
        ),
        (
            "a root called empty",
            |c| recall(c, BoxProof::Root, BoxProof::Value(0)),
            "not seen to hold no root",
        ),
        (
            "an empty box called a root",
            |c| recall(c, BoxProof::Value(0), BoxProof::Root),
            "not seen to hold one",
        ),
        (
            "an empty box called beyond",
            |c| recall(c, BoxProof::Value(0), BoxProof::Beyond),
            "not seen to hold no root",
        ),
        ("a wider small angle", |c| c.searches[0].small_angle += 0.5, "not seen to be without a root"),
        ("a narrower small angle", |c| c.searches[0].small_angle -= 1.0 / 64.0, "no box covers"),
        ("missing boxes", |c| c.searches.truncate(1), "2 are needed"),
        ("a missing point", |c| shorten(&mut c.points, 1), ""),
        ("a point twice", |c| c.points.push(c.points[0].clone()), "not seen to differ"),
        ("another class", |c| c.points[1].class = popgrad_proof::PointClass::Segment, "is no segment point"),
        ("another index", |c| c.points[1].plane.index = Some(0), "the index is claimed to be 0"),
        (
            "another index in space",
            |c| c.points[1].space.as_mut().unwrap().index = Some(0),
            "with one more dimension: point 1",
        ),
        ("a dropped arc", |c| shorten(&mut c.arcs, 3), "do not follow each other"),
        (
            "an arc without its root",
            |c| c.arcs.iter_mut().for_each(|(_, root)| *root = false),
            "hold no root",
        ),
        ("a stationary end", |c| c.vanished[0].direction = None, "not seen to descend"),
    ];
    let good = enumerated([[1.0, 0.0], [0.0, 1.0]]);
    for (what, edit, reason) in edits {
        let mut bad = good.clone();
        edit(&mut bad);
        let error = check_enumeration(&bad).expect_err(what).to_string();
        assert!(error.contains(reason), "{what}: {error}");
    }
    // For another teacher the boxes prove nothing.
    let mut bad = good;
    bad.teacher.row_mut(0)[0] = 0.9;
    assert!(check_enumeration(&bad).is_err());
}

fn shorten<T>(list: &mut Vec<T>, at: usize) {
    list.remove(at);
}

fn recall(c: &mut EnumerationCertificate, from: BoxProof, to: BoxProof) {
    let entry = c.searches[0].boxes.iter_mut().find(|(_, proof)| *proof == from).unwrap();
    entry.1 = to;
}
