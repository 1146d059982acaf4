//! What `popgrad eval` says.

use super::plan::Plan;
use super::{Outcome, normal, sampled};
use crate::document::{Document, number, rows, short_row};
use serde_json::{Value, json};

pub(super) fn document(plan: &Plan, outcome: &Outcome) -> Document {
    let mut document = Document::new("eval", plan.seed, &plan.options);
    let zero = &outcome.gradient.zero_students;
    document.set("loss", json!(outcome.loss));
    document.set("gradient", rows(&outcome.gradient.weights, zero));
    document.set("output_gradient", json!(outcome.gradient.output));
    if !outcome.gradient.skip.is_empty() {
        document.set("skip_gradient", json!(outcome.gradient.skip));
    }
    document.set("gradient_error", errors(&outcome.error, zero));
    document.set("conditions", conditions(zero));
    if let Some(eigenvalues) = &outcome.eigenvalues {
        document.set("hessian_eigenvalues", json!(eigenvalues));
    }
    if let Some(equation) = &outcome.normal_equation {
        normal::set(&mut document, plan, equation);
    }
    let skip = !plan.skip.is_empty();
    if let (Some(estimate), Some((_, samples))) = (&outcome.monte_carlo, plan.monte_carlo) {
        document.set("monte_carlo", sampled::monte_carlo_json(estimate, samples, skip));
    }
    if let (Some(found), Some(location)) = (&outcome.data, &plan.data) {
        document.set("data", sampled::data_json(location, found, skip));
    }
    if let Some((path, blocks, _)) = &plan.save {
        let names: Vec<&str> = blocks.iter().map(|b| b.name()).collect();
        document.set("saved", json!({"file": path.display().to_string(), "members": names}));
    }
    document
}

/// The bound of each neuron; null where its row is.
fn errors(bounds: &[f64], zero_students: &[usize]) -> Value {
    bounds.iter().enumerate().map(|(j, b)| json!((!zero_students.contains(&j)).then_some(b))).collect()
}

/// The zero students, where the direction of the gradient is not defined.
fn conditions(zero_students: &[usize]) -> Value {
    zero_students.iter().map(|j| json!({"neuron": j, "condition": "zero_student"})).collect()
}

pub(super) fn text(plan: &Plan, outcome: &Outcome) -> String {
    let (k, d) = (plan.weights.rows(), plan.weights.cols());
    let mut lines = vec![
        format!("K = {k}, M = {}, d = {d}", plan.problem.teacher().rows()),
        format!("loss  {}", number(outcome.loss)),
        "gradient with respect to each student, and the bound on its error".to_owned(),
    ];
    for j in 0..k {
        let row = if outcome.gradient.zero_students.contains(&j) {
            "the student is zero: its gradient has no direction".to_owned()
        } else {
            format!("{}   +- {:.1e}", short_row(outcome.gradient.weights.row(j)), outcome.error[j])
        };
        lines.push(format!("  {j:>4} {row}"));
    }
    lines.push("gradient with respect to the output weights".to_owned());
    lines.push(format!("       {}", short_row(&outcome.gradient.output)));
    if !outcome.gradient.skip.is_empty() {
        lines.push("gradient with respect to the skip".to_owned());
        lines.push(format!("       {}", short_row(&outcome.gradient.skip)));
    }
    if let Some(eigenvalues) = &outcome.eigenvalues {
        let negative = eigenvalues.iter().filter(|x| **x < 0.0).count();
        lines.push(format!(
            "Hessian with respect to W: {} eigenvalues, {negative} below zero",
            eigenvalues.len()
        ));
        lines.extend(eigenvalues.chunks(6).map(|chunk| format!("       {}", short_row(chunk))));
    }
    if let Some(equation) = &outcome.normal_equation {
        lines.extend(normal::text(equation));
    }
    if let Some(estimate) = &outcome.monte_carlo {
        lines.extend(sampled::monte_carlo_text(estimate));
    }
    if let (Some(found), Some(location)) = (&outcome.data, &plan.data) {
        lines.extend(sampled::data_text(location, found));
    }
    if let Some((path, ..)) = &plan.save {
        lines.push(format!("Hessian written to {}", path.display()));
    }
    lines.join("\n")
}
