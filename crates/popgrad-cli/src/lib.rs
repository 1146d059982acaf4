//! The command line `popgrad`, as a library: [`run`] takes the arguments and returns the exit status.
//!
//! A face only: what a verb computes is in `popgrad`, `popgrad-proof` and `popgrad-lab`, and a formula here is a mistake. Each verb
//! is one file with its `Args` (what is typed), its `Plan` (what that resolves to) and `run`.
//!
//! | exit status | means |
//! |---|---|
//! | 0 | done (also a trajectory at its step limit, with the status); also when the reader of stdout goes away |
//! | 1 | ran, but a claim, check, certificate or start failed or stayed undecided |
//! | 2 | bad input, or a file that cannot be read or written |
//! | 130, 143 | stopped by SIGINT or SIGTERM, cleanly |

mod arguments;
mod cnn_problem;
mod document;
mod failure;
mod problem;
mod progress;
mod signals;
mod usage;
mod values;
mod verbs;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use failure::Failure;
use std::ffi::OsString;
use std::io::Write;

/// Exact training dynamics of teacher-student ReLU networks under Gaussian input.
#[derive(Debug, Parser)]
#[command(name = "popgrad", version, max_term_width = 79, disable_help_subcommand = true)]
#[command(after_help = "Exit status: 0 done, 1 a claim or check failed, 2 bad input, 130/143 stopped.")]
struct Cli {
    /// Print one JSON document on stdout instead of text
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Loss, gradient and spectrum at a point
    Eval(Box<verbs::eval::Args>),
    /// Trajectories of gradient descent and gradient flow
    Flow(Box<verbs::flow::Args>),
    /// Phase portraits and maps: Theorem 7's plane, the map of L12
    Portrait(Box<verbs::portrait::Args>),
    /// Theorem 6: exact probability, bound and Monte Carlo
    Basin(Box<verbs::basin::Args>),
    /// Proofs: Conjecture 1, critical points, certificates
    Certify(Box<verbs::certify::Args>),
    /// Critical points: search, merge modulo symmetry, classify
    Critical(Box<verbs::critical::Args>),
    /// Ensembles of starts: basins of attraction, with error bars
    Sweep(Box<verbs::sweep::Args>),
    /// Every figure and claim of a paper, measured afresh
    Reproduce(Box<verbs::reproduce::Args>),
}

/// What every verb is given besides its own arguments.
#[derive(Debug)]
struct Context {
    /// Whether the result goes out as JSON.
    json: bool,
}

/// Runs one command line, program name first, and returns the exit status.
///
/// The result goes to stdout, diagnostics and progress to stderr. SIGINT and SIGTERM end a computation of many
/// steps at its next pause, with what is done so far; a second one, or one outside such a computation, ends the process
/// at once.
pub fn run<I, T>(arguments: I) -> u8
where
    I: IntoIterator<Item = T>,
    T: Into<OsString> + Clone,
{
    match parse(arguments).and_then(|cli| dispatch(&cli)) {
        Ok(status) => status,
        Err(failure) => {
            if let Some(message) = failure.message() {
                // A closed stderr leaves no one to tell.
                let _ = writeln!(std::io::stderr().lock(), "error: {message}");
            }
            failure.status()
        }
    }
}

fn parse<I, T>(arguments: I) -> Result<Cli, Failure>
where
    I: IntoIterator<Item = T>,
    T: Into<OsString> + Clone,
{
    let matches = Cli::command().try_get_matches_from(arguments);
    matches.and_then(|m| Cli::from_arg_matches(&m)).map_err(|error| usage::failure(&error))
}

fn dispatch(cli: &Cli) -> Result<u8, Failure> {
    let context = Context { json: cli.json };
    match &cli.verb {
        Verb::Eval(arguments) => verbs::eval::run(arguments, &context),
        Verb::Flow(arguments) => verbs::flow::run(arguments, &context),
        Verb::Portrait(arguments) => verbs::portrait::run(arguments, &context),
        Verb::Basin(arguments) => verbs::basin::run(arguments, &context),
        Verb::Certify(arguments) => verbs::certify::run(arguments, &context),
        Verb::Critical(arguments) => verbs::critical::run(arguments, &context),
        Verb::Sweep(arguments) => verbs::sweep::run(arguments, &context),
        Verb::Reproduce(arguments) => verbs::reproduce::run(arguments, &context),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn short_help_fits_79_columns_and_long_help_has_an_example() {
        let mut command = Cli::command();
        command.build();
        for verb in command.get_subcommands_mut() {
            let name = verb.get_name().to_owned();
            let short = verb.render_help().to_string();
            for line in short.lines() {
                assert!(line.chars().count() <= 79, "{name}: {line}");
            }
            let long = verb.render_long_help().to_string();
            assert!(long.contains(&format!("popgrad {name}")) && long.contains("Example"), "{name}");
        }
    }
}
