//! `popgrad certify check`: a certificate file, verified box by box.

use crate::Context;
use crate::document::{Document, print};
use crate::failure::Failure;
use popgrad::Kind;
use popgrad_lab::certificate::read_certificate;
use popgrad_proof::{CheckedConjecture1, check_conjecture1};
use serde_json::json;
use std::path::{Path, PathBuf};

/// What is typed.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Example:\n  popgrad certify check conjecture1.json\n\n\
    Every box is evaluated once, and the boxes have to tile their rectangles exactly. Exit status 1 if the\n\
    certificate does not hold or was altered, 2 if the file is no certificate.")]
pub(crate) struct Args {
    /// The certificate
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// Runs the check.
pub(super) fn run(args: &Args, context: &Context) -> Result<u8, Failure> {
    let outcome = checked(&args.file)?;
    if context.json {
        document(&args.file, &outcome).print()?;
    } else {
        let file = args.file.display();
        print(&match &outcome {
            Ok(found) => format!(
                "{file}: certified, Conjecture 1 of Tian (2017)\n\
                 {} boxes tile the four rectangles; least lower bound {:.3e}",
                found.leaves, found.lower_bound
            ),
            Err(reason) => format!("{file}: rejected\n{reason}"),
        })?;
    }
    Ok(u8::from(outcome.is_err()))
}

/// The outcome, or why the certificate does not hold; files that are no certificate are failures.
fn checked(file: &Path) -> Result<Result<CheckedConjecture1, String>, Failure> {
    let sort = |message: String, kind: Kind| match kind {
        Kind::NotConverged => Ok(Err(message)),
        _ => Err(Failure::new("FILE", &message, kind)),
    };
    match read_certificate(file) {
        Err(error) => sort(error.to_string(), error.kind()),
        Ok(certificate) => match check_conjecture1(&certificate) {
            Err(error) => sort(error.to_string(), error.kind()),
            Ok(found) => Ok(Ok(found)),
        },
    }
}

fn document(file: &Path, outcome: &Result<CheckedConjecture1, String>) -> Document {
    let options = json!({"what": "check", "file": file.display().to_string()});
    let mut document = Document::new("certify", None, &options);
    document.set("statement", "conjecture1");
    document.set("status", if outcome.is_ok() { "certified" } else { "rejected" });
    document.set("undecided", 0);
    document.set("reason", json!(outcome.as_ref().err()));
    document.set("leaves", json!(outcome.as_ref().ok().map(|found| found.leaves)));
    document.set("lower_bound", json!(outcome.as_ref().ok().map(|found| found.lower_bound)));
    document
}
