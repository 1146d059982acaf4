//! Families of block structure with more students than teachers.
//!
//! The group of the blocks acts on as many students as there are teachers and fixes each of the others. There are few unknowns, but
//! gradient and Hessian are those of the full problem, added up over entries that are equal (docs/theory/critical.md, (Z.32), (Z.33)).

use super::classify::{check, in_teacher_axes};
use super::family::Entry;
use crate::critical::steering::{Curved, Steering};
use crate::critical::{CriticalError, SearchEnd, SearchStatus};
use crate::vector::norm;
use crate::{Blocks, Matrix, RandomStream, Student, TwoLayer};

/// Most steps of a search.
const MAX_STEPS: u64 = 300;
/// The search has converged once the gradient is below this times the number of units.
const TOLERANCE: f64 = 1e-15;
/// Students shorter than this count as zero.
const ZERO_STUDENT: f64 = 1e-6;

/// The students of an orthonormal teacher that are fixed by a product of symmetric groups, some of them one by one.
///
/// ```text
/// row r of block i:  as in a family of blocks;   a surplus row s:  surplus_sj in the columns of block j
/// ```
///
/// Source: docs/theory/critical.md, (Z.32), (Z.33).
///
/// - Shapes: `p_1 + ... + p_b` teachers, as many students in blocks and `s` more; `b (b + 1 + s)` coordinates at most.
/// - Cost: the Hessian of the full problem for each step of a search, and eigenvectors of a matrix of the family's size.
///
/// # Examples
///
/// ```
/// use popgrad::{Matrix, RandomStream, SearchStatus, SurplusFamily, TwoLayer};
/// // Eight teachers, nine students: one of them is fixed by all permutations within the blocks.
/// let family = SurplusFamily::try_new(&[1, 7], 1)?;
/// assert_eq!((family.students(), family.dimension()), (9, 7));
/// let problem = TwoLayer::try_new(Matrix::identity(8, 8))?;
/// let end = family.find(&problem, &family.random_start(&mut RandomStream::new(1, 0)), 0)?;
/// assert!(end.status != SearchStatus::Converged || end.gradient_norm < 1e-12);
/// # Ok::<(), popgrad::CriticalError>(())
/// ```
#[derive(Clone, Debug)]
pub struct SurplusFamily {
    blocks: Vec<usize>,
    surplus: usize,
    problem: TwoLayer,
    /// The coordinate that each entry of the students is, row by row.
    coordinate: Vec<usize>,
    /// How many entries each coordinate is.
    count: Vec<f64>,
    /// The size of each coordinate in a random start.
    spread: Vec<f64>,
}

/// A coordinate of the family.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    Paired(Entry),
    Surplus(usize, usize),
}

impl SurplusFamily {
    /// The family of blocks of these sizes with some students more.
    ///
    /// - Domain: at least one block, none empty.
    ///
    /// # Errors
    ///
    /// [`CriticalError::Blocks`].
    pub fn try_new(blocks: &[usize], surplus: usize) -> Result<Self, CriticalError> {
        if blocks.is_empty() || blocks.contains(&0) {
            return Err(CriticalError::Blocks { sizes: blocks.iter().map(|p| *p as f64).collect() });
        }
        let block_of: Vec<usize> =
            blocks.iter().enumerate().flat_map(|(i, p)| std::iter::repeat_n(i, *p)).collect();
        let k = block_of.len();
        let place = |row: usize, column: usize| match (block_of.get(row), block_of[column]) {
            (None, j) => Place::Surplus(row - k, j),
            (Some(i), _) if row == column => Place::Paired(Entry::Own(*i)),
            (Some(i), j) if *i == j => Place::Paired(Entry::Same(*i)),
            (Some(i), j) => Place::Paired(Entry::Cross(*i, j)),
        };
        let (mut places, mut coordinate) = (Vec::new(), Vec::new());
        let (mut count, mut spread) = (Vec::new(), Vec::new());
        for row in 0..k + surplus {
            for column in 0..k {
                let here = place(row, column);
                let at = places.iter().position(|p| *p == here).unwrap_or_else(|| {
                    places.push(here);
                    count.push(0.0);
                    let across = 1.5 / (blocks[block_of[column]] as f64).sqrt();
                    spread.push(if row == column { 1.2 } else { across });
                    places.len() - 1
                });
                count[at] += 1.0;
                coordinate.push(at);
            }
        }
        let problem = TwoLayer::try_new(Matrix::identity(k, k))?;
        Ok(Self { blocks: blocks.to_vec(), surplus, problem, coordinate, count, spread })
    }

    /// The sizes of the blocks.
    pub fn blocks(&self) -> &[usize] {
        &self.blocks
    }

    /// The number of students.
    pub fn students(&self) -> usize {
        self.problem.teacher().rows() + self.surplus
    }

    /// The number of coordinates.
    pub fn dimension(&self) -> usize {
        self.count.len()
    }

