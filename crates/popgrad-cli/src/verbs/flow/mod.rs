//! `popgrad flow`: trajectories of gradient descent and the gradient flow.

mod args;
mod convolution;
mod drive;
mod plan;
mod summary;

pub(crate) use args::Args;

use crate::Context;
use crate::failure::Failure;
use crate::signals::Signals;
use plan::Plan;

/// Runs the verb.
pub(crate) fn run(args: &Args, context: &Context) -> Result<u8, Failure> {
    let plan = Plan::resolve(args)?;
    let result = drive::drive(&plan, &Signals::listen()?)?;
    summary::show(&plan, &result, context)?;
    match result.stopped {
        Some(signal) => Err(Failure::Stopped { signal, message: summary::how_to_resume(&plan, &result) }),
        None => Ok(u8::from(result.runs.iter().any(summary::failed))),
    }
}
