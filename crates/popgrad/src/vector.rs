//! Lengths and products of vectors, safe for every finite magnitude.

/// Squares of numbers outside `[SAFE_MIN, SAFE_MAX]` may leave the range of `f64`.
pub(crate) const SAFE_MIN: f64 = 1e-140;
/// See [`SAFE_MIN`].
pub(crate) const SAFE_MAX: f64 = 1e140;

/// Sum of products, fused, in index order over eight interleaved partial sums.
///
/// The partial sums keep the rounding error near `(n / 8 + 3) EPSILON / 2` and let the compiler use lanes;
/// the order is fixed, so the bits do not depend on the machine.
#[inline(always)] // so that a caller compiled with fused multiply-adds uses them
pub(crate) fn dot(u: &[f64], v: &[f64]) -> f64 {
    let mut lanes = [0.0_f64; 8];
    let (ua, ub) = u.as_chunks::<8>();
    let (va, vb) = v.as_chunks::<8>();
    for (a, b) in ua.iter().zip(va) {
        for i in 0..8 {
            lanes[i] = a[i].mul_add(b[i], lanes[i]);
        }
    }
    for (i, (a, b)) in ub.iter().zip(vb).enumerate() {
        lanes[i] = a.mul_add(*b, lanes[i]);
    }
    ((lanes[0] + lanes[4]) + (lanes[1] + lanes[5])) + ((lanes[2] + lanes[6]) + (lanes[3] + lanes[7]))
}

/// The largest absolute entry.
pub(crate) fn max_abs(u: &[f64]) -> f64 {
    u.iter().fold(0.0_f64, |m, x| m.max(x.abs()))
}

/// A power of two that brings the largest entry of `u` near one; one for the zero vector.
pub(crate) fn power_of_two_scale(u: &[f64]) -> f64 {
    let m = max_abs(u);
    if m == 0.0 {
        return 1.0;
    }
    let exponent = libm::ilogb(m).clamp(-1000, 1000);
    libm::scalbn(1.0, -exponent)
}

/// Euclidean length, for every finite vector whose length is finite.
pub(crate) fn norm(u: &[f64]) -> f64 {
    let m = max_abs(u);
    if m == 0.0 || (SAFE_MIN..SAFE_MAX).contains(&m) {
        return dot(u, u).sqrt();
    }
    let s = power_of_two_scale(u);
    u.iter().map(|x| (x * s) * (x * s)).sum::<f64>().sqrt() / s
}

/// Index and value of the first entry that is NaN or infinite.
#[inline(always)] // so that a caller compiled for wider lanes uses them
pub(crate) fn first_non_finite(u: &[f64]) -> Option<(usize, f64)> {
    // 0 x is 0 for finite x and NaN otherwise; eight sums at a time, so that the scan costs next to nothing.
    let (whole, rest) = u.as_chunks::<8>();
    let mut sums = [0.0; 8];
    for chunk in whole {
        for i in 0..8 {
            sums[i] += 0.0 * chunk[i];
        }
    }
    if sums.iter().chain(rest).map(|x| 0.0 * x).sum::<f64>() == 0.0 {
        return None;
    }
    u.iter().position(|x| !x.is_finite()).map(|i| (i, u[i]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_survive_extreme_magnitudes() {
        for scale in [1e-300, 1e-160, 1.0, 1e160, 1e300] {
            let got = norm(&[3.0 * scale, 4.0 * scale]);
            assert!((got / scale - 5.0).abs() < 1e-14, "{scale:e}: {got:e}");
        }
        assert_eq!(norm(&[0.0, 0.0]), 0.0);
        assert_eq!(norm(&[]), 0.0);
    }

    #[test]
    fn the_first_bad_entry_is_named() {
        assert_eq!(first_non_finite(&[1.0, f64::INFINITY, f64::NAN]).unwrap().0, 1);
        assert!(first_non_finite(&[1.0, -2.0]).is_none());
    }
}
