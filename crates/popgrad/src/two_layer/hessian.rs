//! The full Hessian of the population loss.
//!
//! ```text
//! (w_j, w_j): a_j^2/2 I + a_j [sum_{k != j} a_k H1(w_j, w_k) - sum_m b_m H1(w_j, v_m)]
//! (w_j, w_k): a_j a_k H2(w_j, w_k)
//! (w_j, a_j): r_j + a_j w_j/2        (w_j, a_k): a_j F(w_j, w_k)        (a, a): k(W, W)
//! ```
//!
//! with H1, H2 of [`crate::kernel_hessian`] (docs/theory/two_layer.md, (T.17)-(T.19)).

use super::TwoLayerError;
use super::covariance::carry_back;
use super::evaluator::Evaluator;
use super::loss::{output, white_weights};
use super::pair_geometry::PairGeometry;
use super::problem::TwoLayer;
use super::student::Student;
use crate::Matrix;
use crate::lanes::{fused, on_lanes, padded};
use crate::vector::dot;
use fearless_simd::{Simd, SimdBase, f64x8};
use std::f64::consts::{PI, TAU};

/// Which variables the Hessian is taken in; the order is `w_1, ..., w_K, a_1, ..., a_K`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blocks {
    /// Hidden weights, `K d` variables.
    Weights,
    /// Output weights, `K` variables.
    Output,
    /// Both, `K d + K` variables.
    All,
}

impl TwoLayer {
    /// The Hessian of the loss in hidden weights, output weights or both; skip connections are held fixed.
    ///
    /// ```text
    /// d2J/dw_j dw_k = a_j a_k H2(w_j, w_k),   d2J/da_j da_k = k(w_j, w_k),   and so on
    /// ```
    ///
    /// Source: docs/theory/two_layer.md, (T.17)-(T.19). `J` is twice continuously differentiable wherever no student is
    /// zero, also where units are parallel or antiparallel: the limits are returned there.
    ///
    /// - Shapes: square, `K d`, `K` or `K d + K`; variables `w_1, ..., w_K, a_1, ..., a_K`.
    /// - Accuracy (measured, against 60 digits): `8 EPSILON` times the sum of the magnitudes of its terms, blockwise.
    /// - Memory: eight bytes an entry, refused beyond [`TwoLayer::with_memory_limit`].
    ///
    /// # Errors
    ///
    /// [`TwoLayerError::Memory`]; [`TwoLayerError::ZeroStudent`] if a student is exactly zero and its weights are among
    /// the variables; wrong shapes and entries that are not finite.
    ///
    /// # Examples
    ///
    /// ```
    /// use popgrad::{Blocks, Matrix, Student, TwoLayer};
    /// let problem = TwoLayer::try_new(Matrix::identity(2, 2))?;
    /// let w = Matrix::identity(2, 2);
    /// let hessian = problem.hessian(Student::new(w.view()), Blocks::Weights)?;
    /// assert_eq!((hessian.rows(), hessian.row(0)[0], hessian.row(0)[2]), (4, 0.5, 0.25));
    /// # Ok::<(), popgrad::TwoLayerError>(())
    /// ```
    pub fn hessian(&self, student: Student<'_>, blocks: Blocks) -> Result<Matrix, TwoLayerError> {
        let (k, d) = (student.neurons(), self.input_dimension());
        let n = match blocks {
            Blocks::Weights => k * d,
            Blocks::Output => k,
            Blocks::All => k * d + k,
        };
        self.check_memory("the Hessian", (n as u128) * (n as u128))?;
        let mut evaluator = Evaluator::new(self, k);
        let mut out = vec![0.0; n * n + 8];
        evaluator.hessian_into(student, blocks, &mut out)?;
        out.truncate(n * n);
        Ok(Matrix::from_parts(n, n, out))
    }
}

