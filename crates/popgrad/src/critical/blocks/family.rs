//! Families of students with a block structure under an orthonormal teacher, as problems of their own.

use super::field::Geometry;
use super::loss::loss;
use super::structure::{BlockMatrix, Sizes};
use crate::critical::CriticalError;
use crate::{Eigenspace, Matrix};

/// Two blocks whose entries agree to this share are one.
const MERGED: f64 = 1e-6;
/// Most blocks.
pub(super) const MOST_BLOCKS: usize = 6;

/// The students of an orthonormal teacher that are fixed by a product of symmetric groups, `p = [p_1, ..., p_b]`.
///
/// ```text
/// row r of block i:  own_i in column r,  same_i in the other columns of block i,  cross_ij in the columns of block j
/// ```
///
/// The teacher is the identity of size `k = p_1 + ... + p_b`, and the family is invariant under training. A critical point of the
/// loss within it is one of the full problem. Sizes are real numbers: a loss, a gradient and a critical point need no more of
/// them than that.
///
/// Source: docs/theory/critical.md, (Z.13)-(Z.22); the families `[j, k-j]` are those of Arjevani and Field.
///
/// - Shapes: a point has, block by block, `own_i`, `same_i` unless `p_i = 1`, then `cross_ij` for all `j != i`: at most
///   `b (b + 1)` coordinates. An evaluation costs `O(b^3)`, whatever the sizes.
///
/// ```
/// use popgrad::BlockFamily;
/// let family = BlockFamily::try_new(&[1.0, 99.0])?;
/// assert_eq!((family.units(), family.dimension()), (100.0, 5));
/// assert_eq!(family.loss(&family.teacher())?, 0.0);
/// # Ok::<(), popgrad::CriticalError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct BlockFamily {
    pub(super) sizes: Sizes,
}

/// A critical point of a family.
#[derive(Clone, Debug, PartialEq)]
pub struct FamilyPoint {
    /// Its coordinates; see [`BlockFamily`].
    pub coordinates: Vec<f64>,
    /// The loss.
    pub loss: f64,
    /// Norm of the gradient of the full problem.
    pub gradient_norm: f64,
}

/// A coordinate: which entry of the block matrix it is, and how many entries of the full one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    Own(usize),
    Same(usize),
    Cross(usize, usize),
}

impl BlockFamily {
    /// The family of a block structure.
    ///
    /// - Domain: one to six sizes, real, at least 1.
    ///
    /// # Errors
    ///
    /// [`CriticalError::Blocks`].
    pub fn try_new(sizes: &[f64]) -> Result<Self, CriticalError> {
        let good = |p: &f64| p.is_finite() && *p >= 1.0;
        if sizes.is_empty() || sizes.len() > MOST_BLOCKS || !sizes.iter().all(good) {
            return Err(CriticalError::Blocks { sizes: sizes.to_vec() });
        }
        Ok(Self { sizes: Sizes(sizes.to_vec()) })
    }

    /// The sizes of the blocks.
    pub fn sizes(&self) -> &[f64] {
        &self.sizes.0
    }

    /// The number of students and teachers, `k`.
    pub fn units(&self) -> f64 {
        self.sizes.0.iter().sum()
    }

    /// The number of coordinates.
    pub fn dimension(&self) -> usize {
        self.entries().len()
    }

    /// The coordinates of the teacher itself.
    pub fn teacher(&self) -> Vec<f64> {
        self.entries().iter().map(|e| if matches!(e, Entry::Own(_)) { 1.0 } else { 0.0 }).collect()
    }

    pub(super) fn entries(&self) -> Vec<Entry> {
        let b = self.sizes.blocks();
        let mut out = Vec::new();
        for i in 0..b {
            out.push(Entry::Own(i));
            if self.sizes.0[i] != 1.0 {
                out.push(Entry::Same(i));
            }
            out.extend((0..b).filter(|j| *j != i).map(|j| Entry::Cross(i, j)));
        }
        out
    }

    /// How many entries of the full matrix a coordinate stands for.
    pub(super) fn weight(&self, entry: Entry) -> f64 {
        let p = &self.sizes.0;
        match entry {
            Entry::Own(i) => p[i],
            Entry::Same(i) => p[i] * (p[i] - 1.0),
            Entry::Cross(i, j) => p[i] * p[j],
        }
    }

