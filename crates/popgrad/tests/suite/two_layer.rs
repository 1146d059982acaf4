//! The two-layer landscape: golden values away from and near the teacher, derivatives, invariances.

use crate::fixture::{allowed, list, number, numbers, read, row};
use popgrad::{Matrix, Student, TwoLayer, gating};
use serde_json::Value;

fn matrix(value: &Value) -> Matrix {
    let rows: Vec<Vec<f64>> = list(value).iter().map(numbers).collect();
    Matrix::try_from_rows(&rows).expect("a matrix")
}

fn norm(x: &[f64]) -> f64 {
    x.iter().map(|v| v * v).sum::<f64>().sqrt()
}

fn distance(x: &[f64], y: &[f64]) -> f64 {
    norm(&x.iter().zip(y).map(|(a, b)| a - b).collect::<Vec<_>>())
}

/// Sum of the norms of the terms of neuron `j`'s gradient, `|a_j| sum_z |c_z| |F(w_j, z)|`.
fn term_norms(w: &Matrix, a: &[f64], v: &Matrix, b: &[f64], j: usize) -> f64 {
    let units = (0..w.rows()).map(|k| (a[k], w.row(k))).chain((0..v.rows()).map(|m| (b[m], v.row(m))));
    a[j].abs() * units.map(|(c, z)| c.abs() * norm(&gating(w.row(j), z).unwrap())).sum::<f64>()
}

#[test]
fn gradients_match_the_golden_networks() {
    let (mut worst, mut worst_output) = (0.0_f64, 0.0_f64);
    for case in list(&read("network.json")["cases"]) {
        let (w, v) = (matrix(&case["W"]), matrix(&case["V"]));
        let (a, b) = (numbers(&case["a"]), numbers(&case["b"]));
        let problem = TwoLayer::try_new(v.clone()).unwrap().with_teacher_output(b.clone()).unwrap();
        let got = problem.gradient(Student::new(w.view()).with_output(&a)).unwrap();
        let (want, want_output) = (matrix(&case["grad_W"]), numbers(&case["grad_a"]));
        for j in 0..w.rows() {
            let scale = term_norms(&w, &a, &v, &b, j);
            worst = worst.max(distance(got.weights.row(j), want.row(j)) / (f64::EPSILON * scale));
            let scale = scale / a[j].abs() * norm(w.row(j));
            worst_output = worst_output.max((got.output[j] - want_output[j]).abs() / (f64::EPSILON * scale));
        }
    }
    println!("worst: gradient {worst:.2}, output gradient {worst_output:.2} EPSILON of the terms");
    assert!(worst <= row("TwoLayer::gradient#weights").factor, "{worst}");
    assert!(worst_output <= row("TwoLayer::gradient#output").factor, "{worst_output}");
}

/// The problem and the student of a case of `two_layer_near.json`.
struct NearCase {
    label: String,
    problem: TwoLayer,
    weights: Matrix,
    output: Vec<f64>,
    loss: f64,
    by_weights: Matrix,
    by_output: Vec<f64>,
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
        NearCase {
            label: format!("{} at {}", case["label"], case["offset"]),
            problem,
            weights: matrix(&case["W"]),
            output: numbers(&case["a"]),
            loss: number(&case["loss"]),
            by_weights: matrix(&case["grad_W"]),
            by_output: numbers(&case["grad_a"]),
        }
    };
    list(&read("two_layer_near.json")["cases"]).iter().map(one).collect()
}

#[test]
fn near_the_teacher_gradients_keep_relative_accuracy() {
    let mut worst = (0.0_f64, String::new());
    let mut worst_output = 0.0_f64;
    for case in near_cases() {
        let student = Student::new(case.weights.view()).with_output(&case.output);
        let got = case.problem.gradient(student).unwrap();
        let want = case.by_weights.as_slice();
        let error = distance(got.weights.as_slice(), want) / norm(want);
        if error > worst.0 {
            worst = (error, case.label.clone());
        }
        for j in 0..case.output.len() {
            let residual = norm(case.by_weights.row(j)) / case.output[j].abs();
            let scale = f64::EPSILON * residual * norm(case.weights.row(j));
            worst_output = worst_output.max((got.output[j] - case.by_output[j]).abs() / scale);
        }
    }
    println!("worst: gradient {:.2e} relative ({}), output gradient {worst_output:.2}", worst.0, worst.1);
    assert!(worst.0 <= allowed("TwoLayer::gradient#near", 1.0), "{worst:?}");
    assert!(worst_output <= row("TwoLayer::gradient#near_output").factor, "{worst_output}");
}
