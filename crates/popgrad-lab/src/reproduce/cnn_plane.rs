//! The plane of the angle and the overlap, with both basins.

use super::claim::{Bench, Bound, Claim, Findings, Group, Outcome, Verdict};
use crate::figure::Figure;
use crate::portrait::{CnnPortrait, CnnPortraitOptions};
use popgrad::{CnnBasin, ReducedCnn};

/// The phase portrait.
pub(super) const PLANE: Claim = Claim {
    id: "cnn-plane",
    title: "The two basins in the plane of \u{3c6} and a\u{b7}a*",
    group: Group::ConvolutionalTraining,
    statement: "Below the threshold each of the two minima attracts an open set of starts, and a saddle above both stands on the border; the \
                angle between the filters falls where a\u{b7}a* is positive and rises where it is negative.",
    source: "Du et al. (2018), section 4",
    method: "The closed flow in \u{3c6}, a\u{b7}a* and 1\u{b7}a, on the slice on which 1\u{b7}a is that of the best output weights at the angle: field, \
             nullclines, critical points, the sets that are proved to lead to each minimum, the border between the basins, and trajectories. \
             k = 25 and 100, ratio 4.",
    expected: Verdict::Holds,
    note: "The sign of a\u{b7}a* alone decides nothing: starts with a\u{b7}a* < 0 left of the border still reach the teacher, and starts with a\u{b7}a* > 0 right of it \
           the spurious point.",
    measure: plane,
};

fn plane(bench: &Bench<'_>) -> Outcome {
    let mut findings = Findings::default();
    let mut figure = Figure::new("The plane of the convolutional network", 2).panel_size(430.0, 390.0);
    let (mut wrong, mut against) = (0_u32, 0_u32);
    let (mut teacher, mut trapped, mut turned) = (0_u32, 0_u32, 0_u32);
    for (letter, k) in [("a", 25), ("b", 100)] {
        bench.pause()?;
        let problem = ReducedCnn::try_new(k, 1.0, bench.maths.tainted(2.0), 1.0)?;
        let options = CnnPortraitOptions { grid: bench.pick(81, 241), ..CnnPortraitOptions::default() };
        let portrait = CnnPortrait::compute(problem, options)?;
        for (start, (_, basin)) in portrait.starts().iter().zip(portrait.ends()) {
            match basin {
                CnnBasin::Global => teacher += 1,
                CnnBasin::Spurious => trapped += 1,
                _ => wrong += 1,
            }
            turned += u32::from(start.1 < 0.0 && basin == CnnBasin::Global);
            let [turning, ..] = problem.angle_field(1.0, start.0, start.1, 0.0)?;
            against += u32::from(turning * start.1 >= 0.0 && start.1 != 0.0);
        }
        // Of the three critical points two are minima, and the saddle is the highest.
        let points = portrait.critical_points();
        let minima = points.iter().filter(|point| point.minimum).count();
        let saddle = points.iter().filter(|point| !point.minimum).map(|point| point.loss).fold(0.0, f64::max);
        let highest = points.iter().all(|point| point.loss <= saddle);
        wrong += u32::from(points.len() != 3 || minima != 2 || !highest);
        figure.push(portrait.panel(&format!("({letter}) k = {k}, ratio 4")));
    }
    findings.check(
        "trajectories left undecided, and planes without two minima and a saddle above both",
        f64::from(wrong),
        None,
        Bound::exactly(0.0),
    );
    findings.check(
        "starts at which the angle does not turn against the sign of a\u{b7}a*",
        f64::from(against),
        None,
        Bound::exactly(0.0),
    );
    findings.check(
        "trajectories to the teacher",
        bench.maths.tainted(f64::from(teacher)),
        None,
        Bound::at_least(1.0),
    );
    findings.check("trajectories to the spurious point", f64::from(trapped), None, Bound::at_least(1.0));
    findings.check(
        "trajectories that start with a\u{b7}a* < 0 and reach the teacher",
        f64::from(turned),
        None,
        Bound::at_least(1.0),
    );
    findings.figure(
        "cnn-plane",
        "The plane of \u{3c6} and \u{3b1} = a\u{b7}a*; arrows, nullclines, shaded sets and border are those of the slice on which 1\u{b7}a is that of the \
         best output weights. Trajectories start on it at the circles, move in all three variables, and are seen from above; discs are minima, \
         the cross is the saddle.",
        &figure,
    );
    Ok(findings)
}
