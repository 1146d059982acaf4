//! The problem: a convolutional teacher, and how the student's filter enters.

use super::geometry::{long_norm, sum};
use super::state::check_finite;
use super::{CnnError, ReducedCnn};
use crate::double_double::Dd;
use crate::vector::dot;

/// Default of [`Cnn::with_memory_limit`]: 4 GiB.
const MEMORY_LIMIT: u64 = 4 << 30;

/// How the student's filter `v` enters its network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CnnForm {
    /// Weight normalisation, the paper's form: `f = sum_j a_j relu(v.Z_j / |v|)`.
    #[default]
    Normalised,
    /// Without it: `f = sum_j a_j relu(v.Z_j)`.
    Plain,
}

/// A convolutional teacher `f* = sum_j a*_j relu(w*.Z_j)` under standard Gaussian patches: the problem that a student faces.
///
/// ```text
/// J(v, a) = 1/2 E[(sum_j a_j relu(v.Z_j/|v|) - sum_j a*_j relu(w*.Z_j))^2],   Z_j ~ N(0, I_p), j = 1, ..., k
/// ```
///
/// The teacher is not normalised: its filter has any length `s = |w*|`. The student's filter is divided by its
/// length unless [`Cnn::with_form`] says otherwise.
///
/// Source: Du, Lee, Tian, Poczos and Singh (2018), section 2; docs/theory/cnn.md, (W.1).
///
/// ```
/// use popgrad::{Cnn, CnnStudent};
/// let problem = Cnn::try_new(&[0.6, 0.8], &[1.0, -1.0, 2.0])?;
/// let student = CnnStudent { filter: &[3.0, 4.0], output: &[1.0, -1.0, 2.0] };
/// assert!(problem.loss(student)? < 1e-31);
/// assert_eq!((problem.patches(), problem.patch_dimension()), (3, 2));
/// # Ok::<(), popgrad::CnnError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Cnn {
    filter: Vec<f64>,
    output: Vec<f64>,
    form: CnnForm,
    /// `s = |w*|` in twice the precision, so that `a - s a*` keeps its digits where it is small.
    norm: Dd,
    /// The scalars that everything but directions depends on.
    scalars: ReducedCnn,
    memory_limit: u64,
}

/// Refuses an argument that is empty or has an entry that is not finite.
fn check(name: &'static str, x: &[f64], why: &'static str) -> Result<(), CnnError> {
    if x.is_empty() {
        return Err(CnnError::Empty { name, why });
    }
    check_finite(name, x)
}

impl Cnn {
    /// A teacher with this filter `w*` and these output weights `a*`.
    ///
    /// - Shapes: `filter` has `p >= 1` entries, `output` has `k >= 1`.
    /// - Domain: finite, neither of them zero, lengths between 1e-140 and 1e140.
    ///
    /// # Errors
    ///
    /// [`CnnError::Empty`], [`CnnError::NonFinite`], [`CnnError::ZeroTeacher`], [`CnnError::OutOfRange`].
    pub fn try_new(filter: &[f64], output: &[f64]) -> Result<Self, CnnError> {
        check("the teacher's filter", filter, "one for each input of a patch")?;
        check("the teacher's output", output, "one for each patch")?;
        for (name, x) in [("the teacher's filter", filter), ("the teacher's output", output)] {
            if x.iter().all(|x| *x == 0.0) {
                return Err(CnnError::ZeroTeacher { name });
            }
        }
        let norm = long_norm(filter);
        let scalars = ReducedCnn::of(output.len(), norm.value(), sum(output), dot(output, output));
        scalars.check_range()?;
        Ok(Self {
            filter: filter.to_vec(),
            output: output.to_vec(),
            form: CnnForm::Normalised,
            norm,
            scalars,
            memory_limit: MEMORY_LIMIT,
        })
    }

