//! Two units in a box: their angle, and what loss, gradient and Hessian need of it.
//!
//! With unit vectors `e`, `f`, cosine `c` and the remainders `r = f - c e`, `q = e - c f`, both of length `sin theta`, the
//! second derivatives contain `sin theta n n^T = r r^T / |r|` and `sin theta n m^T = r q^T / |r|` ((V.4)). A component of
//! `q / |r|` lies in `[-1, 1]` whatever the angle, so these products shrink with `r` where the units become parallel.

use crate::Interval;

/// A unit that cannot vanish inside its box.
#[derive(Clone, Debug)]
pub(super) struct Unit {
    pub(super) vector: Vec<Interval>,
    pub(super) norm: Interval,
    direction: Vec<Interval>,
}

const SIGNED: Interval = Interval::SIGNED_UNIT;

impl Unit {
    /// None if the box contains zero.
    pub(super) fn new(vector: &[Interval]) -> Option<Self> {
        let norm = Interval::sum(vector.iter().map(|x| x.square())).sqrt();
        if !norm.is_certainly_positive() || !norm.is_bounded() {
            return None;
        }
        let direction = vector.iter().map(|x| (*x / norm).intersection(SIGNED)).collect();
        Some(Self { vector: vector.to_vec(), norm, direction })
    }
}

/// The geometry of two units.
pub(super) struct Pair {
    /// `f - c e`.
    rest: Vec<Interval>,
    /// `(e - c f) / sin theta`, each component in `[-1, 1]`.
    other_rest: Vec<Interval>,
    /// `(f - c e) / sin theta`, each component in `[-1, 1]`.
    normal: Vec<Interval>,
    sine: Interval,
    cosine: Interval,
    /// `pi - theta`.
    supplement: Interval,
}

fn remainder(of: &[Interval], along: &[Interval], cosine: Interval) -> Vec<Interval> {
    of.iter().zip(along).map(|(f, e)| *f - cosine * *e).collect()
}

fn length(x: &[Interval]) -> Interval {
    Interval::sum(x.iter().map(|x| x.square())).sqrt()
}

impl Pair {
    pub(super) fn new(own: &Unit, other: &Unit) -> Self {
        let (e, f) = (&own.direction, &other.direction);
        let cosine = Interval::sum(e.iter().zip(f).map(|(e, f)| *e * *f)).intersection(SIGNED);
        let (rest, back) = (remainder(f, e, cosine), remainder(e, f, cosine));
        // Three ways to the same sine; each is narrow somewhere.
        let sine = length(&rest)
            .intersection(length(&back))
            .intersection(((Interval::ONE - cosine) * (Interval::ONE + cosine)).sqrt())
            .intersection(Interval::UNIT);
        let over_sine =
            |x: &Interval| if sine.lo() > 0.0 { (*x / sine).intersection(SIGNED) } else { SIGNED };
        let normal = rest.iter().map(over_sine).collect();
        let other_rest = back.iter().map(over_sine).collect();
        let supplement = Interval::atan2(sine, -cosine).intersection(Interval::ZERO.hull(Interval::PI));
        Self { rest, other_rest, normal, sine, cosine, supplement }
    }

    /// `k(u, v) = |u| |v| (psi cos theta + sin theta) / (2 pi)`.
    pub(super) fn kernel(&self, u: &Unit, v: &Unit) -> Interval {
        u.norm * v.norm * (self.supplement * self.cosine + self.sine) / (Interval::PI * 2.0)
    }

    /// Adds `factor F(own, other) = factor (psi other + |other| sin theta e) / (2 pi)`.
    pub(super) fn add_gating(&self, own: &Unit, other: &Unit, factor: Interval, out: &mut [Interval]) {
        let scale = factor / (Interval::PI * 2.0);
        let (along, across) = (scale * self.sine * other.norm, scale * self.supplement);
        for ((out, e), w) in out.iter_mut().zip(&own.direction).zip(&other.vector) {
            *out = *out + along * *e + across * *w;
        }
    }

    /// An entry of `factor H1`, the second derivative of `k` in its first argument; `scale` is [`Pair::own_scale`].
    pub(super) fn own_entry(&self, own: &Unit, i: usize, l: usize, scale: Interval) -> Interval {
        let identity = if i == l { Interval::ONE } else { Interval::ZERO };
        let across = (identity - own.direction[i] * own.direction[l]) * self.sine;
        scale * (across + self.rest[i] * self.normal[l])
    }

    /// `factor |other| / (2 pi |own|)`.
    pub(super) fn own_scale(own: &Unit, other: &Unit, factor: Interval) -> Interval {
        factor * other.norm / (Interval::PI * 2.0 * own.norm)
    }

    /// An entry of `H2`, the mixed second derivative of `k`, row index `own`.
    pub(super) fn cross_entry(&self, own: &Unit, other: &Unit, i: usize, l: usize) -> Interval {
        let identity = if i == l { self.supplement } else { Interval::ZERO };
        let along = self.sine * own.direction[i] * other.direction[l];
        (identity + self.rest[i] * self.other_rest[l] + along) / (Interval::PI * 2.0)
    }
}
