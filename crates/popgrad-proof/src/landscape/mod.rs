//! Enclosures of loss, gradient and Hessian of the two-layer problem over boxes of weights.
//!
//! ```text
//! J(W) = 1/2 E[(sum_j a_j relu(w_j.x) - sum_m b_m relu(v_m.x))^2],   x ~ N(0, I_d)
//! ```
//!
//! docs/theory/certified_points.md, section 1. The teacher and both output weights are doubles taken exactly. `J` is twice
//! continuously differentiable where no student is zero, also where units are parallel or antiparallel, and the
//! enclosures stay narrow there: every quotient by `sin theta` stands beside a factor that vanishes with it.

mod pair;
mod setting;

use crate::Interval;
use crate::points::PointError;
use pair::{Pair, Unit};
use popgrad::{Matrix, MatrixView};
use setting::Terms;
pub use setting::{PointSetting, PointSkip};

/// The two-layer problem with fixed output weights, all numbers exact.
#[derive(Clone, Debug)]
pub(crate) struct Landscape {
    teacher: Matrix,
    teacher_output: Vec<f64>,
    student_output: Vec<f64>,
    units: Vec<Option<Unit>>,
    setting: PointSetting,
    terms: Terms,
}

impl Landscape {
    /// Shapes and finiteness are the caller's affair.
    pub(crate) fn new(teacher: Matrix, teacher_output: Vec<f64>, student_output: Vec<f64>) -> Self {
        let unit = |m: usize| {
            let row: Vec<Interval> = teacher.row(m).iter().map(|x| Interval::point(*x)).collect();
            Unit::new(&row)
        };
        let units = (0..teacher.rows()).map(unit).collect();
        let (setting, terms) = (PointSetting::default(), Terms::plain(teacher.cols()));
        Self { teacher, teacher_output, student_output, units, setting, terms }
    }

    /// The same units in another setting.
    pub(crate) fn with_setting(mut self, setting: PointSetting) -> Result<Self, PointError> {
        self.terms = Terms::of(&setting, self.dimension())?;
        let unit = |m: usize| {
            let row: Vec<Interval> = self.teacher.row(m).iter().map(|x| Interval::point(*x)).collect();
            // A teacher that is zero is left out; one whose image may be is no teacher.
            let zero = row.iter().all(|x| *x == Interval::ZERO);
            let image = Unit::new(&self.terms.white(&row));
            if image.is_none() && !zero { Err(PointError::ZeroTeacher { teacher: m }) } else { Ok(image) }
        };
        self.units = (0..self.teacher.rows()).map(unit).collect::<Result<_, _>>()?;
        self.setting = setting;
        Ok(self)
    }

    /// What the problem has beside ReLU units and white input.
    pub(crate) fn setting(&self) -> &PointSetting {
        &self.setting
    }

    pub(crate) fn dimension(&self) -> usize {
        self.teacher.cols()
    }

    pub(crate) fn students(&self) -> usize {
        self.student_output.len()
    }

    pub(crate) fn student_output(&self) -> &[f64] {
        &self.student_output
    }

