//! Critical points: minima, saddles, manifolds; refutations; what is no point.

use popgrad::{Matrix, RandomStream};
use popgrad_proof::{
    Claim, Interval, PointError, PointOptions, PointProblem, PointReason, PointReport, PointSetting,
    PointSkip, PointStatus,
};
use std::f64::consts::{FRAC_1_SQRT_2, PI};

fn problem(teacher: &Matrix, students: usize) -> PointProblem {
    PointProblem::try_new(teacher.clone(), vec![1.0; teacher.rows()], vec![1.0; students]).unwrap()
}

fn certify(teacher: &Matrix, point: &Matrix) -> PointReport {
    problem(teacher, point.rows()).certify(point.view(), PointOptions::default()).unwrap()
}

/// A certified critical point with this index on a manifold of this dimension.
fn certified(teacher: &Matrix, point: &Matrix, index: usize, dimension: usize) -> PointReport {
    let report = certify(teacher, point);
    assert_eq!(report.status, PointStatus::Certified, "{report:?}");
    assert_eq!((report.index, report.manifold_dimension), (Some(index), Some(dimension)), "{report:?}");
    report
}

fn minimum(teacher: &Matrix, point: &Matrix) -> PointReport {
    let options = PointOptions { claim: Claim::Minimum, ..PointOptions::default() };
    problem(teacher, point.rows()).certify(point.view(), options).unwrap()
}

/// The first `k - 1` rows are `a` on the diagonal, `b` off it and `c` in the last column; the last row is `d` and then `e`.
fn block(k: usize, [a, b, c, d, e]: [f64; 5]) -> Matrix {
    let entry = |i: usize, j: usize| match (i == k - 1, j == k - 1) {
        (false, false) => {
            if i == j {
                a
            } else {
                b
            }
        }
        (false, true) => c,
        (true, false) => d,
        (true, true) => e,
    };
    Matrix::try_new(k, k, (0..k * k).map(|at| entry(at / k, at % k)).collect()).unwrap()
}

/// Tian's `h`.
fn h(t: f64) -> f64 {
    (PI - t) * t.cos() + t.sin()
}

/// Students that coincide with orthonormal teachers: every angle between a student and its teacher is 0.
#[test]
fn the_teacher_itself_is_a_strict_minimum() {
    let smallest = 0.25 - 0.5 / PI;
    for k in [2, 3, 5, 6, 8] {
        let teacher = Matrix::identity(k, k);
        let report = certified(&teacher, &teacher, 0, 0);
        let lambda = report.lambda_min.unwrap();
        assert!(lambda.contains(smallest) && lambda.width() < 1e-8, "{lambda:?}");
        let loss = report.loss.unwrap();
        assert!(loss.contains(0.0) && loss.hi() < 1e-12, "{loss:?}");
        assert_eq!(minimum(&teacher, &teacher).status, PointStatus::Certified);
    }
}

/// One case of `fixtures/critical_points.txt`.
#[derive(Debug, Default)]
struct Golden {
    name: String,
    teacher: Option<Matrix>,
    students: usize,
    /// Pairs high, low.
    point: Vec<f64>,
    loss: [f64; 2],
    smallest: [f64; 2],
    counts: [usize; 2],
}

fn golden() -> Vec<Golden> {
    let text = include_str!("../fixtures/critical_points.txt");
    let bits = |word: &str| f64::from_bits(u64::from_str_radix(word, 16).unwrap());
    let mut cases: Vec<Golden> = Vec::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (key, rest) = line.split_once(' ').unwrap();
        let words: Vec<&str> = rest.split(' ').collect();
        if key == "name" {
            cases.push(Golden { name: rest.to_owned(), ..Golden::default() });
            continue;
        }
        let case = cases.last_mut().unwrap();
        match key {
            "teacher" => {
                let (rows, cols) = (words[0].parse().unwrap(), words[1].parse().unwrap());
                let entries = words[2..].iter().map(|w| bits(w)).collect();
                case.teacher = Some(Matrix::try_new(rows, cols, entries).unwrap());
            }
            "point" => {
                case.students = words[0].parse().unwrap();
                case.point = words[1..].iter().map(|w| bits(w)).collect();
            }
            "loss" => case.loss = [bits(words[0]), bits(words[1])],
            "smallest" => case.smallest = [bits(words[0]), bits(words[1])],
            "counts" => case.counts = [words[0].parse().unwrap(), words[1].parse().unwrap()],
            other => panic!("{other}"),
        }
    }
    cases
}

