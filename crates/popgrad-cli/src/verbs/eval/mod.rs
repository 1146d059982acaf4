//! `popgrad eval`: loss, gradient and spectrum at a point.

mod cnn;
mod normal;
mod plan;
mod sampled;
mod summary;

use crate::Context;
use crate::arguments::file_at;
use crate::cnn_problem::CnnArgs;
use crate::document::print;
use crate::failure::Failure;
use crate::problem::{ProblemArgs, at};
use crate::values;
use plan::Plan;
use popgrad::{Blocks, Gradient, Matrix, NetworkEstimate, NormalEquation};
use popgrad_lab::storage::{Member, Overwrite, write_npz};
use sampled::OnData;
use std::path::{Path, PathBuf};

/// What is typed.
#[derive(Debug, clap::Args)]
#[command(
    mut_arg("teacher", |teacher| teacher.required(false)),
    after_long_help = "Example:\n  popgrad eval --teacher orthonormal:3 --student normal:3,3,1 --hessian --json\n  \
    popgrad eval --problem cnn --patches 4 --patch-dimension 3 --ratio 1 \\\n    \
    --student normal:1,3,1 --hessian"
)]
pub(crate) struct Args {
    #[command(flatten)]
    problem: ProblemArgs,
    #[command(flatten)]
    cnn: CnnArgs,
    /// Student: FILE.npy, FILE.npz:NAME or a word, as --teacher
    ///
    /// With --problem cnn the filter v: a file of shape (p,), p numbers separated by commas, or a word with one row.
    #[arg(long, value_name = "W", allow_hyphen_values = true)]
    student: String,
    /// Output weights of the student [default: ones]
    ///
    /// A file of shape (K,), or K numbers separated by commas; with --problem cnn one for each patch.
    #[arg(long, value_name = "A", allow_hyphen_values = true)]
    student_output: Option<String>,
    /// Linear skips of student and teacher: C.npy,CSTAR.npy
    ///
    /// Two files of shape (d,), separated by a comma: the network gains c.x, its teacher c*.x.
    #[arg(long, value_name = "C,CSTAR")]
    skip: Option<String>,
    /// Also loss and gradient on these samples: X.npy (N, d)
    ///
    /// The mean over the rows, in the key data; loss and gradient stay those of the population.
    #[arg(long, value_name = "X.npy")]
    data: Option<String>,
    /// Also estimate loss and gradient from N drawn samples
    ///
    /// With standard errors, in the key monte_carlo; loss and gradient stay the exact ones.
    #[arg(long, value_name = "N", value_parser = values::count, allow_negative_numbers = true)]
    monte_carlo: Option<u64>,
    /// Seed of --monte-carlo
    #[arg(long, value_name = "SEED", value_parser = values::seed, default_value = "1", requires = "monte_carlo", allow_negative_numbers = true)]
    seed: u64,
    /// Eigenvalues of the Hessian with respect to W
    ///
    /// With --problem cnn with respect to v and a together, p + k of them.
    #[arg(long)]
    hessian: bool,
    /// Y, B*, M, M*, M_r and L of the normal equation; Theorem 3
    ///
    /// Of ReLU units under white input: the equation Y E^T = B* W*^T, its projections, the radial solution with its signs,
    /// and whether Theorem 3 excludes that the point is critical.
    #[arg(long)]
    normal_equation: bool,
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

/// What was computed.
struct Outcome {
    loss: f64,
    gradient: Gradient,
    error: Vec<f64>,
    monte_carlo: Option<NetworkEstimate>,
    data: Option<OnData>,
    eigenvalues: Option<Vec<f64>>,
    normal_equation: Option<NormalEquation>,
}

/// Runs the verb.
pub(crate) fn run(args: &Args, context: &Context) -> Result<u8, Failure> {
    if args.cnn.is_cnn() {
        return cnn::run(args, context);
    }
    args.cnn.refuse_beside_two_layer()?;
    let plan = Plan::resolve(args)?;
    // The largest pieces first, so that what does not fit is refused before any work.
    let hessians = hessians(&plan)?;
    let outcome = compute(&plan, args)?;
    if let Some((path, _, overwrite)) = &plan.save {
        save(&hessians, path, *overwrite)?;
    }
    if context.json {
        summary::document(&plan, &outcome).print()?;
    } else {
        print(&summary::text(&plan, &outcome))?;
    }
    Ok(0)
}

fn compute(plan: &Plan, args: &Args) -> Result<Outcome, Failure> {
    let fail = at("--student");
    let normal_equation = if args.normal_equation { Some(normal::form(plan)?) } else { None };
    let eigenvalues = if args.hessian { Some(spectrum(plan)?) } else { None };
    let networks = (&plan.networks.0, &plan.networks.1);
    Ok(Outcome {
        eigenvalues,
        normal_equation,
        loss: plan.problem.loss(plan.student()).map_err(&fail)?,
        gradient: plan.problem.gradient(plan.student()).map_err(&fail)?,
        error: plan.problem.gradient_error(plan.student()).map_err(&fail)?,
        data: plan.data.as_deref().map(|file| sampled::on_data(file, networks)).transpose()?,
        monte_carlo: plan.monte_carlo.map(|(law, n)| sampled::monte_carlo(networks, law, n)).transpose()?,
    })
}

/// Eigenvalues of the Hessian with respect to the hidden weights, ascending.
fn spectrum(plan: &Plan) -> Result<Vec<f64>, Failure> {
    let hessian = plan.problem.hessian(plan.student(), Blocks::Weights).map_err(at("--hessian"))?;
    popgrad::symmetric_eigenvalues(hessian.view()).map_err(|e| Failure::new("--hessian", &e, e.kind()))
}

/// The Hessians to be saved, each with the name of its member.
fn hessians(plan: &Plan) -> Result<Vec<(&'static str, Matrix)>, Failure> {
    let blocks = plan.save.as_ref().map_or(&[][..], |(_, blocks, _)| &blocks[..]);
    let hessian = |b: &BlocksArg| plan.problem.hessian(plan.student(), b.blocks()).map_err(at("--save"));
    blocks.iter().map(|b| Ok((b.name(), hessian(b)?))).collect()
}

fn save(hessians: &[(&str, Matrix)], path: &Path, overwrite: Overwrite) -> Result<(), Failure> {
    let members: Vec<Member<'_>> =
        hessians.iter().map(|(name, h)| Member::real(name, &[h.rows(), h.cols()], h.as_slice())).collect();
    write_npz(path, &members, overwrite).map_err(file_at("--save"))
}
