//! The two-layer landscape: golden values away from and near the teacher, derivatives, invariances.

use crate::fixture::{allowed, list, number, numbers, read, row};
use popgrad::{Blocks, Evaluator, Matrix, Student, TwoLayer, gating, kernel};
use serde_json::Value;

pub(crate) fn matrix(value: &Value) -> Matrix {
    let rows: Vec<Vec<f64>> = list(value).iter().map(numbers).collect();
    Matrix::try_from_rows(&rows).expect("a matrix")
}

pub(crate) fn norm(x: &[f64]) -> f64 {
    x.iter().map(|v| v * v).sum::<f64>().sqrt()
}

pub(crate) fn distance(x: &[f64], y: &[f64]) -> f64 {
    norm(&x.iter().zip(y).map(|(a, b)| a - b).collect::<Vec<_>>())
}

/// The larger of two errors; NaN is infinite, so that it never passes.
fn worse(worst: f64, error: f64) -> f64 {
    if error.is_nan() { f64::INFINITY } else { worst.max(error) }
}

/// Sum of the norms of the terms of neuron `j`'s gradient, `|a_j| sum_z |c_z| |F(w_j, z)|`, a term counted as at least
/// `|a_j| |c_z| |z| / 2pi`: what its rounded cosine costs.
pub(crate) fn term_norms(w: &Matrix, a: &[f64], v: &Matrix, b: &[f64], j: usize) -> f64 {
    let units = (0..w.rows()).map(|k| (a[k], w.row(k))).chain((0..v.rows()).map(|m| (b[m], v.row(m))));
    let size = |z: &[f64]| norm(&gating(w.row(j), z).unwrap()).max(norm(z) / std::f64::consts::TAU);
    a[j].abs() * units.map(|(c, z)| c.abs() * size(z)).sum::<f64>()
}

#[test]
fn gradients_match_the_golden_networks() {
    let (mut worst, mut worst_output, mut worst_bound) = (0.0_f64, 0.0_f64, 0.0_f64);
    let bound_row = row("TwoLayer::gradient_error");
    for case in list(&read("network.json")["cases"]) {
        let (w, v) = (matrix(&case["W"]), matrix(&case["V"]));
        let (a, b) = (numbers(&case["a"]), numbers(&case["b"]));
        let problem = TwoLayer::try_new(v.clone()).unwrap().with_teacher_output(b.clone()).unwrap();
        let got = problem.gradient(Student::new(w.view()).with_output(&a)).unwrap();
        let bounds = problem.gradient_error(Student::new(w.view()).with_output(&a)).unwrap();
        let (want, want_output) = (matrix(&case["grad_W"]), numbers(&case["grad_a"]));
        for j in 0..w.rows() {
            let scale = term_norms(&w, &a, &v, &b, j);
            let error = distance(got.weights.row(j), want.row(j));
            assert!(error <= bounds[j], "the bound {} does not hold for {error}", bounds[j]);
            let formula = allowed("TwoLayer::gradient#weights", scale);
            worst_bound = worse(worst_bound, bound_row.used(bounds[j], formula, formula));
            worst = worse(worst, distance(got.weights.row(j), want.row(j)) / (f64::EPSILON * scale));
            let scale = scale / a[j].abs() * norm(w.row(j));
            worst_output =
                worse(worst_output, (got.output[j] - want_output[j]).abs() / (f64::EPSILON * scale));
        }
    }
    println!("worst: gradient {worst:.2}, output gradient {worst_output:.2} EPSILON of the terms");
    assert!(worst <= row("TwoLayer::gradient#weights").factor, "{worst}");
    assert!(worst_bound <= 1.0, "the bounds of gradient_error are off: {worst_bound}");
    assert!(worst_output <= row("TwoLayer::gradient#output").factor, "{worst_output}");
}

/// The problem and the student of a case of `two_layer_near.json` or `two_layer_hard.json`.
struct NearCase {
    label: String,
    problem: TwoLayer,
    weights: Matrix,
    output: Vec<f64>,
    skip: Vec<f64>,
    loss: f64,
    /// Sum of the losses of the single units, each with its own teacher.
    own: f64,
    by_weights: Matrix,
    by_output: Vec<f64>,
    by_skip: Vec<f64>,
}