    /// The block matrix of a point.
    pub(super) fn matrix(&self, point: &[f64]) -> Result<BlockMatrix, CriticalError> {
        let entries = self.entries();
        let bad = point.iter().position(|x| !x.is_finite());
        if point.len() != entries.len() || bad.is_some() {
            return Err(CriticalError::Coordinates { got: point.len(), want: entries.len(), bad });
        }
        Ok(self.fill(&entries, point))
    }

    pub(super) fn fill(&self, entries: &[Entry], point: &[f64]) -> BlockMatrix {
        let mut out = BlockMatrix::zeros(self.sizes.blocks());
        for (entry, x) in entries.iter().zip(point) {
            match *entry {
                Entry::Own(i) => out.own[i] = *x,
                Entry::Same(i) => out.same[i] = *x,
                Entry::Cross(i, j) => out.set_c(i, j, *x),
            }
        }
        out
    }

    pub(super) fn coordinates(&self, matrix: &BlockMatrix) -> Vec<f64> {
        let read = |e: &Entry| match *e {
            Entry::Own(i) => matrix.own[i],
            Entry::Same(i) => matrix.same[i],
            Entry::Cross(i, j) => matrix.c(i, j),
        };
        self.entries().iter().map(read).collect()
    }

    pub(super) fn geometry<'a>(&'a self, matrix: &'a BlockMatrix) -> Result<Geometry<'a>, CriticalError> {
        Geometry::new(&self.sizes, matrix).map_err(|block| CriticalError::ZeroBlock { block })
    }

