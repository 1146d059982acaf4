//! The spurious minimum of the convolutional network: certified, with its gap, and its threshold tested on both sides.

use super::claim::{Bench, Bound, Claim, Failure, Findings, Group, Outcome, Table, Verdict};
use super::numbers::significant;
use popgrad::{AbsoluteTolerance, CnnState, FlowOptions, GradientFlow, ReducedCnn, StopRule};
use popgrad_proof::{CnnTeacher, PointStatus};
use rayon::prelude::*;
use std::f64::consts::PI;

/// The abstract's "a spurious local minimum exists", and when.
pub(super) const SPURIOUS: Claim = Claim {
    id: "cnn-spurious",
    title: "A spurious local minimum, and the ratio below which it is one",
    group: Group::Convolutional,
    statement: "Without noise and with Gaussian patches the loss has a local minimum that is not global.",
    source: "Du et al. (2018), abstract and section 4; the threshold is popgrad's",
    method: "Interval arithmetic proves for each number of patches k and each ratio (1\u{b7}a*)\u{b2}/|a*|\u{b2} that the point with the opposite \
             filter is a strict local minimum modulo the filter's length with a loss above zero, and that there is a saddle of index one \
             with a higher loss between it and the teacher; or that it is no minimum and that there is no saddle. 1 % below and above the threshold 1 + (k \u{2212} 1)/\u{3c0} the \
             gradient flow starts a little beside the point and is followed.",
    expected: Verdict::Holds,
    note: "",
    measure: spurious,
};

const PATCHES: [usize; 6] = [2, 4, 9, 25, 49, 100];
/// Ratios in units of the threshold.
const SHARES: [f64; 7] = [0.0, 0.25, 0.5, 0.99, 1.01, 1.2, 1.4];
/// Any patch dimension above one: the critical points have the same angles and losses.
const DIMENSION: usize = 6;

fn problem(patches: usize, ratio: f64) -> Result<ReducedCnn, popgrad::CnnError> {
    ReducedCnn::try_new(patches, 1.0, ratio.sqrt(), 1.0)
}

/// The exact threshold.
fn threshold(patches: usize) -> Result<f64, popgrad::CnnError> {
    Ok(problem(patches, 0.0)?.threshold())
}

fn spurious(bench: &Bench<'_>) -> Outcome {
    let mut findings = Findings::default();
    let mut table = Table::new(
        "What is proved of the point \u{3c6} = \u{3c0}. The gap is its loss, with |w*| = |a*| = 1. Where the point is refuted as a minimum, the \
         loss at the best output weights falls all the way from it; the drop is that as far as \u{3c6} = \u{3c0}/2.",
        &[
            "k",
            "ratio",
            "ratio / threshold",
            "local minimum",
            "gap",
            "saddle at \u{3c6}",
            "loss of the saddle",
            "drop to \u{3c6} = \u{3c0}/2",
        ],
    );
    let (mut wrong, mut smallest) = (0, f64::INFINITY);
    let (mut below, mut above) = (0, 0);
    for patches in PATCHES {
        for share in SHARES {
            bench.pause()?;
            let ratio = bench.maths.tainted(share) * threshold(patches)?;
            if ratio > patches as f64 {
                continue;
            }
            let report = CnnTeacher::try_new(patches, DIMENSION, 1.0, ratio.sqrt(), 1.0)?.certify();
            let is_minimum = share < 1.0;
            let (minimum, saddle) = (report.spurious.minimum, report.saddle.exists);
            let wanted = if is_minimum { PointStatus::Certified } else { PointStatus::Refuted };
            let index = if is_minimum { Some(1) } else { None };
            let pass = report.saddle.loss.is_none_or(|pass| pass.lo() > report.spurious.loss.hi());
            wrong +=
                u32::from(minimum != wanted || saddle != wanted || report.saddle.index != index || !pass);
            if is_minimum {
                smallest = smallest.min(report.spurious.loss.lo());
                below += 1;
            } else {
                above += 1;
            }
            let descent = report.spurious.descent.map_or("\u{2013}".to_owned(), |x| significant(x.lo(), 3));
            table.row(vec![
                patches.to_string(),
                significant(ratio, 4),
                share.to_string(),
                minimum.name().to_owned(),
                significant(report.spurious.loss.lo(), 6),
                report.saddle.angle.map_or("\u{2013}".to_owned(), |x| significant(x.lo(), 6)),
                report.saddle.loss.map_or("\u{2013}".to_owned(), |x| significant(x.lo(), 6)),
                descent,
            ]);
        }
    }
    findings.check("points for which the proof fails", f64::from(wrong), None, Bound::exactly(0.0));
    findings.check("smallest proved gap", smallest, None, Bound::at_least(1e-3));
    findings.number("certified local minima below the threshold", f64::from(below), None);
    findings.number("points above the threshold, refuted", f64::from(above), None);
    findings.table(table);
    findings.remark(
        "At |w*| = |a*| = 1 the gap and the saddle depend on k and on the ratio through the ratio over the threshold only: the loss at \
         the best output weights of each angle holds them as S*\u{b2}/(k + \u{3c0} \u{2212} 1).",
    );
    both_sides(bench, &mut findings)?;
    Ok(findings)
}

