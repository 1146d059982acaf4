//! Repeated evaluation at one number of students, without allocation.

use super::TwoLayerError;
use super::covariance::{carry_back, whiten};
use super::field_lanes::LaneField;
use super::loss::{output, white_weights};
use super::near_teacher::NearField;
use super::problem::TwoLayer;
use super::student::{Gradient, Student};
use crate::Matrix;
use crate::lanes::on_lanes;
use crate::vector::dot;

/// Default of [`Evaluator::with_pairs_below`]: there the plain field is still good to `2 EPSILON`, relatively.
pub(super) const CANCELLING: f64 = 0.1;

/// Evaluates one problem at many students of one size; after construction, gradients allocate nothing.
///
/// ```
/// use popgrad::{Evaluator, Matrix, Student, TwoLayer};
/// let problem = TwoLayer::try_new(Matrix::identity(3, 3))?;
/// let mut evaluator = Evaluator::new(&problem, 3);
/// let mut gradient = vec![0.0; 9];
/// evaluator.gradient_into(Student::new(Matrix::identity(3, 3).view()), &mut gradient)?;
/// assert_eq!(gradient, [0.0; 9]);
/// # Ok::<(), popgrad::TwoLayerError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Evaluator<'p> {
    problem: &'p TwoLayer,
    k: usize,
    pub(super) lanes: LaneField,
    pub(super) near: Option<NearField>,
    /// Whether the last field came from pairs of student and teacher.
    pub(super) paired: bool,
    /// See [`Evaluator::with_pairs_below`].
    pairs_below: f64,
    pub(super) ones: Vec<f64>,
    /// Students in white coordinates, used with a covariance only.
    pub(super) white: Vec<f64>,
    /// The linear parts of the last evaluation.
    pub(super) linear: Linear,
    zero_students: Vec<usize>,
}

/// What leaky slope and skip add: a vector for every neuron and one for the skip (docs/theory/input_laws.md, (I.5)).
#[derive(Clone, Debug)]
pub(super) struct Linear {
    pub(super) active: bool,
    /// `s = sum_j a_j w_j - sum_m b_m v_m`, white.
    pub(super) sum: Vec<f64>,
    /// White difference of the skips, `c - c*`.
    skip: Vec<f64>,
    /// `q = alpha s + c - c*`.
    pub(super) shift: Vec<f64>,
    /// Derivative with respect to `s`.
    pub(super) by_sum: Vec<f64>,
    /// Derivative with respect to `c`.
    by_skip: Vec<f64>,
}

impl<'p> Evaluator<'p> {
    /// Buffers for students of `k` neurons.
    pub fn new(problem: &'p TwoLayer, k: usize) -> Self {
        let (m, d) = (problem.teacher().rows(), problem.input_dimension());
        let zeros = vec![0.0; d];
        Self {
            problem,
            k,
            lanes: LaneField::new(problem, k),
            near: (k == m).then(|| NearField::new(k, d)),
            paired: false,
            pairs_below: CANCELLING,
            ones: vec![1.0; k],
            white: if problem.factor.is_some() { vec![0.0; k * d] } else { Vec::new() },
            linear: Linear {
                active: false,
                sum: zeros.clone(),
                skip: zeros.clone(),
                shift: zeros.clone(),
                by_sum: zeros.clone(),
                by_skip: zeros,
            },
            zero_students: Vec::new(),
        }
    }

    /// Sets from where on a gradient is formed by pairs of student and teacher, which keep relative accuracy near the
    /// teacher: where its root-mean-square row is below `share` times `sqrt(sum_z (c_z |z|)^2)` over all units `z`.
    ///
    /// Plain sums are accurate to `4 EPSILON` times the sum of the norms of their terms everywhere, so above a share `s`
    /// a gradient's relative error is about `EPSILON / s`. With the default, 0.1, it is below 1e-15 everywhere near the
    /// teacher. An integrator asks for no more than 1e-9, and plain sums take less time.
    #[must_use]
    pub fn with_pairs_below(self, share: f64) -> Self {
        Self { pairs_below: share, ..self }
    }

