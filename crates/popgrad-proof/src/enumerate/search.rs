//! Branch and prune on `f1 = f2 = 0` over `theta` and `u`.
//!
//! A box is excluded if one equation has no zero on it, by its values or by the mean-value form, or if Krawczyk's operator on a
//! slightly larger box maps away from it. If the operator maps the larger box into its own inside, that box holds exactly one
//! root. Otherwise the box is cut in two. The larger box is what finds a root on the common edge of two boxes. The boxes
//! that are not cut any more tile the rectangle; with what was found out about each they are the certificate.

use super::small_angle::excluded_up_to;
use super::system::{Jet, System};
use crate::Interval;

/// The rectangle reaches beyond `[0, pi] x [0, 1]`, so that roots on its edges are inside.
pub(super) const MARGIN: f64 = 1.0 / 64.0;
/// Boxes narrower than this stay undecided.
const NARROWEST: f64 = 1e-9;
/// Boxes beyond this number stay undecided.
const MOST_EVALUATIONS: usize = 1_000_000;
/// Krawczyk's operator is tried on a box that is larger by this share on each side.
const LARGER: f64 = 1.0 / 16.0;

/// A box of the unknowns.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cell {
    pub(super) theta: Interval,
    pub(super) u: Interval,
}

/// A certified root: it lies in a narrow cell, and is the only one in a larger cell.
#[derive(Clone, Copy, Debug)]
pub(super) struct Root {
    pub(super) place: Cell,
    unique: Cell,
}

impl Cell {
    fn encloses(&self, other: &Self) -> bool {
        self.theta.encloses(other.theta) && self.u.encloses(other.u)
    }

    /// None if the two have no point in common.
    fn intersection(&self, other: &Self) -> Option<Self> {
        let both = Self { theta: self.theta.intersection(other.theta), u: self.u.intersection(other.u) };
        (!both.theta.is_empty() && !both.u.is_empty()).then_some(both)
    }

    pub(super) fn larger(&self) -> Self {
        let grown = |x: Interval| x + Interval::ball(0.0, LARGER * x.width() + f64::EPSILON);
        Self { theta: grown(self.theta), u: grown(self.u) }
    }

    fn width(&self) -> f64 {
        self.theta.width().max(self.u.width())
    }
}

/// How a box that is not cut any more was dealt with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It lies beyond the rectangle.
    Beyond,
    /// One of the two equations has no zero on it.
    Value(usize),
    /// The mean-value form of one of the equations has none.
    MeanValue(usize),
    /// Krawczyk's operator on the larger box maps away from it.
    Krawczyk,
    /// The larger box holds exactly one root.
    Root,
}

/// The state of a search.
#[derive(Debug)]
pub(super) struct Search {
    system: System,
    open: Vec<Cell>,
    roots: Vec<Root>,
    leaves: Vec<(Cell, Fate)>,
    undecided: usize,
    evaluations: usize,
    first_angle: f64,
}

/// What became of a box.
enum Verdict {
    Excluded(Fate),
    Root(Root),
    Open,
}

impl Search {
    pub(super) fn new(system: System) -> Self {
        let first_angle = excluded_up_to(&system);
        let theta = Interval::new(first_angle, Interval::PI.hi() + MARGIN);
        let u = Interval::new(-MARGIN, 1.0 + MARGIN);
        let open = theta.zip(u).map(|(theta, u)| Cell { theta, u }).into_iter().collect();
        Self {
            system,
            open,
            roots: Vec::new(),
            leaves: Vec::new(),
            undecided: 0,
            evaluations: 0,
            first_angle,
        }
    }

    pub(super) fn is_done(&self) -> bool {
        self.open.is_empty()
    }

    pub(super) fn roots(&self) -> &[Root] {
        &self.roots
    }

    /// The boxes that tile the rectangle, with what was found out about each.
    pub(super) fn leaves(&self) -> &[(Cell, Fate)] {
        &self.leaves
    }

    pub(super) fn undecided(&self) -> usize {
        self.undecided
    }

    pub(super) fn evaluations(&self) -> usize {
        self.evaluations
    }

    pub(super) fn first_angle(&self) -> f64 {
        self.first_angle
    }

    /// Evaluates at most `budget` boxes.
    pub(super) fn advance(&mut self, budget: usize) {
        for _ in 0..budget {
            let Some(next) = self.open.pop() else { return };
            if self.evaluations >= MOST_EVALUATIONS {
                self.undecided += 1;
                continue;
            }
            self.evaluations += 1;
            match self.judge(next) {
                Verdict::Excluded(fate) => self.leaves.push((next, fate)),
                Verdict::Root(root) => {
                    self.leaves.push((next, Fate::Root));
                    self.add(root);
                }
                Verdict::Open if next.width() < NARROWEST => self.undecided += 1,
                Verdict::Open => self.open.extend(halves(next)),
            }
        }
    }

