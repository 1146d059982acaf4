//! Fig. 9: training from small starts with noise, with output weights of one, positive, and of both signs.

use super::claim::{Bench, Bound, Claim, Failure, Findings, Group, Outcome, Table, Verdict};
use super::noisy_training::{Fate, OutputLaw, Run, SIGNAL, Setting, fates};
use super::numbers::significant;
use crate::figure::{Axis, Colour, Dash, Figure, Layer, Panel};
use popgrad::{Trained, WilsonInterval, wilson_interval};
use rayon::prelude::*;

/// Panels (a) to (d), and the figure.
pub(super) const NOISE: Claim = Claim {
    id: "fig9-noise",
    title: "Convergence from small starts with noise",
    group: Group::Noise,
    statement: "With output weights 1, starts w0 = 10\u{207b}\u{b3} w* + noise converge, for noise 0.5, 1.0, 1.5 and 2.0 (times \
                10\u{207b}\u{b3} N(0, 1)).",
    source: "Fig. 9 (a)\u{2013}(d)",
    method: "Orthonormal teacher, K = 5, d = 10, gradient descent on the population loss with step 2/K, or 2/(2K) where the \
             output weights are trained too (from the teacher's); a run converges when the relative mean squared error of the \
             output falls below 1e-12. The same with K = 10, d = 20.",
    expected: Verdict::Holds,
    note: "The paper gives neither d nor K nor the step, and the outcome depends on K: with K = 10 a part of the runs ends in \
           a spurious minimum at every noise; and many runs reach a permutation of w* instead of w*.",
    measure: noise,
};

/// Panels (e) to (g).
pub(super) const POSITIVE: Claim = Claim {
    id: "fig9-positive",
    title: "Convergence with positive output weights",
    group: Group::Noise,
    statement: "With noise 0.5 and output weights uniform in [1, 2], [0.1, 1.1] or [0.01, 0.11], training converges.",
    source: "Fig. 9 (e)\u{2013}(g)",
    method: "As for panels (a)\u{2013}(d), K = 5, d = 10, with step 2/\u{3a3}a*\u{b2}, or 2/(\u{3a3}a*\u{b2} + K) where the output weights \
             are trained too. Where a run has not converged after the last step, Newton's method starts from where it \
             stands and goes on as long as the Hessian is positive: it leads to zero loss (slow) or to a strict minimum of \
             positive loss (stuck).",
    expected: Verdict::Holds,
    note: "With fixed output weights, panels (f) and (g) differ by the ratio of the weights and by the step alone: multiplying \
           all of them by c multiplies the gradient by c\u{b2}, so that with one step for all panels (g) takes many times the \
           iterations of (f); and a few runs of (f) and (g) end in a strict minimum of positive loss.",
    measure: positive,
};

/// Panel (h).
pub(super) const MIXED: Claim = Claim {
    id: "fig9-mixed",
    title: "Output weights of both signs converge less often",
    group: Group::Noise,
    statement: "With output weights drawn from N(0, 1), which have both signs, training does not always converge as it does with \
                positive ones.",
    source: "Fig. 9 (h)",
    method: "The share of runs that converge within the step limit, beside that of panel (e), with Wilson intervals; what \
             became of the others, as for panels (e)\u{2013}(g). K = 5, d = 10.",
    expected: Verdict::Holds,
    note: "",
    measure: mixed,
};

/// How the noise is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reading {
    Deviation,
    VarianceOfFactor,
    Variance,
}

impl Reading {
    const ALL: [Self; 3] = [Self::Deviation, Self::VarianceOfFactor, Self::Variance];

    /// Standard deviation of the noise on each entry for the paper's number.
    fn deviation(self, number: f64) -> f64 {
        match self {
            Self::Deviation => SIGNAL * number,
            Self::VarianceOfFactor => SIGNAL * number.sqrt(),
            Self::Variance => (SIGNAL * number).sqrt(),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Deviation => "deviation 10\u{207b}\u{b3} s",
            Self::VarianceOfFactor => "deviation 10\u{207b}\u{b3} \u{221a}s (variance s)",
            Self::Variance => "variance 10\u{207b}\u{b3} s",
        }
    }
}

/// One panel of the figure.
struct PanelOf {
    letter: &'static str,
    number: f64,
    output: OutputLaw,
    label: &'static str,
}