fn holds(x: Interval, [high, low]: [f64; 2]) -> bool {
    x.lo() - high <= low && low <= x.hi() - high
}

/// Points from 40 digits, given with an error of 1e-7 in each entry: the certified ball, loss, eigenvalue and index agree.
#[test]
fn golden_points_lie_in_the_certified_balls() {
    let mut stream = RandomStream::new(7, 0);
    let cases = golden();
    assert_eq!(cases.len(), 6);
    for case in cases {
        let teacher = case.teacher.as_ref().unwrap();
        let given: Vec<f64> =
            case.point.chunks(2).map(|x| x[0] + 1e-7 * (2.0 * stream.uniform() - 1.0)).collect();
        let given = Matrix::try_new(case.students, teacher.cols(), given).unwrap();
        let report = certified(teacher, &given, case.counts[0], case.counts[1]);
        assert!(holds(report.loss.unwrap(), case.loss), "{}: {report:?}", case.name);
        assert!(report.loss.unwrap().width() < 1e-11, "{}: {report:?}", case.name);
        let lambda = report.lambda_min.unwrap();
        // Only the smallest eigenvalue itself is compared where a manifold moves the frame.
        assert!(holds(lambda, case.smallest) && lambda.width() < 1e-6, "{}: {report:?}", case.name);
        if case.counts[1] == 0 {
            let center = report.center.unwrap();
            let offsets = center.as_slice().iter().zip(case.point.chunks(2)).map(|(c, x)| (x[0] - c) + x[1]);
            let distance = offsets.map(|x| x * x).sum::<f64>().sqrt();
            assert!(distance <= report.radius.unwrap() * (1.0 + 1e-9), "{}: {distance:e}", case.name);
            assert!(report.radius.unwrap() < report.unique_radius.unwrap());
        }
    }
}

/// Safran and Shamir (2018): loss and smallest eigenvalue of the minima of six and seven units.
#[test]
fn published_minima_are_minima() {
    let cases = [
        (6, [0.986704, -0.050413, 0.308011, 0.224516, -0.601512], 0.0250805810024635, 0.00470035),
        (7, [0.996923, -0.035080, 0.261691, 0.185991, -0.632704], 0.0232027149, 0.01405901),
    ];
    for (k, entries, loss, lambda) in cases {
        let (teacher, point) = (Matrix::identity(k, k), block(k, entries));
        let report = certified(&teacher, &point, 0, 0);
        assert!((report.loss.unwrap().middle() - loss).abs() < 1e-10);
        assert!((report.lambda_min.unwrap().middle() - lambda).abs() < 1e-8);
        assert_eq!(minimum(&teacher, &point).status, PointStatus::Certified);
    }
}

/// The end point of Safran and Shamir's table for 15 teachers and 16 students that is a saddle, from its block structure.
#[test]
fn a_published_end_point_that_is_a_saddle_is_no_minimum() {
    let k = 15;
    let special = |j: usize| j >= 12;
    let entry = |i: usize, j: usize| match i {
        0..12 => {
            if i == j {
                1.0025845
            } else if special(j) {
                0.0616689
            } else {
                -0.0013059
            }
        }
        12..15 => {
            if i == j {
                -0.6183220
            } else if special(j) {
                0.1785443
            } else {
                0.0254066
            }
        }
        _ => {
            if special(j) {
                0.4928934
            } else {
                -0.0690130
            }
        }
    };
    let point =
        Matrix::try_new(k + 1, k, (0..(k + 1) * k).map(|at| entry(at / k, at % k)).collect()).unwrap();
    let teacher = Matrix::identity(k, k);
    let report = certified(&teacher, &point, 2, 0);
    assert!((report.lambda_min.unwrap().middle() + 0.0027021).abs() < 1e-7, "{report:?}");
    let report = minimum(&teacher, &point);
    assert_eq!(report.status, PointStatus::Refuted);
    assert!(
        matches!(report.reason, Some(PointReason::NoMinimum { largest }) if largest < -0.0027),
        "{report:?}"
    );
}

