//! Gradient and Hessian of the loss at a matrix of block structure, in closed form.
//!
//! ```text
//! grad_r = w_r/2 + 1/2pi sum_{classes} [psi sum_k w_k + w^_r sum_k |w_k| s] - the same for the teacher
//! ```
//!
//! The students of a class see a given student at one angle, so each class costs one term whatever its size
//! (docs/theory/critical.md, (Z.16), (Z.17)). The teacher is the identity.

use super::structure::{BlockMatrix, BlockRow, Sizes};
use std::f64::consts::TAU;

/// Angle between two unit rows: cosine, sine, and the supplement.
#[derive(Clone, Copy, Debug)]
pub(super) struct Turn {
    pub(super) cosine: f64,
    pub(super) sine: f64,
    pub(super) psi: f64,
}

impl Turn {
    /// From `|u - v|^2` and `|u + v|^2` of unit vectors.
    pub(super) fn new(apart: f64, together: f64) -> Self {
        let (apart, together) = (apart.max(0.0), together.max(0.0));
        let (a, t) = (apart.sqrt(), together.sqrt());
        Self { cosine: 0.25 * (together - apart), sine: 0.5 * a * t, psi: 2.0 * libm::atan2(t, a) }
    }
}

/// A point with its lengths, directions and angles.
#[derive(Clone, Debug)]
pub(super) struct Geometry<'a> {
    sizes: &'a Sizes,
    w: &'a BlockMatrix,
    pub(super) lengths: Vec<f64>,
    pub(super) units: BlockMatrix,
    /// Between students, `b x b`.
    pairs: Vec<Turn>,
}

impl<'a> Geometry<'a> {
    /// `None` if the students of a block are zero, with the block.
    pub(super) fn new(sizes: &'a Sizes, w: &'a BlockMatrix) -> Result<Self, usize> {
        let b = sizes.blocks();
        let lengths: Vec<f64> = (0..b).map(|i| sizes.dot_self(i, w, w).max(0.0).sqrt()).collect();
        if let Some(block) = lengths.iter().position(|l| *l == 0.0) {
            return Err(block);
        }
        let mut units = w.clone();
        for i in 0..b {
            units.own[i] /= lengths[i];
            units.same[i] /= lengths[i];
            for j in 0..b {
                units.cross[i * b + j] /= lengths[i];
            }
        }
        let turn = |i: usize, j: usize| {
            Turn::new(sizes.squared_sum(i, j, &units, -1.0), sizes.squared_sum(i, j, &units, 1.0))
        };
        let pairs = (0..b * b).map(|c| turn(c / b, c % b)).collect();
        Ok(Self { sizes, w, lengths, units, pairs })
    }

    pub(super) fn pair(&self, i: usize, j: usize) -> Turn {
        self.pairs[i * self.sizes.blocks() + j]
    }

    /// The classes of teachers that a student of block `i` tells apart: entry of its direction there, how many, and their sum.
    pub(super) fn teachers(&self, i: usize) -> Vec<(f64, f64, BlockRow)> {
        let b = self.sizes.blocks();
        let mut out = Vec::with_capacity(b + 1);
        let mut own = BlockRow::zeros(b);
        own.own = 1.0;
        out.push((self.units.own[i], 1.0, own));
        let mut same = BlockRow::zeros(b);
        same.same = 1.0;
        out.push((self.units.same[i], self.sizes.0[i] - 1.0, same));
        for j in (0..b).filter(|j| *j != i) {
            let mut row = BlockRow::zeros(b);
            row.cross[j] = 1.0;
            out.push((self.units.c(i, j), self.sizes.0[j], row));
        }
        out
    }

    /// The angle to a teacher at which the direction has entry `x`.
    pub(super) fn teacher_turn(&self, i: usize, x: f64) -> Turn {
        let rest = self.sizes.dot_self(i, &self.units, &self.units) - x * x;
        // The direction's length is one to rounding; what is left besides the entry is a sum of squares.
        let rest = rest.max(0.0);
        Turn::new((x - 1.0) * (x - 1.0) + rest, (x + 1.0) * (x + 1.0) + rest)
    }

    /// The angle to the student's own teacher, its sine from the other entries, so that it keeps its digits near the teacher.
    pub(super) fn own_turn(&self, i: usize) -> Turn {
        let mut others = self.units.clone();
        others.own[i] = 0.0;
        let rest = self.sizes.dot_self(i, &others, &others);
        let x = self.units.own[i];
        Turn::new((x - 1.0) * (x - 1.0) + rest, (x + 1.0) * (x + 1.0) + rest)
    }

