//! `popgrad eval --problem cnn`: the convolutional network of Du et al. (2018) at a point.

use super::{Args, sampled};
use crate::Context;
use crate::arguments::source;
use crate::cnn_problem::{at, filter, output, refuse};
use crate::document::{Document, number, print, short_row};
use crate::failure::Failure;
use popgrad::{
    Cnn, CnnEmbedding, CnnForm, CnnGradient, CnnPoint, CnnPointKind, CnnScalars, CnnStudent, NetworkEstimate,
    SampleLaw, SamplePlan,
};
use serde_json::{Map, Value, json};

/// Entries of a vector on one line of text, and on all its lines.
const ACROSS: usize = 6;
const MOST: usize = 24;

/// What the arguments resolve to.
struct Plan {
    problem: Cnn,
    filter: Vec<f64>,
    output: Vec<f64>,
    monte_carlo: Option<SamplePlan>,
    options: Value,
    seed: Option<u64>,
}

/// What was computed.
struct Outcome {
    loss: f64,
    gradient: CnnGradient,
    /// None for a zero filter.
    scalars: Option<CnnScalars>,
    eigenvalues: Option<Vec<f64>>,
    monte_carlo: Option<Sampled>,
    points: Vec<CnnPoint>,
}

/// The estimate of the embedded networks, and that of the shared filter.
struct Sampled {
    estimate: NetworkEstimate,
    filter: (Vec<f64>, Vec<f64>),
}

impl Plan {
    fn resolve(args: &Args) -> Result<Self, Failure> {
        let given = [
            ("--skip", args.skip.is_some()),
            ("--data", args.data.is_some()),
            ("--normal-equation", args.normal_equation),
            ("--save", args.save.is_some()),
        ];
        refuse(&given, "does not go with --problem cnn; leave it out")?;
        let problem = args.cnn.resolve(&args.problem)?;
        let limit = args.problem.memory_limit();
        let filter = filter("--student", &args.student, &problem, limit)?;
        let output = output("--student-output", args.student_output.as_deref(), &problem, limit)?;
        if args.monte_carlo == Some(1) {
            return Err(Failure::input(
                "--monte-carlo",
                "1 sample has no standard error; at least 2 are needed",
            ));
        }
        let monte_carlo = args.monte_carlo.map(|samples| SamplePlan { samples, seed: args.seed });
        Ok(Self {
            problem,
            filter,
            output,
            monte_carlo,
            options: options(args),
            seed: monte_carlo.map(|plan| plan.seed).or_else(|| seed_of_words(args)),
        })
    }

    fn student(&self) -> CnnStudent<'_> {
        CnnStudent { filter: &self.filter, output: &self.output }
    }
}

/// The seed of a word, the student's before the teacher's.
fn seed_of_words(args: &Args) -> Option<u64> {
    let of_word = |text: &str| source("", text).ok().and_then(|word| word.seed());
    of_word(&args.student).or_else(|| args.cnn.teacher_filter.as_deref().and_then(of_word))
}

fn options(args: &Args) -> Value {
    let mut options: Map<String, Value> =
        args.cnn.options(&args.problem).into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
    options.insert("student".to_owned(), json!(args.student));
    options.insert("student_output".to_owned(), json!(args.student_output));
    options.insert("monte_carlo".to_owned(), json!(args.monte_carlo));
    options.insert("hessian".to_owned(), json!(args.hessian));
    Value::Object(options)
}

/// Runs the verb.
pub(super) fn run(args: &Args, context: &Context) -> Result<u8, Failure> {
    let plan = Plan::resolve(args)?;
    let outcome = compute(&plan, args)?;
    if context.json {
        document(&plan, &outcome).print()?;
    } else {
        print(&text(&plan, &outcome))?;
    }
    Ok(0)
}

fn compute(plan: &Plan, args: &Args) -> Result<Outcome, Failure> {
    let (problem, fail) = (&plan.problem, at("--student"));
    let eigenvalues = if args.hessian { Some(spectrum(plan)?) } else { None };
    let gradient = problem.gradient(plan.student()).map_err(&fail)?;
    let minimum_and_spurious = [problem.global_minimum(), problem.spurious_point()];
    Ok(Outcome {
        loss: problem.loss(plan.student()).map_err(&fail)?,
        scalars: (!gradient.zero_filter)
            .then(|| problem.scalars(plan.student()).map_err(&fail))
            .transpose()?,
        gradient,
        eigenvalues,
        monte_carlo: plan.monte_carlo.map(|samples| monte_carlo(plan, samples)).transpose()?,
        points: minimum_and_spurious.into_iter().chain(problem.saddle()).collect(),
    })
}