/// Section 5.3 with orthonormal teachers: the antiparallel pair, where the angle of the students is pi.
#[test]
fn the_antiparallel_saddle_of_two_units_is_isolated() {
    let (long, short) =
        (2.0 * h(PI / 4.0) / PI * FRAC_1_SQRT_2, 2.0 * h(3.0 * PI / 4.0) / PI * FRAC_1_SQRT_2);
    let point = Matrix::from_rows(&[[long, long], [-short, -short]]);
    let report = certified(&Matrix::identity(2, 2), &point, 1, 0);
    assert!(report.distance.unwrap() < 1e-13, "{report:?}");
    assert_eq!(minimum(&Matrix::identity(2, 2), &point).status, PointStatus::Refuted);
}

/// Section 5.3: two students of one direction, `|w_1| + |w_2| = 2 h(pi/4) / pi`; a segment of critical points.
#[test]
fn collinear_students_lie_on_a_segment_of_critical_points() {
    let total = 2.0 * h(PI / 4.0) / PI * FRAC_1_SQRT_2;
    for share in [0.1, 0.5, 0.73] {
        let (a, b) = (share * total, (1.0 - share) * total);
        let flat = Matrix::from_rows(&[[a, a], [b, b]]);
        let report = certified(&Matrix::identity(2, 2), &flat, 1, 1);
        assert_eq!(report.coincident, [vec![0, 1]]);
        assert!(report.distance.unwrap() < 1e-12);
        // In more dimensions the students may also part across the plane of the teachers, in opposite directions.
        let deep = Matrix::from_rows(&[[a, a, 0.0, 0.0], [b, b, 0.0, 0.0]]);
        certified(&Matrix::identity(2, 4), &deep, 3, 1);
    }
    let total = 2.0 * h(3.0 * PI / 4.0) / PI * FRAC_1_SQRT_2;
    let behind = Matrix::from_rows(&[[-0.3 * total; 2], [-0.7 * total; 2]]);
    certified(&Matrix::identity(2, 2), &behind, 2, 1);
}

/// A point out of the plane of its teachers; rotations that fix the teachers move it along a sphere.
#[test]
fn points_out_of_the_plane_lie_on_orbits() {
    let (x, z) = (0.52457922, 0.40913248);
    for d in [3, 4, 5, 6] {
        let mut rows = vec![vec![0.0; d]; 2];
        let mut stream = RandomStream::new(5, d as u64);
        let mut direction = vec![0.0; d - 2];
        stream.fill_sphere(1.0, &mut direction);
        for (row, sign) in rows.iter_mut().zip([1.0, -1.0]) {
            row[..2].fill(x);
            row[2..].iter_mut().zip(&direction).for_each(|(r, u)| *r = sign * z * u);
        }
        let point = Matrix::try_from_rows(&rows).unwrap();
        certified(&Matrix::identity(2, d), &point, 1, d - 3);
    }
}

/// The same point after a rotation of the whole space, teachers in general position.
#[test]
fn orbits_are_found_for_teachers_off_the_axes() {
    let d = 5;
    let mut stream = RandomStream::new(21, 0);
    // Reflections across random hyperplanes, applied to teacher and students.
    let mut rows = vec![
        vec![1.0, 0.0, 0.0, 0.0, 0.0],
        vec![0.0, 1.0, 0.0, 0.0, 0.0],
        vec![0.52457922, 0.52457922, 0.40913248, 0.0, 0.0],
        vec![0.52457922, 0.52457922, -0.40913248, 0.0, 0.0],
    ];
    for _ in 0..3 {
        let mut axis = vec![0.0; d];
        stream.fill_sphere(1.0, &mut axis);
        for row in &mut rows {
            let along: f64 = row.iter().zip(&axis).map(|(x, a)| x * a).sum();
            row.iter_mut().zip(&axis).for_each(|(x, a)| *x -= 2.0 * along * a);
        }
    }
    let teacher = Matrix::try_from_rows(&rows[..2]).unwrap();
    let point = Matrix::try_from_rows(&rows[2..]).unwrap();
    certified(&teacher, &point, 1, 2);
}

/// A teacher of unequal lengths with a strict spurious minimum for two students.
#[test]
fn the_spurious_minimum_of_two_units_is_a_minimum() {
    let teacher = Matrix::from_rows(&[[1.0, 0.0], [0.0, 0.1]]);
    let point =
        Matrix::from_rows(&[[0.03282785873636, -0.03955124042503], [0.99533080337093, 0.08389774864203]]);
    let report = minimum(&teacher, &point);
    assert_eq!((report.status, report.index), (PointStatus::Certified, Some(0)));
    assert!(report.loss.unwrap().lo() > 0.0014377587 && report.lambda_min.unwrap().lo() > 0.00703);
}