impl NearCase {
    fn student(&self) -> Student<'_> {
        Student::new(self.weights.view()).with_output(&self.output).with_skip(&self.skip)
    }
}

fn near_cases() -> Vec<NearCase> {
    let one = |case: &Value| {
        let mut problem = TwoLayer::try_new(matrix(&case["V"])).unwrap();
        problem = problem.with_teacher_output(numbers(&case["b"])).unwrap();
        if let Some(alpha) = case.get("alpha") {
            problem = problem.with_leaky(number(alpha)).unwrap();
        }
        if let Some(sigma) = case.get("Sigma") {
            problem = problem.with_covariance(&matrix(sigma)).unwrap();
        }
        if let Some(skip) = case.get("c_star") {
            problem = problem.with_teacher_skip(numbers(skip)).unwrap();
        }
        NearCase {
            label: format!("{} at {}", case["label"], case["offset"]),
            problem,
            weights: matrix(&case["W"]),
            output: numbers(&case["a"]),
            skip: case.get("c").map(numbers).unwrap_or_default(),
            loss: number(&case["loss"]),
            own: number(&case["own"]),
            by_weights: matrix(&case["grad_W"]),
            by_output: numbers(&case["grad_a"]),
            by_skip: case.get("grad_c").map(numbers).unwrap_or_default(),
        }
    };
    let files = ["two_layer_near.json", "two_layer_hard.json"].map(read);
    files.iter().flat_map(|f| list(&f["cases"]).iter().map(one)).collect()
}

#[test]
fn near_the_teacher_gradients_keep_relative_accuracy() {
    let mut worst = (0.0_f64, String::new());
    let (mut worst_output, output_row) = (0.0_f64, row("TwoLayer::gradient#near_output"));
    for case in near_cases() {
        let student = case.student();
        let got = case.problem.gradient(student).unwrap();
        let want = case.by_weights.as_slice();
        let error = distance(got.weights.as_slice(), want) / norm(want);
        if worse(worst.0, error) > worst.0 {
            worst = (error, case.label.clone());
        }
        if !case.by_skip.is_empty() {
            let error = distance(&got.skip, &case.by_skip) / norm(&case.by_skip);
            assert!(error <= allowed("TwoLayer::gradient#near", 1.0), "skip of {}: {error:e}", case.label);
        }
        for j in 0..case.output.len() {
            let residual = norm(want) / case.output[j].abs();
            let scale = residual * norm(case.weights.row(j));
            let used = output_row.used(got.output[j], case.by_output[j], scale);
            worst_output = worse(worst_output, used);
        }
    }
    println!(
        "worst: gradient {:.2e} relative ({}), output gradient {worst_output:.2} of the bound",
        worst.0, worst.1
    );
    assert!(worst.0 <= allowed("TwoLayer::gradient#near", 1.0), "{worst:?}");
    assert!(worst_output <= 1.0, "{worst_output}");
}

/// Sum of the magnitudes of the loss's terms, `1/2 sum |c_i| |c_j| k(z_i, z_j)`.
pub(crate) fn loss_terms(w: &Matrix, a: &[f64], v: &Matrix, b: &[f64]) -> f64 {
    let students = (0..w.rows()).map(|k| (a[k], w.row(k)));
    let units: Vec<_> = students.chain((0..v.rows()).map(|m| (b[m], v.row(m)))).collect();
    let pair = |x: &(f64, &[f64]), y: &(f64, &[f64])| 0.5 * (x.0 * y.0).abs() * kernel(x.1, y.1).unwrap();
    units.iter().map(|x| units.iter().map(|y| pair(x, y)).sum::<f64>()).sum()
}

