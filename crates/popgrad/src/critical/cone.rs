//! How many teachers lie in the students' cone and how many students in the teachers': both readings of Theorem 4, in the plane.
//!
//! The theorem is about two students and two teachers in the plane, where signs of determinants decide and are exact: these are
//! the counts that are compared with Theorem 3 on arbitrary vectors. What an atlas says of critical points of any number of
//! units in any dimension is [`super::cone_membership`], which solves least-squares problems and so needs a tolerance.

use super::l12::orientation;

/// Counts for two students and two teachers in the plane.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ConeCounts {
    /// Teachers strictly inside the students' cone, 0 to 2.
    pub teachers_in_student_cone: usize,
    /// Students strictly inside the teachers' cone, 0 to 2.
    pub students_in_teacher_cone: usize,
}

/// Whether `x` lies strictly inside the cone of `u` and `v`; a cone of collinear vectors has no inside.
fn inside(x: [f64; 2], [u, v]: [[f64; 2]; 2]) -> bool {
    let turn = orientation(&u, &v);
    let (one, two) = (orientation(&u, &x), orientation(&x, &v));
    (turn > 0.0 && one > 0.0 && two > 0.0) || (turn < 0.0 && one < 0.0 && two < 0.0)
}

/// The counts of Theorem 4 and of the remark after it.
///
/// In the plane exactly one student lies in the teachers' cone where exactly one teacher lies in the students'; so the
/// theorem's wording and the remark's, which exchange the two, exclude the same points.
///
/// Source: Tian (2017), Theorem 4 and the remark after it; docs/theory/normal_equation.md, (N.31).
///
/// - Domain: all finite vectors whose entries do not underflow against the largest; on a ray is not inside.
/// - Accuracy: decided by signs of determinants, which are computed exactly.
///
/// # Examples
///
/// ```
/// let counts = popgrad::cone_counts([[1.0, 0.1], [0.1, 1.0]], [[1.0, 0.0], [0.0, 1.0]]);
/// assert_eq!((counts.teachers_in_student_cone, counts.students_in_teacher_cone), (0, 2));
/// ```
pub fn cone_counts(students: [[f64; 2]; 2], teachers: [[f64; 2]; 2]) -> ConeCounts {
    let count = |points: [[f64; 2]; 2], cone| points.into_iter().filter(|p| inside(*p, cone)).count();
    ConeCounts {
        teachers_in_student_cone: count(teachers, students),
        students_in_teacher_cone: count(students, teachers),
    }
}
