//! `popgrad certify conjecture1`: the branch and bound and its certificate.

use super::out::Out;
use crate::Context;
use crate::document::{Document, print};
use crate::failure::Failure;
use popgrad_lab::certificate::Certificate;
use popgrad_proof::{Conjecture1Proof, Region, prove_conjecture1};
use serde_json::{Map, Value, json};

/// What is typed.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Example:\n  popgrad certify conjecture1 --out conjecture1.json\n\n\
    L12(theta, phi) > 0 for 0 < phi < theta and < 0 for theta < phi < 2 pi, and the same for\n\
    L21(theta, phi) = L12(theta, theta - phi), on the whole closed domain.")]
pub(crate) struct Args {
    #[command(flatten)]
    out: Out,
}

/// Runs the proof.
pub(super) fn run(args: &Args, context: &Context) -> Result<u8, Failure> {
    args.out.ready()?;
    let proof = prove_conjecture1().map_err(|e| Failure::plain(&e, e.kind()))?;
    let certificate = proof.is_complete().then(|| Certificate::Conjecture1(proof.certificate.clone()));
    let written = args.out.write(certificate)?;
    if context.json {
        document(args, &proof, written.as_deref()).print()?;
    } else {
        print(&text(args, &proof, written.as_deref()))?;
    }
    Ok(u8::from(!proof.is_complete()))
}

fn status(proof: &Conjecture1Proof) -> &'static str {
    if proof.is_complete() { "certified" } else { "undecided" }
}

fn document(args: &Args, proof: &Conjecture1Proof, written: Option<&str>) -> Document {
    let mut document =
        Document::new("certify", None, &json!({"what": "conjecture1", "out": args.out.shown()}));
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
    document.set("certificate", json!(written));
    document
}

fn text(args: &Args, proof: &Conjecture1Proof, written: Option<&str>) -> String {
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
    lines.extend(args.out.line(written));
    lines.join("\n")
}
