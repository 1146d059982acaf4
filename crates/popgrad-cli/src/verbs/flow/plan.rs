//! What the arguments of `popgrad flow` resolve to.

use super::args::{Args, MethodArg, ZeroStudentArg};
use super::convolution;
use crate::arguments::{at, file_at, output_weights, same_dimension, source};
use crate::failure::Failure;
use crate::values;
use popgrad::{
    AbsoluteTolerance, DescentOptions, FiniteGroup, FlowOptions, GroupOrbit, InputLaw, Matrix, RecordPlan,
    StepHalving, StopRule, Trained, TwoLayer, XyPlane, ZeroStudentRule,
};
use popgrad_lab::flow::{Method, Model, Network};
use popgrad_lab::storage::{Overwrite, read_array, refuse_existing};
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};

/// The bound on the gradient norm where no stop rule is given.
const STOP_GRADIENT: f64 = 1e-8;

/// What the arguments resolve to.
pub(super) struct Plan {
    pub(super) model: Model,
    pub(super) method: Method,
    pub(super) exact: Option<Exact>,
    pub(super) starts: Vec<Vec<f64>>,
    pub(super) stop: StopRule,
    pub(super) out: Option<PathBuf>,
    pub(super) end: Option<PathBuf>,
    pub(super) plot: Option<PathBuf>,
    pub(super) overwrite: Overwrite,
    pub(super) list_events: bool,
    pub(super) options: Value,
    pub(super) seed: Option<u64>,
}

/// The closed form instead of a method.
pub(super) struct Exact {
    pub(super) teacher: Vec<f64>,
    pub(super) kappa: f64,
    pub(super) end: f64,
    pub(super) spacing: f64,
}

impl Plan {
    pub(super) fn resolve(args: &Args) -> Result<Self, Failure> {
        let overwrite = if args.force { Overwrite::Replace } else { Overwrite::Refuse };
        check_outputs(args, overwrite)?;
        let stop = stop_rule(args);
        let method = method(args, stop)?;
        let ((model, starts), exact) = if args.cnn.is_cnn() {
            (convolution::resolve(args)?, None)
        } else {
            args.cnn.refuse_beside_two_layer()?;
            two_layer(args)?
        };
        let seed = args.start.iter().find_map(|text| source("--start", text).ok().and_then(|s| s.seed()));
        let (out, end, plot) = (args.out.clone(), args.end.clone(), args.plot.clone());
        let options = options(args, &stop);
        Ok(Self {
            model,
            method,
            exact,
            starts,
            stop,
            out,
            end,
            plot,
            overwrite,
            list_events: args.events,
            options,
            seed,
        })
    }
}

/// What moves, and its starts.
pub(super) type Moving = (Model, Vec<Vec<f64>>);

/// What moves in a two-layer problem, and the closed form that replaces a method.
fn two_layer(args: &Args) -> Result<(Moving, Option<Exact>), Failure> {
    let problem = args.problem.resolve()?;
    let exact = if args.exact { Some(exact(args, &problem)?) } else { None };
    let moving = match (plane_starts(args)?, &args.group) {
        (Some(_), Some(_)) => {
            return Err(Failure::input("--group", "cannot be used with --start xy:X0,Y0; give one of them"));
        }
        (Some(starts), None) => (plane(args, &problem)?, starts),
        (None, Some(location)) => orbit(args, location, &problem)?,
        (None, None) => network(args, problem)?,
    };
    Ok((moving, exact))
}

/// Refuses names that cannot be written before anything is computed.
fn check_outputs(args: &Args, overwrite: Overwrite) -> Result<(), Failure> {
    let wanted: [(&str, &Option<PathBuf>, &[&str]); 3] = [
        ("--out", &args.out, &["parquet", "npz"]),
        ("--end", &args.end, &["npz"]),
        ("--plot", &args.plot, &["svg"]),
    ];
    for (argument, path, extensions) in wanted {
        let Some(path) = path else { continue };
        let extension = path.extension().and_then(|e| e.to_str()).unwrap_or("");
        if !extensions.contains(&extension) {
            let needed: Vec<String> = extensions.iter().map(|e| format!("FILE.{e}")).collect();
            let message = format!("{} does not end right; {} is needed", path.display(), needed.join(" or "));
            return Err(Failure::input(argument, message));
        }
        refuse_existing(path, overwrite).map_err(file_at(argument))?;
    }
    Ok(())
}