    fn turn_of(&self, i: usize, class: usize, x: f64) -> Turn {
        if class == 0 { self.own_turn(i) } else { self.teacher_turn(i, x) }
    }

    /// `sum_m sin(theta_m)` over all teachers, for a student of block `i`.
    pub(super) fn teacher_sines(&self, i: usize) -> f64 {
        let classes = self.teachers(i).into_iter().enumerate();
        classes.map(|(class, (x, count, _))| count * self.turn_of(i, class, x).sine).sum()
    }

    /// The gradient with respect to each row, as a matrix of the same structure.
    pub(super) fn gradient(&self) -> BlockMatrix {
        let b = self.sizes.blocks();
        let mut out = BlockMatrix::zeros(b);
        for i in 0..b {
            let mut row = BlockRow::zeros(b);
            row.add(0.5, &self.w.row(i));
            let mut along = 0.0;
            for j in 0..b {
                let (turn, count) = (self.pair(i, j), self.sizes.others(i, j));
                if count == 0.0 {
                    continue;
                }
                row.add(turn.psi / TAU, &self.sizes.sum_of_class(i, j, self.w));
                along += count * self.lengths[j] * turn.sine;
            }
            for (class, (x, count, sum)) in self.teachers(i).into_iter().enumerate() {
                let turn = self.turn_of(i, class, x);
                row.add(-turn.psi / TAU, &sum);
                along -= count * turn.sine;
            }
            row.add(along / TAU, &self.units.row(i));
            out.set_row(i, &row);
        }
        out
    }

    /// The Hessian applied to a matrix of the same structure.
    pub(super) fn hessian_times(&self, z: &BlockMatrix) -> BlockMatrix {
        let b = self.sizes.blocks();
        let mut out = BlockMatrix::zeros(b);
        for i in 0..b {
            let row = self.hessian_row(i, z);
            out.set_row(i, &row);
        }
        out
    }

    fn hessian_row(&self, i: usize, z: &BlockMatrix) -> BlockRow {
        let b = self.sizes.blocks();
        let (unit, own) = (self.units.row(i), z.row(i));
        let along = self.sizes.dot_self(i, &self.units, z);
        let mut out = BlockRow::zeros(b);
        out.add(0.5, &own);
        // sum_k g_k (I - w^ w^T) z, with n n^T z added class by class.
        let mut total = 0.0;
        for j in 0..b {
            let (turn, count) = (self.pair(i, j), self.sizes.others(i, j));
            if count == 0.0 {
                continue;
            }
            out.add(turn.psi / TAU, &self.sizes.sum_of_class(i, j, z));
            if turn.sine == 0.0 {
                continue;
            }
            let mut across = self.sizes.sum_of_class(i, j, &self.units);
            across.add(-count * turn.cosine, &unit); // s times the sum of the axes n_k
            let weight = turn.sine * self.lengths[j] / (TAU * self.lengths[i]);
            total += count * weight;
            let n_z = (self.sizes.dot(i, j, z, &self.units) - turn.cosine * along) / turn.sine;
            let turned = self.sizes.dot_self(j, &self.units, z);
            let m_z = (self.sizes.dot(i, j, &self.units, z) - turn.cosine * turned) / turn.sine;
            out.add(weight * n_z / turn.sine + m_z / TAU, &across);
            out.add(count * turn.sine * turned / TAU, &unit);
        }
        for (class, (x, count, sum)) in self.teachers(i).into_iter().enumerate() {
            let turn = self.turn_of(i, class, x);
            if turn.sine == 0.0 || count == 0.0 {
                continue;
            }
            let entry = match class {
                0 => own.own,
                1 => own.same,
                _ => sum.cross.iter().zip(&own.cross).map(|(s, c)| s * c).sum(),
            };
            let mut across = sum;
            across.add(-count * turn.cosine, &unit);
            let weight = turn.sine / (TAU * self.lengths[i]);
            total -= count * weight;
            let n_z = (entry - turn.cosine * along) / turn.sine;
            out.add(-weight * n_z / turn.sine, &across);
        }
        out.add(total, &own);
        out.add(-total * along, &unit);
        out
    }
}