    /// A teacher of `k` patches of dimension `p` with `w* = e_1`, `|a*| = 1`, `1.a* >= 0` and the given
    /// `ratio = (1.a*)^2 / |a*|^2`, on which with `k` everything about the landscape depends.
    ///
    /// ```text
    /// a*_j = sqrt(ratio)/k + z_j sqrt((1 - ratio/k)/m),   z = (1, ..., 1, [0,] -1, ..., -1) with m entries that are not 0
    /// ```
    ///
    /// Source: docs/theory/cnn.md, (W.32).
    ///
    /// - Domain: `0 <= ratio <= k`; with one patch the ratio is 1, whatever `a*` is.
    /// - Accuracy: [`Cnn::ratio`] returns the ratio to `2 EPSILON k`, absolutely.
    ///
    /// # Errors
    ///
    /// [`CnnError::ZeroCount`], [`CnnError::Ratio`].
    ///
    /// # Examples
    ///
    /// ```
    /// let problem = popgrad::Cnn::with_ratio(25, 6, 4.0)?;
    /// assert!((problem.ratio() - 4.0).abs() < 1e-14 && (problem.output_square() - 1.0).abs() < 1e-14);
    /// # Ok::<(), popgrad::CnnError>(())
    /// ```
    pub fn with_ratio(patches: usize, patch_dimension: usize, ratio: f64) -> Result<Self, CnnError> {
        for (name, count) in
            [("the number of patches k", patches), ("the patch dimension p", patch_dimension)]
        {
            if count == 0 {
                return Err(CnnError::ZeroCount { name });
            }
        }
        let k = patches as f64;
        let possible = if patches == 1 { ratio == 1.0 } else { (0.0..=k).contains(&ratio) };
        if !possible {
            return Err(CnnError::ratio(ratio, patches));
        }
        let half = patches / 2;
        let spread = if half == 0 { 0.0 } else { ((1.0 - ratio / k) / (2 * half) as f64).sqrt() };
        let mean = ratio.sqrt() / k;
        let output: Vec<f64> = (0..patches)
            .map(|j| match j {
                j if j < half => mean + spread,
                j if j >= patches - half => mean - spread,
                _ => mean,
            })
            .collect();
        let mut filter = vec![0.0; patch_dimension];
        filter[0] = 1.0;
        Self::try_new(&filter, &output)
    }

    /// Sets how the student's filter enters; the default is the paper's weight normalisation.
    #[must_use]
    pub fn with_form(self, form: CnnForm) -> Self {
        Self { form, ..self }
    }

    /// Sets the most memory, in bytes, that a call may allocate; the default is 4 GiB.
    #[must_use]
    pub fn with_memory_limit(self, bytes: u64) -> Self {
        Self { memory_limit: bytes, ..self }
    }

    /// How the student's filter enters.
    pub fn form(&self) -> CnnForm {
        self.form
    }

    /// Number of patches, `k`.
    pub fn patches(&self) -> usize {
        self.output.len()
    }

    /// Dimension of a patch, `p`.
    pub fn patch_dimension(&self) -> usize {
        self.filter.len()
    }

    /// The teacher's filter `w*`, length `p`.
    pub fn filter(&self) -> &[f64] {
        &self.filter
    }

    /// The teacher's output weights `a*`, length `k`.
    pub fn output(&self) -> &[f64] {
        &self.output
    }

    /// `s = |w*|`.
    ///
    /// - Accuracy: half a unit in the last place or little more.
    pub fn filter_norm(&self) -> f64 {
        self.scalars.filter_norm()
    }

    /// `S* = 1.a*`.
    ///
    /// - Accuracy: relative `2 EPSILON` unless the terms cancel to below `EPSILON` of their size.
    pub fn output_sum(&self) -> f64 {
        self.scalars.output_sum()
    }

    /// `|a*|^2`.
    ///
    /// - Accuracy: relative `(k/8 + 4) EPSILON`.
    pub fn output_square(&self) -> f64 {
        self.scalars.output_square()
    }

    /// `(1.a*)^2 / |a*|^2`, [`ReducedCnn::ratio`].
    pub fn ratio(&self) -> f64 {
        self.scalars.ratio()
    }

    /// The ratio below which the spurious critical point is a local minimum, [`ReducedCnn::threshold`].
    ///
    /// # Examples
    ///
    /// ```
    /// let problem = popgrad::Cnn::with_ratio(25, 6, 4.0)?;
    /// assert!((problem.threshold() - 8.639437268410976).abs() < 1e-14);
    /// # Ok::<(), popgrad::CnnError>(())
    /// ```
    pub fn threshold(&self) -> f64 {
        self.scalars.threshold()
    }

    /// The teacher as far as the closed dynamics and the landscape of one angle see it.
    ///
    /// Source: docs/theory/cnn_dynamics.md, (W.41).
    pub fn reduced(&self) -> ReducedCnn {
        self.scalars
    }

    /// `|w*|` in twice the precision.
    pub(super) fn long_norm(&self) -> Dd {
        self.norm
    }

    /// The most memory, in bytes, that a call may allocate.
    pub(super) fn memory_limit(&self) -> u64 {
        self.memory_limit
    }

    /// Refuses a result of `entries` numbers that would not fit into the memory limit.
    pub(super) fn check_memory(&self, what: &'static str, entries: u128) -> Result<(), CnnError> {
        let needed = entries * 8;
        if needed > u128::from(self.memory_limit) {
            return Err(CnnError::Memory { what, needed, limit: self.memory_limit });
        }
        Ok(())
    }
}
