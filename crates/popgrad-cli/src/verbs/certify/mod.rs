//! `popgrad certify`: proofs by interval arithmetic, and the check of their certificates.

mod check;
mod conjecture1;
mod enumerate;
mod fold;
mod out;
mod points;

use crate::Context;
use crate::failure::Failure;
use popgrad::Kind;

/// What is typed.
#[derive(Debug, clap::Args)]
#[command(
    disable_help_subcommand = true,
    after_long_help = "Example:\n  popgrad certify conjecture1 --out conjecture1.json\n\n\
    conjecture1, points, enumerate and fold search for a proof; with --out they write what they found as a certificate,\n\
    and check verifies such a file without searching. fold proves at which ratio of the teachers' lengths the spurious\n\
    minimum of two students vanishes, given the angle between the teachers.\n\n\
    Exit status 0 if everything is certified, 1 if something is refuted or undecided, or a certificate does not hold."
)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: Option<What>,
}

/// What is to be proved.
#[derive(Debug, clap::Subcommand)]
enum What {
    /// Conjecture 1 of Tian (2017), for L12 and L21
    Conjecture1(conjecture1::Args),
    /// A certificate file, checked without searching
    Check(check::Args),
    /// Critical points near given ones: existence, loss, index
    Points(points::Args),
    /// All critical points of two students in the plane of two teachers
    Enumerate(enumerate::Args),
    /// The ratio of two teachers' lengths at which the spurious minimum vanishes
    Fold(fold::Args),
}

/// Runs the verb.
pub(crate) fn run(args: &Args, context: &Context) -> Result<u8, Failure> {
    match &args.what {
        Some(What::Conjecture1(arguments)) => conjecture1::run(arguments, context),
        Some(What::Check(arguments)) => check::run(arguments, context),
        Some(What::Points(arguments)) => points::run(arguments, context),
        Some(What::Enumerate(arguments)) => enumerate::run(arguments, context),
        Some(What::Fold(arguments)) => fold::run(arguments, context),
        None => {
            let message = "certify needs to know what; popgrad certify --help lists it";
            Err(Failure::plain(&message, Kind::Input))
        }
    }
}