impl Evaluator<'_> {
    /// Writes the Hessian to the first `n * n` entries of `out`, which has at least eight more.
    fn hessian_into(
        &mut self,
        student: Student<'_>,
        blocks: Blocks,
        out: &mut [f64],
    ) -> Result<(), TwoLayerError> {
        self.field(student)?;
        if blocks != Blocks::Output
            && let Some(neuron) = self.lanes.lengths.iter().position(|l| *l == 0.0)
        {
            return Err(TwoLayerError::ZeroStudent { neuron });
        }
        let problem = self.problem();
        let (k, d) = (student.neurons(), problem.input_dimension());
        let (w, a) = (white_weights(&self.white, problem, student), output(&self.ones, student));
        let field = self.lanes.field.clone();
        let layout = Layout::new(blocks, k, d, padded(d));
        let lanes = &mut self.lanes;
        let by_sum = self.linear.active.then_some(&self.linear.by_sum[..]);
        on_lanes!(problem.lanes, simd, WIDE => {
            let m = problem.output.len();
            let (cosines, np) = lanes.cosines::<_, WIDE>(simd, w);
            let cosines = cosines.to_vec();
            let rows = Assembly {
                layout,
                w,
                a,
                b: &problem.output,
                lengths: &lanes.lengths,
                teacher_lengths: &problem.white.lengths,
                units: &lanes.units,
                teacher_units: &problem.white.padded_directions,
                field: &field,
                slope: (1.0 - problem.alpha) * (1.0 - problem.alpha),
                alpha: problem.alpha,
                by_sum,
            };
            rows.fill(simd, &cosines, np, m, out);
        });
        if let Some(l) = &problem.factor {
            layout.carry_back(l, out);
        }
        if problem.kappa != 1.0 {
            for x in out {
                *x *= problem.kappa;
            }
        }
        Ok(())
    }
}

/// Where the variables lie in the matrix.
#[derive(Clone, Copy, Debug)]
struct Layout {
    weights: bool,
    outputs: bool,
    k: usize,
    d: usize,
    dp: usize,
    /// Number of variables.
    n: usize,
    /// First output variable.
    first_output: usize,
}

impl Layout {
    fn new(blocks: Blocks, k: usize, d: usize, dp: usize) -> Self {
        let (weights, outputs) = (blocks != Blocks::Output, blocks != Blocks::Weights);
        let first_output = if weights { k * d } else { 0 };
        let n = first_output + if outputs { k } else { 0 };
        Self { weights, outputs, k, d, dp, n, first_output }
    }

    /// `H -> L H L^T` in the hidden weights.
    fn carry_back(&self, l: &Matrix, out: &mut [f64]) {
        if !self.weights {
            return;
        }
        let (n, d) = (self.n, self.d);
        let mut white = vec![0.0; d];
        for row in out[..n * n].chunks_exact_mut(n) {
            for block in row[..self.k * d].chunks_exact_mut(d) {
                white.copy_from_slice(block);
                carry_back(l, &white, block);
            }
        }
        let (mut column, mut image) = (vec![0.0; d], vec![0.0; d]);
        for j in 0..self.k {
            for c in 0..n {
                for i in 0..d {
                    column[i] = out[(j * d + i) * n + c];
                }
                carry_back(l, &column, &mut image);
                for i in 0..d {
                    out[(j * d + i) * n + c] = image[i];
                }
            }
        }
    }
}

/// Keeps `1/|w|` of a student near zero from overflowing, so that its products with zeros are zero.
#[inline(always)]
pub(super) fn bounded(x: f64) -> f64 {
    const LARGEST: f64 = 1e300;
    x.clamp(-LARGEST, LARGEST)
}

/// Everything that the rows of the Hessian are made of.
struct Assembly<'a> {
    layout: Layout,
    w: &'a [f64],
    a: &'a [f64],
    b: &'a [f64],
    lengths: &'a [f64],
    teacher_lengths: &'a [f64],
    units: &'a [f64],
    teacher_units: &'a [f64],
    field: &'a [f64],
    /// `(1 - alpha)^2`.
    slope: f64,
    alpha: f64,
    /// Derivative of the linear part with respect to its sum, where there is one.
    by_sum: Option<&'a [f64]>,
}

