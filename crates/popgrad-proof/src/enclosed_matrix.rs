//! Matrices of intervals as middles and radii, and products with matrices of doubles.
//!
//! A product of doubles summed in any order differs from the exact one by at most `gamma |A| |B|`, `gamma = k u / (1 - k u)` for
//! `k` terms and `u = 2^-53` (Higham, Accuracy and Stability of Numerical Algorithms, section 3.1), plus a subnormal number a
//! term. So one floating-point product gives the middles and a second one, of magnitudes, gives the radii.

use crate::Interval;

/// A matrix whose entry `(i, j)` is some number within `rad` of `mid`.
#[derive(Clone, Debug)]
pub(crate) struct EnclosedMatrix {
    rows: usize,
    cols: usize,
    mid: Vec<f64>,
    rad: Vec<f64>,
}

/// An upper bound of a number that floating-point sums and products of `terms` numbers not below zero gave as `x`.
pub(crate) fn raised(x: f64, terms: usize) -> f64 {
    let n = terms as f64 + 8.0;
    x * (1.0 + 2.0 * n * f64::EPSILON) + n * f64::MIN_POSITIVE
}

/// An upper bound of the Euclidean norm of a list of doubles.
pub(crate) fn norm_up(x: &[f64]) -> f64 {
    raised(raised(x.iter().map(|x| x * x).sum(), x.len()).sqrt(), 1)
}

/// `A B` for row-major doubles, `A` of `m x k`, `B` of `k x n`.
fn product(a: &[f64], b: &[f64], k: usize, n: usize) -> Vec<f64> {
    let m = a.len() / k;
    let mut out = vec![0.0; m * n];
    for (row, out) in a.chunks_exact(k).zip(out.chunks_exact_mut(n)) {
        for (x, line) in row.iter().zip(b.chunks_exact(n)) {
            for (o, y) in out.iter_mut().zip(line) {
                *o += x * y;
            }
        }
    }
    out
}

impl EnclosedMatrix {
    /// Doubles taken exactly.
    pub(crate) fn exact(rows: usize, cols: usize, mid: Vec<f64>) -> Self {
        debug_assert_eq!(mid.len(), rows * cols);
        Self { rows, cols, rad: vec![0.0; mid.len()], mid }
    }

    /// Intervals row by row.
    pub(crate) fn from_intervals(rows: usize, cols: usize, entries: &[Interval]) -> Self {
        debug_assert_eq!(entries.len(), rows * cols);
        let mid = entries.iter().map(|x| x.middle()).collect();
        let rad = entries.iter().map(|x| x.radius()).collect();
        Self { rows, cols, mid, rad }
    }

    /// Number of rows.
    pub(crate) fn size(&self) -> usize {
        self.rows
    }

    /// The entry as an interval.
    pub(crate) fn entry(&self, i: usize, j: usize) -> Interval {
        let at = i * self.cols + j;
        Interval::ball(self.mid[at], self.rad[at])
    }

    /// `A` times this matrix, for doubles `A` row by row.
    pub(crate) fn times_left(&self, a: &[f64]) -> Self {
        let (k, n) = (self.rows, self.cols);
        let gamma = 1.01 * (k as f64 + 2.0) * 0.5 * f64::EPSILON;
        let mid = product(a, &self.mid, k, n);
        let magnitudes: Vec<f64> = a.iter().map(|x| x.abs()).collect();
        let spread: Vec<f64> = self.mid.iter().zip(&self.rad).map(|(m, r)| r + gamma * m.abs()).collect();
        let rad = product(&magnitudes, &spread, k, n).into_iter().map(|x| raised(x, k)).collect();
        Self { rows: a.len() / k, cols: n, mid, rad }
    }

    /// The transposed matrix.
    pub(crate) fn transposed(&self) -> Self {
        let turn = |x: &[f64]| -> Vec<f64> {
            (0..self.cols).flat_map(|j| (0..self.rows).map(move |i| x[i * self.cols + j])).collect()
        };
        Self { rows: self.cols, cols: self.rows, mid: turn(&self.mid), rad: turn(&self.rad) }
    }

    /// `A S A^T` for this symmetric matrix `S`.
    pub(crate) fn congruent(&self, a: &[f64]) -> Self {
        self.times_left(a).transposed().times_left(a)
    }

