//! A point up to rotations: the inner products of students and teachers.
//!
//! Rotations of the input that fix the teacher's span change no inner product, and inner products determine the point up to
//! such rotations. Under a covariance they are those of the plain problem, and a permutation of teachers has to keep the teachers'
//! inner products within each eigenspace as well: then a rotation that commutes with the covariance carries it out. What remains of the problem's symmetry are permutations: of students with equal output weights, and
//! of teachers that keep the teacher's own inner products and output weights (docs/theory/critical.md, (Z.4)-(Z.6)).

use super::matching::Labelled;
use crate::vector::{dot, norm};
use crate::{Matrix, MatrixView, TwoLayer};

/// Inner products of all units of a point, students first, with the colours that a permutation has to keep.
#[derive(Clone, Debug)]
pub(super) struct Configuration {
    students: usize,
    graph: Labelled,
    /// Output weights of the students, ascending.
    output: Vec<f64>,
    /// Length of the longest unit.
    size: f64,
}

/// Output weights that differ by less than this share count as equal.
const EQUAL_OUTPUT: f64 = 1e-9;

impl Configuration {
    /// The configuration of students of the plain problem with given output weights. Where output weights are trained, `|a| w` and
    /// the sign of `a` are what matters, and the caller passes these. `layers` are further inner products of the teachers.
    pub(super) fn new(
        problem: &TwoLayer,
        weights: MatrixView<'_>,
        output: &[f64],
        layers: &[Matrix],
    ) -> Self {
        let teacher = problem.teacher();
        let rows: Vec<&[f64]> = (0..weights.rows())
            .map(|j| weights.row(j))
            .chain((0..teacher.rows()).map(|m| teacher.row(m)))
            .collect();
        let n = rows.len();
        let mut edges = Matrix::zeros(n, n);
        for i in 0..n {
            for j in 0..n {
                edges.row_mut(i)[j] = dot(rows[i], rows[j]);
            }
        }
        let mut all = vec![edges];
        for layer in layers {
            let mut wide = Matrix::zeros(n, n);
            for i in 0..layer.rows() {
                wide.row_mut(weights.rows() + i)[weights.rows()..].copy_from_slice(layer.row(i));
            }
            all.push(wide);
        }
        let mut colours = numbered(output, 0);
        let first = colours.iter().max().map_or(0, |c| c + 1);
        colours.extend(numbered(problem.teacher_output(), first));
        let size = rows.iter().map(|r| norm(r)).fold(0.0, f64::max);
        let mut output = output.to_vec();
        output.sort_by(f64::total_cmp);
        Self { students: weights.rows(), graph: Labelled { layers: all, colours }, output, size }
    }

    /// The permutation `s` of units under which `other` becomes this configuration to within `tolerance` times the
    /// square of the longest unit, if there is one: unit `i` here corresponds to unit `s[i]` there.
    pub(super) fn matches(&self, other: &Self, tolerance: f64) -> Option<Vec<usize>> {
        let equal = |(a, b): (&f64, &f64)| (a - b).abs() <= EQUAL_OUTPUT * a.abs().max(b.abs());
        if self.students != other.students || !self.output.iter().zip(&other.output).all(equal) {
            return None;
        }
        let allowed = tolerance * self.size * self.size.max(other.size);
        self.graph.matching(&other.graph, allowed, &[])
    }

    /// The permutations that leave the configuration as it is: their number and their orbits.
    pub(super) fn isotropy(&self, tolerance: f64) -> Isotropy {
        let (order, orbits) = self.graph.automorphisms(tolerance * self.size * self.size);
        let (students, teachers): (Vec<_>, Vec<_>) =
            orbits.into_iter().partition(|orbit| orbit[0] < self.students);
        let teachers =
            teachers.into_iter().map(|o| o.into_iter().map(|u| u - self.students).collect()).collect();
        Isotropy { order, students, teachers }
    }

    /// The order of the group of all permutations that the problem allows: of equal students, times the teacher's own.
    pub(super) fn group_order(&self, tolerance: f64) -> GroupOrder {
        let n = self.graph.colours.len();
        let mut order = GroupOrder::ONE;
        for colour in 0..n {
            let count = self.graph.colours[..self.students].iter().filter(|c| **c == colour).count();
            order = order.times_order(GroupOrder::factorial(count));
        }
        let m = n - self.students;
        let of_teachers = |layer: &Matrix| {
            let mut edges = Matrix::zeros(m, m);
            for i in 0..m {
                edges.row_mut(i).copy_from_slice(&layer.row(self.students + i)[self.students..]);
            }
            edges
        };
        let layers = self.graph.layers.iter().map(of_teachers).collect();
        let teacher = Labelled { layers, colours: self.graph.colours[self.students..].to_vec() };
        let (own, _) = teacher.automorphisms(tolerance * self.size * self.size);
        order.times_order(own)
    }
}

