//! `popgrad certify points`: critical points near given ones, proved to exist, with their index.

use super::out::Out;
use crate::Context;
use crate::arguments::{MEMORY_LIMIT, file_at, matrix, neurons, output_weights, same_dimension, skips};
use crate::document::{Document, number, print, rows};
use crate::failure::Failure;
use crate::progress;
use crate::signals::{Signal, Signals};
use crate::values;
use popgrad::Matrix;
use popgrad_lab::certificate::Certificate;
use popgrad_lab::storage::{is_array_location, read_array};
use popgrad_proof::{
    Claim, Interval, PointError, PointOptions, PointProblem, PointReport, PointSetting, PointSkip,
    PointStatus,
};
use serde_json::{Value, json};

/// What is typed.
#[derive(Debug, clap::Args)]
#[command(
    after_long_help = "Example:\n  popgrad certify points --teacher orthonormal:6 --points orthonormal:6\n\n\
    A point is certified if exactly one critical point lies near it, on a slice where symmetry moves it. Its loss,\n\
    index and smallest eigenvalue hold for that critical point. The law of the input is N(0, I), or N(0, S) with\n\
    --covariance. Where a teacher is shared out over several students, the number of zero eigenvalues is given."
)]
pub(crate) struct Args {
    /// Teacher: FILE.npy, FILE.npz:NAME or a word
    #[arg(long, value_name = "V")]
    teacher: String,
    /// Points: a file (n, K, d) or (K, d), or a word
    #[arg(long, value_name = "P")]
    points: String,
    /// Output weights of the teacher [default: ones]
    #[arg(long, value_name = "B", allow_hyphen_values = true)]
    teacher_output: Option<String>,
    /// Output weights of the students [default: ones]
    #[arg(long, value_name = "A", allow_hyphen_values = true)]
    student_output: Option<String>,
    /// Slope of the activation below zero [default: 0]
    ///
    /// 0 is the ReLU, 1 is linear, -1 is the absolute value.
    #[arg(long, value_name = "ALPHA", value_parser = values::finite, allow_negative_numbers = true)]
    leaky: Option<f64>,
    /// Linear skips: C.npy,CSTAR.npy of student and teacher, or the word trained
    ///
    /// Two files of shape (d,), which stay as they are. With the word, the student's skip is trained along with the weights and
    /// takes its best value; that of the teacher does not matter then.
    #[arg(long, value_name = "C,CSTAR")]
    skip: Option<String>,
    /// Covariance of the input: a file (d, d), positive definite [default: identity]
    #[arg(long, value_name = "S")]
    covariance: Option<String>,
    /// Distance within which the critical point has to lie
    ///
    /// By default 1e-5 of one plus the norm of the point, so that six digits of every entry are enough.
    #[arg(long, value_name = "R", value_parser = values::positive, allow_negative_numbers = true)]
    radius: Option<f64>,
    /// The claim is that the point is a strict local minimum
    ///
    /// Strict but for the manifold that symmetry forces. Without it the claim is a critical point of any index.
    #[arg(long)]
    minimum: bool,
    /// Memory a call may use, like 500MiB [default: 4GiB]
    #[arg(long, value_name = "BYTES", value_parser = values::bytes)]
    memory_limit: Option<u64>,
    #[command(flatten)]
    out: Out,
}

/// What that resolves to.
struct Plan {
    problem: PointProblem,
    points: Vec<Matrix>,
    asked: PointOptions,
    options: Value,
}

impl Plan {
    fn resolve(args: &Args) -> Result<Self, Failure> {
        let limit = args.memory_limit.unwrap_or(MEMORY_LIMIT);
        let teacher = neurons("--teacher", &args.teacher, limit)?;
        let points = if is_array_location(&args.points) {
            let needed = "(n, K, d) or (K, d), points of K students each,";
            read_array(&args.points).and_then(|a| a.into_matrices(needed)).map_err(file_at("--points"))?
        } else {
            vec![neurons("--points", &args.points, limit)?]
        };
        let (students, cols) = points.first().map_or((0, 0), |p| (p.rows(), p.cols()));
        same_dimension("--points", &args.points, cols, (&args.teacher, teacher.cols()))?;
        let output = |argument: &str, text: Option<&String>, count: usize| {
            text.map_or(Ok(vec![1.0; count]), |text| output_weights(argument, text, count))
        };
        let teacher_output = output("--teacher-output", args.teacher_output.as_ref(), teacher.rows())?;
        let student_output = output("--student-output", args.student_output.as_ref(), students)?;
        let setting = setting(args, teacher.cols())?;
        let problem = PointProblem::try_new(teacher, teacher_output, student_output)
            .and_then(|problem| problem.with_setting(setting))
            .map_err(|e| plain(&e))?;
        let claim = if args.minimum { Claim::Minimum } else { Claim::Critical };
        let options = json!({
            "what": "points",
            "teacher": args.teacher,
            "points": args.points,
            "teacher_output": args.teacher_output,
            "student_output": args.student_output,
            "leaky": args.leaky.unwrap_or(0.0),
            "skip": args.skip,
            "covariance": args.covariance,
            "radius": args.radius,
            "claim": if args.minimum { "minimum" } else { "critical" },
            "memory_limit": limit,
            "out": args.out.shown(),
        });
        Ok(Self {
            problem,
            points,
            asked: PointOptions { radius: args.radius, claim, memory_limit: limit },
            options,
        })
    }
}

