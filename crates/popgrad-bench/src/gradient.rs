//! W1: the population gradient of one problem, of many, and where pairs of units are nearly parallel.

use crate::arrays::{Arrays, relative_difference};
use crate::clock::time;
use crate::report;
use popgrad::{BatchEvaluator, Evaluator, Matrix, Student, TwoLayer};

/// The largest accepted difference from the peer's gradient, relative to the largest entry.
const AGREEMENT: f64 = 1e-13;

/// One gradient of one problem: without allocation, and as the plain call.
pub(crate) fn single(arrays: &Arrays, k: usize, d: usize) -> Result<(), String> {
    let name = format!("w1_{k}_{d}");
    let w = arrays.matrix(&format!("{name}_w"))?;
    let problem = problem(arrays, &name)?;
    let want = arrays.matrix(&format!("{name}_gradient"))?;
    let mut out = vec![0.0; k * d];
    let mut evaluator = Evaluator::new(&problem, k);
    let student = Student::new(w.view());
    evaluator.gradient_into(student, &mut out).map_err(|e| e.to_string())?;
    agree(&out, want.as_slice())?;
    let size = format!("{k},{d}");
    let timing = time(|| evaluator.gradient_into(student, &mut out).map(<[usize]>::len));
    report("gradient", "Evaluator::gradient_into", &size, timing, &[]);
    report("gradient", "TwoLayer::gradient", &size, time(|| problem.gradient(student)), &[]);
    Ok(())
}

/// The gradients of many small problems that share one teacher.
pub(crate) fn batch(arrays: &Arrays, count: usize, k: usize, d: usize) -> Result<(), String> {
    let name = format!("w1b_{count}_{k}_{d}");
    let w = arrays.matrix(&format!("{name}_w"))?;
    let problem = problem(arrays, &name)?;
    let want = arrays.matrix(&format!("{name}_gradient"))?;
    let mut out = vec![0.0; count * k * d];
    let mut evaluator = BatchEvaluator::new(&problem, k);
    let mut all = || evaluator.gradients_into(w.as_slice(), &[], &mut out).map_err(|e| e.to_string());
    all()?;
    let timing = time(&mut all);
    agree(&out, want.as_slice())?;
    report("batch", "BatchEvaluator::gradients_into", &format!("{count},{k},{d}"), timing, &[]);
    Ok(())
}

/// The same problem in general position, within 1e-8 of the teacher, and with two students 1e-8 apart.
pub(crate) fn near(arrays: &Arrays, k: usize, d: usize) -> Result<(), String> {
    let name = format!("w1_{k}_{d}");
    let generic = arrays.matrix(&format!("{name}_w"))?;
    let problem = problem(arrays, &name)?;
    let mut at_teacher = problem.teacher().to_matrix();
    for (x, y) in at_teacher.as_mut_slice().iter_mut().zip(generic.as_slice()) {
        *x += 1e-8 * y;
    }
    let mut twins = generic.clone();
    let second: Vec<f64> = generic.row(0).iter().zip(generic.row(1)).map(|(x, y)| x + 1e-8 * y).collect();
    twins.row_mut(1).copy_from_slice(&second);
    let mut evaluator = Evaluator::new(&problem, k);
    let mut out = vec![0.0; k * d];
    for (case, w) in
        [("generic", generic), ("1e-8 from the teacher", at_teacher), ("two students 1e-8 apart", twins)]
    {
        let student = Student::new(w.view());
        evaluator.gradient_into(student, &mut out).map_err(|e| e.to_string())?;
        let timing = time(|| evaluator.gradient_into(student, &mut out).map(<[usize]>::len));
        report("near", case, &format!("{k},{d}"), timing, &[]);
    }
    Ok(())
}

fn problem(arrays: &Arrays, name: &str) -> Result<TwoLayer, String> {
    let teacher: Matrix = arrays.matrix(&format!("{name}_v"))?;
    TwoLayer::try_new(teacher).map_err(|e| e.to_string())
}

fn agree(got: &[f64], want: &[f64]) -> Result<(), String> {
    let difference = relative_difference(got, want);
    if difference <= AGREEMENT {
        return Ok(());
    }
    Err(format!("our result differs from the peer's by {difference:e} of the largest entry"))
}
