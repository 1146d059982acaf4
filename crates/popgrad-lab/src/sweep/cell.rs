//! A cell: one problem with one start law, one dynamics and one stop rule, from its keys.

use super::cnn::{self, CnnCell};
use super::error::SpecError;
use super::part::{Representative, sha256};
use super::spec::{CellKeys, Entry, Value};
use crate::storage::read_array;
use crate::words::Source;
use popgrad::{
    AbsoluteTolerance, EnsembleDynamics, EnsembleError, EnsembleRun, EnsembleStop, Level, LossStop, Matrix,
    NormKind, RunEnd, StartLaw, StepHalving, Trained, TwoLayer, TwoLayerEnsemble, XyEnsemble, XyPlane,
    XyStart,
};
use serde_json::{Map, Value as Json, json};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// Memory that a teacher may take.
const MEMORY_LIMIT: u64 = 4 << 30;
/// Ends of a class lie within the gradient over the smallest eigenvalue of each other; published minima have eigenvalues of
/// 0.0004 and more, most of them 0.005 and more.
const TOLERANCE_OF_GRADIENT: f64 = 1e3;
/// Tolerance of classes where gradients are tiny.
const LEAST_TOLERANCE: f64 = 1e-5;
/// Steps over which the loss must not rise before a run ends by its loss.
const LOSS_STEPS: u64 = 100;

/// What runs in a cell.
#[derive(Clone, Debug)]
pub(super) enum Ensemble {
    /// A two-layer problem.
    TwoLayer(Box<TwoLayerEnsemble>, Trained),
    /// Theorem 7's plane.
    Xy(XyEnsemble),
    /// A convolutional network.
    Cnn(Box<CnnCell>),
}

/// One cell of a sweep, ready to run.
#[derive(Clone, Debug)]
pub(super) struct Cell {
    /// Its number, from zero.
    pub(super) number: usize,
    /// The keys that vary, with their values.
    pub(super) varied: Vec<(String, Value)>,
    /// All keys that count, with their values or defaults.
    pub(super) resolved: Map<String, Json>,
    pub(super) ensemble: Ensemble,
    pub(super) tolerance: f64,
    pub(super) global_loss: f64,
    polish: bool,
}

impl Cell {
    /// Gives the keys of a cell their meaning.
    pub(super) fn resolve(
        name: &str,
        number: usize,
        keys: &CellKeys,
        seed: u64,
        level: Level,
    ) -> Result<Self, SpecError> {
        let reader = Reader::new(name, number, keys);
        let ensemble = match reader.word("problem.kind", &["two_layer", "xy", "cnn"])? {
            "xy" => Ensemble::Xy(xy(&reader, seed)?),
            "cnn" => Ensemble::Cnn(Box::new(CnnCell::new(cnn::ensemble(&reader, seed)?))),
            _ => two_layer(&reader, seed)?,
        };
        let loose = reader.number("stop.gradient_norm")?.unwrap_or(0.0);
        let (tolerance, loss) = match &ensemble {
            Ensemble::Cnn(cell) => (cnn::tolerance(loose), cnn::loss_scale(cell.ensemble.problem())),
            _ => ((TOLERANCE_OF_GRADIENT * loose).max(LEAST_TOLERANCE), 1.0),
        };
        let tolerance = reader.positive("classes.tolerance")?.unwrap_or(tolerance);
        let global_loss = reader.positive("classes.global_loss")?.unwrap_or(1e-3 * loss);
        reader.set("classes.tolerance", json!(tolerance));
        reader.set("classes.global_loss", json!(global_loss));
        let polish = match &ensemble {
            Ensemble::TwoLayer(..) => reader.flag("stop.polish")?,
            Ensemble::Xy(_) | Ensemble::Cnn(_) => false,
        };
        reader.refuse_unused()?;
        let resolved: Map<String, Json> = reader.resolved.into_inner().into_iter().collect();
        // The resolved value, so that a cell that leaves a key out shows its default, and a merged sweep the same.
        let value = |key: &String| {
            let value = resolved.get(key).and_then(Value::of_json);
            value.or_else(|| keys.entries.get(key).map(|entry| entry.value.clone()))
        };
        let varied = keys.varied.iter().filter_map(|key| Some((key.clone(), value(key)?))).collect();
        let cell = Self { number, varied, resolved, ensemble, tolerance, global_loss, polish };
        cell.runs(0..0, level).map_err(|e| reader_error(name, number, &e))?;
        Ok(cell)
    }

