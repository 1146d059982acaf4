//! The options of `--problem cnn`: the convolutional teacher, and vectors that are typed or read.

use crate::arguments::{one_row, source};
use crate::failure::Failure;
use crate::problem::ProblemArgs;
use crate::values;
use popgrad::{Cnn, CnnError, CnnForm, InputLaw};
use popgrad_lab::words::{Source, nearest};
use serde_json::{Value, json};

/// Which kind of problem.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum ProblemKind {
    /// Two layers, every unit with weights of its own.
    #[default]
    TwoLayer,
    /// One filter on patches that do not overlap.
    Cnn,
}

/// What is typed.
#[derive(Debug, clap::Args)]
pub(crate) struct CnnArgs {
    /// Problem: two-layer or cnn
    ///
    /// cnn is the network of Du et al. (2018): one filter v on k patches that do not overlap, f = sum_j a_j relu(v.Z_j/|v|). Its
    /// teacher is --patches, --patch-dimension and --ratio, or --teacher-filter and --teacher-output.
    #[arg(long = "problem", value_name = "KIND", value_parser = kind, default_value = "two-layer")]
    pub(crate) kind: ProblemKind,
    /// cnn: number of patches k
    #[arg(long, value_name = "K", value_parser = values::count, allow_negative_numbers = true)]
    pub(crate) patches: Option<u64>,
    /// cnn: dimension p of a patch
    #[arg(long, value_name = "P", value_parser = values::count, allow_negative_numbers = true)]
    pub(crate) patch_dimension: Option<u64>,
    /// cnn: (1.a*)^2 / |a*|^2 of the teacher, 0 to k
    ///
    /// The teacher then has the filter (1, 0, ..., 0) and output weights of length 1.
    #[arg(long, value_name = "R", value_parser = values::not_negative, allow_negative_numbers = true)]
    pub(crate) ratio: Option<f64>,
    /// cnn: filter w* of the teacher
    ///
    /// A file of shape (p,), p numbers separated by commas, or a word with one row, as normal:1,P,SEED. With it
    /// --teacher-output gives a*: a file of shape (k,), or k numbers.
    #[arg(long, value_name = "W", allow_hyphen_values = true)]
    pub(crate) teacher_filter: Option<String>,
    /// cnn: without weight normalisation, f = sum_j a_j relu(v.Z_j)
    #[arg(long)]
    pub(crate) plain: bool,
}

fn kind(text: &str) -> Result<ProblemKind, String> {
    match text {
        "two-layer" => Ok(ProblemKind::TwoLayer),
        "cnn" => Ok(ProblemKind::Cnn),
        _ => {
            let near = nearest(text, &["two-layer", "cnn"]).map(|n| format!("; did you mean {n}?"));
            Err(format!("is not a problem; two-layer or cnn is needed{}", near.unwrap_or_default()))
        }
    }
}

/// Attaches an argument to a failure of the maths.
pub(crate) fn at(argument: &str) -> impl Fn(CnnError) -> Failure + '_ {
    move |error| Failure::new(argument, &error, error.kind())
}

impl CnnArgs {
    /// Whether the problem is the convolutional one.
    pub(crate) fn is_cnn(&self) -> bool {
        self.kind == ProblemKind::Cnn
    }

    /// Refuses options of the convolutional problem that stand beside a two-layer one.
    pub(crate) fn refuse_beside_two_layer(&self) -> Result<(), Failure> {
        let given = [
            ("--patches", self.patches.is_some()),
            ("--patch-dimension", self.patch_dimension.is_some()),
            ("--ratio", self.ratio.is_some()),
            ("--teacher-filter", self.teacher_filter.is_some()),
            ("--plain", self.plain),
        ];
        refuse(&given, "belongs to --problem cnn, which is not given")
    }

    /// The problem that the options describe.
    pub(crate) fn resolve(&self, problem: &ProblemArgs) -> Result<Cnn, Failure> {
        let given = [
            ("--teacher", problem.teacher.is_some()),
            ("--leaky", problem.leaky.is_some()),
            ("--covariance", problem.covariance.is_some()),
            ("--law", problem.law != InputLaw::Gaussian),
        ];
        refuse(
            &given,
            "does not go with --problem cnn, whose patches are standard Gaussian and whose teacher is \
            --patches, --patch-dimension and --ratio, or --teacher-filter and --teacher-output",
        )?;
        let teacher = match &self.teacher_filter {
            Some(text) => self.listed_teacher(text, problem)?,
            None => self.built_teacher(problem)?,
        };
        let form = if self.plain { CnnForm::Plain } else { CnnForm::Normalised };
        Ok(teacher.with_form(form).with_memory_limit(problem.memory_limit()))
    }

    /// The teacher of `--teacher-filter` and `--teacher-output`.
    fn listed_teacher(&self, text: &str, problem: &ProblemArgs) -> Result<Cnn, Failure> {
        let filter =
            numbers("--teacher-filter", text, "(p,), the filter of the teacher,", problem.memory_limit())?;
        check_count("--patch-dimension", self.patch_dimension, ("--teacher-filter", filter.len()))?;
        if self.ratio.is_some() {
            return Err(Failure::input(
                "--ratio",
                "does not go with --teacher-filter, whose --teacher-output has its own",
            ));
        }
        let Some(text) = &problem.teacher_output else {
            return Err(Failure::input(
                "--teacher-output",
                "is missing; --teacher-filter needs the weights a* beside it",
            ));
        };
        let output =
            numbers("--teacher-output", text, "(k,), one output weight a patch,", problem.memory_limit())?;
        check_count("--patches", self.patches, ("--teacher-output", output.len()))?;
        Cnn::try_new(&filter, &output).map_err(at("--teacher-filter, --teacher-output"))
    }

