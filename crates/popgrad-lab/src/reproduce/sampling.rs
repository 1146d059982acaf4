//! Sample means beside closed forms: inputs of several laws, estimates with standard errors, quadrature.

use popgrad::{Moments, RandomStream};

/// A law of the input that can be sampled.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Sampled {
    /// Standard normal.
    Gaussian,
    /// Independent coordinates, uniform on [-1/2, 1/2].
    Uniform,
    /// Uniform on the sphere of this radius.
    Sphere(f64),
    /// Uniform in the ball of this radius.
    Ball(f64),
    /// Multivariate Student t.
    StudentT(f64),
}

impl Sampled {
    /// Draws one input.
    pub(crate) fn fill(self, stream: &mut RandomStream, x: &mut [f64]) {
        match self {
            Self::Gaussian => stream.fill_normal(x),
            Self::Uniform => fill_uniform(stream, x),
            Self::Sphere(radius) => stream.fill_sphere(radius, x),
            Self::Ball(radius) => stream.fill_ball(radius, x),
            Self::StudentT(nu) => stream.fill_multivariate_t(nu, x),
        }
    }
}

/// Uniform on (-1/2, 1/2), two coordinates from 64 bits: the midpoints of a grid of `2^-32`.
fn fill_uniform(stream: &mut RandomStream, x: &mut [f64]) {
    const STEP: f64 = 1.0 / 4_294_967_296.0;
    let centred = |word: u64| (word as f64 + 0.5) * STEP - 0.5;
    for two in x.chunks_mut(2) {
        let bits = stream.next_u64();
        two[0] = centred(bits >> 32);
        if let Some(second) = two.get_mut(1) {
            *second = centred(bits & 0xffff_ffff);
        }
    }
}

pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

pub(crate) fn length(a: &[f64]) -> f64 {
    dot(a, a).sqrt()
}

pub(crate) fn distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| (x - y) * (x - y)).sum::<f64>().sqrt()
}

/// A unit vector and a vector of length `size` at the angle `theta` to it, in a random plane.
pub(crate) fn pair_at(stream: &mut RandomStream, d: usize, theta: f64, size: f64) -> (Vec<f64>, Vec<f64>) {
    let (mut e, mut n) = (vec![0.0; d], vec![0.0; d]);
    stream.fill_sphere(1.0, &mut e);
    stream.fill_sphere(1.0, &mut n);
    let along = dot(&e, &n);
    n.iter_mut().zip(&e).for_each(|(a, b)| *a -= along * b);
    let across = length(&n);
    let (s, c) = libm::sincos(theta);
    let w = e.iter().zip(&n).map(|(a, b)| size * (c * a + s * b / across)).collect();
    (e, w)
}

/// Moments of each coordinate of `x 1(e.x > 0) relu(w.x)` over `n` inputs.
pub(crate) fn gating_moments(
    stream: &mut RandomStream,
    law: Sampled,
    (e, w): (&[f64], &[f64]),
    n: usize,
) -> Vec<Moments> {
    let mut x = vec![0.0; e.len()];
    let mut moments = vec![Moments::default(); e.len()];
    for _ in 0..n {
        law.fill(stream, &mut x);
        let gate = if dot(e, &x) > 0.0 { dot(w, &x).max(0.0) } else { 0.0 };
        moments.iter_mut().zip(&x).for_each(|(m, c)| m.push(gate * c));
    }
    moments
}

/// Mean of `x 1(e.x > 0) relu(w.x)` over `n` inputs.
pub(crate) fn gating_mean(
    stream: &mut RandomStream,
    law: Sampled,
    (e, w): (&[f64], &[f64]),
    n: usize,
) -> Vec<f64> {
    let mut x = vec![0.0; e.len()];
    let mut sum = vec![0.0; e.len()];
    for _ in 0..n {
        law.fill(stream, &mut x);
        let gate = dot(w, &x);
        if gate > 0.0 && dot(e, &x) > 0.0 {
            sum.iter_mut().zip(&x).for_each(|(s, c)| *s += gate * c);
        }
    }
    sum.iter_mut().for_each(|s| *s /= n as f64);
    sum
}

/// Mean of `x 1(e.x > 0) relu(w.x)` over `n` inputs of a law that is symmetric about zero and has the covariance
/// `kappa I`, with less noise than [`gating_mean`].
///
/// The mean over `x` and `-x` is `x (w.x)/2` where both units have one sign, and the mean of `p x (w.x)/2` is
/// known for every `p`: with `p` the share of such inputs only the difference is sampled.
pub(crate) fn calm_gating_mean(
    stream: &mut RandomStream,
    (law, kappa): (Sampled, f64),
    (e, w): (&[f64], &[f64]),
    n: usize,
) -> Vec<f64> {
    let p = popgrad::angle(e, w).map_or(0.0, |a| a.psi / std::f64::consts::PI);
    let mut x = vec![0.0; e.len()];
    let mut sum = vec![0.0; e.len()];
    for _ in 0..n {
        law.fill(stream, &mut x);
        let along = dot(w, &x);
        let share = if (along > 0.0) == (dot(e, &x) > 0.0) { 1.0 - p } else { -p };
        let factor = share * along;
        sum.iter_mut().zip(&x).for_each(|(s, c)| *s += factor * c);
    }
    sum.iter().zip(w).map(|(s, w)| 0.5 * (s / n as f64 + p * kappa * w)).collect()
}

/// Largest distance of a mean from its expected value, in standard errors of that mean.
pub(crate) fn worst_deviation(moments: &[Moments], expected: &[f64]) -> f64 {
    let each = moments.iter().zip(expected).map(|(m, x)| (m.mean() - x).abs() / m.standard_error());
    each.fold(0.0, f64::max)
}

/// Largest of many numbers; NaN if one of them is.
pub(crate) fn largest(values: impl IntoIterator<Item = f64>) -> f64 {
    values
        .into_iter()
        .fold(f64::NEG_INFINITY, |a, b| if a.is_nan() || b.is_nan() { f64::NAN } else { a.max(b) })
}

/// Integral of `f` over `[a, b]` by Simpson's rule on `2 * halves` intervals.
pub(crate) fn simpson(f: impl Fn(f64) -> f64, a: f64, b: f64, halves: usize) -> f64 {
    let n = 2 * halves;
    let step = (b - a) / n as f64;
    let inner: f64 =
        (1..n).map(|i| (if i % 2 == 1 { 4.0 } else { 2.0 }) * f((i as f64).mul_add(step, a))).sum();
    (f(a) + inner + f(b)) * step / 3.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn simpson_is_of_fourth_order() {
        let error = |halves| (simpson(libm::exp, 0.0, 1.0, halves) - libm::expm1(1.0)).abs();
        let order = libm::log2(error(4) / error(8));
        assert!((order - 4.0).abs() < 0.05, "{order}");
    }

    #[test]
    fn a_pair_has_the_angle_and_the_length_asked_for() {
        let (e, w) = pair_at(&mut RandomStream::new(1, 0), 7, 2.5, 3.0);
        assert!((popgrad::angle(&e, &w).unwrap().theta - 2.5).abs() < 1e-14);
        assert!((length(&w) - 3.0).abs() < 1e-14);
    }
}
