//! The normal equation of the point: Y, B*, M, M*, M_r, L, the radial solution and Theorem 3.

use super::plan::Plan;
use crate::document::{Document, number, rows, short_row};
use crate::failure::Failure;
use popgrad::{Matrix, NormalEquation};
use serde_json::{Value, json};

/// Forms the equation.
pub(super) fn form(plan: &Plan) -> Result<NormalEquation, Failure> {
    NormalEquation::try_new(&plan.problem, plan.student())
        .map_err(|e| Failure::new("--normal-equation", &e, e.kind()))
}

/// Numbers as nested lists, the last axis fastest.
fn nested(data: &[f64], shape: &[usize]) -> Value {
    match shape {
        [] => json!(data.first()),
        [_] => json!(data),
        [_, inner @ ..] => {
            let size: usize = inner.iter().product();
            Value::Array(data.chunks(size.max(1)).map(|part| nested(part, inner)).collect())
        }
    }
}

/// Adds the keys to the document.
pub(super) fn set(document: &mut Document, plan: &Plan, equation: &NormalEquation) {
    let (k, m) = (plan.weights.rows(), plan.problem.teacher().rows());
    let matrix = |x: &Matrix| rows(x, &[]);
    document.set("Y", matrix(&equation.student_side()));
    document.set("B*", matrix(&equation.teacher_side()));
    document.set("M", nested(&equation.projections(), &[k, k, k]));
    document.set("M*", nested(&equation.teacher_projections(), &[k, k, m]));
    document.set("M_r", matrix(&equation.radial_matrix()));
    document.set("M_r*", matrix(&equation.radial_teacher_matrix()));
    let projections = equation.residual_projections();
    document.set("L", json!(projections.map(|l| nested(l.as_slice(), &[m, k, k]))));
    let radial = equation.radial_solution().map(
        |r| json!({"lengths": r.lengths, "errors": r.errors, "signs": r.signs, "admissible": r.admissible}),
    );
    document.set("radial", json!(radial));
    document.set("in_plane", equation.is_in_plane());
    document.set("full_rank", equation.is_full_rank());
    document.set("spanning", equation.is_spanning());
    let verdict = equation.theorem3();
    let pair = verdict.pair.map(|(j, onto)| [j, onto]);
    document.set("theorem3", json!({"excluded": verdict.excluded, "pair": pair, "margin": verdict.margin}));
}

/// The same for people.
pub(super) fn text(equation: &NormalEquation) -> Vec<String> {
    let mut lines = vec!["normal equation Y E^T = B* W*^T".to_owned()];
    let mut table = |name: &str, matrix: &Matrix| {
        lines.push(format!("  {name}"));
        lines.extend((0..matrix.rows()).map(|i| format!("       {}", short_row(matrix.row(i)))));
    };
    table("Y", &equation.student_side());
    table("B*", &equation.teacher_side());
    table("M_r", &equation.radial_matrix());
    table("M_r*", &equation.radial_teacher_matrix());
    let yes = |answer: bool| if answer { "yes" } else { "no" };
    lines.push(format!(
        "  students in the teachers' span: {}, spanning it: {}, M_r regular: {}",
        yes(equation.is_in_plane()),
        yes(equation.is_spanning()),
        yes(equation.is_full_rank())
    ));
    match equation.radial_solution() {
        None => lines.push("  no radial solution: directions coincide".to_owned()),
        Some(radial) => {
            let verdict = if radial.admissible { "admissible" } else { "not those of a critical point" };
            lines.push(format!("  lengths a|w| that solve M_r w = M_r* v, their signs {verdict}"));
            lines.push(format!("       {}", short_row(&radial.lengths)));
        }
    }
    let verdict = equation.theorem3();
    lines.push(match (verdict.pair, verdict.margin) {
        (Some((j, onto)), Some(margin)) if verdict.excluded => format!(
            "  Theorem 3: cannot be critical, whatever the lengths: pair ({j}, {onto}) has one sign, margin {}",
            number(margin)
        ),
        (Some((j, onto)), Some(margin)) => format!(
            "  Theorem 3 does not exclude the directions; closest is pair ({j}, {onto}), margin {}",
            number(margin)
        ),
        _ => "  Theorem 3 says nothing here: it needs two students and a regular M_r".to_owned(),
    });
    lines
}