    /// The loss of the full problem at a point of the family.
    ///
    /// ```text
    /// 4 pi J = (sum |w| - k)^2 + pi/2 |sum w - sum v|^2 + 1/2 |sum w w^T/|w| - I|^2 + sum of q over pairs
    /// ```
    ///
    /// Source: docs/theory/critical.md, (Z.18), (Z.19).
    ///
    /// - Units: those of the per-sample loss.
    /// - Domain: points without zero students.
    /// - Accuracy (measured, against 40 digits for k up to 1e6 and against the full problem for k up to 9): relative, `1600 EPSILON`
    ///   at minima and `16 EPSILON` over the offset nearer to the teacher, which is what the rounding of the coordinates makes of it.
    ///
    /// # Errors
    ///
    /// [`CriticalError::Coordinates`], [`CriticalError::ZeroBlock`].
    ///
    /// # Examples
    ///
    /// ```
    /// use popgrad::BlockFamily;
    /// // Theorem 7's plane is the family of one block.
    /// let (family, plane) = (BlockFamily::try_new(&[5.0])?, popgrad::XyPlane::try_new(5)?);
    /// let both = [family.loss(&[0.8, 0.1])?, plane.loss_at(0.8, 0.1)?];
    /// assert!((both[0] - both[1]).abs() < 1e-15);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn loss(&self, point: &[f64]) -> Result<f64, CriticalError> {
        let matrix = self.matrix(point)?;
        let geometry = self.geometry(&matrix)?;
        Ok(loss(&self.sizes, &matrix, &geometry))
    }

    /// The gradient of the full problem, as the entries of a matrix of the family: what each entry `own`, `same`, `cross` of the
    /// full gradient is.
    ///
    /// Source: docs/theory/critical.md, (Z.16).
    ///
    /// - Domain: points without zero students.
    /// - Accuracy (measured, against the full problem): `8 EPSILON` times `k + sum |w|`, each entry.
    ///
    /// # Errors
    ///
    /// [`CriticalError::Coordinates`], [`CriticalError::ZeroBlock`].
    ///
    /// # Examples
    ///
    /// ```
    /// let family = popgrad::BlockFamily::try_new(&[2.0, 5.0])?;
    /// assert!(family.gradient(&family.teacher())?.iter().all(|g| g.abs() < 1e-15));
    /// # Ok::<(), popgrad::CriticalError>(())
    /// ```
    pub fn gradient(&self, point: &[f64]) -> Result<Vec<f64>, CriticalError> {
        let matrix = self.matrix(point)?;
        Ok(self.coordinates(&self.geometry(&matrix)?.gradient()))
    }

    /// The students as a `k x k` matrix, blocks in order.
    ///
    /// # Errors
    ///
    /// [`CriticalError::Coordinates`]; [`CriticalError::Blocks`] if a size is not a whole number.
    pub fn embed(&self, point: &[f64]) -> Result<Matrix, CriticalError> {
        let matrix = self.matrix(point)?;
        let counts = self.counts()?;
        let block_of: Vec<usize> =
            (0..counts.len()).flat_map(|i| std::iter::repeat_n(i, counts[i])).collect();
        let k = block_of.len();
        let mut out = Matrix::zeros(k, k);
        for r in 0..k {
            for (column, x) in out.row_mut(r).iter_mut().enumerate() {
                let (i, j) = (block_of[r], block_of[column]);
                *x = match (r == column, i == j) {
                    (true, _) => matrix.own[i],
                    (false, true) => matrix.same[i],
                    _ => matrix.c(i, j),
                };
            }
        }
        Ok(out)
    }

    /// The sizes as whole numbers.
    pub(in crate::critical) fn counts(&self) -> Result<Vec<usize>, CriticalError> {
        let whole = |p: &f64| p.fract() == 0.0 && *p < 1e9;
        if !self.sizes.0.iter().all(whole) {
            return Err(CriticalError::Blocks { sizes: self.sizes.0.clone() });
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole, positive, small")]
        Ok(self.sizes.0.iter().map(|p| *p as usize).collect())
    }

    /// Whether the point has no more symmetry of students and coordinates together than the family gives it: no two blocks
    /// could be one. (Students of one block may still coincide.)
    ///
    /// # Errors
    ///
    /// [`CriticalError::Coordinates`].
    pub fn is_proper(&self, point: &[f64]) -> Result<bool, CriticalError> {
        let m = self.matrix(point)?;
        let b = self.sizes.blocks();
        let p = &self.sizes.0;
        let near = |x: f64, y: f64| (x - y).abs() <= MERGED;
        for i in 0..b {
            for j in (0..b).filter(|j| *j > i) {
                let off = m.c(i, j);
                // Off-diagonal entries of one block, where the blocks have any.
                let within = |l: usize| p[l] == 1.0 || near(m.same[l], off);
                let others = (0..b).filter(|l| *l != i && *l != j);
                let mut alike = others.map(|l| near(m.c(i, l), m.c(j, l)) && near(m.c(l, i), m.c(l, j)));
                if near(m.own[i], m.own[j])
                    && near(off, m.c(j, i))
                    && within(i)
                    && within(j)
                    && alike.all(|same| same)
                {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// All `k^2` eigenvalues of the Hessian of the full problem at a point of the family, with their multiplicities.
    ///
    /// ```text
    /// trivial b^2 + b,   Std_i  2b + 1  (x p_i - 1),   Std_i (x) Std_j  2  (x (p_i - 1)(p_j - 1)),
    /// symmetric 1 (x p_i (p_i - 3)/2),   antisymmetric 1 (x (p_i - 1)(p_i - 2)/2)
    /// ```
    ///
    /// Source: docs/theory/critical.md, (Z.20)-(Z.22): isotypic blocks of the Hessian under the group of the family.
    ///
    /// - Domain: whole sizes; points without zero students. The eigenvalues are ascending.
    /// - Accuracy (measured, against the spectrum of the assembled Hessian for k up to 10): `64 EPSILON` times `k`.
    /// - Cost: microseconds, whatever `k`.
    ///
    /// # Errors
    ///
    /// [`CriticalError::Blocks`] if a size is not whole; [`CriticalError::Coordinates`], [`CriticalError::ZeroBlock`].
    ///
    /// # Examples
    ///
    /// ```
    /// // At the teacher the smallest eigenvalue is 1/4 - 1/2pi, k(k-1)/2 times; ten thousand eigenvalues in a moment.
    /// let family = popgrad::BlockFamily::try_new(&[100.0])?;
    /// let spectrum = family.spectrum(&family.teacher())?;
    /// let smallest = spectrum[0].value;
    /// assert!((smallest - (0.25 - 0.5 / std::f64::consts::PI)).abs() < 1e-13);
    /// assert_eq!(spectrum.iter().map(|e| e.multiplicity).sum::<usize>(), 10_000);
    /// # Ok::<(), popgrad::CriticalError>(())
    /// ```
    pub fn spectrum(&self, point: &[f64]) -> Result<Vec<Eigenspace>, CriticalError> {
        super::spectrum::spectrum(self, &self.matrix(point)?)
    }

    /// Coordinates in which the length is that of the full matrix.
    pub(super) fn scaled(&self, point: &[f64]) -> Vec<f64> {
        self.entries().iter().zip(point).map(|(e, x)| x * self.weight(*e).sqrt()).collect()
    }

    pub(super) fn unscaled(&self, point: &[f64]) -> Vec<f64> {
        self.entries().iter().zip(point).map(|(e, x)| x / self.weight(*e).sqrt()).collect()
    }
}
