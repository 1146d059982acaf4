//! Small dense products in lanes: a matrix stored in panels of columns, multiplied from the left.
//!
//! Every entry of the result is one sum in index order of fused multiply-adds, so tiles and levels change no bit.
//! Operands that leave the second-level cache lose speed here, not accuracy.

use crate::lanes::{fused, padded};
use fearless_simd::{Simd, SimdBase, f64x8};

/// Columns of a panel: three vectors, so that a tile of eight rows fills twenty-four registers.
const PANEL: usize = 24;

/// Rows of a block that is on one side of the diagonal of a symmetric product.
const BLOCK: usize = 8;

/// First column of a symmetric part that is not there: beyond every matrix.
const NOWHERE: usize = usize::MAX / 2;

/// A matrix whose columns, padded to whole vectors, are stored in panels of [`PANEL`]; each panel row by row.
#[derive(Clone, Debug)]
pub(crate) struct Panels {
    rows: usize,
    /// A multiple of eight.
    cols: usize,
    data: Vec<f64>,
}

impl Panels {
    /// Zeros; the number of columns is padded to whole vectors.
    pub(crate) fn zeros(rows: usize, cols: usize) -> Self {
        let cols = padded(cols);
        Self { rows, cols, data: vec![0.0; rows * cols] }
    }

    /// Offset of entry `(0, col)` and the distance between the rows of its panel.
    #[inline(always)]
    fn slot(&self, col: usize) -> (usize, usize) {
        let start = col / PANEL * PANEL;
        (start * self.rows + col - start, (self.cols - start).min(PANEL))
    }

    /// Overwrites column `col`.
    #[inline(always)]
    pub(crate) fn set_column(&mut self, col: usize, entries: &[f64]) {
        let (at, stride) = self.slot(col);
        for (slot, x) in self.data[at..].iter_mut().step_by(stride).zip(entries) {
            *slot = *x;
        }
    }

    /// Overwrites row `row`; missing entries keep their value.
    #[inline(always)]
    pub(crate) fn set_row(&mut self, row: usize, entries: &[f64]) {
        for (q, part) in entries.chunks(PANEL).enumerate() {
            let (at, stride) = self.slot(q * PANEL);
            let slot = at + row * stride;
            self.data[slot..slot + part.len()].copy_from_slice(part);
        }
    }

    /// Overwrites the columns from `first` on with the rows of `rows` (`d` entries each).
    #[inline(always)]
    pub(crate) fn set_columns(&mut self, first: usize, rows: &[f64], d: usize) {
        for (col, row) in (first..).zip(rows.chunks_exact(d)) {
            let (at, stride) = self.slot(col);
            let mut slot = at;
            for x in row {
                self.data[slot] = *x;
                slot += stride;
            }
        }
    }

    /// Overwrites the rows from `first` on with those of `rows` (`d` entries each). Columns beyond `d` receive whatever
    /// follows: a product's columns do not mix, and nobody reads those.
    #[inline(always)]
    pub(crate) fn set_rows<S: Simd>(&mut self, simd: S, first: usize, rows: &[f64], d: usize) {
        for at in (0..d).step_by(8) {
            let (slot, stride) = self.slot(at);
            for (j, line) in rows.chunks_exact(d).enumerate() {
                let to = slot + (first + j) * stride;
                let from = j * d + at;
                if from + 8 <= rows.len() {
                    f64x8::from_slice(simd, &rows[from..from + 8]).store_slice(&mut self.data[to..to + 8]);
                } else {
                    let rest = &line[at..];
                    self.data[to..to + rest.len()].copy_from_slice(rest);
                }
            }
        }
    }

    /// Eight entries of row `row`, columns `at .. at + 8`; `at` is a multiple of eight.
    #[inline(always)]
    pub(crate) fn vector<S: Simd>(&self, simd: S, row: usize, at: usize) -> f64x8<S> {
        let (slot, stride) = self.slot(at);
        let slot = slot + row * stride;
        f64x8::from_slice(simd, &self.data[slot..slot + 8])
    }

    /// `out = scale * left * self`, for `count` rows of `left`; strides are distances between rows.
    #[inline(always)]
    pub(crate) fn multiply<S: Simd, const WIDE: bool>(
        &self,
        simd: S,
        scale: f64,
        count: usize,
        left: (&[f64], usize),
        out: (&mut [f64], usize),
    ) {
        self.multiply_upper::<S, WIDE>(simd, scale, NOWHERE, count, left, out);
    }

