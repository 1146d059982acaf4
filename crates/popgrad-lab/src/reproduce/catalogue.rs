//! The catalogue: every claim, in the order of the report.

use super::claim::Claim;
use super::{
    collinear, conjecture1, conjecture2, fig6, fig7, fig8, fig9, fig10, gradient, normal_equation, open_case,
    other_side, proposition2, symmetric, theorem1, theorem2, theorem4, theorem5, theorem6, theorem7,
};

/// Every claim of Tian (2017) that is measured, in the order of the report.
#[rustfmt::skip]
pub static CATALOGUE: &[Claim] = &[
    theorem1::GAUSSIAN,
    theorem1::TERMS,
    fig7::ANGLE,
    fig7::SAMPLE_SIZE,
    fig7::UNIFORM,
    theorem1::LINEAR,
    theorem1::DEPENDENT,
    gradient::ONE_UNIT,
    gradient::MANY_UNITS,
    gradient::AT_ZERO,
    gradient::ROTATION_INVARIANT,
    gradient::A_AT_ZERO,
    theorem2::MANIFOLD,
    normal_equation::EQUATION,
    normal_equation::PROPOSITION1,
    normal_equation::THEOREM3,
    fig10::SIGNS,
    conjecture1::PROVED,
    theorem4::CONES,
    open_case::ONE_INSIDE,
    collinear::BISECTOR,
    theorem5::LYAPUNOV,
    theorem5::BASIN,
    theorem6::BOUND,
    theorem6::LARGE_RADIUS,
    theorem6::STANDARD_DEVIATION,
    symmetric::LOSS,
    symmetric::SYMMETRY,
    symmetric::START,
    theorem7::SADDLE,
    theorem7::CONVERGENCE,
    theorem7::DIAGONAL,
    fig6::BREAKING,
    fig8::FIELD,
    fig8::TRAJECTORIES,
    fig8::FASTER,
    theorem7::ABOVE,
    fig9::NOISE,
    fig9::POSITIVE,
    fig9::MIXED,
    conjecture2::NOISE,
    other_side::STARTS,
    proposition2::GRADIENT,
    proposition2::TWO_LAYERS,
    proposition2::FORMS,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_sections_are_in_order() {
        for (i, claim) in CATALOGUE.iter().enumerate() {
            assert!(CATALOGUE[..i].iter().all(|c| c.id != claim.id), "{}", claim.id);
            assert!(claim.id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'));
        }
        assert!(CATALOGUE.windows(2).all(|w| w[0].group <= w[1].group));
    }

    #[test]
    fn a_paper_that_is_wrong_is_told_why() {
        use super::super::claim::Verdict;
        for claim in CATALOGUE {
            assert!(claim.expected != Verdict::PaperWrong || !claim.note.is_empty(), "{}", claim.id);
            for text in [claim.statement, claim.method] {
                assert!(text.ends_with('.'), "{}: {text}", claim.id);
            }
        }
    }
}
