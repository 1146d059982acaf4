//! `L12` and `L21` of vectors in the plane of coordinates: the region from exact orientations, the distances from angles.

use super::region::Region;
use super::theta::ThetaPart;
use crate::Angle;

/// The sign-exact determinant of two vectors of the plane (Kahan's difference of products).
pub(in crate::critical) fn orientation(u: &[f64], v: &[f64]) -> f64 {
    let (su, sv) = (crate::vector::power_of_two_scale(u), crate::vector::power_of_two_scale(v));
    let (a, b, c, d) = (u[0] * su, u[1] * su, v[0] * sv, v[1] * sv);
    let product = b * c;
    let rest = (-b).mul_add(c, product);
    a.mul_add(d, -product) + rest
}

/// `(L12, L21)` of a teacher for two students, all in two dimensions; `None` where the students are collinear.
///
/// `between` is the students' angle, `own` the teacher's angles to them.
pub(in crate::critical) fn planar_pair(
    (first, second, teacher): (&[f64], &[f64], &[f64]),
    between: Angle,
    own: (Angle, Angle),
) -> Option<(f64, f64)> {
    let turn = orientation(first, second).signum();
    if orientation(first, second) == 0.0 {
        return None;
    }
    let (from_first, to_second) = (turn * orientation(first, teacher), turn * orientation(teacher, second));
    let region = if from_first >= 0.0 && to_second >= 0.0 {
        Region::Inside { x: own.0.theta, rest: own.1.theta }
    } else if from_first >= 0.0 && to_second < 0.0 {
        Region::Ahead { y: own.1.theta, far: own.1.psi }
    } else if from_first < 0.0 && to_second >= 0.0 {
        Region::Behind { psi: own.0.theta, far: own.0.psi }
    } else {
        Region::Opposite { x: own.0.psi, rest: own.1.psi }
    };
    let t = ThetaPart::new(between.theta, between.psi);
    let scale = t.scale();
    Some((scale * region.numerator(&t) + 0.0, scale * region.mirrored().numerator(&t) + 0.0))
}