    /// As [`Panels::multiply`], but where column `symmetric + z` holds row `z` of `left`, so that the columns from
    /// `symmetric` on of the result are a symmetric matrix: whole vectors of it left of the diagonal are copied from
    /// its other half, which has the same bits.
    #[inline(always)]
    pub(crate) fn multiply_symmetric<S: Simd, const WIDE: bool>(
        &self,
        simd: S,
        symmetric: usize,
        count: usize,
        left: (&[f64], usize),
        (out, out_stride): (&mut [f64], usize),
    ) {
        self.multiply_upper::<S, WIDE>(simd, 1.0, symmetric, count, left, (out, out_stride));
        for j in (0..count).step_by(BLOCK) {
            let rows = BLOCK.min(count - j);
            for z in padded(symmetric)..left_of(symmetric, j) {
                let from = (z - symmetric) * out_stride + symmetric + j;
                let mut line = [0.0; BLOCK];
                line[..rows].copy_from_slice(&out[from..from + rows]);
                for (r, x) in line[..rows].iter().enumerate() {
                    out[(j + r) * out_stride + z] = *x;
                }
            }
        }
    }

    /// The product without those whole vectors from column `symmetric` on that lie left of the diagonal.
    #[inline(always)]
    fn multiply_upper<S: Simd, const WIDE: bool>(
        &self,
        simd: S,
        scale: f64,
        symmetric: usize,
        count: usize,
        (left, left_stride): (&[f64], usize),
        (out, out_stride): (&mut [f64], usize),
    ) {
        let mut start = 0;
        while start < self.cols {
            let (slot, stride) = self.slot(start);
            let end = start + stride;
            let mut j = 0;
            while j < count {
                let height = height::<WIDE>(count - j);
                let skipped = padded(symmetric).clamp(start, end)..left_of(symmetric, j).min(end);
                let skipped = if skipped.is_empty() { end..end } else { skipped };
                for (mut at, stop) in [(start, skipped.start), (skipped.end, end)] {
                    while at < stop {
                        let data = &self.data[slot..];
                        let panel = Panel { data, offset: at - start, stride, rows: self.rows };
                        let from = (&left[j * left_stride..], left_stride);
                        let to = (&mut out[j * out_stride + at..], out_stride);
                        at += if WIDE {
                            panel.tiles_wide(simd, scale, height, stop - at, from, to)
                        } else {
                            panel.tiles(simd, scale, height, from, to)
                        };
                    }
                }
                j += height;
            }
            start = end;
        }
    }
}

/// Rows of a tile where `left` rows are left.
#[inline(always)]
fn height<const WIDE: bool>(left: usize) -> usize {
    match left {
        1 => 1,
        2 | 3 => 2,
        4..8 => 4,
        _ if WIDE => 8,
        _ => 4,
    }
}

/// End of the whole vectors of columns left of the diagonal, for the block of rows that holds row `j`.
#[inline(always)]
fn left_of(symmetric: usize, j: usize) -> usize {
    symmetric.saturating_add(j / BLOCK * BLOCK) / 8 * 8
}

/// One panel, or the vectors of it from `offset` on.
struct Panel<'a> {
    data: &'a [f64],
    offset: usize,
    stride: usize,
    rows: usize,
}

