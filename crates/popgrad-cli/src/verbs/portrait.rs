//! `popgrad portrait`: a phase portrait with the numbers behind it.

use crate::Context;
use crate::arguments::file_at;
use crate::document::{Document, number, print};
use crate::failure::Failure;
use crate::values;
use popgrad::XyPlane;
use popgrad_lab::portrait::{XyPortrait, XyPortraitOptions};
use popgrad_lab::storage::{AtomicFile, Overwrite, StorageError, refuse_existing};
use serde_json::{Value, json};
use std::io::Write;
use std::path::{Path, PathBuf};

/// What is typed.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Example:\n  popgrad portrait xy --units 5 --out xy5.svg --data xy5.npz")]
pub(crate) struct Args {
    /// What is drawn: xy, the plane of Theorem 7
    #[arg(value_name = "KIND", value_parser = kind)]
    kind: PortraitKind,
    /// Number of units K, at least 2
    #[arg(long, value_name = "K", value_parser = values::count, allow_negative_numbers = true)]
    units: u64,
    /// Range of x and y [default: -1.2,1.2,-0.5,1.2]
    #[arg(long, value_name = "X0,X1,Y0,Y1", allow_hyphen_values = true)]
    range: Option<String>,
    /// Points of the grid along each axis
    #[arg(long, value_name = "N", value_parser = values::count, default_value = "121", allow_negative_numbers = true)]
    grid: u64,
    /// Start X0,Y0 of a trajectory; several may be given
    ///
    /// Without it a set of seven starts is drawn that reaches every critical point.
    #[arg(long, value_name = "X0,Y0", allow_hyphen_values = true)]
    start: Vec<String>,
    /// Time that each trajectory runs
    #[arg(long, value_name = "T", value_parser = values::positive, default_value = "30", allow_negative_numbers = true)]
    max_time: f64,
    /// The picture: FILE.svg
    #[arg(long, value_name = "FILE.svg")]
    out: PathBuf,
    /// The numbers: FILE.npz
    ///
    /// Members x, y, field, loss, nullcline_x, nullcline_y, critical, separatrix and path.
    #[arg(long, value_name = "FILE.npz")]
    data: Option<PathBuf>,
    /// Replace files that exist
    #[arg(long)]
    force: bool,
}

/// What is drawn.
#[derive(Clone, Copy, Debug)]
enum PortraitKind {
    Xy,
}

fn kind(text: &str) -> Result<PortraitKind, String> {
    match text {
        "xy" => Ok(PortraitKind::Xy),
        _ => Err("is not a portrait of this version; xy, the plane of Theorem 7, is needed".to_owned()),
    }
}

/// What that resolves to.
struct Plan {
    plane: XyPlane,
    shown: XyPortraitOptions,
    overwrite: Overwrite,
    options: Value,
}

impl Plan {
    fn resolve(args: &Args) -> Result<Self, Failure> {
        let PortraitKind::Xy = args.kind;
        let overwrite = if args.force { Overwrite::Replace } else { Overwrite::Refuse };
        check_output("--out", Some(&args.out), "svg", overwrite)?;
        check_output("--data", args.data.as_deref(), "npz", overwrite)?;
        let units = usize::try_from(args.units).unwrap_or(usize::MAX);
        let plane = XyPlane::try_new(units).map_err(|e| Failure::new("--units", &e, e.kind()))?;
        let mut shown = XyPortraitOptions {
            grid: usize::try_from(args.grid).unwrap_or(usize::MAX),
            time: args.max_time,
            ..XyPortraitOptions::default()
        };
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
            "units": args.units,
            "range": [shown.x.0, shown.x.1, shown.y.0, shown.y.1],
            "grid": args.grid,
            "start": shown.starts,
            "max_time": args.max_time,
        });
        Ok(Self { plane, shown, overwrite, options })
    }
}

fn check_output(
    argument: &str,
    path: Option<&Path>,
    extension: &str,
    overwrite: Overwrite,
) -> Result<(), Failure> {
    let Some(path) = path else { return Ok(()) };
    if path.extension().is_none_or(|e| e != extension) {
        let message = format!("{} does not end right; FILE.{extension} is needed", path.display());
        return Err(Failure::input(argument, message));
    }
    refuse_existing(path, overwrite).map_err(file_at(argument))
}

/// Exactly `N` finite numbers separated by commas.
fn numbers<const N: usize>(argument: &str, text: &str, needed: &str) -> Result<[f64; N], Failure> {
    let parsed: Option<Vec<f64>> = text.split(',').map(|x| values::finite(x.trim()).ok()).collect();
    parsed
        .and_then(|list| <[f64; N]>::try_from(list).ok())
        .ok_or_else(|| Failure::input(argument, format!("\"{text}\" is not {needed} in finite numbers")))
}

/// Runs the verb.
pub(crate) fn run(args: &Args, context: &Context) -> Result<u8, Failure> {
    let plan = Plan::resolve(args)?;
    let portrait =
        XyPortrait::compute(plan.plane, plan.shown.clone()).map_err(|e| Failure::plain(&e, e.kind()))?;
    if let Some(path) = &args.data {
        portrait.write(path, plan.overwrite).map_err(file_at("--data"))?;
    }
    let mut file = AtomicFile::create(&args.out, plan.overwrite).map_err(file_at("--out"))?;
    file.write_all(portrait.to_svg().as_bytes())
        .map_err(|source| StorageError::Unwritable { path: args.out.clone(), source })
        .and_then(|()| file.commit())
        .map_err(file_at("--out"))?;
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
    lines.push(format!("picture written to {}", args.out.display()));
    if let Some(path) = &args.data {
        lines.push(format!("numbers written to {}", path.display()));
    }
    lines.join("\n")
}
