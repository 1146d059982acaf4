//! The normal equation against golden values and the gradient; Proposition 1; Theorem 3 and its error bounds.

use crate::fixture::{Worst, allowed, list, number, numbers, read};
use crate::two_layer::{distance, matrix, norm};
use popgrad::{
    Matrix, NormalEquation, NormalEquationError, RandomStream, Student, TwoLayer, TwoLayerError, cone_counts,
    kernel,
};
use serde_json::Value;
use std::f64::consts::TAU;

fn normal(stream: &mut RandomStream, rows: usize, cols: usize) -> Matrix {
    let mut data = vec![0.0; rows * cols];
    stream.fill_normal(&mut data);
    Matrix::try_new(rows, cols, data).unwrap()
}

fn equation(w: &Matrix, v: &Matrix) -> NormalEquation {
    let problem = TwoLayer::try_new(v.clone()).unwrap();
    NormalEquation::try_new(&problem, Student::new(w.view())).unwrap()
}

fn flat(value: &Value) -> Vec<f64> {
    value.as_array().map_or_else(|| vec![number(value)], |items| items.iter().flat_map(flat).collect())
}

#[test]
fn golden_values() {
    let golden = read("normal_equation.json");
    for case in list(&golden["cases"]) {
        let (w, v) = (matrix(&case["W"]), matrix(&case["W_star"]));
        let (k, m) = (w.rows(), v.rows());
        let found = equation(&w, &v);
        let size: f64 = (0..k).map(|j| norm(w.row(j))).chain((0..m).map(|z| norm(v.row(z)))).sum();
        let tables = [
            ("NormalEquation::student_side", found.student_side().into_vec(), "Y", 4.0 * size),
            ("NormalEquation::teacher_side", found.teacher_side().into_vec(), "B_star", 0.0),
            ("NormalEquation::radial_matrix", found.radial_matrix().into_vec(), "M_r", 1.0),
            (
                "NormalEquation::radial_teacher_matrix",
                found.radial_teacher_matrix().into_vec(),
                "M_r_star",
                1.0,
            ),
            ("NormalEquation::projections", found.projections(), "m", 1.0),
            ("NormalEquation::teacher_projections", found.teacher_projections(), "m_star", 1.0),
        ];
        for (name, got, key, scale) in tables {
            let want = flat(&case[key]);
            assert_eq!(got.len(), want.len(), "{name}");
            let mut worst = Worst::new(name);
            for (i, (g, w)) in got.iter().zip(&want).enumerate() {
                let scale = if scale == 0.0 { *w } else { scale };
                worst.check(*g, *w, allowed(name, scale), || format!("{key} entry {i}"));
            }
        }
        let values = found.residual_projections().unwrap();
        for (i, want) in flat(&case["L"]).iter().enumerate() {
            let (z, pair) = (i / (k * k), (i / k % k, i % k));
            let (got, error) = (values.value(z, pair), values.error(z, pair));
            assert!((got - want).abs() <= error, "L: {got} {want} {error:e}");
            assert!(error < 1e-12, "the bound is of use: {error:e}");
        }
        let radial = found.radial_solution().unwrap();
        for (i, want) in numbers(&case["wbar_from_diagonal"]).iter().enumerate() {
            assert!((radial.lengths[i] - want).abs() <= radial.errors[i], "length {i}");
            assert!(radial.errors[i] < 1e-11 * size, "{:e}", radial.errors[i]);
            assert_eq!(radial.signs[i], if *want > 0.0 { 1 } else { -1 });
        }
    }
}

/// Derivative: the rows of `Y E^T - B* W*^T` are the gradient, for any sizes and output weights.
#[test]
fn the_residual_is_the_gradient() {
    let mut worst = Worst::new("NormalEquation::residual");
    for (index, (k, m, d)) in
        [(1, 1, 1), (1, 3, 2), (2, 2, 2), (3, 5, 4), (6, 2, 3), (9, 9, 20)].into_iter().enumerate()
    {
        let mut stream = RandomStream::new(41, index as u64);
        let (w, v) = (normal(&mut stream, k, d), normal(&mut stream, m, d));
        let (mut a, mut b) = (vec![0.0; k], vec![0.0; m]);
        stream.fill_normal(&mut a);
        stream.fill_normal(&mut b);
        let problem = TwoLayer::try_new(v.clone()).unwrap().with_teacher_output(b.clone()).unwrap();
        let student = Student::new(w.view()).with_output(&a);
        let residual = NormalEquation::try_new(&problem, student).unwrap().residual();
        let gradient = problem.gradient(student).unwrap().weights;
        let size: f64 = (0..k).map(|j| a[j].abs() * norm(w.row(j))).sum::<f64>()
            + (0..m).map(|z| b[z].abs() * norm(v.row(z))).sum::<f64>();
        for j in 0..k {
            let got: Vec<f64> = residual.row(j).iter().map(|x| x * a[j] / TAU).collect();
            let error = distance(&got, gradient.row(j));
            let most = allowed("NormalEquation::residual", a[j].abs() * size);
            worst.check(error, 0.0, most, || format!("K = {k}, M = {m}, d = {d}, row {j}"));
        }
    }
}

