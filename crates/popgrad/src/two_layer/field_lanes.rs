//! The field of small and medium problems: cosines, angles and products with eight columns in the lanes.
//!
//! ```text
//! r_j = sum_z c_z F(w_j, z),   Z = (V; W),  c = (-b; a)
//!     = (1/2pi) [sum_z c_z psi_jz z + (sum_z c_z |z| sin theta_jz) w_j / |w_j|]
//! ```
//!
//! with `psi = pi - theta` (docs/theory/two_layer.md, (T.3)). Columns are teachers first, then students, so that the
//! teacher's part of every buffer is written once.
//! All levels give the same bits: every sum runs in index order.

use super::problem::{TwoLayer, direction};
use crate::lanes::{fused, padded, psi_sine, sum_lanes};
use crate::panels::Panels;
use fearless_simd::{Select, Simd, SimdBase, f64x8};
use std::f64::consts::TAU;

/// Squared lengths outside this range are computed again with scaling.
pub(super) const SAFE_SQUARE: std::ops::Range<f64> = 1e-280..1e280;

/// Below this length a quotient by it may leave the range of doubles.
const SHORT: f64 = 1e-150;

/// Buffers of the fused field for one teacher and one number of students.
#[derive(Clone, Debug)]
pub(super) struct LaneField {
    k: usize,
    m: usize,
    d: usize,
    /// Columns, `M + K` rounded up to whole vectors.
    np: usize,
    /// Input dimensions, rounded up to whole vectors.
    dp: usize,
    /// Directions of all units as columns, `d x np`: teachers, then students.
    directions: Panels,
    /// Directions of the students as rows: `K x dp`.
    pub(super) units: Vec<f64>,
    /// All units as rows, `(M + K) x dp`: teachers, then students.
    rows: Panels,
    /// Coefficients `c_z`.
    coefficients: Vec<f64>,
    /// `1/c_t` of the teachers, what brings products back to angles.
    psi_scales: Vec<f64>,
    /// `c_z |z|`.
    weighted_lengths: Vec<f64>,
    /// Lengths of the students.
    pub(super) lengths: Vec<f64>,
    /// One for teachers, one over the length for students: what turns inner products into cosines.
    inverses: Vec<f64>,
    /// Whether the inverses are those of the last students, so that no length was scaled.
    safe: bool,
    /// `c_z psi_jz`, with the sine term on the diagonal: `K x np`.
    products: Vec<f64>,
    /// Sine terms kept apart from the products: `K`.
    axis: Vec<f64>,
    /// The field `r`: `K x dp`.
    pub(super) field: Vec<f64>,
}

impl LaneField {
    /// Buffers for `k` students of the given problem.
    pub(super) fn new(problem: &TwoLayer, k: usize) -> Self {
        let white = &problem.white;
        let (m, d) = (white.rows.rows(), white.rows.cols());
        let (np, dp) = (padded(m + k), padded(d));
        let (mut directions, mut rows) = (Panels::zeros(d, m + k), Panels::zeros(m + k, d));
        let (mut coefficients, mut weighted_lengths) = (vec![0.0; np], vec![0.0; np]);
        for t in 0..m {
            directions.set_column(t, white.directions.row(t));
            rows.set_row(t, white.rows.row(t));
            coefficients[t] = -problem.output[t];
            weighted_lengths[t] = coefficients[t] * white.lengths[t];
        }
        Self {
            k,
            m,
            d,
            np,
            dp,
            directions,
            units: vec![0.0; k * dp],
            rows,
            psi_scales: coefficients[..m].iter().map(|c| 1.0 / c).collect(),
            coefficients,
            weighted_lengths,
            lengths: vec![0.0; k],
            inverses: vec![1.0; np],
            safe: false,
            products: vec![0.0; k * np],
            axis: vec![0.0; k],
            field: vec![0.0; k * dp],
        }
    }

    /// Row stride of [`LaneField::field`].
    pub(super) fn stride(&self) -> usize {
        self.dp
    }

    /// Whether the last field's root-mean-square row is below `share` times the root of the sum of squared weighted
    /// lengths, `sum_z (c_z |z|)^2`: a random sum of such terms is about a third of that root.
    #[inline(always)]
    pub(super) fn field_is_below<S: Simd>(&self, simd: S, share: f64) -> bool {
        let zero = f64x8::splat(simd, 0.0);
        let mut lengths = zero;
        for cells in self.weighted_lengths.chunks_exact(8) {
            let x = f64x8::from_slice(simd, cells);
            lengths = fused(simd, x, x, lengths);
        }
        let index = f64x8::load_array(simd, [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]);
        let inside = index.simd_lt(f64x8::splat(simd, (self.d + 8 - self.dp) as f64));
        let mut squares = zero;
        for row in self.field.chunks_exact(self.dp) {
            let (body, tail) = row.split_at(self.dp - 8);
            for cells in body.chunks_exact(8) {
                let x = f64x8::from_slice(simd, cells);
                squares = fused(simd, x, x, squares);
            }
            let x = inside.select(f64x8::from_slice(simd, tail), zero);
            squares = fused(simd, x, x, squares);
        }
        sum_lanes(squares) < share * share * self.k as f64 * sum_lanes(lengths)
    }

