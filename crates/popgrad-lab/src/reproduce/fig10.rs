//! Fig. 10: `L12` and `L21`, and their signs on the paper's grid, which is its numerical support of Conjecture 1.

use super::claim::{Bench, Bound, Claim, Failure, Findings, Group, Outcome, Verdict};
use super::sampling::largest;
use crate::figure::Figure;
use crate::portrait::{L12Portrait, l12_slices};
use popgrad::{L12Map, Matrix, NormalEquation, SignForm, Student, TwoLayer, l12, l21};

/// The sign map.
pub(super) const SIGNS: Claim = Claim {
    id: "fig10-signs",
    title: "L12 is positive inside the cone and negative outside",
    group: Group::CriticalPoints,
    statement: "For two students at angle \u{3b8}, L12 and L21 are positive for a teacher strictly inside their cone and negative \
                outside, as a map over (\u{3b8}, \u{3c6}) shows.",
    source: "Conjecture 1, Fig. 10",
    method: "Certain signs of L12 on 10000 angles \u{3b8} from 0 to \u{3c0} and 20000 angles \u{3c6} from 0 to 2\u{3c0}, ends included, with \
             exact zeros on \u{3c6} = 0, \u{3c6} = \u{3b8} and the closed rows; L12 and L21 against eq. 14 solved as it stands, away from \
             small angles.",
    expected: Verdict::Holds,
    note: "A grid shows no more than its points. The paper's script draws L12 only; L21 is its mirror image, L21(\u{3b8}, \u{3c6}) = \
           L12(\u{3b8}, \u{3b8} \u{2212} \u{3c6}), so that one map shows both.",
    measure: signs,
};

/// The largest difference of `L12` and `L21` from eq. 14 with the 2 x 2 system solved, in three dimensions.
fn against_the_definition(bench: &Bench<'_>) -> Result<f64, Failure> {
    let mut worst = 0.0_f64;
    for index in 0..bench.pick(500, 5000) {
        let mut stream = bench.stream(index);
        let theta = 0.3 + 2.5 * stream.uniform();
        let phi = 2.0 * std::f64::consts::PI * stream.uniform();
        let flat = |t: f64| [libm::cos(t), libm::sin(t), 0.0];
        let problem = TwoLayer::try_new(Matrix::from_rows(&[flat(phi)]))?;
        let students = Matrix::from_rows(&[flat(0.0), flat(theta)]);
        let found = NormalEquation::try_new(&problem, Student::new(students.view()))?;
        let values = found.residual_projections().ok_or("two students at this angle have a regular M_r")?;
        for (pair, value) in [((0, 1), l12(theta, phi)?), ((1, 0), l21(theta, phi)?)] {
            worst = largest([worst, (bench.maths.tainted(value) - values.value(0, pair)).abs()]);
        }
    }
    Ok(worst)
}

fn signs(bench: &Bench<'_>) -> Outcome {
    let mut findings = Findings::default();
    let mut portrait = L12Portrait::try_new(10_000)?;
    let count = loop {
        bench.pause()?;
        if let Some(count) = portrait.advance(256)? {
            break count;
        }
    };
    findings.number("points where L12 > 0", count.positive as f64, None);
    findings.number("points where L12 < 0", count.negative as f64, None);
    findings.number("points where L12 = 0 exactly", count.zero as f64, None);
    findings.number("points evaluated again because the bound did not decide", count.again as f64, None);
    findings.check("signs against Conjecture 1", count.violations as f64, None, Bound::exactly(0.0));
    findings.check(
        "largest error against eq. 14 as it stands",
        against_the_definition(bench)?,
        None,
        Bound::at_most(1e-12),
    );
    // A grid of another parity, on which phi = theta is met in every row.
    let map = L12Map::try_new(1001, 2001)?;
    let mut row = vec![0_i8; 2001];
    let mut met = 0_u64;
    for i in 1..1000 {
        map.signs_into(i..i + 1, SignForm::Certified, &mut row)?;
        met += u64::from(row[i] == 0 && row[i - 1] >= 0 && row[i + 1] < 0);
    }
    findings.check(
        "rows of a 1001 x 2001 grid with an exact 0 at \u{3c6} = \u{3b8}",
        met as f64,
        None,
        Bound::exactly(999.0),
    );
    let [first, second] = l12_slices()?;
    findings.figure(
        "fig10",
        "Fig. 10, redrawn: L12 and L21 at \u{3b8} = 3\u{3c0}/8 and 7\u{3c0}/8 with the cone shaded; the map of L12, positive left of the dashed \
         line \u{3c6} = \u{3b8}.",
        &Figure::new("L12 and L21", 3).panel_size(330.0, 300.0).with(first).with(second).with(portrait.map_panel()?),
    );
    Ok(findings)
}
