//! The reduced problem: the same loss and gradient, the same descent, whatever the input dimension.

use crate::fixture::allowed;
use popgrad::{Evaluator, InputLaw, Kind, Matrix, RandomStream, Student, TwoLayer, TwoLayerError};

fn normal(stream: &mut RandomStream, rows: usize, cols: usize) -> Matrix {
    let mut data = vec![0.0; rows * cols];
    stream.fill_normal(&mut data);
    Matrix::try_new(rows, cols, data).unwrap()
}

fn norm(u: &[f64]) -> f64 {
    u.iter().map(|x| x * x).sum::<f64>().sqrt()
}

fn distance(u: &[f64], v: &[f64]) -> f64 {
    u.iter().zip(v).map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt()
}

/// Students and teachers in general position, on a teacher, near one, opposite to one, and zero.
fn students(stream: &mut RandomStream, v: &Matrix) -> Matrix {
    let d = v.cols();
    let mut w = normal(stream, 6, d);
    w.row_mut(1).copy_from_slice(v.row(0));
    let near: Vec<f64> = v.row(1).iter().zip(w.row(2)).map(|(x, y)| x + 1e-9 * y).collect();
    w.row_mut(2).copy_from_slice(&near);
    let opposite: Vec<f64> = v.row(2).iter().map(|x| -2.0 * x).collect();
    w.row_mut(3).copy_from_slice(&opposite);
    w.row_mut(5).fill(0.0);
    w
}

#[test]
fn the_reduced_problem_has_the_same_loss_and_gradient() {
    let mut stream = RandomStream::new(40, 0);
    for d in [10, 11, 64, 1003] {
        let v = normal(&mut stream, 3, d);
        let w = students(&mut stream, &v);
        let (a, b) = ([1.0, -0.5, 0.8, 1.5, -2.0, 1.0], vec![1.0, 2.0, -0.7]);
        let (skip, star) = (normal(&mut stream, 1, d), normal(&mut stream, 1, d));
        let problem = TwoLayer::try_new(v)
            .and_then(|p| p.with_teacher_output(b))
            .and_then(|p| p.with_leaky(0.1))
            .and_then(|p| p.with_law(InputLaw::Sphere { radius: 2.0 }))
            .and_then(|p| p.with_teacher_skip(star.into_vec()))
            .unwrap();
        let student = Student::new(w.view()).with_output(&a).with_skip(skip.as_slice());
        let reduction = problem.reduce(student).unwrap();
        let r = reduction.problem().input_dimension();
        assert!(r <= 11 && r <= d, "d = {d}: {r} basis vectors");
        let lifted = reduction.lift(reduction.student().weights()).unwrap();
        for j in 0..6 {
            let most = allowed("TwoLayer::reduce", norm(w.row(j)));
            assert!(distance(lifted.row(j), w.row(j)) <= most, "d = {d}, student {j}");
        }
        let small = reduction.student().with_output(&a);
        let (got, want) = (reduction.problem().gradient(small).unwrap(), problem.gradient(student).unwrap());
        assert_eq!(got.zero_students, [5]);
        let gradient = reduction.lift(got.weights.view()).unwrap();
        // Both problems err by a few roundings of the terms, which are of the size of all units together.
        let size = 64.0 * f64::EPSILON * (0..6).map(|j| norm(w.row(j))).sum::<f64>();
        assert!(distance(gradient.as_slice(), want.weights.as_slice()) <= size, "d = {d}");
        assert!(distance(&got.output, &want.output) <= size * norm(w.as_slice()), "d = {d}");
        let (got, want) = (reduction.problem().loss(small).unwrap(), problem.loss(student).unwrap());
        assert!((got / want - 1.0).abs() <= 1e-14, "d = {d}: {got} {want}");
    }
}

