//! Products of the Hessian with a direction, without forming it.

use super::TwoLayerError;
use super::covariance::{carry_back, whiten};
use super::evaluator::Evaluator;
use super::hessian::bounded;
use super::loss::{output, white_weights};
use super::pair_geometry::PairGeometry;
use super::problem::TwoLayer;
use super::student::{Student, check_entries};
use crate::lanes::{on_lanes, padded};
use crate::vector::dot;
use crate::{Matrix, MatrixView};
use std::f64::consts::{PI, TAU};

impl TwoLayer {
    /// The Hessian (as in [`TwoLayer::hessian`] with all blocks) times a direction.
    ///
    /// ```text
    /// (H p)_{w_j} = sum_k a_j a_k H2(w_j, w_k) p_k + (own block) p_j + sum_k (d2J/dw_j da_k) q_k
    /// (H p)_{a_k} = sum_j (d2J/dw_j da_k) . p_j + sum_l k(w_k, w_l) q_l
    /// ```
    ///
    /// Source: docs/theory/two_layer.md, (T.20).
    ///
    /// - Shapes: `weights` (`p`) is `K x d`, `output` (`q`) has length `K`, or is empty for zero. The result has the
    ///   shapes of a gradient.
    /// - Cost: `O(K (K + M) d)` time, `O((K + M) d)` memory.
    /// - Accuracy (measured, against the full matrix): `16 EPSILON` times the sum of the magnitudes of its terms.
    ///
    /// # Errors
    ///
    /// [`TwoLayerError::ZeroStudent`] if a student is exactly zero; wrong shapes; entries that are not finite.
    ///
    /// # Examples
    ///
    /// ```
    /// use popgrad::{Matrix, Student, TwoLayer};
    /// let problem = TwoLayer::try_new(Matrix::identity(2, 2))?;
    /// let w = Matrix::identity(2, 2);
    /// let p = Matrix::from_rows(&[[1.0, 0.0], [0.0, 0.0]]);
    /// let (by_weights, by_output) = problem.hessian_product(Student::new(w.view()), p.view(), &[])?;
    /// assert_eq!((by_weights.row(0)[0], by_weights.row(1)[0]), (0.5, 0.25));
    /// assert_eq!(by_output.len(), 2);
    /// # Ok::<(), popgrad::TwoLayerError>(())
    /// ```
    pub fn hessian_product(
        &self,
        student: Student<'_>,
        weights: MatrixView<'_>,
        output_direction: &[f64],
    ) -> Result<(Matrix, Vec<f64>), TwoLayerError> {
        let (k, d) = (student.neurons(), self.input_dimension());
        let lengths = [
            ("the direction of the weights", weights.as_slice().len(), k * d, "one for each hidden weight"),
            ("the direction of the outputs", output_direction.len(), k, "one for each student neuron"),
        ];
        for (name, got, want, why) in lengths {
            if got != want && !(got == 0 && want == k) {
                return Err(TwoLayerError::Length { name, got, want, why });
            }
        }
        check_entries("direction", weights.as_slice(), d)?;
        check_entries("output_direction", output_direction, k)?;
        let mut evaluator = Evaluator::new(self, k);
        evaluator.field(student)?;
        if let Some(neuron) = evaluator.lanes.lengths.iter().position(|l| *l == 0.0) {
            return Err(TwoLayerError::ZeroStudent { neuron });
        }
        let q = if output_direction.is_empty() { vec![0.0; k] } else { output_direction.to_vec() };
        Ok(evaluator.multiply(student, weights, &q))
    }
}

impl Evaluator<'_> {
    fn multiply(&mut self, student: Student<'_>, p: MatrixView<'_>, q: &[f64]) -> (Matrix, Vec<f64>) {
        let problem = self.problem();
        let (k, d) = (student.neurons(), problem.input_dimension());
        let mut white = p.to_matrix();
        if let Some(l) = &problem.factor {
            for j in 0..k {
                whiten(l, p.row(j), white.row_mut(j));
            }
        }
        let (w, a) = (white_weights(&self.white, problem, student), output(&self.ones, student));
        let field = self.lanes.field.clone();
        let by_sum = self.linear.active.then_some(&self.linear.by_sum[..]);
        let product = Product { problem, w, a, p: &white, q, field: &field, by_sum };
        let lanes = &mut self.lanes;
        let (mut by_weights, mut by_output) = (Matrix::zeros(k, d), vec![0.0; k]);
        on_lanes!(problem.lanes, simd, WIDE => {
            let (dp, m) = (padded(d), problem.output.len());
            let (cosines, np) = lanes.cosines::<_, WIDE>(simd, w);
            let cosines = cosines.to_vec();
            let mut geometry = PairGeometry::new(m + k, dp);
            for j in 0..k {
                let e = &lanes.units[j * dp..(j + 1) * dp];
                let teachers = problem.white.padded_directions.chunks_exact(dp);
                let all = teachers.chain(lanes.units.chunks_exact(dp));
                geometry.update(simd, e, all, &cosines[j * np..(j + 1) * np]);
                product.row(j, &lanes.units, &lanes.lengths, &geometry, by_weights.row_mut(j), &mut by_output);
            }
        });
        for j in 0..k {
            if let Some(l) = &problem.factor {
                let white = by_weights.row(j).to_vec();
                carry_back(l, &white, by_weights.row_mut(j));
            }
        }
        for x in by_weights.as_mut_slice().iter_mut().chain(&mut by_output) {
            *x *= problem.kappa;
        }
        (by_weights, by_output)
    }
}

