//! `popgrad portrait xy`: the plane of Theorem 7.

use super::{Args, grid, numbers, write_picture, written};
use crate::Context;
use crate::arguments::file_at;
use crate::cnn_problem::refuse;
use crate::document::{Document, number, print};
use crate::failure::Failure;
use popgrad::XyPlane;
use popgrad_lab::portrait::{XyPortrait, XyPortraitOptions};
use popgrad_lab::storage::Overwrite;
use serde_json::{Value, json};

/// What that resolves to.
struct Plan {
    plane: XyPlane,
    shown: XyPortraitOptions,
    options: Value,
}

impl Plan {
    fn resolve(args: &Args) -> Result<Self, Failure> {
        refuse(&args.convolutional(), "belongs to portrait cnn; leave it out")?;
        let Some(units) = args.units else {
            return Err(Failure::input("--units", "is missing; portrait xy needs the number of units K"));
        };
        let units = usize::try_from(units).unwrap_or(usize::MAX);
        let time = args.max_time.unwrap_or(30.0);
        let plane = XyPlane::try_new(units).map_err(|e| Failure::new("--units", &e, e.kind()))?;
        let mut shown = XyPortraitOptions { grid: grid(args, 121), time, ..XyPortraitOptions::default() };
        if let Some(text) = &args.range {
            let [x0, x1, y0, y1] = numbers("--range", text, "X0,X1,Y0,Y1")?;
            (shown.x, shown.y) = ((x0, x1), (y0, y1));
        }
        if !args.start.is_empty() {
            let point = |text: &String| numbers("--start", text, "X0,Y0").map(|[x, y]| (x, y));
            shown.starts = args.start.iter().map(point).collect::<Result<_, _>>()?;
        }
        let options = json!({
            "kind": "xy",
            "units": units,
            "range": [shown.x.0, shown.x.1, shown.y.0, shown.y.1],
            "grid": shown.grid,
            "start": shown.starts,
            "max_time": time,
        });
        Ok(Self { plane, shown, options })
    }
}

/// Draws the plane.
pub(super) fn run(args: &Args, overwrite: Overwrite, context: &Context) -> Result<u8, Failure> {
    let plan = Plan::resolve(args)?;
    let portrait =
        XyPortrait::compute(plan.plane, plan.shown.clone()).map_err(|e| Failure::plain(&e, e.kind()))?;
    if let Some(path) = &args.data {
        portrait.write(path, overwrite).map_err(file_at("--data"))?;
    }
    write_picture(args, &portrait.to_svg(), overwrite)?;
    if context.json {
        document(&plan, args, &portrait).print()?;
    } else {
        print(&text(args, &portrait))?;
    }
    Ok(0)
}

fn document(plan: &Plan, args: &Args, portrait: &XyPortrait) -> Document {
    let mut document = Document::new("portrait", None, &plan.options);
    let critical: Vec<Value> = portrait
        .critical_points()
        .iter()
        .map(|(name, p)| json!({"name": name, "x": p.x, "y": p.y, "loss": p.loss, "eigenvalues": p.eigenvalues}))
        .collect();
    document.set("critical_points", critical);
    document.set("ends", json!(portrait.ends()));
    document.set("picture", json!(args.out.display().to_string()));
    document.set("data", json!(args.data.as_ref().map(|p| p.display().to_string())));
    document
}

fn text(args: &Args, portrait: &XyPortrait) -> String {
    let mut lines = vec!["critical points of the plane (eigenvalues of the field)".to_owned()];
    for (name, p) in portrait.critical_points() {
        let [low, high] = p.eigenvalues;
        lines.push(format!(
            "  {name:<24} x = {:<22} y = {:<22} loss = {:<22} {low:.6}, {high:.6}",
            number(p.x),
            number(p.y),
            number(p.loss)
        ));
    }
    lines.extend(written(args));
    lines.join("\n")
}