    /// A root may be found from more than one box: it is the same one if it lies where another is the only one.
    fn add(&mut self, root: Root) {
        if !self.roots.iter().any(|r| r.unique.encloses(&root.place)) {
            self.roots.push(root);
        }
    }

    fn judge(&self, b: Cell) -> Verdict {
        // Beyond the edges lie the same points with the students exchanged, or points without a teacher in the cone.
        if b.theta.lo() > Interval::PI.hi() || b.u.hi() < 0.0 || b.u.lo() > 1.0 {
            return Verdict::Excluded(Fate::Beyond);
        }
        let over = self.system.equations(b.theta, b.u);
        if let Some(n) = over.iter().position(|f| !f.value.contains(0.0)) {
            return Verdict::Excluded(Fate::Value(n));
        }
        let center = Center::of(&self.system, b);
        let mut pairs = over.iter().zip(&center.values);
        if let Some(n) = pairs.position(|(f, at)| !mean_value(f, *at, &center, b).contains(0.0)) {
            return Verdict::Excluded(Fate::MeanValue(n));
        }
        let larger = b.larger();
        let Some(image) = center.krawczyk(&self.system.equations(larger.theta, larger.u), larger) else {
            return Verdict::Open;
        };
        if image.intersection(&b).is_none() {
            return Verdict::Excluded(Fate::Krawczyk);
        }
        let inside = |x: Interval, y: Interval| y.lo() < x.lo() && x.hi() < y.hi();
        if inside(image.theta, larger.theta) && inside(image.u, larger.u) {
            return Verdict::Root(Root { place: self.refined(image), unique: larger });
        }
        Verdict::Open
    }

    /// The operator's images of a cell with a root, until they no longer shrink.
    fn refined(&self, mut b: Cell) -> Cell {
        for _ in 0..60 {
            let over = self.system.equations(b.theta, b.u);
            let image = Center::of(&self.system, b).krawczyk(&over, b);
            let Some(next) = image.and_then(|image| image.intersection(&b)) else { return b };
            let done = next.theta.width() > 0.9 * b.theta.width() && next.u.width() > 0.9 * b.u.width();
            b = next;
            if done {
                break;
            }
        }
        b
    }
}

/// Cuts the wider side; `theta` counts a third.
fn halves(b: Cell) -> [Cell; 2] {
    let cut = |x: Interval| {
        let m = Interval::point(x.middle());
        [Interval::point(x.lo()).hull(m), m.hull(Interval::point(x.hi()))]
    };
    if b.theta.width() > 3.0 * b.u.width() {
        cut(b.theta).map(|theta| Cell { theta, ..b })
    } else {
        cut(b.u).map(|u| Cell { u, ..b })
    }
}

/// The middle of a box and the equations there.
struct Center {
    theta: f64,
    u: f64,
    values: [Interval; 2],
}

fn mean_value(over: &Jet, at: Interval, center: &Center, b: Cell) -> Interval {
    at + over.by_theta * (b.theta - center.theta) + over.by_u * (b.u - center.u)
}

impl Center {
    fn of(system: &System, b: Cell) -> Self {
        let (theta, u) = (b.theta.middle(), b.u.middle());
        let values = system.equations(Interval::point(theta), Interval::point(u)).map(|f| f.value);
        Self { theta, u, values }
    }

    /// `c - C f(c) + (I - C J)(X - c)` with `C` near the inverse of the middle of `J`; none if that is singular.
    fn krawczyk(&self, over: &[Jet; 2], b: Cell) -> Option<Cell> {
        let [a, d] = [over[0].by_theta.middle(), over[0].by_u.middle()];
        let [c, e] = [over[1].by_theta.middle(), over[1].by_u.middle()];
        let det = a * e - d * c;
        let inverse = [[e / det, -d / det], [-c / det, a / det]];
        if inverse.iter().flatten().any(|x| !x.is_finite()) {
            return None;
        }
        let (x, y) = (b.theta - self.theta, b.u - self.u);
        let row = |n: usize, own: f64| {
            let [p, q] = inverse[n];
            let first = over[0].by_theta * p + over[1].by_theta * q;
            let second = over[0].by_u * p + over[1].by_u * q;
            let identity = |m: usize| if m == n { Interval::ONE } else { Interval::ZERO };
            let newton = Interval::point(own) - (self.values[0] * p + self.values[1] * q);
            newton + (identity(0) - first) * x + (identity(1) - second) * y
        };
        Some(Cell { theta: row(0, self.theta), u: row(1, self.u) })
    }
}