/// What a product is made of, in white coordinates.
struct Product<'a> {
    problem: &'a TwoLayer,
    w: &'a [f64],
    a: &'a [f64],
    p: &'a Matrix,
    q: &'a [f64],
    field: &'a [f64],
    by_sum: Option<&'a [f64]>,
}

/// `to += factor * x`.
#[inline(always)]
fn add(to: &mut [f64], factor: f64, x: &[f64]) {
    for (t, x) in to.iter_mut().zip(x) {
        *t = factor.mul_add(*x, *t);
    }
}

impl Product<'_> {
    /// The rows of `w_j` and `a_j`, and the contributions of `p_j` to the other outputs.
    #[inline(always)]
    fn row(
        &self,
        j: usize,
        units: &[f64],
        lengths: &[f64],
        geometry: &PairGeometry,
        to: &mut [f64],
        by_output: &mut [f64],
    ) {
        let d = self.p.cols();
        let (dp, m) = (padded(d), self.problem.output.len());
        let (e, p) = (&units[j * dp..j * dp + d], self.p.row(j));
        let slope = (1.0 - self.problem.alpha) * (1.0 - self.problem.alpha);
        let along = dot(e, p);
        let axis = |z: usize| &geometry.across[z * dp..z * dp + d];
        let mut isotropic = 0.5 * slope * self.a[j] * self.a[j];
        let mut on_unit = 0.0;
        for z in (0..m + self.a.len()).filter(|z| *z != m + j) {
            let (c, length) = if z < m {
                (-self.problem.output[z], self.problem.white.lengths[z])
            } else {
                (self.a[z - m], lengths[z - m])
            };
            let g = bounded(slope * self.a[j] * c * length * geometry.sines[z] / TAU / lengths[j]);
            isotropic += g;
            on_unit -= g * along;
            add(to, g * dot(axis(z), p), axis(z));
        }
        add(to, isotropic, p);
        for k in 0..self.a.len() {
            let w = &self.w[k * d..(k + 1) * d];
            let (mut psi, mut sine, mut cosine) =
                (geometry.psi[m + k], geometry.sines[m + k], geometry.cosines[m + k]);
            if k == j {
                (psi, sine, cosine) = (PI, 0.0, 1.0);
            }
            // F(w_j, w_k) and its product with p_j.
            let (on_w, on_e) = (slope * self.a[j] * psi / TAU, slope * self.a[j] * lengths[k] * sine / TAU);
            add(to, on_w * self.q[k], w);
            on_unit += on_e * self.q[k];
            by_output[k] += on_w * dot(w, p) + on_e * along;
            let kernel = slope * lengths[j] * psi.mul_add(cosine, sine) / TAU * lengths[k];
            by_output[j] += kernel * self.q[k];
            if k != j {
                let (f, other) = (&units[k * dp..k * dp + d], self.p.row(k));
                let factor = slope * self.a[j] * self.a[k] / TAU;
                // m = s e - c n, the axis of w_k's side.
                let back = sine * dot(e, other) - cosine * dot(axis(m + k), other);
                add(to, factor * psi, other);
                add(to, factor * sine * back, axis(m + k));
                on_unit += factor * sine * dot(f, other);
            }
        }
        add(to, on_unit, e);
        let field = &self.field[j * dp..j * dp + d];
        add(to, slope * self.q[j], field);
        by_output[j] += slope * dot(field, p);
        self.linear_row(j, to, by_output);
    }

    /// What leaky slope and skip add.
    #[inline(always)]
    fn linear_row(&self, j: usize, to: &mut [f64], by_output: &mut [f64]) {
        let Some(by_sum) = self.by_sum else { return };
        let (d, alpha) = (self.p.cols(), self.problem.alpha);
        let p = self.p.row(j);
        for k in 0..self.a.len() {
            let w = &self.w[k * d..(k + 1) * d];
            add(to, alpha * self.a[j] * self.a[k], self.p.row(k));
            add(to, alpha * self.a[j] * self.q[k], w);
            by_output[k] += alpha * self.a[j] * dot(w, p);
            by_output[j] += alpha * dot(&self.w[j * d..(j + 1) * d], w) * self.q[k];
        }
        add(to, self.q[j], by_sum);
        by_output[j] += dot(by_sum, p);
    }
}