/// Output weights other than one: `a_j w_j = b_j v_j` is a minimum.
#[test]
fn output_weights_are_taken_into_account() {
    let teacher = Matrix::from_rows(&[[1.0, 0.25, 0.5], [0.125, 0.75, -0.5]]);
    let problem = PointProblem::try_new(teacher, vec![1.0, -0.5], vec![2.0, -0.25]).unwrap();
    let point = Matrix::from_rows(&[[0.5, 0.125, 0.25], [0.25, 1.5, -1.0]]);
    let report = problem.certify(point.view(), PointOptions::default()).unwrap();
    assert_eq!((report.status, report.index), (PointStatus::Certified, Some(0)), "{report:?}");
    assert!(report.loss.unwrap().hi() < 1e-12);
}

/// A teacher split over students: the loss is zero, so the point is a minimum; the zero eigenvalues are counted.
#[test]
fn split_teachers_are_global_minima_with_a_counted_null_space() {
    let cases = [
        (Matrix::identity(1, 2), Matrix::from_rows(&[[0.3, 0.0], [0.7, 0.0]]), 2, 1),
        (
            Matrix::identity(1, 3),
            Matrix::from_rows(&[[0.2, 0.0, 0.0], [0.7, 0.0, 0.0], [0.1, 0.0, 0.0]]),
            6,
            2,
        ),
        (
            Matrix::from_rows(&[[0.3, 0.7], [-0.4, 0.9]]),
            Matrix::from_rows(&[[0.15, 0.35], [-0.4, 0.9], [0.15, 0.35]]),
            2,
            1,
        ),
    ];
    for (teacher, point, nullity, manifold) in cases {
        for report in [certify(&teacher, &point), minimum(&teacher, &point)] {
            assert_eq!(report.status, PointStatus::Certified, "{report:?}");
            assert_eq!((report.index, report.nullity), (Some(0), Some(nullity)), "{report:?}");
            assert_eq!((report.manifold_dimension, report.is_teacher), (Some(manifold), true));
            assert_eq!(report.loss, Some(Interval::ZERO));
            assert_eq!(report.reason, Some(PointReason::SplitTeacher { nullity, manifold }));
            assert!(report.reason.unwrap().to_string().contains("grows like the cube"));
        }
    }
}

/// The loss beside a split teacher grows like the cube of the distance, as the reason says.
#[test]
fn the_loss_beside_a_split_teacher_grows_like_the_cube() {
    let problem = popgrad::TwoLayer::try_new(Matrix::identity(1, 2)).unwrap();
    let loss = |t: f64| {
        let w = Matrix::from_rows(&[[0.3, t], [0.7, -t]]);
        problem.loss(popgrad::Student::new(w.view())).unwrap()
    };
    let rate = (loss(2e-2) / loss(1e-2)).log2();
    assert!((rate - 3.0).abs() < 0.05 && loss(1e-2) > 0.0, "{rate}");
}

/// Opposite teachers, both students along one of them: the other has no part in the Hessian, whose zeros are counted.
#[test]
fn students_on_one_side_of_opposite_teachers_are_counted_out() {
    for (behind, share) in [(0.5, 0.4), (0.5, 0.5), (2.0, 0.5)] {
        let teacher = Matrix::from_rows(&[[0.6, 0.8], [-0.6 * behind, -0.8 * behind]]);
        let point =
            Matrix::from_rows(&[[0.6 * share, 0.8 * share], [0.6 * (1.0 - share), 0.8 * (1.0 - share)]]);
        let report = certify(&teacher, &point);
        assert_eq!((report.status, report.index, report.nullity), (PointStatus::Certified, Some(0), Some(2)));
        assert_eq!(report.reason, Some(PointReason::SplitSide { nullity: 2, manifold: 1 }));
        assert!(report.loss.unwrap().contains(0.25 * behind * behind) && !report.is_teacher, "{report:?}");
        // The index does not tell what the cube does.
        assert_eq!(minimum(&teacher, &point).status, PointStatus::Undecided);
    }
}

