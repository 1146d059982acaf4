//! What the arguments of `popgrad eval` resolve to.

use super::sampled::sample_law;
use super::{Args, BlocksArg};
use crate::arguments::{file_at, neurons, output_weights, same_dimension, skips, source};
use crate::failure::Failure;
use crate::problem::at;
use popgrad::{Matrix, Network, NetworkError, SampleLaw, SamplePlan, Student, TwoLayer};
use popgrad_lab::storage::{Overwrite, refuse_existing};
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};

/// What that resolves to.
pub(super) struct Plan {
    pub(super) problem: TwoLayer,
    pub(super) weights: Matrix,
    pub(super) output: Vec<f64>,
    pub(super) skip: Vec<f64>,
    /// Teacher and student in the form that sampling takes.
    pub(super) networks: (Network, Network),
    pub(super) monte_carlo: Option<(SampleLaw, SamplePlan)>,
    pub(super) data: Option<String>,
    pub(super) save: Option<(PathBuf, Vec<BlocksArg>, Overwrite)>,
    pub(super) options: Value,
    pub(super) seed: Option<u64>,
}

impl Plan {
    pub(super) fn resolve(args: &Args) -> Result<Self, Failure> {
        let save = args.save.as_ref().map(|path| save_plan(args, path)).transpose()?;
        let mut problem = args.problem.resolve()?;
        let weights = neurons("--student", &args.student, args.problem.memory_limit())?;
        let d = problem.input_dimension();
        same_dimension("--student", &args.student, weights.cols(), (args.problem.teacher()?, d))?;
        let output = match &args.student_output {
            Some(text) => output_weights("--student-output", text, weights.rows())?,
            None => vec![1.0; weights.rows()],
        };
        let (mut skip, mut teacher_skip) = (Vec::new(), Vec::new());
        if let Some(text) = &args.skip {
            (skip, teacher_skip) = skips(text, d)?;
            problem = problem.with_teacher_skip(teacher_skip.clone()).map_err(at("--skip"))?;
        }
        let alpha = args.problem.leaky.unwrap_or(0.0);
        let network = |weights: Matrix, output: &[f64], skip: &[f64]| {
            sampled_network(weights, output, skip, alpha).map_err(|e| Failure::plain(&e, e.kind()))
        };
        let teacher = network(problem.teacher().to_matrix(), problem.teacher_output(), &teacher_skip)?;
        let networks = (teacher, network(weights.clone(), &output, &skip)?);
        Ok(Self {
            monte_carlo: monte_carlo(args)?,
            data: args.data.clone(),
            options: options(args),
            seed: seed(args),
            problem,
            weights,
            output,
            skip,
            networks,
            save,
        })
    }

    pub(super) fn student(&self) -> Student<'_> {
        Student::new(self.weights.view()).with_output(&self.output).with_skip(&self.skip)
    }
}

/// A network in the form that sampling takes.
fn sampled_network(
    weights: Matrix,
    output: &[f64],
    skip: &[f64],
    alpha: f64,
) -> Result<Network, NetworkError> {
    let network = Network::try_new(weights)?.with_output(output.to_vec())?.with_leaky(alpha)?;
    if skip.is_empty() { Ok(network) } else { network.with_skip(skip.to_vec()) }
}

fn monte_carlo(args: &Args) -> Result<Option<(SampleLaw, SamplePlan)>, Failure> {
    let Some(samples) = args.monte_carlo else { return Ok(None) };
    if args.problem.covariance.is_some() {
        let message =
            "draws inputs of covariance proportional to I and does not go with --covariance; use --data";
        return Err(Failure::input("--monte-carlo", message));
    }
    if samples < 2 {
        return Err(Failure::input("--monte-carlo", "1 sample has no standard error; at least 2 are needed"));
    }
    Ok(Some((sample_law(args.problem.law)?, SamplePlan { samples, seed: args.seed })))
}

/// The seed of what is random: the samples, else the word of the student, else that of the teacher.
fn seed(args: &Args) -> Option<u64> {
    let of_word = |text: &str| source("", text).ok().and_then(|word| word.seed());
    let sampled = args.monte_carlo.map(|_| args.seed);
    sampled.or_else(|| of_word(&args.student)).or_else(|| args.problem.teacher.as_deref().and_then(of_word))
}

fn save_plan(args: &Args, path: &Path) -> Result<(PathBuf, Vec<BlocksArg>, Overwrite), Failure> {
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
    Ok((path.to_owned(), blocks, overwrite))
}

fn options(args: &Args) -> Value {
    let mut options: Map<String, Value> =
        args.problem.options().into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
    options.insert("student".to_owned(), json!(args.student));
    options.insert("student_output".to_owned(), json!(args.student_output));
    options.insert("skip".to_owned(), json!(args.skip));
    options.insert("data".to_owned(), json!(args.data));
    options.insert("monte_carlo".to_owned(), json!(args.monte_carlo));
    options.insert("hessian".to_owned(), json!(args.hessian));
    options.insert("normal_equation".to_owned(), json!(args.normal_equation));
    Value::Object(options)
}
