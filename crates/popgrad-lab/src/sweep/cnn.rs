//! Cells of the convolutional network: their keys, and what the ends of their runs are.

use super::cell::{Reader, checksum, dynamics, stop};
use super::describe::Description;
use super::error::SpecError;
use super::part::Representative;
use super::spec::{Entry, Value};
use crate::storage::{StorageError, read_array};
use popgrad::{
    BasinStop, Cnn, CnnEnsemble, CnnPoint, CnnPointKind, CnnStart, EnsembleDynamics, RunEnd, RunStatus,
};
use serde_json::json;

/// Most patches, and largest dimension of one.
const MOST: usize = 1 << 24;
/// Tolerance of classes where gradients are tiny: angle in radians, outputs in units of the teacher's.
const LEAST_TOLERANCE: f64 = 1e-3;
/// Near the spurious minimum the angle to it is the root of the gradient times a number of this size.
const TOLERANCE_OF_ROOT: f64 = 10.0;

/// The ensemble of a cell.
pub(super) fn ensemble(reader: &Reader<'_>, seed: u64) -> Result<CnnEnsemble, SpecError> {
    let problem = problem(reader)?;
    let law = start(reader, &problem)?;
    let (dynamics, stop) = (dynamics(reader)?, stop(reader)?);
    let ensemble = CnnEnsemble::try_new(problem)
        .map_err(|e| reader.whole(&e))?
        .with_seed(seed)
        .with_start(law)
        .with_dynamics(dynamics)
        .with_stop(stop);
    let holds = match dynamics {
        EnsembleDynamics::Descent { step, .. } => step <= ensemble.largest_basin_step(),
        _ => true,
    };
    let otherwise = holds && stop.gradient_norm.is_none() && stop.loss.is_none();
    let basins = if reader.flag_or("stop.basin", otherwise)? { BasinStop::Proved } else { BasinStop::Never };
    Ok(ensemble.with_basin_stop(basins))
}

fn problem(reader: &Reader<'_>) -> Result<Cnn, SpecError> {
    let patches = reader.size("problem.patches")?;
    let output = output(reader, patches)?;
    let p = reader.needed("problem.patch_dimension", reader.size("problem.patch_dimension")?)?;
    let s = reader.positive("problem.filter_norm")?.unwrap_or(1.0);
    reader.set("problem.filter_norm", json!(s));
    for (key, n) in [("problem.patch_dimension", p), ("problem.patches", patches.unwrap_or(1))] {
        if n > MOST {
            return Err(reader.refusal(key, &format!("is {n}; at most {MOST} is possible")));
        }
    }
    let mut filter = vec![0.0; p];
    filter[0] = s;
    if let Some(output) = output {
        reader.set("problem.patches", json!(output.len()));
        return Cnn::try_new(&filter, &output)
            .map_err(|e| reader.refusal("problem.teacher_output", &format!("is wrong: {e}")));
    }
    let k = reader.needed("problem.patches", patches)?;
    let ratio = reader.needed("problem.ratio", reader.number("problem.ratio")?)?;
    let built = Cnn::with_ratio(k, p, ratio).and_then(|built| Cnn::try_new(&filter, built.output()));
    built.map_err(|e| reader.refusal("problem.ratio", &format!("is wrong: {e}")))
}

/// The teacher's output weights, where they are given: a list, or the name of a file.
fn output(reader: &Reader<'_>, patches: Option<usize>) -> Result<Option<Vec<f64>>, SpecError> {
    let key = "problem.teacher_output";
    let list = match reader.get(key) {
        None => return Ok(None),
        Some(Entry { value: Value::Numbers(list), .. }) => list.clone(),
        Some(Entry { value: Value::Text(file), .. }) => {
            let vector =
                read_array(file).and_then(|array| array.into_vector("(k), one output weight a patch,"));
            let vector = vector.map_err(|e| reader.refusal(key, &format!("is wrong: {e}")))?;
            reader.set("problem.teacher_output_sha256", json!(checksum(&vector)));
            vector
        }
        Some(entry) => return Err(reader.wrong(key, entry, "a list of numbers, or a file in quotes")),
    };
    match patches {
        Some(k) if k != list.len() => {
            Err(reader
                .refusal(key, &format!("has {} numbers; {k} are needed, one for each patch", list.len())))
        }
        _ => Ok(Some(list)),
    }
}

fn start(reader: &Reader<'_>, problem: &Cnn) -> Result<CnnStart, SpecError> {
    if reader.word("start.law", &["ball", "given"])? == "given" {
        return given(reader, problem);
    }
    let radius = match reader.number("start.radius")? {
        Some(radius) if radius < 0.0 => {
            let message = format!("is {radius}; a number that is not negative is needed");
            return Err(reader.refusal("start.radius", &message));
        }
        Some(radius) => radius,
        None => match CnnStart::ball(problem, reader.positive("start.scale")?.unwrap_or(1.0)) {
            CnnStart::Ball { radius, .. } => radius,
            _ => 0.0,
        },
    };
    reader.follows("start.radius", "start.scale", radius);
    let filter_norm = reader.positive("start.filter_norm")?.unwrap_or(1.0);
    reader.set("start.filter_norm", json!(filter_norm));
    Ok(CnnStart::Ball { filter_norm, radius })
}

