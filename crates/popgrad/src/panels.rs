//! Small dense products in lanes: a matrix stored in panels of columns, multiplied from the left.
//!
//! Every entry of the result is one sum in index order of fused multiply-adds, so tiles and levels change no bit.
//! Operands that leave the second-level cache lose speed here, not accuracy.

use crate::lanes::padded;
use fearless_simd::{Simd, SimdBase, SimdFloat, f64x8};

/// Columns of a panel: three vectors, so that a tile of eight rows fills twenty-four registers.
const PANEL: usize = 24;

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
        let last = first + rows.len() / d;
        let mut col = first;
        while col < last {
            let (at, stride) = self.slot(col);
            let count = (PANEL - col % PANEL).min(last - col);
            let source = &rows[(col - first) * d..(col - first + count) * d];
            for (i, line) in self.data[at..].chunks_mut(stride).take(d).enumerate() {
                for (c, slot) in line[..count].iter_mut().enumerate() {
                    *slot = source[c * d + i];
                }
            }
            col += count;
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
        (left, left_stride): (&[f64], usize),
        (out, out_stride): (&mut [f64], usize),
    ) {
        let mut at = 0;
        while at < self.cols {
            let (slot, stride) = self.slot(at);
            let panel =
                Panel { data: &self.data[slot - at % PANEL..], offset: at % PANEL, stride, rows: self.rows };
            let vectors = (self.cols - at) / 8;
            let mut j = 0;
            while j < count {
                let from = (&left[j * left_stride..], left_stride);
                let to = (&mut out[j * out_stride + at..], out_stride);
                j += if WIDE {
                    panel.tiles_wide(simd, scale, count - j, vectors, from, to)
                } else {
                    panel.tiles(simd, scale, count - j, from, to)
                };
            }
            at += if WIDE { 8 * vectors.min(3) } else { 8 };
        }
    }
}

/// One panel, or the vectors of it from `offset` on.
struct Panel<'a> {
    data: &'a [f64],
    offset: usize,
    stride: usize,
    rows: usize,
}

impl Panel<'_> {
    /// Tiles for thirty-two registers of eight lanes; returns the number of rows done.
    #[inline(always)]
    fn tiles_wide<S: Simd>(
        &self,
        simd: S,
        scale: f64,
        left_rows: usize,
        vectors: usize,
        from: (&[f64], usize),
        to: (&mut [f64], usize),
    ) -> usize {
        match (left_rows, vectors) {
            (1, 1) => self.tile::<S, 1, 1>(simd, scale, from, to),
            (1, 2) => self.tile::<S, 1, 2>(simd, scale, from, to),
            (1, _) => self.tile::<S, 1, 3>(simd, scale, from, to),
            (2 | 3, 1) => self.tile::<S, 2, 1>(simd, scale, from, to),
            (2 | 3, 2) => self.tile::<S, 2, 2>(simd, scale, from, to),
            (2 | 3, _) => self.tile::<S, 2, 3>(simd, scale, from, to),
            (4..8, 1) => self.tile::<S, 4, 1>(simd, scale, from, to),
            (4..8, 2) => self.tile::<S, 4, 2>(simd, scale, from, to),
            (4..8, _) => self.tile::<S, 4, 3>(simd, scale, from, to),
            (_, 1) => self.tile::<S, 8, 1>(simd, scale, from, to),
            (_, 2) => self.tile::<S, 8, 2>(simd, scale, from, to),
            _ => self.tile::<S, 8, 3>(simd, scale, from, to),
        }
    }

    /// Tiles of one vector for fewer registers; returns the number of rows done.
    #[inline(always)]
    fn tiles<S: Simd>(
        &self,
        simd: S,
        scale: f64,
        left_rows: usize,
        from: (&[f64], usize),
        to: (&mut [f64], usize),
    ) -> usize {
        match left_rows {
            1 => self.tile::<S, 1, 1>(simd, scale, from, to),
            2 | 3 => self.tile::<S, 2, 1>(simd, scale, from, to),
            _ => self.tile::<S, 4, 1>(simd, scale, from, to),
        }
    }

    /// `R` rows of the product in `C` vectors of columns; returns `R`.
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
                    acc[r][c] = p.mul_add_precise(cells[c], acc[r][c]);
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
        R
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Level;
    use crate::lanes::{Lanes, on_lanes};

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
