//! `popgrad eval`: loss, gradient and spectrum at a point.

use crate::Context;
use crate::arguments::{file_at, neurons, output_weights, same_dimension, vector};
use crate::document::{Document, number, print, rows, short_row};
use crate::failure::Failure;
use crate::problem::{ProblemArgs, at};
use popgrad::{Blocks, Gradient, Matrix, Student, TwoLayer};
use popgrad_lab::storage::{Member, Overwrite, refuse_existing, write_npz};
use serde_json::{Map, Value, json};
use std::path::PathBuf;

/// What is typed.
#[derive(Debug, clap::Args)]
#[command(
    after_long_help = "Example:\n  popgrad eval --teacher orthonormal:3 --student normal:3,3,1 --hessian --json"
)]
pub(crate) struct Args {
    #[command(flatten)]
    problem: ProblemArgs,
    /// Student: FILE.npy, FILE.npz:NAME or a word, as --teacher
    #[arg(long, value_name = "W")]
    student: String,
    /// Output weights of the student [default: ones]
    ///
    /// A file of shape (K,), or K numbers separated by commas.
    #[arg(long, value_name = "A", allow_hyphen_values = true)]
    student_output: Option<String>,
    /// Linear skips of student and teacher: C.npy,CSTAR.npy
    ///
    /// Two files of shape (d,), separated by a comma: the network gains c.x, its teacher c*.x.
    #[arg(long, value_name = "C,CSTAR")]
    skip: Option<String>,
    /// Eigenvalues of the Hessian with respect to W
    #[arg(long)]
    hessian: bool,
    /// Blocks of the Hessian that --save writes: w, a, all
    ///
    /// w is (K d, K d), a is (K, K), all is (K d + K, K d + K); several are separated by commas.
    #[arg(long, value_name = "BLOCKS", value_delimiter = ',', requires = "save")]
    blocks: Vec<BlocksArg>,
    /// Write the Hessian: members w, a, all of an .npz file
    #[arg(long, value_name = "H.npz")]
    save: Option<PathBuf>,
    /// Replace the file of --save if it exists
    #[arg(long)]
    force: bool,
}

/// Which second derivatives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum BlocksArg {
    W,
    A,
    All,
}

impl BlocksArg {
    fn name(self) -> &'static str {
        match self {
            Self::W => "w",
            Self::A => "a",
            Self::All => "all",
        }
    }

    fn blocks(self) -> Blocks {
        match self {
            Self::W => Blocks::Weights,
            Self::A => Blocks::Output,
            Self::All => Blocks::All,
        }
    }
}

/// What that resolves to.
struct Plan {
    problem: TwoLayer,
    weights: Matrix,
    output: Vec<f64>,
    skip: Vec<f64>,
    save: Option<(PathBuf, Vec<BlocksArg>, Overwrite)>,
    options: Value,
    seed: Option<u64>,
}

impl Plan {
    fn resolve(args: &Args) -> Result<Self, Failure> {
        let save = args.save.as_ref().map(|path| save_plan(args, path)).transpose()?;
        let mut problem = args.problem.resolve()?;
        let weights = neurons("--student", &args.student, args.problem.memory_limit())?;
        let d = problem.input_dimension();
        same_dimension("--student", &args.student, weights.cols(), (&args.problem.teacher, d))?;
        let output = match &args.student_output {
            Some(text) => output_weights("--student-output", text, weights.rows())?,
            None => vec![1.0; weights.rows()],
        };
        let mut skip = Vec::new();
        if let Some(text) = &args.skip {
            let (student, teacher) = skips(text, d)?;
            skip = student;
            problem = problem.with_teacher_skip(teacher).map_err(at("--skip"))?;
        }
        Ok(Self { problem, weights, output, skip, save, options: options(args), seed: None })
    }

    fn student(&self) -> Student<'_> {
        Student::new(self.weights.view()).with_output(&self.output).with_skip(&self.skip)
    }
}

fn save_plan(args: &Args, path: &PathBuf) -> Result<(PathBuf, Vec<BlocksArg>, Overwrite), Failure> {
    if path.extension().is_none_or(|e| e != "npz") {
        return Err(Failure::input(
            "--save",
            format!("{} does not end in .npz; an archive is written", path.display()),
        ));
    }
    let overwrite = if args.force { Overwrite::Replace } else { Overwrite::Refuse };
    refuse_existing(path, overwrite).map_err(file_at("--save"))?;
    let mut blocks = args.blocks.clone();
    if blocks.is_empty() {
        blocks.push(BlocksArg::W);
    }
    Ok((path.clone(), blocks, overwrite))
}

/// The skips of student and teacher.
fn skips(text: &str, d: usize) -> Result<(Vec<f64>, Vec<f64>), Failure> {
    let Some((student, teacher)) = text.split_once(',').filter(|(_, rest)| !rest.contains(',')) else {
        let message = format!("\"{text}\" is not two files; C.npy,CSTAR.npy is needed, student first");
        return Err(Failure::input("--skip", message));
    };
    let read = |location: &str| -> Result<Vec<f64>, Failure> {
        let skip = vector("--skip", location, "(d,), one coefficient an input,")?;
        if skip.len() == d {
            return Ok(skip);
        }
        let message = format!("{location} has {} coefficients; the input dimension is {d}", skip.len());
        Err(Failure::input("--skip", message))
    };
    Ok((read(student)?, read(teacher)?))
}