#[test]
fn losses_match_the_golden_networks() {
    let mut worst = 0.0_f64;
    for case in list(&read("network.json")["cases"]) {
        let (w, v) = (matrix(&case["W"]), matrix(&case["V"]));
        let (a, b) = (numbers(&case["a"]), numbers(&case["b"]));
        let problem = TwoLayer::try_new(v.clone()).unwrap().with_teacher_output(b.clone()).unwrap();
        let got = problem.loss(Student::new(w.view()).with_output(&a)).unwrap();
        let want = number(&case["loss"]);
        let scale = loss_terms(&w, &a, &v, &b);
        worst = worse(worst, (got - want).abs() / (f64::EPSILON * scale));
    }
    println!("worst: loss {worst:.2} EPSILON of the terms");
    assert!(worst <= row("TwoLayer::loss").factor, "{worst}");
}

#[test]
fn near_the_teacher_losses_keep_relative_accuracy() {
    let mut worst = (0.0_f64, String::new());
    for case in near_cases() {
        let student = case.student();
        let got = case.problem.loss(student).unwrap();
        let error = (got - case.loss).abs() / case.loss.max(0.25 * case.own);
        if worse(worst.0, error) > worst.0 {
            worst = (error, case.label.clone());
        }
    }
    println!("worst: loss {:.2e} relative ({})", worst.0, worst.1);
    assert!(worst.0 <= allowed("TwoLayer::loss#near", 1.0), "{worst:?}");
}

#[test]
fn hessians_match_the_golden_networks() {
    let (mut worst, mut worst_into, mut worst_product) = (0.0_f64, 0.0_f64, 0.0_f64);
    for case in list(&read("network.json")["cases"]) {
        if case["hessian"].is_null() {
            continue;
        }
        let (w, v) = (matrix(&case["W"]), matrix(&case["V"]));
        let (a, b) = (numbers(&case["a"]), numbers(&case["b"]));
        let problem = TwoLayer::try_new(v.clone()).unwrap().with_teacher_output(b.clone()).unwrap();
        let student = Student::new(w.view()).with_output(&a);
        let got = problem.hessian(student, Blocks::All).unwrap();
        let want = matrix(&case["hessian"]);
        let scale = hessian_terms(&w, &a, &v, &b);
        for ((x, y), s) in got.as_slice().iter().zip(want.as_slice()).zip(scale.as_slice()) {
            worst = worse(worst, (x - y).abs() / (f64::EPSILON * s));
        }
        let n = got.rows();
        let mut again = vec![f64::NAN; n * n];
        Evaluator::new(&problem, w.rows()).hessian_into(student, Blocks::All, &mut again).unwrap();
        for ((x, y), s) in again.iter().zip(want.as_slice()).zip(scale.as_slice()) {
            worst_into = worse(worst_into, (x - y).abs() / (f64::EPSILON * s));
        }
        for (blocks, first, size) in
            [(Blocks::Weights, 0, n - w.rows()), (Blocks::Output, n - w.rows(), w.rows())]
        {
            let part = problem.hessian(student, blocks).unwrap();
            for i in 0..size {
                assert_eq!(part.row(i), &got.row(first + i)[first..first + size], "{blocks:?}");
            }
        }
        let p: Vec<f64> = (0..n).map(|i| libm::sin(1.0 + i as f64)).collect();
        let (weights, output) = p.split_at(w.as_slice().len());
        let weights = Matrix::try_new(w.rows(), w.cols(), weights.to_vec()).unwrap();
        let (by_weights, by_output) = problem.hessian_product(student, weights.view(), output).unwrap();
        for (i, x) in [by_weights.into_vec(), by_output].concat().iter().enumerate() {
            let want: f64 = got.row(i).iter().zip(&p).map(|(h, q)| h * q).sum();
            let scale: f64 = scale.row(i).iter().zip(&p).map(|(h, q)| h * q.abs()).sum();
            worst_product = worse(worst_product, (x - want).abs() / (f64::EPSILON * scale));
        }
    }
    println!("worst: Hessian {worst:.2}, product {worst_product:.2} EPSILON of the terms");
    assert!(worst <= row("TwoLayer::hessian").factor, "{worst}");
    assert!(worst_into <= row("Evaluator::hessian_into").factor, "{worst_into}");
    assert!(worst_product <= row("TwoLayer::hessian_product").factor, "{worst_product}");
}

