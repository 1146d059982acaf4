//! `popgrad critical`: critical points, merged modulo the problem's symmetries, and an atlas of them.

use crate::Context;
use crate::arguments::{file_at, output_weights, skips};
use crate::document::{Document, VERSION, print};
use crate::failure::Failure;
use crate::problem::{ProblemArgs, at};
use crate::progress;
use crate::signals::{Signal, Signals};
use crate::values;
use popgrad::{CriticalError, Matrix, NUMERICS, Trained};
use popgrad_lab::critical::{AtlasError, AtlasPlan, AtlasRun, Ending, Stage};
use popgrad_lab::storage::{Provenance, read_array};
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Between two writings of a partial atlas.
const REWRITE: Duration = Duration::from_secs(10);

/// What is typed.
#[derive(Debug, clap::Args)]
#[command(
    after_long_help = "Example:\n  popgrad critical --teacher orthonormal:6 --starts 200 --index 0..3 --out atlas\n\n\
    Two points are one class if a permutation of students with equal output weights, a permutation of the teacher that\n\
    keeps its inner products, and a rotation that fixes the teacher's span carry one into the other; under a covariance the\n\
    permutation of the teacher must be carried out by a rotation that commutes with it. A class is a strict\n\
    minimum only if every zero eigenvalue is forced by symmetry; other zeros are called degenerate, not signed.\n\
    The exit status is 1 if no search converged."
)]
pub(crate) struct Args {
    #[command(flatten)]
    problem: ProblemArgs,
    /// Number of students [default: as many as teachers]
    #[arg(long, value_name = "K", value_parser = values::count, allow_negative_numbers = true)]
    students: Option<u64>,
    /// Random starts, and starts in each subspace
    #[arg(long, value_name = "N", value_parser = values::seed, default_value = "100", allow_negative_numbers = true)]
    starts: u64,
    /// Seed of the starts
    #[arg(long, value_name = "SEED", value_parser = values::seed, default_value = "1", allow_negative_numbers = true)]
    seed: u64,
    /// Also search from these points: W.npy (n, K, d)
    ///
    /// One array (K, d) or several (n, K, d). A point near a critical one is polished.
    #[arg(long, value_name = "FILE")]
    from: Option<String>,
    /// Also search a symmetric family: p=[J,K-J]
    ///
    /// Block sizes that add up to the number of teachers, which must be orthonormal: students that a product of symmetric groups
    /// fixes, those beyond the number of teachers one by one. A family has a handful of unknowns whatever K; several may be given.
    #[arg(long, value_name = "BLOCKS", value_parser = blocks)]
    subspace: Vec<Blocks>,
    /// Search subspaces at K units first, and continue
    ///
    /// The largest block of each subspace is made smaller until K units are left; what is found there is followed to the
    /// subspace itself, K being a real number on the way.
    #[arg(long, value_name = "K", value_parser = values::count, requires = "subspace", allow_negative_numbers = true)]
    continue_from: Option<u64>,
    /// Search the subspaces and given points only
    ///
    /// A random start costs the eigenvectors of a K d x K d matrix for each step, a start in a subspace those of a few rows.
    #[arg(long)]
    subspace_only: bool,
    /// Index to steer for: M or LOW..HIGH, ends included
    ///
    /// Searches steer for these numbers of descending directions in turn. The index of a class is counted at its point and may
    /// be another one.
    #[arg(long, value_name = "RANGE", value_parser = indices, default_value = "0..2")]
    index: (usize, usize),
    /// Output weights: fixed or trained
    #[arg(long, value_name = "WHICH", value_enum, default_value = "fixed")]
    output_weights: OutputWeights,
    /// Output weights of the students [default: ones]
    ///
    /// A file of shape (K,), or K numbers separated by commas.
    #[arg(long, value_name = "A", allow_hyphen_values = true)]
    student_output: Option<String>,
    /// Linear skips of student and teacher: C.npy,CSTAR.npy
    ///
    /// Two files of shape (d,), separated by a comma: the network gains c.x, its teacher c*.x. They stay as they are.
    #[arg(long, value_name = "C,CSTAR")]
    skip: Option<String>,
    /// Unstable directions followed downhill from a saddle
    ///
    /// Both ways along each, those of the lowest eigenvalues first; students of more than 1500 weights in all are not followed.
    #[arg(long, value_name = "N", value_parser = values::seed, default_value = "1", allow_negative_numbers = true)]
    directions: u64,
    /// End after this many seconds, with what is found
    #[arg(long, value_name = "SECONDS", value_parser = values::positive, allow_negative_numbers = true)]
    max_time: Option<f64>,
    /// Folder of the atlas, made or rewritten
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Whether output weights move.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum OutputWeights {
    Fixed,
    Trained,
}

/// The sizes of a subspace's blocks.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Blocks(Vec<usize>);

/// `p=[1,5]`, `[1,5]` or `1,5`.
fn blocks(text: &str) -> Result<Blocks, String> {
    let inner = text.strip_prefix("p=").unwrap_or(text).trim_start_matches('[').trim_end_matches(']');
    let sizes: Option<Vec<usize>> =
        inner.split(',').map(|p| p.trim().parse().ok().filter(|p| *p > 0)).collect();
    sizes.map(Blocks).ok_or_else(|| "is no list of block sizes; p=[1,5] is one".to_owned())
}

/// `3` or `0..3`.
fn indices(text: &str) -> Result<(usize, usize), String> {
    let number = |t: &str| t.trim_start_matches('=').parse::<usize>().ok();
    let range = match text.split_once("..") {
        None => number(text).map(|m| (m, m)),
        Some((low, high)) => number(low).zip(number(high)),
    };
    range.filter(|(low, high)| low <= high).ok_or_else(|| "is no index; 0, 2 or 0..3 is one".to_owned())
}

/// What that resolves to.
struct Plan {
    atlas: AtlasPlan,
    out: Option<PathBuf>,
    limit: Option<Duration>,
    provenance: Provenance,
    options: Value,
}

impl Plan {
    fn resolve(args: &Args) -> Result<Self, Failure> {
        let mut problem = args.problem.resolve()?;
        if let Some(text) = &args.skip {
            let (student, teacher) = skips(text, problem.input_dimension())?;
            // Skips that stay as they are count by their difference.
            let gap = teacher.iter().zip(&student).map(|(t, s)| t - s).collect();
            problem = problem.with_teacher_skip(gap).map_err(at("--skip"))?;
        }
        let teachers = problem.teacher().rows();
        let students = args.students.map_or(teachers, |k| usize::try_from(k).unwrap_or(usize::MAX));
        let entries = students.saturating_mul(problem.input_dimension());
        let (needed, limit) = (entries.saturating_mul(8) as u128, args.problem.memory_limit());
        if needed > u128::from(limit) {
            let message =
                format!("the weights of {students} students need {needed} bytes; --memory-limit is {limit}");
            return Err(Failure::input("--students", message));
        }
        let output = match &args.student_output {
            Some(text) => output_weights("--student-output", text, students)?,
            None => vec![1.0; students],
        };
        check_subspaces(args, (students, teachers), &output)?;
        let given =
            args.from.as_deref().map_or(Ok(Vec::new()), |f| given(f, students, problem.input_dimension()))?;
        let trained = match args.output_weights {
            OutputWeights::Fixed => Trained::Weights,
            OutputWeights::Trained => Trained::WeightsAndOutput,
        };
        let options = options(args, students);
        let provenance = Provenance {
            schema: "popgrad.critical/1".to_owned(),
            version: VERSION.to_owned(),
            numerics: NUMERICS,
            spec: options.to_string(),
            seed: Some(args.seed),
        };
        let atlas = AtlasPlan {
            problem,
            students,
            output,
            trained,
            starts: args.starts,
            seed: args.seed,
            indices: args.index,
            given,
            families: args.subspace.iter().map(|b| b.0.clone()).collect(),
            directions: usize::try_from(args.directions).unwrap_or(usize::MAX),
            continue_from: args.continue_from.and_then(|k| usize::try_from(k).ok()),
            random: !args.subspace_only,
            interrupt: Arc::default(),
            deadline: None,
        };
        let limit = args.max_time.map(|t| Duration::try_from_secs_f64(t).unwrap_or(Duration::MAX));
        Ok(Self { atlas, out: args.out.clone(), limit, provenance, options })
    }
}

/// Refuses subspaces that do not fit the numbers of students and teachers, or students whose output weights are not ones.
fn check_subspaces(args: &Args, (students, teachers): (usize, usize), output: &[f64]) -> Result<(), Failure> {
    for Blocks(sizes) in &args.subspace {
        let sum: usize = sizes.iter().sum();
        if sum != teachers || students < teachers {
            let message = format!(
                "{sizes:?} adds up to {sum}, with {teachers} teachers and {students} students; it must add up to the \
                 number of teachers, with as many students or more"
            );
            return Err(Failure::input("--subspace", message));
        }
        if students > teachers && args.continue_from.is_some() {
            let message = "needs as many students as teachers";
            return Err(Failure::input("--continue-from", message));
        }
        if args.output_weights == OutputWeights::Trained || output.iter().any(|a| *a != 1.0) {
            let message = "needs output weights 1 that stay fixed";
            return Err(Failure::input("--subspace", message));
        }
    }
    Ok(())
}

/// The points of `--from`.
fn given(location: &str, students: usize, d: usize) -> Result<Vec<Matrix>, Failure> {
    let array = read_array(location).map_err(file_at("--from"))?;
    let points =
        array.into_matrices("(n, K, d) or (K, d), students to start from,").map_err(file_at("--from"))?;
    for point in &points {
        if (point.rows(), point.cols()) != (students, d) {
            let message = format!(
                "{location} has students of shape ({}, {}); the problem has ({students}, {d})",
                point.rows(),
                point.cols()
            );
            return Err(Failure::input("--from", message));
        }
    }
    Ok(points)
}

fn options(args: &Args, students: usize) -> Value {
    let mut options: Map<String, Value> =
        args.problem.options().into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
    let trained = args.output_weights == OutputWeights::Trained;
    let rest = [
        ("students", json!(students)),
        ("starts", json!(args.starts)),
        ("from", json!(args.from)),
        ("subspace", json!(args.subspace.iter().map(|b| b.0.clone()).collect::<Vec<_>>())),
        ("continue_from", json!(args.continue_from)),
        ("subspace_only", json!(args.subspace_only)),
        ("index", json!([args.index.0, args.index.1])),
        ("output_weights", json!(if trained { "trained" } else { "fixed" })),
        ("student_output", json!(args.student_output)),
        ("skip", json!(args.skip)),
        ("directions", json!(args.directions)),
        ("max_time", json!(args.max_time)),
    ];
    options.extend(rest.into_iter().map(|(key, value)| (key.to_owned(), value)));
    Value::Object(options)
}

/// Runs the verb.
pub(crate) fn run(args: &Args, context: &Context) -> Result<u8, Failure> {
    let mut plan = Plan::resolve(args)?;
    let signals = Signals::listen()?;
    plan.atlas.interrupt = signals.any();
    plan.atlas.deadline = plan.limit.and_then(|limit| Instant::now().checked_add(limit));
    let mut atlas =
        AtlasRun::try_new(plan.atlas.clone()).map_err(|e| Failure::new(argument_of(&e), &e, e.kind()))?;
    if let Some(out) = &plan.out {
        AtlasRun::prepare(out).map_err(|e| at_out(out, &e))?;
    }
    let ending = drive(&plan, &mut atlas, &signals)?;
    if let Some(out) = &plan.out {
        atlas.write(out, &plan.provenance, ending).map_err(|e| at_out(out, &e))?;
    }
    if context.json {
        let mut document = Document::new("critical", Some(args.seed), &plan.options);
        atlas.results(ending).into_iter().for_each(|(key, value)| document.set(&key, value));
        document.print()?;
    } else {
        print(&text(&plan, &atlas, ending))?;
    }
    match signals.caught() {
        Some(signal) if ending == Ending::Interrupted => Err(stopped(signal, &plan, &atlas)),
        _ => Ok(u8::from(atlas.atlas().classes().is_empty())),
    }
}

/// The argument that a refused plan comes from.
fn argument_of(error: &AtlasError) -> &'static str {
    match error {
        AtlasError::Critical(CriticalError::SingularCovariance { .. }) => "--covariance",
        AtlasError::Critical(CriticalError::Problem(_)) => "--students",
        _ => "--subspace",
    }
}

