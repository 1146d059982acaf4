//! The matrix products of one gradient alone, by the same library: what a large problem cannot beat.

use crate::arrays::Arrays;
use crate::clock::time;
use crate::report;
use faer::linalg::matmul::matmul;
use faer::linalg::matmul::triangular::{BlockStructure, matmul as triangular};
use faer::{Accum, Mat, MatMut, MatRef, Par};

/// Times `E E^T` (one triangle), `E F^T`, `A W` and `B V`, the four products of a gradient with K = M.
pub(crate) fn run(arrays: &Arrays, k: usize, d: usize) -> Result<(), String> {
    let (w, v) = (arrays.matrix(&format!("w1_{k}_{d}_w"))?, arrays.matrix(&format!("w1_{k}_{d}_v"))?);
    // A row-major matrix is the transpose of a column-major one: these are d x K.
    let wt = MatRef::from_column_major_slice(w.as_slice(), d, k);
    let vt = MatRef::from_column_major_slice(v.as_slice(), d, k);
    let (mut own, mut cross) = (Mat::<f64>::zeros(k, k), Mat::<f64>::zeros(k, k));
    let mut out = Mat::<f64>::zeros(d, k);
    let timing = time(|| {
        let full = BlockStructure::Rectangular;
        let lower = BlockStructure::TriangularLower;
        triangular(own.as_mut(), lower, Accum::Replace, wt.transpose(), full, wt, full, 1.0, Par::Seq);
        product(cross.as_mut(), wt.transpose(), vt, Accum::Replace);
        product(out.as_mut(), wt, own.as_ref(), Accum::Replace);
        product(out.as_mut(), vt, cross.as_ref(), Accum::Add);
    });
    let (k_f, d_f) = (k as f64, d as f64);
    let flops = 7.0 * k_f * k_f * d_f;
    report("gemm", "faer", &format!("{k},{d}"), timing, &[("gflops", flops / timing.cpu_seconds / 1e9)]);
    Ok(())
}

fn product(out: MatMut<'_, f64>, left: MatRef<'_, f64>, right: MatRef<'_, f64>, accumulate: Accum) {
    matmul(out, accumulate, left, right, 1.0, Par::Seq);
}
