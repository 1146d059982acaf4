//! Critical points within a family: from a start, from many, and followed from one size to another.

use super::family::{BlockFamily, Entry, FamilyPoint};
use crate::critical::steering::{Curved, Steering};
use crate::critical::{CriticalError, SearchStatus};
use crate::vector::norm;
use crate::{Matrix, RandomStream};

/// Most steps of a search in a family.
const MAX_STEPS: u64 = 300;
/// The search has converged once the gradient is below this times the size of its terms.
const TOLERANCE: f64 = 1e-15;
/// Minima of one family whose losses agree to this share are one point with its units renamed.
const SAME_LOSS: f64 = 1e-10;
/// Students shorter than this count as zero.
const ZERO_STUDENT: f64 = 1e-6;
impl BlockFamily {
    /// The critical point that a search for the given index within the family reaches from a start.
    ///
    /// Students that may change places without leaving the family stand at their teachers in the result: the two of a block of two,
    /// and those of two blocks of one.
    ///
    /// - Accuracy: the gradient of the full problem is at most `1e-15` of the size of its terms, or as small as rounding lets it.
    ///
    /// # Errors
    ///
    /// [`CriticalError::NotFound`] if the search does not converge; [`CriticalError::Coordinates`], [`CriticalError::ZeroBlock`] for the start.
    ///
    /// # Examples
    ///
    /// ```
    /// // The spurious minimum [1, 5] of six units, from rough coordinates.
    /// let family = popgrad::BlockFamily::try_new(&[1.0, 5.0])?;
    /// let point = family.find(&[-0.6, 0.2, 1.0, -0.1, 0.3], 0)?;
    /// assert!((point.loss - 0.0250805810024635).abs() < 1e-15);
    /// # Ok::<(), popgrad::CriticalError>(())
    /// ```
    pub fn find(&self, start: &[f64], index: usize) -> Result<FamilyPoint, CriticalError> {
        self.matrix(start)?;
        let mut steering = Steering::new(self, self.scaled(start), (index, MAX_STEPS, TOLERANCE))?;
        while steering.status.is_none() {
            steering.step(self)?;
        }
        let (steps, gradient_norm) = (steering.steps, norm(&steering.gradient));
        let rounding = 64.0 * TOLERANCE * self.scale(&steering.point);
        let point = self.paired(&self.unscaled(&steering.point))?;
        let there = matches!(steering.status, Some(SearchStatus::Converged))
            || matches!(steering.status, Some(SearchStatus::Stalled)) && gradient_norm <= rounding;
        if !there {
            #[expect(clippy::cast_possible_truncation, reason = "a few hundred")]
            return Err(CriticalError::NotFound { steps: steps as usize, gradient: gradient_norm });
        }
        Ok(FamilyPoint { loss: self.loss(&point)?, coordinates: point, gradient_norm })
    }

    /// A random start: diagonals uniform in `[-1.2, 1.2]`, other entries of the size that a unit vector has.
    pub fn random_start(&self, stream: &mut RandomStream) -> Vec<f64> {
        let p = &self.sizes.0;
        let mut draw = |size: f64| 2.0 * size * stream.uniform_centred();
        let of = |entry: &Entry| match *entry {
            Entry::Own(_) => draw(1.2),
            Entry::Same(i) => draw(1.5 / p[i].sqrt()),
            Entry::Cross(_, j) => draw(1.5 / p[j].sqrt()),
        };
        self.entries().iter().map(of).collect()
    }

    /// The local minima within the family that searches from random starts reach, by their loss, each once. Points that have more
    /// symmetry than the family ([`BlockFamily::is_proper`]) are left out.
    ///
    /// # Errors
    ///
    /// [`CriticalError`], if a spectrum does not come out. Starts that converge nowhere are no error.
    pub fn minima(&self, starts: u64, seed: u64) -> Result<Vec<FamilyPoint>, CriticalError> {
        let mut found: Vec<FamilyPoint> = Vec::new();
        for i in 0..starts {
            let start = self.random_start(&mut RandomStream::new(seed, i));
            let point = match self.find(&start, 0) {
                Ok(point) => point,
                Err(CriticalError::NotFound { .. } | CriticalError::ZeroBlock { .. }) => continue,
                Err(error) => return Err(error),
            };
            let near =
                |other: &FamilyPoint| (other.loss - point.loss).abs() <= SAME_LOSS * point.loss.max(1e-6);
            if self.is_proper(&point.coordinates)? && !found.iter().any(near) && self.is_minimum(&point)? {
                found.push(point);
            }
        }
        found.sort_by(|a, b| a.loss.total_cmp(&b.loss));
        Ok(found)
    }

