//! `popgrad certify enumerate`: all critical points of two students in the plane of two teachers.

use super::out::Out;
use super::points::certified_keys;
use crate::Context;
use crate::arguments::{MEMORY_LIMIT, neurons};
use crate::document::{Document, number, print, rows};
use crate::failure::Failure;
use crate::progress;
use crate::signals::{Signal, Signals};
use popgrad_lab::certificate::Certificate;
use popgrad_proof::{EnumerateError, EnumeratedPoint, Enumeration, EnumerationSearch, VanishedPoint};
use serde_json::{Value, json};

/// Boxes between two looks at the signals, some tens of milliseconds.
const SLICE: usize = 500;

/// What is typed.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Example:\n  popgrad certify enumerate --teacher orthonormal:2\n\n\
    The list is complete where undecided is 0: every critical point with two students in the plane of the teachers\n\
    is on it once, up to a permutation of the students, a segment of them as one entry. Points at which a student is\n\
    zero and the other critical are listed apart, with whether the loss descends from them in some direction. The\n\
    teachers may be at any angle from 0 to 180 degrees; collinear ones have to be so exactly. The law of the input\n\
    is N(0, I).")]
pub(crate) struct Args {
    /// Teacher of shape (2, 2): FILE.npy, FILE.npz:NAME or a word
    #[arg(long, value_name = "V")]
    teacher: String,
    #[command(flatten)]
    out: Out,
}

fn at(error: &EnumerateError) -> Failure {
    Failure::new("--teacher", error, error.kind())
}

/// Runs the search and certifies what it finds.
pub(super) fn run(args: &Args, context: &Context) -> Result<u8, Failure> {
    args.out.ready()?;
    let teacher = neurons("--teacher", &args.teacher, MEMORY_LIMIT)?;
    let mut search = EnumerationSearch::try_new(teacher.view()).map_err(|e| at(&e))?;
    if let Some(signal) = advance(&mut search, &Signals::listen()?) {
        let message = format!("stopped after {} boxes; an enumeration starts anew", search.evaluations());
        return Err(Failure::Stopped { signal, message });
    }
    let (found, certificate) = search.finish_with_certificate().map_err(|e| at(&e))?;
    let written = args.out.write(certificate.map(Certificate::Enumeration))?;
    if context.json {
        document(args, &found, written.as_deref()).print()?;
    } else {
        print(&text(args, &found, written.as_deref()))?;
    }
    Ok(u8::from(found.undecided > 0))
}

fn advance(search: &mut EnumerationSearch, signals: &Signals) -> Option<Signal> {
    let spinner = progress::bar(0);
    let mut caught = None;
    while caught.is_none() && !search.advance(SLICE) {
        spinner.set_message(format!("{} boxes", search.evaluations()));
        caught = signals.caught();
    }
    spinner.finish_and_clear();
    caught
}

fn document(args: &Args, found: &Enumeration, written: Option<&str>) -> Document {
    let options = json!({"what": "enumerate", "teacher": args.teacher, "out": args.out.shown()});
    let mut document = Document::new("certify", None, &options);
    document.set("status", if found.undecided == 0 { "certified" } else { "undecided" });
    document.set("undecided", found.undecided);
    document.set("evaluations", found.evaluations);
    document.set("small_angle", json!(found.small_angle.is_finite().then_some(found.small_angle)));
    document.set("teacher", rows(&found.teacher, &[]));
    document.set("points", found.points.iter().map(point).collect::<Vec<Value>>());
    document.set("one_sided", found.vanished.iter().map(vanished).collect::<Vec<Value>>());
    document.set("one_sided_stationary", stationary(found));
    document.set("certificate", json!(written));
    document
}

/// Points with a zero student that no direction descends from.
fn stationary(found: &Enumeration) -> usize {
    found.vanished.iter().filter(|p| p.stationary == Some(true)).count()
}

/// A point at which a student is zero.
fn vanished(p: &VanishedPoint) -> Value {
    json!({
        "students": rows(&p.students, &[]),
        "zero_students": if p.segment.is_some() { 1 } else { 2 },
        "loss": [p.loss.lo(), p.loss.hi()],
        "end_of_segment": p.segment,
        "stationary": p.stationary,
        "descent_direction": p.descent.map(|d| d.direction),
        "descent_slope": p.descent.map(|d| [d.slope.lo(), d.slope.hi()]),
        "mirror": p.mirror,
    })
}

fn point(p: &EnumeratedPoint) -> Value {
    let mut keys = json!({
        "class": p.class.name(),
        "dimension": p.class.dimension(),
        "theta": [p.theta.lo(), p.theta.hi()],
        "teachers_in_student_cone": p.teachers_in_cone,
        "out_of_plane_index": p.out_of_plane_index,
        "mirror": p.mirror,
    });
    if let (Some(all), Value::Object(more)) = (keys.as_object_mut(), certified_keys(&p.in_plane)) {
        all.extend(more);
    }
    keys
}

fn text(args: &Args, found: &Enumeration, written: Option<&str>) -> String {
    let mut lines = vec![
        "class           theta      loss                    index in plane, across   students".to_owned(),
    ];
    for p in &found.points {
        let shown = |n: Option<usize>| n.map_or_else(|| "?".to_owned(), |n| n.to_string());
        let loss = p.in_plane.loss.map_or_else(String::new, |l| number(l.middle()));
        let rows = p.in_plane.center.as_ref().map_or_else(String::new, |c| {
            let row = |j: usize| format!("({:.6}, {:.6})", c.row(j)[0], c.row(j)[1]);
            format!("{} {}", row(0), row(1))
        });
        lines.push(format!(
            "{:<15} {:<10.6} {loss:<23} {:>14}, {:<6}   {rows}",
            p.class.name(),
            p.theta.middle(),
            shown(p.in_plane.index),
            shown(p.out_of_plane_index)
        ));
    }
    for (n, p) in found.points.iter().enumerate() {
        if let Some(reason) = &p.in_plane.reason {
            lines.push(format!("point {n}: {reason}"));
        }
    }
    lines.push("a student zero                 loss                    students".to_owned());
    for p in &found.vanished {
        let word = match p.stationary {
            Some(true) => "stationary to one side",
            Some(false) => "the loss descends",
            None => "undecided",
        };
        let row = |j: usize| format!("({:.6}, {:.6})", p.students.row(j)[0], p.students.row(j)[1]);
        lines.push(format!("{word:<30} {:<23} {} {}", number(p.loss.middle()), row(0), row(1)));
    }
    let excluded = match found.small_angle {
        angle if angle.is_finite() => format!("angles up to {angle} excluded at once"),
        _ => "parallel teachers need no search".to_owned(),
    };
    lines.push(format!(
        "{}: {} boxes evaluated, {} undecided, {excluded}",
        if found.undecided == 0 { "complete" } else { "not known to be complete" },
        found.evaluations,
        found.undecided,
    ));
    lines.extend(args.out.line(written));
    lines.join("\n")
}
