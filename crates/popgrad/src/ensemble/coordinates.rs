//! The basis in which the runs of a two-layer ensemble are computed.

use crate::TwoLayer;
use crate::lanes::{Lanes, on_lanes};
use crate::two_layer::Basis;
use crate::vector::{dot, norm};

/// Teachers whose directions have inner products below this count as orthogonal: what a few roundings leave.
const ORTHOGONAL: f64 = 8.0 * f64::EPSILON;

/// What a run's coordinates are.
#[derive(Clone, Debug)]
pub(super) struct Coordinates {
    d: usize,
    /// Coordinates of a student.
    pub(super) r: usize,
    /// An orthonormal basis of the teachers' span, which every run completes by its own start; `None` where the coordinates
    /// are the problem's own.
    basis: Option<Basis>,
    lanes: Lanes,
}

/// The teacher in the runs' coordinates, without units that are zero.
#[derive(Clone, Debug)]
pub(super) struct LaneTeacher {
    /// `b_m |v_m|`.
    pub(super) weights: Vec<f64>,
    /// Directions, row by row; empty where teacher `m` is axis `m`.
    pub(super) directions: Vec<f64>,
}

impl Coordinates {
    /// The coordinates for `k` students, and the teacher in them (docs/theory/ensemble.md, (B.3)).
    pub(super) fn new(problem: &TwoLayer, k: usize, lanes: Lanes) -> (Self, LaneTeacher) {
        let d = problem.input_dimension();
        let teacher = problem.teacher();
        let units: Vec<usize> = (0..teacher.rows())
            .filter(|m| problem.teacher_output()[*m] != 0.0 && teacher.row(*m).iter().any(|x| *x != 0.0))
            .collect();
        let lengths: Vec<f64> = units.iter().map(|m| norm(teacher.row(*m))).collect();
        let weights = units.iter().zip(&lengths).map(|(m, n)| problem.teacher_output()[*m] * n).collect();
        let directions: Vec<Vec<f64>> = units
            .iter()
            .zip(&lengths)
            .map(|(m, n)| teacher.row(*m).iter().map(|x| x / n).collect())
            .collect();
        let orthogonal =
            (0..units.len()).all(|m| (0..m).all(|l| dot(&directions[m], &directions[l]).abs() <= ORTHOGONAL));
        let on_axes = directions
            .iter()
            .enumerate()
            .all(|(m, v)| v.iter().enumerate().all(|(i, x)| *x == f64::from(u8::from(i == m))));
        let mut basis = Basis::new(d);
        let mut rows: Vec<Vec<f64>> =
            directions.iter().map(|v| on_lanes!(lanes, _simd => basis.coordinates(v))).collect();
        let r = d.min(basis.len() + k);
        let own = if orthogonal { on_axes && r == d } else { r == d };
        if own {
            rows = directions;
        }
        let directions = if orthogonal {
            Vec::new()
        } else {
            rows.iter_mut().for_each(|row| row.resize(r, 0.0));
            rows.concat()
        };
        (Self { d, r, basis: (!own).then_some(basis), lanes }, LaneTeacher { weights, directions })
    }

    /// The coordinates of a start `w` (`K x d`), written to `out` (`K x r`); returns the completed basis.
    pub(super) fn of_start(&self, w: &[f64], out: &mut [f64]) -> Option<Basis> {
        let Some(basis) = &self.basis else {
            out.copy_from_slice(w);
            return None;
        };
        let mut basis = basis.clone();
        out.fill(0.0);
        for (row, to) in w.chunks_exact(self.d).zip(out.chunks_exact_mut(self.r)) {
            let coordinates = on_lanes!(self.lanes, _simd => basis.coordinates(row));
            to[..coordinates.len()].copy_from_slice(&coordinates);
        }
        Some(basis)
    }

    /// Rows in the coordinates of the run that began at `start`, in the problem's own coordinates.
    pub(super) fn lift(&self, start: &[f64], rows: &[f64]) -> Vec<f64> {
        let mut scratch = vec![0.0; rows.len()];
        let Some(basis) = self.of_start(start, &mut scratch) else { return rows.to_vec() };
        let mut out = vec![0.0; start.len()];
        for (row, to) in rows.chunks_exact(self.r).zip(out.chunks_exact_mut(self.d)) {
            on_lanes!(self.lanes, _simd => basis.combine(row, to));
        }
        out
    }
}
