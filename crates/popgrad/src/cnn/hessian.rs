//! The Hessian in filter and output weights.

use super::geometry::{Geometry, in_range};
use super::{Cnn, CnnError, CnnForm, CnnStudent};
use crate::Matrix;
use crate::vector::{dot, norm};
use std::f64::consts::{PI, TAU};

/// The block in `v` is `identity I + axis uu^T + mixed (u x^T + x u^T) + across xx^T`, with `u = v/|v|` and `x = (I - uu^T) w*/s`.
struct FilterBlock {
    identity: f64,
    axis: f64,
    mixed: f64,
    across: f64,
}

impl Cnn {
    /// The Hessian of the loss in `(v, a)`.
    ///
    /// ```text
    /// vv: (alpha s / 2pi|v|^2) [psi cos(phi) (I - uu^T) + psi sin(phi) (ue^T + eu^T) - sin(phi) ee^T]
    /// va: -(psi s sin(phi) / 2pi|v|) e a*^T        aa: (1/2pi) [11^T + (pi-1) I]
    /// ```
    ///
    /// in the normalised form, with `psi = pi - phi`, `u = v/|v|`, `s sin(phi) e = (I - uu^T) w*`. In the plain form
    ///
    /// ```text
    /// vv: (1/2pi) [(S_a^2 + (pi-1)|a|^2) I - (s (S_a S* - alpha)/|v|) (I - uu^T) - (alpha s sin(phi)/|v|) (I - uu^T + ee^T)]
    /// va, column j: (1/2pi) [(2|v| (S_a + (pi-1) a_j) - s S* - s (h-1) a*_j) u - a*_j psi s sin(phi) e]
    /// aa: (|v|^2/2pi) [11^T + (pi-1) I]
    /// ```
    ///
    /// The loss does not change along the orbit `(c v, a)`, `c > 0`, of the normalised form and along `(c v, a/c)` of the
    /// plain form, so at a critical point `(v, 0)`, or `(v, -a)`, is a null direction. Elsewhere the Hessian times that
    /// direction is `-(grad_v, 0)`, or `(-grad_v, grad_a)`.
    ///
    /// Source: docs/theory/cnn.md, (W.13)-(W.16). `J` is twice continuously differentiable wherever `v` is not zero, also at
    /// `phi = 0` and `phi = pi`, where the limits are returned.
    ///
    /// - Shapes: square, `p + k`; the variables are `v_1, ..., v_p, a_1, ..., a_k`.
    /// - Accuracy (measured, against 50 digits): each entry `4 EPSILON` times the sum of the sizes of the terms of its block,
    ///   with sine and cosine taken as one.
    /// - Memory: eight bytes an entry, refused beyond [`Cnn::with_memory_limit`].
    ///
    /// # Errors
    ///
    /// [`CnnError::ZeroFilter`] in both forms, [`CnnError::Memory`], and as [`Cnn::loss`].
    ///
    /// # Examples
    ///
    /// ```
    /// use popgrad::{Cnn, CnnStudent};
    /// let problem = Cnn::try_new(&[1.0, 0.0], &[1.0])?;
    /// let hessian = problem.hessian(CnnStudent { filter: &[2.0, 0.0], output: &[1.0] })?;
    /// // At the global minimum: 0 along v, s^2 |a*|^2 / (2 |v|^2) across it, 1/2 in a.
    /// assert_eq!((hessian.row(0)[0], hessian.row(1)[1], hessian.row(2)[2]), (0.0, 0.125, 0.5));
    /// # Ok::<(), popgrad::CnnError>(())
    /// ```
    pub fn hessian(&self, student: CnnStudent<'_>) -> Result<Matrix, CnnError> {
        let (p, k) = (self.patch_dimension(), self.patches());
        let n = (p + k) as u128;
        self.check_memory("the Hessian", n * n)?;
        let g = Geometry::new(self, student, "the Hessian")?;
        if g.length == 0.0 {
            return Err(CnnError::ZeroFilter { what: "the Hessian" });
        }
        let mut hessian = Matrix::zeros(p + k, p + k);
        self.fill_filter(&g, student, &mut hessian);
        self.fill_mixed(&g, student, &mut hessian);
        let square = if self.form() == CnnForm::Plain { g.length * g.length } else { 1.0 };
        for j in 0..k {
            let row = &mut hessian.row_mut(p + j)[p..];
            row.fill(square / TAU);
            // 1/2pi + (pi-1)/2pi = 1/2
            row[j] = 0.5 * square;
        }
        in_range("the Hessian", hessian.as_slice())?;
        Ok(hessian)
    }

