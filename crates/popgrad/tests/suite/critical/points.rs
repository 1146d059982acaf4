//! Known critical points.

use super::{all_eigenvalues, classify, orthonormal};
use popgrad::accuracy::bound;
use popgrad::{
    CriticalError, CriticalPoint, CriticalSearch, Kind, Matrix, Nature, SearchOptions, SearchStatus, Student,
    Trained, TwoLayer, angular_h,
};
use std::f64::consts::{FRAC_1_PI, PI};

/// Eigenvalues at `W = V = I_k` by (Z.24), ascending.
fn teacher_spectrum(k: usize) -> Vec<f64> {
    let (n, h) = (k as f64, 0.5 * FRAC_1_PI);
    let roots = |sum: f64, product: f64| {
        let root = (sum * sum / 4.0 - product).sqrt();
        [sum / 2.0 - root, sum / 2.0 + root]
    };
    let mut all = vec![0.25 - h; k * (k - 1) / 2];
    all.extend(vec![0.25 + h; k * (k - 3) / 2]);
    for mu in roots(n / 4.0, h / 2.0 - h * h) {
        all.extend(vec![0.25 + mu; k - 1]);
    }
    let (p, q) = (0.5 + (n - 1.0) * h, n / 4.0 + h);
    all.extend(roots(p + q, p * q - (n - 1.0) / 16.0));
    all.sort_by(f64::total_cmp);
    all
}

#[test]
fn golden_spectrum_at_the_teacher() {
    let row = bound("CriticalPoint::classify").unwrap();
    for k in [3, 4, 6, 9] {
        let point = classify(&orthonormal(k, k), &Matrix::identity(k, k));
        assert_eq!((point.nature, point.index, point.nullity), (Nature::GlobalMinimum, 0, 0));
        let (got, want) = (all_eigenvalues(&point), teacher_spectrum(k));
        assert_eq!(got.len(), k * k);
        let scale = (k * k) as f64 * want[k * k - 1];
        for (g, w) in got.iter().zip(&want) {
            assert!(row.used(*g, *w, scale) <= 1.0, "k = {k}: {g} vs {w}");
            assert!((g - w).abs() <= point.eigenvalue_error, "the error statement");
        }
    }
}

#[test]
fn golden_published_spectrum_of_six() {
    // Safran and Shamir's minimum [1, 5], polished; eigenvalues with multiplicities.
    let family = popgrad::BlockFamily::try_new(&[1.0, 5.0]).unwrap();
    let minimum = family.find(&[-0.6, 0.22, 0.99, -0.05, 0.31], 0).unwrap();
    let w = family.embed(&minimum.coordinates).unwrap();
    let point = classify(&orthonormal(6, 6), &w);
    assert!((point.loss - 0.0250805810024635).abs() < 1e-15, "{}", point.loss);
    let want = [
        (0.00470035, 4),
        (0.04637758, 6),
        (0.06244195, 1),
        (0.0772907, 4),
        (0.22117234, 1),
        (0.23834558, 4),
        (0.33885499, 4),
        (0.36380069, 5),
        (0.869484, 1),
        (1.61787104, 1),
        (1.67197823, 4),
        (2.02373386, 1),
    ];
    let got = all_eigenvalues(&point);
    let mut at = 0;
    for (value, multiplicity) in want {
        for g in &got[at..at + multiplicity] {
            assert!((g - value).abs() < 6e-9, "{g} vs {value}");
        }
        at += multiplicity;
    }
    assert_eq!(at, 36);
    assert_eq!((point.nature, point.lambda_min), (Nature::Minimum, got[0]));
}

/// The direction that satisfies (Z.23), measured from the bisector of two teachers of lengths `p`, `q` at an angle.
fn common_direction(p: f64, q: f64, angle: f64) -> f64 {
    let across = |b: f64| {
        let (s, t) = (angle / 2.0 + b, angle / 2.0 - b);
        p * (PI - s) * s.sin() - q * (PI - t) * t.sin()
    };
    let (mut low, mut high) = (-angle / 2.0, angle / 2.0);
    for _ in 0..200 {
        let middle = 0.5 * (low + high);
        if (across(low) < 0.0) == (across(middle) < 0.0) { low = middle } else { high = middle }
    }
    0.5 * (low + high)
}

fn polar(r: f64, t: f64) -> [f64; 2] {
    [r * t.cos(), r * t.sin()]
}