impl Assembly<'_> {
    #[inline(always)]
    fn fill<S: Simd>(&self, simd: S, cosines: &[f64], np: usize, m: usize, out: &mut [f64]) {
        let Layout { k, dp, .. } = self.layout;
        let mut geometry = PairGeometry::new(m + k, dp);
        let mut back = vec![0.0; k * dp];
        let mut own = vec![0.0; dp * dp];
        for j in 0..k {
            let e = &self.units[j * dp..(j + 1) * dp];
            let all = self.teacher_units.chunks_exact(dp).chain(self.units.chunks_exact(dp));
            geometry.update(simd, e, all, &cosines[j * np..(j + 1) * np]);
            if self.layout.weights {
                self.own_block(simd, j, m, &geometry, &mut own);
                self.back_axes(simd, j, m, &geometry, &mut back);
                self.weight_rows(simd, j, m, &geometry, &back, &own, out);
            }
        }
        // The rows above reach a few columns too far, so the outputs follow when all of them stand.
        for j in (0..k).filter(|_| self.layout.outputs) {
            let e = &self.units[j * dp..(j + 1) * dp];
            let all = self.teacher_units.chunks_exact(dp).chain(self.units.chunks_exact(dp));
            geometry.update(simd, e, all, &cosines[j * np..(j + 1) * np]);
            self.output_row(j, m, &geometry, out);
        }
    }

    /// The axes `m_k = (e_j - c e_k)/s` of every student.
    #[inline(always)]
    fn back_axes<S: Simd>(&self, simd: S, j: usize, m: usize, geometry: &PairGeometry, back: &mut [f64]) {
        let dp = self.layout.dp;
        let e = &self.units[j * dp..(j + 1) * dp];
        for (k, axis) in back.chunks_exact_mut(dp).enumerate() {
            let sine = geometry.sines[m + k];
            let inverse = f64x8::splat(simd, if sine > 0.0 { 1.0 / sine } else { 0.0 });
            let slope = f64x8::splat(simd, -geometry.cosines[m + k]);
            let f = &self.units[k * dp..(k + 1) * dp];
            for ((x, y), r) in e.chunks_exact(8).zip(f.chunks_exact(8)).zip(axis.chunks_exact_mut(8)) {
                let rest = fused(simd, slope, f64x8::from_slice(simd, y), f64x8::from_slice(simd, x));
                (rest * inverse).store_slice(r);
            }
        }
    }

    /// The block `(w_j, w_j)`, `d x dp`: `a_j^2/2 I + sum_z g_z (I - e e^T + n_z n_z^T)`, `g_z = a_j c_z |z| s_z / 2pi |w_j|`.
    #[inline(always)]
    fn own_block<S: Simd>(&self, simd: S, j: usize, m: usize, geometry: &PairGeometry, own: &mut [f64]) {
        let Layout { k, d, dp, .. } = self.layout;
        let scale = self.slope * self.a[j] / TAU;
        let mut total = 0.0;
        let weight = |z: usize| {
            let (c, length) = if z < m {
                (-self.b[z], self.teacher_lengths[z])
            } else {
                (self.a[z - m], self.lengths[z - m])
            };
            if z == m + j { 0.0 } else { bounded(scale * c * length * geometry.sines[z] / self.lengths[j]) }
        };
        let weights: Vec<f64> = (0..m + k).map(weight).collect();
        for g in &weights {
            total += g;
        }
        let e = &self.units[j * dp..(j + 1) * dp];
        for (i, row) in own.chunks_exact_mut(dp).take(d).enumerate() {
            let first = f64x8::splat(simd, -total * e[i]);
            for at in (0..dp).step_by(8) {
                let mut sum = first * f64x8::from_slice(simd, &e[at..at + 8]);
                for (g, axis) in weights.iter().zip(geometry.across.chunks_exact(dp)) {
                    let factor = f64x8::splat(simd, g * axis[i]);
                    sum = fused(simd, factor, f64x8::from_slice(simd, &axis[at..at + 8]), sum);
                }
                sum.store_slice(&mut row[at..at + 8]);
            }
            row[i] += total + 0.5 * self.slope * self.a[j] * self.a[j];
            if self.by_sum.is_some() {
                row[i] += self.alpha * self.a[j] * self.a[j];
            }
        }
    }

    /// The rows of `w_j`. Blocks are written in order of `k`; what a block writes beyond its `d` columns is zero and is
    /// overwritten by the next.
    #[inline(always)]
    #[allow(clippy::too_many_arguments)] // one call, one place
    fn weight_rows<S: Simd>(
        &self,
        simd: S,
        j: usize,
        m: usize,
        geometry: &PairGeometry,
        back: &[f64],
        own: &[f64],
        out: &mut [f64],
    ) {
        let Layout { k, d, dp, n, .. } = self.layout;
        let e = &self.units[j * dp..(j + 1) * dp];
        for i in 0..d {
            let start = (j * d + i) * n;
            for other in 0..k {
                let slot = start + other * d;
                if other == j {
                    for at in (0..dp).step_by(8) {
                        let cells = f64x8::from_slice(simd, &own[i * dp + at..i * dp + at + 8]);
                        cells.store_slice(&mut out[slot + at..slot + at + 8]);
                    }
                    continue;
                }
                let factor = self.slope * self.a[j] * self.a[other] / TAU;
                let scaled = factor * geometry.sines[m + other];
                let first = f64x8::splat(simd, scaled * geometry.across[(m + other) * dp + i]);
                let second = f64x8::splat(simd, scaled * e[i]);
                let axis = &back[other * dp..(other + 1) * dp];
                let unit = &self.units[other * dp..(other + 1) * dp];
                let cells = &mut out[slot..slot + dp];
                for ((x, y), cell) in
                    axis.chunks_exact(8).zip(unit.chunks_exact(8)).zip(cells.chunks_exact_mut(8))
                {
                    let sum = second * f64x8::from_slice(simd, y);
                    fused(simd, first, f64x8::from_slice(simd, x), sum).store_slice(cell);
                }
                out[slot + i] += factor * geometry.psi[m + other];
                if self.by_sum.is_some() {
                    out[slot + i] += self.alpha * self.a[j] * self.a[other];
                }
            }
        }
    }

    /// The row of `a_j` among the output weights, and its column among the hidden ones.
    #[inline(always)]
    fn output_row(&self, j: usize, m: usize, geometry: &PairGeometry, out: &mut [f64]) {
        let Layout { k, d, dp, n, first_output, .. } = self.layout;
        let e = &self.units[j * dp..(j + 1) * dp];
        let row = &self.w[j * d..(j + 1) * d];
        for other in 0..k {
            let w = &self.w[other * d..(other + 1) * d];
            let (psi, sine) =
                if other == j { (PI, 0.0) } else { (geometry.psi[m + other], geometry.sines[m + other]) };
            let cosine = if other == j { 1.0 } else { geometry.cosines[m + other] };
            let h = psi.mul_add(cosine, sine) / TAU;
            let mut kernel = self.slope * self.lengths[j] * h * self.lengths[other];
            if self.by_sum.is_some() {
                kernel += self.alpha * dot(row, w);
            }
            out[(first_output + j) * n + first_output + other] = kernel;
            if !self.layout.weights {
                continue;
            }
            for i in 0..d {
                // F(w_j, w_k), and for k = j the field as well.
                let mut x = self.slope * self.a[j] * (psi * w[i] + self.lengths[other] * sine * e[i]) / TAU;
                if other == j {
                    x += self.slope * self.field[j * dp + i];
                }
                if let Some(by_sum) = self.by_sum {
                    x += self.alpha * self.a[j] * w[i] + if other == j { by_sum[i] } else { 0.0 };
                }
                out[(j * d + i) * n + first_output + other] = x;
                out[(first_output + other) * n + j * d + i] = x;
            }
        }
    }
}
