//! `popgrad flow --problem cnn`: what moves, and its starts.

use super::args::Args;
use super::plan::Moving;
use crate::cnn_problem::{at, filter, output, refuse};
use crate::failure::Failure;
use popgrad::CnnStudent;
use popgrad_lab::flow::Model;

/// The convolutional network, and every start as its state `(v, a)`.
pub(super) fn resolve(args: &Args) -> Result<Moving, Failure> {
    refuse(&[("--train-output", args.train_output)], "is always so under --problem cnn; leave it out")?;
    let given = [("--group", args.group.is_some()), ("--exact", args.exact)];
    refuse(&given, "does not go with --problem cnn; leave it out")?;
    let problem = args.cnn.resolve(&args.problem)?;
    let limit = args.problem.memory_limit();
    let weights = output("--student-output", args.student_output.as_deref(), &problem, limit)?;
    let mut starts = Vec::new();
    for text in &args.start {
        let start = filter("--start", text, &problem, limit)?;
        // A zero filter has no direction, and so no gradient in either form.
        problem.scalars(CnnStudent { filter: &start, output: &weights }).map_err(at("--start"))?;
        starts.push([start, weights.clone()].concat());
    }
    Ok((Model::Convolution(Box::new(problem)), starts))
}