/// Where the flow starts beside the point, in radians: inside the saddle's distance from it 1 % below the threshold.
const BESIDE: f64 = 0.05;

/// Follows the flow beside the point, 1 % below and above the threshold.
fn both_sides(bench: &Bench<'_>, findings: &mut Findings) -> Result<(), Failure> {
    let ends: Result<Vec<(bool, bool)>, Failure> = PATCHES
        .par_iter()
        .map(|patches| {
            let ratio = threshold(*patches)?;
            let stays = beside(bench, *patches, 0.99 * ratio)?;
            let leaves = !beside(bench, *patches, 1.01 * ratio)?;
            Ok((stays, leaves))
        })
        .collect();
    let ends = ends?;
    let count = |which: fn(&(bool, bool)) -> bool| ends.iter().filter(|end| which(end)).count() as f64;
    let all = ends.len() as f64;
    findings.check(
        "1 % below: flows that come nearer to the point",
        count(|e| e.0),
        None,
        Bound::exactly(all),
    );
    findings.check("1 % above: flows that reach the teacher", count(|e| e.1), None, Bound::exactly(all));
    Ok(())
}

/// Whether the flow from beside the spurious point, with the output weights of that point, stays: `true` if the angle is nearer to
/// `pi` at the end, `false` if the loss has fallen to zero.
fn beside(bench: &Bench<'_>, patches: usize, ratio: f64) -> Result<bool, Failure> {
    bench.pause()?;
    let problem = problem(patches, bench.maths.tainted(ratio))?;
    let point = problem.spurious_state(1.0);
    let start =
        CnnState { overlap: point.overlap, sum: point.sum, ..CnnState::at_angle(1.0, PI - BESIDE, 0.0, 0.0) };
    let options = FlowOptions {
        rtol: 1e-9,
        atol: AbsoluteTolerance::Fixed(1e-13),
        stop: StopRule { time: Some(1e5), steps: None, gradient_norm: Some(1e-9), ..StopRule::default() },
        ..FlowOptions::default()
    };
    let end = GradientFlow::try_new(problem, &start.to_array(), options)?.run();
    let [x, y, overlap, sum, rest] = end.point[..] else { return Err("a state has five entries".into()) };
    let state = CnnState { x, y, overlap, sum, rest };
    let (psi, loss) = (state.angle().psi, problem.loss(&state)?);
    if psi < BESIDE && loss > 0.5 * problem.loss(&point)? {
        Ok(true)
    } else if loss < 1e-12 {
        Ok(false)
    } else {
        Err(format!("with k = {patches} and ratio {ratio} the flow ends at neither point: loss {loss:e}")
            .into())
    }
}
