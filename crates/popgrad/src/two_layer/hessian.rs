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
        let n = Layout::new(blocks, k, d).n;
        self.check_memory("the Hessian", (n as u128) * (n as u128))?;
        let mut out = Matrix::zeros(n, n);
        Evaluator::new(self, k).hessian_into(student, blocks, out.as_mut_slice())?;
        Ok(out)
    }
}

impl Evaluator<'_> {
    /// Writes the Hessian to `out`, row by row; see [`TwoLayer::hessian`].
    ///
    /// - Shapes: `out` has `n * n` entries, `n` the number of variables of `blocks`.
    ///
    /// # Errors
    ///
    /// [`TwoLayerError::Length`] if `out` has another length; otherwise as [`TwoLayer::hessian`].
    ///
    /// # Examples
    ///
    /// ```
    /// use popgrad::{Blocks, Evaluator, Matrix, Student, TwoLayer};
    /// let problem = TwoLayer::try_new(Matrix::identity(2, 2))?;
    /// let w = Matrix::identity(2, 2);
    /// let mut hessian = [0.0; 16];
    /// Evaluator::new(&problem, 2).hessian_into(Student::new(w.view()), Blocks::Weights, &mut hessian)?;
    /// assert_eq!(hessian[..4], [0.5, 0.0, 0.25, 1.0 / (2.0 * std::f64::consts::PI)]);
    /// # Ok::<(), popgrad::TwoLayerError>(())
    /// ```
    pub fn hessian_into(
        &mut self,
        student: Student<'_>,
        blocks: Blocks,
        out: &mut [f64],
    ) -> Result<(), TwoLayerError> {
        let layout = Layout::new(blocks, self.neurons(), self.problem().input_dimension());
        let (got, want) = (out.len(), layout.n * layout.n);
        if got != want {
            let why = "one for each pair of variables";
            return Err(TwoLayerError::Length { name: "the Hessian's buffer", got, want, why });
        }
        self.field(student)?;
        if blocks != Blocks::Output
            && let Some(neuron) = self.lanes.lengths.iter().position(|l| *l == 0.0)
        {
            return Err(TwoLayerError::ZeroStudent { neuron });
        }
        let problem = self.problem();
        let (w, a) = (white_weights(&self.white, problem, student), output(&self.ones, student));
        let field = self.lanes.field.clone();
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
    fn new(blocks: Blocks, k: usize, d: usize) -> Self {
        let (weights, outputs) = (blocks != Blocks::Output, blocks != Blocks::Weights);
        let first_output = if weights { k * d } else { 0 };
        let n = first_output + if outputs { k } else { 0 };
        Self { weights, outputs, k, d, dp: padded(d), n, first_output }
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

/// What the blocks of one student share.
struct StudentBlocks {
    /// Of every student: the factor of its rank-two part, and of the identity.
    factor: Vec<f64>,
    diagonal: Vec<f64>,
    /// The student's own block, `dp x dp`.
    own: Vec<f64>,
    /// The axes `n_z` of all units times their factors in the own block, `(M + K) x dp`.
    weighted: Vec<f64>,
    /// The identity, `d x dp`.
    identity: Vec<f64>,
}

impl StudentBlocks {
    fn new(m: usize, k: usize, d: usize, dp: usize) -> Self {
        let mut identity = vec![0.0; d * dp];
        for i in 0..d {
            identity[i * dp + i] = 1.0;
        }
        Self {
            factor: vec![0.0; k],
            diagonal: vec![0.0; k],
            own: vec![0.0; dp * dp],
            weighted: vec![0.0; (m + k) * dp],
            identity,
        }
    }
}

impl Assembly<'_> {
    #[inline(always)]
    fn fill<S: Simd>(&self, simd: S, cosines: &[f64], np: usize, m: usize, out: &mut [f64]) {
        let Layout { k, d, dp, n, first_output, .. } = self.layout;
        let mut geometry = PairGeometry::new(m + k, dp);
        let mut blocks = StudentBlocks::new(m, k, d, dp);
        let mut kernels = vec![0.0; if self.layout.outputs { k * k } else { 0 }];
        for j in 0..k {
            let e = &self.units[j * dp..(j + 1) * dp];
            let all = self.teacher_units.chunks_exact(dp).chain(self.units.chunks_exact(dp));
            geometry.update(simd, e, all, &cosines[j * np..(j + 1) * np]);
            if self.layout.outputs {
                self.kernel_row(j, m, &geometry, &mut kernels[j * k..(j + 1) * k]);
            }
            if !self.layout.weights {
                continue;
            }
            self.own_block(simd, j, m, &geometry, &mut blocks);
            self.factors(j, m, &geometry, &mut blocks);
            let rows = &mut out[j * d * n..(j + 1) * d * n];
            match dp / 8 {
                vectors if vectors % 3 == 0 => self.weight_rows::<S, 3>(simd, j, &geometry, &blocks, rows),
                vectors if vectors % 2 == 0 => self.weight_rows::<S, 2>(simd, j, &geometry, &blocks, rows),
                _ => self.weight_rows::<S, 1>(simd, j, &geometry, &blocks, rows),
            }
            if self.layout.outputs {
                for (i, row) in rows.chunks_exact_mut(n).enumerate() {
                    self.mixed_row((j, i), m, &geometry, &mut row[k * d..]);
                }
            }
        }
        for (j, kernel) in kernels.chunks_exact(k).enumerate() {
            let (above, row) = out.split_at_mut((first_output + j) * n);
            let (mixed, own) = row[..n].split_at_mut(first_output);
            own.copy_from_slice(kernel);
            for (x, other) in mixed.iter_mut().zip(above.chunks_exact(n)) {
                *x = other[first_output + j];
            }
        }
    }

    /// The factors `a_j a_k / 2pi` of every student's block, and of the identity in it.
    #[inline(always)]
    fn factors(&self, j: usize, m: usize, geometry: &PairGeometry, blocks: &mut StudentBlocks) {
        for (k, (factor, diagonal)) in blocks.factor.iter_mut().zip(&mut blocks.diagonal).enumerate() {
            *factor = self.slope * self.a[j] * self.a[k] / TAU;
            let linear = if self.by_sum.is_some() { self.alpha * self.a[j] * self.a[k] } else { 0.0 };
            *diagonal = factor.mul_add(geometry.psi[m + k], linear);
        }
    }

    /// The block `(w_j, w_j)`, `d x dp`: `a_j^2/2 I + sum_z g_z (I - e e^T + n_z n_z^T)`, `g_z = a_j c_z |z| s_z / 2pi |w_j|`.
    #[inline(always)]
    fn own_block<S: Simd>(
        &self,
        simd: S,
        j: usize,
        m: usize,
        geometry: &PairGeometry,
        blocks: &mut StudentBlocks,
    ) {
        let StudentBlocks { weighted, own, .. } = blocks;
        let Layout { d, dp, .. } = self.layout;
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
        for (z, (axis, to)) in geometry.across.chunks_exact(dp).zip(weighted.chunks_exact_mut(dp)).enumerate()
        {
            let g = weight(z);
            total += g;
            let g = f64x8::splat(simd, g);
            for (x, to) in axis.chunks_exact(8).zip(to.chunks_exact_mut(8)) {
                (g * f64x8::from_slice(simd, x)).store_slice(to);
            }
        }
        for i in (0..d).step_by(4) {
            for at in (0..dp).step_by(24) {
                match (dp - at) / 8 {
                    1 => outer_sum::<S, 1>(simd, (i, at), dp, weighted, &geometry.across, own),
                    2 => outer_sum::<S, 2>(simd, (i, at), dp, weighted, &geometry.across, own),
                    _ => outer_sum::<S, 3>(simd, (i, at), dp, weighted, &geometry.across, own),
                }
            }
        }
        let e = &self.units[j * dp..(j + 1) * dp];
        for (i, row) in own.chunks_exact_mut(dp).take(d).enumerate() {
            let first = f64x8::splat(simd, -total * e[i]);
            for (x, cells) in e.chunks_exact(8).zip(row.chunks_exact_mut(8)) {
                fused(simd, first, f64x8::from_slice(simd, x), f64x8::from_slice(simd, cells))
                    .store_slice(cells);
            }
            row[i] += total + 0.5 * self.slope * self.a[j] * self.a[j];
            if self.by_sum.is_some() {
                row[i] += self.alpha * self.a[j] * self.a[j];
            }
        }
    }

    /// The rows of `w_j` in all hidden weights, `C` vectors at a time. The last vector of a block ends with the block, so
    /// that nothing is written beyond it; blocks of fewer than eight columns pass through a buffer.
    #[inline(always)]
    fn weight_rows<S: Simd, const C: usize>(
        &self,
        simd: S,
        j: usize,
        geometry: &PairGeometry,
        blocks: &StudentBlocks,
        rows: &mut [f64],
    ) {
        let Layout { k, d, dp, .. } = self.layout;
        for other in 0..k {
            for at in (0..dp).step_by(8 * C) {
                let mut columns = [0; C];
                for (c, column) in columns.iter_mut().enumerate() {
                    *column = (at + 8 * c).min(d.saturating_sub(8));
                }
                if other == j {
                    self.own_columns::<S, C>(simd, j, columns, &blocks.own, rows);
                } else {
                    self.pair_columns::<S, C>(simd, (j, other), columns, geometry, blocks, rows);
                }
            }
        }
    }

    /// The vectors that begin at `columns` of the own block of `w_j`.
    #[inline(always)]
    fn own_columns<S: Simd, const C: usize>(
        &self,
        simd: S,
        j: usize,
        columns: [usize; C],
        own: &[f64],
        rows: &mut [f64],
    ) {
        let Layout { d, dp, n, .. } = self.layout;
        for (row, own) in rows.chunks_exact_mut(n).zip(own.chunks_exact(dp)) {
            let block = &mut row[j * d..(j + 1) * d];
            for column in columns {
                store_within(f64x8::from_slice(simd, &own[column..column + 8]), block, column);
            }
        }
    }

    /// The vectors that begin at `columns` of the block of student `other`, of the rows of `w_j`: the rank-two part
    /// `factor (n_i (e - c f) + e_i s f)`, in which `e - c f = s m`, and the diagonal.
    #[inline(always)]
    fn pair_columns<S: Simd, const C: usize>(
        &self,
        simd: S,
        (j, other): (usize, usize),
        columns: [usize; C],
        geometry: &PairGeometry,
        blocks: &StudentBlocks,
        rows: &mut [f64],
    ) {
        let Layout { d, dp, n, .. } = self.layout;
        let z = self.b.len() + other;
        let mut x = [f64x8::splat(simd, 0.0); C];
        let mut y = x;
        let factor = f64x8::splat(simd, blocks.factor[other]);
        let sine = f64x8::splat(simd, blocks.factor[other] * geometry.sines[z]);
        let slope = f64x8::splat(simd, -geometry.cosines[z]);
        for c in 0..C {
            let (own, start) = (j * dp + columns[c], other * dp + columns[c]);
            let e = f64x8::from_slice(simd, &self.units[own..own + 8]);
            let f = f64x8::from_slice(simd, &self.units[start..start + 8]);
            x[c] = factor * fused(simd, slope, f, e);
            y[c] = sine * f;
        }
        let diagonal = f64x8::splat(simd, blocks.diagonal[other]);
        let across = &geometry.across[z * dp..][..d];
        let e = &self.units[j * dp..][..d];
        for (i, row) in rows.chunks_exact_mut(n).enumerate() {
            let (a, b) = (f64x8::splat(simd, across[i]), f64x8::splat(simd, e[i]));
            let one = &blocks.identity[i * dp..(i + 1) * dp];
            let block = &mut row[other * d..(other + 1) * d];
            for c in 0..C {
                let sum = fused(simd, a, x[c], b * y[c]);
                let one = f64x8::from_slice(simd, &one[columns[c]..columns[c] + 8]);
                store_within(fused(simd, diagonal, one, sum), block, columns[c]);
            }
        }
    }

    /// The derivatives in component `i` of `w_j` and all output weights: `F(w_j, w_k)`, and for `k = j` the field as well.
    #[inline(always)]
    fn mixed_row(&self, (j, i): (usize, usize), m: usize, geometry: &PairGeometry, out: &mut [f64]) {
        let Layout { d, dp, .. } = self.layout;
        let e = self.units[j * dp + i];
        for (other, x) in out.iter_mut().enumerate() {
            let (psi, sine, _) = angles(geometry, m + other, m + j);
            let w = self.w[other * d + i];
            *x = self.slope * self.a[j] * (psi * w + self.lengths[other] * sine * e) / TAU;
            if other == j {
                *x += self.slope * self.field[j * dp + i];
            }
            if let Some(by_sum) = self.by_sum {
                *x += self.alpha * self.a[j] * w + if other == j { by_sum[i] } else { 0.0 };
            }
        }
    }

    /// The derivatives in `a_j` and all output weights.
    #[inline(always)]
    fn kernel_row(&self, j: usize, m: usize, geometry: &PairGeometry, out: &mut [f64]) {
        let Layout { d, .. } = self.layout;
        let row = &self.w[j * d..(j + 1) * d];
        for (other, kernel) in out.iter_mut().enumerate() {
            let (psi, sine, cosine) = angles(geometry, m + other, m + j);
            let h = psi.mul_add(cosine, sine) / TAU;
            *kernel = self.slope * self.lengths[j] * h * self.lengths[other];
            if self.by_sum.is_some() {
                *kernel += self.alpha * dot(row, &self.w[other * d..(other + 1) * d]);
            }
        }
    }
}

/// `pi - theta`, sine and cosine of the angle to unit `z`; exact for the student's own, `own`.
#[inline(always)]
fn angles(geometry: &PairGeometry, z: usize, own: usize) -> (f64, f64, f64) {
    if z == own { (PI, 0.0, 1.0) } else { (geometry.psi[z], geometry.sines[z], geometry.cosines[z]) }
}

/// Stores a vector at `column` of a row, or as much of it as a row of fewer than eight columns takes.
#[inline(always)]
fn store_within<S: Simd>(x: f64x8<S>, row: &mut [f64], column: usize) {
    if let Some(cells) = row.get_mut(column..column + 8) {
        x.store_slice(cells);
    } else {
        let mut all = [0.0; 8];
        x.store_slice(&mut all);
        for (cell, x) in row.iter_mut().zip(all) {
            *cell = x;
        }
    }
}

/// Four rows of `sum_z x_z y_z^T` from row `i` on, in `C` vectors of columns from `at` on; rows of all matrices are `dp` long.
#[inline(always)]
fn outer_sum<S: Simd, const C: usize>(
    simd: S,
    (i, at): (usize, usize),
    dp: usize,
    x: &[f64],
    y: &[f64],
    out: &mut [f64],
) {
    let mut sums = [[f64x8::splat(simd, 0.0); C]; 4];
    for (x, y) in x.chunks_exact(dp).zip(y.chunks_exact(dp)) {
        let (x, y) = (&x[i..i + 4], &y[at..at + 8 * C]);
        for r in 0..4 {
            let x = f64x8::splat(simd, x[r]);
            for c in 0..C {
                sums[r][c] = fused(simd, x, f64x8::from_slice(simd, &y[8 * c..8 * c + 8]), sums[r][c]);
            }
        }
    }
    for r in 0..4 {
        let cells = &mut out[(i + r) * dp + at..(i + r) * dp + at + 8 * C];
        for c in 0..C {
            sums[r][c].store_slice(&mut cells[8 * c..8 * c + 8]);
        }
    }
}