/// (E.14): beside the students `(l_1, 0)`, `(l_2, 0)`, apart by `t` each, the loss changes by the cube of `t`.
#[test]
fn the_cube_beside_students_of_one_side() {
    for (behind, first) in [(0.5, 0.5), (0.5, 0.9), (2.0, 0.5), (0.0, 0.2)] {
        let second = 1.0 - first;
        let teacher = Matrix::from_rows(&[[1.0, 0.0], [-behind, 0.0]]);
        let problem = popgrad::TwoLayer::try_new(teacher).unwrap();
        let loss = |t: f64| {
            let w = Matrix::from_rows(&[[first, t], [second, -t]]);
            problem.loss(popgrad::Student::new(w.view())).unwrap()
        };
        let t = 1e-3;
        let want = (1.0 - (1.0 + behind) * (first * first + second * second))
            / (6.0 * PI * (first * second).powi(2));
        let got = (loss(t) - loss(0.0)) / t.powi(3);
        assert!((got - want).abs() < 0.03 * want.abs() + 1e-3, "{behind} {first}: {got} {want}");
    }
}

/// Students of one direction whose index stays open: what is known is said, and nothing is guessed.
#[test]
fn an_open_index_of_students_of_one_direction_is_explained() {
    // With a leaky slope the teacher behind pulls on the students, so the point is another one, and not known exactly.
    let teacher = Matrix::from_rows(&[[1.0, 0.0], [-0.5, 0.0]]);
    let setting = PointSetting { leaky: 0.25, ..PointSetting::default() };
    // (1-a)^2 (w - 1)/2 + a (w - 1/2) = 0.
    let w = (0.28125 + 0.125) / (0.28125 + 0.25);
    let point = Matrix::from_rows(&[[0.4 * w, 0.0], [0.6 * w, 0.0]]);
    let report = in_setting(&teacher, &point, setting);
    assert_eq!(
        (report.status, report.index, report.nullity),
        (PointStatus::Certified, None, None),
        "{report:?}"
    );
    assert_eq!(
        report.reason,
        Some(PointReason::SplitOpen { open: 1, forced: 1, negative: 0, positive: 2, split: 1 })
    );
}

fn in_setting(teacher: &Matrix, point: &Matrix, setting: PointSetting) -> PointReport {
    let problem = problem(teacher, point.rows()).with_setting(setting).unwrap();
    let report = problem.certify(point.view(), PointOptions::default()).unwrap();
    if report.status == PointStatus::Certified {
        let certificate = problem.certificate(std::slice::from_ref(&report)).unwrap();
        assert_eq!(popgrad_proof::check_points(&certificate), Ok(1));
        let mut white = certificate;
        white.setting = PointSetting { leaky: white.setting.leaky + 0.125, ..PointSetting::default() };
        assert!(report.is_teacher || popgrad_proof::check_points(&white).is_err());
    }
    report
}

/// The spurious minimum of two units and its saddle keep loss and index under a covariance, at `W L^-1` for a teacher `V L^-1`.
#[test]
fn a_covariance_moves_critical_points_and_keeps_their_index() {
    let white = Matrix::from_rows(&[[1.0, 0.0], [0.0, 0.1]]);
    // Sigma = L L^T with L = [[2, 0], [1, 0.5]]; u L^-1 = (u0/2 - u1, 2 u1) for rows u.
    let sigma = Matrix::from_rows(&[[4.0, 2.0], [2.0, 1.25]]);
    let moved = |x: &Matrix| {
        let row = |j: usize| [0.5 * x.row(j)[0] - x.row(j)[1], 2.0 * x.row(j)[1]];
        Matrix::from_rows(&[row(0), row(1)])
    };
    for (rows, index) in [
        ([[0.03282785873636, -0.03955124042503], [0.99533080337093, 0.08389774864203]], 0),
        ([[0.09361723484601, -0.05065111675380], [0.93647028033874, 0.09915565771259]], 1),
    ] {
        let point = Matrix::from_rows(&rows);
        let plain = certify(&white, &point);
        let setting = PointSetting { covariance: Some(sigma.clone()), ..PointSetting::default() };
        let report = in_setting(&moved(&white), &moved(&point), setting);
        assert_eq!((report.status, report.index), (PointStatus::Certified, Some(index)), "{report:?}");
        let (a, b) = (plain.loss.unwrap(), report.loss.unwrap());
        assert!((a.middle() - b.middle()).abs() < 1e-15 + a.width() + b.width(), "{a:?} {b:?}");
    }
}

