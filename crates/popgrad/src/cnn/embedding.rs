//! The same problem through the general two-layer code: patches as blocks of one long input.
//!
//! Unit `j` sees the input `(Z_1, ..., Z_k)` of dimension `k p` through the filter in block `j` and zeros elsewhere. The
//! derivatives in the shared filter follow by the chain rule (docs/theory/cnn.md, (W.17)-(W.19)). This is an independent
//! computation of every closed form of the module, and costs `k^2` pairs of units of dimension `k p`.

use super::{Cnn, CnnError, CnnForm, CnnGradient, CnnStudent};
use crate::angle::split;
use crate::vector::{dot, norm};
use crate::{
    Blocks, Matrix, MonteCarloError, Network, NetworkError, NetworkEstimate, SampleLaw, SamplePlan, Student,
    TwoLayer, network_monte_carlo,
};

/// A convolutional student and its teacher as two-layer networks on blocks; made by [`Cnn::embedding`].
#[derive(Clone, Debug)]
pub struct CnnEmbedding {
    problem: TwoLayer,
    /// Hidden weights of the student, `k x kp`.
    weights: Matrix,
    output: Vec<f64>,
    form: CnnForm,
    /// `u = v/|v|` and `|v|`.
    unit: Vec<f64>,
    length: f64,
}

/// One copy of a filter in each of `k` blocks, `k x kp`.
fn blocks(filter: &[f64], k: usize) -> Matrix {
    let p = filter.len();
    let mut weights = Matrix::zeros(k, k * p);
    for j in 0..k {
        weights.row_mut(j)[j * p..(j + 1) * p].copy_from_slice(filter);
    }
    weights
}

impl Cnn {
    /// The student and the teacher as two-layer networks whose input is all patches in a row.
    ///
    /// ```text
    /// w_j = (0, ..., u, ..., 0) with u = v/|v| (normalised) or v (plain) in block j,   v_j = (0, ..., w*, ..., 0)
    /// ```
    ///
    /// Source: docs/theory/cnn.md, (W.17).
    ///
    /// - Shapes: weights `k x kp` on both sides.
    /// - Domain: as [`Cnn::loss`]; a zero filter is refused in both forms, since its chain rule has no direction.
    /// - Memory: eight bytes an entry of one matrix of weights, refused beyond [`Cnn::with_memory_limit`].
    ///
    /// # Errors
    ///
    /// As [`Cnn::hessian`], and [`CnnError::TwoLayer`].
    ///
    /// # Examples
    ///
    /// ```
    /// use popgrad::{Cnn, CnnStudent};
    /// let problem = Cnn::with_ratio(3, 2, 1.0)?;
    /// let student = CnnStudent { filter: &[1.0, 2.0], output: &[0.5, -0.25, 1.0] };
    /// let embedding = problem.embedding(student)?;
    /// assert_eq!((embedding.weights().rows(), embedding.weights().cols()), (3, 6));
    /// assert!((embedding.loss()? - problem.loss(student)?).abs() < 1e-15);
    /// # Ok::<(), popgrad::CnnError>(())
    /// ```
    pub fn embedding(&self, student: CnnStudent<'_>) -> Result<CnnEmbedding, CnnError> {
        student.check(self)?;
        if student.has_zero_filter() {
            return Err(CnnError::ZeroFilter { what: "the embedding" });
        }
        let (k, p) = (self.patches(), self.patch_dimension());
        self.check_memory("a matrix of embedded weights", (k as u128) * (k as u128) * (p as u128))?;
        let unit = split(student.filter, self.filter()).axis;
        let row = if self.form() == CnnForm::Normalised { &unit[..] } else { student.filter };
        let weights = blocks(row, k);
        let problem = TwoLayer::try_new(blocks(self.filter(), k))?
            .with_teacher_output(self.output().to_vec())?
            .with_memory_limit(self.memory_limit());
        Ok(CnnEmbedding {
            problem,
            weights,
            output: student.output.to_vec(),
            form: self.form(),
            length: norm(student.filter),
            unit,
        })
    }
}

impl CnnEmbedding {
    /// The embedded teacher.
    pub fn problem(&self) -> &TwoLayer {
        &self.problem
    }

    /// The embedded student's hidden weights, `k x kp`.
    pub fn weights(&self) -> &Matrix {
        &self.weights
    }

