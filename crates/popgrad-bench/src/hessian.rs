//! W5: the full Hessian with respect to the hidden weights.

use crate::arrays::{Arrays, relative_difference};
use crate::clock::time;
use crate::report;
use popgrad::{Blocks, Evaluator, Student, TwoLayer};

/// The largest accepted difference from the peer's Hessian, relative to the largest entry; the peer takes its angles
/// from arc cosines.
const AGREEMENT: f64 = 1e-11;

/// Times the Hessian of `k` students and teachers in `k` dimensions.
pub(crate) fn run(arrays: &Arrays, k: usize) -> Result<(), String> {
    let name = format!("w5_{k}");
    let problem = TwoLayer::try_new(arrays.matrix(&format!("{name}_v"))?).map_err(|e| e.to_string())?;
    let w = arrays.matrix(&format!("{name}_w"))?;
    let want = arrays.matrix(&format!("{name}_hessian"))?;
    let student = Student::new(w.view());
    let got = problem.hessian(student, Blocks::Weights).map_err(|e| e.to_string())?;
    let difference = relative_difference(got.as_slice(), want.as_slice());
    if difference > AGREEMENT {
        return Err(format!("our Hessian differs from the peer's by {difference:e} of the largest entry"));
    }
    let mut evaluator = Evaluator::new(&problem, k);
    let mut out = got;
    let timing = time(|| evaluator.hessian_into(student, Blocks::Weights, out.as_mut_slice()));
    report("hessian", "Evaluator::hessian_into", &k.to_string(), timing, &[]);
    let timing = time(|| problem.hessian(student, Blocks::Weights));
    report("hessian", "TwoLayer::hessian", &k.to_string(), timing, &[]);
    Ok(())
}