    /// The problem that is evaluated.
    pub fn problem(&self) -> &'p TwoLayer {
        self.problem
    }

    /// The number of students' neurons.
    pub(super) fn neurons(&self) -> usize {
        self.k
    }

    /// Gradient with respect to the hidden weights, written to `out` (`K x d`, row by row); returns the students that
    /// are exactly zero, whose rows are set to zero.
    ///
    /// ```text
    /// grad_{w_j} J = kappa [(1 - alpha)^2 a_j r_j + a_j (linear terms)],  r_j = sum_k a_k F(w_j, w_k) - sum_m b_m F(w_j, v_m)
    /// ```
    ///
    /// Source: Tian (2017), eq. 8, per sample; docs/theory/two_layer.md, (T.3), (T.8).
    ///
    /// - Shapes: the student has `K` rows, the number given to [`Evaluator::new`]; `out` has `K d` entries.
    /// - Domain: finite entries; lengths of rows zero or between 1e-150 and 1e150.
    /// - Accuracy (measured, against 60 digits): as [`TwoLayer::gradient`].
    ///
    /// # Errors
    ///
    /// Wrong shapes and entries that are not finite: [`TwoLayerError`].
    pub fn gradient_into(
        &mut self,
        student: Student<'_>,
        out: &mut [f64],
    ) -> Result<&[usize], TwoLayerError> {
        let d = self.problem.input_dimension();
        let (got, want) = (out.len(), self.k * d);
        if got != want {
            let why = "one for each hidden weight";
            return Err(TwoLayerError::Length { name: "the gradient's buffer", got, want, why });
        }
        self.field(student)?;
        let slope = 1.0 - self.problem.alpha;
        let scale = self.problem.kappa * slope * slope;
        let stride = self.lanes.stride();
        let a = if student.output.is_empty() { &self.ones[..] } else { student.output };
        let field = &self.lanes.field;
        on_lanes!(self.problem.lanes, _simd => scaled_rows((scale, a), (field, stride), d, out));
        let plain = !self.linear.active && self.problem.factor.is_none();
        for (j, row) in out.chunks_exact_mut(d).enumerate().filter(|_| !plain) {
            if self.linear.active {
                let factor = self.problem.kappa * a[j];
                for (o, s) in row.iter_mut().zip(&self.linear.by_sum) {
                    *o = factor.mul_add(*s, *o);
                }
            }
            if let Some(l) = &self.problem.factor {
                let white = row.to_vec();
                carry_back(l, &white, row);
            }
        }
        self.zero_students.clear();
        for j in 0..self.k {
            if self.lanes.lengths[j] == 0.0 {
                self.zero_students.push(j);
                out[j * d..(j + 1) * d].fill(0.0);
            }
        }
        Ok(&self.zero_students)
    }

    /// Gradient with respect to the output weights at the student of the last evaluation, written to `out` (length
    /// `K`): `dJ/da_j = w_j . r_j` and its linear terms.
    pub(crate) fn output_gradient_into(&self, student: Student<'_>, out: &mut [f64]) {
        let (d, stride) = (self.problem.input_dimension(), self.lanes.stride());
        let w = if self.problem.factor.is_some() { &self.white[..] } else { student.weights.as_slice() };
        let slope = 1.0 - self.problem.alpha;
        for (j, o) in out.iter_mut().enumerate() {
            let row = &w[j * d..(j + 1) * d];
            let relu = slope * slope * dot(row, &self.lanes.field[j * stride..j * stride + d]);
            let linear = if self.linear.active { dot(row, &self.linear.by_sum) } else { 0.0 };
            *o = self.problem.kappa * (relu + linear);
        }
    }

    /// Gradient with respect to hidden weights, output weights and skip; see [`TwoLayer::gradient`].
    ///
    /// # Errors
    ///
    /// As [`Evaluator::gradient_into`].
    pub fn gradient(&mut self, student: Student<'_>) -> Result<Gradient, TwoLayerError> {
        let d = self.problem.input_dimension();
        let mut weights = Matrix::zeros(self.k, d);
        let zero_students = self.gradient_into(student, weights.as_mut_slice())?.to_vec();
        let mut output = vec![0.0; self.k];
        self.output_gradient_into(student, &mut output);
        let mut skip = Vec::new();
        if !(student.skip.is_empty() && self.problem.skip.is_empty()) {
            skip = self.linear.by_skip.iter().map(|g| self.problem.kappa * g).collect();
            if let Some(l) = &self.problem.factor {
                let white = skip.clone();
                carry_back(l, &white, &mut skip);
            }
        }
        Ok(Gradient { weights, output, skip, zero_students })
    }

    /// Checks the student and brings it to white coordinates.
    pub(super) fn check(&mut self, student: Student<'_>) -> Result<(), TwoLayerError> {
        let d = self.problem.input_dimension();
        on_lanes!(self.problem.lanes, _simd => student.check(d))?;
        if student.neurons() != self.k {
            let (got, want) = (student.neurons() * d, self.k * d);
            let why = "one row for each neuron that the evaluator was made for";
            return Err(TwoLayerError::Length { name: "the student", got, want, why });
        }
        if let Some(l) = &self.problem.factor {
            let rows = student.weights.as_slice().chunks_exact(d);
            for (row, white) in rows.zip(self.white.chunks_exact_mut(d)) {
                whiten(l, row, white);
            }
        }
        Ok(())
    }

    /// Checks the student and evaluates field and linear parts in white coordinates.
    pub(super) fn field(&mut self, student: Student<'_>) -> Result<(), TwoLayerError> {
        self.check(student)?;
        let problem = self.problem;
        let (w, a) = (white_weights(&self.white, problem, student), output(&self.ones, student));
        let (lanes, share) = (&mut self.lanes, self.pairs_below);
        let cancels = on_lanes!(problem.lanes, simd, WIDE => {
            lanes.evaluate::<_, WIDE>(simd, w, a);
            lanes.field_is_below(simd, share)
        });
        self.paired = false;
        if let Some(near) = &mut self.near
            && cancels
            && on_lanes!(problem.lanes, _simd => near.pair(problem, (student.weights.as_slice(), w), a, |j, t| lanes.psi(j, t)))
        {
            self.paired = true;
            on_lanes!(problem.lanes, simd, WIDE => {
                lanes.find_units(simd);
                near.evaluate::<_, WIDE>(simd, a, lanes);
            });
        }
        self.update_linear(student);
        Ok(())
    }

    /// The linear parts at the student, from pairs where there are some.
    pub(super) fn update_linear(&mut self, student: Student<'_>) {
        let problem = self.problem;
        self.linear.active = problem.alpha != 0.0 || !problem.skip.is_empty() || !student.skip.is_empty();
        if self.linear.active {
            let (w, a) = (white_weights(&self.white, problem, student), output(&self.ones, student));
            let near = self.near.as_ref().filter(|_| self.paired);
            self.linear.evaluate(problem, student, w, a, near);
        }
    }
}