    /// The rows and columns from `first` on.
    pub(crate) fn trailing(&self, first: usize) -> Self {
        let cut = |x: &[f64]| -> Vec<f64> {
            x.chunks_exact(self.cols).skip(first).flat_map(|row| row[first..].iter().copied()).collect()
        };
        Self { rows: self.rows - first, cols: self.cols - first, mid: cut(&self.mid), rad: cut(&self.rad) }
    }

    /// An upper bound of the Euclidean norm of `I - diag(scale) A`, by its row and column sums.
    pub(crate) fn distance_from_identity(&self, scale: &[f64]) -> f64 {
        let n = self.cols;
        let mut columns = vec![0.0; n];
        let mut largest_row = 0.0_f64;
        for i in 0..self.rows {
            let mut sum = 0.0;
            for j in 0..n {
                let at = i * n + j;
                let scaled = scale[i] * self.mid[at];
                let identity = if i == j { 1.0 } else { 0.0 };
                let rounding = 4.0 * f64::EPSILON * (identity + scaled.abs());
                let defect = (identity - scaled).abs() + rounding + scale[i].abs() * self.rad[at];
                sum += defect;
                columns[j] += defect;
            }
            largest_row = largest_row.max(sum);
        }
        // A maximum skips NaN; a sum of what is not a number is no bound.
        let total: f64 = columns.iter().sum();
        if !total.is_finite() {
            return f64::INFINITY;
        }
        let largest_column = columns.into_iter().fold(0.0, f64::max);
        raised((raised(largest_row, n + 4) * raised(largest_column, n + 4)).sqrt(), 2)
    }

    /// Gershgorin's discs of a symmetric matrix: each eigenvalue lies in one, and disjoint groups hold their number.
    pub(crate) fn discs(&self) -> Vec<Interval> {
        let n = self.cols;
        (0..self.rows)
            .map(|i| {
                let row = i * n..(i + 1) * n;
                let sizes = self.mid[row.clone()].iter().zip(&self.rad[row]);
                let sum: f64 =
                    sizes.enumerate().map(|(j, (m, r))| if i == j { *r } else { m.abs() + r }).sum();
                Interval::ball(self.mid[i * n + i], raised(sum, 2 * n))
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use popgrad::RandomStream;

    fn random(count: usize, stream: &mut RandomStream) -> Vec<f64> {
        let mut out = vec![0.0; count];
        stream.fill_normal(&mut out);
        out
    }

    /// Every member of the factors gives a product inside the enclosure; the reference is interval arithmetic.
    #[test]
    fn products_enclose_the_products_of_members() {
        let mut stream = RandomStream::new(3, 0);
        let (m, k, n) = (4, 30, 5);
        let (a, b) = (random(m * k, &mut stream), random(k * n, &mut stream));
        let radii: Vec<f64> = random(k * n, &mut stream).iter().map(|x| 1e-3 * x.abs()).collect();
        let box_b: Vec<Interval> = b.iter().zip(&radii).map(|(m, r)| Interval::ball(*m, *r)).collect();
        let got = EnclosedMatrix::from_intervals(k, n, &box_b).times_left(&a);
        for (i, j) in (0..m).flat_map(|i| (0..n).map(move |j| (i, j))) {
            let ends = [-1.0, 1.0].map(|sign| {
                Interval::sum((0..k).map(|l| {
                    let x = a[i * k + l];
                    Interval::point(x)
                        * (Interval::point(b[l * n + j]) + sign * x.signum() * radii[l * n + j])
                }))
            });
            let entry = got.entry(i, j);
            assert!(entry.lo() <= ends[0].hi() && ends[1].lo() <= entry.hi(), "{entry:?} {ends:?}");
            assert!(entry.width() <= 1.001 * (ends[1].hi() - ends[0].lo()), "{entry:?} {ends:?}");
        }
    }

    #[test]
    fn discs_hold_the_eigenvalues() {
        let matrix = EnclosedMatrix::exact(2, 2, vec![2.0, 0.5, 0.5, -1.0]);
        let discs = matrix.discs();
        assert!(discs[0].encloses(Interval::new(1.5, 2.5).unwrap()) && discs[0].lo() > 1.49);
        assert!(discs[1].encloses(Interval::new(-1.5, -0.5).unwrap()) && discs[1].hi() < -0.49);
    }

    #[test]
    fn the_distance_from_identity_bounds_the_norm() {
        let matrix = EnclosedMatrix::exact(2, 2, vec![2.0, 0.5, 0.0, 4.0]);
        let distance = matrix.distance_from_identity(&[0.5, 0.25]);
        assert!((0.25..0.2501).contains(&distance), "{distance}");
    }
}