    /// The students of a point.
    ///
    /// # Errors
    ///
    /// [`CriticalError::Coordinates`].
    pub fn embed(&self, point: &[f64]) -> Result<Matrix, CriticalError> {
        let bad = point.iter().position(|x| !x.is_finite());
        if point.len() != self.dimension() || bad.is_some() {
            return Err(CriticalError::Coordinates { got: point.len(), want: self.dimension(), bad });
        }
        let entries = self.coordinate.iter().map(|c| point[*c]).collect();
        Ok(Matrix::from_parts(self.students(), self.problem.teacher().rows(), entries))
    }

    /// A random start: every entry uniform, diagonals in `[-1.2, 1.2]`, others of the size that a unit vector has.
    pub fn random_start(&self, stream: &mut RandomStream) -> Vec<f64> {
        self.spread.iter().map(|size| 2.0 * size * stream.uniform_centred()).collect()
    }

    /// The end of a search for a critical point of the given index within the family, in the axes of a problem's orthonormal
    /// teachers; the gradient's norm is that of the full problem.
    ///
    /// # Errors
    ///
    /// [`CriticalError::NotOrthonormal`]; [`CriticalError::Coordinates`] for the start; [`CriticalError::Problem`] for a family beyond
    /// the memory limit.
    pub fn find(&self, problem: &TwoLayer, start: &[f64], index: usize) -> Result<SearchEnd, CriticalError> {
        check(problem, self.problem.teacher().rows())?;
        let unknowns = self.coordinate.len() as u128;
        problem.check_memory("the Hessian of all students of the family", unknowns * unknowns)?;
        self.embed(start)?;
        let scaled: Vec<f64> = start.iter().zip(&self.count).map(|(x, n)| x * n.sqrt()).collect();
        let mut steering = Steering::new(self, scaled, (index, MAX_STEPS, TOLERANCE))?;
        let status = loop {
            match steering.status {
                Some(status) => break status,
                None => steering.step(self)?,
            }
        };
        let gradient_norm = norm(&steering.gradient);
        let settled = status == SearchStatus::Stalled && gradient_norm <= 64.0 * TOLERANCE * self.scale(&[]);
        Ok(SearchEnd {
            status: if settled { SearchStatus::Converged } else { status },
            weights: in_teacher_axes(&self.embed(&self.unscaled(&steering.point))?, problem),
            output: vec![1.0; self.students()],
            gradient_norm: problem.kappa() * gradient_norm,
            steps: steering.steps,
        })
    }

    fn unscaled(&self, point: &[f64]) -> Vec<f64> {
        point.iter().zip(&self.count).map(|(x, n)| x / n.sqrt()).collect()
    }
}

impl Curved for SurplusFamily {
    fn gradient(&self, point: &[f64]) -> Result<Option<Vec<f64>>, CriticalError> {
        if point.iter().any(|x| !x.is_finite()) {
            return Ok(None);
        }
        let weights = self.embed(&self.unscaled(point))?;
        let gradient = self.problem.gradient(Student::new(weights.view()))?;
        if !gradient.zero_students.is_empty() {
            return Ok(None);
        }
        let mut out = vec![0.0; self.dimension()];
        for (at, g) in self.coordinate.iter().zip(gradient.weights.as_slice()) {
            out[*at] += g / self.count[*at].sqrt();
        }
        Ok(Some(out))
    }

    fn hessian(&self, point: &[f64]) -> Result<Matrix, CriticalError> {
        let weights = self.embed(&self.unscaled(point))?;
        let full = self.problem.hessian(Student::new(weights.view()), Blocks::Weights)?;
        let n = self.dimension();
        let mut out = Matrix::zeros(n, n);
        for (row, at) in self.coordinate.iter().enumerate() {
            for (h, to) in full.row(row).iter().zip(&self.coordinate) {
                out.row_mut(*at)[*to] += h;
            }
        }
        for i in 0..n {
            for j in 0..=i {
                let mean = 0.5 * (out.row(i)[j] + out.row(j)[i]) / (self.count[i] * self.count[j]).sqrt();
                (out.row_mut(i)[j], out.row_mut(j)[i]) = (mean, mean);
            }
        }
        Ok(out)
    }

    fn scale(&self, _point: &[f64]) -> f64 {
        (self.students() + self.problem.teacher().rows()) as f64
    }

    fn size(&self) -> f64 {
        1.0
    }

    fn refuses(&self, point: &[f64]) -> Option<SearchStatus> {
        if point.iter().any(|x| x.is_nan() || x.abs() > 1e6 * self.scale(point)) {
            return Some(SearchStatus::Diverged);
        }
        let weights = self.embed(&self.unscaled(point)).ok()?;
        let short = |j: usize| norm(weights.row(j)) < ZERO_STUDENT;
        (0..weights.rows()).any(short).then_some(SearchStatus::ZeroStudent)
    }
}