#[test]
fn paper_collinear_saddles_of_section_5_3() {
    let angle = 1.1;
    for (q, direction, want) in
        [(1.0, 0.0, [-0.488, 0.0, 0.577, 1.0]), (2.0, -0.24995, [-0.394, 0.0, 0.649, 1.0])]
    {
        let teacher = Matrix::from_rows(&[polar(1.0, -angle / 2.0), polar(q, angle / 2.0)]);
        let problem = TwoLayer::try_new(teacher).unwrap();
        let b = common_direction(1.0, q, angle);
        // The first teacher lies below the bisector: a positive b turns away from it.
        assert!((b + direction).abs() < 1e-5 || (b - direction).abs() < 1e-5, "{b}");
        let total = (angular_h(angle / 2.0 + b) + q * angular_h(angle / 2.0 - b)) / PI;
        for share in [0.5, 0.3, 0.05] {
            let w = Matrix::from_rows(&[polar(share * total, b), polar((1.0 - share) * total, b)]);
            let point = classify(&problem, &w);
            assert_eq!((point.nature, point.index, point.nullity), (Nature::Saddle, 1, 1), "share {share}");
            assert_eq!(point.manifold_dimension, 1, "the exchange of lengths");
            assert_eq!(
                (point.students_in_teacher_cone.inside, point.teachers_in_student_cone.inside),
                (2, 0)
            );
            if share == 0.3 {
                // The negative one and the third depend on the share.
                for (got, want) in all_eigenvalues(&point).iter().zip(want) {
                    assert!((got - want).abs() < 1e-3, "{got} vs {want}");
                }
            }
        }
        // The bisector itself is no critical direction unless the lengths are equal (the paper's erratum).
        let w = Matrix::from_rows(&[polar(0.5 * total, 0.0), polar(0.5 * total, 0.0)]);
        let at_bisector = CriticalPoint::classify(&problem, Student::new(w.view()), Trained::Weights);
        assert_eq!(matches!(at_bisector, Err(CriticalError::NotCritical { .. })), q != 1.0);
    }
}

#[test]
fn paper_antiparallel_and_backward_saddles() {
    let angle = 1.1;
    let teacher = Matrix::from_rows(&[polar(1.0, -angle / 2.0), polar(1.0, angle / 2.0)]);
    let problem = TwoLayer::try_new(teacher).unwrap();
    let (ahead, behind) = (2.0 * angular_h(angle / 2.0) / PI, 2.0 * angular_h(PI - angle / 2.0) / PI);
    let w = Matrix::from_rows(&[[ahead, 0.0], [-behind, 0.0]]);
    let point = classify(&problem, &w);
    assert_eq!((point.nature, point.index, point.nullity), (Nature::Saddle, 1, 0));
    for (got, want) in all_eigenvalues(&point).iter().zip([-9.2, 0.31, 0.5, 0.5]) {
        assert!((got - want).abs() < 0.05, "{got} vs {want}");
    }
    let w = Matrix::from_rows(&[[-behind / 2.0, 0.0], [-behind / 2.0, 0.0]]);
    let point = classify(&problem, &w);
    assert_eq!((point.nature, point.index, point.nullity), (Nature::Saddle, 2, 1));
    for (got, want) in all_eigenvalues(&point).iter().zip([-23.8, -15.7, 0.0, 1.0]) {
        assert!((got - want).abs() < 8.1, "{got} vs {want}"); // depends on the share; the signs do not
    }
}

#[test]
fn golden_saddle_with_one_teacher_in_the_cone() {
    // The case that the paper leaves open; 25 digits from an independent computation.
    let problem = TwoLayer::try_new(Matrix::from_rows(&[[1.0, 0.0], [-0.3, 0.9]])).unwrap();
    let w = Matrix::from_rows(&[
        [-0.09490248602961384563803061, -0.1285999244150149287078924],
        [0.8591150773676507240391687, 0.9767810516024161994792019],
    ]);
    let point = classify(&problem, &w);
    assert_eq!((point.nature, point.index, point.nullity), (Nature::Saddle, 1, 0));
    assert_eq!((point.teachers_in_student_cone.inside, point.teachers_in_student_cone.on_boundary), (1, 0));
    assert_eq!((point.students_in_teacher_cone.inside, point.students_in_teacher_cone.on_boundary), (1, 0));
    assert!((point.loss - 0.1291638933590858879396807).abs() < 1e-15);
    let want = [
        -2.426253083384715080186222,
        0.1193271314838740270182652,
        0.499968652526373304162287,
        0.5000353822084909470991037,
    ];
    for (got, want) in all_eigenvalues(&point).iter().zip(want) {
        assert!((got - want).abs() <= point.eigenvalue_error.max(1e-13), "{got} vs {want}");
    }
    assert!(point.eigenvalue_error < 1e-9);
}