/// Leaky slopes and skips: the teacher stays a minimum, a fixed difference of skips moves it away, a trained one does not matter.
#[test]
fn leaky_slopes_and_skips_are_taken_into_account() {
    let teacher = Matrix::from_rows(&[[1.0, 0.2], [-0.3, 0.8]]);
    for leaky in [0.2, -0.5] {
        let setting = PointSetting { leaky, ..PointSetting::default() };
        let report = in_setting(&teacher, &teacher, setting);
        assert_eq!((report.index, report.is_teacher, report.loss), (Some(0), true, Some(Interval::ZERO)));
    }
    let apart = PointSkip::Fixed { student: vec![0.1, 0.0], teacher: vec![0.0, 0.0] };
    let report = in_setting(&teacher, &teacher, PointSetting { skip: apart, ..PointSetting::default() });
    assert_eq!(report.status, PointStatus::Refuted, "{report:?}");
    let same = PointSkip::Fixed { student: vec![0.1, 0.3], teacher: vec![0.1, 0.3] };
    let report = in_setting(&teacher, &teacher, PointSetting { skip: same, ..PointSetting::default() });
    assert_eq!((report.index, report.is_teacher), (Some(0), true));
    let trained = PointSetting { skip: PointSkip::Trained, ..PointSetting::default() };
    let report = in_setting(&teacher, &teacher, trained);
    assert_eq!((report.index, report.is_teacher), (Some(0), true), "{report:?}");
    // With a trained skip a student may stand opposite its teacher: relu(z) = z + relu(-z).
    let mut turned = teacher.clone();
    turned.row_mut(0).iter_mut().for_each(|x| *x = -*x);
    let trained = PointSetting { skip: PointSkip::Trained, ..PointSetting::default() };
    let report = in_setting(&teacher, &turned, trained);
    assert_eq!((report.status, report.index), (PointStatus::Certified, Some(0)), "{report:?}");
    assert!(report.loss.unwrap().contains(0.0) && report.loss.unwrap().hi() < 1e-12);
    assert_eq!(certify(&teacher, &turned).status, PointStatus::Refuted);
}

#[test]
fn settings_that_are_none_are_refused() {
    let refused = |setting: PointSetting| {
        problem(&Matrix::identity(2, 2), 2).with_setting(setting).unwrap_err().to_string()
    };
    let plain = PointSetting::default;
    assert!(refused(PointSetting { leaky: f64::NAN, ..plain() }).contains("is not finite"));
    let skip = PointSkip::Fixed { student: vec![1.0], teacher: vec![0.0, 0.0] };
    assert!(refused(PointSetting { skip, ..plain() }).contains("the input dimension is 2"));
    for (rows, reason) in [
        ([[1.0, 2.0], [2.0, 1.0]], "not certainly positive definite, in row 1"),
        ([[1.0, 0.2], [0.3, 1.0]], "not symmetric at [1, 0]"),
        ([[1.0, f64::INFINITY], [0.3, 1.0]], "not finite"),
    ] {
        let covariance = Some(Matrix::from_rows(&rows));
        let message = refused(PointSetting { covariance, ..plain() });
        assert!(message.contains(reason), "{message}");
    }
    let covariance = Some(Matrix::identity(3, 3));
    assert!(refused(PointSetting { covariance, ..plain() }).contains("2 x 2 is needed"));
}

#[test]
fn points_that_are_not_critical_are_refuted() {
    let teacher = Matrix::identity(3, 3);
    let mut stream = RandomStream::new(9, 0);
    for _ in 0..20 {
        let mut entries = vec![0.0; 9];
        stream.fill_normal(&mut entries);
        let report = certify(&teacher, &Matrix::try_new(3, 3, entries).unwrap());
        assert_eq!((report.status, report.index), (PointStatus::Refuted, None), "{report:?}");
        assert!(report.reason.is_some() && report.loss.is_none());
    }
    // Next to a critical point, but not within the radius.
    for offset in [1e-2, 1e-3, 3e-4] {
        let mut near = teacher.clone();
        near.row_mut(0)[1] = offset;
        assert_eq!(certify(&teacher, &near).status, PointStatus::Refuted, "{offset}");
        let wide = PointOptions { radius: Some(2.0 * offset), ..PointOptions::default() };
        let report = problem(&teacher, 3).certify(near.view(), wide).unwrap();
        assert_eq!(report.status, PointStatus::Certified, "{report:?}");
    }
}