/// Equal values get equal numbers, from `first` on, in the order of the values.
fn numbered(values: &[f64], first: usize) -> Vec<usize> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let equal = |a: f64, b: f64| (a - b).abs() <= EQUAL_OUTPUT * a.abs().max(b.abs());
    sorted.dedup_by(|a, b| equal(*a, *b));
    let number = |v: &f64| sorted.iter().position(|s| equal(*s, *v)).unwrap_or(0);
    values.iter().map(|v| first + number(v)).collect()
}

/// The order of a group of permutations: exact while it fits into 128 bits, and its logarithm.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GroupOrder {
    /// The order, if it is below `2^128`.
    pub exact: Option<u128>,
    /// Its logarithm to base ten.
    pub log10: f64,
}

impl GroupOrder {
    /// The trivial group.
    pub(super) const ONE: Self = Self { exact: Some(1), log10: 0.0 };

    pub(super) fn times(self, factor: usize) -> Self {
        let exact = self.exact.and_then(|e| e.checked_mul(factor as u128));
        Self { exact, log10: self.log10 + libm::log10(factor as f64) }
    }

    /// `n!`.
    pub(super) fn factorial(n: usize) -> Self {
        (2..=n).fold(Self::ONE, Self::times)
    }

    pub(super) fn times_order(self, other: Self) -> Self {
        let exact = self.exact.zip(other.exact).and_then(|(a, b)| a.checked_mul(b));
        Self { exact, log10: self.log10 + other.log10 }
    }

    /// The index of a subgroup.
    pub(super) fn over(self, subgroup: Self) -> Self {
        let exact = self.exact.zip(subgroup.exact).map(|(a, b)| a / b);
        Self { exact, log10: (self.log10 - subgroup.log10).max(0.0) }
    }
}

/// Lengths of orbits, ascending.
fn sizes(orbits: &[Vec<usize>]) -> Vec<usize> {
    let mut sizes: Vec<usize> = orbits.iter().map(Vec::len).collect();
    sizes.sort_unstable();
    sizes
}

/// The permutations of students and teachers, together, that leave a point as it is up to rotations.
#[derive(Clone, Debug, PartialEq)]
pub struct Isotropy {
    /// How many there are.
    pub order: GroupOrder,
    /// Which students they exchange with each other, each orbit ascending.
    pub students: Vec<Vec<usize>>,
    /// Which teachers.
    pub teachers: Vec<Vec<usize>>,
}

impl Isotropy {
    /// The product of the symmetric groups of blocks of these sizes, in order, acting on students and teachers alike.
    pub(super) fn of_blocks(sizes: &[usize]) -> Self {
        let mut first = 0;
        let mut orbits = Vec::with_capacity(sizes.len());
        let mut order = GroupOrder::ONE;
        for p in sizes {
            orbits.push((first..first + p).collect::<Vec<usize>>());
            order = order.times_order(GroupOrder::factorial(*p));
            first += p;
        }
        Self { order, students: orbits.clone(), teachers: orbits }
    }

    /// The block structure `[p_1, ..., p_b]`, ascending, if the group is the product of the symmetric groups of its
    /// blocks of teachers, each acting on as many students in the same way: the notation of Arjevani and Field.
    pub fn blocks(&self) -> Option<Vec<usize>> {
        let blocks = sizes(&self.teachers);
        let mut order = GroupOrder::ONE;
        for p in &blocks {
            order = order.times_order(GroupOrder::factorial(*p));
        }
        let same = sizes(&self.students) == blocks && (order.log10 - self.order.log10).abs() < 0.1;
        same.then_some(blocks)
    }

    /// The block structure as text, or the sizes of the orbits with the order of the group.
    pub fn label(&self) -> String {
        let list = |sizes: &[usize]| {
            let words: Vec<String> = sizes.iter().map(ToString::to_string).collect();
            format!("[{}]", words.join(","))
        };
        if let Some(blocks) = self.blocks() {
            return list(&blocks);
        }
        let sizes = |orbits: &[Vec<usize>]| list(&sizes(orbits));
        let order =
            self.order.exact.map_or_else(|| format!("10^{:.1}", self.order.log10), |order| order.to_string());
        format!("{} on {} (order {order})", sizes(&self.students), sizes(&self.teachers))
    }
}