/// The size of the terms of each entry's block of the Hessian, in the order of [`Blocks::All`].
pub(crate) fn hessian_terms(w: &Matrix, a: &[f64], v: &Matrix, b: &[f64]) -> Matrix {
    let (k, d) = (w.rows(), w.cols());
    let lengths: Vec<f64> = (0..k).map(|j| norm(w.row(j))).collect();
    let own = |j: usize| {
        let units = (0..k).map(|i| (a[i], w.row(i))).chain((0..v.rows()).map(|m| (b[m], v.row(m))));
        // The sine is accurate to EPSILON absolutely, so it counts as one.
        let term = |(c, z): (f64, &[f64])| (a[j] * c).abs() * norm(z) / (std::f64::consts::TAU * lengths[j]);
        0.5 * a[j] * a[j] + units.map(term).sum::<f64>()
    };
    let size = |row: usize, col: usize| match (row < k * d, col < k * d) {
        (true, true) if row / d == col / d => own(row / d),
        (true, true) => 0.5 * (a[row / d] * a[col / d]).abs(),
        (false, false) => 0.5 * lengths[row - k * d] * lengths[col - k * d],
        _ => {
            let (j, other) = (row.min(col) / d, row.max(col) - k * d);
            let field = if j == other { term_norms(w, a, v, b, j) / a[j].abs() } else { 0.0 };
            field + 0.5 * a[j].abs() * lengths[other]
        }
    };
    let n = k * d + k;
    Matrix::try_new(n, n, (0..n * n).map(|i| size(i / n, i % n)).collect()).unwrap()
}

#[test]
fn the_hessian_is_the_derivative_of_the_gradient_and_its_product_agrees() {
    let v =
        matrix(&serde_json::json!([[0.3, -1.0, 0.5, 0.2], [1.1, 0.4, -0.2, 0.9], [-0.6, 0.1, 0.8, -1.3]]));
    let w = matrix(&serde_json::json!([[0.9, 0.7, -0.4, 0.1], [-0.3, 1.2, 0.6, -0.8]]));
    let sigma = matrix(&serde_json::json!([
        [2.0, 0.3, -0.1, 0.0],
        [0.3, 1.0, 0.2, 0.1],
        [-0.1, 0.2, 1.5, -0.4],
        [0.0, 0.1, -0.4, 0.7]
    ]));
    let (a, skip) = ([0.8, -1.3], [0.2, -0.1, 0.4, 0.3]);
    let problem = TwoLayer::try_new(v)
        .unwrap()
        .with_teacher_output(vec![1.0, -0.5, 2.0])
        .unwrap()
        .with_leaky(0.2)
        .unwrap()
        .with_covariance(&sigma)
        .unwrap()
        .with_law(popgrad::InputLaw::StudentT { nu: 6.0 })
        .unwrap()
        .with_teacher_skip(vec![0.5, 0.5, -1.0, 0.0])
        .unwrap();
    let hessian =
        problem.hessian(Student::new(w.view()).with_output(&a).with_skip(&skip), Blocks::All).unwrap();
    let flat = |w: &Matrix, a: &[f64]| {
        let g = problem.gradient(Student::new(w.view()).with_output(a).with_skip(&skip)).unwrap();
        [g.weights.into_vec(), g.output].concat()
    };
    let loss =
        |w: &Matrix, a: &[f64]| problem.loss(Student::new(w.view()).with_output(a).with_skip(&skip)).unwrap();
    let gradient = flat(&w, &a);
    let step = 1e-5;
    for i in 0..10 {
        let moved = |sign: f64| {
            let (mut w, mut a) = (w.clone(), a.to_vec());
            if i < 8 {
                w.as_mut_slice()[i] += sign * step;
            } else {
                a[i - 8] += sign * step;
            }
            (w, a)
        };
        let ((wp, ap), (wm, am)) = (moved(1.0), moved(-1.0));
        let slope = (loss(&wp, &ap) - loss(&wm, &am)) / (2.0 * step);
        assert!((slope - gradient[i]).abs() <= 1e-8, "{i}: {slope} {}", gradient[i]);
        let (up, down) = (flat(&wp, &ap), flat(&wm, &am));
        for k in 0..10 {
            let slope = (up[k] - down[k]) / (2.0 * step);
            assert!((slope - hessian.row(i)[k]).abs() <= 1e-8, "{i} {k}: {slope} {}", hessian.row(i)[k]);
        }
    }
    let p: Vec<f64> = (0..10).map(|i| libm::sin(1.0 + f64::from(i))).collect();
    let direction = Matrix::try_new(2, 4, p[..8].to_vec()).unwrap();
    let student = Student::new(w.view()).with_output(&a).with_skip(&skip);
    let (by_weights, by_output) = problem.hessian_product(student, direction.view(), &p[8..]).unwrap();
    let got = [by_weights.into_vec(), by_output].concat();
    for i in 0..10 {
        let want: f64 = hessian.row(i).iter().zip(&p).map(|(h, x)| h * x).sum();
        let scale: f64 = hessian.row(i).iter().zip(&p).map(|(h, x)| (h * x).abs()).sum();
        assert!((got[i] - want).abs() <= 64.0 * f64::EPSILON * scale, "{i}: {} {want}", got[i]);
    }
    let outputs = problem.hessian(student, Blocks::Output).unwrap();
    let weights = problem.hessian(student, Blocks::Weights).unwrap();
    for i in 0..8 {
        assert_eq!(weights.row(i), &hessian.row(i)[..8]);
    }
    for i in 0..2 {
        assert_eq!(outputs.row(i), &hessian.row(8 + i)[8..]);
    }
}