/// Nothing is claimed about a ball whose edge the critical point touches.
#[test]
fn the_edge_of_the_ball_is_undecided() {
    let teacher = Matrix::identity(2, 2);
    let mut near = teacher.clone();
    near.row_mut(0)[0] = 1.0 + 1e-4;
    let options = PointOptions { radius: Some(1e-4), ..PointOptions::default() };
    let report = problem(&teacher, 2).certify(near.view(), options).unwrap();
    assert_ne!(report.status, PointStatus::Refuted);
    assert!(report.status == PointStatus::Undecided || report.distance.unwrap() <= 1e-4, "{report:?}");
}

#[test]
fn what_is_no_point_is_named() {
    let teacher = Matrix::identity(2, 2);
    let p = problem(&teacher, 2);
    let ask =
        |rows: &[[f64; 2]]| p.certify(Matrix::from_rows(rows).view(), PointOptions::default()).unwrap_err();
    assert_eq!(ask(&[[1.0, 0.0], [0.0, 0.0]]), PointError::ZeroStudent { student: 1 });
    assert_eq!(ask(&[[1.0, 0.0]]), PointError::Shape { got: (1, 2), want: (2, 2) });
    assert_eq!(
        ask(&[[1.0, 0.0], [0.0, f64::INFINITY]]),
        PointError::NonFinite { name: "the point", row: 1, col: 1, value: f64::INFINITY }
    );
    let limited = PointOptions { memory_limit: 1000, ..PointOptions::default() };
    assert!(matches!(
        p.certify(teacher.view(), limited),
        Err(PointError::Memory { needed: 2560, limit: 1000 })
    ));
    let none = PointOptions { radius: Some(0.0), ..PointOptions::default() };
    assert!(matches!(p.certify(teacher.view(), none), Err(PointError::Radius { .. })));
    assert!(PointProblem::try_new(teacher.clone(), vec![1.0], vec![1.0]).is_err());
    assert!(PointProblem::try_new(teacher.clone(), vec![1.0, f64::NAN], vec![1.0]).is_err());
    assert!(PointProblem::try_new(teacher, vec![1.0; 2], vec![1.0, 0.0]).is_err());
    assert!(PointProblem::try_new(Matrix::zeros(0, 2), vec![], vec![1.0]).is_err());
}

/// Students of the norm of the ball: no statement, and no panic.
#[test]
fn students_that_may_vanish_are_not_certified() {
    let teacher = Matrix::identity(2, 2);
    let tiny = Matrix::from_rows(&[[1.0, 0.0], [0.0, 1e-9]]);
    let report = certify(&teacher, &tiny);
    assert_ne!(report.status, PointStatus::Certified, "{report:?}");
}

/// The minimum with `special` students of negative own weight: own, off and special entries of the others, then of the special.
fn family(k: usize, special: usize, [a, b, c, d, e, f]: [f64; 6]) -> Matrix {
    let is_special = |j: usize| j >= k - special;
    let entry = |j: usize, i: usize| match (is_special(j), is_special(i), i == j) {
        (false, _, true) => a,
        (false, false, _) => b,
        (false, true, _) => c,
        (true, false, _) => d,
        (true, true, false) => e,
        (true, true, true) => f,
    };
    Matrix::try_new(k, k, (0..k * k).map(|at| entry(at / k, at % k)).collect()).unwrap()
}

/// Safran, Yehudai and Shamir (2020): loss and smallest eigenvalue of minima of twenty units; students in another order.
#[test]
fn symmetric_minima_of_twenty_units_match_the_published_ones() {
    let k = 20;
    let cases = [
        (1, [1.003004, -0.003655, 0.093187, 0.063715, 0.0, -0.810021], 0.0112755819, 0.05509258),
        (2, [1.004828, -0.007797, 0.094595, 0.064714, 0.081850, -0.821456], 0.0219229735, 0.04434431),
        (3, [1.005540, -0.012508, 0.095978, 0.065663, 0.082511, -0.831479], 0.0321516199, 0.03851268),
    ];
    for (special, entries, loss, lambda) in cases {
        let sorted = family(k, special, entries);
        let rows: Vec<Vec<f64>> = (0..k).map(|j| sorted.row((7 * j + 3) % k).to_vec()).collect();
        let report = minimum(&Matrix::identity(k, k), &Matrix::try_from_rows(&rows).unwrap());
        assert_eq!((report.status, report.index), (PointStatus::Certified, Some(0)), "{report:?}");
        let mut classes = report.symmetry;
        classes.sort_unstable();
        assert_eq!(classes, [special, k - special]);
        assert!((report.loss.unwrap().middle() - loss).abs() < 1e-10);
        assert!((report.lambda_min.unwrap().middle() - lambda).abs() < 1e-8);
    }
}