#[test]
fn units_that_span_everything_keep_their_coordinates_to_the_bit() {
    let mut stream = RandomStream::new(41, 0);
    let (v, w) = (normal(&mut stream, 3, 5), normal(&mut stream, 2, 5));
    let reduction = TwoLayer::try_new(v.clone()).unwrap().reduce(Student::new(w.view())).unwrap();
    assert_eq!(reduction.student().weights().as_slice(), w.as_slice());
    assert_eq!(reduction.problem().teacher().as_slice(), v.as_slice());
    assert_eq!(reduction.lift(w.view()).unwrap(), w);
}

#[test]
fn dependent_units_need_fewer_vectors_and_extreme_lengths_do_no_harm() {
    for scale in [1e-140, 1.0, 1e140] {
        let mut v = Matrix::zeros(2, 100);
        (v.row_mut(0)[3], v.row_mut(1)[3], v.row_mut(1)[70]) = (scale, scale, scale);
        let mut w = v.clone();
        w.row_mut(1)[70] = -3.0 * scale;
        let reduction = TwoLayer::try_new(v).unwrap().reduce(Student::new(w.view())).unwrap();
        assert_eq!(reduction.problem().input_dimension(), 2);
        let lifted = reduction.lift(reduction.student().weights()).unwrap();
        let most = allowed("TwoLayer::reduce", norm(&[1.0, 3.0]));
        for (got, want) in lifted.as_slice().iter().zip(w.as_slice()) {
            assert!((got / scale - want / scale).abs() <= most, "{scale:e}: {got:e} {want:e}");
        }
    }
    let zero = Matrix::zeros(1, 9);
    let reduction = TwoLayer::try_new(zero.clone()).unwrap().reduce(Student::new(zero.view())).unwrap();
    assert_eq!(reduction.problem().input_dimension(), 1);
}

#[test]
fn descent_in_the_basis_is_descent() {
    let mut stream = RandomStream::new(42, 0);
    let (v, mut w) = (normal(&mut stream, 3, 200), normal(&mut stream, 4, 200));
    let problem = TwoLayer::try_new(v).unwrap();
    let reduction = problem.reduce(Student::new(w.view())).unwrap();
    let mut y = reduction.student().weights().to_matrix();
    let (mut full, mut small) = (Evaluator::new(&problem, 4), Evaluator::new(reduction.problem(), 4));
    let (mut g, mut h) = (vec![0.0; 800], vec![0.0; y.as_slice().len()]);
    for _ in 0..200 {
        full.gradient_into(Student::new(w.view()), &mut g).unwrap();
        w.as_mut_slice().iter_mut().zip(&g).for_each(|(x, g)| *x -= 0.2 * g);
        small.gradient_into(Student::new(y.view()), &mut h).unwrap();
        y.as_mut_slice().iter_mut().zip(&h).for_each(|(x, g)| *x -= 0.2 * g);
    }
    let lifted = reduction.lift(y.view()).unwrap();
    // Two hundred steps of a few roundings of the gradient's terms each, which grow like the slowest mode at most.
    let most = 1e-12 * norm(w.as_slice());
    assert!(distance(lifted.as_slice(), w.as_slice()) <= most);
}

#[test]
fn what_cannot_be_reduced_is_refused() {
    let (v, w) = (Matrix::identity(2, 9), Matrix::identity(1, 9));
    let under_covariance =
        TwoLayer::try_new(v.clone()).unwrap().with_covariance(&Matrix::identity(9, 9)).unwrap();
    let error = under_covariance.reduce(Student::new(w.view())).unwrap_err();
    assert!(matches!(error, TwoLayerError::NotReducible) && error.kind() == Kind::Input);
    let poor = TwoLayer::try_new(v.clone()).unwrap().with_memory_limit(100);
    assert_eq!(poor.reduce(Student::new(w.view())).unwrap_err().kind(), Kind::Resource);
    let reduction = TwoLayer::try_new(v).unwrap().reduce(Student::new(w.view())).unwrap();
    assert!(reduction.lift(Matrix::zeros(1, 9).view()).is_err());
}