    /// The same point with its students renamed so that each stands at its teacher as far as renaming keeps the family: the two
    /// students of a block of two, and the students of two blocks of one, may be exchanged.
    pub(super) fn paired(&self, point: &[f64]) -> Result<Vec<f64>, CriticalError> {
        let mut m = self.matrix(point)?;
        let (b, p) = (self.sizes.blocks(), &self.sizes.0);
        for i in (0..b).filter(|i| p[*i] == 2.0) {
            if m.same[i].abs() > m.own[i].abs() {
                std::mem::swap(&mut m.own[i], &mut m.same[i]);
            }
        }
        for i in 0..b {
            for j in (i + 1..b).filter(|j| p[i] == 1.0 && p[*j] == 1.0) {
                if m.c(i, j).abs() + m.c(j, i).abs() <= m.own[i].abs() + m.own[j].abs() {
                    continue;
                }
                let (first, second) = (m.row(i), m.row(j));
                for l in (0..b).filter(|l| *l != i && *l != j) {
                    m.set_c(i, l, second.cross[l]);
                    m.set_c(j, l, first.cross[l]);
                }
                m.own[i] = second.cross[i];
                m.set_c(i, j, second.own);
                m.own[j] = first.cross[j];
                m.set_c(j, i, first.own);
            }
        }
        Ok(self.coordinates(&m))
    }

    fn is_minimum(&self, point: &FamilyPoint) -> Result<bool, CriticalError> {
        let hessian = Curved::hessian(self, &self.scaled(&point.coordinates))?;
        Ok(crate::symmetric_eigenvalues(hessian.view())?[0] > 0.0)
    }

    /// The same critical point in a family of as many blocks of other sizes, followed in small steps: continuation in `k`.
    ///
    /// Each step changes the sizes by at most a factor 1.25, starts from the coordinates before it, and polishes.
    ///
    /// - Domain: a point of this family; `to` with the same blocks, and those of size 1 unchanged.
    ///
    /// # Errors
    ///
    /// [`CriticalError::Blocks`] if the structures differ; [`CriticalError::NotFound`] if the point is lost on the way, as at a fold.
    ///
    /// # Examples
    ///
    /// ```
    /// use popgrad::BlockFamily;
    /// let six = BlockFamily::try_new(&[1.0, 5.0])?;
    /// let point = six.find(&[-0.6, 0.2, 1.0, -0.1, 0.3], 0)?;
    /// let thousand = six.continue_to(&point, &BlockFamily::try_new(&[1.0, 1199.0])?)?;
    /// assert!((1200.0 * thousand.loss - 0.2930751771).abs() < 1e-10);
    /// # Ok::<(), popgrad::CriticalError>(())
    /// ```
    pub fn continue_to(&self, point: &FamilyPoint, to: &Self) -> Result<FamilyPoint, CriticalError> {
        let structure = |f: &Self| f.sizes.0.iter().map(|p| *p == 1.0).collect::<Vec<bool>>();
        if structure(self) != structure(to) {
            return Err(CriticalError::Blocks { sizes: to.sizes.0.clone() });
        }
        let ratios = self.sizes.0.iter().zip(&to.sizes.0).map(|(p, q)| libm::log(q / p).abs());
        let steps = libm::ceil(ratios.fold(0.0, f64::max) / libm::log(1.25)).max(1.0);
        let mut current = point.clone();
        let mut at = 0.0;
        while at < steps {
            at += 1.0;
            let between = |(p, q): (&f64, &f64)| p * libm::pow(q / p, at / steps);
            let sizes: Vec<f64> = if at < steps {
                self.sizes.0.iter().zip(&to.sizes.0).map(between).collect()
            } else {
                to.sizes.0.clone()
            };
            current = Self::try_new(&sizes)?.find(&current.coordinates, 0)?;
        }
        Ok(current)
    }
}

impl Curved for BlockFamily {
    fn gradient(&self, point: &[f64]) -> Result<Option<Vec<f64>>, CriticalError> {
        if point.iter().any(|x| !x.is_finite()) {
            return Ok(None);
        }
        match BlockFamily::gradient(self, &self.unscaled(point)) {
            Ok(gradient) => Ok(Some(self.scaled(&gradient))),
            Err(CriticalError::ZeroBlock { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn hessian(&self, point: &[f64]) -> Result<Matrix, CriticalError> {
        let matrix = self.matrix(&self.unscaled(point))?;
        let geometry = self.geometry(&matrix)?;
        let entries = self.entries();
        let n = entries.len();
        let mut out = Matrix::zeros(n, n);
        for i in 0..n {
            let mut axis = vec![0.0; n];
            axis[i] = 1.0 / self.weight(entries[i]).sqrt();
            let image = geometry.hessian_times(&self.fill(&entries, &axis));
            out.row_mut(i).copy_from_slice(&self.scaled(&self.coordinates(&image)));
        }
        // Equal up to rounding; the mean is symmetric to the bit.
        for i in 0..n {
            for j in 0..i {
                let mean = 0.5 * (out.row(i)[j] + out.row(j)[i]);
                (out.row_mut(i)[j], out.row_mut(j)[i]) = (mean, mean);
            }
        }
        Ok(out)
    }

    fn scale(&self, _point: &[f64]) -> f64 {
        self.units().max(1.0)
    }

    fn size(&self) -> f64 {
        1.0
    }

    fn refuses(&self, point: &[f64]) -> Option<SearchStatus> {
        if point.iter().any(|x| x.is_nan() || x.abs() > 1e6 * self.units()) {
            return Some(SearchStatus::Diverged);
        }
        let matrix = self.matrix(&self.unscaled(point)).ok()?;
        let short = |i: usize| self.sizes.dot_self(i, &matrix, &matrix) < ZERO_STUDENT * ZERO_STUDENT;
        (0..self.sizes.blocks()).any(short).then_some(SearchStatus::ZeroStudent)
    }
}
