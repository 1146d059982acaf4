//! The loss on given data: mean of squared residuals over samples, and its gradient.
//!
//! `J(W, a, c) = 1/(2N) sum_n (g(x_n) - y_n)^2`, per sample: the paper's eq. 2 sums over samples and is `N` times
//! this, and so is its gradient. No law of `x` is supposed. The empirical loss is only piecewise smooth: it has a
//! kink wherever a student's pre-activation is zero at a sample.
//!
//! Samples are kept eight side by side and summed in a fixed order, with the same bits at every instruction set.

use crate::dynamics::Trained;
use crate::eight::{EIGHT, Eight, project};
use crate::lanes::{Lanes, on_lanes, sum_lanes};
use crate::network::{activation, check_list, check_matrix};
use crate::{Landscape, Matrix, Network, NetworkError};
use fearless_simd::prelude::*;
use fearless_simd::{Simd, f64x8};
use std::ops::Range;

/// Groups of eight samples whose partial sums are taken before they join the total.
const BLOCK: usize = 32;

/// Given inputs with given targets.
#[derive(Clone, Debug)]
pub struct EmpiricalLoss {
    samples: usize,
    inputs: usize,
    leaky: f64,
    /// Coordinate `j` of samples `8 g..8 g + 8` at `g * d + j`; the last group is filled up with zeros.
    x: Vec<Eight>,
    /// Targets, and 1 for samples that count, group by group.
    targets: Vec<Eight>,
    active: Vec<Eight>,
}

/// Value and gradient of the empirical loss.
#[derive(Clone, Debug, PartialEq)]
pub struct EmpiricalGradient {
    /// The loss.
    pub loss: f64,
    /// Gradient in the weights, one unit a row.
    pub weights: Matrix,
    /// Gradient in the output weights.
    pub output: Vec<f64>,
    /// Gradient in the skip weights.
    pub skip: Vec<f64>,
}

impl EmpiricalLoss {
    /// Data whose targets are a teacher's values.
    ///
    /// - Shapes: `inputs` is N x d, one sample a row; `d` is the teacher's input dimension.
    ///
    /// # Errors
    ///
    /// [`NetworkError`] if there are no samples, an entry is not finite, or the dimensions differ.
    ///
    /// # Examples
    ///
    /// ```
    /// use popgrad::{EmpiricalLoss, Matrix, Network};
    /// let teacher = Network::try_new(Matrix::from_rows(&[[1.0, 0.0]]))?;
    /// let data = EmpiricalLoss::try_new(&Matrix::from_rows(&[[1.0, 2.0], [-1.0, 0.5]]), &teacher)?;
    /// let student = Network::try_new(Matrix::from_rows(&[[3.0, 0.0]]))?;
    /// // Residuals 3 - 1 and 0 - 0, so J = (4 + 0) / (2 * 2), and dJ/dw = (2 (1, 2) + 0) / 2.
    /// let g = data.gradient(&student)?;
    /// assert_eq!((g.loss, g.weights.row(0)), (1.0, &[1.0, 2.0][..]));
    /// # Ok::<(), popgrad::NetworkError>(())
    /// ```
    pub fn try_new(inputs: &Matrix, teacher: &Network) -> Result<Self, NetworkError> {
        let (got, wanted) = (inputs.cols(), teacher.inputs());
        if got != wanted {
            let meaning = "input dimension of the teacher";
            return Err(NetworkError::Size { which: "a row of the inputs", got, wanted, meaning });
        }
        let targets: Vec<f64> = (0..inputs.rows()).map(|n| teacher.eval(inputs.row(n))).collect();
        Self::try_with_targets(inputs, &targets, teacher.leaky())
    }

    /// Data with targets of any origin, for students with the given leaky slope.
    ///
    /// - Shapes: `inputs` is N x d, `targets` has N entries.
    ///
    /// # Errors
    ///
    /// [`NetworkError`] if there are no samples, an entry is not finite, or the numbers of samples differ.
    pub fn try_with_targets(inputs: &Matrix, targets: &[f64], leaky: f64) -> Result<Self, NetworkError> {
        check_matrix("inputs", inputs.view())?;
        check_list("targets", targets, inputs.rows(), "number of samples")?;
        check_list("leaky slope", &[leaky], 1, "single slope")?;
        let (samples, d) = (inputs.rows(), inputs.cols());
        let groups = samples.div_ceil(EIGHT);
        let mut out = Self {
            samples,
            inputs: d,
            leaky,
            x: vec![Eight::default(); groups * d],
            targets: vec![Eight::default(); groups],
            active: vec![Eight::default(); groups],
        };
        for n in 0..samples {
            let (group, lane) = (n / EIGHT, n % EIGHT);
            for (to, from) in out.x[group * d..].iter_mut().zip(inputs.row(n)) {
                to.0[lane] = *from;
            }
            out.targets[group].0[lane] = targets[n];
            out.active[group].0[lane] = 1.0;
        }
        Ok(out)
    }