#[test]
fn leaky_slopes_and_skips_match_the_golden_values() {
    for case in list(&read("leaky_skip.json")["cases"]) {
        let (w, v) = (matrix(&case["W"]), matrix(&case["V"]));
        let (a, b) = (numbers(&case["a"]), numbers(&case["b"]));
        let problem = TwoLayer::try_new(v).unwrap().with_teacher_output(b).unwrap();
        let leaky = problem.clone().with_leaky(number(&case["alpha"])).unwrap();
        let student = Student::new(w.view()).with_output(&a);
        // Sums of up to twenty terms, some larger than their sum.
        let close = |got: f64, want: f64| {
            assert!((got - want).abs() <= 16.0 * f64::EPSILON * want.abs().max(1.0), "{got} {want}");
        };
        close(leaky.loss(student).unwrap(), number(&case["leaky_loss"]));
        let got = leaky.gradient(student).unwrap();
        let rows = matrix(&case["leaky_grad_W"]);
        got.weights.as_slice().iter().zip(rows.as_slice()).for_each(|(g, w)| close(*g, *w));
        got.output.iter().zip(numbers(&case["leaky_grad_a"])).for_each(|(g, w)| close(*g, w));
        let (c, c_star) = (numbers(&case["skip_c"]), numbers(&case["skip_c_star"]));
        let skip = problem.with_teacher_skip(c_star).unwrap();
        let student = student.with_skip(&c);
        close(skip.loss(student).unwrap(), number(&case["relu_skip_loss"]));
        let got = skip.gradient(student).unwrap();
        got.skip.iter().zip(numbers(&case["relu_skip_grad_c"])).for_each(|(g, w)| close(*g, w));
        let rows = matrix(&case["relu_skip_grad_W"]);
        got.weights.as_slice().iter().zip(rows.as_slice()).for_each(|(g, w)| close(*g, *w));
    }
}

#[test]
fn every_level_gives_the_same_bits() {
    for case in near_cases().iter().step_by(7) {
        let student = case.student();
        let of = |level| {
            let problem = case.problem.clone().with_level(level).unwrap();
            let gradient = problem.gradient(student).unwrap();
            (gradient, problem.loss(student).unwrap(), problem.hessian(student, Blocks::All).unwrap())
        };
        let want = of(popgrad::Level::Portable);
        for level in popgrad::Level::available() {
            assert_eq!(of(level), want, "{level:?} {}", case.label);
        }
    }
}