fn options(args: &Args) -> Value {
    let mut options: Map<String, Value> =
        args.problem.options().into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
    options.insert("student".to_owned(), json!(args.student));
    options.insert("student_output".to_owned(), json!(args.student_output));
    options.insert("skip".to_owned(), json!(args.skip));
    options.insert("hessian".to_owned(), json!(args.hessian));
    Value::Object(options)
}

/// What was computed.
struct Outcome {
    loss: f64,
    gradient: Gradient,
    error: Vec<f64>,
    eigenvalues: Option<Vec<f64>>,
}

/// Runs the verb.
pub(crate) fn run(args: &Args, context: &Context) -> Result<u8, Failure> {
    let plan = Plan::resolve(args)?;
    let fail = at("--student");
    let outcome = Outcome {
        loss: plan.problem.loss(plan.student()).map_err(&fail)?,
        gradient: plan.problem.gradient(plan.student()).map_err(&fail)?,
        error: plan.problem.gradient_error(plan.student()).map_err(&fail)?,
        eigenvalues: if args.hessian { Some(spectrum(&plan)?) } else { None },
    };
    if let Some((path, blocks, overwrite)) = &plan.save {
        save(&plan, path, blocks, *overwrite)?;
    }
    if context.json {
        document(&plan, outcome).print()?
    } else {
        print(&text(&plan, &outcome))?
    }
    Ok(0)
}

/// Eigenvalues of the Hessian with respect to the hidden weights, ascending.
fn spectrum(plan: &Plan) -> Result<Vec<f64>, Failure> {
    let hessian = plan.problem.hessian(plan.student(), Blocks::Weights).map_err(at("--hessian"))?;
    popgrad::symmetric_eigenvalues(hessian.view()).map_err(|e| Failure::new("--hessian", &e, e.kind()))
}

fn save(plan: &Plan, path: &PathBuf, blocks: &[BlocksArg], overwrite: Overwrite) -> Result<(), Failure> {
    let hessians = blocks
        .iter()
        .map(|b| Ok((b.name(), plan.problem.hessian(plan.student(), b.blocks()).map_err(at("--save"))?)))
        .collect::<Result<Vec<(&str, Matrix)>, Failure>>()?;
    let members: Vec<Member<'_>> =
        hessians.iter().map(|(name, h)| Member::real(name, &[h.rows(), h.cols()], h.as_slice())).collect();
    write_npz(path, &members, overwrite).map_err(file_at("--save"))
}

fn document(plan: &Plan, outcome: Outcome) -> Document {
    let mut document = Document::new("eval", plan.seed, &plan.options);
    let zero = &outcome.gradient.zero_students;
    document.set("loss", json!(outcome.loss));
    document.set("gradient", rows(&outcome.gradient.weights, zero));
    document.set("output_gradient", json!(outcome.gradient.output));
    if !outcome.gradient.skip.is_empty() {
        document.set("skip_gradient", json!(outcome.gradient.skip));
    }
    document.set("gradient_error", json!(outcome.error));
    document.set("conditions", conditions(zero));
    if let Some(eigenvalues) = outcome.eigenvalues {
        document.set("hessian_eigenvalues", json!(eigenvalues));
    }
    if let Some((path, blocks, _)) = &plan.save {
        let names: Vec<&str> = blocks.iter().map(|b| b.name()).collect();
        document.set("saved", json!({"file": path.display().to_string(), "members": names}));
    }
    document
}

/// The zero students, where the direction of the gradient is not defined.
fn conditions(zero_students: &[usize]) -> Value {
    zero_students.iter().map(|j| json!({"neuron": j, "condition": "zero_student"})).collect()
}

fn text(plan: &Plan, outcome: &Outcome) -> String {
    let (k, d) = (plan.weights.rows(), plan.weights.cols());
    let mut lines = vec![
        format!("K = {k}, M = {}, d = {d}", plan.problem.teacher().rows()),
        format!("loss  {}", number(outcome.loss)),
        "gradient with respect to each student, and the bound on its error".to_owned(),
    ];
    for j in 0..k {
        let row = match outcome.gradient.zero_students.contains(&j) {
            true => "the student is zero: its gradient has no direction".to_owned(),
            false => format!("{}   +- {:.1e}", short_row(outcome.gradient.weights.row(j)), outcome.error[j]),
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
    if let Some((path, ..)) = &plan.save {
        lines.push(format!("Hessian written to {}", path.display()));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn skips_need_two_files() {
        for text in ["c.npy", "a.npy,b.npy,c.npy"] {
            let failure = skips(text, 2).unwrap_err();
            assert!(failure.message().unwrap().contains("C.npy,CSTAR.npy is needed"), "{text}");
        }
    }
}
