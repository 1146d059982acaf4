//! `popgrad portrait cnn`: the plane (phi, alpha) of the convolutional network.

use super::{Args, grid, numbers, write_picture, written};
use crate::Context;
use crate::arguments::file_at;
use crate::cnn_problem::{at, refuse};
use crate::document::{Document, number, print};
use crate::failure::Failure;
use popgrad::{Cnn, CnnBasin, CnnError, ReducedCnn};
use popgrad_lab::portrait::{CnnPortrait, CnnPortraitOptions, PortraitError};
use popgrad_lab::storage::Overwrite;
use serde_json::{Value, json};
use std::f64::consts::PI;

/// The flow's fastest rate grows like the number of patches, and with it the steps of every trajectory.
const MOST_PATCHES: u64 = 10_000;

/// The option that brought what a portrait refuses.
fn refused(args: &Args, error: &PortraitError) -> Failure {
    let ends = args.range.as_deref().map(|text| numbers::<4>("--range", text, ""));
    let outside = ends.and_then(Result::ok).is_some_and(|[low, high, ..]| low < 0.0 || high > PI);
    let argument = match error {
        PortraitError::Range { .. } => "--range",
        PortraitError::Grid { .. } => "--grid",
        PortraitError::Convolution(CnnError::Angle { .. }) if outside => "--range",
        PortraitError::Convolution(CnnError::Angle { .. }) => "--start",
        _ => return Failure::plain(error, error.kind()),
    };
    Failure::new(argument, error, error.kind())
}

/// What that resolves to.
struct Plan {
    problem: ReducedCnn,
    shown: CnnPortraitOptions,
}

impl Plan {
    fn resolve(args: &Args) -> Result<Self, Failure> {
        refuse(
            &[("--units", args.units.is_some())],
            "belongs to portrait xy; portrait cnn needs --patches and --ratio",
        )?;
        let missing =
            |argument| Failure::input(argument, "is missing; portrait cnn needs --patches K and --ratio R");
        let patches = args.patches.ok_or_else(|| missing("--patches"))?;
        let ratio = args.ratio.ok_or_else(|| missing("--ratio"))?;
        if patches > MOST_PATCHES {
            let message =
                format!("{patches} patches make the flow too stiff to be drawn; at most {MOST_PATCHES} are");
            return Err(Failure::input("--patches", message));
        }
        let patches = usize::try_from(patches).unwrap_or(usize::MAX);
        // The scalars of the teacher are all that the plane sees; a patch dimension of two is as good as any.
        Cnn::with_ratio(patches, 2, ratio).map_err(at("--ratio"))?;
        let problem = ReducedCnn::try_new(patches, 1.0, ratio.sqrt(), 1.0).map_err(at("--ratio"))?;
        let mut shown =
            CnnPortraitOptions { grid: grid(args, 121), sum: args.sum, ..CnnPortraitOptions::default() };
        if let Some(text) = &args.range {
            let [phi0, phi1, alpha0, alpha1] = numbers("--range", text, "PHI0,PHI1,ALPHA0,ALPHA1")?;
            (shown.phi, shown.overlap) = ((phi0, phi1), Some((alpha0, alpha1)));
        }
        if !args.start.is_empty() {
            let point =
                |text: &String| numbers("--start", text, "PHI0,ALPHA0").map(|[phi, alpha]| (phi, alpha));
            shown.starts = Some(args.start.iter().map(point).collect::<Result<_, _>>()?);
        }
        if let Some(time) = args.max_time {
            shown.time = time;
        }
        Ok(Self { problem, shown })
    }

    fn options(&self, portrait: &CnnPortrait) -> Value {
        let (low, high) = portrait.overlap_range();
        json!({
            "kind": "cnn",
            "patches": self.problem.patches(),
            "ratio": self.problem.ratio(),
            "sum": self.shown.sum,
            "range": [self.shown.phi.0, self.shown.phi.1, low, high],
            "grid": self.shown.grid,
            "start": portrait.starts(),
            "max_time": self.shown.time,
        })
    }
}

/// Draws the plane.
pub(super) fn run(args: &Args, overwrite: Overwrite, context: &Context) -> Result<u8, Failure> {
    let plan = Plan::resolve(args)?;
    let portrait = CnnPortrait::compute(plan.problem, plan.shown.clone()).map_err(|e| refused(args, &e))?;
    if let Some(path) = &args.data {
        portrait.write(path, overwrite).map_err(file_at("--data"))?;
    }
    write_picture(args, &portrait.to_svg(), overwrite)?;
    if context.json {
        document(&plan, args, &portrait).print()?;
    } else {
        print(&text(&plan, args, &portrait))?;
    }
    Ok(0)
}

fn document(plan: &Plan, args: &Args, portrait: &CnnPortrait) -> Document {
    let mut document = Document::new("portrait", None, &plan.options(portrait));
    let critical: Vec<Value> = portrait
        .critical_points()
        .iter()
        .map(|p| {
            json!({"name": p.name, "phi": p.phi, "alpha": p.overlap, "S_a": p.sum, "loss": p.loss,
                   "local_minimum": p.minimum})
        })
        .collect();
    let ends: Vec<Value> = portrait
        .ends()
        .iter()
        .map(|([phi, alpha, sum], end)| json!({"phi": phi, "alpha": alpha, "S_a": sum, "basin": end.name()}))
        .collect();
    document.set("critical_points", critical);
    document.set("ends", ends);
    document.set("border", json!(portrait.border()));
    document.set("picture", json!(args.out.display().to_string()));
    document.set("data", json!(args.data.as_ref().map(|p| p.display().to_string())));
    document
}

fn text(plan: &Plan, args: &Args, portrait: &CnnPortrait) -> String {
    let mut lines = vec![format!(
        "critical points of the plane, k = {}, ratio {}",
        plan.problem.patches(),
        number(plan.problem.ratio())
    )];
    for p in portrait.critical_points() {
        let kind = if p.minimum { "local minimum" } else { "saddle" };
        lines.push(format!(
            "  {:<9} phi = {:<22} a.a* = {:<22} 1.a = {:<22} loss = {:<22} {kind}",
            p.name,
            number(p.phi),
            number(p.overlap),
            number(p.sum),
            number(p.loss)
        ));
    }
    let ends = portrait.ends();
    let count = |basin: CnnBasin| ends.iter().filter(|(_, end)| *end == basin).count();
    lines.push(format!(
        "{}: {} proved to reach the teacher, {} the spurious point",
        if ends.len() == 1 { "1 trajectory".to_owned() } else { format!("{} trajectories", ends.len()) },
        count(CnnBasin::Global),
        count(CnnBasin::Spurious)
    ));
    lines.extend(written(args));
    lines.join("\n")
}