/// `out_j = scale a_j r_j` for rows of length `d`; the rows of the field are `stride` apart.
#[inline(always)]
fn scaled_rows((scale, a): (f64, &[f64]), (field, stride): (&[f64], usize), d: usize, out: &mut [f64]) {
    let rows = out.chunks_exact_mut(d).zip(field.chunks_exact(stride));
    for ((row, field), a) in rows.zip(a) {
        let factor = scale * a;
        let (whole, rest) = row.as_chunks_mut::<8>();
        let (field, field_rest) = field.as_chunks::<8>();
        for (to, from) in whole.iter_mut().zip(field) {
            for i in 0..8 {
                to[i] = factor * from[i];
            }
        }
        let from = field.get(whole.len()).map_or(field_rest, |last| last);
        for (to, from) in rest.iter_mut().zip(from) {
            *to = factor * from;
        }
    }
}

impl Linear {
    /// `s`, the skip difference and the two derivatives, from pairs where there are some.
    fn evaluate(
        &mut self,
        problem: &TwoLayer,
        student: Student<'_>,
        w: &[f64],
        a: &[f64],
        near: Option<&NearField>,
    ) {
        let d = problem.input_dimension();
        self.sum.fill(0.0);
        let mut add = |factor: f64, row: &[f64]| {
            for (s, x) in self.sum.iter_mut().zip(row) {
                *s = factor.mul_add(*x, *s);
            }
        };
        if let Some(near) = near {
            for (sign, offset) in near.signs.iter().zip(near.offsets.chunks_exact(d)) {
                add(-sign / near.unit, offset);
            }
        } else {
            for (j, row) in w.chunks_exact(d).enumerate() {
                add(a[j], row);
            }
            for (t, b) in problem.output.iter().enumerate() {
                add(-b, problem.white.rows.row(t));
            }
        }
        let entry = |skip: &[f64], i: usize| skip.get(i).copied().unwrap_or(0.0);
        let difference: Vec<f64> = (0..d).map(|i| entry(student.skip, i) - entry(&problem.skip, i)).collect();
        match &problem.factor {
            Some(l) => whiten(l, &difference, &mut self.skip),
            None => self.skip.copy_from_slice(&difference),
        }
        let (alpha, slope) = (problem.alpha, 1.0 - problem.alpha);
        for i in 0..d {
            let (s, c) = (self.sum[i], self.skip[i]);
            let q = alpha.mul_add(s, c);
            self.shift[i] = q;
            self.by_skip[i] = (0.5 * slope).mul_add(s, q);
            self.by_sum[i] = alpha * q + 0.5 * slope * alpha.mul_add(s, q);
        }
    }
}