    /// A machine over a range of runs.
    pub(super) fn runs(&self, runs: Range<u64>, level: Level) -> Result<EnsembleRun<'_>, EnsembleError> {
        match &self.ensemble {
            Ensemble::TwoLayer(ensemble, _) => ensemble.runs(runs, level),
            Ensemble::Xy(ensemble) => ensemble.runs(runs, level),
            Ensemble::Cnn(cell) => cell.ensemble.runs(runs, level),
        }
    }

    /// What stands for the end of a run among the classes.
    pub(super) fn representative(&self, end: &RunEnd) -> Representative {
        match &self.ensemble {
            Ensemble::Cnn(cell) => cell.representative(end, self.tolerance),
            _ => Representative {
                run: end.run,
                loss: end.loss,
                weights: end.weights.clone(),
                output: end.output.clone(),
            },
        }
    }

    /// Loss and gradient norm of a converged end, after Newton's iteration where the spec asks for it and the Hessian is positive
    /// definite. What the end's class is does not depend on it.
    pub(super) fn polished(&self, end: &RunEnd) -> Result<(f64, f64), EnsembleError> {
        let polished = match &self.ensemble {
            Ensemble::TwoLayer(ensemble, _) if self.polish && end.status.is_converged() => {
                ensemble.polish(end)?
            }
            _ => None,
        };
        Ok(polished.map_or((end.loss, end.gradient_norm), |p| (p.loss, p.gradient_norm)))
    }

    /// The number of starts there are, where they are given.
    pub(super) fn starts(&self) -> Option<u64> {
        match &self.ensemble {
            Ensemble::TwoLayer(ensemble, _) => ensemble.starts(),
            Ensemble::Xy(ensemble) => ensemble.starts(),
            Ensemble::Cnn(cell) => cell.ensemble.starts(),
        }
    }

    /// Numbers in the end of a run, and pairs of units in a step.
    pub(super) fn size(&self) -> (usize, usize) {
        match &self.ensemble {
            Ensemble::TwoLayer(ensemble, _) => {
                let (k, problem) = (ensemble.students(), ensemble.problem());
                (k * problem.input_dimension(), k * (k + problem.teacher().rows()))
            }
            Ensemble::Xy(_) => (2, 2),
            Ensemble::Cnn(_) => (5, 1),
        }
    }

    /// The number of students; one for the plane and the convolutional network, whose point counts as one row.
    pub(super) fn students(&self) -> usize {
        match &self.ensemble {
            Ensemble::TwoLayer(ensemble, _) => ensemble.students(),
            Ensemble::Xy(_) | Ensemble::Cnn(_) => 1,
        }
    }

    /// The output weights of an end: its own where they are trained, else those of the start.
    pub(super) fn output<'a>(&'a self, end: &'a Representative) -> &'a [f64] {
        match &self.ensemble {
            Ensemble::TwoLayer(ensemble, _) if end.output.is_empty() => ensemble.output(),
            _ => &end.output,
        }
    }

    /// Whether global minima form a manifold, because there are more students than teachers.
    pub(super) fn has_global_manifold(&self) -> bool {
        match &self.ensemble {
            Ensemble::TwoLayer(ensemble, _) => ensemble.students() > ensemble.problem().teacher().rows(),
            Ensemble::Xy(_) | Ensemble::Cnn(_) => false,
        }
    }

    /// Whether an end lies on that manifold.
    pub(super) fn is_on_manifold(&self, end: &RunEnd) -> bool {
        self.has_global_manifold() && end.loss < self.global_loss
    }
}

fn reader_error(name: &str, cell: usize, error: &EnsembleError) -> SpecError {
    SpecError::whole(name, format!("cell {cell}: {error}"))
}

/// The keys of a cell, each read once; what is not read belongs to another choice and is refused.
pub(super) struct Reader<'k> {
    name: &'k str,
    cell: usize,
    keys: &'k CellKeys,
    used: RefCell<BTreeSet<&'static str>>,
    /// In the order of their names, which the checksum of the spec depends on.
    resolved: RefCell<BTreeMap<String, Json>>,
}

impl<'k> Reader<'k> {
    fn new(name: &'k str, cell: usize, keys: &'k CellKeys) -> Self {
        let used = BTreeSet::from(["seed", "runs", "part", "independent"]);
        Self { name, cell, keys, used: used.into(), resolved: RefCell::default() }
    }