fn at_out(out: &Path, error: &AtlasError) -> Failure {
    Failure::new(&format!("--out {}", out.display()), error, error.kind())
}

/// Works until all is done, the time is used up or a signal comes; a partial atlas is written now and then.
fn drive(plan: &Plan, atlas: &mut AtlasRun, signals: &Signals) -> Result<Ending, Failure> {
    let mut written = Instant::now();
    let bar = progress::bar(atlas.progress().total);
    while atlas.advance().map_err(|e| Failure::plain(&e, e.kind()))? {
        let progress = atlas.progress();
        bar.set_length(progress.total);
        bar.set_position(progress.done);
        bar.set_message(format!("{}, {} classes", progress.stage.name(), progress.classes));
        if let Some(out) = plan.out.as_ref().filter(|_| written.elapsed() >= REWRITE) {
            atlas.write(out, &plan.provenance, Ending::Running).map_err(|e| at_out(out, &e))?;
            written = Instant::now();
        }
    }
    bar.finish_and_clear();
    Ok(match (atlas.progress().stage, signals.caught()) {
        (Stage::Done, _) => Ending::Complete,
        (_, Some(_)) => Ending::Interrupted,
        _ => Ending::TimeLimit,
    })
}

fn stopped(signal: Signal, plan: &Plan, atlas: &AtlasRun) -> Failure {
    let progress = atlas.progress();
    let place = match &plan.out {
        Some(out) => format!("the partial atlas is in {}", out.display()),
        None => "the classes found so far are above".to_owned(),
    };
    let message = format!(
        "stopped after {} of {} searches; {place}, and the same command starts afresh",
        progress.done, progress.total
    );
    Failure::Stopped { signal, message }
}

