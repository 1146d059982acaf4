//! `popgrad portrait`: a phase portrait or a map, with the numbers behind it.

mod l12;
mod xy;

use crate::Context;
use crate::arguments::file_at;
use crate::failure::Failure;
use crate::values;
use popgrad_lab::storage::{AtomicFile, Overwrite, StorageError, refuse_existing};
use std::io::Write;
use std::path::{Path, PathBuf};

/// What is typed.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Example:\n  popgrad portrait xy --units 5 --out xy5.svg --data xy5.npz")]
pub(crate) struct Args {
    /// What is drawn: xy, the plane of Theorem 7, or l12, the sign map
    ///
    /// xy is the plane of Theorem 7, of --units K. l12 is L12 of two students (Fig. 10): two slices and the map over
    /// their angle and the teacher's, whose certain signs are counted on a grid.
    #[arg(value_name = "KIND", value_parser = kind)]
    kind: PortraitKind,
    /// xy: number of units K, at least 2
    #[arg(long, value_name = "K", value_parser = values::count, allow_negative_numbers = true)]
    units: Option<u64>,
    /// xy: range of x and y [default: -1.2,1.2,-0.5,1.2]
    #[arg(long, value_name = "X0,X1,Y0,Y1", allow_hyphen_values = true)]
    range: Option<String>,
    /// Points of the grid [default: 121 for xy, 2000 for l12]
    ///
    /// xy: along each axis. l12: N angles theta from 0 to pi and 2 N angles phi from 0 to 2 pi, ends included; the
    /// paper's grid is 10000. With --data at most 4000.
    #[arg(long, value_name = "N", value_parser = values::count, allow_negative_numbers = true)]
    grid: Option<u64>,
    /// xy: start X0,Y0 of a trajectory; several may be given
    ///
    /// Without it a set of seven starts is drawn that reaches every critical point.
    #[arg(long, value_name = "X0,Y0", allow_hyphen_values = true)]
    start: Vec<String>,
    /// xy: time that each trajectory runs [default: 30]
    #[arg(long, value_name = "T", value_parser = values::positive, allow_negative_numbers = true)]
    max_time: Option<f64>,
    /// The picture: FILE.svg
    #[arg(long, value_name = "FILE.svg")]
    out: PathBuf,
    /// The numbers: FILE.npz
    ///
    /// xy: members x, y, field, loss, nullcline_x, nullcline_y, critical, separatrix and path. l12: theta, phi, l12, sign.
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
    L12,
}

fn kind(text: &str) -> Result<PortraitKind, String> {
    match text {
        "xy" => Ok(PortraitKind::Xy),
        "l12" => Ok(PortraitKind::L12),
        _ => Err(
            "is not a portrait of this version; xy, the plane of Theorem 7, or l12, the sign map, is needed"
                .to_owned(),
        ),
    }
}

/// Runs the verb.
pub(crate) fn run(args: &Args, context: &Context) -> Result<u8, Failure> {
    let overwrite = if args.force { Overwrite::Replace } else { Overwrite::Refuse };
    check_output("--out", Some(&args.out), "svg", overwrite)?;
    check_output("--data", args.data.as_deref(), "npz", overwrite)?;
    match args.kind {
        PortraitKind::Xy => xy::run(args, overwrite, context),
        PortraitKind::L12 => l12::run(args, overwrite, context),
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

/// Points of the grid, or the default of the kind.
fn grid(args: &Args, default: u64) -> usize {
    usize::try_from(args.grid.unwrap_or(default)).unwrap_or(usize::MAX)
}

/// Writes the picture.
fn write_picture(args: &Args, svg: &str, overwrite: Overwrite) -> Result<(), Failure> {
    let mut file = AtomicFile::create(&args.out, overwrite).map_err(file_at("--out"))?;
    file.write_all(svg.as_bytes())
        .map_err(|source| StorageError::Unwritable { path: args.out.clone(), source })
        .and_then(|()| file.commit())
        .map_err(file_at("--out"))
}

/// The lines that say what was written.
fn written(args: &Args) -> Vec<String> {
    let picture = format!("picture written to {}", args.out.display());
    let data = args.data.as_ref().map(|path| format!("numbers written to {}", path.display()));
    std::iter::once(picture).chain(data).collect()
}