    pub(crate) fn teacher(&self) -> MatrixView<'_> {
        self.teacher.view()
    }

    pub(crate) fn teacher_output(&self) -> &[f64] {
        &self.teacher_output
    }

    /// The same teacher for other students.
    pub(crate) fn with_students(&self, student_output: Vec<f64>) -> Self {
        Self { student_output, ..self.clone() }
    }

    /// The students of a box; none of them may be able to vanish.
    fn student_units(&self, weights: &[Interval]) -> Result<Vec<Unit>, PointError> {
        let rows = weights.chunks_exact(self.dimension()).enumerate();
        let unit = |row: &[Interval]| {
            if self.terms.factor.is_none() { Unit::new(row) } else { Unit::new(&self.terms.white(row)) }
        };
        rows.map(|(student, row)| unit(row).ok_or(PointError::ZeroStudent { student })).collect()
    }

    /// Teachers that are not zero, with their output weights.
    fn teachers(&self) -> impl Iterator<Item = (&Unit, Interval)> {
        let weighted = self.units.iter().zip(&self.teacher_output);
        weighted.filter_map(|(unit, b)| unit.as_ref().map(|u| (u, Interval::point(*b))))
    }

    /// The loss, (V.1).
    pub(crate) fn loss(&self, weights: &[Interval]) -> Result<Interval, PointError> {
        let students = self.student_units(weights)?;
        let all: Vec<(&Unit, Interval)> = students
            .iter()
            .zip(self.student_output.iter().map(|a| Interval::point(*a)))
            .chain(self.teachers().map(|(u, b)| (u, -b)))
            .collect();
        let mut sum = Interval::ZERO;
        for (i, (u, c)) in all.iter().enumerate() {
            sum = sum + c.square() * u.norm.square() * 0.25;
            for (v, e) in &all[..i] {
                sum = sum + *c * *e * Pair::new(u, v).kernel(u, v);
            }
        }
        let s = self.sum(&students);
        let square = Interval::sum(s.iter().map(|x| x.square()));
        let push = Interval::sum(s.iter().zip(&self.terms.push).map(|(s, p)| *s * *p));
        let sum = self.terms.gain * sum + self.terms.linear * square * 0.5 + push + self.terms.constant;
        // A mean of squares is not negative.
        Ok(sum.intersection(Interval::new(0.0, f64::INFINITY).unwrap_or(sum)))
    }

    /// `sum_j a_j w_j - sum_m b_m v_m`, in white coordinates.
    fn sum(&self, students: &[Unit]) -> Vec<Interval> {
        let own = students.iter().zip(&self.student_output).map(|(u, a)| (u, Interval::point(*a)));
        let all: Vec<(&Unit, Interval)> = own.chain(self.teachers().map(|(u, b)| (u, -b))).collect();
        (0..self.dimension()).map(|i| Interval::sum(all.iter().map(|(u, c)| *c * u.vector[i]))).collect()
    }

    /// The gradient with respect to all students, (V.2).
    pub(crate) fn gradient(&self, weights: &[Interval]) -> Result<Vec<Interval>, PointError> {
        let over = self.over(weights)?;
        Ok((0..self.students()).flat_map(|j| over.gradient(j)).collect())
    }

    /// The Hessian with respect to all students, row by row, (V.3).
    pub(crate) fn hessian(&self, weights: &[Interval]) -> Result<Vec<Interval>, PointError> {
        let over = self.over(weights)?;
        let d = self.dimension();
        let all: Vec<usize> = (0..d).collect();
        let white: Vec<Vec<Interval>> =
            (0..self.students()).flat_map(|j| over.hessian_rows(j, &all)).collect();
        if self.terms.factor.is_none() {
            return Ok(white.concat());
        }
        // L B L^T for every block B of two students: rows first, then columns.
        let half: Vec<Vec<Interval>> = white
            .iter()
            .map(|row| row.chunks_exact(d).flat_map(|b| self.terms.back(b.to_vec())).collect())
            .collect();
        let n = half.len();
        let mut out = vec![Interval::ZERO; n * n];
        for block in 0..self.students() {
            for l in 0..n {
                let column = (0..d).map(|i| half[block * d + i][l]).collect();
                for (i, x) in self.terms.back(column).into_iter().enumerate() {
                    out[(block * d + i) * n + l] = x;
                }
            }
        }
        Ok(out)
    }

    /// The students of a box, ready for parts of gradient and Hessian.
    pub(crate) fn over(&self, weights: &[Interval]) -> Result<Over<'_>, PointError> {
        let students = self.student_units(weights)?;
        let sum = self.sum(&students);
        Ok(Over { landscape: self, students, sum })
    }
}

/// A box of students.
pub(crate) struct Over<'a> {
    landscape: &'a Landscape,
    students: Vec<Unit>,
    /// `sum_j a_j w_j - sum_m b_m v_m`.
    sum: Vec<Interval>,
}