fn text(plan: &Plan, run: &AtlasRun, ending: Ending) -> String {
    let mut lines = vec![format!(
        "{:>5} {:>16} {:<15} {:>5} {:>7} {:>8} {:>14} {:<12} {:>12} {:>6}",
        "class", "loss", "nature", "index", "nullity", "manifold", "lambda_min", "isotropy", "orbit", "hits"
    )];
    for (number, at) in run.atlas().by_loss().into_iter().enumerate() {
        let class = &run.atlas().classes()[at];
        let p = &class.point;
        let orbit = class
            .orbit_size
            .exact
            .filter(|n| *n < 1_000_000_000_000)
            .map_or_else(|| format!("10^{:.1}", class.orbit_size.log10), |n| n.to_string());
        lines.push(format!(
            "{number:>5} {:>16.12} {:<15} {:>5} {:>7} {:>8} {:>14.8} {:<12} {orbit:>12} {:>6}",
            p.loss,
            p.nature.name(),
            p.index,
            p.nullity,
            p.manifold_dimension,
            p.lambda_min,
            class.isotropy.label(),
            class.hits
        ));
    }
    if let Some(unseen) = run.unseen() {
        lines.push(format!(
            "a further start meets a new class with probability {:.4} +- {:.4} (Good-Turing, {} hits)",
            unseen.unseen_share, unseen.standard_error, unseen.draws
        ));
    }
    if ending != Ending::Complete {
        let progress = run.progress();
        lines.push(format!("{}: {} of {} searches are done", ending.name(), progress.done, progress.total));
    }
    if let Some(out) = &plan.out {
        lines.push(format!("atlas: {}", out.join("index.html").display()));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn block_sizes_and_indices_are_read_or_refused() {
        for text in ["p=[1,5]", "[1,5]", "1,5", "[1, 5]"] {
            assert_eq!(blocks(text), Ok(Blocks(vec![1, 5])), "{text}");
        }
        for text in ["", "p=[]", "1,0", "1,-5", "a"] {
            assert!(blocks(text).is_err(), "{text}");
        }
        assert_eq!((indices("3"), indices("0..3")), (Ok((3, 3)), Ok((0, 3))));
        for text in ["", "3..0", "..", "-1", "0..x"] {
            assert!(indices(text).is_err(), "{text}");
        }
    }
}