    /// The teacher of `--patches`, `--patch-dimension` and `--ratio`.
    fn built_teacher(&self, problem: &ProblemArgs) -> Result<Cnn, Failure> {
        if problem.teacher_output.is_some() {
            return Err(Failure::input(
                "--teacher-output",
                "needs --teacher-filter beside it under --problem cnn",
            ));
        }
        let needed = |argument: &str| {
            Failure::input(
                argument,
                "is missing; --problem cnn needs --patches, --patch-dimension and --ratio, or --teacher-filter and --teacher-output",
            )
        };
        let count = |argument: &str, value: Option<u64>| -> Result<usize, Failure> {
            let value = value.ok_or_else(|| needed(argument))?;
            let size = usize::try_from(value).ok().filter(|n| *n as u64 <= problem.memory_limit() / 8);
            size.ok_or_else(|| {
                let bytes = problem.memory_limit();
                Failure::input(
                    argument,
                    format!("{value} numbers do not fit into the memory limit of {bytes} bytes"),
                )
            })
        };
        let patches = count("--patches", self.patches)?;
        let dimension = count("--patch-dimension", self.patch_dimension)?;
        let ratio = self.ratio.ok_or_else(|| needed("--ratio"))?;
        Cnn::with_ratio(patches, dimension, ratio).map_err(at("--ratio"))
    }

    /// The resolved options, for documents and files.
    pub(crate) fn options(&self, problem: &ProblemArgs) -> Vec<(&'static str, Value)> {
        vec![
            ("problem", json!("cnn")),
            ("patches", json!(self.patches)),
            ("patch_dimension", json!(self.patch_dimension)),
            ("ratio", json!(self.ratio)),
            ("teacher_filter", json!(self.teacher_filter)),
            ("teacher_output", json!(problem.teacher_output)),
            ("plain", json!(self.plain)),
            ("memory_limit", json!(problem.memory_limit())),
        ]
    }
}

/// Refuses the first option that is given.
pub(crate) fn refuse(given: &[(&str, bool)], why: &str) -> Result<(), Failure> {
    match given.iter().find(|(_, given)| *given) {
        Some((argument, _)) => Err(Failure::input(argument, why)),
        None => Ok(()),
    }
}

/// Refuses a count that contradicts the length of a vector.
fn check_count(argument: &str, count: Option<u64>, (other, length): (&str, usize)) -> Result<(), Failure> {
    match count {
        Some(count) if count != length as u64 => Err(Failure::input(
            argument,
            format!("{count} contradicts {other}, which has {}", entries(length)),
        )),
        _ => Ok(()),
    }
}

/// A vector: numbers separated by commas, a word with one row, or a file with one axis or one row.
pub(crate) fn numbers(
    argument: &str,
    text: &str,
    needed: &str,
    memory_limit: u64,
) -> Result<Vec<f64>, Failure> {
    let listed: Option<Vec<f64>> = text.split(',').map(|x| x.trim().parse().ok()).collect();
    if let Some(list) = listed {
        return match list.iter().position(|x| !x.is_finite()) {
            None => Ok(list),
            Some(i) => {
                let message = format!("{text} has the entry [{i}] = {}; every entry must be finite", list[i]);
                Err(Failure::input(argument, message))
            }
        };
    }
    let source = source(argument, text)?;
    if let Source::File(location) = &source {
        return one_row(argument, location, needed);
    }
    let rows = source.matrix(memory_limit).map_err(crate::arguments::at(argument))?;
    if rows.rows() == 1 {
        return Ok(rows.into_vec());
    }
    Err(Failure::input(
        argument,
        format!("{text} has {} rows; one is needed, as in normal:1,P,SEED", rows.rows()),
    ))
}

/// How a number of entries is said.
fn entries(count: usize) -> String {
    if count == 1 { "1 entry".to_owned() } else { format!("{count} entries") }
}

/// The student's filter, of the teacher's dimension.
pub(crate) fn filter(
    argument: &str,
    text: &str,
    problem: &Cnn,
    memory_limit: u64,
) -> Result<Vec<f64>, Failure> {
    let filter = numbers(argument, text, "(p,), the filter of the student,", memory_limit)?;
    let (got, want) = (filter.len(), problem.patch_dimension());
    if got != want {
        let message =
            format!("{text} has {}; the patches of the teacher have dimension {want}", entries(got));
        return Err(Failure::input(argument, message));
    }
    Ok(filter)
}

/// The student's output weights, one a patch; ones where none are given.
pub(crate) fn output(
    argument: &str,
    text: Option<&str>,
    problem: &Cnn,
    memory_limit: u64,
) -> Result<Vec<f64>, Failure> {
    let want = problem.patches();
    let Some(text) = text else { return Ok(vec![1.0; want]) };
    let output = numbers(argument, text, "(k,), one output weight a patch,", memory_limit)?;
    if output.len() != want {
        let message = format!(
            "{text} has {}; one output weight a patch is needed, {want} in all",
            entries(output.len())
        );
        return Err(Failure::input(argument, message));
    }
    Ok(output)
}
