//! What `popgrad flow` says at the end.

use super::drive::RunResult;
use super::plan::Plan;
use crate::Context;
use crate::document::{Document, number, print, rows};
use crate::failure::Failure;
use popgrad::{CnnBasin, CnnForm, Event, Outcome, Status};
use popgrad_lab::flow::{Method, Model};
use serde_json::{Value, json};

/// Whether a run ended where its numbers mean nothing.
pub(super) fn failed(run: &Outcome) -> bool {
    matches!(run.status, Status::Diverged | Status::Stalled)
}

/// Prints the summary.
pub(super) fn show(plan: &Plan, result: &RunResult, context: &Context) -> Result<(), Failure> {
    if context.json {
        return document(plan, result).print();
    }
    print(&text(plan, result))
}

fn document(plan: &Plan, result: &RunResult) -> Document {
    let teacher = plan.model.teacher();
    let runs: Vec<Value> = result
        .runs
        .iter()
        .enumerate()
        .map(|(i, run)| {
            let (weights, output) = plan.model.weights(&run.point);
            let mut entry = json!({
                "run": i,
                "status": run.status.name(),
                "loss": run.loss,
                "grad_norm": run.gradient_norm,
                "t": run.time,
                "steps": run.steps,
                "rejected": run.rejected,
                "gradients": run.gradients,
                "state": run.point,
                "angles": Model::angles(&weights, &teacher),
                "W": rows(&weights, &[]),
                "a": output,
                "events": run.events.iter().map(event).collect::<Vec<Value>>(),
            });
            if let Some([alpha, sum]) = plan.model.overlaps(&run.point) {
                entry["alpha"] = json!(alpha);
                entry["S_a"] = json!(sum);
                entry["basin"] = json!(plan.model.basin(&run.point).map(CnnBasin::name));
            }
            entry
        })
        .collect();
    let mut document = Document::new("flow", plan.seed, &plan.options);
    document.set("runs", runs);
    document.set("rows", result.rows);
    document.set("interrupted", result.stopped.is_some());
    document
}

fn event(event: &Event) -> Value {
    json!({"kind": event.kind.name(), "index": event.kind.index(), "step": event.step, "t": event.time})
}

fn text(plan: &Plan, result: &RunResult) -> String {
    let mut lines = vec![format!(
        "{:>4}  {:<12} {:>9} {:>12} {:>24} {:>12}",
        "run", "status", "steps", "t", "loss", "|grad J|"
    )];
    for (i, run) in result.runs.iter().enumerate() {
        lines.push(format!(
            "{i:>4}  {:<12} {:>9} {:>12.6} {:>24} {:>12.4e}",
            run.status.name(),
            run.steps,
            run.time,
            number(run.loss),
            run.gradient_norm
        ));
        lines.extend(convolution(plan, run));
        for event in run.events.iter().filter(|e| plan.list_events || e.kind.name() == "zero_student") {
            let index = event.kind.index().map_or_else(String::new, |j| format!(" {j}"));
            lines.push(format!(
                "      {}{index} at t = {}, step {}",
                event.kind.name(),
                number(event.time),
                event.step
            ));
        }
    }
    if let Some(path) = &plan.out {
        lines.push(format!("{} rows written to {}", result.rows, path.display()));
    }
    for (what, path) in [("weights at the end", &plan.end), ("figure", &plan.plot)] {
        if let Some(path) = path {
            lines.push(format!("{what} written to {}", path.display()));
        }
    }
    lines.join("\n")
}

/// Angle, overlaps and proved end of a convolutional network, in a line of its own.
fn convolution(plan: &Plan, run: &Outcome) -> Option<String> {
    let [alpha, sum] = plan.model.overlaps(&run.point)?;
    let (weights, _) = plan.model.weights(&run.point);
    let phi = Model::angles(&weights, &plan.model.teacher());
    if phi[0].is_nan() {
        return Some("      the filter is zero: phi is not defined".to_owned());
    }
    let end = match plan.model.basin(&run.point) {
        Some(CnnBasin::Global) => "; the flow from here reaches the teacher",
        Some(CnnBasin::Spurious) => "; the flow from here reaches the spurious point",
        _ => "",
    };
    let norm = weights.row(0).iter().map(|x| x * x).sum::<f64>().sqrt();
    let [phi, alpha, sum, norm] = [phi[0], alpha, sum, norm].map(number);
    Some(format!("      phi = {phi}, a.a* = {alpha}, 1.a = {sum}, |v| = {norm}{end}{}", too_long(plan, run)))
}

/// Why a descent with weight normalisation diverged, where its step is the reason.
fn too_long(plan: &Plan, run: &Outcome) -> String {
    let (Model::Convolution(problem), Method::Descent(options)) = (&plan.model, &plan.method) else {
        return String::new();
    };
    let limit = problem.reduced().step_limits(1.0)[0];
    if run.status != Status::Diverged || problem.form() != CnnForm::Normalised || options.step <= limit {
        return String::new();
    }
    format!("; the step is above 4 pi/(k + pi - 1) = {}, from which on 1.a diverges", number(limit))
}

/// What a clean stop leaves behind, and how to go on.
pub(super) fn how_to_resume(plan: &Plan, result: &RunResult) -> String {
    let (run, steps, time) =
        result.runs.last().map_or((0, 0, 0.0), |r| (result.runs.len() - 1, r.steps, r.time));
    let reached =
        format!("stopped in run {run} of {} at step {steps}, t = {}", plan.starts.len(), number(time));
    match &plan.end {
        Some(path) => format!("{reached}; go on with --start {}:W", path.display()),
        None => format!(
            "{reached}; with --end FILE.npz the state reached is kept, and --start FILE.npz:W goes on"
        ),
    }
}
