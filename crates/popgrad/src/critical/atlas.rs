//! Classes of critical points modulo the problem's symmetries, how often each was met, and where descents lead.

use super::configuration::{Configuration, GroupOrder, Isotropy};
use super::descent::Room;
use super::newton::{SearchEnd, SearchStatus};
use super::plain::Plain;
use super::{BlockFamily, CriticalError, CriticalPoint, FamilyPoint, Nature};
use crate::vector::{dot, norm};
use crate::{Matrix, Student, Trained, TwoLayer};

/// Inner products equal to within this share of the longest unit's square belong to one class. Polished points agree
/// to 1e-12 and better; ends of degenerate searches, where the gradient vanishes to second order, to about 1e-6.
const SAME: f64 = 1e-5;
/// Losses farther apart than this share are not compared any further.
const SAME_LOSS: f64 = 1e-6;
/// Points of one family whose coordinates agree to this are one.
const SAME_COORDINATES: f64 = 1e-9;
/// Units up to which the isotropy group of a family's point is computed; beyond, that takes seconds.
const MOST_UNITS: usize = 40;

/// A class of critical points: an orbit of the problem's symmetry group.
#[derive(Clone, Debug)]
pub struct AtlasClass {
    /// The first point of the class that was met.
    pub point: CriticalPoint,
    /// The permutations that leave it as it is up to rotations.
    pub isotropy: Isotropy,
    /// Number of configurations in the orbit: the index of the isotropy group in the group of all permutations of equal
    /// students and of the teacher's own. Each is a manifold of the dimension that the point says.
    pub orbit_size: GroupOrder,
    /// How many starts ended here.
    pub hits: u64,
    configuration: Configuration,
}

/// One side of an unstable direction, followed downhill.
#[derive(Clone, Debug, PartialEq)]
pub struct DescentEnd {
    /// The eigenvalue of the direction.
    pub eigenvalue: f64,
    /// `1` or `-1`: which way the first step went.
    pub side: i8,
    /// The class in which the descent ended, if it ended at a critical point.
    pub class: Option<usize>,
    /// How the search at its end came out.
    pub status: SearchStatus,
}

/// Critical points of one problem, merged modulo its symmetries.
///
/// ```text
/// (W, V) ~ (W', V)  iff  W'W'^T = S W W^T S^T and W' V^T = S W V^T P^T,  S a permutation of equal students, P of the teacher
/// ```
///
/// Source: docs/theory/critical.md, (Z.4)-(Z.6). Students of one direction are first given equal lengths: along their
/// segment nothing changes. Where output weights are trained, `|a| w` and the sign of `a` are compared. Under a covariance the
/// comparison is that of the plain problem (Z.26), and `P` has to be carried out by a rotation that commutes with it (Z.30).
///
/// ```
/// use popgrad::{Atlas, CriticalSearch, Matrix, SearchOptions, Student, Trained, TwoLayer};
/// let problem = TwoLayer::try_new(Matrix::identity(2, 2))?;
/// let mut atlas = Atlas::try_new(&problem, Trained::Weights)?;
/// for start in [[[0.9, 0.1], [0.0, 1.1]], [[0.1, 1.2], [0.8, 0.1]]] {
///     let start = Matrix::from_rows(&start);
///     let search = CriticalSearch::try_new(&problem, Student::new(start.view()), SearchOptions::default())?;
///     atlas.add(&search.run()?, true)?;
/// }
/// assert_eq!((atlas.classes().len(), atlas.classes()[0].hits), (1, 2)); // both permutations of the teacher
/// assert_eq!(atlas.classes()[0].orbit_size.exact, Some(2));
/// # Ok::<(), popgrad::CriticalError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Atlas {
    problem: TwoLayer,
    plain: Plain,
    /// Inner products of the teachers that a permutation has to keep besides those of the plain problem.
    layers: Vec<Matrix>,
    trained: Trained,
    classes: Vec<AtlasClass>,
    /// Sizes and coordinates of family points taken in, with their classes: most starts of a family end where one did before.
    seen: Vec<(BlockFamily, Vec<f64>, usize)>,
}

