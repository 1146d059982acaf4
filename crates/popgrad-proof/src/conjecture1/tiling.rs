//! Whether boxes tile a rectangle exactly: decided by comparing end points, with no arithmetic at all.

use super::{Leaf, THETA_END};

/// How boxes fail to tile a rectangle.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Flaw {
    /// The box is empty, turned around, not finite, or sticks out.
    Misshapen(usize),
    /// Near this point no box is found.
    Gap { theta: f64, u: f64 },
    /// Near this point two boxes are found.
    Overlap { theta: f64, u: f64 },
}

/// Whether boxes tile `[0, pi] x [0, 1]`.
pub(super) fn verify(leaves: &[Leaf]) -> Result<(), Flaw> {
    tiles(&Leaf { theta: [0.0, THETA_END], u: [0.0, 1.0] }, leaves)
}

/// The rectangle is cut at every end point in `theta`; in each strip the boxes have to follow each other from end to end in `u`.
pub(crate) fn tiles(rectangle: &Leaf, leaves: &[Leaf]) -> Result<(), Flaw> {
    let inside = |x: [f64; 2], y: [f64; 2]| x[0] <= y[0] && y[0] < y[1] && y[1] <= x[1];
    let well_shaped = |l: &Leaf| inside(rectangle.theta, l.theta) && inside(rectangle.u, l.u);
    if let Some(index) = leaves.iter().position(|l| !well_shaped(l)) {
        return Err(Flaw::Misshapen(index));
    }
    let mut cuts: Vec<f64> = leaves.iter().flat_map(|l| l.theta).chain(rectangle.theta).collect();
    cuts.sort_by(f64::total_cmp);
    cuts.dedup();
    let mut waiting: Vec<&Leaf> = leaves.iter().collect();
    waiting.sort_by(|a, b| b.theta[0].total_cmp(&a.theta[0]));
    let mut crossing: Vec<&Leaf> = Vec::new();
    cuts.windows(2).try_for_each(|strip| {
        crossing.retain(|l| l.theta[1] > strip[0]);
        while let Some(next) = waiting.pop_if(|l| l.theta[0] <= strip[0]) {
            crossing.push(next);
        }
        verify_strip(rectangle.u, &crossing, strip[0])
    })
}

fn verify_strip(range: [f64; 2], crossing: &[&Leaf], from: f64) -> Result<(), Flaw> {
    let mut sides: Vec<[f64; 2]> = crossing.iter().map(|l| l.u).collect();
    sides.sort_by(|a, b| a[0].total_cmp(&b[0]));
    let mut reached = range[0];
    for [low, high] in sides {
        if low > reached {
            return Err(Flaw::Gap { theta: from, u: reached });
        }
        if low < reached {
            return Err(Flaw::Overlap { theta: from, u: low });
        }
        reached = high;
    }
    if reached < range[1] { Err(Flaw::Gap { theta: from, u: reached }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaf(theta: [f64; 2], u: [f64; 2]) -> Leaf {
        Leaf { theta, u }
    }

    /// Five boxes around a centre, a tiling that no sequence of bisections makes.
    fn pinwheel() -> Vec<Leaf> {
        vec![
            leaf([0.0, 2.0], [0.0, 0.25]),
            leaf([2.0, THETA_END], [0.0, 0.75]),
            leaf([1.0, THETA_END], [0.75, 1.0]),
            leaf([0.0, 1.0], [0.25, 1.0]),
            leaf([1.0, 2.0], [0.25, 0.75]),
        ]
    }

    #[test]
    fn tilings_are_accepted_in_any_order() {
        let mut boxes = pinwheel();
        assert_eq!(verify(&boxes), Ok(()));
        boxes.reverse();
        assert_eq!(verify(&boxes), Ok(()));
        assert_eq!(verify(&[leaf([0.0, THETA_END], [0.0, 1.0])]), Ok(()));
    }

    #[test]
    fn gaps_overlaps_and_odd_boxes_are_named() {
        for missing in 0..5 {
            let mut boxes = pinwheel();
            boxes.remove(missing);
            assert!(matches!(verify(&boxes), Err(Flaw::Gap { .. })));
            let mut boxes = pinwheel();
            boxes.push(boxes[missing]);
            assert!(matches!(verify(&boxes), Err(Flaw::Overlap { .. })));
        }
        assert_eq!(verify(&[]), Err(Flaw::Gap { theta: 0.0, u: 0.0 }));
        for odd in [[1.0, 1.0], [1.0, 0.5], [-0.5, 1.0], [0.0, 4.0], [f64::NAN, 1.0], [0.0, f64::INFINITY]] {
            let mut boxes = pinwheel();
            boxes.push(leaf(odd, [0.0, 1.0]));
            assert_eq!(verify(&boxes), Err(Flaw::Misshapen(5)), "{odd:?}");
        }
    }

    #[test]
    fn an_end_point_moved_by_one_step_is_found() {
        for index in 0..5 {
            for side in 0..4 {
                for upwards in [true, false] {
                    let mut boxes = pinwheel();
                    let end = match side {
                        0 | 1 => &mut boxes[index].theta[side],
                        _ => &mut boxes[index].u[side - 2],
                    };
                    *end = if upwards { end.next_up() } else { end.next_down() };
                    assert!(verify(&boxes).is_err(), "box {index}, side {side}, {upwards}");
                }
            }
        }
    }
}
