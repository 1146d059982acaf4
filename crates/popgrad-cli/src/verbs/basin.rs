//! `popgrad basin`: how often a random start of one ReLU lands in the basin of Theorem 6.

use crate::Context;
use crate::document::{Document, number, print};
use crate::failure::Failure;
use crate::progress;
use crate::signals::{Signal, Signals};
use crate::values;
use popgrad::{
    SingleReluError, WilsonInterval, ball_probability, gaussian_probability, theorem6_bound, theorem6_radius,
    wilson_interval,
};
use popgrad_lab::basin::{BasinSampler, StartLaw};
use serde_json::{Value, json};

/// Confidence of the interval around the sampled share.
const CONFIDENCE: f64 = 0.99;

/// Normal numbers that the default number of samples may cost.
const DRAWS: u64 = 200_000_000;

/// What is typed.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Example:\n  popgrad basin --d 100 --radius 0.1247 --json\n\n\
    The teacher has length 1. The basin is |w - v| < |v|, where Theorem 5 proves convergence; the flow itself\n\
    converges from every start but the ray through -v.")]
pub(crate) struct Args {
    /// Input dimension
    #[arg(long, value_name = "D", value_parser = values::count, allow_negative_numbers = true)]
    d: u64,
    /// Start uniform in the ball of this radius
    #[arg(long, value_name = "R", value_parser = values::positive, allow_negative_numbers = true)]
    radius: Option<f64>,
    /// Start normal with this standard deviation of each entry
    #[arg(long, value_name = "S", value_parser = values::positive, allow_negative_numbers = true)]
    sd: Option<f64>,
    /// Monte Carlo starts, 0 for none
    ///
    /// The default is 100000, and fewer for d above 2000, where a start costs d random numbers.
    #[arg(long, value_name = "N", value_parser = values::seed, allow_negative_numbers = true)]
    samples: Option<u64>,
    /// Seed of the Monte Carlo starts
    #[arg(long, value_name = "SEED", value_parser = values::seed, default_value = "1", allow_negative_numbers = true)]
    seed: u64,
}

/// What that resolves to.
struct Plan {
    d: usize,
    law: StartLaw,
    samples: u64,
    seed: u64,
    options: Value,
}

impl Plan {
    fn resolve(args: &Args) -> Result<Self, Failure> {
        let law = match (args.radius, args.sd) {
            (Some(radius), None) => StartLaw::Ball { radius },
            (None, Some(sd)) => StartLaw::Normal { sd },
            (None, None) => {
                return Err(Failure::input("--radius", "is missing; --radius R or --sd S is needed"));
            }
            (Some(_), Some(_)) => {
                return Err(Failure::input("--radius", "cannot be used with --sd; give one of them"));
            }
        };
        let d = usize::try_from(args.d).unwrap_or(usize::MAX);
        if d > 100_000_000 {
            return Err(Failure::input(
                "--d",
                format!("{d} is above 100000000, the largest dimension sampled"),
            ));
        }
        let samples = args.samples.unwrap_or((DRAWS / args.d).clamp(100, 100_000));
        let options = json!({"d": args.d, "radius": args.radius, "sd": args.sd, "samples": samples});
        Ok(Self { d, law, samples, seed: args.seed, options })
    }
}

/// What was found.
struct Outcome {
    probability: f64,
    /// The epsilon of Theorem 6 that the radius belongs to, and the bound, if the theorem speaks about it.
    bound: Option<(f64, f64)>,
    sampled: Option<(u64, u64, WilsonInterval)>,
    stopped: Option<Signal>,
}

