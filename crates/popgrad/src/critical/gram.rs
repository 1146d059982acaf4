//! The matrix `M_r` and an approximate inverse with a bound on what it lacks.

use crate::vector::dot;
use std::sync::OnceLock;

/// A bound on the error of every entry of `M_r`, `M_r*`, `M` and `M*`, absolute: relative errors of 4 EPSILON in the angle
/// and in its supplement, carried through sines and cosines, and coordinates that are rounded; 57 EPSILON at most
/// (docs/theory/normal_equation.md, (N.34)).
pub(super) const ENTRY: f64 = 64.0 * f64::EPSILON;

/// `M_r`, symmetric, with its inverse once asked for.
#[derive(Clone, Debug)]
pub(super) struct Gram {
    k: usize,
    entries: Vec<f64>,
    inverse: OnceLock<Option<Inverse>>,
}

/// An approximate inverse `X` of `M_r` for which `|I - X M_r|` is known to be below one half.
#[derive(Clone, Debug)]
pub(super) struct Inverse {
    rows: Vec<f64>,
    /// Sums of the absolute entries of each row.
    sums: Vec<f64>,
    /// The bound `rho` on `|I - X M_r|`, largest absolute row sum, the error of `M_r` included.
    lack: f64,
}

impl Gram {
    pub(super) fn new(k: usize, entries: Vec<f64>) -> Self {
        Self { k, entries, inverse: OnceLock::new() }
    }

    fn row(&self, i: usize) -> &[f64] {
        &self.entries[i * self.k..(i + 1) * self.k]
    }

    /// The inverse, or `None` where it cannot be told that there is one.
    pub(super) fn inverse(&self) -> Option<&Inverse> {
        self.inverse.get_or_init(|| Inverse::of(self)).as_ref()
    }

    /// The factor `L` of `M_r = L L^T`, or `None` where a pivot is not positive.
    fn factor(&self) -> Option<Vec<f64>> {
        let k = self.k;
        let mut l = vec![0.0; k * k];
        for i in 0..k {
            for j in 0..=i {
                let rest = self.row(i)[j] - dot(&l[i * k..i * k + j], &l[j * k..j * k + j]);
                if i == j {
                    if rest <= 0.0 {
                        return None;
                    }
                    l[i * k + i] = rest.sqrt();
                } else {
                    l[i * k + j] = rest / l[j * k + j];
                }
            }
        }
        Some(l)
    }
}

/// Column `i` of the inverse of `L L^T`.
fn column(l: &[f64], k: usize, i: usize) -> Vec<f64> {
    let mut x = vec![0.0; k];
    x[i] = 1.0;
    for row in i..k {
        x[row] = (x[row] - dot(&l[row * k..row * k + row], &x[..row])) / l[row * k + row];
    }
    for row in (0..k).rev() {
        x[row] /= l[row * k + row];
        for before in 0..row {
            x[before] -= l[row * k + before] * x[row];
        }
    }
    x
}

impl Inverse {
    fn of(gram: &Gram) -> Option<Self> {
        let k = gram.k;
        let l = gram.factor()?;
        // Symmetric, so that columns are rows.
        let rows: Vec<f64> = (0..k).flat_map(|i| column(&l, k, i)).collect();
        let sums: Vec<f64> = rows.chunks_exact(k).map(|row| row.iter().map(|x| x.abs()).sum()).collect();
        let mut lack = 0.0_f64;
        for (i, row) in rows.chunks_exact(k).enumerate() {
            let mut defect = 0.0;
            for j in 0..k {
                let unit = f64::from(u8::from(i == j));
                defect += (unit - dot(row, gram.row(j))).abs();
            }
            // Entries of M_r are at most pi and wrong by ENTRY; the products are rounded k times.
            let rounding = k as f64 * sums[i] * (ENTRY + 4.0 * (k as f64 + 2.0) * f64::EPSILON);
            lack = lack.max(defect + rounding);
        }
        (lack < 0.5).then_some(Self { rows, sums, lack })
    }

    /// The solution of `M_r c = right` and a bound on the error of each entry; `size` scales the error of `right`,
    /// `size * ENTRY`.
    pub(super) fn solve(&self, gram: &Gram, right: &[f64], size: f64) -> (Vec<f64>, Vec<f64>) {
        let k = gram.k;
        let product = |x: &[f64]| -> Vec<f64> { self.rows.chunks_exact(k).map(|row| dot(row, x)).collect() };
        let residual = |c: &[f64]| -> Vec<f64> { (0..k).map(|i| right[i] - dot(gram.row(i), c)).collect() };
        let mut c = product(right);
        let correction = product(&residual(&c));
        c.iter_mut().zip(correction).for_each(|(x, y)| *x += y);
        let mass: f64 = c.iter().map(|x| x.abs()).sum();
        let most = right.iter().fold(0.0_f64, |a, x| a.max(x.abs()));
        let rounding = (k as f64 + 4.0) * f64::EPSILON * (most + 4.0 * mass);
        let lacking = residual(&c).iter().fold(0.0_f64, |a, x| a.max(x.abs())) + rounding;
        let missing = lacking + ENTRY * (size + mass);
        let largest = self.sums.iter().fold(0.0_f64, |a, x| a.max(*x));
        let spread = self.lack / (1.0 - self.lack) * largest;
        let errors = self.sums.iter().map(|s| (s + spread) * missing).collect();
        (c, errors)
    }
}
