//! Whether boxes tile a rectangle exactly: decided by comparing end points, with no arithmetic at all.

use super::{Leaf, THETA_END};

/// How boxes fail to tile `[0, pi] x [0, 1]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Flaw {
    /// The box is empty, turned around, not finite, or sticks out.
    Misshapen(usize),
    /// Near this point no box is found.
    Gap { theta: f64, u: f64 },
    /// Near this point two boxes are found.
    Overlap { theta: f64, u: f64 },
}

/// The rectangle is cut at every end point in `theta`; in each strip the boxes have to follow each other from 0 to 1.
pub(super) fn verify(leaves: &[Leaf]) -> Result<(), Flaw> {
    let well_shaped = |l: &Leaf| {
        0.0 <= l.theta[0]
            && l.theta[0] < l.theta[1]
            && l.theta[1] <= THETA_END
            && 0.0 <= l.u[0]
            && l.u[0] < l.u[1]
            && l.u[1] <= 1.0
    };
    if let Some(index) = leaves.iter().position(|l| !well_shaped(l)) {
        return Err(Flaw::Misshapen(index));
    }
    let mut cuts: Vec<f64> = leaves.iter().flat_map(|l| l.theta).chain([0.0, THETA_END]).collect();
    cuts.sort_by(f64::total_cmp);
    cuts.dedup();
    cuts.windows(2).try_for_each(|strip| verify_strip(leaves, strip[0], strip[1]))
}

fn verify_strip(leaves: &[Leaf], from: f64, to: f64) -> Result<(), Flaw> {
    let mut crossing: Vec<[f64; 2]> =
        leaves.iter().filter(|l| l.theta[0] <= from && to <= l.theta[1]).map(|l| l.u).collect();
    crossing.sort_by(|a, b| a[0].total_cmp(&b[0]));
    let mut reached = 0.0;
    for [low, high] in crossing {
        if low > reached {
            return Err(Flaw::Gap { theta: from, u: reached });
        }
        if low < reached {
            return Err(Flaw::Overlap { theta: from, u: low });
        }
        reached = high;
    }
    if reached < 1.0 { Err(Flaw::Gap { theta: from, u: reached }) } else { Ok(()) }
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