fn stop_rule(args: &Args) -> StopRule {
    let none_given = args.stop_gradient.is_none() && args.stop_loss.is_none() && args.max_time.is_none();
    StopRule {
        gradient_norm: args.stop_gradient.or_else(|| none_given.then_some(STOP_GRADIENT)),
        loss: args.stop_loss,
        steps: Some(args.max_steps),
        time: args.max_time,
    }
}

fn method(args: &Args, stop: StopRule) -> Result<Method, Failure> {
    let zero_student = match args.zero_student {
        ZeroStudentArg::Stop => ZeroStudentRule::Stop,
        ZeroStudentArg::Freeze => ZeroStudentRule::Freeze,
    };
    let recorded = args.out.is_some() || args.plot.is_some();
    let every = args.every.unwrap_or(if args.events { u64::MAX } else { 1 });
    let record = if recorded { RecordPlan::every(every) } else { RecordPlan::default() };
    match args.method {
        MethodArg::Descent => {
            let misplaced = [("--rtol", args.rtol.is_some()), ("--atol", args.atol.is_some())];
            belongs_to("--method flow", &misplaced)?;
            let Some(step) = args.step else {
                return Err(Failure::input("--step", "is missing; --method gd needs a positive step"));
            };
            let halving = if args.halve { StepHalving::OnLossRise } else { StepHalving::Never };
            let options =
                DescentOptions { step, halving, stop, zero_student, record, ..DescentOptions::default() };
            Ok(Method::Descent(options))
        }
        MethodArg::Flow => {
            let step = args.step.is_some() && !args.exact;
            belongs_to("--method gd", &[("--step", step), ("--halve", args.halve)])?;
            let defaults = FlowOptions::default();
            if args.rtol == Some(0.0) && args.atol == Some(0.0) {
                return Err(Failure::input("--rtol", "is 0 and so is --atol; one of them must be positive"));
            }
            let options = FlowOptions {
                rtol: args.rtol.unwrap_or(defaults.rtol),
                atol: args.atol.map_or(defaults.atol, AbsoluteTolerance::Fixed),
                stop,
                zero_student,
                record,
                ..defaults
            };
            Ok(Method::Flow(options))
        }
    }
}

/// The options of `--exact`, which needs one student, one teacher and an end.
fn exact(args: &Args, problem: &TwoLayer) -> Result<Exact, Failure> {
    let misplaced = [
        ("--method gd", args.method == MethodArg::Descent),
        ("--rtol", args.rtol.is_some()),
        ("--atol", args.atol.is_some()),
        ("--stop-gradient", args.stop_gradient.is_some()),
        ("--group", args.group.is_some()),
        ("--teacher-output", args.problem.teacher_output.is_some()),
        ("--student-output", args.student_output.is_some()),
        ("--train-output", args.train_output),
        ("--leaky", args.problem.leaky.is_some_and(|a| a != 0.0)),
        ("--covariance", args.problem.covariance.is_some()),
        ("--start xy:X0,Y0", args.start.iter().any(|text| text.starts_with("xy:"))),
        ("--every", args.every.is_some()),
        ("--events", args.events),
    ];
    if let Some((argument, _)) = misplaced.iter().find(|(_, given)| *given) {
        let message =
            "does not go with --exact, the closed form of one ReLU with output weights 1; leave it out";
        return Err(Failure::input(argument, message));
    }
    let Some(end) = args.max_time else {
        return Err(Failure::input("--max-time", "is missing; --exact needs the time at which it ends"));
    };
    if problem.teacher().rows() != 1 {
        let message =
            format!("{} has {} rows; --exact needs one", args.problem.teacher()?, problem.teacher().rows());
        return Err(Failure::input("--teacher", message));
    }
    let spacing = args.step.unwrap_or(end / 100.0);
    if end / spacing > args.max_steps as f64 {
        let message =
            format!("{spacing} gives more rows up to --max-time {end} than --max-steps {}", args.max_steps);
        return Err(Failure::input("--step", message));
    }
    Ok(Exact { teacher: problem.teacher().row(0).to_vec(), kappa: problem.kappa(), end, spacing })
}