const fn panel(letter: &'static str, number: f64, output: OutputLaw, label: &'static str) -> PanelOf {
    PanelOf { letter, number, output, label }
}

const PANELS: [PanelOf; 8] = [
    panel("a", 0.5, OutputLaw::Ones, "noise 0.5"),
    panel("b", 1.0, OutputLaw::Ones, "noise 1.0"),
    panel("c", 1.5, OutputLaw::Ones, "noise 1.5"),
    panel("d", 2.0, OutputLaw::Ones, "noise 2.0"),
    panel("e", 0.5, OutputLaw::Uniform(1.0, 2.0), "a in [1, 2]"),
    panel("f", 0.5, OutputLaw::Uniform(0.1, 1.1), "a in [0.1, 1.1]"),
    panel("g", 0.5, OutputLaw::Uniform(0.01, 0.11), "a in [0.01, 0.11]"),
    panel("h", 0.5, OutputLaw::Normal, "a from N(0, 1)"),
];

/// Streams of different panels do not meet.
const STREAMS: u64 = 1 << 20;

impl PanelOf {
    fn setting(&self, (units, dimension): (usize, usize), reading: Reading, trained: Trained) -> Setting {
        Setting { units, dimension, noise: reading.deviation(self.number), output: self.output, trained }
    }

    fn first_stream(&self) -> u64 {
        STREAMS * u64::from(self.letter.as_bytes()[0])
    }
}

/// How the runs of one setting ended.
struct Ends {
    runs: u64,
    converged: u64,
    exchanged: u64,
    slow: u64,
    stuck: u64,
    moving: u64,
    median_steps: Option<usize>,
    /// Smallest and largest relative error of the runs that are stuck.
    errors: Option<(f64, f64)>,
}

impl Ends {
    fn new(fates: &[Fate]) -> Self {
        let mut ends = Self {
            runs: fates.len() as u64,
            converged: 0,
            exchanged: 0,
            slow: 0,
            stuck: 0,
            moving: 0,
            median_steps: None,
            errors: None,
        };
        let mut steps = Vec::new();
        for fate in fates {
            match *fate {
                Fate::Converged { exchanged, steps: n } => {
                    ends.converged += 1;
                    ends.exchanged += u64::from(exchanged);
                    steps.push(n);
                }
                Fate::Slow => ends.slow += 1,
                Fate::Stuck { error } => {
                    ends.stuck += 1;
                    let (low, high) = ends.errors.unwrap_or((error, error));
                    ends.errors = Some((low.min(error), high.max(error)));
                }
                Fate::Moving => ends.moving += 1,
            }
        }
        steps.sort_unstable();
        ends.median_steps = steps.get(steps.len() / 2).copied();
        ends
    }

    /// Wilson interval of the share that converged.
    fn share(&self) -> Result<WilsonInterval, popgrad::StatisticsError> {
        wilson_interval(self.converged, self.runs, CONFIDENCE)
    }

    /// Wilson interval of the share that converged or will.
    fn share_in_the_end(&self) -> Result<WilsonInterval, popgrad::StatisticsError> {
        wilson_interval(self.converged + self.slow, self.runs, CONFIDENCE)
    }
}

/// Confidence of the Wilson intervals. The bounds on their ends leave room for five standard errors of the shares
/// behind them.
const CONFIDENCE: f64 = 0.95;

const HEAD: [&str; 9] = [
    "panel",
    "K, d",
    "noise s read as",
    "output weights",
    "runs",
    "converged, share with 95 % Wilson interval",
    "of these to a permutation",
    "median iterations",
    "slow, stuck, still moving (relative error where stuck)",
];

fn row(
    panel: &PanelOf,
    shape: (usize, usize),
    reading: Reading,
    trained: Trained,
    ends: &Ends,
) -> Result<Vec<String>, Failure> {
    let share = ends.share()?;
    let stuck = match ends.errors {
        Some((low, high)) => format!(" ({} to {})", significant(low, 2), significant(high, 2)),
        None => String::new(),
    };
    Ok(vec![
        format!("({}) {}", panel.letter, panel.label),
        format!("{}, {}", shape.0, shape.1),
        reading.name().to_owned(),
        if trained == Trained::Weights { "fixed" } else { "trained" }.to_owned(),
        ends.runs.to_string(),
        format!("{:.3} ({:.3} to {:.3})", share.share, share.low, share.high),
        ends.exchanged.to_string(),
        ends.median_steps.map_or("\u{2013}".to_owned(), |n| n.to_string()),
        format!("{}, {}, {}{stuck}", ends.slow, ends.stuck, ends.moving),
    ])
}

