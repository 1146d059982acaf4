//! What a claim is: the paper's statement, what is measured, the bound, and the verdict.

use crate::figure::Figure;
use crate::sweep::SweepProgress;
use popgrad::RandomStream;
use serde::Serialize;
use std::error::Error;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use super::maths::Maths;
use super::plan::Profile;

/// What is said of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Verdict {
    /// The statement agrees with the measurement.
    Holds,
    /// The measurement contradicts the statement as printed.
    PaperWrong,
    /// The paper leaves the statement open; what is measured is evidence, not an answer.
    Open,
    /// A measurement lies outside its bound, so that the expected verdict is not reached.
    NotReproduced,
}

impl Verdict {
    /// The word used in `claims.json`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::PaperWrong => "paper_wrong",
            Self::Open => "open",
            Self::NotReproduced => "not_reproduced",
        }
    }
}

/// What a measured number has to satisfy.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
#[non_exhaustive]
pub enum Bound {
    /// At most this.
    AtMost {
        /// The largest value allowed.
        value: f64,
    },
    /// At least this.
    AtLeast {
        /// The smallest value allowed.
        value: f64,
    },
    /// Between these two.
    Within {
        /// The smallest value allowed.
        low: f64,
        /// The largest value allowed.
        high: f64,
    },
}

impl Bound {
    /// At most `value`.
    pub fn at_most(value: f64) -> Self {
        Self::AtMost { value }
    }

    /// At least `value`.
    pub fn at_least(value: f64) -> Self {
        Self::AtLeast { value }
    }

    /// Within `half_width` of `centre`.
    pub fn around(centre: f64, half_width: f64) -> Self {
        Self::Within { low: centre - half_width, high: centre + half_width }
    }

    /// Exactly `value`.
    pub fn exactly(value: f64) -> Self {
        Self::Within { low: value, high: value }
    }

    /// Whether the value satisfies the bound; NaN never does.
    pub fn admits(&self, x: f64) -> bool {
        match *self {
            Self::AtMost { value } => x <= value,
            Self::AtLeast { value } => x >= value,
            Self::Within { low, high } => low <= x && x <= high,
        }
    }
}

/// One measured number.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Measured {
    /// What the number is.
    pub quantity: String,
    /// The number.
    pub value: f64,
    /// Its standard error, where it has one.
    pub uncertainty: Option<f64>,
    /// The bound it has to satisfy; a number without one is there to be read.
    pub bound: Option<Bound>,
    /// Whether it does.
    pub satisfied: bool,
}

/// A table shown with a claim, its cells already formatted.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Table {
    /// What the table shows.
    pub caption: String,
    /// Column heads.
    pub head: Vec<String>,
    /// Rows, each with one cell per head.
    pub rows: Vec<Vec<String>>,
}

impl Table {
    /// An empty table.
    pub fn new(caption: &str, head: &[&str]) -> Self {
        Self {
            caption: caption.to_owned(),
            head: head.iter().map(|s| (*s).to_owned()).collect(),
            rows: Vec::new(),
        }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }
}

/// A figure shown with a claim.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Illustration {
    /// Name of the file under `figures/`.
    pub file: String,
    /// What the figure shows.
    pub caption: String,
    /// The picture itself.
    #[serde(skip)]
    pub svg: String,
}

/// All that measuring a claim brought to light.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Findings {
    /// The numbers, in the order of measuring.
    pub measured: Vec<Measured>,
    /// Sentences that explain the numbers, such as choices the paper leaves open.
    pub remarks: Vec<String>,
    /// Tables.
    pub tables: Vec<Table>,
    /// Figures.
    pub figures: Vec<Illustration>,
}

impl Findings {
    /// Adds a number with its bound.
    pub fn check(&mut self, quantity: &str, value: f64, uncertainty: Option<f64>, bound: Bound) {
        let satisfied = bound.admits(value);
        self.measured.push(Measured {
            quantity: quantity.to_owned(),
            value,
            uncertainty,
            bound: Some(bound),
            satisfied,
        });
    }