/// Runs the verb.
pub(crate) fn run(args: &Args, context: &Context) -> Result<u8, Failure> {
    let plan = Plan::resolve(args)?;
    let fail = |e: SingleReluError| Failure::plain(&e, e.kind());
    let (probability, bound) = match plan.law {
        StartLaw::Normal { sd } => (gaussian_probability(plan.d, sd).map_err(fail)?, None),
        StartLaw::Ball { radius } => {
            (ball_probability(plan.d, radius).map_err(fail)?, bound(plan.d, radius).map_err(fail)?)
        }
        other => return Err(Failure::input("--radius", format!("{other:?} is not a law of this version"))),
    };
    let (sampled, stopped) = sample(&plan, &Signals::listen()?)?;
    let outcome = Outcome { probability, bound, sampled, stopped };
    if context.json {
        document(&plan, &outcome).print()?;
    } else {
        print(&text(&plan, &outcome))?;
    }
    match outcome.stopped {
        Some(signal) => {
            let message =
                "stopped while sampling; the numbers above count the starts drawn, and the same command \
                           with --samples set higher repeats them"
                    .to_owned();
            Err(Failure::Stopped { signal, message })
        }
        None => Ok(0),
    }
}

/// The epsilon of a radius, `radius = theorem6_radius(d, eps)`, and the bound, where `eps < 1`.
fn bound(d: usize, radius: f64) -> Result<Option<(f64, f64)>, SingleReluError> {
    let eps = radius / theorem6_radius(d, 1.0)?;
    if eps < 1.0 { Ok(Some((eps, theorem6_bound(eps)?))) } else { Ok(None) }
}

type Sampled = (Option<(u64, u64, WilsonInterval)>, Option<Signal>);

fn sample(plan: &Plan, signals: &Signals) -> Result<Sampled, Failure> {
    let mut sampler = BasinSampler::new(plan.d, plan.law, plan.seed);
    let bar = progress::bar(plan.samples);
    let slice = (1_000_000 / plan.d as u64).max(1);
    let mut stopped = None;
    while sampler.samples() < plan.samples && stopped.is_none() {
        let left = plan.samples - sampler.samples();
        sampler.advance(slice.min(left)).map_err(|e| Failure::plain(&e, e.kind()))?;
        bar.set_position(sampler.samples());
        stopped = signals.caught();
    }
    bar.finish_and_clear();
    if sampler.samples() == 0 {
        return Ok((None, stopped));
    }
    let (successes, samples) = (sampler.successes(), sampler.samples());
    let interval =
        wilson_interval(successes, samples, CONFIDENCE).map_err(|e| Failure::plain(&e, e.kind()))?;
    Ok((Some((successes, samples, interval)), stopped))
}

fn document(plan: &Plan, outcome: &Outcome) -> Document {
    let mut document = Document::new("basin", Some(plan.seed), &plan.options);
    document.set("probability", json!(outcome.probability));
    document.set("epsilon", json!(outcome.bound.map(|b| b.0)));
    document.set("bound", json!(outcome.bound.map(|b| b.1)));
    let sampled = outcome.sampled.as_ref().map(|(successes, samples, interval)| {
        json!({
            "samples": samples,
            "successes": successes,
            "estimate": *successes as f64 / *samples as f64,
            "low": interval.low,
            "high": interval.high,
            "confidence": CONFIDENCE,
        })
    });
    document.set("monte_carlo", json!(sampled));
    document.set("interrupted", outcome.stopped.is_some());
    document
}

fn text(plan: &Plan, outcome: &Outcome) -> String {
    let law = match plan.law {
        StartLaw::Ball { radius } => format!("uniform in the ball of radius {}", number(radius)),
        StartLaw::Normal { sd } => format!("normal with standard deviation {}", number(sd)),
        other => format!("{other:?}"),
    };
    let mut lines = vec![
        format!("d = {}, start {law}, |v| = 1", plan.d),
        format!("exact probability of |w - v| < |v|   {}", number(outcome.probability)),
    ];
    lines.push(match outcome.bound {
        Some((eps, bound)) => {
            format!("bound (1 - eps)/2 of Theorem 6       {}   (eps = {})", number(bound), number(eps))
        }
        None => "bound of Theorem 6                   none: it speaks of a ball with eps < 1".to_owned(),
    });
    if let Some((successes, samples, interval)) = &outcome.sampled {
        lines.push(format!(
            "Monte Carlo                          {} of {samples}: {}, {} % Wilson interval [{:.6}, {:.6}]",
            successes,
            number(*successes as f64 / *samples as f64),
            100.0 * CONFIDENCE,
            interval.low,
            interval.high
        ));
    }
    lines.join("\n")
}