/// The shape of the figure's networks.
const SHAPE: (usize, usize) = (5, 10);
const BOTH: [Trained; 2] = [Trained::Weights, Trained::WeightsAndOutput];

fn ends_of(
    bench: &Bench<'_>,
    panel: &PanelOf,
    shape: (usize, usize),
    (reading, trained): (Reading, Trained),
    (count, limit): (u64, usize),
) -> Result<Ends, Failure> {
    bench.pause()?;
    let setting = panel.setting(shape, reading, trained);
    Ok(Ends::new(&fates(bench, setting, (panel.first_stream(), count, limit))?))
}

fn noise(bench: &Bench<'_>) -> Outcome {
    let mut findings = Findings::default();
    let mut table = Table::new("Panels (a) to (d): ends of the runs.", &HEAD);
    let (count, limit) = (bench.pick(100, 1000), 20_000);
    let mut lowest = f64::INFINITY;
    for reading in Reading::ALL {
        for trained in BOTH {
            for panel in &PANELS[..4] {
                let ends = ends_of(bench, panel, SHAPE, (reading, trained), (count, limit))?;
                lowest = lowest.min(ends.share()?.low);
                table.row(row(panel, SHAPE, reading, trained, &ends)?);
            }
        }
    }
    let mut worst = f64::INFINITY;
    for panel in &PANELS[..4] {
        let shape = (10, 20);
        let how = (Reading::Deviation, Trained::Weights);
        let ends = ends_of(bench, panel, shape, how, (count, limit))?;
        worst = worst.min(ends.share()?.high);
        table.row(row(panel, shape, how.0, how.1, &ends)?);
    }
    let name = "K = 5: smallest Wilson lower end of the share that converges, over noises and readings";
    findings.check(name, lowest, None, Bound::at_least(0.85));
    let name = "K = 10: smallest Wilson upper end of the share that converges, over noises";
    findings.check(name, worst, None, Bound::at_most(0.95));
    findings.table(table);
    for (name, reading, text) in [
        ("fig9", Reading::Deviation, "as standard deviation 10\u{207b}\u{b3} s"),
        ("fig9-variance", Reading::Variance, "as variance 10\u{207b}\u{b3} s"),
    ] {
        let caption = format!(
            "Fig. 9 redrawn: eight runs a panel, K = 5, d = 10, the noise s read {text}; output weights fixed at the \
             teacher's (solid) and trained from them (dashed). The error is the root of the relative mean squared error of \
             the output."
        );
        findings.figure(name, &caption, &figure(bench, reading)?);
    }
    Ok(findings)
}

fn positive(bench: &Bench<'_>) -> Outcome {
    let mut findings = Findings::default();
    let mut table = Table::new("Panels (e) to (g): ends of the runs.", &HEAD);
    let (count, limit) = (bench.pick(100, 1000), bench.pick(20_000, 100_000));
    let mut lowest = f64::INFINITY;
    for reading in [Reading::Deviation, Reading::Variance] {
        for trained in BOTH {
            for panel in &PANELS[4..7] {
                let ends = ends_of(bench, panel, SHAPE, (reading, trained), (count, limit))?;
                // With trained weights that start so small, most of the time goes into letting them grow.
                if panel.letter != "g" || trained == Trained::Weights {
                    lowest = lowest.min(ends.share_in_the_end()?.low);
                }
                table.row(row(panel, SHAPE, reading, trained, &ends)?);
            }
        }
    }
    let name =
        "smallest Wilson lower end of the share that converges or is slow, but for (g) with trained weights";
    findings.check(name, lowest, None, Bound::at_least(0.65));
    findings.table(table);
    Ok(findings)
}

