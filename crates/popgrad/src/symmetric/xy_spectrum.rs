//! All eigenvalues of the full Hessian at a point of the plane of Theorem 7.
//!
//! At `(x, y)` the `K^2 x K^2` Hessian commutes with the permutations that act on units and coordinates at
//! once. The `K x K` matrices split under these into six kinds of spaces, and the Hessian acts on each kind as a
//! matrix of size one, two or three (docs/theory/symmetric.md, (Y.18) and (Y.19)). The cost is `O(K^2)`.

use super::xy::{Shape, XyError, XyPlane};
use super::xy_points::symmetric_eigenvalues;
use crate::vector::dot;
use std::f64::consts::TAU;

/// An eigenvalue of the full Hessian with the dimension of its space.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Eigenspace {
    /// The eigenvalue of the Hessian of the loss.
    pub value: f64,
    /// How many times it occurs.
    pub multiplicity: usize,
}

/// Rotations of Jacobi's method on a 3 x 3 matrix; convergence is quadratic and needs about six sweeps.
const SWEEPS: usize = 20;

/// Eigenvalues of a symmetric 3 x 3 matrix by Jacobi's method.
fn jacobi(mut a: [[f64; 3]; 3]) -> [f64; 3] {
    for _ in 0..SWEEPS {
        for (p, q) in [(0, 1), (0, 2), (1, 2)] {
            if a[p][q] == 0.0 {
                continue;
            }
            let ratio = (a[q][q] - a[p][p]) / (2.0 * a[p][q]);
            let t = libm::copysign(1.0, ratio) / (ratio.abs() + libm::hypot(1.0, ratio));
            let c = 1.0 / libm::hypot(1.0, t);
            let s = t * c;
            for k in 0..3 {
                (a[k][p], a[k][q]) = (c * a[k][p] - s * a[k][q], s * a[k][p] + c * a[k][q]);
            }
            for k in 0..3 {
                (a[p][k], a[q][k]) = (c * a[p][k] - s * a[q][k], s * a[p][k] + c * a[q][k]);
            }
        }
    }
    [a[0][0], a[1][1], a[2][2]]
}

/// The Hessian at one point, as a map of `K x K` matrices given by their entries.
struct Action {
    k: usize,
    shape: Shape,
}

impl Action {
    /// Row `w_j / n`.
    fn student(&self, j: usize) -> Vec<f64> {
        let mut w = vec![self.shape.y; self.k];
        w[j] = self.shape.x;
        w
    }

    /// Unit vector along the part of `w_k` orthogonal to `w_j`; zero if the two coincide.
    fn direction(&self, j: usize, k: usize) -> Vec<f64> {
        let s = &self.shape;
        if s.pair_sine == 0.0 {
            return vec![0.0; self.k];
        }
        // w_k - cos(phi) w_j = delta (e_k - e_j) + delta^2 w_j, as 1 - cos(phi) = delta^2.
        let mut out: Vec<f64> = self.student(j).iter().map(|w| s.delta * s.delta * w).collect();
        out[k] += s.delta;
        out[j] -= s.delta;
        for c in &mut out {
            *c /= s.pair_sine;
        }
        out
    }

    /// `out += factor (I - w w^T + n n^T) z` for unit `w` and `n`.
    fn add_own(out: &mut [f64], factor: f64, w: &[f64], n: &[f64], z: &[f64]) {
        let (along, across) = (dot(w, z), dot(n, z));
        for i in 0..out.len() {
            out[i] += factor * (z[i] - along * w[i] + across * n[i]);
        }
    }

    /// `out += factor [psi z + sin(phi) (n (m.z) + w (u.z))]`, the off-diagonal block.
    fn add_cross(&self, out: &mut [f64], j: usize, k: usize, z: &[f64]) {
        let (w, u) = (self.student(j), self.student(k));
        let (n, m) = (self.direction(j, k), self.direction(k, j));
        let psi = self.shape.pair_supplement();
        let (a, b) = (self.shape.pair_sine * dot(&m, z), self.shape.pair_sine * dot(&u, z));
        for i in 0..out.len() {
            out[i] += (psi * z[i] + a * n[i] + b * w[i]) / TAU;
        }
    }