/// Property: `M_r` is the Gram matrix of the directions in the kernel, 2 pi k(e_i, e_j).
#[test]
fn the_radial_matrix_is_a_gram_matrix() {
    let mut stream = RandomStream::new(42, 0);
    let w = normal(&mut stream, 5, 3);
    let got = equation(&w, &w).radial_matrix();
    for i in 0..5 {
        for j in 0..5 {
            let want = TAU * kernel(w.row(i), w.row(j)).unwrap() / (norm(w.row(i)) * norm(w.row(j)));
            assert!((got.row(i)[j] - want).abs() < 1e-14, "{i} {j}");
        }
    }
}

/// Proposition 1 and the identity behind Theorem 3, in any dimension.
#[test]
fn proposition_1_and_the_identity_of_theorem_3() {
    for (index, (k, d)) in [(2, 2), (3, 3), (4, 6), (6, 3)].into_iter().enumerate() {
        let mut stream = RandomStream::new(43, index as u64);
        let w = normal(&mut stream, k, d);
        // Teachers: the students themselves, then two others.
        let mut rows: Vec<Vec<f64>> = (0..k).map(|j| w.row(j).iter().map(|x| 2.0 * x).collect()).collect();
        let others = normal(&mut stream, 2, d);
        rows.extend((0..2).map(|z| others.row(z).to_vec()));
        let v = Matrix::try_from_rows(&rows).unwrap();
        let found = equation(&w, &v);
        let values = found.residual_projections().unwrap();
        for z in 0..k + 2 {
            for j in 0..k {
                for onto in (0..k).filter(|&onto| z < k || onto == j) {
                    let (value, error) = (values.value(z, (j, onto)), values.error(z, (j, onto)));
                    assert!(value.abs() <= error, "L of teacher {z}, pair {j} {onto}: {value:e} {error:e}");
                }
            }
        }
        // The lengths of the radial solution, with output weights that carry their signs.
        let radial = found.radial_solution().unwrap();
        let a: Vec<f64> = (0..k).map(|j| radial.lengths[j] / norm(w.row(j))).collect();
        let problem = TwoLayer::try_new(v.clone()).unwrap();
        let gradient = problem.gradient(Student::new(w.view()).with_output(&a)).unwrap().weights;
        for j in 0..k {
            for onto in 0..k {
                let along: f64 = gradient.row(j).iter().zip(w.row(onto)).map(|(g, x)| g * x).sum();
                let got = -TAU * along / (norm(w.row(onto)) * a[j]);
                let want: f64 = (0..k + 2).map(|z| norm(v.row(z)) * values.value(z, (j, onto))).sum();
                assert!((got - want).abs() < 1e-11, "K = {k}, pair {j} {onto}: {got:e} {want:e}");
            }
        }
    }
}

fn critical_points() -> Vec<(Matrix, Matrix)> {
    let golden = read("normal_equation.json");
    let with_points = list(&golden["critical_points"]).iter().filter(|c| c.get("W").is_some());
    with_points.map(|c| (matrix(&c["W"]), matrix(&c["W_star"]))).collect()
}

#[test]
fn theorem_3_never_excludes_a_critical_point() {
    let mut points = critical_points();
    assert_eq!(points.len(), 2);
    let mut stream = RandomStream::new(44, 0);
    for (k, d) in [(2, 2), (2, 5), (3, 3), (5, 8)] {
        let v = normal(&mut stream, k, d);
        points.push((v.clone(), v));
    }
    for (w, v) in points {
        let found = equation(&w, &v);
        let verdict = found.theorem3();
        assert!(!verdict.excluded && verdict.margin.unwrap() <= 0.0, "{verdict:?} at {w:?}");
        assert!(found.is_in_plane() && found.is_full_rank() && found.is_spanning());
        let radial = found.radial_solution().unwrap();
        assert!(radial.admissible);
        for j in 0..w.rows() {
            assert!(
                (radial.lengths[j] - norm(w.row(j))).abs() < 1e-12 * norm(w.row(j)).max(1.0),
                "{radial:?}"
            );
        }
    }
}

/// Theorem 4, in both readings: with an even count of teachers in the students' cone the point is excluded, with exactly one
/// it is not; and exactly one teacher is in the students' cone where exactly one student is in the teachers'.
#[test]
fn theorem_4_in_the_plane() {
    let mut stream = RandomStream::new(45, 0);
    for _ in 0..4000 {
        let (w, v) = (normal(&mut stream, 2, 2), normal(&mut stream, 2, 2));
        let pair = |x: &Matrix| [[x.row(0)[0], x.row(0)[1]], [x.row(1)[0], x.row(1)[1]]];
        let counts = cone_counts(pair(&w), pair(&v));
        let one = counts.teachers_in_student_cone == 1;
        assert_eq!(one, counts.students_in_teacher_cone == 1, "{counts:?}");
        let verdict = equation(&w, &v).theorem3();
        assert_eq!(verdict.excluded, !one, "{counts:?} {verdict:?}");
    }
}