    /// Number of samples `N`.
    pub fn samples(&self) -> usize {
        self.samples
    }

    /// Input dimension `d`.
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// The loss of a student, `1/(2N) sum_n (g(x_n) - y_n)^2`.
    ///
    /// Source: Tian (2017), eq. 2, divided by N; docs/theory/sampling.md, (M.18).
    ///
    /// - Accuracy: relative error at most `(d + K + 64) EPSILON` of the mean squared sizes of the residual's terms.
    ///
    /// # Errors
    ///
    /// [`NetworkError::Size`] or [`NetworkError::Leaky`] if the student does not fit the data.
    pub fn loss(&self, student: &Network) -> Result<f64, NetworkError> {
        self.check(student)?;
        let mut sums = vec![Eight::default(); self.components(student)];
        on_lanes!(Lanes::detect(), simd => self.accumulate(simd, student, false, &mut sums));
        Ok(sums[0].0[0] / self.samples as f64)
    }

    /// The loss of a student and its gradient.
    ///
    /// ```text
    /// dJ/dw_j = 1/N sum_n r_n a_j s'(w_j . x_n) x_n,   r_n = g(x_n) - y_n,   s'(0) = alpha
    /// ```
    ///
    /// Source: Tian (2017), eq. 3, divided by N; docs/theory/sampling.md, (M.18).
    ///
    /// - Shapes: rows as the student's units.
    /// - Accuracy: as [`Self::loss`], of the mean sizes of the summands.
    ///
    /// # Errors
    ///
    /// [`NetworkError::Size`] or [`NetworkError::Leaky`] if the student does not fit the data.
    pub fn gradient(&self, student: &Network) -> Result<EmpiricalGradient, NetworkError> {
        self.check(student)?;
        let mut sums = vec![Eight::default(); self.components(student)];
        on_lanes!(Lanes::detect(), simd => self.accumulate(simd, student, true, &mut sums));
        let mean: Vec<f64> = sums.iter().map(|s| s.0[0] / self.samples as f64).collect();
        let (units, d) = (student.units(), self.inputs);
        let mut weights = Matrix::zeros(units, d);
        weights.as_mut_slice().copy_from_slice(&mean[1 + units + d..]);
        Ok(EmpiricalGradient {
            loss: mean[0],
            weights,
            output: mean[1..=units].to_vec(),
            skip: mean[1 + units..1 + units + d].to_vec(),
        })
    }

    fn check(&self, student: &Network) -> Result<(), NetworkError> {
        let (got, wanted) = (student.inputs(), self.inputs);
        if got != wanted {
            let meaning = "input dimension of the data";
            return Err(NetworkError::Size { which: "a row of the student's weights", got, wanted, meaning });
        }
        if student.leaky() != self.leaky {
            return Err(NetworkError::Leaky { teacher: self.leaky, student: student.leaky() });
        }
        Ok(())
    }

    /// The loss, output weights, skip weights, weights row by row.
    fn components(&self, student: &Network) -> usize {
        1 + student.units() + (1 + student.units()) * self.inputs
    }

    /// Sums over all samples, in lane 0 of each component. Without `all` only the loss is formed.
    #[inline(always)]
    fn accumulate<S: Simd>(&self, simd: S, student: &Network, all: bool, totals: &mut [Eight]) {
        let d = self.inputs;
        let mut sums = vec![Eight::default(); totals.len()];
        let mut units = vec![Eight::default(); student.units()];
        let groups = self.targets.len();
        for (g, x) in self.x.chunks_exact(d).enumerate() {
            let value = student.eval_eight(simd, x, Some(&mut units)) + project(simd, student.skip(), x);
            let residual = (value - self.targets[g].load(simd)) * self.active[g].load(simd);
            add(simd, &mut sums[0], residual * residual * f64x8::splat(simd, 0.5));
            if all {
                add_gradient(simd, student, (x, &units), residual, &mut sums[1..]);
            }
            if (g + 1) % BLOCK == 0 || g + 1 == groups {
                for (total, sum) in totals.iter_mut().zip(&mut sums) {
                    total.0[0] += sum_lanes(sum.load(simd));
                    *sum = Eight::default();
                }
            }
        }
    }
}

#[inline(always)]
fn add<S: Simd>(simd: S, sum: &mut Eight, y: f64x8<S>) {
    sum.store(sum.load(simd) + y);
}

