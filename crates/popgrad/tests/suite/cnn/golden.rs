//! Golden values: 25 digits, from plain sums over kernels and their differences.

use super::norm;
use crate::fixture::{Worst, allowed, list, number, numbers, read};
use popgrad::{Cnn, CnnForm, CnnStudent};
use serde_json::Value;
use std::f64::consts::TAU;

/// A case of one of the fixtures.
struct Case<'a> {
    value: &'a Value,
    label: String,
    v: Vec<f64>,
    a: Vec<f64>,
    problem: Cnn,
}

impl<'a> Case<'a> {
    fn new(value: &'a Value) -> Self {
        let plain = value["plain"].as_bool() == Some(true);
        let form = if plain { CnnForm::Plain } else { CnnForm::Normalised };
        let problem =
            Cnn::try_new(&numbers(&value["w_star"]), &numbers(&value["a_star"])).unwrap().with_form(form);
        let label = format!("{} ({form:?})", value["label"].as_str().unwrap());
        Self { value, label, v: numbers(&value["v"]), a: numbers(&value["a"]), problem }
    }

    fn student(&self) -> CnnStudent<'_> {
        CnnStudent { filter: &self.v, output: &self.a }
    }

    /// `A`, the output weights of the unit filter, and the sizes of `b = A - s a*`, each at least `EPSILON s |a*_j|`.
    fn effective(&self) -> (Vec<f64>, Vec<f64>) {
        let length = if self.problem.form() == CnnForm::Plain { norm(&self.v) } else { 1.0 };
        let s = self.problem.filter_norm();
        let effective: Vec<f64> = self.a.iter().map(|a| length * a).collect();
        let pairs = effective.iter().zip(self.problem.output());
        let b = pairs.map(|(a, star)| (a - s * star).abs().max(f64::EPSILON * s * star.abs())).collect();
        (effective, b)
    }

    /// The sizes of the terms of an entry of `grad_a` in the normalised form (W.10), and that of `grad_v` (W.4).
    fn scales(&self) -> (Vec<f64>, f64) {
        let (effective, b) = self.effective();
        let (s, angle) =
            (self.problem.filter_norm(), popgrad::angle(&self.v, self.problem.filter()).unwrap());
        let gap = TAU * libm::sin(0.5 * angle.theta).powi(2) - popgrad::angular_c1(angle.theta);
        let sum: f64 = b.iter().sum();
        let pairs = b.iter().zip(self.problem.output());
        let own = pairs.map(|(b, star)| (sum + 3.0 * b + s * gap * star.abs()) / TAU).collect();
        // Parallel vectors are told from nearly parallel ones only down to an angle of EPSILON^2.
        let sine = libm::sin(angle.theta.min(angle.psi)) + f64::EPSILON;
        let turning = norm(&effective) * norm(self.problem.output()) * s * angle.psi * sine / TAU;
        (own, turning / norm(&self.v))
    }
}