    /// `pi - theta` of student `j` and teacher `t`, whose output is not zero, after [`LaneField::evaluate`].
    pub(super) fn psi(&self, j: usize, t: usize) -> f64 {
        self.products[j * self.np + t] * self.psi_scales[t]
    }

    /// Evaluates the field at white weights `w` (`K x d`) with output weights `a` (length `K`).
    ///
    /// `WIDE` chooses tiles for thirty-two vector registers; tiles change no bit.
    #[inline(always)]
    pub(super) fn evaluate<S: Simd, const WIDE: bool>(&mut self, simd: S, w: &[f64], a: &[f64]) {
        self.rows.set_rows(simd, self.m, w, self.d);
        self.directions.set_columns(self.m, w, self.d);
        self.safe = self.gram::<S, WIDE>(simd, w);
        if !self.safe {
            self.cosines::<S, WIDE>(simd, w);
            self.inverses.fill(1.0);
        }
        self.weigh(a);
        let (np, dp, m) = (self.np, self.dp, self.m);
        let mut apart = false;
        for j in 0..self.k {
            self.axis[j] = self.angle_row(simd, j, m + j);
            apart |= self.axis[j] != 0.0;
        }
        let out = (&mut self.field[..], dp);
        self.rows.multiply::<S, WIDE>(simd, 1.0 / TAU, self.k, (&self.products, np), out);
        if apart {
            self.add_axes();
        }
    }

    /// Sets the students' coefficients.
    #[inline(always)]
    fn weigh(&mut self, a: &[f64]) {
        for (j, x) in a.iter().enumerate() {
            self.coefficients[self.m + j] = *x;
            self.weighted_lengths[self.m + j] = x * self.lengths[j];
        }
    }

    /// Adds the sine terms that [`LaneField::angle_row`] has kept apart.
    fn add_axes(&mut self) {
        let rows = self.field.chunks_exact_mut(self.dp).zip(self.units.chunks_exact(self.dp));
        for ((field, unit), axis) in rows.zip(&self.axis) {
            for (f, e) in field.iter_mut().zip(unit) {
                *f = (axis / TAU).mul_add(*e, *f);
            }
        }
    }

    /// The ReLU part of the loss at white weights, without the teacher's own energy:
    /// `sum_j a_j |w_j| [1/2 sum_k a_k |w_k| h_jk - sum_m b_m |v_m| h_jm] / 2pi`.
    #[inline(always)]
    pub(super) fn loss<S: Simd, const WIDE: bool>(&mut self, simd: S, w: &[f64], a: &[f64]) -> f64 {
        self.load(simd, w);
        for (j, x) in a.iter().enumerate() {
            self.coefficients[self.m + j] = *x;
            self.weighted_lengths[self.m + j] = 0.5 * x * self.lengths[j];
        }
        let (np, dp, m) = (self.np, self.dp, self.m);
        let cosines = (&mut self.products[..], np);
        self.directions.multiply::<S, WIDE>(simd, 1.0, self.k, (&self.units, dp), cosines);
        let mut total = 0.0;
        for j in 0..self.k {
            let row = &mut self.products[j * np..(j + 1) * np];
            row[m + j] = 1.0;
            let mut sum = f64x8::splat(simd, 0.0);
            for (cells, weights) in row.chunks_exact_mut(8).zip(self.weighted_lengths.chunks_exact(8)) {
                let cosine = f64x8::from_slice(simd, cells);
                let (psi, sine) = psi_sine(simd, cosine);
                sum = fused(simd, f64x8::from_slice(simd, weights), fused(simd, psi, cosine, sine), sum);
                psi.store_slice(cells);
            }
            total = (a[j] * self.lengths[j]).mul_add(sum_lanes(sum), total);
        }
        total / TAU
    }

    /// `pi - theta` of student `j` and teacher `t`, after [`LaneField::loss`].
    pub(super) fn psi_of_loss(&self, j: usize, t: usize) -> f64 {
        self.products[j * self.np + t]
    }

