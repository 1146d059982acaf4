//! The full spectrum at a point of a family, from its isotypic blocks.
//!
//! `R^k (x) R^k` splits under the product of the symmetric groups. A vector of each kind is fixed by a smaller group: that of a finer
//! block structure, in which the Hessian's action is known in closed form. So each block of the Hessian is a small matrix of
//! inner products in a refined family (docs/theory/critical.md, (Z.20)-(Z.22)).

use super::family::BlockFamily;
use super::field::Geometry;
use super::structure::{BlockMatrix, Sizes};
use crate::critical::CriticalError;
use crate::{Eigenspace, Matrix, symmetric_eigenvalues};

/// A part of a basis vector below this share of it depends on those before.
const DEPENDENT: f64 = 1e-10;

/// A block structure with some blocks split into single units and a rest; the rest may be empty.
struct Refined {
    sizes: Sizes,
    /// The block that each new one comes from.
    parent: Vec<usize>,
}

impl Refined {
    /// Splits `singles` units off each block: `splits` lists (block, number).
    fn new(sizes: &Sizes, splits: &[(usize, usize)]) -> Self {
        let (mut fine, mut parent) = (Vec::new(), Vec::new());
        for (block, singles) in splits {
            for _ in 0..*singles {
                fine.push(1.0);
                parent.push(*block);
            }
        }
        for (block, size) in sizes.0.iter().enumerate() {
            let taken: usize = splits.iter().filter(|s| s.0 == block).map(|s| s.1).sum();
            let rest = size - taken as f64;
            if rest > 0.0 {
                fine.push(rest);
                parent.push(block);
            }
        }
        Self { sizes: Sizes(fine), parent }
    }

    fn blocks(&self) -> usize {
        self.parent.len()
    }

    fn carry(&self, w: &BlockMatrix) -> BlockMatrix {
        let b = self.blocks();
        let mut out = BlockMatrix::zeros(b);
        for i in 0..b {
            let p = self.parent[i];
            (out.own[i], out.same[i]) = (w.own[p], w.same[p]);
            for j in (0..b).filter(|j| *j != i) {
                let q = self.parent[j];
                out.set_c(i, j, if p == q { w.same[p] } else { w.c(p, q) });
            }
        }
        out
    }

    /// Sets the entries of a row in all columns that come from block `block` (the row's own included).
    fn fill_row(&self, z: &mut BlockMatrix, row: usize, block: usize, value: f64) {
        for column in (0..self.blocks()).filter(|c| self.parent[*c] == block) {
            set(z, row, column, value);
        }
    }

    /// Eigenvalues of the Hessian on the span of some matrices that it maps into itself.
    fn values(&self, w: &BlockMatrix, span: Vec<BlockMatrix>) -> Result<Vec<f64>, CriticalError> {
        let carried = self.carry(w);
        let geometry =
            Geometry::new(&self.sizes, &carried).map_err(|block| CriticalError::ZeroBlock { block })?;
        let basis = self.orthonormal(span);
        let n = basis.len();
        let mut block = Matrix::zeros(n, n);
        for (j, z) in basis.iter().enumerate() {
            let image = geometry.hessian_times(z);
            for (i, y) in basis.iter().enumerate() {
                block.row_mut(i)[j] = self.sizes.inner(y, &image);
            }
        }
        for i in 0..n {
            for j in 0..i {
                let mean = 0.5 * (block.row(i)[j] + block.row(j)[i]);
                (block.row_mut(i)[j], block.row_mut(j)[i]) = (mean, mean);
            }
        }
        Ok(symmetric_eigenvalues(block.view())?)
    }

    fn orthonormal(&self, span: Vec<BlockMatrix>) -> Vec<BlockMatrix> {
        let mut basis: Vec<BlockMatrix> = Vec::new();
        for mut z in span {
            let before = self.sizes.inner(&z, &z).max(0.0).sqrt();
            for _ in 0..2 {
                for y in &basis {
                    let along = self.sizes.inner(y, &z);
                    scale_add(&mut z, -along, y);
                }
            }
            let length = self.sizes.inner(&z, &z).max(0.0).sqrt();
            if length > DEPENDENT * before {
                let mut unit = BlockMatrix::zeros(self.blocks());
                scale_add(&mut unit, 1.0 / length, &z);
                basis.push(unit);
            }
        }
        basis
    }
}

/// Sets one entry; a block's own entry stands for its diagonal and its off-diagonal ones.
fn set(z: &mut BlockMatrix, row: usize, column: usize, value: f64) {
    if row == column {
        (z.own[row], z.same[row]) = (value, value);
    } else {
        z.set_c(row, column, value);
    }
}

fn scale_add(x: &mut BlockMatrix, factor: f64, y: &BlockMatrix) {
    let add = |a: &mut [f64], b: &[f64]| a.iter_mut().zip(b).for_each(|(p, q)| *p += factor * q);
    add(&mut x.own, &y.own);
    add(&mut x.same, &y.same);
    add(&mut x.cross, &y.cross);
}