    /// The embedded student.
    pub fn student(&self) -> Student<'_> {
        Student::new(self.weights.view()).with_output(&self.output)
    }

    fn shape(&self) -> (usize, usize) {
        (self.weights.rows(), self.unit.len())
    }

    /// The population loss, from the general two-layer code.
    ///
    /// Source: docs/theory/two_layer.md, (T.2); docs/theory/cnn.md, (W.17).
    ///
    /// - Accuracy: as [`TwoLayer::loss`] at the unit filter as rounded.
    ///
    /// # Errors
    ///
    /// [`CnnError::TwoLayer`].
    pub fn loss(&self) -> Result<f64, CnnError> {
        Ok(self.problem.loss(self.student())?)
    }

    /// The gradient in filter and output weights, by the chain rule from that of the two-layer code.
    ///
    /// ```text
    /// grad_v = D^T sum_j (grad_{w_j})_(block j),   D = (I - uu^T)/|v| (normalised) or I (plain)
    /// ```
    ///
    /// Source: docs/theory/cnn.md, (W.18).
    ///
    /// - Accuracy: `4 EPSILON` times the sum of the norms of the terms, as [`TwoLayer::gradient`], over `|v|` if normalised.
    ///
    /// # Errors
    ///
    /// [`CnnError::TwoLayer`].
    pub fn gradient(&self) -> Result<CnnGradient, CnnError> {
        let gradient = self.problem.gradient(self.student())?;
        let total = self.shared(&gradient.weights);
        Ok(CnnGradient { filter: self.carried(&total), output: gradient.output, zero_filter: false })
    }

    /// Sum over the units of the own block of their rows.
    fn shared(&self, rows: &Matrix) -> Vec<f64> {
        let (k, p) = self.shape();
        let mut total = vec![0.0; p];
        for j in 0..k {
            for (t, x) in total.iter_mut().zip(&rows.row(j)[j * p..(j + 1) * p]) {
                *t += x;
            }
        }
        total
    }

    /// `D^T x`.
    fn carried(&self, x: &[f64]) -> Vec<f64> {
        match self.form {
            CnnForm::Plain => x.to_vec(),
            CnnForm::Normalised => {
                let along = dot(x, &self.unit);
                x.iter().zip(&self.unit).map(|(x, u)| (x - along * u) / self.length).collect()
            }
        }
    }

    /// The Hessian in `(v, a)`, by the chain rule from that of the two-layer code.
    ///
    /// ```text
    /// vv: D^T [sum_jl (d2J/dw_j dw_l)_(block j, block l)] D - (1/|v|^2) [u (Pg)^T + (Pg) u^T + (u.g) P],   va: D^T (...),   aa
    /// ```
    ///
    /// with `g = sum_j (grad_{w_j})_(block j)`, `P = I - uu^T`; in the plain form `D = I` and the second term is absent.
    ///
    /// Source: docs/theory/cnn.md, (W.19).
    ///
    /// - Shapes: square, `p + k`. The two-layer Hessian behind it has `k (kp + 1)` rows.
    /// - Accuracy: `8 EPSILON` times the sum of the sizes of the terms, over `|v|^2` if normalised.
    ///
    /// # Errors
    ///
    /// [`CnnError::TwoLayer`], which also refuses a Hessian beyond its memory limit.
    pub fn hessian(&self) -> Result<Matrix, CnnError> {
        let (k, p) = self.shape();
        let full = self.problem.hessian(self.student(), Blocks::All)?;
        let own = |j: usize, i: usize| j * (k * p) + j * p + i;
        let mut filter = Matrix::zeros(p, p);
        let mut mixed = Matrix::zeros(k, p);
        for j in 0..k {
            for i in 0..p {
                let row = full.row(own(j, i));
                for l in 0..k {
                    for (m, t) in filter.row_mut(i).iter_mut().enumerate() {
                        *t += row[own(l, m)];
                    }
                    mixed.row_mut(l)[i] += row[k * k * p + l];
                }
            }
        }
        let filter = self.filter_block(&filter)?;
        let mut hessian = Matrix::zeros(p + k, p + k);
        for i in 0..p {
            hessian.row_mut(i)[..p].copy_from_slice(filter.row(i));
        }
        for j in 0..k {
            let carried = self.carried(mixed.row(j));
            for (i, x) in carried.iter().enumerate() {
                hessian.row_mut(i)[p + j] = *x;
            }
            let row = hessian.row_mut(p + j);
            row[..p].copy_from_slice(&carried);
            row[p..].copy_from_slice(&full.row(k * k * p + j)[k * k * p..]);
        }
        Ok(hessian)
    }

    /// The block in the filter from the summed blocks of the units.
    fn filter_block(&self, sums: &Matrix) -> Result<Matrix, CnnError> {
        let p = self.unit.len();
        if self.form == CnnForm::Plain {
            return Ok(sums.clone());
        }
        let mut half = Matrix::zeros(p, p);
        for i in 0..p {
            half.row_mut(i).copy_from_slice(&self.carried(sums.row(i)));
        }
        let half = half.transposed();
        let g = self.shared(&self.problem.gradient(self.student())?.weights);
        let across = self.carried(&g); // Pg / |v|
        let (u, along) = (&self.unit, dot(&g, &self.unit));
        let mut block = Matrix::zeros(p, p);
        for i in 0..p {
            let carried = self.carried(half.row(i));
            for (l, entry) in block.row_mut(i).iter_mut().enumerate() {
                let identity = f64::from(u8::from(i == l)) - u[i] * u[l];
                let turned = u[i] * across[l] + across[i] * u[l] + along * identity / self.length;
                *entry = carried[l] - turned / self.length;
            }
        }
        Ok(block)
    }

    /// Teacher and student in the form that sampling takes.
    ///
    /// # Errors
    ///
    /// [`NetworkError`].
    pub fn networks(&self) -> Result<(Network, Network), NetworkError> {
        let network =
            |weights: Matrix, output: &[f64]| Network::try_new(weights)?.with_output(output.to_vec());
        let teacher = network(self.problem.teacher().to_matrix(), self.problem.teacher_output())?;
        Ok((teacher, network(self.weights.clone(), &self.output)?))
    }

    /// Monte Carlo estimate of loss and gradient from seeded samples of all patches, with standard errors.
    ///
    /// The rows of the estimate's `weights` are the derivatives in the embedded units; the derivative in the shared filter
    /// is that of [`CnnEmbedding::filter_estimate`].
    ///
    /// Source: docs/theory/sampling.md, (M.17); docs/theory/cnn.md, (W.18).
    ///
    /// # Errors
    ///
    /// [`MonteCarloError`].
    ///
    /// # Examples
    ///
    /// ```
    /// use popgrad::{Cnn, CnnStudent, SamplePlan};
    /// let problem = Cnn::with_ratio(3, 2, 1.0)?;
    /// let student = CnnStudent { filter: &[1.0, 2.0], output: &[0.5, -0.25, 1.0] };
    /// let sampled = problem.embedding(student)?.monte_carlo(SamplePlan { samples: 20_000, seed: 1 })?;
    /// assert!((sampled.loss - problem.loss(student)?).abs() < 5.0 * sampled.loss_error);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn monte_carlo(&self, plan: SamplePlan) -> Result<NetworkEstimate, MonteCarloError> {
        let (teacher, student) = self.networks()?;
        network_monte_carlo(&teacher, &student, SampleLaw::Gaussian, plan)
    }

    /// The derivative in the shared filter of a sampled estimate, and a bound of its standard errors: the entries of a
    /// sum are not independent, so their standard errors are added.
    ///
    /// ```text
    /// D^T sum_j (grad_{w_j})_(block j),   standard error of entry i at most sum_l |D_li| sum_j se(grad_{w_j})_l
    /// ```
    ///
    /// Source: docs/theory/cnn.md, (W.18).
    ///
    /// - Accuracy: the standard errors.
    pub fn filter_estimate(&self, estimate: &NetworkEstimate) -> (Vec<f64>, Vec<f64>) {
        let mean = self.carried(&self.shared(&estimate.weights));
        let errors = self.shared(&estimate.weights_error);
        let bound = match self.form {
            CnnForm::Plain => errors,
            CnnForm::Normalised => {
                let along: f64 = errors.iter().zip(&self.unit).map(|(e, u)| e * u.abs()).sum();
                let pairs = errors.iter().zip(&self.unit);
                pairs
                    .map(|(e, u)| (e * (1.0 - u * u) + (along - e * u.abs()) * u.abs()) / self.length)
                    .collect()
            }
        };
        (mean, bound)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_unit_sees_its_own_block() {
        let problem = Cnn::try_new(&[1.0, 2.0], &[1.0, -1.0]).unwrap();
        let student = CnnStudent { filter: &[0.0, 3.0], output: &[0.5, 0.25] };
        let embedding = problem.embedding(student).unwrap();
        assert_eq!(embedding.weights().as_slice(), [0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0]);
        assert_eq!(embedding.problem().teacher().as_slice(), [1.0, 2.0, 0.0, 0.0, 0.0, 0.0, 1.0, 2.0]);
        let plain = problem.with_form(CnnForm::Plain).embedding(student).unwrap();
        assert_eq!(plain.weights().as_slice(), [0.0, 3.0, 0.0, 0.0, 0.0, 0.0, 0.0, 3.0]);
    }
}