/// Eigenvalues of the Hessian in filter and output weights, ascending.
fn spectrum(plan: &Plan) -> Result<Vec<f64>, Failure> {
    let hessian = plan.problem.hessian(plan.student()).map_err(at("--hessian"))?;
    popgrad::symmetric_eigenvalues(hessian.view()).map_err(|e| Failure::new("--hessian", &e, e.kind()))
}

fn monte_carlo(plan: &Plan, samples: SamplePlan) -> Result<Sampled, Failure> {
    let embedding: CnnEmbedding = plan.problem.embedding(plan.student()).map_err(at("--monte-carlo"))?;
    let (teacher, student) = embedding.networks().map_err(|e| Failure::new("--monte-carlo", &e, e.kind()))?;
    let estimate = sampled::monte_carlo((&teacher, &student), SampleLaw::Gaussian, samples)?;
    Ok(Sampled { filter: embedding.filter_estimate(&estimate), estimate })
}

/// How a point is called.
fn name(kind: CnnPointKind) -> &'static str {
    match kind {
        CnnPointKind::Global => "global",
        CnnPointKind::Spurious => "spurious",
        CnnPointKind::Saddle => "saddle",
    }
}

fn document(plan: &Plan, outcome: &Outcome) -> Document {
    let (problem, gradient) = (&plan.problem, &outcome.gradient);
    let mut document = Document::new("eval", plan.seed, &plan.options);
    document.set("loss", json!(outcome.loss));
    document.set("gradient", if gradient.zero_filter { json!(null) } else { json!(gradient.filter) });
    document.set("output_gradient", json!(gradient.output));
    let conditions =
        if gradient.zero_filter { vec![json!({"condition": "zero_filter"})] } else { Vec::new() };
    document.set("conditions", json!(conditions));
    let scalars = outcome.scalars;
    document.set("phi", json!(scalars.map(|s| s.angle.theta)));
    document.set("pi_minus_phi", json!(scalars.map(|s| s.angle.psi)));
    document.set("filter_norm", json!(scalars.map_or(0.0, |s| s.filter_norm)));
    document.set("alpha", json!(scalars.map(|s| s.alpha)));
    document.set("output_sum", json!(scalars.map(|s| s.output_sum)));
    document.set("output_square", json!(scalars.map(|s| s.output_square)));
    document.set("teacher", teacher_json(problem));
    document.set("critical_points", outcome.points.iter().map(point_json).collect::<Vec<Value>>());
    if let Some(eigenvalues) = &outcome.eigenvalues {
        document.set("hessian_eigenvalues", json!(eigenvalues));
    }
    if let (Some(found), Some(samples)) = (&outcome.monte_carlo, plan.monte_carlo) {
        document.set("monte_carlo", monte_carlo_json(found, samples));
    }
    document
}

fn teacher_json(problem: &Cnn) -> Value {
    json!({
        "patches": problem.patches(),
        "patch_dimension": problem.patch_dimension(),
        "filter_norm": problem.filter_norm(),
        "output_sum": problem.output_sum(),
        "output_square": problem.output_square(),
        "ratio": problem.ratio(),
        "threshold": problem.threshold(),
        "spurious_is_minimum": problem.spurious_is_minimum(),
    })
}

fn point_json(point: &CnnPoint) -> Value {
    json!({
        "point": name(point.kind),
        "phi": point.angle.theta,
        "pi_minus_phi": point.angle.psi,
        "alpha": point.alpha,
        "loss": point.loss,
        "index": point.index,
        "nullity": point.nullity,
        "local_minimum": point.local_minimum,
    })
}

fn monte_carlo_json(found: &Sampled, samples: SamplePlan) -> Value {
    json!({
        "samples": found.estimate.samples,
        "seed": samples.seed,
        "loss": found.estimate.loss,
        "loss_standard_error": found.estimate.loss_error,
        "gradient": found.filter.0,
        "gradient_standard_error_bound": found.filter.1,
        "output_gradient": found.estimate.output.mean,
        "output_gradient_standard_error": found.estimate.output.standard_error,
    })
}