    /// Row `j` of the Hessian applied to the matrix with rows `rows(i)`.
    fn row(&self, j: usize, rows: &dyn Fn(usize) -> Vec<f64>) -> Vec<f64> {
        let s = &self.shape;
        let (w, z) = (self.student(j), rows(j));
        let mut out: Vec<f64> = z.iter().map(|c| 0.5 * c).collect();
        for k in (0..self.k).filter(|k| *k != j) {
            Self::add_own(&mut out, s.pair_sine / TAU, &w, &self.direction(j, k), &z);
            self.add_cross(&mut out, j, k, &rows(k));
        }
        for m in 0..self.k {
            let (cosine, sine) = if m == j { (s.x, s.own_sine) } else { (s.y, s.other_sine) };
            if sine > 0.0 {
                let mut n: Vec<f64> = w.iter().map(|c| -cosine * c / sine).collect();
                n[m] = sine; // (1 - cosine^2) / sine, as w[m] = cosine
                Self::add_own(&mut out, -sine / (TAU * s.n), &w, &n, &z);
            }
        }
        out
    }
}

/// Row of a matrix with `diagonal(i)` on the diagonal and `rest(i, k)` elsewhere.
fn pattern(k: usize, i: usize, diagonal: f64, rest: &dyn Fn(usize) -> f64) -> Vec<f64> {
    (0..k).map(|c| if c == i { diagonal } else { rest(c) }).collect()
}

/// `(1, -1, 0, ..., 0)`.
fn contrast(i: usize) -> f64 {
    match i {
        0 => 1.0,
        1 => -1.0,
        _ => 0.0,
    }
}

impl XyPlane {
    /// All `K^2` eigenvalues of the Hessian of the full loss at `(x, y)`, each kind with its multiplicity.
    ///
    /// ```text
    /// kind                                          size  multiplicity
    /// matrices of the plane itself                  2     1
    /// built from a vector with zero sum             3     K - 1            (2 for K = 2)
    /// antisymmetric, zero row sums                  1     (K-1)(K-2)/2     (K >= 3)
    /// symmetric, zero diagonal, zero row sums       1     K(K-3)/2         (K >= 4)
    /// ```
    ///
    /// Source: docs/theory/symmetric.md, (Y.18), (Y.19). The first two entries belong to the plane, in which the
    /// field's eigenvalues are minus these.
    ///
    /// - Units: those of the Hessian of the per-sample loss in the weights.
    /// - Domain: every finite point but the origin.
    /// - Accuracy (measured, against power sums of the assembled Hessian, K from 2 to 7): `512 EPSILON` of the sum of the
    ///   absolute terms, and a singular `H - value` to `1e-12`.
    /// - Cost: `O(K^2)` time, `O(K)` memory.
    ///
    /// # Errors
    ///
    /// [`XyError::NonFinite`], [`XyError::Origin`].
    ///
    /// # Examples
    ///
    /// ```
    /// use popgrad::XyPlane;
    /// // At an orthonormal teacher the smallest eigenvalue is 1/4 - 1/2pi for every K >= 2.
    /// let smallest = XyPlane::try_new(7)?.smallest_eigenvalue(1.0, 0.0)?;
    /// assert!((smallest - (0.25 - 0.5 / std::f64::consts::PI)).abs() < 1e-14);
    /// # Ok::<(), popgrad::XyError>(())
    /// ```
    pub fn spectrum(&self, x: f64, y: f64) -> Result<Vec<Eigenspace>, XyError> {
        self.field(x, y)?;
        let (k, n) = (self.units(), self.k());
        let [[a, b], [_, d]] = self.slope_jacobian(x, y);
        let plane = symmetric_eigenvalues(a, b / (n - 1.0).sqrt(), d);
        let mut out: Vec<Eigenspace> = plane.map(|value| Eigenspace { value, multiplicity: 1 }).to_vec();
        let action = Action { k, shape: self.shape(x, y) };
        let vectors = if k == 2 { exchange_block(&action).to_vec() } else { vector_block(&action).to_vec() };
        out.extend(vectors.into_iter().map(|value| Eigenspace { value, multiplicity: k - 1 }));
        if k >= 3 {
            let value = antisymmetric_value(&action);
            out.push(Eigenspace { value, multiplicity: (k - 1) * (k - 2) / 2 });
        }
        if k >= 4 {
            out.push(Eigenspace { value: symmetric_value(&action), multiplicity: k * (k - 3) / 2 });
        }
        Ok(out)
    }

