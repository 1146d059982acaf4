//! Students that share a direction, seen as one.
//!
//! docs/theory/certified_points.md, section 4: if `w_j = t_j w` with `t_j > 0` and output weights of one sign, the network is the
//! one in which a single student `sum |a_j| w_j` stands for them, and the gradient at each depends on the direction only. So the
//! critical points of the merged problem are those of the given one with these students collinear, and the shares `t_j`
//! are free: a manifold of critical points of one dimension less than there are students in the group.

use super::exact::{self, Likeness};
use super::existence::{Found, around};
use super::gauge::Gauge;
use super::report::Kind;
use crate::Interval;
use crate::landscape::Landscape;
use popgrad::{Matrix, MatrixView};

/// Directions closer than this many radii of the ball, or than this angle, may be one.
const SAME_DIRECTION: f64 = 4.0;
const SMALL_ANGLE: f64 = 1e-6;
/// However short a student is, a larger angle is one.
const LARGEST_ANGLE: f64 = 0.05;

/// The problem with groups of students merged.
pub(super) struct Merged {
    pub(super) landscape: Landscape,
    pub(super) start: Matrix,
    groups: Vec<Vec<usize>>,
    /// For each student its group and the number that the merged student is multiplied by.
    shares: Vec<(usize, Interval)>,
}

fn norm(x: &[f64]) -> f64 {
    x.iter().map(|x| x * x).sum::<f64>().sqrt()
}

impl Merged {
    /// The ways to see a point: with collinear students merged, if there are any, and as it is.
    pub(super) fn attempts(landscape: &Landscape, point: MatrixView<'_>, radius: f64) -> Vec<Self> {
        let groups = collinear(landscape.student_output(), point, radius);
        let alone: Vec<Vec<usize>> = (0..point.rows()).map(|j| vec![j]).collect();
        let mut ways = Vec::new();
        if groups.len() < alone.len() {
            ways.push(Self::new(landscape, point, groups));
        }
        ways.push(Self::new(landscape, point, alone));
        ways
    }

    /// The problem with these groups merged; the other students stand alone.
    pub(super) fn grouped(landscape: &Landscape, point: MatrixView<'_>, groups: &[Vec<usize>]) -> Self {
        let alone = (0..point.rows()).filter(|j| !groups.iter().any(|g| g.contains(j)));
        let all = groups.iter().cloned().chain(alone.map(|j| vec![j])).collect();
        Self::new(landscape, point, all)
    }

    fn new(landscape: &Landscape, point: MatrixView<'_>, groups: Vec<Vec<usize>>) -> Self {
        let output = landscape.student_output();
        let mut shares = vec![(0, Interval::ONE); output.len()];
        let (mut rows, mut merged_output) = (Vec::new(), Vec::new());
        for (g, group) in groups.iter().enumerate() {
            if let [only] = group[..] {
                rows.push(point.row(only).to_vec());
                merged_output.push(output[only]);
                shares[only] = (g, Interval::ONE);
                continue;
            }
            let mut row = vec![0.0; point.cols()];
            for j in group {
                row.iter_mut().zip(point.row(*j)).for_each(|(r, x)| *r += output[*j].abs() * x);
            }
            // Any positive numbers with sum 1 would do; these are the shares of the given point.
            let weights: Vec<f64> = group.iter().map(|j| output[*j].abs() * norm(point.row(*j))).collect();
            let total = Interval::sum(weights.iter().map(|x| Interval::point(*x)));
            for (j, weight) in group.iter().zip(&weights) {
                shares[*j] = (g, Interval::point(*weight) / total / output[*j].abs());
            }
            rows.push(row);
            merged_output.push(output[group[0]].signum());
        }
        let start = Matrix::try_from_rows(&rows).unwrap_or_else(|_| point.to_matrix());
        Self { landscape: landscape.with_students(merged_output), start, groups, shares }
    }

    /// Dimension of the manifold that the shares make.
    pub(super) fn dimension(&self) -> usize {
        self.shares.len() - self.groups.len()
    }

    /// Students that share a direction.
    pub(super) fn groups(&self) -> Vec<Vec<usize>> {
        self.groups.iter().filter(|g| g.len() > 1).cloned().collect()
    }

    /// What is known of a certified point beside its Hessian.
    pub(super) fn kind(&self, found: &Found, gauge: &Gauge) -> Kind {
        let none = gauge.dimension() > 0;
        let likeness = if none { Likeness::Unknown } else { Likeness::of(&self.landscape, found) };
        let strict = likeness == Likeness::Teacher
            && exact::vanishes_on_the_manifold_only(&self.landscape, &found.center);
        Kind { likeness, strict, split: self.dimension() * found.center.cols() }
    }

    /// The given problem's critical point with the shares of the given point: its middle, and a box that holds it.
    pub(super) fn split(&self, found: &Found) -> (Matrix, Vec<Interval>) {
        let d = found.center.cols();
        let merged = around(&found.center, found.radius);
        let row = |(group, share): &(usize, Interval)| -> Vec<Interval> {
            let own = &merged[group * d..(group + 1) * d];
            own.iter().map(|x| if *share == Interval::ONE { *x } else { *x * *share }).collect()
        };
        let enclosure: Vec<Interval> = self.shares.iter().flat_map(row).collect();
        let middles = enclosure.iter().map(|x| x.middle()).collect();
        let center = Matrix::try_new(self.shares.len(), d, middles).unwrap_or_else(|_| found.center.clone());
        (center, enclosure)
    }
}

/// Groups of students whose directions agree up to what the ball allows, and whose output weights have one sign.
fn collinear(output: &[f64], point: MatrixView<'_>, radius: f64) -> Vec<Vec<usize>> {
    let direction = |j: usize| -> Vec<f64> {
        let size = norm(point.row(j));
        point.row(j).iter().map(|x| x / size).collect()
    };
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for j in 0..point.rows() {
        let e = direction(j);
        let slack = |i: usize| {
            let shorter = norm(point.row(i)).min(norm(point.row(j)));
            (SAME_DIRECTION * radius / shorter).clamp(SMALL_ANGLE, LARGEST_ANGLE)
        };
        let near = |i: usize| {
            let f = direction(i);
            let gap: Vec<f64> = e.iter().zip(&f).map(|(a, b)| a - b).collect();
            norm(&gap) <= slack(i) && output[i].signum() == output[j].signum()
        };
        match groups.iter_mut().find(|g| near(g[0])) {
            Some(group) => group.push(j),
            None => groups.push(vec![j]),
        }
    }
    groups
}
