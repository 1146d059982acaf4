//! One row of the map, eight angles phi at a time: `F` from a table of sines and cosines, without any arc cosine.
//!
//! A row is cut where the formula changes; near each zero of `F` the form is used whose terms vanish there
//! (docs/theory/normal_equation.md, (N.26)-(N.30)).

use super::theta::ThetaPart;
use crate::arc_cosine::angular_c1;
use crate::eight::{EIGHT, Eight};
use fearless_simd::{Simd, SimdBase, SimdFloat, SimdMask, f64x8};
use std::f64::consts::PI;
use std::ops::Range;

/// What the angles phi of a grid contribute: `phi` up to pi, `phi - pi` beyond; whole vectors, the last filled with zeros.
#[derive(Clone, Debug)]
pub(super) struct Tables {
    pub(super) angle: Vec<Eight>,
    pub(super) sine: Vec<Eight>,
    pub(super) cosine: Vec<Eight>,
    /// `c1` of the angle.
    pub(super) c1: Vec<Eight>,
    /// `2 pi - phi` beyond pi.
    pub(super) back: Vec<Eight>,
    /// `c1` of that.
    pub(super) back_c1: Vec<Eight>,
}

/// Rounding errors of a form in units of EPSILON times the size of its terms; derived at (N.30).
const ROUNDINGS: f64 = 96.0;

/// One formula for `F` over a stretch of a row, with a bound on its rounding error there.
pub(super) trait Form {
    /// The three tables that it reads.
    fn tables<'t>(&self, tables: &'t Tables) -> [&'t [Eight]; 3];
    /// Eight values.
    fn eight<S: Simd>(&self, simd: S, read: [f64x8<S>; 3]) -> f64x8<S>;
    /// A bound on the error of each value of the stretch.
    fn error(&self) -> f64;
}

/// `sine (constant - slope angle) + bent c1(angle)`: next to the first student, where `F` vanishes with the angle; the
/// angle is phi inside the cone, (N.26), and `2 pi - phi` behind it, (N.29).
pub(super) struct NextToFirst {
    constant: f64,
    slope: f64,
    bent: f64,
    behind: bool,
    error: f64,
}

impl NextToFirst {
    /// For `0 <= phi <= theta/2`.
    pub(super) fn inside(t: &ThetaPart) -> Self {
        let (constant, slope) = (PI * t.e, t.det + PI * t.eta * t.sine);
        let half = 0.5 * t.theta;
        let kappa_size = PI * t.cosine.abs() + t.h;
        let size = half * (PI * t.e_size + half * slope) + t.eta * kappa_size * angular_c1(half);
        Self { constant, slope, bent: t.eta * t.kappa, behind: false, error: ROUNDINGS * f64::EPSILON * size }
    }

    /// For `pi + theta <= phi <= 2 pi`.
    pub(super) fn behind(t: &ThetaPart) -> Self {
        let bent = t.eta * t.k;
        let size = PI * t.e_size + t.p * t.behind + bent * angular_c1(t.p);
        let error = ROUNDINGS * f64::EPSILON * size;
        Self { constant: -PI * t.e, slope: -t.behind, bent, behind: true, error }
    }
}

impl Form for NextToFirst {
    fn tables<'t>(&self, tables: &'t Tables) -> [&'t [Eight]; 3] {
        if self.behind {
            [&tables.back, &tables.sine, &tables.back_c1]
        } else {
            [&tables.angle, &tables.sine, &tables.c1]
        }
    }

    #[inline(always)]
    fn eight<S: Simd>(&self, simd: S, [angle, sine, c1]: [f64x8<S>; 3]) -> f64x8<S> {
        let line = f64x8::splat(simd, -self.slope).mul_add_precise(angle, f64x8::splat(simd, self.constant));
        line.mul_add_precise(sine, f64x8::splat(simd, self.bent) * c1)
    }

    fn error(&self) -> f64 {
        self.error
    }
}

/// `sine (s0 + s1 y) + cosine (c0 + c1 y)` with `y = angle - origin`: about the second student, (N.27), and between the
/// opposites, (N.28).
pub(super) struct Turned {
    origin: f64,
    of_sine: (f64, f64),
    of_cosine: (f64, f64),
    error: f64,
}

