//! Conjecture 1, proved by interval arithmetic, with the certificate checked by code that shares nothing with the search.

use super::claim::{Bench, Bound, Claim, Findings, Group, Outcome, Table, Verdict};
use super::numbers::significant;
use crate::figure::{Axis, Colour, Figure, Layer, Panel};
use popgrad_proof::{Conjecture1Certificate, Region, check_conjecture1, prove_conjecture1};
use std::f64::consts::PI;

/// Conjecture 1.
pub(super) const PROVED: Claim = Claim {
    id: "conjecture1",
    title: "L12 and L21 are positive inside the students' cone and negative outside: proved",
    group: Group::CriticalPoints,
    statement: "For two students at an angle θ in (0, π), L12 and L21 are positive for a teacher inside their cone, 0 < φ < θ, and \
                negative for one outside.",
    source: "Conjecture 1, on which Theorem 4 rests; Fig. 10",
    method: "Branch and bound with outward rounding over the closed domain, after all powers of θ and π − θ that make L vanish have \
             been divided out: every box of the rectangle is shown to have the right sign, and none is left out. A second program \
             verifies that the boxes tile the rectangle and evaluates each again.",
    expected: Verdict::Holds,
    note: "Proved, not measured: a theorem as far as the program, the compiler and the floating-point unit are right. The paper checks \
           a grid and conjectures. A proof by hand stands in docs/theory/conjecture1.md; that it is new is not claimed. `popgrad certify \
           conjecture1 --out FILE` writes the certificate.",
    measure: proved,
};

fn proved(bench: &Bench<'_>) -> Outcome {
    bench.pause()?;
    let proof = prove_conjecture1()?;
    let mut findings = Findings::default();
    findings.check("boxes undecided", proof.undecided() as f64, None, Bound::exactly(0.0));
    findings.number("boxes of the certificate", proof.certificate.len() as f64, None);
    let smallest = proof.regions.iter().map(|r| r.lower_bound).fold(f64::INFINITY, f64::min);
    findings.check("smallest proved value of the divided functions", smallest, None, Bound::at_least(1e-5));
    let checked = check_conjecture1(&proof.certificate)?;
    let unchecked = proof.certificate.len() - checked.leaves;
    findings.check(
        "boxes that the second program does not confirm",
        unchecked as f64,
        None,
        Bound::exactly(0.0),
    );
    let mut table = Table::new(
        "The four regions of the circle; L12 is a factor of known sign times the divided function.",
        &["teacher", "sign of L12", "boxes", "evaluations", "bisections", "smallest proved value"],
    );
    for report in &proof.regions {
        let (place, sign) = place(report.region);
        table.row(vec![
            place.to_owned(),
            sign.to_owned(),
            report.leaves.to_string(),
            report.evaluations.to_string(),
            report.depth.to_string(),
            significant(report.lower_bound, 3),
        ]);
    }
    findings.table(table);
    findings.figure(
        "conjecture1",
        "The boxes of the certificate: in each the divided function of the region is above zero. Across, the angle between the \
         students; upwards, the place of the teacher in its region, from 0 to 1.",
        &boxes(&proof.certificate),
    );
    Ok(findings)
}

/// Where the teacher lies, and the sign of `L12` there.
fn place(region: Region) -> (&'static str, &'static str) {
    match region {
        Region::A => ("between the students", "+"),
        Region::B => ("behind the second student", "−"),
        Region::C => ("opposite the students", "−"),
        Region::D => ("before the first student", "−"),
    }
}

fn boxes(certificate: &Conjecture1Certificate) -> Figure {
    let figure = Figure::new("Certificate of Conjecture 1", 4).panel_size(255.0, 240.0);
    Region::ALL.into_iter().fold(figure, |figure, region| {
        let x = Axis::linear("angle θ between the students").range(0.0, PI).ticks(&[
            (0.0, "0"),
            (PI / 2.0, "π/2"),
            (PI, "π"),
        ]);
        let y = Axis::linear("place of the teacher").range(0.0, 1.0);
        let mut panel = Panel::new(place(region).0, x, y);
        for leaf in certificate.leaves(region) {
            let ([left, right], [low, high]) = (leaf.theta, leaf.u);
            let right = right.min(PI);
            let outline = [(left, low), (right, low), (right, high), (left, high), (left, low)];
            panel.push(Layer::line(outline).colour(Colour::series(0)).width(0.6));
        }
        figure.with(panel)
    })
}