impl Panel<'_> {
    /// Tiles for thirty-two registers of eight lanes; returns the number of columns done.
    #[inline(always)]
    fn tiles_wide<S: Simd>(
        &self,
        simd: S,
        scale: f64,
        height: usize,
        columns: usize,
        from: (&[f64], usize),
        to: (&mut [f64], usize),
    ) -> usize {
        match (height, columns) {
            (1, 8) => self.tile::<S, 1, 1>(simd, scale, from, to),
            (1, 16) => self.tile::<S, 1, 2>(simd, scale, from, to),
            (1, _) => self.tile::<S, 1, 3>(simd, scale, from, to),
            (2, 8) => self.tile::<S, 2, 1>(simd, scale, from, to),
            (2, 16) => self.tile::<S, 2, 2>(simd, scale, from, to),
            (2, _) => self.tile::<S, 2, 3>(simd, scale, from, to),
            (4, 8) => self.tile::<S, 4, 1>(simd, scale, from, to),
            (4, 16) => self.tile::<S, 4, 2>(simd, scale, from, to),
            (4, _) => self.tile::<S, 4, 3>(simd, scale, from, to),
            (_, 8) => self.tile::<S, 8, 1>(simd, scale, from, to),
            (_, 16) => self.tile::<S, 8, 2>(simd, scale, from, to),
            _ => self.tile::<S, 8, 3>(simd, scale, from, to),
        }
    }

    /// Tiles of one vector for fewer registers; returns the number of columns done.
    #[inline(always)]
    fn tiles<S: Simd>(
        &self,
        simd: S,
        scale: f64,
        height: usize,
        from: (&[f64], usize),
        to: (&mut [f64], usize),
    ) -> usize {
        match height {
            1 => self.tile::<S, 1, 1>(simd, scale, from, to),
            2 => self.tile::<S, 2, 1>(simd, scale, from, to),
            _ => self.tile::<S, 4, 1>(simd, scale, from, to),
        }
    }

    /// `R` rows of the product in `C` vectors of columns; returns the number of columns.
    #[inline(always)]
    fn tile<S: Simd, const R: usize, const C: usize>(
        &self,
        simd: S,
        scale: f64,
        (left, left_stride): (&[f64], usize),
        (out, out_stride): (&mut [f64], usize),
    ) -> usize {
        let left: [&[f64]; R] = std::array::from_fn(|r| &left[r * left_stride..r * left_stride + self.rows]);
        let mut acc = [[f64x8::splat(simd, 0.0); C]; R];
        for (i, row) in self.data.chunks_exact(self.stride).enumerate().take(self.rows) {
            let cells = &row[self.offset..self.offset + 8 * C];
            let cells: [f64x8<S>; C] =
                std::array::from_fn(|c| f64x8::from_slice(simd, &cells[8 * c..8 * c + 8]));
            for r in 0..R {
                let p = f64x8::splat(simd, left[r][i]);
                for c in 0..C {
                    acc[r][c] = fused(simd, p, cells[c], acc[r][c]);
                }
            }
        }
        let scale = f64x8::splat(simd, scale);
        for r in 0..R {
            let slots = &mut out[r * out_stride..r * out_stride + 8 * C];
            for c in 0..C {
                (acc[r][c] * scale).store_slice(&mut slots[8 * c..8 * c + 8]);
            }
        }
        8 * C
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Level;
    use crate::lanes::{Lanes, on_lanes};

    #[test]
    fn a_symmetric_product_has_the_bits_of_the_whole_one() {
        for (k, m, d) in [(1, 0, 3), (9, 8, 5), (10, 10, 10), (30, 7, 4), (50, 41, 3), (27, 60, 2)] {
            let students: Vec<f64> = (0..k * d).map(|i| libm::sin(i as f64)).collect();
            let mut panels = Panels::zeros(d, m + k);
            for t in 0..m {
                panels.set_column(t, &vec![0.25 + t as f64; d]);
            }
            panels.set_columns(m, &students, d);
            let np = padded(m + k);
            for level in Level::available() {
                let lanes = Lanes::new(level).expect("available");
                let (mut whole, mut half) = (vec![0.0; k * np], vec![f64::NAN; k * np]);
                on_lanes!(lanes, simd, WIDE => {
                    panels.multiply::<_, WIDE>(simd, 1.0, k, (&students, d), (&mut whole, np));
                    panels.multiply_symmetric::<_, WIDE>(simd, m, k, (&students, d), (&mut half, np));
                });
                assert_eq!(half, whole, "{level:?} {k} {m} {d}");
            }
        }
    }

    #[test]
    fn the_product_has_the_same_bits_at_every_level_and_shape() {
        for (count, inner, cols) in [(1, 1, 1), (2, 3, 9), (11, 7, 24), (13, 30, 61), (8, 5, 16)] {
            let left: Vec<f64> = (0..count * inner).map(|i| libm::sin(i as f64)).collect();
            let right: Vec<f64> = (0..inner * cols).map(|i| libm::cos(3.0 * i as f64)).collect();
            let mut panels = Panels::zeros(inner, cols);
            for (i, row) in right.chunks(cols).enumerate() {
                panels.set_row(i, row);
            }
            let cp = padded(cols);
            for level in Level::available() {
                let mut out = vec![f64::NAN; count * cp];
                let lanes = Lanes::new(level).expect("available");
                on_lanes!(lanes, simd, WIDE => panels.multiply::<_, WIDE>(simd, 0.5, count, (&left, inner), (&mut out, cp)));
                for j in 0..count {
                    for c in 0..cols {
                        let want = (0..inner)
                            .fold(0.0_f64, |s, i| left[j * inner + i].mul_add(right[i * cols + c], s));
                        assert_eq!(out[j * cp + c], 0.5 * want, "{level:?} {count} {inner} {cols}");
                    }
                }
            }
        }
    }
}
