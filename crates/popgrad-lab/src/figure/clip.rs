//! Cutting lines at the edge of a panel.

/// A point on the page, in user units.
pub(super) type Point = (f64, f64);

/// A rectangle on the page: left, top, right, bottom, in user units.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Area {
    pub(super) left: f64,
    pub(super) top: f64,
    pub(super) right: f64,
    pub(super) bottom: f64,
}

impl Area {
    pub(super) fn width(&self) -> f64 {
        self.right - self.left
    }

    pub(super) fn height(&self) -> f64 {
        self.bottom - self.top
    }

    pub(super) fn contains(&self, (x, y): Point) -> bool {
        let slack = 1e-6;
        x >= self.left - slack && x <= self.right + slack && y >= self.top - slack && y <= self.bottom + slack
    }

    pub(super) fn clamp(&self, (x, y): Point) -> Point {
        (x.clamp(self.left, self.right), y.clamp(self.top, self.bottom))
    }

    /// The part of the segment from `a` to `b` inside the area (Liang and Barsky's parametric test).
    pub(super) fn segment(&self, a: Point, b: Point) -> Option<(Point, Point)> {
        let (dx, dy) = (b.0 - a.0, b.1 - a.1);
        let (mut enter, mut leave) = (0.0_f64, 1.0_f64);
        let edges =
            [(-dx, a.0 - self.left), (dx, self.right - a.0), (-dy, a.1 - self.top), (dy, self.bottom - a.1)];
        for (p, q) in edges {
            if p == 0.0 && q < 0.0 {
                return None;
            } else if p < 0.0 {
                enter = enter.max(q / p);
            } else if p > 0.0 {
                leave = leave.min(q / p);
            }
        }
        let at = |t: f64| (a.0 + t * dx, a.1 + t * dy);
        (enter <= leave).then(|| (at(enter), at(leave)))
    }

    /// The pieces of a broken line that lie inside; a point that is not finite breaks the line.
    pub(super) fn polyline(&self, points: &[Point]) -> Vec<Vec<Point>> {
        let mut pieces: Vec<Vec<Point>> = Vec::new();
        for pair in points.windows(2) {
            if !(pair[0].0.is_finite()
                && pair[0].1.is_finite()
                && pair[1].0.is_finite()
                && pair[1].1.is_finite())
            {
                continue;
            }
            let Some((a, b)) = self.segment(pair[0], pair[1]) else { continue };
            match pieces.last_mut() {
                Some(piece) if piece.last() == Some(&a) => piece.push(b),
                _ => pieces.push(vec![a, b]),
            }
        }
        pieces
    }
}

/// Cuts a line into dashes of the given length and gap.
pub(super) fn dashes(points: &[Point], dash: f64, gap: f64) -> Vec<Vec<Point>> {
    let mut out: Vec<Vec<Point>> = Vec::new();
    let (mut on, mut left) = (true, dash);
    if let Some(first) = points.first() {
        out.push(vec![*first]);
    }
    for pair in points.windows(2) {
        let ((mut x, mut y), end) = (pair[0], pair[1]);
        loop {
            let rest = libm::hypot(end.0 - x, end.1 - y);
            if rest <= left {
                left -= rest;
                if let (true, Some(piece)) = (on, out.last_mut()) {
                    piece.push(end);
                }
                break;
            }
            let t = left / rest;
            (x, y) = (x + t * (end.0 - x), y + t * (end.1 - y));
            if on {
                out.last_mut().into_iter().for_each(|piece| piece.push((x, y)));
            } else {
                out.push(vec![(x, y)]);
            }
            on = !on;
            left = if on { dash } else { gap };
        }
    }
    out.retain(|piece| piece.len() > 1);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNIT: Area = Area { left: 0.0, top: 0.0, right: 1.0, bottom: 1.0 };

    #[test]
    fn a_line_is_cut_at_both_edges() {
        assert_eq!(UNIT.segment((-1.0, 0.5), (2.0, 0.5)), Some(((0.0, 0.5), (1.0, 0.5))));
        assert_eq!(UNIT.segment((-1.0, 2.0), (2.0, 2.0)), None);
    }

    #[test]
    fn a_line_that_leaves_and_returns_has_two_pieces() {
        let pieces = UNIT.polyline(&[(0.2, 0.5), (0.5, 0.5), (0.5, 2.0), (0.8, 2.0), (0.8, 0.5)]);
        assert_eq!(pieces, [vec![(0.2, 0.5), (0.5, 0.5), (0.5, 1.0)], vec![(0.8, 1.0), (0.8, 0.5)]]);
    }

    #[test]
    fn dashes_cover_their_share_of_the_line() {
        let pieces = dashes(&[(0.0, 0.0), (4.0, 0.0), (10.0, 0.0)], 1.0, 1.0);
        assert_eq!(pieces.len(), 5);
        let length: f64 = pieces.iter().map(|p| p[p.len() - 1].0 - p[0].0).sum();
        assert!((length - 5.0).abs() < 1e-12);
    }
}
