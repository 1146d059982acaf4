//! The problem: a teacher and the law of the input.

use super::covariance::{cholesky, whiten};
use super::error::TwoLayerError;
use super::student::{check_entries, check_optional};
use crate::lanes::{Lanes, padded};
use crate::{InputLaw, Level, Matrix, MatrixView};
use std::sync::OnceLock;

/// Default of [`TwoLayer::with_memory_limit`]: 4 GiB.
const MEMORY_LIMIT: u64 = 4 << 30;

/// A two-layer teacher together with the law of the input: the problem that a student faces.
///
/// ```text
/// J(W, a, c) = 1/2 E[(sum_j a_j s(w_j.x) + c.x - sum_m b_m s(v_m.x) - c*.x)^2],  s(z) = alpha z + (1 - alpha) relu(z)
/// ```
///
/// Defaults: output weights one, `alpha = 0` (ReLU), `x ~ N(0, I)`, no skip.
///
/// ```
/// use popgrad::{Matrix, Student, TwoLayer};
/// let problem = TwoLayer::try_new(Matrix::identity(2, 2))?;
/// let w = Matrix::from_rows(&[[1.0, 0.0], [0.0, 1.0]]);
/// assert_eq!(problem.loss(Student::new(w.view()))?, 0.0);
/// # Ok::<(), popgrad::TwoLayerError>(())
/// ```
#[derive(Clone, Debug)]
pub struct TwoLayer {
    teacher: Matrix,
    pub(super) output: Vec<f64>,
    pub(super) skip: Vec<f64>,
    pub(super) alpha: f64,
    pub(super) kappa: f64,
    pub(super) factor: Option<Matrix>,
    pub(super) memory_limit: u64,
    pub(super) lanes: Lanes,
    /// The teacher in the coordinates where the input is white.
    pub(super) white: White,
}

/// Rows in white coordinates, with what the kernels need of them.
#[derive(Clone, Debug)]
pub(super) struct White {
    /// Rows, `M x d`.
    pub(super) rows: Matrix,
    /// Directions, `M x d`; zero for a zero row.
    pub(super) directions: Matrix,
    /// Directions padded with zeros to whole vectors.
    pub(super) padded_directions: Vec<f64>,
    /// Lengths of the rows.
    pub(super) lengths: Vec<f64>,
    /// `1/2 b^T k(V, V) b`, once asked for.
    pub(super) energy: OnceLock<f64>,
    /// Squared distance of each scaled row `|b| v` from the closest other one, once asked for.
    separations: OnceLock<Vec<f64>>,
}

impl White {
    fn new(teacher: &Matrix, factor: Option<&Matrix>) -> Self {
        let (m, d) = (teacher.rows(), teacher.cols());
        let mut rows = teacher.clone();
        if let Some(l) = factor {
            for i in 0..m {
                whiten(l, teacher.row(i), rows.row_mut(i));
            }
        }
        let lengths: Vec<f64> = (0..m).map(|i| crate::vector::norm(rows.row(i))).collect();
        let dp = padded(d);
        let mut padded_directions = vec![0.0; m * dp];
        let mut directions = Matrix::zeros(m, d);
        for i in 0..m {
            direction(rows.row(i), directions.row_mut(i));
            padded_directions[i * dp..i * dp + d].copy_from_slice(directions.row(i));
        }
        Self {
            rows,
            directions,
            padded_directions,
            lengths,
            energy: OnceLock::new(),
            separations: OnceLock::new(),
        }
    }
}

/// `out = u / |u|` for any finite magnitude; zero for the zero vector.
pub(super) fn direction(u: &[f64], out: &mut [f64]) {
    let s = crate::vector::power_of_two_scale(u);
    for (o, x) in out.iter_mut().zip(u) {
        *o = x * s;
    }
    let n = crate::vector::dot(out, out).sqrt();
    if n > 0.0 {
        for o in out.iter_mut() {
            *o /= n;
        }
    }
}

impl TwoLayer {
    /// A teacher with output weights one under standard Gaussian input.
    ///
    /// - Shapes: `teacher` is `M x d`, `M, d >= 1`; zero rows are allowed.
    ///
    /// # Errors
    ///
    /// [`TwoLayerError::Empty`], [`TwoLayerError::NonFinite`].
    pub fn try_new(teacher: Matrix) -> Result<Self, TwoLayerError> {
        let (m, d) = (teacher.rows(), teacher.cols());
        if m == 0 || d == 0 {
            return Err(TwoLayerError::Empty { name: "the teacher", rows: m, cols: d });
        }
        check_entries("teacher", teacher.as_slice(), d)?;
        Ok(Self {
            white: White::new(&teacher, None),
            output: vec![1.0; m],
            skip: Vec::new(),
            alpha: 0.0,
            kappa: 1.0,
            factor: None,
            memory_limit: MEMORY_LIMIT,
            lanes: Lanes::detect(),
            teacher,
        })
    }

    /// Sets the teacher's output weights `b` (length `M`).
    ///
    /// # Errors
    ///
    /// [`TwoLayerError::Length`], [`TwoLayerError::NonFinite`].
    pub fn with_teacher_output(mut self, b: Vec<f64>) -> Result<Self, TwoLayerError> {
        let (got, want) = (b.len(), self.teacher.rows());
        if got != want {
            let (name, why) = ("teacher_output", "one for each teacher neuron");
            return Err(TwoLayerError::Length { name, got, want, why });
        }
        check_entries("teacher_output", &b, want)?;
        self.output = b;
        (self.white.energy, self.white.separations) = (OnceLock::new(), OnceLock::new());
        Ok(self)
    }