impl Atlas {
    /// An empty atlas.
    ///
    /// - Domain: any law, slope and teacher's skip, and covariances of full rank.
    ///
    /// # Errors
    ///
    /// [`CriticalError::SingularCovariance`].
    pub fn try_new(problem: &TwoLayer, trained: Trained) -> Result<Self, CriticalError> {
        let plain = Plain::new(problem, &[])?;
        let layers = plain.teacher_layers();
        let (classes, seen) = (Vec::new(), Vec::new());
        Ok(Self { problem: problem.clone(), plain, layers, trained, classes, seen })
    }

    /// The classes, in the order in which they were met.
    pub fn classes(&self) -> &[AtlasClass] {
        &self.classes
    }

    /// The class that a student's configuration belongs to, if it is known.
    ///
    /// # Errors
    ///
    /// [`CriticalError::Problem`] for a student that does not fit.
    pub fn class_of(&self, student: Student<'_>) -> Result<Option<usize>, CriticalError> {
        let loss = self.problem.loss(student)?; // refuses a student that does not fit
        Ok(self.known(loss, &self.configuration(student)))
    }

    /// The permutations that leave a student as it is, critical or not, to within `1e-5` of the units' size; without a spectrum, and
    /// so for many units too: 0.1 s at fifty units and 0.8 s at a hundred, measured.
    ///
    /// # Errors
    ///
    /// [`CriticalError::Problem`] for a student that does not fit.
    pub fn isotropy_of(&self, student: Student<'_>) -> Result<Isotropy, CriticalError> {
        self.problem.loss(student)?; // refuses a student that does not fit
        Ok(self.configuration(student).isotropy(SAME))
    }

    fn configuration(&self, student: Student<'_>) -> Configuration {
        let entered = self.plain.enter(student.weights());
        let student = Student::new(entered.view()).with_output(student.output());
        let (weights, output) = essential(student, self.trained);
        Configuration::new(&self.plain.problem, weights.view(), &output, &self.layers)
    }

    fn known(&self, loss: f64, configuration: &Configuration) -> Option<usize> {
        let near = |class: &AtlasClass| is_same_loss(loss, class.point.loss);
        let same = |class: &AtlasClass| configuration.matches(&class.configuration, SAME).is_some();
        self.classes.iter().position(|class| near(class) && same(class))
    }

    /// Puts the end of a search into its class and returns the class; `None` if the search did not converge. `counts` says whether
    /// the end is that of an independent start, and so a hit.
    ///
    /// # Errors
    ///
    /// [`CriticalError`], if a new point cannot be classified.
    pub fn add(&mut self, end: &SearchEnd, counts: bool) -> Result<Option<usize>, CriticalError> {
        if end.status != SearchStatus::Converged {
            return Ok(None);
        }
        let student = Student::new(end.weights.view()).with_output(&end.output);
        let loss = self.problem.loss(student)?;
        let configuration = self.configuration(student);
        let found = self.known(loss, &configuration);
        let class = if let Some(class) = found {
            class
        } else {
            let point = CriticalPoint::classify(&self.problem, student, self.trained)?;
            let isotropy = configuration.isotropy(SAME);
            let orbit_size = configuration.group_order(SAME).over(isotropy.order);
            self.classes.push(AtlasClass { point, isotropy, orbit_size, hits: 0, configuration });
            self.classes.len() - 1
        };
        self.classes[class].hits += u64::from(counts);
        Ok(Some(class))
    }

    /// Puts a critical point of a symmetric family into its class and returns the class.
    ///
    /// Up to forty units the isotropy group of a new class is computed; beyond, it is that of the family, which
    /// [`BlockFamily::is_proper`] supposes to be the whole one.
    ///
    /// # Errors
    ///
    /// [`CriticalError::NotOrthonormal`] if the family does not belong to the problem.
    pub fn add_family_point(
        &mut self,
        family: &BlockFamily,
        point: &FamilyPoint,
    ) -> Result<usize, CriticalError> {
        let near =
            |x: &[f64]| x.iter().zip(&point.coordinates).all(|(a, b)| (a - b).abs() <= SAME_COORDINATES);
        if let Some((_, _, class)) = self.seen.iter().find(|(f, x, _)| f == family && near(x)) {
            return Ok(*class);
        }
        let classified = family.classify(&self.problem, point)?;
        let configuration = self.configuration(classified.student());
        let class = if let Some(class) = self.known(classified.loss, &configuration) {
            class
        } else {
            let k = classified.weights.rows();
            let small = k <= MOST_UNITS;
            let isotropy =
                if small { configuration.isotropy(SAME) } else { Isotropy::of_blocks(&family.counts()?) };
            let order = GroupOrder::factorial(k);
            let orbit_size = order.times_order(order).over(isotropy.order);
            self.classes.push(AtlasClass { point: classified, isotropy, orbit_size, hits: 0, configuration });
            self.classes.len() - 1
        };
        self.seen.push((family.clone(), point.coordinates.clone(), class));
        Ok(class)
    }

