//! What a complete enumeration leaves behind: boxes, arcs and points, without how they were found.

use super::collinear::Segments;
use super::judge::Judge;
use super::search::{Fate, Search};
use super::{Enumeration, PointClass};
use crate::conjecture1::Leaf;
use crate::points::PointClaim;
use popgrad::Matrix;

/// Why no critical point is lost with a box.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BoxProof {
    /// It lies beyond the rectangle of (E.4).
    Beyond,
    /// The first equation, 0, or the second, 1, has no zero on it.
    Value(usize),
    /// The mean-value form of the first or the second has none.
    MeanValue(usize),
    /// Krawczyk's operator maps a slightly larger box away from it.
    Krawczyk,
    /// The slightly larger box holds exactly one root: a point of the list, or none for its lengths.
    Root,
}

impl BoxProof {
    /// All of them, as files name them.
    pub const ALL: [(Self, &'static str); 7] = [
        (Self::Beyond, "beyond"),
        (Self::Value(0), "value1"),
        (Self::Value(1), "value2"),
        (Self::MeanValue(0), "mean1"),
        (Self::MeanValue(1), "mean2"),
        (Self::Krawczyk, "krawczyk"),
        (Self::Root, "root"),
    ];

    /// The word for files.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(proof, _)| *proof == self).map_or("", |(_, name)| name)
    }
}

impl From<Fate> for BoxProof {
    fn from(fate: Fate) -> Self {
        match fate {
            Fate::Beyond => Self::Beyond,
            Fate::Value(n) => Self::Value(n),
            Fate::MeanValue(n) => Self::MeanValue(n),
            Fate::Krawczyk => Self::Krawczyk,
            Fate::Root => Self::Root,
        }
    }
}

/// The boxes of one of the two systems of (E.4), in the order of their lower corners.
#[derive(Clone, Debug, PartialEq)]
pub struct Boxes {
    /// Angles up to this one hold no root.
    pub small_angle: f64,
    /// The rest of the rectangle, a little larger than it.
    pub boxes: Vec<(Leaf, BoxProof)>,
}

/// A point of the list.
#[derive(Clone, Debug, PartialEq)]
pub struct ListedPoint {
    /// What it is.
    pub class: PointClass,
    /// What is claimed about it in the plane.
    pub plane: PointClaim,
    /// What is claimed about it with one more input dimension; none where it is not certified there.
    pub space: Option<PointClaim>,
}

/// A point with a zero student.
#[derive(Clone, Debug, PartialEq)]
pub struct ListedVanished {
    /// Position of the segment that ends there; none if both students are zero.
    pub segment: Option<usize>,
    /// A direction in which the loss descends; none if the point is stationary.
    pub direction: Option<f64>,
}

/// A complete list of critical points, claimed; nothing is assumed about it.
#[derive(Clone, Debug, PartialEq)]
pub struct EnumerationCertificate {
    /// The teacher.
    pub teacher: Matrix,
    /// The boxes, first teacher inside the students' cone, then second; none for parallel teachers.
    pub searches: Vec<Boxes>,
    /// Arcs of directions that both students may share, in their order, and whether each holds a root of (E.6).
    pub arcs: Vec<([f64; 2], bool)>,
    /// The points, up to a permutation of the students.
    pub points: Vec<ListedPoint>,
    /// The points with a zero student.
    pub vanished: Vec<ListedVanished>,
}

fn boxes(search: &Search) -> Boxes {
    let leaf = |cell: &super::search::Cell| Leaf {
        theta: [cell.theta.lo(), cell.theta.hi()],
        u: [cell.u.lo(), cell.u.hi()],
    };
    let mut boxes: Vec<(Leaf, BoxProof)> =
        search.leaves().iter().map(|(cell, fate)| (leaf(cell), (*fate).into())).collect();
    boxes.sort_by(|(a, _), (b, _)| a.theta[0].total_cmp(&b.theta[0]).then(a.u[0].total_cmp(&b.u[0])));
    Boxes { small_angle: search.first_angle(), boxes }
}

/// The certificate of a complete list; none if something is open, or a point does not pass its own check.
pub(super) fn of(
    searches: &[Search],
    segments: &Segments,
    judge: &Judge,
    found: &Enumeration,
) -> Option<EnumerationCertificate> {
    if found.undecided > 0 {
        return None;
    }
    let mut arcs: Vec<([f64; 2], bool)> =
        segments.arcs.iter().map(|(arc, root)| ([arc.lo(), arc.hi()], *root)).collect();
    arcs.sort_by(|(a, _), (b, _)| a[0].total_cmp(&b[0]));
    let points: Option<Vec<ListedPoint>> = found
        .points
        .iter()
        .map(|p| {
            let (plane, space) = judge.claims(&p.in_plane)?;
            Some(ListedPoint { class: p.class, plane, space })
        })
        .collect();
    let vanished = found
        .vanished
        .iter()
        .map(|p| ListedVanished { segment: p.segment, direction: p.descent.map(|d| d.direction) })
        .collect();
    Some(EnumerationCertificate {
        teacher: found.teacher.clone(),
        searches: searches.iter().map(boxes).collect(),
        arcs,
        points: points?,
        vanished,
    })
}