    /// Sets the slope `alpha` for negative pre-activations: 0 is ReLU, 1 linear, -1 the absolute value.
    ///
    /// # Errors
    ///
    /// [`TwoLayerError::Parameter`] if `alpha` is not finite.
    pub fn with_leaky(mut self, alpha: f64) -> Result<Self, TwoLayerError> {
        if !alpha.is_finite() {
            return Err(TwoLayerError::Parameter { name: "the leaky slope", value: alpha });
        }
        self.alpha = alpha;
        Ok(self)
    }

    /// Sets a centred rotation-invariant law of the input (elliptical together with a covariance).
    ///
    /// # Errors
    ///
    /// [`TwoLayerError::Law`] if the law's parameter is out of its domain.
    pub fn with_law(mut self, law: InputLaw) -> Result<Self, TwoLayerError> {
        self.kappa = law.kappa(self.teacher.cols())?;
        Ok(self)
    }

    /// Sets the covariance of the input, `x ~ N(0, Sigma)`, any symmetric positive semidefinite `d x d` matrix.
    ///
    /// Together with another law, `x = L z` with `Sigma = L L^T` and `z` of that law.
    ///
    /// # Errors
    ///
    /// [`TwoLayerError::Covariance`], [`TwoLayerError::NonFinite`].
    pub fn with_covariance(mut self, sigma: &Matrix) -> Result<Self, TwoLayerError> {
        let d = self.teacher.cols();
        check_entries("covariance", sigma.as_slice(), sigma.cols().max(1))?;
        let factor = cholesky(sigma, d)?;
        self.white = White::new(&self.teacher, Some(&factor));
        self.factor = Some(factor);
        Ok(self)
    }

    /// Sets the teacher's linear skip connection `c*` (length `d`).
    ///
    /// # Errors
    ///
    /// [`TwoLayerError::Length`], [`TwoLayerError::NonFinite`].
    pub fn with_teacher_skip(mut self, skip: Vec<f64>) -> Result<Self, TwoLayerError> {
        check_optional("teacher_skip", &skip, self.teacher.cols(), "one for each input")?;
        self.skip = skip;
        Ok(self)
    }

    /// Sets the most memory, in bytes, that a call may allocate; the default is 4 GiB.
    #[must_use]
    pub fn with_memory_limit(mut self, bytes: u64) -> Self {
        self.memory_limit = bytes;
        self
    }

    /// Forces a SIMD level; the default is the fastest one. All levels give the same bits below the size from
    /// which matrix products take over.
    ///
    /// # Errors
    ///
    /// [`TwoLayerError::Level`] if the machine lacks it.
    pub fn with_level(mut self, level: Level) -> Result<Self, TwoLayerError> {
        self.lanes =
            Lanes::new(level).ok_or_else(|| TwoLayerError::Level { level, available: Level::available() })?;
        Ok(self)
    }

    /// The teacher's hidden weights, `M x d`.
    pub fn teacher(&self) -> MatrixView<'_> {
        self.teacher.view()
    }

    /// The teacher's output weights, length `M`.
    pub fn teacher_output(&self) -> &[f64] {
        &self.output
    }

    /// The input dimension `d`.
    pub fn input_dimension(&self) -> usize {
        self.teacher.cols()
    }

    /// The factor between this law's loss and the Gaussian one, `kappa = E|x|^2 / d` before the covariance.
    pub fn kappa(&self) -> f64 {
        self.kappa
    }

    /// The slope below zero.
    pub(crate) fn leaky(&self) -> f64 {
        self.alpha
    }

    /// Whether the input has a covariance of its own.
    pub(crate) fn has_covariance(&self) -> bool {
        self.factor.is_some()
    }

    /// The lower factor `L` of the covariance `L L^T`; `None` for white input.
    pub(crate) fn covariance_factor(&self) -> Option<&Matrix> {
        self.factor.as_ref()
    }

    /// The teacher's skip connection; empty means zero.
    pub(crate) fn teacher_skip(&self) -> &[f64] {
        &self.skip
    }

    /// The most memory, in bytes, that a call may allocate.
    pub fn memory_limit(&self) -> u64 {
        self.memory_limit
    }

    /// Squared distance of each scaled teacher `|b| v`, in white coordinates, from the closest other one.
    pub(super) fn separations(&self) -> &[f64] {
        self.white.separations.get_or_init(|| {
            let row = |t: usize| self.white.rows.row(t).iter().map(move |x| self.output[t].abs() * x);
            let square = |t: usize, u: usize| row(t).zip(row(u)).map(|(x, y)| (x - y) * (x - y)).sum();
            let closest = |t: usize| {
                (0..self.output.len()).filter(|u| *u != t).map(|u| square(t, u)).fold(f64::INFINITY, f64::min)
            };
            (0..self.output.len()).map(closest).collect()
        })
    }

    /// What makes the problem another one than that of plain ReLU units under white input, if anything does.
    pub(crate) fn departure(&self) -> Option<&'static str> {
        let cases = [
            (self.alpha != 0.0, "a leaky slope"),
            (self.factor.is_some(), "a covariance"),
            (self.skip.iter().any(|c| *c != 0.0), "a linear skip"),
        ];
        cases.into_iter().find(|(departs, _)| *departs).map(|(_, what)| what)
    }

    /// Refuses a result of `entries` numbers that would not fit into the memory limit.
    pub(crate) fn check_memory(&self, what: &'static str, entries: u128) -> Result<(), TwoLayerError> {
        let needed = entries * 8;
        if needed > u128::from(self.memory_limit) {
            return Err(TwoLayerError::Memory { what, needed, limit: self.memory_limit });
        }
        Ok(())
    }
}
