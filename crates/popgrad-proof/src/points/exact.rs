//! Students that are the teachers, shared out: the loss is zero, not only within rounding.
//!
//! docs/theory/certified_points.md, section 5: a certified ball holds one critical point of the merged problem. If the students
//! that reproduce the teacher lie in it, they are that point, and its loss is zero exactly. It is then a global minimum
//! whatever the Hessian says, and where a teacher is split over several students the number of zero eigenvalues is known.

use super::existence::Found;
use crate::Interval;
use crate::landscape::Landscape;
use popgrad::Matrix;

/// `x y`, and what rounding lost: their sum is exact where nothing under- or overflows.
fn product(x: f64, y: f64) -> [f64; 2] {
    let high = x * y;
    [high, x.mul_add(y, -high)]
}

/// Whether `x0 y1 = x1 y0` exactly, for all pairs of components, and the two point the same way.
pub(crate) fn same_direction(x: &[f64], y: &[f64]) -> bool {
    let safe = |v: &[f64]| v.iter().all(|e| *e == 0.0 || (1e-100..1e100).contains(&e.abs()));
    let Some(pivot) = (0..x.len()).max_by(|i, j| x[*i].abs().total_cmp(&x[*j].abs())) else { return false };
    safe(x)
        && safe(y)
        && x[pivot] * y[pivot] > 0.0
        && (0..x.len()).all(|i| product(x[pivot], y[i]) == product(y[pivot], x[i]))
}

/// Teachers of one direction and one sign of the output weight, as one: sign and `sum |b_m| v_m`.
fn teachers(landscape: &Landscape) -> Vec<(f64, Vec<Interval>)> {
    let v = landscape.teacher();
    let mut groups: Vec<(usize, f64, Vec<Interval>)> = Vec::new();
    for (m, b) in landscape.teacher_output().iter().enumerate() {
        let row = v.row(m);
        if *b == 0.0 || row.iter().all(|x| *x == 0.0) {
            continue;
        }
        let own: Vec<Interval> = row.iter().map(|x| Interval::point(*x) * b.abs()).collect();
        let near =
            |g: &&mut (usize, f64, Vec<Interval>)| g.1 == b.signum() && same_direction(v.row(g.0), row);
        match groups.iter_mut().find(near) {
            Some(group) => group.2.iter_mut().zip(own).for_each(|(x, y)| *x = *x + y),
            None => groups.push((m, b.signum(), own)),
        }
    }
    groups.into_iter().map(|(_, sign, sum)| (sign, sum)).collect()
}

/// What a certified point of a problem without coincident students is seen to be exactly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Likeness {
    /// Nothing that is known here.
    #[default]
    Unknown,
    /// One student that is the sum of the teachers on its side of a line, all other teachers being opposite to it: they have no part
    /// in the gradient, nor in the Hessian.
    Side,
    /// The teacher, one student for all teachers of a direction.
    Teacher,
}

impl Likeness {
    /// Of the certified point of a problem.
    pub(super) fn of(landscape: &Landscape, found: &Found) -> Self {
        let all = teachers(landscape);
        let output = landscape.student_output();
        if all.len() == output.len() && !landscape.setting().pushes() && is_near(all, output, found) {
            return Self::Teacher;
        }
        let Some(side) = side(landscape, found).filter(|_| landscape.setting().is_plain()) else {
            return Self::Unknown;
        };
        if is_near(vec![side], output, found) { Self::Side } else { Self::Unknown }
    }
}

/// The sum of the teachers on the side of the only student, if all others are exactly opposite to them.
fn side(landscape: &Landscape, found: &Found) -> Option<(f64, Vec<Interval>)> {
    let [_] = landscape.student_output() else { return None };
    let (v, b) = (landscape.teacher(), landscape.teacher_output());
    let present: Vec<usize> =
        (0..v.rows()).filter(|m| b[*m] != 0.0 && v.row(*m).iter().any(|x| *x != 0.0)).collect();
    let along = |m: usize| v.row(m).iter().zip(found.center.row(0)).map(|(x, y)| x * y).sum::<f64>();
    let first = *present.iter().find(|m| along(**m) > 0.0)?;
    let turned: Vec<f64> = v.row(first).iter().map(|x| -x).collect();
    let on_line = |m: &usize| same_direction(v.row(first), v.row(*m)) || same_direction(&turned, v.row(*m));
    let own = teachers(landscape).into_iter().filter(|(_, sum)| {
        let product = sum.iter().zip(found.center.row(0)).map(|(x, y)| *x * *y);
        Interval::sum(product).is_certainly_positive()
    });
    let own: Vec<(f64, Vec<Interval>)> = own.collect();
    // Teachers of one direction and both signs would be two groups.
    if !present.iter().all(on_line) || own.len() != 1 {
        return None;
    }
    own.into_iter().next()
}

/// Whether targets, matched with the students, lie in the certified ball.
fn is_near(mut left: Vec<(f64, Vec<Interval>)>, output: &[f64], found: &Found) -> bool {
    let mut squares = Vec::new();
    for (j, a) in output.iter().enumerate() {
        let distance = |target: &[Interval]| {
            let own = found.center.row(j).iter().zip(target);
            Interval::sum(own.map(|(x, t)| (*t / a.abs() - *x).square()))
        };
        let fits = left.iter().enumerate().filter(|(_, (sign, _))| *sign == a.signum());
        let nearest = fits.map(|(at, (_, target))| (at, distance(target)));
        let Some((at, square)) = nearest.min_by(|x, y| x.1.hi().total_cmp(&y.1.hi())) else { return false };
        squares.push(square);
        left.swap_remove(at);
    }
    Interval::sum(squares).sqrt().hi() < found.unique_radius
}

/// Whether the directions of the students are pairwise not on one line, or their output weights have one sign: near the point the
/// loss then vanishes on the manifold of shared-out teachers only.
pub(super) fn vanishes_on_the_manifold_only(landscape: &Landscape, center: &Matrix) -> bool {
    let output = landscape.student_output();
    if output.iter().all(|a| a.signum() == output[0].signum()) {
        return true;
    }
    let certainly_apart = |i: usize, j: usize| {
        let (x, y) = (center.row(i), center.row(j));
        let cross = |a: usize, b: usize| Interval::point(x[a]) * y[b] - Interval::point(x[b]) * y[a];
        let largest = |v: &[f64]| v.iter().fold(0.0_f64, |m, e| m.max(e.abs()));
        let scale = 1e-8 * largest(x) * largest(y);
        (0..x.len()).any(|a| (0..a).any(|b| cross(a, b).mignitude() > scale))
    };
    (0..output.len()).all(|i| (0..i).all(|j| certainly_apart(i, j)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exact_multiples_are_told_from_near_ones() {
        assert!(same_direction(&[0.3, 0.7], &[0.15, 0.35]));
        assert!(!same_direction(&[0.3, 0.7], &[-0.15, -0.35]));
        // 0.1 times 0.3 and 0.7, rounded.
        assert!(!same_direction(&[0.3, 0.7], &[0.1 * 0.3, 0.1 * 0.7]));
        assert!(!same_direction(&[0.0, 0.0], &[1.0, 0.0]));
        assert!(same_direction(&[1.0, 0.0, 0.0], &[1e-3, 0.0, 0.0]));
    }
}
