//! The catalogue: every claim, in the order of the report.

use super::claim::Claim;
use super::{basins, minima, safran2018, seventeen, surplus, three_blocks};
use super::{cnn_loss, cnn_plane, cnn_spurious, cnn_success, cnn_table1, cnn_training};
use super::{
    collinear, conjecture1, conjecture2, conjecture2_basins, fig6, fig7, fig8, fig9, fig10, gradient,
    normal_equation, open_case, other_side, proposition2, symmetric, theorem1, theorem2, theorem4, theorem5,
    theorem6, theorem7,
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
    theorem2::COVARIANCE,
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
    conjecture2_basins::BASINS,
    other_side::STARTS,
    proposition2::GRADIENT,
    proposition2::TWO_LAYERS,
    proposition2::FORMS,
];

/// Every claim about the minima of an orthonormal teacher, in the order of the report.
#[rustfmt::skip]
pub static MINIMA: &[Claim] = &[
    safran2018::SPECTRUM_AT_TEACHER,
    safran2018::SIX,
    safran2018::PUBLISHED,
    minima::CATALOGUE,
    three_blocks::SMALLEST,
    surplus::SURPLUS,
    minima::LIMIT,
    minima::ORBITS,
    basins::EQUAL,
    basins::SURPLUS,
    basins::RUN_ON,
    basins::BLOCKS,
    seventeen::SEVENTEEN,
];

/// Every claim about the convolutional network that is measured, in the order of the report.
#[rustfmt::skip]
pub static CONVOLUTIONAL: &[Claim] = &[
    cnn_loss::LOSS,
    cnn_spurious::SPURIOUS,
    cnn_training::CURVES,
    cnn_training::PHASES,
    cnn_plane::PLANE,
    cnn_table1::TABLE1,
    cnn_success::GLOBAL,
    cnn_success::TRAPPED,
];

/// A paper with its catalogue of claims.
#[derive(Debug)]
pub struct Paper {
    /// The name used on the command line and in `claims.json`.
    pub name: &'static str,
    /// Title of the page.
    pub title: &'static str,
    /// Heading of the page.
    pub heading: &'static str,
    /// What the page says first, as HTML.
    pub lead: &'static str,
    /// Its claims.
    pub claims: &'static [Claim],
}

/// The papers, the default one first.
pub static PAPERS: &[Paper] = &[
    Paper {
        name: "tian2017",
        title: "Tian (2017), measured afresh",
        heading: "The population gradient of a two-layer ReLU network",
        lead: "The figures and claims of Yuandong Tian, <cite>An Analytical Formula of Population \
               Gradient for two-layered ReLU network and its Applications in Convergence and Critical Point \
               Analysis</cite> (ICML 2017, arXiv 1703.00560), beside freshly measured \
               numbers. Losses and gradients are per sample; the paper's are N times as large.",
        claims: CATALOGUE,
    },
    Paper {
        name: "safran2018",
        title: "Spurious minima, measured afresh",
        heading: "Spurious minima of a two-layer ReLU network",
        lead: "The minima that Itay Safran and Ohad Shamir, <cite>Spurious Local Minima are Common in Two-Layer ReLU Neural \
               Networks</cite> (ICML 2018, arXiv 1712.08968), and Safran, Yehudai and Shamir (arXiv 2006.01005) found for an \
               orthonormal teacher, computed afresh in symmetric families, with their losses and smallest eigenvalues. Losses are \
               1/2 E[(student \u{2212} teacher)\u{b2}].",
        claims: MINIMA,
    },
    Paper {
        name: "du2018",
        title: "Du, Lee, Tian, P\u{f3}czos and Singh (2018), measured afresh",
        heading: "A convolutional network with a spurious minimum",
        lead: "The claims of Simon S. Du, Jason D. Lee, Yuandong Tian, Barnab\u{e1}s P\u{f3}czos and Aarti Singh, <cite>Gradient Descent Learns \
               One-hidden-layer CNN: Don't be Afraid of Spurious Local Minima</cite> (ICML 2018, arXiv 1712.00779), about \
               f(Z) = \u{3a3} a\u{2c7c} relu(w\u{b7}Z\u{2c7c}) over k patches of dimension p, w = v/|v|, with a teacher (w*, a*), beside freshly measured numbers. \
               Losses are 1/2 E[(student \u{2212} teacher)\u{b2}]; the ratio is (1\u{b7}a*)\u{b2}/|a*|\u{b2}.",
        claims: CONVOLUTIONAL,
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_sections_are_in_order() {
        for claims in PAPERS.iter().map(|p| p.claims) {
            for (i, claim) in claims.iter().enumerate() {
                assert!(claims[..i].iter().all(|c| c.id != claim.id), "{}", claim.id);
                assert!(claim.id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'));
            }
            assert!(claims.windows(2).all(|w| w[0].group <= w[1].group));
        }
    }

    #[test]
    fn a_paper_that_is_wrong_is_told_why() {
        use super::super::claim::Verdict;
        for claim in PAPERS.iter().flat_map(|p| p.claims) {
            assert!(claim.expected != Verdict::PaperWrong || !claim.note.is_empty(), "{}", claim.id);
            for text in [claim.statement, claim.method] {
                assert!(text.ends_with('.'), "{}: {text}", claim.id);
            }
        }
    }
}
