//! The options that say what problem is looked at: teacher, slope and law of the input.

use crate::arguments::{MEMORY_LIMIT, matrix, neurons, output_weights};
use crate::failure::Failure;
use crate::values;
use popgrad::{InputLaw, Kind, TwoLayer, TwoLayerError};
use serde_json::{Value, json};

/// What is typed.
#[derive(Debug, clap::Args)]
pub(crate) struct ProblemArgs {
    /// Teacher: FILE.npy, FILE.npz:NAME or a word
    ///
    /// An array of shape (M, d), one neuron a row, or a word: orthonormal:K and orthonormal:K,d are standard unit
    /// vectors, normal:K,d,SEED has independent N(0, 1) entries.
    #[arg(long, value_name = "V", required = true)]
    pub(crate) teacher: Option<String>,
    /// Output weights of the teacher [default: ones]
    ///
    /// A file of shape (M,), or M numbers separated by commas.
    #[arg(long, value_name = "B", allow_hyphen_values = true)]
    pub(crate) teacher_output: Option<String>,
    /// Slope of the activation below zero [default: 0]
    ///
    /// 0 is the ReLU, 1 is linear, -1 is the absolute value.
    #[arg(long, value_name = "ALPHA", value_parser = values::finite, allow_negative_numbers = true)]
    pub(crate) leaky: Option<f64>,
    /// Covariance of the input: a file (d, d) [default: identity]
    #[arg(long, value_name = "S")]
    pub(crate) covariance: Option<String>,
    /// Law: gaussian, sphere:R, ball:R, t:NU or kappa:X
    ///
    /// A centred rotation-invariant law of the input; kappa:X is any law with E|x|^2 = X d. With --covariance the
    /// input is a factor of S times an input of this law.
    #[arg(long, value_name = "LAW", value_parser = values::law, default_value = "gaussian", allow_negative_numbers = true)]
    pub(crate) law: InputLaw,
    /// Memory a call may use, like 500MiB [default: 4GiB]
    #[arg(long, value_name = "BYTES", value_parser = values::bytes)]
    pub(crate) memory_limit: Option<u64>,
}

impl ProblemArgs {
    /// The teacher as typed; a verb whose other problems need none makes the option optional.
    pub(crate) fn teacher(&self) -> Result<&str, Failure> {
        self.teacher.as_deref().ok_or_else(|| {
            Failure::plain(&"--teacher <V> is missing; popgrad VERB --help describes it", Kind::Input)
        })
    }

    /// Memory a call may use.
    pub(crate) fn memory_limit(&self) -> u64 {
        self.memory_limit.unwrap_or(MEMORY_LIMIT)
    }

    /// The problem that the options describe.
    pub(crate) fn resolve(&self) -> Result<TwoLayer, Failure> {
        let limit = self.memory_limit();
        let teacher = neurons("--teacher", self.teacher()?, limit)?;
        let count = teacher.rows();
        let mut problem = TwoLayer::try_new(teacher).map_err(at("--teacher"))?.with_memory_limit(limit);
        if let Some(text) = &self.teacher_output {
            let output = output_weights("--teacher-output", text, count)?;
            problem = problem.with_teacher_output(output).map_err(at("--teacher-output"))?;
        }
        if let Some(alpha) = self.leaky {
            problem = problem.with_leaky(alpha).map_err(at("--leaky"))?;
        }
        if let Some(location) = &self.covariance {
            let sigma = matrix("--covariance", location, "(d, d), the covariance of the input,")?;
            problem = problem
                .with_covariance(&sigma)
                .map_err(|e| Failure::new("--covariance", &format!("{location}: {e}"), e.kind()))?;
        }
        problem.with_law(self.law).map_err(at("--law"))
    }

    /// The resolved options, for documents and files.
    pub(crate) fn options(&self) -> Vec<(&'static str, Value)> {
        vec![
            ("teacher", json!(self.teacher)),
            ("teacher_output", json!(self.teacher_output)),
            ("leaky", json!(self.leaky.unwrap_or(0.0))),
            ("covariance", json!(self.covariance)),
            ("law", json!(values::law_text(&self.law))),
            ("memory_limit", json!(self.memory_limit())),
        ]
    }
}

/// Attaches an argument to a failure of the maths.
pub(crate) fn at(argument: &str) -> impl Fn(TwoLayerError) -> Failure + '_ {
    move |error| Failure::new(argument, &error, error.kind())
}