    pub(super) fn get(&self, key: &'static str) -> Option<&'k Entry> {
        self.used.borrow_mut().insert(key);
        let entry = self.keys.entries.get(key)?;
        self.set(key, entry.value.json());
        Some(entry)
    }

    pub(super) fn set(&self, key: &str, value: Json) {
        self.resolved.borrow_mut().insert(key.to_owned(), value);
    }

    /// A refusal at the place of a key, or of the cell where it is not given.
    pub(super) fn refusal(&self, key: &str, message: &str) -> SpecError {
        match self.keys.entries.get(key) {
            Some(entry) => SpecError::at(self.name, entry.place, format!("{key} {message}")),
            None => SpecError::whole(self.name, format!("cell {}: {key} {message}", self.cell)),
        }
    }

    /// A refusal of the cell as a whole.
    pub(super) fn whole(&self, error: &EnsembleError) -> SpecError {
        reader_error(self.name, self.cell, error)
    }

    pub(super) fn wrong(&self, key: &str, entry: &Entry, needed: &str) -> SpecError {
        self.refusal(key, &format!("is {}; {needed} is needed", entry.value.describe()))
    }

    pub(super) fn word<'w>(&self, key: &'static str, words: &[&'w str]) -> Result<&'w str, SpecError> {
        let Some(entry) = self.get(key) else {
            self.set(key, json!(words[0]));
            return Ok(words[0]);
        };
        let found = match &entry.value {
            Value::Text(text) => words.iter().find(|w| *w == text).copied(),
            _ => None,
        };
        found.ok_or_else(|| self.wrong(key, entry, &format!("one of {}", words.join(", "))))
    }

    pub(super) fn text(&self, key: &'static str) -> Result<Option<&'k str>, SpecError> {
        match self.get(key) {
            None => Ok(None),
            Some(Entry { value: Value::Text(text), .. }) => Ok(Some(text)),
            Some(entry) => Err(self.wrong(key, entry, "a text in quotes")),
        }
    }

    pub(super) fn number(&self, key: &'static str) -> Result<Option<f64>, SpecError> {
        match self.get(key) {
            None => Ok(None),
            Some(Entry { value: Value::Real(x), .. }) => Ok(Some(*x)),
            Some(Entry { value: Value::Integer(i), .. }) => Ok(Some(*i as f64)),
            Some(entry) => Err(self.wrong(key, entry, "a number")),
        }
    }

    pub(super) fn positive(&self, key: &'static str) -> Result<Option<f64>, SpecError> {
        match self.number(key)? {
            Some(x) if x <= 0.0 => {
                Err(self.refusal(key, &format!("is {x}; a number greater than zero is needed")))
            }
            other => Ok(other),
        }
    }

    fn count(&self, key: &'static str) -> Result<Option<u64>, SpecError> {
        match self.get(key) {
            None => Ok(None),
            Some(entry) => match entry.value {
                Value::Integer(i) if i > 0 => Ok(u64::try_from(i).ok()),
                _ => Err(self.wrong(key, entry, "a whole number greater than zero")),
            },
        }
    }

    pub(super) fn size(&self, key: &'static str) -> Result<Option<usize>, SpecError> {
        Ok(self.count(key)?.map(|n| usize::try_from(n).unwrap_or(usize::MAX)))
    }

    fn flag(&self, key: &'static str) -> Result<bool, SpecError> {
        self.flag_or(key, false)
    }

    /// True or false, with what holds where the key is not given.
    pub(super) fn flag_or(&self, key: &'static str, otherwise: bool) -> Result<bool, SpecError> {
        match self.get(key) {
            None => {
                self.set(key, json!(otherwise));
                Ok(otherwise)
            }
            Some(Entry { value: Value::Flag(flag), .. }) => Ok(*flag),
            Some(entry) => Err(self.wrong(key, entry, "true or false")),
        }
    }

    fn numbers(&self, key: &'static str, length: usize) -> Result<Option<Vec<f64>>, SpecError> {
        let list = match self.get(key) {
            None => return Ok(None),
            Some(Entry { value: Value::Numbers(x), .. }) => x.clone(),
            Some(entry) => return Err(self.wrong(key, entry, "a list of numbers")),
        };
        if list.len() == length {
            return Ok(Some(list));
        }
        Err(self.refusal(key, &format!("has {} numbers; {length} are needed", list.len())))
    }

    pub(super) fn needed<T>(&self, key: &'static str, value: Option<T>) -> Result<T, SpecError> {
        value.ok_or_else(|| self.refusal(key, "is missing and needed here"))
    }

    /// A file or word of neurons; the file's content enters the resolved spec by its checksum.
    fn neurons(&self, key: &'static str) -> Result<Matrix, SpecError> {
        let text = self.needed(key, self.text(key)?)?;
        let source = Source::parse(text).map_err(|e| self.refusal(key, &format!("is wrong: {e}")))?;
        let matrix = source.matrix(MEMORY_LIMIT).map_err(|e| self.refusal(key, &format!("is wrong: {e}")))?;
        if matches!(source, Source::File(_)) {
            self.set(&format!("{key}_sha256"), json!(checksum(matrix.as_slice())));
        }
        Ok(matrix)
    }

    /// A value that follows from another key's, which need not be kept then.
    pub(super) fn follows(&self, key: &'static str, from: &'static str, value: f64) {
        let mut resolved = self.resolved.borrow_mut();
        resolved.remove(from);
        resolved.insert(key.to_owned(), json!(value));
    }

    fn refuse_unused(&self) -> Result<(), SpecError> {
        let used = self.used.borrow();
        match self.keys.entries.keys().find(|key| !used.contains(key.as_str())) {
            Some(key) => Err(self.refusal(key, "does not go with the other keys of its cell; leave it out")),
            None => Ok(()),
        }
    }
}

pub(super) fn checksum(numbers: &[f64]) -> String {
    sha256(&numbers.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>())
}

fn two_layer(reader: &Reader<'_>, seed: u64) -> Result<Ensemble, SpecError> {
    let teacher = reader.neurons("problem.teacher")?;
    let (teachers, d) = (teacher.rows(), teacher.cols());
    let mut problem = TwoLayer::try_new(teacher)
        .map_err(|e| reader.refusal("problem.teacher", &format!("is wrong: {e}")))?;
    if let Some(output) = reader.numbers("problem.teacher_output", teachers)? {
        problem = problem
            .with_teacher_output(output)
            .map_err(|e| reader.refusal("problem.teacher_output", &format!("is wrong: {e}")))?;
    }
    let students = reader.size("problem.students")?.unwrap_or(teachers);
    reader.set("problem.students", json!(students));
    let trained = match reader.word("problem.output_weights", &["fixed", "trained"])? {
        "trained" => Trained::WeightsAndOutput,
        _ => Trained::Weights,
    };
    let output = reader.numbers("problem.student_output", students)?.unwrap_or_else(|| vec![1.0; students]);
    let law = start(reader, students, d)?;
    let ensemble = TwoLayerEnsemble::try_new(problem, students)
        .map_err(|e| reader.whole(&e))?
        .with_seed(seed)
        .with_start(law)
        .with_output(output)
        .with_trained(trained)
        .with_dynamics(dynamics(reader)?)
        .with_stop(stop(reader)?);
    Ok(Ensemble::TwoLayer(Box::new(ensemble), trained))
}

fn start(reader: &Reader<'_>, students: usize, d: usize) -> Result<StartLaw, SpecError> {
    let root = (d as f64).sqrt();
    Ok(match reader.word("start.law", &["normal", "sphere", "around_plane", "given"])? {
        "sphere" => {
            let radius = match reader.positive("start.radius")? {
                Some(radius) => radius,
                None => reader.positive("start.scale")?.unwrap_or(1.0),
            };
            reader.follows("start.radius", "start.scale", radius);
            StartLaw::Sphere { radius }
        }
        "around_plane" => {
            let coordinate = |key| reader.needed(key, reader.number(key)?);
            let centre = [coordinate("start.x")?, coordinate("start.y")?];
            let sd = reader.needed("start.sd", reader.positive("start.sd")?)?;
            if students != d {
                let message = format!("around_plane needs as many students as inputs, not {students} in {d}");
                return Err(reader.refusal("start.law", &message));
            }
            StartLaw::around_plane(students, centre, sd)
        }
        "given" => {
            let file = reader.needed("start.file", reader.text("start.file")?)?;
            let fail =
                |e: crate::storage::StorageError| reader.refusal("start.file", &format!("is wrong: {e}"));
            let starts = read_array(file).map_err(fail)?;
            let starts = starts.into_matrices("(n, K, d), one student network a start,").map_err(fail)?;
            if let Some(other) = starts.iter().find(|w| (w.rows(), w.cols()) != (students, d)) {
                let message = format!(
                    "has starts of shape ({}, {}); the problem has ({students}, {d})",
                    other.rows(),
                    other.cols()
                );
                return Err(reader.refusal("start.file", &message));
            }
            let law: StartLaw = starts.iter().map(Matrix::view).collect();
            if let StartLaw::Given { starts } = &law {
                reader.set("start.file_sha256", json!(checksum(starts)));
            }
            law
        }
        _ => {
            let sd = match reader.positive("start.sd")? {
                Some(sd) => sd,
                None => reader.positive("start.scale")?.unwrap_or(1.0) / root,
            };
            reader.follows("start.sd", "start.scale", sd);
            StartLaw::Normal { sd }
        }
    })
}

fn xy(reader: &Reader<'_>, seed: u64) -> Result<XyEnsemble, SpecError> {
    let units = reader.needed("problem.units", reader.size("problem.units")?)?;
    let plane =
        XyPlane::try_new(units).map_err(|e| reader.refusal("problem.units", &format!("is wrong: {e}")))?;
    let interval = |key, otherwise: [f64; 2]| -> Result<[f64; 2], SpecError> {
        let list = reader.numbers(key, 2)?;
        let interval = list.map_or(otherwise, |x| [x[0], x[1]]);
        reader.set(key, json!(interval));
        Ok(interval)
    };
    let (x, y) = ([0.001, 1.0], [0.0, 1.0]);
    let law = match reader.word("start.law", &["below_diagonal", "uniform", "normal", "grid"])? {
        "uniform" => XyStart::Uniform { x: interval("start.x", x)?, y: interval("start.y", y)? },
        "normal" => {
            let number = |key| reader.needed(key, reader.number(key)?);
            XyStart::Normal {
                centre: [number("start.x")?, number("start.y")?],
                sd: reader.needed("start.sd", reader.positive("start.sd")?)?,
            }
        }
        "grid" => {
            let points = |key| -> Result<u32, SpecError> {
                let n = reader.needed(key, reader.count(key)?)?;
                u32::try_from(n).map_err(|_| reader.refusal(key, "is larger than a grid can be"))
            };
            let (columns, rows) = (points("start.columns")?, points("start.rows")?);
            XyStart::Grid { x: interval("start.x", x)?, y: interval("start.y", y)?, columns, rows }
        }
        _ => XyStart::BelowDiagonal { x: interval("start.x", x)? },
    };
    Ok(XyEnsemble::new(plane)
        .with_seed(seed)
        .with_start(law)
        .with_dynamics(dynamics(reader)?)
        .with_stop(stop(reader)?))
}

pub(super) fn dynamics(reader: &Reader<'_>) -> Result<EnsembleDynamics, SpecError> {
    if reader.word("dynamics.method", &["gd", "flow"])? == "flow" {
        let rtol = reader.positive("dynamics.rtol")?.unwrap_or(1e-8);
        let atol = reader.positive("dynamics.atol")?.unwrap_or(1e-10);
        reader.set("dynamics.rtol", json!(rtol));
        reader.set("dynamics.atol", json!(atol));
        return Ok(EnsembleDynamics::Flow { rtol, atol: AbsoluteTolerance::OfSmallestStudent(atol) });
    }
    let step = reader.needed("dynamics.step", reader.positive("dynamics.step")?)?;
    let halving = match reader.positive("dynamics.halve_above")? {
        Some(gradient_norm) => StepHalving::RestartAbove { gradient_norm },
        None => StepHalving::Never,
    };
    Ok(EnsembleDynamics::Descent { step, halving })
}

pub(super) fn stop(reader: &Reader<'_>) -> Result<EnsembleStop, SpecError> {
    let gradient_norm = reader.number("stop.gradient_norm")?;
    let norm = match reader.word("stop.norm", &["frobenius", "largest_neuron"])? {
        "largest_neuron" => NormKind::LargestNeuron,
        _ => NormKind::Frobenius,
    };
    let loss = match reader.number("stop.loss")? {
        None => None,
        Some(below) => {
            let steps = reader.count("stop.loss_steps")?.unwrap_or(LOSS_STEPS);
            reader.set("stop.loss_steps", json!(steps));
            Some(LossStop { below, steps })
        }
    };
    let steps = reader.count("stop.steps")?.unwrap_or(EnsembleStop::default().steps);
    reader.set("stop.steps", json!(steps));
    Ok(EnsembleStop { gradient_norm, norm, loss, steps, time: reader.number("stop.time")? })
}