    /// The block in the filter.
    fn fill_filter(&self, g: &Geometry, student: CnnStudent<'_>, hessian: &mut Matrix) {
        let (u, x) = (&g.split.axis, &g.split.across);
        let block = self.filter_block(g, student, norm(x));
        for i in 0..u.len() {
            let row = &mut hessian.row_mut(i)[..u.len()];
            for (l, entry) in row.iter_mut().enumerate() {
                let mixed = block.mixed * (u[i] * x[l] + x[i] * u[l]);
                *entry = block.axis * (u[i] * u[l]) + mixed + block.across * (x[i] * x[l]);
                if i == l {
                    *entry += block.identity;
                }
            }
        }
    }

    /// The coefficients of the block in the filter; `sine` is `|x| = sin(phi)`.
    fn filter_block(&self, g: &Geometry, student: CnnStudent<'_>, sine: f64) -> FilterBlock {
        let angle = g.split.angle;
        // sin(phi) ee^T = xx^T / sin(phi), which vanishes with x.
        let over_sine = |factor: f64| if sine == 0.0 { 0.0 } else { factor / sine };
        match self.form() {
            CnnForm::Normalised => {
                let factor = g.alpha * g.s / TAU / g.length / g.length;
                let identity = factor * angle.psi * libm::cos(angle.theta);
                let mixed = factor * angle.psi;
                FilterBlock { identity, axis: -identity, mixed, across: over_sine(-factor) }
            }
            CnnForm::Plain => {
                let (a, star) = (student.output, self.output());
                let (total, alpha) = (super::geometry::sum(a), dot(a, star));
                let constant = (total * total + (PI - 1.0) * dot(a, a)) / TAU;
                let pull = g.s * (total * self.output_sum() - alpha) / TAU / g.length;
                let turning = alpha * g.s / TAU / g.length;
                let outward = pull + turning * sine;
                let identity = constant - outward;
                FilterBlock { identity, axis: outward, mixed: 0.0, across: over_sine(-turning) }
            }
        }
    }

    /// The block between filter and output weights, and its transpose.
    fn fill_mixed(&self, g: &Geometry, student: CnnStudent<'_>, hessian: &mut Matrix) {
        let (p, a) = (self.patch_dimension(), student.output);
        let turning = g.s * g.split.angle.psi / TAU;
        let total = super::geometry::sum(a);
        for (j, star) in self.output().iter().enumerate() {
            let (along, across) = match self.form() {
                CnnForm::Normalised => (0.0, -turning / g.length * star),
                CnnForm::Plain => {
                    let own = g.length * (total + (PI - 1.0) * a[j]);
                    // 2 own - s (S* + (h-1) a*_j) = own + (1.b + (pi-1) b_j + s (pi-h) a*_j)
                    let rest = g.difference_sum + (PI - 1.0) * g.difference[j] + g.s * g.gap * star;
                    ((own + rest) / TAU, -turning * star)
                }
            };
            for i in 0..p {
                let entry = along * g.split.axis[i] + across * g.split.across[i];
                hessian.row_mut(i)[p + j] = entry;
                hessian.row_mut(p + j)[i] = entry;
            }
        }
    }
}
