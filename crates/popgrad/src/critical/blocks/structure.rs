//! Matrices that are constant on blocks, apart from the diagonal, and their inner products in closed form.
//!
//! With blocks of sizes `p_1, ..., p_b`, row `r` of block `i` has `own[i]` in column `r`, `same[i]` in the other columns of its
//! block and `cross[i][j]` in the columns of block `j`. Every inner product of rows is a polynomial in the sizes, so these may be
//! real numbers (docs/theory/critical.md, (Z.13)-(Z.15)).

/// A matrix of block structure.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct BlockMatrix {
    pub(super) own: Vec<f64>,
    pub(super) same: Vec<f64>,
    /// `cross[i * b + j]`; the entries `i = j` stay zero.
    pub(super) cross: Vec<f64>,
}

/// A row vector as a row of block `i` sees it: its own column, the others of its block, every other block.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct BlockRow {
    pub(super) own: f64,
    pub(super) same: f64,
    pub(super) cross: Vec<f64>,
}

impl BlockRow {
    pub(super) fn zeros(b: usize) -> Self {
        Self { own: 0.0, same: 0.0, cross: vec![0.0; b] }
    }

    /// `self += factor other`.
    pub(super) fn add(&mut self, factor: f64, other: &Self) {
        self.own = factor.mul_add(other.own, self.own);
        self.same = factor.mul_add(other.same, self.same);
        for (x, y) in self.cross.iter_mut().zip(&other.cross) {
            *x = factor.mul_add(*y, *x);
        }
    }
}

impl BlockMatrix {
    pub(super) fn zeros(b: usize) -> Self {
        Self { own: vec![0.0; b], same: vec![0.0; b], cross: vec![0.0; b * b] }
    }

    pub(super) fn blocks(&self) -> usize {
        self.own.len()
    }

    pub(super) fn c(&self, i: usize, j: usize) -> f64 {
        self.cross[i * self.own.len() + j]
    }

    pub(super) fn set_c(&mut self, i: usize, j: usize, value: f64) {
        let b = self.own.len();
        self.cross[i * b + j] = value;
    }

    pub(super) fn row(&self, i: usize) -> BlockRow {
        let b = self.blocks();
        BlockRow { own: self.own[i], same: self.same[i], cross: self.cross[i * b..(i + 1) * b].to_vec() }
    }

    pub(super) fn set_row(&mut self, i: usize, row: &BlockRow) {
        let b = self.blocks();
        (self.own[i], self.same[i]) = (row.own, row.same);
        self.cross[i * b..(i + 1) * b].copy_from_slice(&row.cross);
        self.cross[i * b + i] = 0.0;
    }
}

/// Sizes of the blocks, and the inner products they give.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Sizes(pub(super) Vec<f64>);

impl Sizes {
    pub(super) fn blocks(&self) -> usize {
        self.0.len()
    }

    /// Number of students of class `j` that differ from a given one of block `i`.
    pub(super) fn others(&self, i: usize, j: usize) -> f64 {
        if i == j { self.0[i] - 1.0 } else { self.0[j] }
    }

    /// `sum_l p_l x_l y_l` over the blocks but `skip`.
    fn over_blocks(&self, skip: [usize; 2], term: impl Fn(usize) -> f64) -> f64 {
        (0..self.blocks()).filter(|l| !skip.contains(l)).map(|l| self.0[l] * term(l)).sum()
    }

    /// Inner product of a row of block `i` of `x` with the same row of `y`.
    pub(super) fn dot_self(&self, i: usize, x: &BlockMatrix, y: &BlockMatrix) -> f64 {
        let rest = self.over_blocks([i, i], |l| x.c(i, l) * y.c(i, l));
        x.own[i] * y.own[i] + (self.0[i] - 1.0) * x.same[i] * y.same[i] + rest
    }

    /// Inner product of a row of block `i` of `x` with another row of `y`, of block `j`.
    pub(super) fn dot(&self, i: usize, j: usize, x: &BlockMatrix, y: &BlockMatrix) -> f64 {
        let (p, q) = (self.0[i], self.0[j]);
        if i == j {
            let rest = self.over_blocks([i, i], |l| x.c(i, l) * y.c(i, l));
            let mixed = x.own[i] * y.same[i] + x.same[i] * y.own[i];
            return mixed + (p - 2.0) * x.same[i] * y.same[i] + rest;
        }
        let here = (x.own[i] + (p - 1.0) * x.same[i]) * y.c(j, i);
        let there = x.c(i, j) * (y.own[j] + (q - 1.0) * y.same[j]);
        here + there + self.over_blocks([i, j], |l| x.c(i, l) * y.c(j, l))
    }

    /// `|x_r + sign x_k|^2` for a row of block `i` and another of block `j`: a sum of squares, so that it keeps its digits
    /// where the rows nearly agree.
    pub(super) fn squared_sum(&self, i: usize, j: usize, x: &BlockMatrix, sign: f64) -> f64 {
        let square = |a: f64, b: f64| (a + sign * b) * (a + sign * b);
        let (p, q) = (self.0[i], self.0[j]);
        if i == j {
            let ends = 2.0 * square(x.own[i], x.same[i]);
            let rest = self.over_blocks([i, i], |l| square(x.c(i, l), x.c(i, l)));
            return ends + (p - 2.0) * square(x.same[i], x.same[i]) + rest;
        }
        let here = square(x.own[i], x.c(j, i)) + (p - 1.0) * square(x.same[i], x.c(j, i));
        let there = square(x.c(i, j), x.own[j]) + (q - 1.0) * square(x.c(i, j), x.same[j]);
        here + there + self.over_blocks([i, j], |l| square(x.c(i, l), x.c(j, l)))
    }

    /// The sum of the rows of class `j` other than a given one of block `i`, as that one sees it.
    pub(super) fn sum_of_class(&self, i: usize, j: usize, y: &BlockMatrix) -> BlockRow {
        let b = self.blocks();
        let mut out = BlockRow::zeros(b);
        if i == j {
            let p = self.0[i];
            out.own = (p - 1.0) * y.same[i];
            out.same = y.own[i] + (p - 2.0) * y.same[i];
            for l in (0..b).filter(|l| *l != i) {
                out.cross[l] = (p - 1.0) * y.c(i, l);
            }
            return out;
        }
        let q = self.0[j];
        (out.own, out.same) = (q * y.c(j, i), q * y.c(j, i));
        for l in (0..b).filter(|l| *l != i) {
            out.cross[l] = if l == j { y.own[j] + (q - 1.0) * y.same[j] } else { q * y.c(j, l) };
        }
        out
    }

    /// The inner product of two matrices of this structure.
    pub(super) fn inner(&self, x: &BlockMatrix, y: &BlockMatrix) -> f64 {
        (0..self.blocks()).map(|i| self.0[i] * self.dot_self(i, x, y)).sum()
    }
}