/// Ten thousand parameters.
#[test]
fn a_hundred_units_are_certified() {
    let k = 100;
    let teacher = Matrix::identity(k, k);
    let report = minimum(&teacher, &teacher);
    assert_eq!((report.status, report.symmetry.as_slice()), (PointStatus::Certified, [k].as_slice()));
    assert!(report.lambda_min.unwrap().contains(0.25 - 0.5 / PI));
    let entries = [1.00040625, -0.00027520, 0.01962000, 0.01316956, 0.01871994, -0.95192661];
    let report = minimum(&teacher, &family(k, 2, entries));
    assert_eq!((report.status, report.index), (PointStatus::Certified, Some(0)), "{:?}", report.reason);
    let (loss, lambda) = (report.loss.unwrap(), report.lambda_min.unwrap());
    assert!(loss.lo() > 0.00544869 && loss.hi() < 0.0054487 && lambda.lo() > 0.0712, "{loss:?} {lambda:?}");
}

/// A ball so wide that it takes the zeros for the small entries: the group is then found with a smaller tolerance.
#[test]
fn a_wide_ball_does_not_hide_the_symmetry() {
    let k = 20;
    let entries = [1.00300375, -0.00365514, 0.09318741, 0.06371471, 0.0, -0.81002058];
    let wide = PointOptions { radius: Some(0.02), ..PointOptions::default() };
    let teacher = Matrix::identity(k, k);
    let report = problem(&teacher, k).certify(family(k, 1, entries).view(), wide).unwrap();
    assert_eq!((report.status, report.index), (PointStatus::Certified, Some(0)), "{report:?}");
    assert!(report.symmetry.contains(&19), "{report:?}");
}

/// A large point without symmetry takes the general way.
#[test]
fn a_large_point_in_general_position_is_certified() {
    let (k, d) = (13, 13);
    let mut stream = RandomStream::new(14, 0);
    let mut entries = vec![0.0; k * d];
    stream.fill_normal(&mut entries);
    let teacher = Matrix::try_new(k, d, entries).unwrap();
    let report = certified(&teacher, &teacher, 0, 0);
    assert!(report.symmetry.is_empty() && report.loss.unwrap().contains(0.0));
}

/// In a hundred dimensions a point out of the plane has symmetries and an orbit; the index comes from the general way.
#[test]
fn an_orbit_in_many_dimensions_keeps_its_dimension() {
    let d = 100;
    let mut rows = vec![vec![0.0; d]; 2];
    for (row, sign) in rows.iter_mut().zip([1.0, -1.0]) {
        row[..2].fill(0.52457922);
        row[2] = sign * 0.40913248;
    }
    let report = certified(&Matrix::identity(2, d), &Matrix::try_from_rows(&rows).unwrap(), 1, d - 3);
    assert!(report.symmetry.is_empty());
}

/// A point whose Hessian would not fit is refuted by its gradient, certified by its symmetry, or refused.
#[test]
fn the_memory_limit_stops_the_general_way_only() {
    let k = 20;
    let limited = PointOptions { memory_limit: 1 << 20, ..PointOptions::default() };
    let p = problem(&Matrix::identity(k, k), k);
    assert_eq!(p.certify(Matrix::identity(k, k).view(), limited).unwrap().status, PointStatus::Certified);
    let mut entries = vec![0.0; k * k];
    RandomStream::new(4, 0).fill_normal(&mut entries);
    let random = Matrix::try_new(k, k, entries).unwrap();
    assert_eq!(p.certify(random.view(), limited).unwrap().status, PointStatus::Refuted);
    let p = problem(&random, k);
    assert!(matches!(p.certify(random.view(), limited), Err(PointError::Memory { .. })));
}