fn belongs_to(method: &str, options: &[(&str, bool)]) -> Result<(), Failure> {
    match options.iter().find(|(_, given)| *given) {
        Some((argument, _)) => Err(Failure::input(argument, format!("belongs to {method}; leave it out"))),
        None => Ok(()),
    }
}

/// The starts as points of the plane, if they are all written `xy:X0,Y0`.
fn plane_starts(args: &Args) -> Result<Option<Vec<Vec<f64>>>, Failure> {
    let planar = args.start.iter().filter(|text| text.starts_with("xy:")).count();
    match planar {
        0 => Ok(None),
        n if n < args.start.len() => {
            Err(Failure::input("--start", "mixes xy:X0,Y0 with other starts; one kind a call is needed"))
        }
        _ => args.start.iter().map(|text| plane_start(text)).collect::<Result<_, _>>().map(Some),
    }
}

fn plane_start(text: &str) -> Result<Vec<f64>, Failure> {
    let numbers: Option<Vec<f64>> =
        text["xy:".len()..].split(',').map(|x| values::finite(x.trim()).ok()).collect();
    match numbers {
        Some(point) if point.len() == 2 && point != [0.0, 0.0] => Ok(point),
        Some(point) if point.len() == 2 => Err(Failure::input(
            "--start",
            format!("{text} is the origin, where the field has no direction; start elsewhere"),
        )),
        _ => Err(Failure::input(
            "--start",
            format!("{text} is not a point; xy:X0,Y0 with two finite numbers is needed"),
        )),
    }
}

/// Refuses options that the reduced dynamics (plane, group) do not have.
fn plain_relu_only(args: &Args, what: &str) -> Result<(), Failure> {
    let problem = &args.problem;
    let foreign = [
        ("--teacher-output", problem.teacher_output.is_some()),
        ("--student-output", args.student_output.is_some()),
        ("--train-output", args.train_output),
        ("--leaky", problem.leaky.is_some_and(|a| a != 0.0)),
        ("--covariance", problem.covariance.is_some()),
        ("--law", problem.law != InputLaw::Gaussian),
    ];
    match foreign.iter().find(|(_, given)| *given) {
        Some((argument, _)) => Err(Failure::input(
            argument,
            format!(
                "does not go with {what}, which has ReLUs, Gaussian input and output weights 1; leave it out"
            ),
        )),
        None => Ok(()),
    }
}

fn plane(args: &Args, problem: &TwoLayer) -> Result<Model, Failure> {
    plain_relu_only(args, "--start xy:X0,Y0")?;
    let teacher = problem.teacher().to_matrix();
    let k = teacher.rows();
    if k < 2 || teacher != Matrix::identity(k, k) {
        return Err(Failure::input(
            "--teacher",
            format!(
                "{} does not go with --start xy:X0,Y0; orthonormal:K with K >= 2 is needed",
                args.problem.teacher()?
            ),
        ));
    }
    let plane = XyPlane::try_new(k).map_err(|e| Failure::new("--teacher", &e, e.kind()))?;
    Ok(Model::Plane(plane))
}