/// Adds one group's gradient: output weights, skip weights, weights row by row.
#[inline(always)]
fn add_gradient<S: Simd>(
    simd: S,
    student: &Network,
    (x, units): (&[Eight], &[Eight]),
    residual: f64x8<S>,
    sums: &mut [Eight],
) {
    let (alpha, one) = (f64x8::splat(simd, student.leaky()), f64x8::splat(simd, 1.0));
    let (output, rest) = sums.split_at_mut(units.len());
    let (skip, weights) = rest.split_at_mut(x.len());
    for (sum, x) in skip.iter_mut().zip(x) {
        add(simd, sum, residual * x.load(simd));
    }
    for (j, row) in weights.chunks_exact_mut(x.len()).enumerate() {
        let z = units[j].load(simd);
        add(simd, &mut output[j], residual * activation(simd, student.leaky(), z));
        let slope = z.simd_gt(f64x8::splat(simd, 0.0)).select(one, alpha);
        let factor = residual * slope * f64x8::splat(simd, student.output()[j]);
        for (sum, x) in row.iter_mut().zip(x) {
            add(simd, sum, factor * x.load(simd));
        }
    }
}

/// The empirical loss as a landscape for gradient descent and flow.
///
/// The point is the student's weights row by row, followed by its output weights where those are trained; what is not
/// trained stays as in the student given.
///
/// ```
/// use popgrad::{EmpiricalLandscape, EmpiricalLoss, Landscape, Matrix, Network, Trained};
/// let teacher = Network::try_new(Matrix::from_rows(&[[1.0, 0.0]]))?;
/// let data = EmpiricalLoss::try_new(&Matrix::from_rows(&[[1.0, 2.0], [-1.0, 0.5]]), &teacher)?;
/// let mut landscape = EmpiricalLandscape::try_new(data, teacher, Trained::Weights)?;
/// assert_eq!(landscape.loss(&[3.0, 0.0]), 1.0);
/// # Ok::<(), popgrad::NetworkError>(())
/// ```
#[derive(Clone, Debug)]
pub struct EmpiricalLandscape {
    data: EmpiricalLoss,
    student: Network,
    trained: Trained,
}

impl EmpiricalLandscape {
    /// The landscape of students of the shape of `student`, which also gives what is not trained.
    ///
    /// # Errors
    ///
    /// [`NetworkError::Size`] or [`NetworkError::Leaky`] if the student does not fit the data.
    pub fn try_new(data: EmpiricalLoss, student: Network, trained: Trained) -> Result<Self, NetworkError> {
        data.check(&student)?;
        Ok(Self { data, student, trained })
    }

    /// The point of the student given.
    pub fn start(&self) -> Vec<f64> {
        let mut point = self.student.weights().as_slice().to_vec();
        if self.trained == Trained::WeightsAndOutput {
            point.extend_from_slice(self.student.output());
        }
        point
    }
}

impl Landscape for EmpiricalLandscape {
    fn dimension(&self) -> usize {
        let (units, d) = (self.student.units(), self.data.inputs);
        units * d + if self.trained == Trained::WeightsAndOutput { units } else { 0 }
    }

    /// The slice of a student that is exactly zero is zero, also with a leaky slope. A point that is not finite gives
    /// a gradient that is not finite either.
    fn gradient(&mut self, point: &[f64], out: &mut [f64]) {
        self.student.set_parameters(point);
        match self.data.gradient(&self.student) {
            Ok(g) => {
                let parts = g.weights.as_slice().iter().chain(&g.output);
                for (to, from) in out.iter_mut().zip(parts) {
                    *to = *from;
                }
                for slice in self.students() {
                    if point[slice.clone()].iter().all(|w| *w == 0.0) {
                        out[slice].fill(0.0);
                    }
                }
            }
            Err(_) => out.fill(f64::NAN),
        }
    }

    fn loss(&mut self, point: &[f64]) -> f64 {
        self.student.set_parameters(point);
        self.data.loss(&self.student).unwrap_or(f64::NAN)
    }

    fn students(&self) -> Vec<Range<usize>> {
        let d = self.data.inputs;
        (0..self.student.units()).map(|j| j * d..(j + 1) * d).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Level, RandomStream};

    #[test]
    fn every_instruction_set_gives_the_same_bits() {
        let mut stream = RandomStream::new(13, 0);
        let mut matrix = |rows, cols| {
            let mut m = Matrix::zeros(rows, cols);
            stream.fill_normal(m.as_mut_slice());
            m
        };
        let (teacher, student) = (matrix(2, 7), matrix(3, 7));
        let (teacher, student) = (Network::try_new(teacher).unwrap(), Network::try_new(student).unwrap());
        let data = EmpiricalLoss::try_new(&matrix(301, 7), &teacher).unwrap();
        let results = Level::available().into_iter().map(|level| {
            let mut sums = vec![Eight::default(); data.components(&student)];
            let lanes = Lanes::new(level).expect("available");
            on_lanes!(lanes, simd => data.accumulate(simd, &student, true, &mut sums));
            sums
        });
        let results: Vec<Vec<Eight>> = results.collect();
        assert!(results.iter().all(|r| r == &results[0]));
    }
}