impl Turned {
    /// For `theta/2 <= phi <= theta`.
    pub(super) fn inside(t: &ThetaPart) -> Self {
        let bent = t.sine * (t.det + t.p * (PI + t.h * t.cosine));
        Self::about_second(t, bent, (t.theta, 0.5 * t.theta))
    }

    /// For `theta <= phi <= pi`.
    pub(super) fn ahead(t: &ThetaPart) -> Self {
        Self::about_second(t, t.sine * t.s, (PI, t.p))
    }

    /// `F = -sin(y) (Delta + B y) + bent c1(y)`; `reach` bounds what the errors of angle and sine are relative to, `most`
    /// is the largest distance from the second student.
    fn about_second(t: &ThetaPart, bent: f64, (reach, most): (f64, f64)) -> Self {
        let size = reach * (t.delta + most * t.ahead_size + bent);
        let (s, c, level) = (t.sine, t.cosine, bent - t.delta);
        Self {
            origin: t.theta,
            of_sine: (level * c, -t.ahead * c - bent * s),
            of_cosine: (-level * s, t.ahead * s - bent * c),
            error: ROUNDINGS * f64::EPSILON * size,
        }
    }

    /// For `pi <= phi <= pi + theta`; the angle is `x = phi - pi`:
    /// `-F = D x sin x - eta h c1(x) + pi eta c1(theta - x)`.
    pub(super) fn opposite(t: &ThetaPart) -> Self {
        let (first, second) = (t.eta * t.h, PI * t.eta);
        let size = t.theta * (t.theta * t.det + second) + first * angular_c1(t.theta);
        let (s, c) = (t.sine, t.cosine);
        // With y = x - theta: c1(theta - x) = y cos y - sin y, and x = y + theta.
        Self {
            origin: t.theta,
            of_sine: (first + second * c - t.theta * t.det, -t.det - second * s),
            of_cosine: (-t.theta * first - second * s, -first - second * c),
            error: ROUNDINGS * f64::EPSILON * size,
        }
    }
}

impl Form for Turned {
    fn tables<'t>(&self, tables: &'t Tables) -> [&'t [Eight]; 3] {
        [&tables.angle, &tables.sine, &tables.cosine]
    }

    #[inline(always)]
    fn eight<S: Simd>(&self, simd: S, [angle, sine, cosine]: [f64x8<S>; 3]) -> f64x8<S> {
        let y = angle - f64x8::splat(simd, self.origin);
        let line = |(level, slope): (f64, f64)| {
            f64x8::splat(simd, slope).mul_add_precise(y, f64x8::splat(simd, level))
        };
        let (of_sine, of_cosine) = (line(self.of_sine), line(self.of_cosine));
        sine.mul_add_precise(of_sine, cosine * of_cosine)
    }

    fn error(&self) -> f64 {
        self.error
    }
}

/// What becomes of the values of a row.
pub(super) trait Sink {
    /// What is stored of a value.
    type Entry: Copy;
    /// Announces the error bound of the values to come.
    fn expect(&mut self, error: f64);
    /// What is stored of eight values.
    fn eight<S: Simd>(&mut self, simd: S, f: f64x8<S>) -> [Self::Entry; 8];
}

/// The formulas of a row, each with the columns where it holds.
pub(super) struct Row {
    next: [(Range<usize>, NextToFirst); 2],
    turned: [(Range<usize>, Turned); 3],
}

impl Row {
    /// Of the borders between the stretches: half of theta, theta, pi, pi + theta, the end.
    pub(super) fn new(t: &ThetaPart, [half, theta, pi, opposite, end]: [usize; 5]) -> Self {
        Self {
            next: [(0..half, NextToFirst::inside(t)), (opposite..end, NextToFirst::behind(t))],
            turned: [
                (half..theta, Turned::inside(t)),
                (theta..pi, Turned::ahead(t)),
                (pi..opposite, Turned::opposite(t)),
            ],
        }
    }

    /// Evaluates the columns of a block, which starts at a whole vector.
    #[inline(always)]
    pub(super) fn evaluate<S: Simd, K: Sink>(
        &self,
        simd: S,
        tables: &Tables,
        block: &Range<usize>,
        (sink, row): (&mut K, &mut [K::Entry]),
    ) {
        let within = |stretch: &Range<usize>| stretch.start.max(block.start)..stretch.end.min(block.end);
        for (stretch, form) in &self.next {
            sweep(simd, tables, within(stretch), form, (&mut *sink, &mut *row));
        }
        for (stretch, form) in &self.turned {
            sweep(simd, tables, within(stretch), form, (&mut *sink, &mut *row));
        }
    }
}