/// All eigenvalues, ascending.
pub(super) fn spectrum(family: &BlockFamily, w: &BlockMatrix) -> Result<Vec<Eigenspace>, CriticalError> {
    let counts = family.counts()?;
    let sizes = &family.sizes;
    let b = counts.len();
    let mut out = Vec::new();
    let mut push = |values: Vec<f64>, multiplicity: usize| {
        out.extend(values.into_iter().map(|value| Eigenspace { value, multiplicity }));
    };
    push(trivial(sizes, w)?, 1);
    for i in 0..b {
        let p = counts[i];
        if p >= 2 {
            push(standard(sizes, w, i)?, p - 1);
        }
        if p >= 3 {
            push(antisymmetric(sizes, w, i)?, (p - 1) * (p - 2) / 2);
        }
        if p >= 4 {
            push(symmetric(sizes, w, i)?, p * (p - 3) / 2);
        }
        for j in (i + 1..b).filter(|j| p >= 2 && counts[*j] >= 2) {
            push(product(sizes, w, i, j)?, (p - 1) * (counts[j] - 1));
        }
    }
    out.sort_by(|x, y| x.value.total_cmp(&y.value));
    Ok(out)
}

/// The block on the family itself.
fn trivial(sizes: &Sizes, w: &BlockMatrix) -> Result<Vec<f64>, CriticalError> {
    let refined = Refined::new(sizes, &[]);
    let b = refined.blocks();
    let mut span = Vec::new();
    for i in 0..b {
        let mut z = BlockMatrix::zeros(b);
        z.own[i] = 1.0;
        span.push(z);
        if sizes.0[i] > 1.0 {
            let mut z = BlockMatrix::zeros(b);
            z.same[i] = 1.0;
            span.push(z);
        }
        for j in (0..b).filter(|j| *j != i) {
            let mut z = BlockMatrix::zeros(b);
            z.set_c(i, j, 1.0);
            span.push(z);
        }
    }
    refined.values(w, span)
}

/// The block of `v (x) 1_j`, `1_j (x) v` and `diag(v)` for `v = e_0 - e_1` in block `i`.
fn standard(sizes: &Sizes, w: &BlockMatrix, i: usize) -> Result<Vec<f64>, CriticalError> {
    let refined = Refined::new(sizes, &[(i, 2)]);
    let b = refined.blocks();
    let mut span = Vec::new();
    for j in 0..sizes.blocks() {
        let mut rows = BlockMatrix::zeros(b);
        refined.fill_row(&mut rows, 0, j, 1.0);
        refined.fill_row(&mut rows, 1, j, -1.0);
        span.push(rows);
        let mut columns = BlockMatrix::zeros(b);
        for row in (0..b).filter(|r| refined.parent[*r] == j) {
            set(&mut columns, row, 0, 1.0);
            set(&mut columns, row, 1, -1.0);
        }
        span.push(columns);
    }
    let mut diagonal = BlockMatrix::zeros(b);
    (diagonal.own[0], diagonal.own[1]) = (1.0, -1.0);
    span.push(diagonal);
    refined.values(w, span)
}

/// The block of `u v^T` and `v u^T` for `u = e_0 - e_1` in block `i` and `v` likewise in block `j`.
fn product(sizes: &Sizes, w: &BlockMatrix, i: usize, j: usize) -> Result<Vec<f64>, CriticalError> {
    let refined = Refined::new(sizes, &[(i, 2), (j, 2)]);
    let mut span = vec![BlockMatrix::zeros(refined.blocks()), BlockMatrix::zeros(refined.blocks())];
    for (r, c, sign) in [(0, 2, 1.0), (0, 3, -1.0), (1, 2, -1.0), (1, 3, 1.0)] {
        span[0].set_c(r, c, sign);
        span[1].set_c(c, r, sign);
    }
    refined.values(w, span)
}

/// The value on antisymmetric matrices of zero row sums: the cycle `0 -> 1 -> 2 -> 0`.
fn antisymmetric(sizes: &Sizes, w: &BlockMatrix, i: usize) -> Result<Vec<f64>, CriticalError> {
    let refined = Refined::new(sizes, &[(i, 3)]);
    let mut z = BlockMatrix::zeros(refined.blocks());
    for r in 0..3 {
        z.set_c(r, (r + 1) % 3, 1.0);
        z.set_c((r + 1) % 3, r, -1.0);
    }
    refined.values(w, vec![z])
}

/// The value on symmetric matrices of zero diagonal and row sums: `(e_0 - e_1)(e_2 - e_3)^T` and its transpose.
fn symmetric(sizes: &Sizes, w: &BlockMatrix, i: usize) -> Result<Vec<f64>, CriticalError> {
    let refined = Refined::new(sizes, &[(i, 4)]);
    let mut z = BlockMatrix::zeros(refined.blocks());
    for (r, c, sign) in [(0, 2, 1.0), (0, 3, -1.0), (1, 2, -1.0), (1, 3, 1.0)] {
        z.set_c(r, c, sign);
        z.set_c(c, r, sign);
    }
    refined.values(w, vec![z])
}
