//! The report as data: what `claims.json` holds.

use super::catalogue::Paper;
use super::claim::{Claim, Findings, Verdict};
use super::plan::{Plan, Profile};
use serde::Serialize;

/// Version of the layout of `claims.json`.
pub const SCHEMA: &str = "popgrad.reproduce/1";

/// How complete a report is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Completeness {
    /// Every claim asked for is measured.
    Complete,
    /// Measuring goes on, or was cut off without notice.
    Running,
    /// The user broke it off.
    Interrupted,
}

/// One claim with what was found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClaimReport {
    /// Short name.
    pub id: &'static str,
    /// Heading.
    pub title: &'static str,
    /// The paper's statement, in our words.
    pub statement: &'static str,
    /// Its place in the paper.
    pub source: &'static str,
    /// What is measured, and against what.
    pub method: &'static str,
    /// Numbers, remarks, tables and figures.
    #[serde(flatten)]
    pub findings: Findings,
    /// The verdict that the catalogue expects.
    pub expected: Verdict,
    /// The verdict reached.
    pub verdict: Verdict,
    /// Where the paper is wrong or vague; empty otherwise.
    pub note: &'static str,
    /// The group's place in the report.
    #[serde(skip)]
    pub group: super::claim::Group,
}

impl ClaimReport {
    pub(super) fn new(claim: &Claim, findings: Findings) -> Self {
        let verdict = if findings.satisfied() { claim.expected } else { Verdict::NotReproduced };
        Self {
            id: claim.id,
            title: claim.title,
            statement: claim.statement,
            source: claim.source,
            method: claim.method,
            findings,
            expected: claim.expected,
            verdict,
            note: claim.note,
            group: claim.group,
        }
    }

    /// Whether the verdict is the expected one.
    pub fn agrees(&self) -> bool {
        self.verdict == self.expected
    }
}

/// A report on the claims of one paper.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// Version of popgrad.
    pub popgrad: &'static str,
    /// Version of the numbers that the promise of repeatability covers.
    pub numerics: u32,
    /// Name of the paper.
    pub paper: &'static str,
    /// Seed of every random number.
    pub seed: u64,
    /// How much is computed.
    pub profile: Profile,
    /// Whether all claims asked for are there.
    pub completeness: Completeness,
    /// The claims measured, in the order of the catalogue.
    pub claims: Vec<ClaimReport>,
    /// Names of the claims asked for and not measured yet.
    pub pending: Vec<&'static str>,
}

impl Report {
    pub(super) fn empty(plan: &Plan, paper: &'static Paper, claims: &[&'static Claim]) -> Self {
        Self {
            schema: SCHEMA,
            popgrad: env!("CARGO_PKG_VERSION"),
            numerics: popgrad::NUMERICS,
            paper: paper.name,
            seed: plan.seed,
            profile: plan.profile,
            completeness: Completeness::Running,
            claims: Vec::new(),
            pending: claims.iter().map(|c| c.id).collect(),
        }
    }

    /// Puts a measured claim at its place.
    pub(super) fn insert(&mut self, claim: ClaimReport, order: &[&'static Claim]) {
        self.pending.retain(|id| *id != claim.id);
        self.claims.push(claim);
        let place = |id: &str| order.iter().position(|c| c.id == id);
        self.claims.sort_by_key(|c| place(c.id));
        if self.pending.is_empty() {
            self.completeness = Completeness::Complete;
        }
    }

    /// Whether every claim asked for is measured and has its expected verdict.
    pub fn agrees(&self) -> bool {
        self.completeness == Completeness::Complete && self.claims.iter().all(ClaimReport::agrees)
    }

    /// The report as one JSON document.
    pub fn to_json(&self) -> String {
        // Plain data with string keys always serialises.
        serde_json::to_string_pretty(self).unwrap_or_default()
    }
}