impl Over<'_> {
    /// Every other student with its index and output weight.
    fn others(&self, j: usize) -> impl Iterator<Item = (usize, &Unit, Interval)> {
        let weighted = self.students.iter().zip(&self.landscape.student_output).enumerate();
        weighted.filter(move |(k, _)| *k != j).map(|(k, (unit, a))| (k, unit, Interval::point(*a)))
    }

    /// The gradient with respect to student `j`.
    pub(crate) fn gradient(&self, j: usize) -> Vec<Interval> {
        let (own, a) = (&self.students[j], self.landscape.student_output[j]);
        let mut field: Vec<Interval> = own.vector.iter().map(|x| *x * (0.5 * a)).collect();
        for (_, other, b) in self.others(j) {
            Pair::new(own, other).add_gating(own, other, b, &mut field);
        }
        for (teacher, b) in self.landscape.teachers() {
            Pair::new(own, teacher).add_gating(own, teacher, -b, &mut field);
        }
        let terms = &self.landscape.terms;
        if !self.landscape.setting.is_plain() {
            for (x, (s, p)) in field.iter_mut().zip(self.sum.iter().zip(&terms.push)) {
                *x = terms.gain * *x + terms.linear * *s + *p;
            }
        }
        terms.back(field.into_iter().map(|x| x * a).collect())
    }

    /// Rows of the Hessian that belong to student `j`, for some of its coordinates; in white coordinates.
    pub(crate) fn hessian_rows(&self, j: usize, coordinates: &[usize]) -> Vec<Vec<Interval>> {
        let d = self.landscape.dimension();
        let (own, a) = (&self.students[j], Interval::point(self.landscape.student_output[j]));
        let mut rows = vec![vec![Interval::ZERO; self.students.len() * d]; coordinates.len()];
        for (row, i) in rows.iter_mut().zip(coordinates) {
            row[j * d + i] = a * 0.5;
        }
        let add_own = |rows: &mut Vec<Vec<Interval>>, pair: &Pair, other: &Unit, b: Interval| {
            let scale = Pair::own_scale(own, other, b);
            for (row, i) in rows.iter_mut().zip(coordinates) {
                for (l, x) in row[j * d..(j + 1) * d].iter_mut().enumerate() {
                    *x = *x + pair.own_entry(own, *i, l, scale);
                }
            }
        };
        for (k, other, b) in self.others(j) {
            let pair = Pair::new(own, other);
            add_own(&mut rows, &pair, other, b);
            for (row, i) in rows.iter_mut().zip(coordinates) {
                for (l, x) in row[k * d..(k + 1) * d].iter_mut().enumerate() {
                    *x = b * pair.cross_entry(own, other, *i, l);
                }
            }
        }
        for (teacher, b) in self.landscape.teachers() {
            add_own(&mut rows, &Pair::new(own, teacher), teacher, -b);
        }
        rows.iter_mut().flatten().for_each(|x| *x = a * *x);
        let terms = &self.landscape.terms;
        if !self.landscape.setting.is_plain() {
            for (row, i) in rows.iter_mut().zip(coordinates) {
                row.iter_mut().for_each(|x| *x = terms.gain * *x);
                for (k, other) in self.landscape.student_output.iter().enumerate() {
                    row[k * d + i] = row[k * d + i] + terms.linear * a * *other;
                }
            }
        }
        rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use popgrad::{Blocks, RandomStream, Student, TwoLayer};

    fn points(x: &Matrix) -> Vec<Interval> {
        x.as_slice().iter().map(|x| Interval::point(*x)).collect()
    }

    fn matrix(rows: usize, cols: usize, stream: &mut RandomStream) -> Matrix {
        let mut data = vec![0.0; rows * cols];
        stream.fill_normal(&mut data);
        Matrix::try_new(rows, cols, data).unwrap()
    }

    /// Against the floating-point library, which is tested against 60 digits; coincident and antiparallel units included.
    #[test]
    fn enclosures_hold_the_values_of_the_library() {
        let mut stream = RandomStream::new(11, 0);
        for case in 0..40 {
            let (k, m, d) = (1 + case % 3, 1 + case % 4, 2 + case % 3);
            let v = matrix(m, d, &mut stream);
            let mut w = matrix(k, d, &mut stream);
            match case % 5 {
                0 => w.row_mut(0).copy_from_slice(v.row(0)),
                1 => (0..d).for_each(|i| w.row_mut(0)[i] = -2.0 * v.row(0)[i]),
                2 => (0..d).for_each(|i| w.row_mut(0)[i] = v.row(0)[i] * (1.0 + 1e-9)),
                _ => {}
            }
            let (a, b): (Vec<f64>, Vec<f64>) =
                ((0..k).map(|_| stream.normal()).collect(), (0..m).map(|_| stream.normal()).collect());
            let problem = TwoLayer::try_new(v.clone()).unwrap().with_teacher_output(b.clone()).unwrap();
            let student = Student::new(w.view()).with_output(&a);
            let ours = Landscape::new(v, b, a.clone());
            let at = points(&w);
            let close = |got: Interval, want: f64, what: &str| {
                let slack = 2e-13; // the library's own rounding
                assert!(got.width() <= 1e-12, "{what} {case}: {got:?}");
                assert!(
                    got.lo() - slack <= want && want <= got.hi() + slack,
                    "{what} {case}: {got:?} {want}"
                );
            };
            close(ours.loss(&at).unwrap(), problem.loss(student).unwrap(), "loss");
            let gradient = problem.gradient(student).unwrap();
            for (got, want) in ours.gradient(&at).unwrap().iter().zip(gradient.weights.as_slice()) {
                close(*got, *want, "gradient");
            }
            let hessian = problem.hessian(student, Blocks::Weights).unwrap();
            for (got, want) in ours.hessian(&at).unwrap().iter().zip(hessian.as_slice()) {
                close(*got, *want, "hessian");
            }
        }
    }

    /// Over a box the enclosures hold the values at its members, also across coincidence and opposition.
    #[test]
    fn boxes_enclose_their_members() {
        let mut stream = RandomStream::new(12, 0);
        for case in 0..30 {
            let v = Matrix::identity(2, 3);
            let mut w = matrix(2, 3, &mut stream);
            match case % 3 {
                0 => w.row_mut(0).copy_from_slice(v.row(0)),
                1 => (0..3).for_each(|i| w.row_mut(0)[i] = -v.row(1)[i]),
                _ => {
                    let first = w.row(0).to_vec();
                    (0..3).for_each(|i| w.row_mut(1)[i] = 0.7 * first[i]);
                }
            }
            let radius = [1e-1, 1e-3, 1e-6][case % 3];
            let ours = Landscape::new(v, vec![1.0; 2], vec![1.0; 2]);
            let ball: Vec<Interval> = w.as_slice().iter().map(|x| Interval::ball(*x, radius)).collect();
            let whole =
                (ours.loss(&ball).unwrap(), ours.gradient(&ball).unwrap(), ours.hessian(&ball).unwrap());
            for _ in 0..20 {
                let member: Vec<Interval> = w
                    .as_slice()
                    .iter()
                    .map(|x| Interval::point(x + radius * 0.999 * (2.0 * stream.uniform() - 1.0)))
                    .collect();
                let part = (
                    ours.loss(&member).unwrap(),
                    ours.gradient(&member).unwrap(),
                    ours.hessian(&member).unwrap(),
                );
                let meet = |a: Interval, b: Interval| !a.intersection(b).is_empty();
                assert!(meet(whole.0, part.0), "{case}");
                assert!(whole.1.iter().zip(&part.1).all(|(a, b)| meet(*a, *b)), "{case}");
                assert!(whole.2.iter().zip(&part.2).all(|(a, b)| meet(*a, *b)), "{case}");
            }
        }
    }

    /// Leaky slopes, fixed skips and covariances, against the library.
    #[test]
    fn settings_hold_the_values_of_the_library() {
        let mut stream = RandomStream::new(13, 0);
        for case in 0..24 {
            let (k, m, d) = (1 + case % 3, 1 + case % 2, 2 + case % 3);
            let (v, w) = (matrix(m, d, &mut stream), matrix(k, d, &mut stream));
            let root = matrix(d, d, &mut stream);
            let entry = |i: usize, j: usize| {
                let (i, j) = (i.min(j), i.max(j));
                (0..d).map(|l| root.row(i)[l] * root.row(j)[l]).sum::<f64>() + if i == j { 0.5 } else { 0.0 }
            };
            let sigma = Matrix::try_new(d, d, (0..d * d).map(|at| entry(at / d, at % d)).collect()).unwrap();
            let (c, t) = (matrix(1, d, &mut stream).into_vec(), matrix(1, d, &mut stream).into_vec());
            let setting = PointSetting {
                leaky: [0.0, 0.3, -1.0, 1.7][case % 4],
                skip: if case % 2 == 0 {
                    PointSkip::None
                } else {
                    PointSkip::Fixed { student: c.clone(), teacher: t.clone() }
                },
                covariance: (case % 3 > 0).then(|| sigma.clone()),
            };
            let mut problem = TwoLayer::try_new(v.clone()).unwrap().with_leaky(setting.leaky).unwrap();
            if case % 3 > 0 {
                problem = problem.with_covariance(&sigma).unwrap();
            }
            let (a, b): (Vec<f64>, Vec<f64>) = ((0..k).map(|_| stream.normal()).collect(), vec![1.0; m]);
            let mut student = Student::new(w.view()).with_output(&a);
            if case % 2 == 1 {
                problem = problem.with_teacher_skip(t).unwrap();
                student = student.with_skip(&c);
            }
            let ours = Landscape::new(v, b, a.clone()).with_setting(setting).unwrap();
            let at = points(&w);
            let close = |got: Interval, want: f64, what: &str| {
                let slack = 1e-12 * (1.0 + want.abs());
                assert!(got.width() <= 1e-9 * (1.0 + want.abs()), "{what} {case}: {got:?}");
                assert!(
                    got.lo() - slack <= want && want <= got.hi() + slack,
                    "{what} {case}: {got:?} {want}"
                );
            };
            close(ours.loss(&at).unwrap(), problem.loss(student).unwrap(), "loss");
            let gradient = problem.gradient(student).unwrap();
            for (got, want) in ours.gradient(&at).unwrap().iter().zip(gradient.weights.as_slice()) {
                close(*got, *want, "gradient");
            }
            let hessian = problem.hessian(student, Blocks::Weights).unwrap();
            for (got, want) in ours.hessian(&at).unwrap().iter().zip(hessian.as_slice()) {
                close(*got, *want, "hessian");
            }
        }
    }

    /// With a trained skip the loss is the least one over all skips: `c = c* - (1 + alpha)/2 s`.
    #[test]
    fn a_trained_skip_takes_its_best_value() {
        let mut stream = RandomStream::new(14, 0);
        for alpha in [0.0, 0.3, -0.5] {
            let (v, w) = (matrix(2, 3, &mut stream), matrix(2, 3, &mut stream));
            let setting = PointSetting { leaky: alpha, skip: PointSkip::Trained, covariance: None };
            let ours = Landscape::new(v.clone(), vec![1.0; 2], vec![1.0; 2]).with_setting(setting).unwrap();
            let sum = |x: &Matrix, i: usize| x.row(0)[i] + x.row(1)[i];
            let best: Vec<f64> = (0..3).map(|i| -0.5 * (1.0 + alpha) * (sum(&w, i) - sum(&v, i))).collect();
            let problem = TwoLayer::try_new(v)
                .unwrap()
                .with_leaky(alpha)
                .unwrap()
                .with_teacher_skip(vec![0.0; 3])
                .unwrap();
            let student = Student::new(w.view()).with_skip(&best);
            let (loss, at) = (problem.loss(student).unwrap(), points(&w));
            assert!((ours.loss(&at).unwrap().middle() - loss).abs() < 1e-13);
            let gradient = problem.gradient(student).unwrap().weights;
            for (got, want) in ours.gradient(&at).unwrap().iter().zip(gradient.as_slice()) {
                assert!((got.middle() - want).abs() < 1e-13);
            }
            // The Hessian, by differences of the gradient.
            let hessian = ours.hessian(&at).unwrap();
            let step = 1e-6;
            for l in 0..6 {
                let shifted = |sign: f64| {
                    let mut x = at.clone();
                    x[l] = x[l] + sign * step;
                    ours.gradient(&x).unwrap()
                };
                let (up, down) = (shifted(1.0), shifted(-1.0));
                for i in 0..6 {
                    let slope = (up[i].middle() - down[i].middle()) / (2.0 * step);
                    assert!((hessian[i * 6 + l].middle() - slope).abs() < 1e-8, "{alpha} {i} {l}");
                }
            }
        }
    }

    #[test]
    fn a_student_that_may_vanish_is_named() {
        let ours = Landscape::new(Matrix::identity(1, 2), vec![1.0], vec![1.0; 2]);
        let weights = [1.0, 0.0, 0.0, 0.0].map(Interval::point);
        assert_eq!(ours.gradient(&weights), Err(PointError::ZeroStudent { student: 1 }));
    }
}