    /// Adds a number to be read.
    pub fn number(&mut self, quantity: &str, value: f64, uncertainty: Option<f64>) {
        let quantity = quantity.to_owned();
        self.measured.push(Measured { quantity, value, uncertainty, bound: None, satisfied: true });
    }

    /// Adds a sentence.
    pub fn remark(&mut self, text: &str) {
        self.remarks.push(text.to_owned());
    }

    /// Adds a table.
    pub fn table(&mut self, table: Table) {
        self.tables.push(table);
    }

    /// Adds a figure under `figures/NAME.svg`.
    pub fn figure(&mut self, name: &str, caption: &str, figure: &Figure) {
        let (file, caption) = (format!("{name}.svg"), caption.to_owned());
        self.figures.push(Illustration { file, caption, svg: figure.to_inline_svg() });
    }

    /// Whether every number satisfies its bound, and there is at least one with a bound.
    pub fn satisfied(&self) -> bool {
        self.measured.iter().any(|m| m.bound.is_some()) && self.measured.iter().all(|m| m.satisfied)
    }
}

/// The user asked for an end while a claim was measured.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("interrupted")]
pub(crate) struct Interrupted;

/// What can go wrong while a claim is measured.
pub(crate) type Failure = Box<dyn Error + Send + Sync>;

/// What measuring a claim gives.
pub(crate) type Outcome = Result<Findings, Failure>;

/// The group of claims that a claim belongs to, in the order of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Group {
    /// Theorem 1 and the population gradient.
    PopulationGradient,
    /// Critical points: section 5.
    CriticalPoints,
    /// One ReLU: Theorems 5 and 6.
    OneRelu,
    /// Many units with a symmetric start: Theorem 7.
    Symmetric,
    /// Starts with noise: Fig. 9 and Conjecture 2.
    Noise,
    /// Multilayer networks: Proposition 2.
    Multilayer,
    /// Spurious minima of an orthonormal teacher.
    Minima,
    /// How often descent ends in them.
    Basins,
    /// The convolutional network: loss and critical points.
    Convolutional,
    /// Its course of training.
    ConvolutionalTraining,
    /// How often each of its minima is reached.
    ConvolutionalBasins,
}

impl Group {
    /// All groups, in the order of the report.
    pub const ALL: [Self; 11] = [
        Self::PopulationGradient,
        Self::CriticalPoints,
        Self::OneRelu,
        Self::Symmetric,
        Self::Noise,
        Self::Multilayer,
        Self::Minima,
        Self::Basins,
        Self::Convolutional,
        Self::ConvolutionalTraining,
        Self::ConvolutionalBasins,
    ];

    /// Its heading.
    pub fn heading(self) -> &'static str {
        match self {
            Self::PopulationGradient => "The population gradient (Theorem 1)",
            Self::CriticalPoints => "Critical points (section 5)",
            Self::OneRelu => "One ReLU (Theorems 5 and 6)",
            Self::Symmetric => "Many units, symmetric start (Theorem 7)",
            Self::Noise => "Noisy starts (Fig. 9 and Conjecture 2)",
            Self::Multilayer => "Multilayer networks (Proposition 2)",
            Self::Minima => "Minima of an orthonormal teacher",
            Self::Basins => "Basins of attraction",
            Self::Convolutional => "Loss and critical points",
            Self::ConvolutionalTraining => "The course of training",
            Self::ConvolutionalBasins => "How often each minimum is reached",
        }
    }
}