fn orbit(args: &Args, location: &str, problem: &TwoLayer) -> Result<Moving, Failure> {
    plain_relu_only(args, "--group")?;
    let teacher = problem.teacher();
    if teacher.rows() != 1 {
        let message = format!(
            "{} has {} rows; with --group the teacher is one row",
            args.problem.teacher()?,
            teacher.rows()
        );
        return Err(Failure::input("--teacher", message));
    }
    let matrices = read_array(location)
        .and_then(|a| a.into_matrices("(n, d, d), one matrix an element,"))
        .map_err(file_at("--group"))?;
    let group = FiniteGroup::try_new(matrices)
        .map_err(|e| Failure::new("--group", &format!("{location}: {e}"), e.kind()))?;
    if group.dimension() != teacher.cols() {
        let message = format!(
            "{location} acts on {} coordinates but --teacher {} has {}; they must be equal",
            group.dimension(),
            args.problem.teacher()?,
            teacher.cols()
        );
        return Err(Failure::input("--group", message));
    }
    let orbit =
        GroupOrbit::try_new(group, teacher.row(0)).map_err(|e| Failure::new("--teacher", &e, e.kind()))?;
    let starts = matrices_of_starts(args, teacher.cols())?;
    if let Some((text, start)) = starts.iter().find(|(_, start)| start.rows() != 1) {
        let message = format!("{text} has {} rows; with --group a start is one row", start.rows());
        return Err(Failure::input("--start", message));
    }
    Ok((Model::Orbit(orbit), starts.into_iter().map(|(_, start)| start.into_vec()).collect()))
}

fn network(args: &Args, problem: TwoLayer) -> Result<Moving, Failure> {
    let starts = matrices_of_starts(args, problem.input_dimension())?;
    let k = starts[0].1.rows();
    if let Some((text, start)) = starts.iter().find(|(_, start)| start.rows() != k) {
        let message = format!(
            "{text} has {} neurons but {} has {k}; one K a call is needed",
            start.rows(),
            starts[0].0
        );
        return Err(Failure::input("--start", message));
    }
    let output = match &args.student_output {
        Some(text) => output_weights("--student-output", text, k)?,
        None => vec![1.0; k],
    };
    if args.exact && k != 1 {
        let message = format!("{} has {k} neurons; --exact needs one", starts[0].0);
        return Err(Failure::input("--start", message));
    }
    let trained = if args.train_output { Trained::WeightsAndOutput } else { Trained::Weights };
    let network = Network::try_new(problem, output, trained)
        .map_err(|e| Failure::new("--student-output", &e, e.kind()))?;
    let starts = starts
        .iter()
        .map(|(_, start)| network.state(start).map_err(|e| Failure::new("--start", &e, e.kind())))
        .collect::<Result<_, _>>()?;
    Ok((Model::Network(Box::new(network)), starts))
}

/// Every start as a matrix, with the text that named it.
fn matrices_of_starts(args: &Args, d: usize) -> Result<Vec<(&str, Matrix)>, Failure> {
    let limit = args.problem.memory_limit();
    let mut starts = Vec::new();
    for text in &args.start {
        for start in source("--start", text)?.matrices(limit).map_err(at("--start"))? {
            same_dimension("--start", text, start.cols(), (args.problem.teacher()?, d))?;
            starts.push((text.as_str(), start));
        }
    }
    Ok(starts)
}

fn options(args: &Args, stop: &StopRule) -> Value {
    let path = |p: &Option<PathBuf>| json!(p.as_deref().map(Path::to_string_lossy));
    let own = [
        ("start", json!(args.start)),
        ("student_output", json!(args.student_output)),
        ("train_output", json!(args.train_output)),
        ("group", json!(args.group)),
        ("method", json!(if args.method == MethodArg::Flow { "flow" } else { "gd" })),
        ("step", json!(args.step)),
        ("halve", json!(args.halve)),
        (
            "rtol",
            json!(args.rtol.or((args.method == MethodArg::Flow).then_some(FlowOptions::default().rtol))),
        ),
        ("atol", json!(args.atol)),
        ("stop_gradient", json!(stop.gradient_norm)),
        ("stop_loss", json!(stop.loss)),
        ("max_steps", json!(stop.steps)),
        ("max_time", json!(stop.time)),
        ("zero_student", json!(if args.zero_student == ZeroStudentArg::Stop { "stop" } else { "freeze" })),
        ("every", json!(args.every)),
        ("events", json!(args.events)),
        ("exact", json!(args.exact)),
        ("out", path(&args.out)),
    ];
    let problem = if args.cnn.is_cnn() { args.cnn.options(&args.problem) } else { args.problem.options() };
    let options: Map<String, Value> =
        problem.into_iter().chain(own).map(|(key, value)| (key.to_owned(), value)).collect();
    Value::Object(options)
}