fn given(reader: &Reader<'_>, problem: &Cnn) -> Result<CnnStart, SpecError> {
    let file = reader.needed("start.file", reader.text("start.file")?)?;
    let fail = |e: StorageError| reader.refusal("start.file", &format!("is wrong: {e}"));
    let starts = read_array(file).map_err(fail)?;
    let starts =
        starts.into_matrix("(n, p + k), filter and output weights of one student a row,").map_err(fail)?;
    let (p, k) = (problem.patch_dimension(), problem.patches());
    if starts.cols() != p + k {
        let message = format!("has rows of {} numbers; p + k = {p} + {k} are needed", starts.cols());
        return Err(reader.refusal("start.file", &message));
    }
    let starts = starts.as_slice().to_vec();
    reader.set("start.file_sha256", json!(checksum(&starts)));
    Ok(CnnStart::Given { starts })
}

/// Tolerance of the classes of ends where the gradient is at most `gradient_norm`.
pub(super) fn tolerance(gradient_norm: f64) -> f64 {
    (TOLERANCE_OF_ROOT * gradient_norm.sqrt()).max(LEAST_TOLERANCE)
}

/// The size of the loss, `|w*|^2 |a*|^2`.
pub(super) fn loss_scale(problem: &Cnn) -> f64 {
    problem.filter_norm() * problem.filter_norm() * problem.output_square()
}

/// A critical point as the representative of a class: cosine and sine of its angle, then `[alpha, S_a, r]`.
#[derive(Clone, Debug)]
struct Known {
    point: CnnPoint,
    filter: Vec<f64>,
    output: Vec<f64>,
}

/// The ensemble of a cell with the critical points that its runs may end at.
#[derive(Clone, Debug)]
pub(super) struct CnnCell {
    pub(super) ensemble: CnnEnsemble,
    known: Vec<Known>,
    /// Sizes of `alpha`, `S_a` and `r`.
    sizes: [f64; 3],
}

impl CnnCell {
    pub(super) fn new(ensemble: CnnEnsemble) -> Self {
        let problem = ensemble.problem();
        let (s, square) = (problem.filter_norm(), problem.output_square());
        let (root_k, length) = ((problem.patches() as f64).sqrt(), square.sqrt());
        let points = [Some(problem.global_minimum()), Some(problem.spurious_point()), problem.saddle()];
        let known = points.into_iter().flatten().map(|point| Known {
            filter: vec![libm::cos(point.angle.theta), libm::sin(point.angle.psi)],
            output: vec![point.alpha, point.output.iter().sum(), 0.0],
            point,
        });
        Self { known: known.collect(), sizes: [s * square, s * root_k * length, s * length], ensemble }
    }

    /// Whether two ends are one up to the length of the filter, rotations about the teacher's filter and of what is orthogonal to
    /// ones and to the teacher's output: angle and outputs agree to within the tolerance.
    pub(super) fn is_near(&self, [a, b]: [(&[f64], &[f64]); 2], tolerance: f64) -> bool {
        let filters = a.0.iter().zip(b.0).all(|(x, y)| (x - y).abs() <= tolerance);
        let outputs = a.1.iter().zip(b.1).zip(self.sizes);
        filters && outputs.into_iter().all(|((x, y), size)| (x - y).abs() <= tolerance * size)
    }

    /// What stands for a run's end among classes: the critical point that it is, or is bound to reach, else the end itself.
    pub(super) fn representative(&self, end: &RunEnd, tolerance: f64) -> Representative {
        let length = libm::hypot(end.weights[0], end.weights[1]);
        let filter = vec![end.weights[0] / length, end.weights[1].abs() / length];
        let is_met = |known: &&Known| match end.status {
            RunStatus::GlobalBasin => known.point.kind == CnnPointKind::Global,
            RunStatus::SpuriousBasin => known.point.kind == CnnPointKind::Spurious,
            _ => self.is_near([(&filter, &end.output), (&known.filter, &known.output)], tolerance),
        };
        match self.known.iter().find(is_met) {
            Some(known) => Representative {
                run: end.run,
                loss: known.point.loss,
                weights: known.filter.clone(),
                output: known.output.clone(),
            },
            None => {
                Representative { run: end.run, loss: end.loss, weights: filter, output: end.output.clone() }
            }
        }
    }

    /// What a class is; nothing is known of ends that are no critical point.
    pub(super) fn describe(&self, end: &Representative) -> Description {
        let is_it = |known: &&Known| (&known.filter, &known.output) == (&end.weights, &end.output);
        let Some(Known { point, .. }) = self.known.iter().find(is_it) else { return Description::default() };
        let nature = if point.kind == CnnPointKind::Global {
            "global_minimum"
        } else if point.kind == CnnPointKind::Saddle {
            "saddle"
        } else if point.local_minimum {
            "spurious_minimum"
        } else {
            "spurious_point"
        };
        Description {
            loss: Some(point.loss),
            lambda_min: None, // zero at every one, along the filter
            index: Some(point.index as u64),
            nullity: Some(point.nullity as u64),
            nature: Some(nature.to_owned()),
            isotropy: None,
        }
    }
}
