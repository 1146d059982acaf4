//! `popgrad certify conjecture1`: the branch and bound and its certificate.

use crate::Context;
use crate::arguments::file_at;
use crate::document::{Document, print};
use crate::failure::Failure;
use popgrad_lab::certificate::write_certificate;
use popgrad_lab::storage::{Overwrite, refuse_existing};
use popgrad_proof::{Conjecture1Proof, Region, prove_conjecture1};
use serde_json::{Map, Value, json};
use std::path::PathBuf;

/// What is typed.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Example:\n  popgrad certify conjecture1 --out conjecture1.json\n\n\
    L12(theta, phi) > 0 for 0 < phi < theta and < 0 for theta < phi < 2 pi, and the same for\n\
    L21(theta, phi) = L12(theta, theta - phi), on the whole closed domain.")]
pub(crate) struct Args {
    /// Where the certificate goes: FILE.json
    #[arg(long, value_name = "FILE.json")]
    out: Option<PathBuf>,
    /// Replace a file that exists
    #[arg(long)]
    force: bool,
}

/// Runs the proof.
pub(super) fn run(args: &Args, context: &Context) -> Result<u8, Failure> {
    let overwrite = if args.force { Overwrite::Replace } else { Overwrite::Refuse };
    if let Some(path) = &args.out {
        refuse_existing(path, overwrite).map_err(file_at("--out"))?;
    }
    let proof = prove_conjecture1().map_err(|e| Failure::plain(&e, e.kind()))?;
    // What is not proved leaves no certificate.
    if let (Some(path), true) = (&args.out, proof.is_complete()) {
        write_certificate(path, &proof.certificate, overwrite).map_err(file_at("--out"))?;
    }
    if context.json {
        document(args, &proof).print()?;
    } else {
        print(&text(args, &proof))?;
    }
    Ok(u8::from(!proof.is_complete()))
}

fn status(proof: &Conjecture1Proof) -> &'static str {
    if proof.is_complete() { "certified" } else { "undecided" }
}

fn document(args: &Args, proof: &Conjecture1Proof) -> Document {
    let out = args.out.as_ref().map(|p| p.display().to_string());
    let mut document = Document::new("certify", None, &json!({"what": "conjecture1", "out": out}));
    document.set("statement", "conjecture1");
    document.set("status", status(proof));
    document.set("undecided", proof.undecided());
    document.set("leaves", proof.certificate.len());
    let regions: Vec<Value> = proof
        .regions
        .iter()
        .map(|r| {
            json!({
                "region": r.region.name(),
                "leaves": r.leaves,
                "undecided": r.undecided,
                "evaluations": r.evaluations,
                "depth": r.depth,
                "lower_bound": r.lower_bound,
            })
        })
        .collect();
    document.set("regions", regions);
    let mirror: Map<String, Value> =
        Region::ALL.iter().map(|r| (r.name().to_owned(), json!(r.mirrored().name()))).collect();
    document.set("l21", json!({"by": "L21(theta, phi) = L12(theta, theta - phi)", "regions": mirror}));
    document.set("certificate", json!(out.filter(|_| proof.is_complete())));
    document
}

fn text(args: &Args, proof: &Conjecture1Proof) -> String {
    let mut lines = vec![
        format!("Conjecture 1 of Tian (2017), L12 and L21: {}", status(proof)),
        "region   boxes   undecided   evaluations   least lower bound".to_owned(),
    ];
    for r in &proof.regions {
        lines.push(format!(
            "{:<6} {:>7} {:>11} {:>13}   {:.3e}",
            r.region.name(),
            r.leaves,
            r.undecided,
            r.evaluations,
            r.lower_bound
        ));
    }
    lines.push(
        "L21 by L21(theta, phi) = L12(theta, theta - phi): A and C to themselves, B and D exchanged".into(),
    );
    if let (Some(path), true) = (&args.out, proof.is_complete()) {
        lines.push(format!("certificate written to {}", path.display()));
    }
    lines.join("\n")
}
