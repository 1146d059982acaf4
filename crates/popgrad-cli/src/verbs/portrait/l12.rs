//! `popgrad portrait l12`: the sign map of Fig. 10.

use super::{Args, grid, write_picture, written};
use crate::Context;
use crate::arguments::file_at;
use crate::cnn_problem::refuse;
use crate::document::{Document, print};
use crate::failure::Failure;
use crate::progress;
use crate::signals::Signals;
use popgrad::SignCount;
use popgrad_lab::portrait::{L12Portrait, PortraitError};
use popgrad_lab::storage::Overwrite;
use serde_json::json;

/// Rows between two looks at the signals.
const SLICE: usize = 64;

/// Refuses options that belong to the plane.
fn refuse_options_of_xy(args: &Args) -> Result<(), Failure> {
    let given = [
        ("--units", args.units.is_some()),
        ("--range", args.range.is_some()),
        ("--start", !args.start.is_empty()),
        ("--max-time", args.max_time.is_some()),
    ];
    match given.into_iter().find(|(_, is)| *is) {
        Some((name, _)) => Err(Failure::input(name, "belongs to portrait xy; l12 takes --grid")),
        None => Ok(()),
    }
}

/// Counts the signs, draws the map.
pub(super) fn run(args: &Args, overwrite: Overwrite, context: &Context) -> Result<u8, Failure> {
    refuse(&args.convolutional(), "belongs to portrait cnn; leave it out")?;
    refuse_options_of_xy(args)?;
    let fail = |e: PortraitError| Failure::new("--grid", &e, e.kind());
    let grid = grid(args, 2000);
    let mut portrait = L12Portrait::try_new(grid).map_err(fail)?;
    let numbers = args.data.as_ref().map(|_| portrait.numbers().map_err(fail)).transpose()?;
    let count = count(&mut portrait, grid)?;
    if let (Some(path), Some(numbers)) = (&args.data, &numbers) {
        numbers.write(path, overwrite).map_err(file_at("--data"))?;
    }
    write_picture(args, &portrait.to_svg().map_err(fail)?, overwrite)?;
    if context.json {
        document(args, grid, count).print()?;
    } else {
        print(&text(args, grid, count))?;
    }
    Ok(u8::from(count.violations > 0))
}

fn count(portrait: &mut L12Portrait, grid: usize) -> Result<SignCount, Failure> {
    let bar = progress::bar(grid as u64);
    let signals = Signals::listen()?;
    loop {
        let done = portrait.advance(SLICE).map_err(|e| Failure::new("--grid", &e, e.kind()))?;
        if let Some(count) = done {
            bar.finish_and_clear();
            return Ok(count);
        }
        bar.inc(SLICE as u64);
        if let Some(signal) = signals.caught() {
            let message = "stopped; the same command counts the signs again".to_owned();
            return Err(Failure::Stopped { signal, message });
        }
    }
}

fn document(args: &Args, grid: usize, count: SignCount) -> Document {
    let mut document = Document::new("portrait", None, &json!({"kind": "l12", "grid": grid}));
    document.set("grid", json!({"theta": grid, "phi": 2 * grid, "ends": "included"}));
    document.set(
        "signs",
        json!({"positive": count.positive, "negative": count.negative, "zero": count.zero,
               "certified": true, "evaluated_again": count.again}),
    );
    document.set("violations", json!(count.violations));
    document.set("picture", json!(args.out.display().to_string()));
    document.set("data", json!(args.data.as_ref().map(|p| p.display().to_string())));
    document
}

fn text(args: &Args, grid: usize, count: SignCount) -> String {
    let mut lines = vec![
        format!(
            "signs of L12, certain, on {grid} angles theta from 0 to pi and {} angles phi from 0 to 2 pi",
            2 * grid
        ),
        format!("  positive {}, negative {}, exactly zero {}", count.positive, count.negative, count.zero),
        format!("  against Conjecture 1: {}", count.violations),
    ];
    lines.extend(written(args));
    lines.join("\n")
}