/// Slope, skips and covariance.
fn setting(args: &Args, d: usize) -> Result<PointSetting, Failure> {
    let skip = match args.skip.as_deref() {
        None => PointSkip::None,
        Some("trained") => PointSkip::Trained,
        Some(text) => skips(text, d).map(|(student, teacher)| PointSkip::Fixed { student, teacher })?,
    };
    let read = |location: &String| matrix("--covariance", location, "(d, d), the covariance of the input,");
    let covariance = args.covariance.as_ref().map(read).transpose()?;
    Ok(PointSetting { leaky: args.leaky.unwrap_or(0.0), skip, covariance })
}

fn plain(error: &PointError) -> Failure {
    Failure::plain(error, error.kind())
}

/// Runs the proofs, one point after the other.
pub(super) fn run(args: &Args, context: &Context) -> Result<u8, Failure> {
    args.out.ready()?;
    let plan = Plan::resolve(args)?;
    let (reports, stopped) = prove(&plan, &Signals::listen()?)?;
    let wanted = args.out.shown().is_some() && stopped.is_none();
    let certificate = if wanted { plan.problem.certificate(&reports) } else { None };
    let written = args.out.write(certificate.map(Certificate::Points))?;
    if context.json {
        document(&plan, &reports, stopped.is_some(), written.as_deref()).print()?;
    } else {
        let mut lines = vec![text(&plan, &reports)];
        lines.extend(args.out.line(written.as_deref()));
        print(&lines.join("\n"))?;
    }
    if let Some(signal) = stopped {
        let message = format!("stopped after {} of {} points", reports.len(), plan.points.len());
        return Err(Failure::Stopped { signal, message });
    }
    Ok(u8::from(count(&reports, PointStatus::Certified) < reports.len()))
}

fn prove(plan: &Plan, signals: &Signals) -> Result<(Vec<PointReport>, Option<Signal>), Failure> {
    let bar = progress::bar(plan.points.len() as u64);
    let mut reports = Vec::with_capacity(plan.points.len());
    for (index, point) in plan.points.iter().enumerate() {
        if let Some(signal) = signals.caught() {
            bar.finish_and_clear();
            return Ok((reports, Some(signal)));
        }
        let report = plan.problem.certify(point.view(), plan.asked);
        reports.push(report.map_err(|e| {
            bar.finish_and_clear();
            Failure::new("--points", &format!("point {index}: {e}"), e.kind())
        })?);
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok((reports, None))
}

fn count(reports: &[PointReport], status: PointStatus) -> usize {
    reports.iter().filter(|r| r.status == status).count()
}

fn document(plan: &Plan, reports: &[PointReport], interrupted: bool, written: Option<&str>) -> Document {
    let mut document = Document::new("certify", None, &plan.options);
    for status in [PointStatus::Certified, PointStatus::Refuted, PointStatus::Undecided] {
        document.set(status.name(), count(reports, status));
    }
    document.set("points", reports.iter().map(certified_keys).collect::<Vec<Value>>());
    document.set("certificate", json!(written));
    document.set("interrupted", interrupted);
    document
}

fn ends(x: Interval) -> Value {
    json!([x.lo(), x.hi()])
}

/// What is proved about a point.
pub(super) fn certified_keys(report: &PointReport) -> Value {
    json!({
        "status": report.status.name(),
        "reason": report.reason.as_ref().map(ToString::to_string),
        "radius": report.radius,
        "unique_radius": report.unique_radius,
        "distance": report.distance,
        "loss": report.loss.map(ends),
        "lambda_min_lower": report.lambda_min.map(Interval::lo),
        "lambda_min": report.lambda_min.map(ends),
        "index": report.index,
        "nullity": report.nullity,
        "certain_signs": report.certain_signs,
        "is_teacher": report.is_teacher,
        "manifold_dimension": report.manifold_dimension,
        "coincident": report.coincident,
        "symmetry": report.symmetry,
        "center": report.center.as_ref().map(|c| rows(c, &[])),
    })
}

fn text(plan: &Plan, reports: &[PointReport]) -> String {
    let mut lines = Vec::new();
    for (n, report) in reports.iter().enumerate() {
        lines.push(format!("point {n}: {}{}", report.status.name(), kind(report)));
        if let (Some(loss), Some(lambda), Some(distance)) = (report.loss, report.lambda_min, report.distance)
        {
            lines.push(format!("  loss          [{}, {}]", number(loss.lo()), number(loss.hi())));
            lines.push(format!("  lambda_min    [{}, {}]", number(lambda.lo()), number(lambda.hi())));
            lines.push(format!("  within        {distance:.1e} of the given point"));
        }
        if let Some(reason) = &report.reason {
            lines.push(format!("  {reason}"));
        }
    }
    let of = |status| count(reports, status);
    lines.push(format!(
        "{} of {} certified, {} refuted, {} undecided",
        of(PointStatus::Certified),
        plan.points.len(),
        of(PointStatus::Refuted),
        of(PointStatus::Undecided)
    ));
    lines.join("\n")
}

/// What kind of critical point it is, as far as that is proved.
fn kind(report: &PointReport) -> String {
    let manifold = match report.manifold_dimension {
        Some(0) | None => String::new(),
        Some(n) => format!(" on a manifold of dimension {n}"),
    };
    match report.index {
        Some(0) => format!(", minimum{manifold}"),
        Some(index) => format!(", saddle of index {index}{manifold}"),
        None if report.loss.is_some() => ", critical point of unknown index".to_owned(),
        None => String::new(),
    }
}
