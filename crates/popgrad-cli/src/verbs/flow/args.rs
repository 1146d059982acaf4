//! What is typed after `popgrad flow`.

use crate::cnn_problem::CnnArgs;
use crate::problem::ProblemArgs;
use crate::values;
use std::path::PathBuf;

/// What is typed.
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
#[derive(Debug, clap::Args)]
#[command(
    mut_arg("teacher", |teacher| teacher.required(false)),
    after_long_help = "Examples:\n  popgrad flow --teacher orthonormal:5 --start xy:1e-3,0 --max-time 10 --json\n  \
    popgrad flow --problem cnn --patches 4 --patch-dimension 3 --ratio 1 \\\n    \
    --start 1,2,0 --student-output 0,0,0.3,0.3 --method gd --step 0.5\n\n\
    Files: --out takes FILE.parquet or FILE.npz, with the columns run, step, t, loss, grad_norm, W, a, angles, event; with \
    --problem cnn W is the filter v, angles is phi, and two columns follow: alpha = a.a* and S_a = 1.a."
)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(super) problem: ProblemArgs,
    #[command(flatten)]
    pub(super) cnn: CnnArgs,
    /// Start: FILE, WORD or xy:X0,Y0; several are several runs
    ///
    /// A file of shape (K, d), or (runs, K, d) for several runs, or a word as for --teacher. xy:X0,Y0 starts in the
    /// plane of Theorem 7 (teacher orthonormal:K): student j has X0 at entry j and Y0 elsewhere, and the state is
    /// (x, y) alone. With --problem cnn a start is a filter v: a file of shape (p,), p numbers separated by commas, or a word with
    /// one row; the state is v and the output weights, which are trained.
    #[arg(long, value_name = "START", required = true, allow_hyphen_values = true)]
    pub(super) start: Vec<String>,
    /// Output weights of the student at the start [default: ones]
    ///
    /// A file of shape (K,), or K numbers separated by commas; with --problem cnn one for each patch.
    #[arg(long, value_name = "A", allow_hyphen_values = true)]
    pub(super) student_output: Option<String>,
    /// Train the output weights as well
    #[arg(long)]
    pub(super) train_output: bool,
    /// Group of matrices (n, d, d): the students are its images of one weight
    ///
    /// The teacher and every start then have one row; its images under the group are the neurons (Tian 2017, eq. 17
    /// and 18), and the state is that one row.
    #[arg(long, value_name = "G.npy")]
    pub(super) group: Option<String>,
    /// Method: flow (adaptive gradient flow) or gd (gradient descent)
    #[arg(long, value_name = "METHOD", value_parser = method, default_value = "flow")]
    pub(super) method: MethodArg,
    /// Step of gradient descent, or spacing of the rows of --exact
    ///
    /// Per sample: the step of the sum over N samples is 1/N of it. With --exact it is the time between two rows, by
    /// default a hundredth of --max-time.
    #[arg(long, value_name = "ETA", value_parser = values::positive, allow_negative_numbers = true)]
    pub(super) step: Option<f64>,
    /// Halve the step of gradient descent when the loss rises
    #[arg(long)]
    pub(super) halve: bool,
    /// Relative tolerance of a step of the flow [default: 1e-8]
    #[arg(long, value_name = "TOL", value_parser = values::not_negative, allow_negative_numbers = true)]
    pub(super) rtol: Option<f64>,
    /// Absolute tolerance [default: 1e-10 of the smallest student]
    #[arg(long, value_name = "TOL", value_parser = values::not_negative, allow_negative_numbers = true)]
    pub(super) atol: Option<f64>,
    /// Stop at this norm of the gradient
    ///
    /// The norm is that of the gradient of the state that moves, as in the column grad_norm. Without --stop-gradient,
    /// --stop-loss and --max-time it is 1e-8.
    #[arg(long, value_name = "NORM", value_parser = values::not_negative, allow_negative_numbers = true)]
    pub(super) stop_gradient: Option<f64>,
    /// Stop at this loss
    #[arg(long, value_name = "LOSS", value_parser = values::not_negative, allow_negative_numbers = true)]
    pub(super) stop_loss: Option<f64>,
    /// Stop after this many steps
    #[arg(long, value_name = "N", value_parser = values::count, default_value = "1000000", allow_negative_numbers = true)]
    pub(super) max_steps: u64,
    /// Stop at this time (per-sample flow time)
    #[arg(long, value_name = "T", value_parser = values::positive, allow_negative_numbers = true)]
    pub(super) max_time: Option<f64>,
    /// What a student that shrinks to zero does: stop or freeze
    ///
    /// stop ends the run there; freeze keeps the student at zero while the others move on. The event is located and
    /// reported with its time and neuron either way.
    #[arg(long, value_name = "RULE", default_value = "stop")]
    pub(super) zero_student: ZeroStudentArg,
    /// Write a row every N steps [default: 1]
    ///
    /// Rows at the start, at every event and at the end are written in any case.
    #[arg(long, value_name = "N", value_parser = values::count, allow_negative_numbers = true)]
    pub(super) every: Option<u64>,
    /// Write rows at events only, and list the events
    ///
    /// With --every the rows of both are written.
    #[arg(long)]
    pub(super) events: bool,
    /// Closed form of one ReLU instead of integration
    ///
    /// For one student and one teacher with output weights 1. --max-time says how far; --stop-loss may end it earlier.
    #[arg(long)]
    pub(super) exact: bool,
    /// Write the trajectories: FILE.parquet or FILE.npz
    #[arg(long, value_name = "FILE")]
    pub(super) out: Option<PathBuf>,
    /// Write the weights at the end: FILE.npz with W and a
    ///
    /// FILE.npz:W and FILE.npz:a are what --start and --student-output take to go on.
    #[arg(long, value_name = "FILE.npz")]
    pub(super) end: Option<PathBuf>,
    /// Draw loss, gradient, angles and path: FILE.svg
    #[arg(long, value_name = "FILE.svg")]
    pub(super) plot: Option<PathBuf>,
    /// Replace files that exist
    #[arg(long)]
    pub(super) force: bool,
}

/// How the state moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MethodArg {
    Descent,
    Flow,
}

/// What happens at a zero student.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum ZeroStudentArg {
    Stop,
    Freeze,
}

fn method(text: &str) -> Result<MethodArg, String> {
    match text {
        "gd" => Ok(MethodArg::Descent),
        "flow" => Ok(MethodArg::Flow),
        "sgd" => Err("is not among the methods of this version; flow or gd is needed".to_owned()),
        _ => Err("is not a method; flow or gd is needed".to_owned()),
    }
}