/// Evaluates a form over a stretch of a row, whole vectors of the tables at a time; of the first and the last vector only
/// the entries inside the stretch are kept.
#[inline(always)]
fn sweep<S: Simd, F: Form, K: Sink>(
    simd: S,
    tables: &Tables,
    stretch: Range<usize>,
    form: &F,
    (sink, row): (&mut K, &mut [K::Entry]),
) {
    if stretch.is_empty() {
        return;
    }
    sink.expect(form.error());
    let read = form.tables(tables);
    let (first, last) = (stretch.start.div_ceil(EIGHT), stretch.end / EIGHT);
    if first > last {
        edge(simd, read, stretch, form, (sink, row));
        return;
    }
    edge(simd, read, stretch.start..first * EIGHT, form, (&mut *sink, &mut *row));
    let [one, two, three] = read.map(|table| &table[first..last]);
    let cells = row[first * EIGHT..last * EIGHT].as_chunks_mut::<EIGHT>().0;
    for (((a, b), c), cells) in one.iter().zip(two).zip(three).zip(cells) {
        *cells = sink.eight(simd, form.eight(simd, [a.load(simd), b.load(simd), c.load(simd)]));
    }
    edge(simd, read, last * EIGHT..stretch.end, form, (sink, row));
}

/// A part of one vector.
#[inline(always)]
fn edge<S: Simd, F: Form, K: Sink>(
    simd: S,
    read: [&[Eight]; 3],
    part: Range<usize>,
    form: &F,
    (sink, row): (&mut K, &mut [K::Entry]),
) {
    if part.is_empty() {
        return;
    }
    let at = part.start / EIGHT;
    let [a, b, c] = read.map(|table| table[at]);
    let eight = sink.eight(simd, form.eight(simd, [a.load(simd), b.load(simd), c.load(simd)]));
    let offset = part.start - at * EIGHT;
    row[part.clone()].copy_from_slice(&eight[offset..offset + part.len()]);
}

/// Stores `scale * F`.
pub(super) struct Values {
    pub(super) scale: f64,
}

impl Sink for Values {
    type Entry = f64;

    fn expect(&mut self, _error: f64) {}

    #[inline(always)]
    fn eight<S: Simd>(&mut self, simd: S, f: f64x8<S>) -> [f64; 8] {
        (f * f64x8::splat(simd, self.scale)).to_array()
    }
}

/// Entry `b` has a one in the bytes whose bits are set in `b`.
static SPREAD: [u64; 256] = spread();

const fn spread() -> [u64; 256] {
    let mut out = [0; 256];
    let mut b = 0;
    while b < 256 {
        let mut i = 0;
        while i < 8 {
            out[b] |= ((b as u64 >> i) & 1) << (8 * i);
            i += 1;
        }
        b += 1;
    }
    out
}

/// Eight signs as bytes from the lanes above zero and those below.
#[inline(always)]
fn sign_bytes(above: u8, below: u8) -> [i8; 8] {
    let bytes = SPREAD[usize::from(above)] | (SPREAD[usize::from(below)] * 0xff);
    bytes.to_le_bytes().map(u8::cast_signed)
}

/// Stores the signs of `F`: 1 above the threshold, -1 below minus the threshold, otherwise 0. The threshold is the bound
/// on the rounding error where signs are certified, and 0 where they are not.
pub(super) struct Signs {
    pub(super) certified: bool,
    threshold: f64,
}

impl Signs {
    pub(super) fn new(certified: bool) -> Self {
        Self { certified, threshold: 0.0 }
    }
}

impl Sink for Signs {
    type Entry = i8;

    #[inline(always)]
    fn expect(&mut self, error: f64) {
        self.threshold = if self.certified { error } else { 0.0 };
    }

    #[inline(always)]
    #[allow(clippy::cast_possible_truncation)] // eight lanes are eight bits
    fn eight<S: Simd>(&mut self, simd: S, f: f64x8<S>) -> [i8; 8] {
        let threshold = f64x8::splat(simd, self.threshold);
        let above = f.simd_gt(threshold).to_bitmask() as u8;
        let below = f.simd_lt(-threshold).to_bitmask() as u8;
        sign_bytes(above, below)
    }
}