#[test]
fn extreme_lengths_scale_exactly() {
    // J(s W, s V) = s^2 J(W, V) and the gradient scales with s: exact for powers of two.
    let v = matrix(&serde_json::json!([[0.3, -1.0, 0.5], [1.1, 0.4, -0.2]]));
    for offset in [1.0, 1e-3, 1e-9] {
        let mut w = v.clone();
        for (i, x) in w.as_mut_slice().iter_mut().enumerate() {
            *x += offset * libm::sin(3.0 * i as f64);
        }
        let of = |s: f64| {
            let scaled = |m: &Matrix| {
                let mut m = m.clone();
                m.as_mut_slice().iter_mut().for_each(|x| *x *= s);
                m
            };
            let problem = TwoLayer::try_new(scaled(&v)).unwrap();
            let w = scaled(&w);
            let g = problem.gradient(Student::new(w.view())).unwrap().weights;
            let loss = problem.loss(Student::new(w.view())).unwrap();
            // A loss below the normal numbers cannot carry its digits.
            (
                if loss.is_normal() { Some(loss / s / s) } else { None },
                g.into_vec().iter().map(|x| x / s).collect::<Vec<_>>(),
            )
        };
        let want = of(1.0);
        for exponent in [-498, -300, -100, 100, 300, 498] {
            let got = of(libm::scalbn(1.0, exponent));
            if let (Some(got), Some(want)) = (got.0, want.0) {
                assert!((got / want - 1.0).abs() <= 4e-15, "{offset} 2^{exponent}: {got} {want}");
            }
            let error = distance(&got.1, &want.1) / norm(&want.1);
            assert!(error <= 1e-15, "{offset} 2^{exponent}: {error:e}");
        }
    }
}

#[test]
fn a_batch_agrees_with_one_problem_at_a_time() {
    let v = matrix(&serde_json::json!([[0.3, -1.0, 0.5], [1.1, 0.4, -0.2], [-0.7, 0.2, 0.9]]));
    let problem = TwoLayer::try_new(v.clone()).unwrap().with_teacher_output(vec![1.0, 2.0, -0.5]).unwrap();
    for (k, n) in [(3, 21), (1, 8), (4, 16)] {
        let mut students: Vec<f64> = (0..n * k * 3).map(|i| libm::sin(1.7 * i as f64)).collect();
        let outputs: Vec<f64> = (0..n * k).map(|i| libm::cos(0.9 * i as f64)).collect();
        let mut near = outputs.clone();
        if k == 3 {
            // One student beside the teacher, one zero row, one tiny row.
            students[9..18].iter_mut().zip(v.as_slice()).for_each(|(w, v)| *w = v + 1e-9 * *w);
            near[3..6].copy_from_slice(&[1.0, 2.0, -0.5]);
            students[18..21].fill(0.0);
            students[27..30].iter_mut().for_each(|w| *w *= 1e-150);
        }
        let mut got = vec![f64::NAN; students.len()];
        popgrad::BatchEvaluator::new(&problem, k).gradients_into(&students, &near, &mut got).unwrap();
        for i in 0..n {
            let w = Matrix::try_new(k, 3, students[i * k * 3..(i + 1) * k * 3].to_vec()).unwrap();
            let a = &near[i * k..(i + 1) * k];
            let want = problem.gradient(Student::new(w.view()).with_output(a)).unwrap().weights;
            for j in 0..k {
                let got = &got[(i * k + j) * 3..(i * k + j + 1) * 3];
                if norm(w.row(j)) == 0.0 {
                    assert_eq!(got, [0.0; 3]);
                    continue;
                }
                let scale = term_norms(&w, a, &v, problem.teacher_output(), j);
                let allowed = allowed("BatchEvaluator::gradients_into", scale);
                assert!(distance(got, want.row(j)) <= allowed, "{k} {i} {j}: {got:?} {:?}", want.row(j));
            }
        }
        if k == 3 {
            let w = Matrix::try_new(3, 3, students[9..18].to_vec()).unwrap();
            let want = problem.gradient(Student::new(w.view()).with_output(&near[3..6])).unwrap().weights;
            assert_eq!(&got[9..18], want.as_slice(), "near the teacher the evaluator of one problem answers");
        }
    }
    let mut out = [0.0; 8];
    let error =
        popgrad::BatchEvaluator::new(&problem, 3).gradients_into(&[0.0; 8], &[], &mut out).unwrap_err();
    assert!(error.to_string().contains("whole students"), "{error}");
}
