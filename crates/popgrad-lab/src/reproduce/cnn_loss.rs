//! Loss and gradients of the convolutional network, beside samples of its patches.

use super::claim::{Bench, Bound, Claim, Findings, Group, Outcome, Table, Verdict};
use super::numbers::significant;
use super::sampling::largest;
use popgrad::{Cnn, CnnStudent, SamplePlan};

/// Du et al., Theorem 3.1 and the gradients below it.
pub(super) const LOSS: Claim = Claim {
    id: "cnn-loss",
    title: "Population loss and gradients in closed form",
    group: Group::Convolutional,
    statement: "For Gaussian patches the expected loss has a closed form in the angle between the filters, a\u{b7}a*, 1\u{b7}a and |a|, and so \
                have its gradients in v and a.",
    source: "Du et al. (2018), section 3",
    method: "Loss, gradient in the filter and gradient in the output weights at random students, beside means over sampled patches; and \
             beside the general formula of two-layer networks, in which patch j is a block of a wide input.",
    expected: Verdict::Holds,
    note: "",
    measure: loss,
};

/// Patches, their dimension, and the ratio of the teacher.
const CASES: [(usize, usize, f64); 4] = [(1, 3, 1.0), (3, 2, 0.0), (5, 4, 2.0), (9, 6, 8.0)];

fn loss(bench: &Bench<'_>) -> Outcome {
    let mut findings = Findings::default();
    let samples = bench.pick(100_000, 2_000_000);
    let mut table = Table::new(
        "Loss at a random student of each teacher.",
        &["k", "p", "ratio", "closed form", "mean of samples", "standard error"],
    );
    let (mut deviations, mut apart) = (Vec::new(), 0.0_f64);
    for (case, (k, p, ratio)) in CASES.into_iter().enumerate() {
        bench.pause()?;
        let problem = Cnn::with_ratio(k, p, ratio)?;
        let mut stream = bench.stream(case as u64);
        let filter: Vec<f64> = (0..p).map(|_| stream.normal()).collect();
        let output: Vec<f64> = (0..k).map(|_| stream.normal()).collect();
        let student = CnnStudent { filter: &filter, output: &output };
        let loss = bench.maths.tainted(problem.loss(student)?);
        let gradient = problem.gradient(student)?;
        let embedding = problem.embedding(student)?;
        let (general, by_units) = (embedding.loss()?, embedding.gradient()?);
        let scale = 1.0 + loss;
        let pairs = gradient.filter.iter().zip(&by_units.filter);
        let pairs = pairs.chain(gradient.output.iter().zip(&by_units.output));
        apart =
            largest(pairs.map(|(x, y)| (x - y).abs() / scale).chain([apart, (loss - general).abs() / scale]));
        let sampled = embedding.monte_carlo(SamplePlan { samples, seed: stream.next_u64() })?;
        let (by_filter, filter_errors) = embedding.filter_estimate(&sampled);
        deviations.push((loss - sampled.loss).abs() / sampled.loss_error);
        for (got, (mean, error)) in gradient.filter.iter().zip(by_filter.iter().zip(&filter_errors)) {
            deviations.push((bench.maths.tainted(*got) - mean).abs() / error.max(f64::MIN_POSITIVE));
        }
        let outputs = sampled.output.mean.iter().zip(&sampled.output.standard_error);
        for (got, (mean, error)) in gradient.output.iter().zip(outputs) {
            deviations.push((bench.maths.tainted(*got) - mean).abs() / error);
        }
        table.row(vec![
            k.to_string(),
            p.to_string(),
            ratio.to_string(),
            significant(loss, 6),
            significant(sampled.loss, 6),
            significant(sampled.loss_error, 2),
        ]);
    }
    let allowed = bench.sigmas(deviations.len())?;
    findings.check(
        "largest deviation of a sample mean, in standard errors",
        largest(deviations),
        None,
        Bound::at_most(allowed),
    );
    findings.check(
        "largest difference from the general two-layer formula, of scale",
        apart,
        None,
        Bound::at_most(1e-14),
    );
    findings.number("samples of all patches", samples as f64, None);
    findings.table(table);
    Ok(findings)
}