/// One claim of a paper and the way to measure it.
#[derive(Clone, Copy, Debug)]
pub struct Claim {
    /// Short name, used by `--claim` and in links.
    pub id: &'static str,
    /// Heading.
    pub title: &'static str,
    /// Where in the report it stands.
    pub group: Group,
    /// The paper's statement, in our words.
    pub statement: &'static str,
    /// Its place in the paper.
    pub source: &'static str,
    /// What is measured, and against what.
    pub method: &'static str,
    /// The verdict that the catalogue expects.
    pub expected: Verdict,
    /// Where the paper is wrong or vague, in one sentence; empty otherwise.
    pub note: &'static str,
    pub(crate) measure: fn(&Bench<'_>) -> Outcome,
}

/// What a claim is measured with.
pub(crate) struct Bench<'a> {
    /// Quick or full.
    pub(crate) profile: Profile,
    /// The mathematics under test.
    pub(crate) maths: Maths,
    /// Seed of this claim: a function of the plan's seed and the claim's name.
    seed: u64,
    interrupt: &'a AtomicBool,
    kept: Option<Kept<'a>>,
}

/// Where ensembles are kept.
pub(crate) struct Kept<'a> {
    /// A folder that holds a sweep for each.
    pub(crate) folder: PathBuf,
    /// Is told how far the one at hand has come.
    pub(crate) advanced: &'a (dyn Fn(SweepProgress) + Sync),
}

impl<'a> Bench<'a> {
    pub(crate) fn new(
        id: &str,
        profile: Profile,
        seed: u64,
        maths: Maths,
        interrupt: &'a AtomicBool,
    ) -> Self {
        // FNV-1a, so that each claim draws numbers of its own whichever others run.
        let tag = id
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0000_0100_0000_01b3));
        Self { profile, maths, seed: seed ^ tag, interrupt, kept: None }
    }

    /// Keeps ensembles, or does not.
    pub(crate) fn keeping(self, kept: Option<Kept<'a>>) -> Self {
        Self { kept, ..self }
    }

    /// Where ensembles are kept, if they are.
    pub(crate) fn kept(&self) -> Option<&Kept<'a>> {
        self.kept.as_ref()
    }

    /// Stream `index` of this claim.
    pub(crate) fn stream(&self, index: u64) -> RandomStream {
        RandomStream::new(self.seed, index)
    }

    /// The number for the profile at hand.
    pub(crate) fn pick<T>(&self, quick: T, full: T) -> T {
        match self.profile {
            Profile::Quick => quick,
            Profile::Full => full,
        }
    }

    /// The flag that asks for an end.
    pub(crate) fn interrupt(&self) -> &AtomicBool {
        self.interrupt
    }

    /// Whether the user asked for an end; long measurements ask often.
    pub(crate) fn pause(&self) -> Result<(), Interrupted> {
        if self.interrupt.load(Ordering::Relaxed) { Err(Interrupted) } else { Ok(()) }
    }

    /// Standard errors allowed so that `checks` statistical checks of one claim together raise a false alarm with
    /// probability at most 1e-6.
    #[allow(clippy::unused_self)] // asked of the context like every other setting
    pub(crate) fn sigmas(&self, checks: usize) -> Result<f64, popgrad::StatisticsError> {
        popgrad::two_sided_bound(1e-6 / checks.max(1) as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_never_admits_nan() {
        for bound in [Bound::at_most(1.0), Bound::at_least(1.0), Bound::around(0.0, 2.0)] {
            assert!(!bound.admits(f64::NAN));
            assert!(bound.admits(1.0));
        }
    }

    #[test]
    fn findings_without_a_bound_prove_nothing() {
        let mut findings = Findings::default();
        findings.number("a", 1.0, None);
        assert!(!findings.satisfied());
        findings.check("b", 1.0, None, Bound::exactly(1.0));
        assert!(findings.satisfied());
        findings.check("c", 2.0, None, Bound::at_most(1.0));
        assert!(!findings.satisfied());
    }

    #[test]
    fn each_claim_draws_numbers_of_its_own() {
        let flag = AtomicBool::new(false);
        let bench = |id| Bench::new(id, Profile::Quick, 1, Maths::exact(), &flag);
        assert_ne!(bench("a").stream(0).next_u64(), bench("b").stream(0).next_u64());
        assert_eq!(bench("a").stream(3).next_u64(), bench("a").stream(3).next_u64());
    }
}