/// Students from far apart to parallel, embedded in three dimensions so that the general form is used: its bound must
/// cover the difference from the form without cancellation, and it must never exclude the teacher itself.
#[test]
fn error_bounds_hold_for_nearly_parallel_students() {
    let mut stream = RandomStream::new(46, 0);
    let (mut undecided, mut decided) = (0, 0);
    for exponent in 0..16 {
        for _ in 0..40 {
            let (base, turn) = (stream.normal(), stream.normal() * 0.1_f64.powi(exponent));
            let (p, q) = (stream.normal(), base + stream.normal() * 0.1_f64.powi(exponent));
            let flat = |t: f64| [t.cos(), t.sin()];
            let w = Matrix::from_rows(&[flat(base), flat(base + turn)]);
            let v = Matrix::from_rows(&[flat(p), flat(q)]);
            let lift = |x: &Matrix| Matrix::from_rows(&[0, 1].map(|i| [x.row(i)[0], x.row(i)[1], 0.0]));
            let exact = equation(&w, &v);
            let general = equation(&lift(&w), &lift(&v));
            let Some(values) = general.residual_projections() else {
                assert!(!general.theorem3().excluded);
                undecided += 1;
                continue;
            };
            let want = exact.residual_projections().unwrap();
            for z in 0..2 {
                for pair in [(0, 1), (1, 0)] {
                    let error = (values.value(z, pair) - want.value(z, pair)).abs();
                    assert!(error <= values.error(z, pair), "angle {turn:e}: {error:e}");
                }
            }
            assert!(!general.theorem3().excluded || exact.theorem3().excluded);
            assert!(!equation(&lift(&w), &lift(&w)).theorem3().excluded);
            decided += 1;
        }
    }
    assert!(undecided > 50 && decided > 200, "{undecided} {decided}");
}

#[test]
fn degenerate_points_are_told_apart() {
    let v = Matrix::from_rows(&[[1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0]]);
    // Coincident students: M_r is singular.
    let twins = equation(&Matrix::from_rows(&[[1.0, 1.0, 0.0, 0.0], [2.0, 2.0, 0.0, 0.0]]), &v);
    assert!(!twins.is_full_rank() && twins.is_in_plane() && !twins.is_spanning());
    assert!(twins.radial_solution().is_none() && twins.residual_projections().is_none());
    let verdict = twins.theorem3();
    assert_eq!((verdict.excluded, verdict.pair, verdict.margin), (false, None, None));
    // Two antiparallel pairs in the plane: regular; three: singular, though no two directions coincide.
    let pairs = |count: usize| {
        let line = |i: usize| libm::sincos(0.3 + 0.9 * i as f64);
        let rows: Vec<Vec<f64>> = (0..count)
            .flat_map(|i| [1.0, -1.0].map(|s| vec![s * line(i).1, s * line(i).0, 0.0, 0.0]))
            .collect();
        equation(&Matrix::try_from_rows(&rows).unwrap(), &v)
    };
    assert!(pairs(2).is_full_rank() && !pairs(3).is_full_rank());
    // Out of the plane.
    let out = equation(&Matrix::from_rows(&[[0.5, 0.5, 0.4, 0.0], [0.5, 0.4, -0.4, 0.0]]), &v);
    assert!(!out.is_in_plane() && out.is_full_rank());
    // One student has no pair; a zero teacher counts nothing.
    let alone = equation(&Matrix::from_rows(&[[1.0, 0.0]]), &Matrix::from_rows(&[[0.0, 0.0], [2.0, 1.0]]));
    assert_eq!(alone.theorem3().pair, None);
    assert!((alone.radial_solution().unwrap().lengths[0] - 2.2).abs() < 1.0);
}

#[test]
fn what_has_no_normal_equation_is_refused() {
    let v = Matrix::identity(2, 2);
    let w = Matrix::from_rows(&[[1.0, 0.0], [0.0, 0.0]]);
    let problem = TwoLayer::try_new(v.clone()).unwrap();
    let refused = |p: &TwoLayer, w: &Matrix| NormalEquation::try_new(p, Student::new(w.view())).unwrap_err();
    assert_eq!(
        refused(&problem, &w).to_string(),
        "student 1 is exactly zero; the normal equation needs the direction of every student"
    );
    assert_eq!(
        refused(&problem.clone().with_leaky(0.1).unwrap(), &v).to_string(),
        "the problem has a leaky slope; the normal equation is that of ReLU units without skip under white input"
    );
    let skipped = problem.clone().with_teacher_skip(vec![1.0, 0.0]).unwrap();
    assert_eq!(refused(&skipped, &v), NormalEquationError::Departure { what: "a linear skip" });
    let nan = Matrix::from_rows(&[[f64::NAN, 0.0]]);
    assert!(matches!(
        refused(&problem, &nan),
        NormalEquationError::Problem(TwoLayerError::NonFinite { row: 0, col: 0, .. })
    ));
    let tight = problem.with_memory_limit(64);
    assert_eq!(refused(&tight, &v).kind(), popgrad::Kind::Resource);
}