fn mixed(bench: &Bench<'_>) -> Outcome {
    let mut findings = Findings::default();
    let mut table = Table::new("Panel (h) beside panel (e): ends of the runs.", &HEAD);
    let (count, limit) = (bench.pick(200, 2000), bench.pick(20_000, 100_000));
    for reading in [Reading::Deviation, Reading::Variance] {
        for trained in BOTH {
            let how = (reading, trained);
            let [positive, mixed] = [&PANELS[4], &PANELS[7]].map(|panel| {
                let ends = ends_of(bench, panel, SHAPE, how, (count, limit))?;
                table.row(row(panel, SHAPE, reading, trained, &ends)?);
                Ok::<Ends, Failure>(ends)
            });
            let (positive, mixed) = (positive?, mixed?);
            let weights = if trained == Trained::Weights { "fixed" } else { "trained" };
            let gap = positive.share()?.low - mixed.share()?.high;
            let name = format!(
                "{}, output weights {weights}: lower Wilson end of the positive share less the upper one of the mixed \
                 share",
                reading.name()
            );
            findings.check(&name, gap, None, Bound::at_least(0.0));
            let rest = (mixed.runs - mixed.converged).max(1) as f64;
            for (what, number) in
                [("slow", mixed.slow), ("stuck", mixed.stuck), ("still moving", mixed.moving)]
            {
                let share = number as f64 / rest;
                let error = (share * (1.0 - share) / rest).sqrt();
                let name = format!("{}, {weights}: of those that do not converge, {what}", reading.name());
                findings.number(&name, share, Some(error));
            }
        }
    }
    findings.remark(&format!(
        "The step limit is {limit}. A unit of output weight a moves at a rate of the order of a\u{b2}/\u{3a3}a\u{b2} a step, which \
         is what makes runs slow."
    ));
    findings.table(table);
    findings.figure(
        "fig9-continued",
        "Panels (e) and (h), noise read as standard deviation, continued on a logarithmic axis: with weights of both signs the \
         runs spread over decades of iterations. The table counts those that stay at a positive loss.",
        &continued(bench)?,
    );
    Ok(findings)
}

fn figure(bench: &Bench<'_>, reading: Reading) -> Result<Figure, Failure> {
    let marks: Vec<usize> = (0..=100).collect();
    let mut figure = Figure::new("Training from noisy starts", 4).panel_size(250.0, 230.0);
    for panel in &PANELS {
        let x = Axis::linear("iteration").range(0.0, 100.0);
        let y = Axis::log("relative error").range(1e-3, 2.0);
        let mut drawn = Panel::new(&format!("({}) {}", panel.letter, panel.label), x, y);
        draw(bench, &mut drawn, (panel, reading), &marks)?;
        figure.push(drawn);
    }
    Ok(figure)
}

/// Panels (e) and (h), continued on a logarithmic axis.
fn continued(bench: &Bench<'_>) -> Result<Figure, Failure> {
    const LAST: usize = 20_000;
    let mut marks = vec![1];
    while marks[marks.len() - 1] < LAST {
        let last = marks[marks.len() - 1];
        marks.push((last + 1 + last / 12).min(LAST));
    }
    let mut figure = Figure::new("Output weights of one sign and of both", 2).panel_size(380.0, 290.0);
    for panel in [&PANELS[4], &PANELS[7]] {
        let x = Axis::log("iteration").range(1.0, LAST as f64);
        let y = Axis::log("relative error").range(1e-8, 2.0);
        let mut drawn = Panel::new(&format!("({}) {}", panel.letter, panel.label), x, y);
        draw(bench, &mut drawn, (panel, Reading::Deviation), &marks)?;
        figure.push(drawn);
    }
    Ok(figure)
}

/// Adds eight runs with fixed and eight with trained output weights to a panel.
fn draw(
    bench: &Bench<'_>,
    drawn: &mut Panel,
    (panel, reading): (&PanelOf, Reading),
    marks: &[usize],
) -> Result<(), Failure> {
    for (trained, colour, dash) in
        [(BOTH[0], Colour::Blue, Dash::Solid), (BOTH[1], Colour::Vermilion, Dash::Dashed)]
    {
        let runs: Result<Vec<Vec<f64>>, Failure> = (0..8)
            .into_par_iter()
            .map(|i| {
                let setting = panel.setting(SHAPE, reading, trained);
                let mut stream = bench.stream(panel.first_stream() + i);
                Run::try_new(setting, &mut stream)?.errors(bench, marks)
            })
            .collect();
        for (i, errors) in runs?.into_iter().enumerate() {
            let points = marks.iter().zip(errors).map(|(n, e)| (*n as f64, e.sqrt()));
            let mut line = Layer::line(points).colour(colour).dash(dash).width(1.1);
            if i == 0 {
                line = line.label(if trained == Trained::Weights { "fixed" } else { "trained" });
            }
            drawn.push(line);
        }
    }
    Ok(())
}
