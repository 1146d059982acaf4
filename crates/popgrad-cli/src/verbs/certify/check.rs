//! `popgrad certify check`: a certificate file, verified without searching.

use crate::Context;
use crate::document::{Document, number, print};
use crate::failure::Failure;
use popgrad::Kind;
use popgrad_lab::certificate::{Certificate, read_certificate};
use popgrad_proof::{check_conjecture1, check_enumeration, check_fold, check_points};
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};

/// What is typed.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Example:\n  popgrad certify check conjecture1.json\n\n\
    Reads what conjecture1, points, enumerate or fold wrote with --out. Every stored box, ball or arc is evaluated once,\n\
    boxes have to tile their rectangles exactly, and nothing is searched for. Exit status 1 if the certificate does not\n\
    hold or was altered, 2 if the file is no certificate.")]
pub(crate) struct Args {
    /// The certificate
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// What a check that succeeded has found: the statement in words, and numbers about it.
struct Verified {
    words: String,
    keys: Map<String, Value>,
}

/// Runs the check.
pub(super) fn run(args: &Args, context: &Context) -> Result<u8, Failure> {
    let (statement, outcome) = checked(&args.file)?;
    if context.json {
        document(&args.file, statement, &outcome).print()?;
    } else {
        let file = args.file.display();
        print(&match &outcome {
            Ok(found) => format!("{file}: certified, {}", found.words),
            Err(reason) => format!("{file}: rejected\n{reason}"),
        })?;
    }
    Ok(u8::from(outcome.is_err()))
}

/// The statement and the outcome, or why the certificate does not hold; files that are no certificate are failures.
fn checked(file: &Path) -> Result<(Option<&'static str>, Result<Verified, String>), Failure> {
    let sort = |message: String, kind: Kind| match kind {
        Kind::NotConverged => Ok(Err(message)),
        _ => Err(Failure::new("FILE", &message, kind)),
    };
    let certificate = match read_certificate(file) {
        Err(error) => return Ok((None, sort(error.to_string(), error.kind())?)),
        Ok(certificate) => certificate,
    };
    let (statement, outcome) = verified(&certificate);
    let outcome = match outcome {
        Err((message, kind)) => sort(message, kind)?,
        Ok(found) => Ok(found),
    };
    Ok((Some(statement), outcome))
}

fn verified(certificate: &Certificate) -> (&'static str, Result<Verified, (String, Kind)>) {
    let found = |words: String, keys: Value| {
        let keys = if let Value::Object(keys) = keys { keys } else { Map::new() };
        Verified { words, keys }
    };
    match certificate {
        Certificate::Conjecture1(c) => {
            let outcome = check_conjecture1(c).map_err(|e| (e.to_string(), e.kind())).map(|x| {
                let words = format!(
                    "Conjecture 1 of Tian (2017)\n{} boxes tile the four rectangles; least lower bound {:.3e}",
                    x.leaves, x.lower_bound
                );
                found(words, json!({"leaves": x.leaves, "lower_bound": x.lower_bound}))
            });
            ("conjecture1", outcome)
        }
        Certificate::Points(c) => {
            let outcome = check_points(c).map_err(|e| (e.to_string(), e.kind())).map(|n| {
                let indices: Vec<Option<usize>> = c.points.iter().map(|p| p.index).collect();
                found(
                    format!("critical points\n{n} balls hold one each"),
                    json!({"points": n, "indices": indices}),
                )
            });
            ("points", outcome)
        }
        Certificate::Enumeration(c) => {
            let outcome = check_enumeration(c).map_err(|e| (e.to_string(), e.kind())).map(|x| {
                let words = format!(
                    "all critical points of two students in the plane of two teachers\n{} points or segments, {} boxes",
                    x.points, x.boxes
                );
                found(words, json!({"points": x.points, "leaves": x.boxes, "one_sided_stationary": x.stationary}))
            });
            ("enumerate", outcome)
        }
        Certificate::Fold(c) => {
            let outcome = check_fold(c).map_err(|e| (e.to_string(), e.kind())).map(|()| {
                let [low, high] = [c.enclosure[2].lo(), c.enclosure[2].hi()];
                let words = format!(
                    "a fold of teachers at {} degrees\nratio of lengths [{}, {}]",
                    number(c.degrees),
                    number(low),
                    number(high)
                );
                found(words, json!({"angle": c.degrees, "ratio": [low, high]}))
            });
            ("fold", outcome)
        }
    }
}

fn document(file: &Path, statement: Option<&str>, outcome: &Result<Verified, String>) -> Document {
    let options = json!({"what": "check", "file": file.display().to_string()});
    let mut document = Document::new("certify", None, &options);
    document.set("statement", json!(statement));
    document.set("status", if outcome.is_ok() { "certified" } else { "rejected" });
    document.set("undecided", 0);
    document.set("reason", json!(outcome.as_ref().err()));
    for (key, value) in outcome.iter().flat_map(|found| &found.keys) {
        document.set(key, value.clone());
    }
    document
}
