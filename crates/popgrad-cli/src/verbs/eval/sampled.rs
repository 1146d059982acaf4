//! Loss and gradient on samples drawn from the law.

use crate::document::{number, rows, short_row};
use crate::failure::Failure;
use crate::progress;
use crate::signals::Signals;
use popgrad::{InputLaw, Network, NetworkEstimate, NetworkMonteCarlo, SampleLaw, SamplePlan, SampleProgress};
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