    /// The smallest eigenvalue of the Hessian of the full loss at `(x, y)`; see [`XyPlane::spectrum`].
    ///
    /// # Errors
    ///
    /// [`XyError::NonFinite`], [`XyError::Origin`].
    pub fn smallest_eigenvalue(&self, x: f64, y: f64) -> Result<f64, XyError> {
        Ok(self.spectrum(x, y)?.iter().fold(f64::INFINITY, |m, e| m.min(e.value)))
    }
}

/// K >= 3: the block on `diag(v)`, `v 1^T`, `1 v^T` (off the diagonal) for a vector `v` of zero sum.
fn vector_block(action: &Action) -> [f64; 3] {
    let k = action.k;
    let basis: [&dyn Fn(usize) -> Vec<f64>; 3] = [
        &|i| pattern(k, i, contrast(i), &|_| 0.0),
        &|i| pattern(k, i, 0.0, &|c| contrast(i) + contrast(c)),
        &|i| pattern(k, i, 0.0, &|c| contrast(i) - contrast(c)),
    ];
    let (two, n) = (2.0_f64, k as f64);
    let length = [two.sqrt(), 2.0 * (n - 2.0).sqrt(), 2.0 * n.sqrt()];
    let mut block = [[0.0; 3]; 3];
    for (b, matrix) in basis.iter().enumerate() {
        // The image is alpha diag(v) + beta v 1^T + gamma 1 v^T; its entries (0,0), (0,2), (2,0) give the three.
        let (first, third) = (action.row(0, matrix), action.row(2, matrix));
        let (alpha, beta, gamma) = (first[0], first[2], third[0]);
        for (a, entry) in [alpha, 0.5 * (beta + gamma), 0.5 * (beta - gamma)].into_iter().enumerate() {
            block[a][b] = entry * length[a] / length[b];
        }
    }
    for (i, j) in [(0, 1), (0, 2), (1, 2)] {
        let mean = 0.5 * (block[i][j] + block[j][i]);
        (block[i][j], block[j][i]) = (mean, mean);
    }
    jacobi(block)
}

/// K = 2: the block on `diag(1, -1)` and `[[0, 1], [-1, 0]]`.
fn exchange_block(action: &Action) -> [f64; 2] {
    let diagonal = action.row(0, &|i| pattern(2, i, contrast(i), &|_| 0.0));
    let crossed = action.row(0, &|i| pattern(2, i, 0.0, &|_| contrast(i)));
    symmetric_eigenvalues(diagonal[0], 0.5 * (diagonal[1] + crossed[0]), crossed[1])
}

/// The value on antisymmetric matrices of zero row sums, from the cycle 0 -> 1 -> 2 -> 0.
fn antisymmetric_value(action: &Action) -> f64 {
    let k = action.k;
    action.row(0, &|i| match i {
        0..3 => (0..k)
            .map(|c| match c {
                c if c == (i + 1) % 3 => 1.0,
                c if c < 3 && c != i => -1.0,
                _ => 0.0,
            })
            .collect(),
        _ => vec![0.0; k],
    })[1]
}

/// The value on symmetric matrices of zero diagonal and row sums, from `(e0 - e1)(e2 - e3)^T` and its transpose.
fn symmetric_value(action: &Action) -> f64 {
    let k = action.k;
    let other = |c: usize| match c {
        2 => 1.0,
        3 => -1.0,
        _ => 0.0,
    };
    action.row(0, &|i| (0..k).map(|c| contrast(i) * other(c) + other(i) * contrast(c)).collect())[2]
}
