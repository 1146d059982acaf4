//! `popgrad portrait`: a phase portrait or a map, with the numbers behind it.

mod cnn;
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
#[command(after_long_help = "Examples:\n  popgrad portrait xy --units 5 --out xy5.svg --data xy5.npz\n  \
    popgrad portrait cnn --patches 25 --ratio 4 --out cnn.svg")]
pub(crate) struct Args {
    /// What is drawn: xy, l12 or cnn
    ///
    /// xy is the plane of Theorem 7, of --units K. l12 is L12 of two students (Fig. 10): two slices and the map over
    /// their angle and the teacher's, whose certain signs are counted on a grid. cnn is the plane (phi, alpha) of the convolutional
    /// network of --patches K and --ratio R, with |w*| = |a*| = |v| = 1: alpha = a.a* over the angle of v to w*, on the slice on which
    /// the sum 1.a is the best one at each angle, or --sum. Shaded are the states whose end is proved.
    #[arg(value_name = "KIND", value_parser = kind, required_unless_present = "problem")]
    kind: Option<PortraitKind>,
    /// cnn: the same as the kind cnn, as the other verbs have it
    #[arg(long, value_name = "KIND", value_parser = problem, conflicts_with = "kind")]
    problem: Option<PortraitKind>,
    /// xy: number of units K, at least 2
    #[arg(long, value_name = "K", value_parser = values::count, allow_negative_numbers = true)]
    units: Option<u64>,
    /// cnn: number of patches k
    #[arg(long, value_name = "K", value_parser = values::count, allow_negative_numbers = true)]
    patches: Option<u64>,
    /// cnn: (1.a*)^2 / |a*|^2 of the teacher, 0 to k
    #[arg(long, value_name = "R", value_parser = values::not_negative, allow_negative_numbers = true)]
    ratio: Option<f64>,
    /// cnn: the slice 1.a = S instead of the best sum
    #[arg(long, value_name = "S", value_parser = values::finite, allow_negative_numbers = true)]
    sum: Option<f64>,
    /// Range of the axes [default: -1.2,1.2,-0.5,1.2 for xy]
    ///
    /// cnn: PHI0,PHI1,ALPHA0,ALPHA1; by default phi from 0 to pi, and alpha around the critical points.
    #[arg(long, value_name = "X0,X1,Y0,Y1", allow_hyphen_values = true)]
    range: Option<String>,
    /// Points of the grid [default: 121; 2000 for l12]
    ///
    /// xy, cnn: along each axis. l12: N angles theta from 0 to pi and 2 N angles phi from 0 to 2 pi, ends included; the
    /// paper's grid is 10000. With --data at most 4000.
    #[arg(long, value_name = "N", value_parser = values::count, allow_negative_numbers = true)]
    grid: Option<u64>,
    /// Start X0,Y0 of a trajectory; several may be given
    ///
    /// cnn: PHI0,ALPHA0. Without it a set of starts is drawn: seven for xy, ten for cnn.
    #[arg(long, value_name = "X0,Y0", allow_hyphen_values = true)]
    start: Vec<String>,
    /// Time of each trajectory [default: 30 for xy, 200 for cnn]
    #[arg(long, value_name = "T", value_parser = values::positive, allow_negative_numbers = true)]
    max_time: Option<f64>,
    /// The picture: FILE.svg
    #[arg(long, value_name = "FILE.svg")]
    out: PathBuf,
    /// The numbers: FILE.npz
    ///
    /// xy: members x, y, field, loss, nullcline_x, nullcline_y, critical, separatrix and path. l12: theta, phi, l12, sign.
    /// cnn: phi, alpha, S_a, field, decided (1 teacher, -1 spurious point, 0 open), nullcline, critical (rows phi, alpha, S_a, loss),
    /// border, path (rows run, t, phi, alpha, S_a).
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
    Cnn,
}

fn kind(text: &str) -> Result<PortraitKind, String> {
    match text {
        "xy" => Ok(PortraitKind::Xy),
        "l12" => Ok(PortraitKind::L12),
        "cnn" => Ok(PortraitKind::Cnn),
        _ => Err("is not a portrait of this version; xy, the plane of Theorem 7, l12, the sign map, or cnn, the plane \
            of the convolutional network, is needed"
            .to_owned()),
    }
}

fn problem(text: &str) -> Result<PortraitKind, String> {
    match text {
        "cnn" => Ok(PortraitKind::Cnn),
        _ => Err("is not a problem with a portrait of its own; cnn is, and xy and l12 are kinds".to_owned()),
    }
}

/// Runs the verb.
pub(crate) fn run(args: &Args, context: &Context) -> Result<u8, Failure> {
    let overwrite = if args.force { Overwrite::Replace } else { Overwrite::Refuse };
    check_output("--out", Some(&args.out), "svg", overwrite)?;
    check_output("--data", args.data.as_deref(), "npz", overwrite)?;
    match args.kind.or(args.problem) {
        Some(PortraitKind::Xy) => xy::run(args, overwrite, context),
        Some(PortraitKind::L12) => l12::run(args, overwrite, context),
        Some(PortraitKind::Cnn) => cnn::run(args, overwrite, context),
        None => Err(Failure::input("<KIND>", "is missing; xy, l12 or cnn is needed")),
    }
}

/// Exactly `N` finite numbers separated by commas.
fn numbers<const N: usize>(argument: &str, text: &str, needed: &str) -> Result<[f64; N], Failure> {
    let parsed: Option<Vec<f64>> = text.split(',').map(|x| values::finite(x.trim()).ok()).collect();
    parsed
        .and_then(|list| <[f64; N]>::try_from(list).ok())
        .ok_or_else(|| Failure::input(argument, format!("\"{text}\" is not {needed} in finite numbers")))
}

impl Args {
    /// The options that only portrait cnn has.
    fn convolutional(&self) -> [(&'static str, bool); 3] {
        [
            ("--patches", self.patches.is_some()),
            ("--ratio", self.ratio.is_some()),
            ("--sum", self.sum.is_some()),
        ]
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