#[test]
fn property_split_teachers_are_global_and_degenerate_ones_are_not_called_by_a_sign() {
    // A teacher split between two students: the loss is zero, and the Hessian has more zeros than symmetry forces.
    let problem = orthonormal(2, 3);
    let w = Matrix::from_rows(&[[0.4, 0.0, 0.0], [0.6, 0.0, 0.0], [0.0, 1.0, 0.0]]);
    let point = classify(&problem, &w);
    assert_eq!((point.nature, point.index), (Nature::GlobalMinimum, 0));
    assert!(point.nullity > point.manifold_dimension && point.manifold_dimension == 1);
    // Two students that cancel, opposite to the teacher: flat to second and third order.
    let problem = TwoLayer::try_new(Matrix::from_rows(&[[1.0, 0.0, 0.0]])).unwrap();
    let w = Matrix::from_rows(&[[-0.5, 0.0, 0.0], [-0.5, 0.0, 0.0]]);
    let student = Student::new(w.view()).with_output(&[1.0, -1.0]);
    let point = CriticalPoint::classify(&problem, student, Trained::Weights).unwrap();
    assert_eq!((point.nature, point.index, point.nullity), (Nature::Degenerate, 0, 3));
    // Three that cancel: the loss falls like the cube of the angle between two of them.
    let w = Matrix::from_rows(&[[-0.1, 0.0, 0.0], [-0.1, 0.0, 0.0], [-0.2, 0.0, 0.0]]);
    let student = Student::new(w.view()).with_output(&[1.0, 1.0, -1.0]);
    let point = CriticalPoint::classify(&problem, student, Trained::Weights).unwrap();
    assert_eq!((point.nature, point.index), (Nature::Saddle, 0));
}

#[test]
fn trained_output_weights_add_a_scaling_for_each_unit() {
    let problem = orthonormal(3, 3);
    let w = Matrix::from_rows(&[[2.0, 0.0, 0.0], [0.0, 0.5, 0.0], [0.0, 0.0, 1.0]]);
    let student = Student::new(w.view()).with_output(&[0.5, 2.0, 1.0]);
    let point = CriticalPoint::classify(&problem, student, Trained::WeightsAndOutput).unwrap();
    assert_eq!((point.index, point.nullity, point.manifold_dimension), (0, 3, 3));
    assert_eq!((point.nature, point.eigenvalues.len()), (Nature::GlobalMinimum, 12));
}

#[test]
fn what_is_not_critical_is_refused() {
    let problem = orthonormal(2, 2);
    let classify = |w: &Matrix| CriticalPoint::classify(&problem, Student::new(w.view()), Trained::Weights);
    let far = classify(&Matrix::from_rows(&[[0.9, 0.0], [0.0, 1.0]])).unwrap_err();
    assert!(matches!(far, CriticalError::NotCritical { .. }) && far.kind() == Kind::Input, "{far}");
    let shape = classify(&Matrix::identity(2, 3)).unwrap_err();
    assert!(shape.to_string().contains("3 columns but the teacher has 2"), "{shape}");
    let zero = CriticalSearch::try_new(
        &problem,
        Student::new(Matrix::from_rows(&[[0.0, 0.0], [0.0, 1.0]]).view()),
        SearchOptions::default(),
    );
    assert_eq!(zero.unwrap().run().unwrap().status, SearchStatus::ZeroStudent);
    let options = SearchOptions { tolerance: f64::NAN, ..SearchOptions::default() };
    let w = Matrix::identity(2, 2);
    let refused = CriticalSearch::try_new(&problem, Student::new(w.view()), options).unwrap_err();
    assert!(refused.to_string().contains("finite and positive"), "{refused}");
    let tight = orthonormal(4, 4).with_memory_limit(10_000);
    let start = Matrix::identity(4, 4);
    let refused =
        CriticalSearch::try_new(&tight, Student::new(start.view()), SearchOptions::default()).unwrap_err();
    assert_eq!(refused.kind(), Kind::Resource);
    // Five matrices of 16 x 16 doubles.
    assert!(refused.to_string().contains("10240 bytes"), "{refused}");
}