fn text(plan: &Plan, outcome: &Outcome) -> String {
    let (problem, gradient) = (&plan.problem, &outcome.gradient);
    let form = match problem.form() {
        CnnForm::Normalised => "normalised",
        CnnForm::Plain => "plain",
    };
    let (k, p) = (problem.patches(), problem.patch_dimension());
    let side = if problem.spurious_is_minimum() { "is" } else { "is not" };
    let mut lines = vec![
        format!("k = {k} patches, p = {p}, {form}"),
        format!(
            "ratio {}, threshold {}: the spurious point {side} a local minimum",
            number(problem.ratio()),
            number(problem.threshold())
        ),
        format!("loss  {}", number(outcome.loss)),
    ];
    if let Some(s) = outcome.scalars {
        lines.push(format!("phi   {}   pi - phi {}", number(s.angle.theta), number(s.angle.psi)));
        lines.push(format!(
            "a.a*  {}   1.a {}   |v| {}",
            number(s.alpha),
            number(s.output_sum),
            number(s.filter_norm)
        ));
    }
    lines.push("gradient with respect to the filter".to_owned());
    if gradient.zero_filter {
        lines.push("       the filter is zero: its gradient has no direction".to_owned());
    } else {
        lines.extend(listed(&gradient.filter));
    }
    lines.push("gradient with respect to the output weights".to_owned());
    lines.extend(listed(&gradient.output));
    if let Some(eigenvalues) = &outcome.eigenvalues {
        let negative = eigenvalues.iter().filter(|x| **x < 0.0).count();
        let count = eigenvalues.len();
        lines.push(format!("Hessian with respect to v and a: {count} eigenvalues, {negative} below zero"));
        lines.extend(eigenvalues.chunks(ACROSS).map(|chunk| format!("       {}", short_row(chunk))));
    }
    lines.push("critical points            phi            loss   index  nullity  local minimum".to_owned());
    lines.extend(outcome.points.iter().map(point_line));
    if let Some(found) = &outcome.monte_carlo {
        lines.extend(monte_carlo_text(found));
    }
    lines.join("\n")
}

/// The entries of a vector, or the first of many.
fn listed(vector: &[f64]) -> Vec<String> {
    let shown = &vector[..vector.len().min(MOST)];
    let rows = shown.chunks(ACROSS).map(|chunk| format!("       {}", short_row(chunk)));
    rows.chain(more(vector.len())).collect()
}

/// Means over their standard errors, or the first of many.
fn estimated(name: &str, mean: &[f64], error: &[f64], note: &str) -> Vec<String> {
    let shown = mean.len().min(MOST);
    let pairs = mean[..shown].chunks(ACROSS).zip(error[..shown].chunks(ACROSS));
    let rows = pairs.flat_map(|(mean, error)| {
        [format!("   {name}   {}", short_row(mean)), format!("    +- {}{note}", short_row(error))]
    });
    rows.chain(more(mean.len())).collect()
}

/// What says that entries are left out.
fn more(count: usize) -> Option<String> {
    let left = count.checked_sub(MOST).filter(|n| *n > 0)?;
    Some(format!("         and {left} more, which --json has"))
}

fn point_line(point: &CnnPoint) -> String {
    let minimum = if point.local_minimum { "yes" } else { "no" };
    format!(
        "  {:<10} {:>17.10} {:>15.8e} {:>7} {:>8}  {minimum}",
        name(point.kind),
        point.angle.theta,
        point.loss,
        point.index,
        point.nullity
    )
}

fn monte_carlo_text(found: &Sampled) -> Vec<String> {
    let mut lines = vec![format!(
        "Monte Carlo, {} samples: loss {} +- {:.1e} (standard error)",
        found.estimate.samples,
        number(found.estimate.loss),
        found.estimate.loss_error
    )];
    lines.extend(estimated("v", &found.filter.0, &found.filter.1, "  (at most)"));
    let output = &found.estimate.output;
    lines.extend(estimated("a", &output.mean, &output.standard_error, ""));
    lines
}