    /// Cosines of the students with all units, `K x np`, teachers first; loads the students.
    #[inline(always)]
    pub(super) fn cosines<S: Simd, const WIDE: bool>(&mut self, simd: S, w: &[f64]) -> (&[f64], usize) {
        self.load(simd, w);
        let (np, dp) = (self.np, self.dp);
        let cosines = (&mut self.products[..], np);
        self.directions.multiply::<S, WIDE>(simd, 1.0, self.k, (&self.units, dp), cosines);
        (&self.products, np)
    }

    /// Inner products of the students with the teachers' directions and with each other, `K x np`, and lengths from the
    /// diagonal; false where a square leaves the safe range.
    #[inline(always)]
    fn gram<S: Simd, const WIDE: bool>(&mut self, simd: S, w: &[f64]) -> bool {
        let (np, m, d) = (self.np, self.m, self.d);
        let products = (&mut self.products[..], np);
        self.directions.multiply_symmetric::<S, WIDE>(simd, m, self.k, (w, d), products);
        let mut safe = true;
        for j in 0..self.k {
            let square = self.products[j * np + m + j];
            safe &= SAFE_SQUARE.contains(&square);
            self.lengths[j] = square.sqrt();
            self.inverses[m + j] = 1.0 / self.lengths[j];
        }
        safe
    }

    /// Turns row `j` of inner products into products; `own` is the student's own column, whose cosine is one.
    #[inline(always)]
    fn angle_row<S: Simd>(&mut self, simd: S, j: usize, own: usize) -> f64 {
        let row = &mut self.products[j * self.np..(j + 1) * self.np];
        let inverse = f64x8::splat(simd, self.inverses[self.m + j]);
        let one = f64x8::splat(simd, 1.0);
        let index = f64x8::load_array(simd, [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]);
        let own_lane = index.simd_eq(f64x8::splat(simd, (own % 8) as f64));
        let mut sum = f64x8::splat(simd, 0.0);
        let columns = row.chunks_exact_mut(8).zip(self.coefficients.chunks_exact(8));
        let columns = columns.zip(self.weighted_lengths.chunks_exact(8)).zip(self.inverses.chunks_exact(8));
        for (block, (((cells, coefficients), weights), inverses)) in columns.enumerate() {
            let mut cosine = f64x8::from_slice(simd, cells) * inverse * f64x8::from_slice(simd, inverses);
            if block == own / 8 {
                cosine = own_lane.select(one, cosine);
            }
            let (psi, sine) = psi_sine(simd, cosine);
            sum = fused(simd, f64x8::from_slice(simd, weights), sine, sum);
            (psi * f64x8::from_slice(simd, coefficients)).store_slice(cells);
        }
        let sum = sum_lanes(sum);
        if self.lengths[j] < SHORT {
            return sum;
        }
        row[own] += sum / self.lengths[j];
        0.0
    }

    /// The units of the students after [`LaneField::evaluate`], by the lengths that it has found.
    #[inline(always)]
    pub(super) fn find_units<S: Simd>(&mut self, simd: S) {
        if !self.safe {
            return; // the scaled path has formed them
        }
        let index = f64x8::load_array(simd, [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]);
        let inside = index.simd_lt(f64x8::splat(simd, (self.d + 8 - self.dp) as f64));
        for (j, unit) in self.units.chunks_exact_mut(self.dp).enumerate() {
            let inverse = f64x8::splat(simd, self.inverses[self.m + j]);
            for (v, part) in unit.chunks_exact_mut(8).enumerate() {
                (self.rows.vector(simd, self.m + j, 8 * v) * inverse).store_slice(part);
            }
            let tail = &mut unit[self.dp - 8..];
            inside.select(f64x8::from_slice(simd, tail), f64x8::splat(simd, 0.0)).store_slice(tail);
        }
    }

    /// Turns the students into units and columns of directions.
    #[inline(always)]
    pub(super) fn load<S: Simd>(&mut self, simd: S, w: &[f64]) {
        let (d, dp) = (self.d, self.dp);
        for (j, row) in w.chunks_exact(d).enumerate() {
            let unit = &mut self.units[j * dp..(j + 1) * dp];
            unit[..d].copy_from_slice(row);
            let mut square = f64x8::splat(simd, 0.0);
            for part in unit.chunks_exact(8) {
                let x = f64x8::from_slice(simd, part);
                square = fused(simd, x, x, square);
            }
            let square = sum_lanes(square);
            if SAFE_SQUARE.contains(&square) {
                self.lengths[j] = square.sqrt();
                let inverse = f64x8::splat(simd, 1.0 / self.lengths[j]);
                for part in unit.chunks_exact_mut(8) {
                    (f64x8::from_slice(simd, part) * inverse).store_slice(part);
                }
            } else {
                direction(row, &mut unit[..d]);
                self.lengths[j] = crate::vector::norm(row);
            }
            self.directions.set_column(self.m + j, &unit[..d]);
        }
    }
}