impl TwoLayer {
    /// Gradient of the loss with respect to hidden weights, output weights and skip.
    ///
    /// ```text
    /// grad_{w_j} J = a_j r_j,   dJ/da_j = w_j . r_j,   r_j = sum_k a_k F(w_j, w_k) - sum_m b_m F(w_j, v_m)
    /// ```
    ///
    /// for ReLU and white Gaussian input; leaky slope, skip, covariance and law enter by their exact reductions.
    ///
    /// Source: Tian (2017), eq. 8, per sample; docs/theory/two_layer.md, (T.3)-(T.10).
    ///
    /// - Shapes: the student is `K x d` with any `K >= 1`.
    /// - Domain: finite entries; lengths of rows zero or between 1e-150 and 1e150. A student that is exactly zero is
    ///   listed in [`Gradient::zero_students`]: its row has no defined value and holds zeros.
    /// - Accuracy (measured, against 60 digits): per neuron `4 EPSILON` times the sum of the norms of its terms
    ///   `c_z F(w_j, z)`, a term counted as at least `|c_z| |z| / 2pi`. Near the teacher, up to a permutation of the
    ///   units, 1e-15 of the gradient's norm, also where units are coincident, antiparallel, short or zero. An
    ///   ill-conditioned covariance adds its share: 5e-15 is the largest seen at condition number 1e6.
    ///
    /// # Errors
    ///
    /// Wrong shapes and entries that are not finite: [`TwoLayerError`].
    ///
    /// # Examples
    ///
    /// ```
    /// use popgrad::{Matrix, Student, TwoLayer};
    /// let problem = TwoLayer::try_new(Matrix::from_rows(&[[1.0, 0.0]]))?;
    /// let w = Matrix::from_rows(&[[2.0, 0.0]]);
    /// let gradient = problem.gradient(Student::new(w.view()))?;
    /// assert!((gradient.weights.row(0)[0] - 0.5).abs() < 1e-15); // (w - v)/2 along the teacher
    /// # Ok::<(), popgrad::TwoLayerError>(())
    /// ```
    pub fn gradient(&self, student: Student<'_>) -> Result<Gradient, TwoLayerError> {
        Evaluator::new(self, student.neurons()).gradient(student)
    }
}
