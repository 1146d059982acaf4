//! Loss and gradient on samples: drawn from the law, or given as data.

use crate::arguments::matrix;
use crate::document::{number, rows, short_row};
use crate::failure::Failure;
use crate::progress;
use crate::signals::Signals;
use popgrad::{
    EmpiricalGradient, EmpiricalLoss, InputLaw, Network, NetworkError, NetworkEstimate, NetworkMonteCarlo,
    SampleLaw, SamplePlan, SampleProgress,
};
use serde_json::{Value, json};

/// Samples drawn between two looks at the signals.
const SLICE: u64 = 4096;

/// The law to sample from.
pub(super) fn sample_law(law: InputLaw) -> Result<SampleLaw, Failure> {
    match law {
        InputLaw::Gaussian => Ok(SampleLaw::Gaussian),
        InputLaw::Sphere { radius } => Ok(SampleLaw::Sphere { radius }),
        InputLaw::Ball { radius } => Ok(SampleLaw::Ball { radius }),
        InputLaw::StudentT { nu } => Ok(SampleLaw::MultivariateT { nu }),
        _ => Err(Failure::input(
            "--monte-carlo",
            "needs a law to draw from, which --law kappa:X does not name",
        )),
    }
}

/// Estimates loss and gradient from samples of a law.
pub(super) fn monte_carlo(
    networks: (&Network, &Network),
    law: SampleLaw,
    plan: SamplePlan,
) -> Result<NetworkEstimate, Failure> {
    let mut machine = NetworkMonteCarlo::try_new(networks.0, networks.1, law, plan)
        .map_err(|e| Failure::new("--monte-carlo", &e, e.kind()))?;
    let bar = progress::bar(plan.samples);
    let signals = Signals::listen()?;
    while let SampleProgress::Running { done, .. } = machine.advance(SLICE) {
        bar.set_position(done);
        if let Some(signal) = signals.caught() {
            let message = format!(
                "stopped after {done} of {} samples; the same command draws them again",
                plan.samples
            );
            return Err(Failure::Stopped { signal, message });
        }
    }
    bar.finish_and_clear();
    Ok(machine.estimate())
}

/// Loss and gradient on data.
#[derive(Debug)]
pub(super) struct OnData {
    pub(super) samples: usize,
    pub(super) loss: f64,
    pub(super) gradient: EmpiricalGradient,
}

/// Evaluates loss and gradient on the rows of a file.
pub(super) fn on_data(location: &str, networks: (&Network, &Network)) -> Result<OnData, Failure> {
    let inputs = matrix("--data", location, "(N, d), one sample a row,")?;
    let (got, want) = (inputs.cols(), networks.0.inputs());
    if got != want {
        let message = format!("{location} has samples of length {got}; the input dimension is {want}");
        return Err(Failure::input("--data", message));
    }
    let fail = |e: NetworkError| Failure::new("--data", &format!("{location}: {e}"), e.kind());
    let data = EmpiricalLoss::try_new(&inputs, networks.0).map_err(fail)?;
    let loss = data.loss(networks.1).map_err(fail)?;
    let gradient = data.gradient(networks.1).map_err(fail)?;
    Ok(OnData { samples: inputs.rows(), loss, gradient })
}

/// The Monte Carlo estimate as JSON.
pub(super) fn monte_carlo_json(estimate: &NetworkEstimate, plan: SamplePlan, skip: bool) -> Value {
    let mut value = json!({
        "samples": estimate.samples,
        "seed": plan.seed,
        "loss": estimate.loss,
        "loss_standard_error": estimate.loss_error,
        "gradient": rows(&estimate.weights, &[]),
        "gradient_standard_error": rows(&estimate.weights_error, &[]),
        "output_gradient": estimate.output.mean,
        "output_gradient_standard_error": estimate.output.standard_error,
    });
    if skip {
        value["skip_gradient"] = json!(estimate.skip.mean);
        value["skip_gradient_standard_error"] = json!(estimate.skip.standard_error);
    }
    value
}

/// The values on data as JSON.
pub(super) fn data_json(location: &str, found: &OnData, skip: bool) -> Value {
    let mut value = json!({
        "file": location,
        "samples": found.samples,
        "loss": found.loss,
        "gradient": rows(&found.gradient.weights, &[]),
        "output_gradient": found.gradient.output,
    });
    if skip {
        value["skip_gradient"] = json!(found.gradient.skip);
    }
    value
}

/// The Monte Carlo estimate for people.
pub(super) fn monte_carlo_text(estimate: &NetworkEstimate) -> Vec<String> {
    let mut lines = vec![format!(
        "Monte Carlo, {} samples: loss {} +- {:.1e} (standard error)",
        estimate.samples,
        number(estimate.loss),
        estimate.loss_error
    )];
    for j in 0..estimate.weights.rows() {
        lines.push(format!("  {j:>4} {}", short_row(estimate.weights.row(j))));
        lines.push(format!("    +- {}", short_row(estimate.weights_error.row(j))));
    }
    lines
}

/// The values on data for people.
pub(super) fn data_text(location: &str, found: &OnData) -> Vec<String> {
    let mut lines = vec![format!("on {} samples of {location}: loss {}", found.samples, number(found.loss))];
    for j in 0..found.gradient.weights.rows() {
        lines.push(format!("  {j:>4} {}", short_row(found.gradient.weights.row(j))));
    }
    lines
}
