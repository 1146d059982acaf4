//! `popgrad certify fold`: the ratio of two teachers' lengths at which the spurious minimum of two students vanishes.

use super::out::Out;
use crate::Context;
use crate::document::{Document, number, print};
use crate::failure::Failure;
use crate::values;
use popgrad_lab::certificate::Certificate;
use popgrad_proof::{Fold, Interval, certify_threshold};
use serde_json::{Value, json};

/// What is typed.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Example:\n  popgrad certify fold --angle 90\n\n\
    Below the ratio two students have a strict local minimum that is not global, beside a saddle; at the ratio the\n\
    two meet and vanish. The law of the input is N(0, I).")]
pub(crate) struct Args {
    /// Angle between the teachers in degrees, between 0 and 180
    #[arg(long, value_name = "DEGREES", value_parser = angle, allow_negative_numbers = true)]
    angle: f64,
    #[command(flatten)]
    out: Out,
}

fn angle(text: &str) -> Result<f64, String> {
    let degrees = values::positive(text)?;
    if degrees < 180.0 { Ok(degrees) } else { Err("is not an angle below 180 degrees".to_owned()) }
}

/// Runs the proof.
pub(super) fn run(args: &Args, context: &Context) -> Result<u8, Failure> {
    args.out.ready()?;
    let fold = certify_threshold(args.angle).map_err(|e| Failure::plain(&e, e.kind()))?;
    let written = args.out.write(fold.as_ref().map(|f| Certificate::Fold(f.certificate(args.angle))))?;
    if context.json {
        document(args, fold.as_ref(), written.as_deref()).print()?;
    } else {
        let mut lines = vec![text(args, fold.as_ref())];
        lines.extend(args.out.line(written.as_deref()));
        print(&lines.join("\n"))?;
    }
    Ok(u8::from(fold.is_none()))
}

fn ends(x: Interval) -> Value {
    json!([x.lo(), x.hi()])
}

fn document(args: &Args, fold: Option<&Fold>, written: Option<&str>) -> Document {
    let options = json!({"what": "fold", "angle": args.angle, "out": args.out.shown()});
    let mut document = Document::new("certify", None, &options);
    document.set("status", if fold.is_some() { "certified" } else { "undecided" });
    document.set("undecided", usize::from(fold.is_none()));
    document.set("ratio", json!(fold.map(|f| ends(f.ratio))));
    document.set("theta", json!(fold.map(|f| ends(f.theta))));
    document.set("place", json!(fold.map(|f| ends(f.place))));
    document.set("certificate", json!(written));
    document
}

fn text(args: &Args, fold: Option<&Fold>) -> String {
    let Some(f) = fold else {
        return format!("teachers at {} degrees: undecided, no fold was certified", number(args.angle));
    };
    let line = |name: &str, x: Interval| format!("  {name:<24}[{}, {}]", number(x.lo()), number(x.hi()));
    [
        format!("teachers at {} degrees: certified, a fold", number(args.angle)),
        line("ratio of lengths", f.ratio),
        line("angle of the students", f.theta),
        line("place of the teacher", f.place),
    ]
    .join("\n")
}
