//! The family that a point of block structure belongs to.

use super::classify::check;
use super::family::{BlockFamily, Entry, MOST_BLOCKS};
use crate::critical::{CriticalError, Isotropy};
use crate::vector::{dot, norm};
use crate::{Matrix, MatrixView, Student, TwoLayer};

/// Entries that a family makes equal may differ by this share of the longest student.
const EQUAL: f64 = 1e-4;

/// Students and teachers of one block: pairs whose inner product is the block's `own`.
type Block = Vec<(usize, usize)>;

impl BlockFamily {
    /// The family that holds a point, and the point's coordinates in it: means over the entries that the family makes equal.
    /// `None` for a point without such a structure.
    ///
    /// Students may stand in any order, and each is put to its teacher as in [`BlockFamily::find`]; teachers are orthonormal in any
    /// position. With [`BlockFamily::find`] and [`BlockFamily::classify`] this gives the spectrum at a point that gradient descent
    /// has come to, whatever the number of units.
    ///
    /// Source: docs/theory/critical.md, (Z.13).
    ///
    /// - Shapes: `weights` is `K x d`, with as many students as teachers; `isotropy` is that of the point
    ///   ([`Atlas::isotropy_of`](crate::Atlas::isotropy_of)).
    /// - Domain: structures of at most six blocks; entries that should be equal may differ by `1e-4` of the longest student.
    /// - Accuracy: the coordinates are means, and as good as the point to a few `EPSILON` of the longest student.
    ///
    /// # Errors
    ///
    /// [`CriticalError::NotOrthonormal`], unless the problem is the plain one with orthonormal teachers;
    /// [`CriticalError::Problem`] for a student that does not fit.
    ///
    /// # Examples
    ///
    /// ```
    /// use popgrad::{Atlas, BlockFamily, Matrix, Student, Trained, TwoLayer};
    /// let problem = TwoLayer::try_new(Matrix::identity(4, 4))?;
    /// // The teacher itself, its neurons in another order.
    /// let mut w = Matrix::zeros(4, 4);
    /// [2, 0, 3, 1].iter().enumerate().for_each(|(r, c)| w.row_mut(r)[*c] = 1.0);
    /// let isotropy = Atlas::try_new(&problem, Trained::Weights)?.isotropy_of(Student::new(w.view()))?;
    /// let (family, point) = BlockFamily::of_point(&problem, w.view(), &isotropy)?.expect("four equal units");
    /// assert_eq!((family.sizes(), &point[..]), (&[4.0][..], &[1.0, 0.0][..]));
    /// # Ok::<(), popgrad::CriticalError>(())
    /// ```
    pub fn of_point(
        problem: &TwoLayer,
        weights: MatrixView<'_>,
        isotropy: &Isotropy,
    ) -> Result<Option<(Self, Vec<f64>)>, CriticalError> {
        let k = weights.rows();
        check(problem, k)?;
        problem.loss(Student::new(weights))?; // refuses a student that does not fit
        let mut products = Matrix::zeros(k, k);
        for j in 0..k {
            for m in 0..k {
                products.row_mut(j)[m] = dot(weights.row(j), problem.teacher().row(m));
            }
        }
        let size = (0..k).map(|j| norm(weights.row(j))).fold(0.0, f64::max);
        let apart = |a: f64, b: f64| (a - b).abs() > EQUAL * size;
        let in_span = |j: usize| {
            let (whole, part) = (norm(weights.row(j)), norm(products.row(j)));
            (whole - part) * (whole + part) <= (EQUAL * size) * (EQUAL * size)
        };
        let is_known = isotropy.blocks().is_some_and(|blocks| blocks.len() <= MOST_BLOCKS)
            && covers(&isotropy.students, k)
            && covers(&isotropy.teachers, k);
        if !(is_known && (0..k).all(in_span)) {
            return Ok(None);
        }
        let Some(blocks) = paired(&products, isotropy) else { return Ok(None) };
        let sizes: Vec<f64> = blocks.iter().map(|block| block.len() as f64).collect();
        let family = Self::try_new(&sizes)?;
        let mut point = Vec::new();
        for entry in family.entries() {
            let equal = entries(&products, &blocks, entry);
            let mean = equal.iter().sum::<f64>() / equal.len() as f64;
            if equal.iter().any(|x| apart(*x, mean)) {
                return Ok(None);
            }
            point.push(mean);
        }
        let point = family.paired(&point)?;
        Ok(Some((family, point)))
    }
}

/// Whether orbits hold each of `k` units once.
fn covers(orbits: &[Vec<usize>], k: usize) -> bool {
    let mut units: Vec<usize> = orbits.iter().flatten().copied().collect();
    units.sort_unstable();
    units.into_iter().eq(0..k)
}

/// Pairs each orbit of teachers with one of students, smaller blocks first.
fn paired(products: &Matrix, isotropy: &Isotropy) -> Option<Vec<Block>> {
    let mut teachers: Vec<&Vec<usize>> = isotropy.teachers.iter().collect();
    teachers.sort_by_key(|orbit| orbit.len());
    let mut free: Vec<&Vec<usize>> = isotropy.students.iter().collect();
    let mut out = Vec::new();
    for orbit in teachers {
        let candidates = free.iter().enumerate().filter(|(_, students)| students.len() == orbit.len());
        let partners = candidates.map(|(at, students)| (at, partners(products, students, orbit)));
        let (at, (_, block)) = partners.max_by(|a, b| a.1.0.total_cmp(&b.1.0))?;
        out.push(block);
        free.remove(at);
    }
    Some(out)
}

/// Which teacher of an orbit each student of another stands out with, and by how much the least of them does; zero, and any order, where
/// two students have the same.
fn partners(products: &Matrix, students: &[usize], teachers: &[usize]) -> (f64, Block) {
    let p = teachers.len() as f64;
    let (mut least, mut block) = (f64::INFINITY, Block::new());
    for student in students {
        let of = |m: usize| products.row(*student)[m];
        let mean = teachers.iter().map(|m| of(*m)).sum::<f64>() / p;
        // Of two teachers both are equally far from the mean.
        let excess = |m: usize| if teachers.len() == 2 { of(m) - mean } else { (of(m) - mean).abs() };
        let Some(best) = teachers.iter().copied().max_by(|a, b| excess(*a).total_cmp(&excess(*b))) else {
            continue;
        };
        if block.iter().any(|(_, taken)| *taken == best) {
            return (0.0, students.iter().copied().zip(teachers.iter().copied()).collect());
        }
        least = least.min(excess(best));
        block.push((*student, best));
    }
    (least, block)
}

/// The inner products that a coordinate stands for.
fn entries(products: &Matrix, blocks: &[Block], entry: Entry) -> Vec<f64> {
    let of = |(student, _): &(usize, usize), (_, teacher): &(usize, usize)| products.row(*student)[*teacher];
    match entry {
        Entry::Own(i) => blocks[i].iter().map(|pair| of(pair, pair)).collect(),
        Entry::Same(i) => {
            let others = |a| blocks[i].iter().filter(move |b| *b != a);
            blocks[i].iter().flat_map(|a| others(a).map(|b| of(a, b))).collect()
        }
        Entry::Cross(i, j) => blocks[i].iter().flat_map(|a| blocks[j].iter().map(|b| of(a, b))).collect(),
    }
}