fn both(test: impl Fn(&Case<'_>)) {
    for file in ["cnn.json", "cnn_hard.json"] {
        for value in list(&read(file)["cases"]) {
            test(&Case::new(value));
        }
    }
}

#[test]
fn losses_match_to_relative_accuracy() {
    let worst = std::cell::RefCell::new(Worst::new("Cnn::loss"));
    both(|case| {
        let want = number(&case.value["loss"]);
        let got = case.problem.loss(case.student()).unwrap();
        worst.borrow_mut().check(got, want, allowed("Cnn::loss", want), || case.label.clone());
    });
}

#[test]
fn gradients_match() {
    let output = std::cell::RefCell::new(Worst::new("Cnn::gradient#output"));
    let filter = std::cell::RefCell::new(Worst::new("Cnn::gradient#filter"));
    both(|case| {
        let got = case.problem.gradient(case.student()).unwrap();
        let (own, turning) = case.scales();
        let plain = case.problem.form() == CnnForm::Plain;
        let length = if plain { norm(&case.v) } else { 1.0 };
        for (j, want) in numbers(&case.value["grad_a"]).iter().enumerate() {
            let scale = length * own[j];
            let at = || format!("{} {j}", case.label);
            output.borrow_mut().check(got.output[j], *want, allowed("Cnn::gradient#output", scale), at);
        }
        let radial: f64 = if plain { case.a.iter().zip(&own).map(|(a, o)| a.abs() * o).sum() } else { 0.0 };
        for (i, want) in numbers(&case.value["grad_v"]).iter().enumerate() {
            let at = || format!("{} {i}", case.label);
            let scale = turning + radial;
            // Exactly collinear filters have the exact derivative; elsewhere the axis is known to its last bits.
            filter.borrow_mut().check(got.filter[i], *want, allowed("Cnn::gradient#filter", scale), at);
        }
    });
}

#[test]
fn hessians_match() {
    let worst = std::cell::RefCell::new(Worst::new("Cnn::hessian"));
    let file = read("cnn_hard.json");
    for value in list(&file["cases"]) {
        let case = Case::new(value);
        let got = case.problem.hessian(case.student()).unwrap();
        let scales = BlockScales::of(&case);
        let p = case.v.len();
        for (i, row) in list(&value["hessian"]).iter().enumerate() {
            for (j, want) in numbers(row).into_iter().enumerate() {
                let scale = match (i < p, j < p) {
                    (true, true) => scales.filter,
                    (false, false) => scales.output,
                    (true, false) => scales.mixed[j - p],
                    (false, true) => scales.mixed[i - p],
                };
                let at = || format!("{} ({i}, {j})", case.label);
                worst.borrow_mut().check(got.row(i)[j], want, allowed("Cnn::hessian", scale), at);
            }
        }
    }
}

/// Sums of the sizes of the terms of each block of (W.13) and (W.15), sine and cosine taken as one.
struct BlockScales {
    filter: f64,
    mixed: Vec<f64>,
    output: f64,
}

impl BlockScales {
    fn of(case: &Case<'_>) -> Self {
        let (problem, n) = (&case.problem, norm(&case.v));
        let (s, psi) = (problem.filter_norm(), popgrad::angle(&case.v, problem.filter()).unwrap().psi);
        let star = problem.output();
        let size: f64 = case.a.iter().map(|a| a.abs()).sum();
        let overlap = norm(&case.a) * norm(star);
        match problem.form() {
            CnnForm::Normalised => Self {
                filter: overlap * s * (2.0 * psi + 1.0) / TAU / n / n,
                mixed: star.iter().map(|star| psi * s * star.abs() / TAU / n).collect(),
                output: 0.5,
            },
            CnnForm::Plain => {
                let sum_star: f64 = star.iter().map(|x| x.abs()).sum();
                let pull = s * (size * sum_star + 3.0 * overlap) / n;
                let own = |j: usize| {
                    let a = case.a[j].abs();
                    2.0 * n * (size + 3.0 * a) + s * sum_star + s * (3.0 + psi) * star[j].abs()
                };
                Self {
                    filter: (size * size + 3.0 * norm(&case.a).powi(2) + pull) / TAU,
                    mixed: (0..star.len()).map(|j| own(j) / TAU).collect(),
                    output: 0.5 * n * n,
                }
            }
        }
    }
}

#[test]
fn scalars_thresholds_and_points_match() {
    let mut loss = Worst::new("Cnn::spurious_point#loss");
    let mut output = Worst::new("Cnn::spurious_point#output");
    let mut alpha = Worst::new("ReducedCnn::spurious_state");
    let mut angle = Worst::new("ReducedCnn::saddle_angle");
    let mut phi = Worst::new("Cnn::scalars#angle");
    let mut ratio = Worst::new("ReducedCnn::ratio");
    let mut threshold = Worst::new("ReducedCnn::threshold");
    let file = read("cnn.json");
    let (mut minima, mut saddles) = (0, 0);
    for value in list(&file["cases"]) {
        let case = Case::new(value);
        let (problem, at) = (&case.problem, || case.label.clone());
        let want = number(&value["phi"]);
        phi.check(
            problem.scalars(case.student()).unwrap().angle.theta,
            want,
            allowed("Cnn::scalars#angle", want),
            at,
        );
        let want = number(&value["ratio"]);
        ratio.check(problem.ratio(), want, allowed("ReducedCnn::ratio", want), at);
        let want = number(&value["threshold"]);
        threshold.check(problem.threshold(), want, allowed("ReducedCnn::threshold", want), at);
        let point = problem.spurious_point();
        let want = number(&value["spurious_loss"]);
        loss.check(point.loss, want, allowed("Cnn::spurious_point#loss", want), at);
        let (s, square) = (problem.filter_norm(), problem.output_square());
        let want = number(&value["spurious_a_dot_a_star"]);
        alpha.check(point.alpha, want, allowed("ReducedCnn::spurious_state", s * square), at);
        let share = problem.output_sum().abs() / (problem.patches() as f64 + std::f64::consts::PI - 1.0);
        for (j, want) in numbers(&value["spurious_a"]).into_iter().enumerate() {
            let scale = s * (problem.output()[j].abs() + share);
            output.check(point.output[j], want, allowed("Cnn::spurious_point#output", scale), at);
        }
        let is_minimum = value["spurious_is_local_min"].as_bool().unwrap();
        // One patch stands exactly at the threshold, and its point is no minimum.
        assert_eq!(point.local_minimum, is_minimum, "{}", case.label);
        assert_eq!(problem.saddle().is_some(), is_minimum, "{}", case.label);
        minima += usize::from(is_minimum);
        if let Some(want) = value.get("saddle_phi").map(number) {
            saddles += 1;
            let psi = std::f64::consts::PI - want;
            let moved = psi + 1.0 / (psi * psi.sin());
            angle.check(
                problem.saddle().unwrap().angle.theta,
                want,
                allowed("ReducedCnn::saddle_angle", moved),
                at,
            );
        }
    }
    assert!(minima >= 7 && saddles >= 7);
}

/// The paper's algorithm by single steps from the gradient, against 25 digits after 300 of them.
#[test]
fn gradient_descent_reaches_the_golden_points() {
    let mut worst = Worst::new("Cnn::gradient#output");
    for value in list(&read("cnn.json")["gradient_descent"]) {
        let problem = Cnn::try_new(&numbers(&value["w_star"]), &numbers(&value["a_star"])).unwrap();
        let (mut v, mut a) = (numbers(&value["v0"]), numbers(&value["a0"]));
        let eta = number(&value["eta"]);
        for _ in 0..value["steps"].as_u64().unwrap() {
            let gradient = problem.gradient(CnnStudent { filter: &v, output: &a }).unwrap();
            v.iter_mut().zip(&gradient.filter).for_each(|(x, g)| *x -= eta * g);
            a.iter_mut().zip(&gradient.output).for_each(|(x, g)| *x -= eta * g);
        }
        // Each step adds a rounding of the size of the state, and the descent forgets old ones no slower than it keeps them.
        let bound = 300.0 * f64::EPSILON * (norm(&v) + norm(&a));
        for (x, want) in v.iter().chain(&a).zip(numbers(&value["v"]).into_iter().chain(numbers(&value["a"])))
        {
            worst.check(*x, want, bound, || "after 300 steps".to_owned());
        }
    }
}