    /// Follows the unstable directions of a class downhill, both ways, and adds the ends to the atlas without counting them as
    /// hits: gradient flow until the gradient is small, then a search for a minimum.
    ///
    /// At most `directions` eigenvectors are followed, those of the lowest eigenvalues. In a multiple eigenvalue the vectors are
    /// any basis. Output weights move where they are trained; under a covariance eigenvectors and flow are those of the original
    /// weights.
    ///
    /// # Errors
    ///
    /// [`CriticalError`], if an end cannot be classified.
    ///
    /// # Panics
    ///
    /// If there is no such class.
    pub fn descend(&mut self, class: usize, directions: usize) -> Result<Vec<DescentEnd>, CriticalError> {
        let point = self.classes[class].point.clone();
        if point.nature != Nature::Saddle {
            return Ok(Vec::new());
        }
        let mut ends = Vec::new();
        let room = Room::new(&self.problem, &self.plain, &point, self.trained)?;
        for (eigenvalue, side, end) in room.unstable_ends(&point, directions)? {
            let status = end.status;
            ends.push(DescentEnd { eigenvalue, side, class: self.add(&end, false)?, status });
        }
        Ok(ends)
    }

    /// Classes in the order of their loss.
    pub fn by_loss(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.classes.len()).collect();
        order.sort_by(|a, b| self.classes[*a].point.loss.total_cmp(&self.classes[*b].point.loss));
        order
    }
}

/// Whether two losses may be of one class.
pub(super) fn is_same_loss(a: f64, b: f64) -> bool {
    (a - b).abs() <= SAME_LOSS * (a.abs() + b.abs()) + 1e-12
}

/// What of a student matters for the function: students of one direction and equal sign with equal shares, and `|a| w` with
/// the sign of `a` where output weights are trained.
pub(super) fn essential(student: Student<'_>, trained: Trained) -> (Matrix, Vec<f64>) {
    let mut weights = student.weights().to_matrix();
    let k = weights.rows();
    let mut output = if student.output.is_empty() { vec![1.0; k] } else { student.output.to_vec() };
    if trained == Trained::WeightsAndOutput {
        for (j, a) in output.iter_mut().enumerate() {
            weights.row_mut(j).iter_mut().for_each(|w| *w *= a.abs());
            *a = if *a < 0.0 { -1.0 } else { 1.0 };
        }
    }
    let mut done = vec![false; k];
    for j in 0..k {
        let alike = |i: &usize| {
            !done[*i] && output[*i] * output[j] > 0.0 && parallel(weights.row(j), weights.row(*i))
        };
        let group: Vec<usize> = (j..k).filter(alike).collect();
        group.iter().for_each(|i| done[*i] = true);
        if group.len() < 2 {
            continue;
        }
        let mut sum = vec![0.0; weights.cols()];
        for i in &group {
            sum.iter_mut().zip(weights.row(*i)).for_each(|(s, w)| *s += output[*i] * w);
        }
        for i in &group {
            let share = 1.0 / (group.len() as f64 * output[*i]);
            weights.row_mut(*i).iter_mut().zip(&sum).for_each(|(w, s)| *w = share * s);
        }
    }
    (weights, output)
}

fn parallel(u: &[f64], v: &[f64]) -> bool {
    let (p, q) = (norm(u), norm(v));
    if p == 0.0 || q == 0.0 {
        return false;
    }
    let apart: f64 = u.iter().zip(v).map(|(x, y)| (x / p - y / q) * (x / p - y / q)).sum();
    dot(u, v) > 0.0 && apart.sqrt() < SAME
}
