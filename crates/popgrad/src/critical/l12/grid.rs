//! The map of `L12` on a grid of angles that includes its ends: values, signs, and signs that are certain.

use super::L12Error;
use super::region::Region;
use super::row::{Row, Signs, Sink, Tables, Values};
use super::theta::ThetaPart;
use crate::Level;
use crate::arc_cosine::angular_c1;
use crate::eight::{EIGHT, Eight};
use crate::lanes::{Lanes, on_lanes};
use fearless_simd::Simd;
use std::f64::consts::PI;
use std::ops::Range;

/// Largest number of angles along an axis; products of two of them are exact doubles.
const MOST: usize = 4_000_000;
/// Rows that share a block of the tables.
const GROUP: usize = 16;
/// Columns of a block: three tables of it fill half of a first-level cache.
const BLOCK: usize = 768;

/// How signs are formed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SignForm {
    /// The sign of the computed value.
    Plain,
    /// The sign of the exact value: where a bound on the rounding error does not separate the computed value from zero,
    /// the point is evaluated again with relative accuracy.
    Certified,
}

/// `L12` on the grid of `thetas x phis` angles, ends included.
///
/// ```text
/// theta_i = pi i / (thetas - 1),   phi_m = 2 pi m / (phis - 1),   i, m = 0, 1, ...
/// ```
///
/// The angles are these fractions of pi, not doubles, so that the zeros on `phi = 0`, `phi = 2 pi` and `phi = theta` are
/// known from whole numbers and are printed as 0. On the rows `theta = 0` and `theta = pi` all of `L12` vanishes.
///
/// Source: Tian (2017), Fig. 10 (c); docs/theory/normal_equation.md, (N.26)-(N.30).
///
/// ```
/// use popgrad::{L12Map, SignForm};
/// let map = L12Map::try_new(5, 9)?; // theta = pi/4 is row 1, phi = pi/4 is column 1
/// let mut signs = vec![0; 5 * 9];
/// map.signs_into(0..5, SignForm::Certified, &mut signs)?;
/// assert_eq!(signs[18..27], [0, 1, 0, -1, -1, -1, -1, -1, 0]);
/// # Ok::<(), popgrad::L12Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct L12Map {
    thetas: usize,
    phis: usize,
    lanes: Lanes,
    tables: Tables,
}

/// The sine of `pi k / n`, `2 k <= n` or not, from the smaller of the angle and its supplement.
fn sine_of(k: usize, n: usize) -> f64 {
    libm::sin(share(k.min(n - k), n))
}

/// `pi k / n`.
fn share(k: usize, n: usize) -> f64 {
    PI * k as f64 / n as f64
}

impl Tables {
    fn new(phis: usize) -> Self {
        let n = phis - 1;
        // Each column's entries, in units of pi / n.
        let entries = |m: usize| {
            let beyond = 2 * m > n;
            let k = if beyond { 2 * m - n } else { 2 * m };
            let angle = share(k, n);
            let cosine = if 2 * k > n { -libm::cos(share(n - k, n)) } else { libm::cos(angle) };
            let back = if beyond { share(n - k, n) } else { 0.0 };
            [angle, sine_of(k, n), cosine, angular_c1(angle), back, angular_c1(back)]
        };
        let mut tables = [const { Vec::new() }; 6];
        for start in (0..phis).step_by(EIGHT) {
            let mut eights = [Eight::default(); 6];
            for m in start..phis.min(start + EIGHT) {
                for (eight, x) in eights.iter_mut().zip(entries(m)) {
                    eight.0[m - start] = x;
                }
            }
            tables.iter_mut().zip(eights).for_each(|(table, eight)| table.push(eight));
        }
        let [angle, sine, cosine, c1, back, back_c1] = tables;
        Self { angle, sine, cosine, c1, back, back_c1 }
    }
}

impl L12Map {
    /// The grid of `thetas x phis` angles, each number at least 2.
    ///
    /// # Errors
    ///
    /// [`L12Error::Grid`].
    pub fn try_new(thetas: usize, phis: usize) -> Result<Self, L12Error> {
        // Positions along the axes are compared in units of pi / 4 (thetas - 1)(phis - 1).
        let counted = thetas.checked_mul(phis).and_then(|n| n.checked_mul(4)).is_some();
        if !(2..=MOST).contains(&thetas) || !(2..=MOST).contains(&phis) || !counted {
            return Err(L12Error::Grid { thetas, phis, most: MOST });
        }
        Ok(Self { thetas, phis, lanes: Lanes::detect(), tables: Tables::new(phis) })
    }

    /// Forces a SIMD level; the default is the fastest one. All levels give the same bits.
    ///
    /// # Errors
    ///
    /// [`L12Error::Level`] if the machine lacks it.
    pub fn with_level(mut self, level: Level) -> Result<Self, L12Error> {
        self.lanes =
            Lanes::new(level).ok_or_else(|| L12Error::Level { level, available: Level::available() })?;
        Ok(self)
    }

    /// Number of angles theta, the rows.
    pub fn thetas(&self) -> usize {
        self.thetas
    }

    /// Number of angles phi, the columns.
    pub fn phis(&self) -> usize {
        self.phis
    }

    /// `theta_i`, rounded.
    pub fn theta(&self, i: usize) -> f64 {
        share(i, self.thetas - 1)
    }

    /// `phi_m`, rounded.
    pub fn phi(&self, m: usize) -> f64 {
        share(2 * m, self.phis - 1)
    }

    /// The sign that Conjecture 1 says `L12` has: 1 inside the cone of the students, -1 outside, 0 on its rays and on
    /// the rows where everything vanishes.
    pub fn conjectured_sign(&self, i: usize, m: usize) -> i8 {
        let (r, n) = (self.thetas - 1, self.phis - 1);
        let (phi, theta) = (2 * m * r, i * n);
        if i == 0 || i >= r || m == 0 || m >= n || phi == theta { 0 } else { 1 - 2 * i8::from(phi > theta) }
    }

    /// `L12` at one point of the grid, evaluated with relative accuracy; the vectors of a row are faster.
    ///
    /// Source: docs/theory/normal_equation.md, (N.19)-(N.22).
    ///
    /// - Domain: `i < thetas`, `m < phis`; exactly 0 where [`L12Map::conjectured_sign`] is.
    /// - Accuracy (measured, against 150 digits): relative error at most `12 EPSILON` of the value at the exact fractions
    ///   of pi.
    ///
    /// # Errors
    ///
    /// [`L12Error::Outside`].
    ///
    /// # Examples
    ///
    /// ```
    /// let map = popgrad::L12Map::try_new(1001, 65)?;
    /// let value = map.value(1, 1)?; // theta = pi/1000, phi = pi/32
    /// assert!((value / -6.339046494641504e-7 - 1.0).abs() < 1e-14);
    /// # Ok::<(), popgrad::L12Error>(())
    /// ```
    pub fn value(&self, i: usize, m: usize) -> Result<f64, L12Error> {
        let (thetas, phis) = (self.thetas, self.phis);
        if i >= thetas || m >= phis {
            return Err(L12Error::Outside { row: i, column: m, thetas, phis });
        }
        if self.conjectured_sign(i, m) == 0 {
            return Ok(0.0);
        }
        let t = self.theta_part(i);
        Ok(t.scale() * self.region(i, m).numerator(&t))
    }

    fn theta_part(&self, i: usize) -> ThetaPart {
        let r = self.thetas - 1;
        ThetaPart::new(share(i, r), share(r - i, r))
    }

    /// The region of a point, its distances from whole numbers.
    fn region(&self, i: usize, m: usize) -> Region {
        let (r, n) = (self.thetas - 1, self.phis - 1);
        let unit = |k: usize| share(k, r * n);
        let (theta, phi) = (i * n, 2 * m * r);
        if phi <= theta {
            Region::Inside { x: unit(phi), rest: unit(theta - phi) }
        } else if 2 * m <= n {
            Region::Ahead { y: unit(phi - theta), far: unit(theta + r * n - phi) }
        } else if phi - r * n <= theta {
            Region::Opposite { x: unit(phi - r * n), rest: unit(theta + r * n - phi) }
        } else {
            Region::Behind { psi: unit(2 * r * n - phi), far: unit(phi - r * n) }
        }
    }

    /// Values of whole rows, one after the other.
    ///
    /// Source: docs/theory/normal_equation.md, (N.26)-(N.29).
    ///
    /// - Shapes: `out` holds `rows.len() * phis` numbers; large maps are written in pieces into one buffer.
    /// - Accuracy (measured, against [`L12Map::value`]): absolute error at most `12 EPSILON`; the sign is right on every
    ///   grid up to 10^4 x 2 10^4.
    ///
    /// # Errors
    ///
    /// [`L12Error::Outside`], [`L12Error::Buffer`].
    ///
    /// # Examples
    ///
    /// ```
    /// let map = popgrad::L12Map::try_new(9, 17)?;
    /// let mut row = vec![0.0; 17];
    /// map.values_into(2..3, &mut row)?;
    /// assert!(row[1] > 0.0 && row[2] == 0.0 && row[3] < 0.0); // phi = theta = pi/4 is column 2
    /// # Ok::<(), popgrad::L12Error>(())
    /// ```
    pub fn values_into(&self, rows: Range<usize>, out: &mut [f64]) -> Result<(), L12Error> {
        self.check(&rows, out.len())?;
        for (start, group) in rows.step_by(GROUP).zip(out.chunks_mut(GROUP * self.phis)) {
            let scale = |t: &ThetaPart| Values { scale: t.scale() };
            self.group(start, scale, group);
            for (i, row) in (start..).zip(group.chunks_exact_mut(self.phis)) {
                self.zeros(i).for_each(|m| row[m] = 0.0);
                if self.is_closed(i) {
                    row.fill(0.0);
                }
            }
        }
        Ok(())
    }

    /// Signs of whole rows, 1, 0 or -1, one after the other; returns how many points were evaluated again.
    ///
    /// Source: docs/theory/normal_equation.md, (N.26)-(N.30).
    ///
    /// - Shapes: `out` holds `rows.len() * phis` signs.
    /// - Accuracy: a [certified](SignForm::Certified) sign is that of the exact value; the bound on the rounding error is
    ///   derived from bounds on the elementary functions of one unit in the last place. A plain sign is the computed
    ///   value's (measured: no false one on any grid up to 10^4 x 2 10^4).
    ///
    /// # Errors
    ///
    /// [`L12Error::Outside`], [`L12Error::Buffer`].
    ///
    /// # Examples
    ///
    /// ```
    /// use popgrad::{L12Map, SignForm};
    /// let map = L12Map::try_new(100, 200)?;
    /// let mut signs = vec![0; 200];
    /// map.signs_into(50..51, SignForm::Plain, &mut signs)?;
    /// assert!((0..200).all(|m| signs[m] == map.conjectured_sign(50, m)));
    /// # Ok::<(), popgrad::L12Error>(())
    /// ```
    pub fn signs_into(&self, rows: Range<usize>, form: SignForm, out: &mut [i8]) -> Result<usize, L12Error> {
        self.check(&rows, out.len())?;
        let mut again = 0;
        for (start, group) in rows.step_by(GROUP).zip(out.chunks_mut(GROUP * self.phis)) {
            self.group(start, |_| Signs::new(form == SignForm::Certified), group);
            for (i, row) in (start..).zip(group.chunks_exact_mut(self.phis)) {
                if self.is_closed(i) {
                    row.fill(0);
                    continue;
                }
                if form == SignForm::Certified {
                    again += self.settle(i, row);
                }
                self.zeros(i).for_each(|m| row[m] = 0);
            }
        }
        Ok(again)
    }

    /// Whether `L12` vanishes on the whole row.
    fn is_closed(&self, i: usize) -> bool {
        i == 0 || i == self.thetas - 1
    }

    /// Evaluates a group of rows block by block, so that a block of the tables serves all rows while it is in the cache.
    fn group<K: Sink>(&self, start: usize, sink: impl Fn(&ThetaPart) -> K, out: &mut [K::Entry]) {
        let rows = start..start + out.len() / self.phis;
        let mut forms: Vec<(Row, K)> = rows
            .map(|i| {
                let t = self.theta_part(i);
                (Row::new(&t, self.borders(i)), sink(&t))
            })
            .collect();
        on_lanes!(self.lanes, simd => self.blocks(simd, &mut forms, out));
    }

    #[inline(always)]
    fn blocks<S: Simd, K: Sink>(&self, simd: S, forms: &mut [(Row, K)], out: &mut [K::Entry]) {
        for first in (0..self.phis).step_by(BLOCK) {
            let block = first..self.phis.min(first + BLOCK);
            for ((form, sink), row) in forms.iter_mut().zip(out.chunks_exact_mut(self.phis)) {
                form.evaluate(simd, &self.tables, &block, (sink, row));
            }
        }
    }

    /// Settles the entries of a row that the bound left at 0 by the form of relative accuracy; returns how many.
    fn settle(&self, i: usize, row: &mut [i8]) -> usize {
        // The exact zeros are always under the bound.
        if on_lanes!(self.lanes, _simd => count_of(row, 0)) <= self.zeros(i).count() as u64 {
            return 0;
        }
        let t = self.theta_part(i);
        let mut count = 0;
        let doubtful = |m: usize, sign: i8| sign == 0 && self.conjectured_sign(i, m) != 0;
        for (m, sign) in row.iter_mut().enumerate().filter(|(m, s)| doubtful(*m, **s)) {
            let f = self.region(i, m).numerator(&t);
            *sign = i8::from(f > 0.0) - i8::from(f < 0.0);
            count += 1;
        }
        count
    }

    fn check(&self, rows: &Range<usize>, got: usize) -> Result<(), L12Error> {
        let (thetas, phis) = (self.thetas, self.phis);
        if rows.end > thetas || rows.start > rows.end {
            return Err(L12Error::Outside { row: rows.end.max(rows.start), column: 0, thetas, phis });
        }
        if got != rows.len() * phis {
            return Err(L12Error::Buffer { got, rows: rows.len(), phis });
        }
        Ok(())
    }

    /// Columns on which `F` vanishes.
    fn zeros(&self, i: usize) -> impl Iterator<Item = usize> + use<> {
        let (r, n) = (self.thetas - 1, self.phis - 1);
        let theta = (i * n).div_ceil(2 * r);
        [0, n].into_iter().chain((2 * theta * r == i * n).then_some(theta))
    }

    /// The first columns beyond half of theta, not below theta, beyond pi, beyond pi + theta, and the end.
    fn borders(&self, i: usize) -> [usize; 5] {
        let (r, n) = (self.thetas - 1, self.phis - 1);
        let opposite = ((i * n + n * r) / (2 * r) + 1).min(n + 1);
        [(i * n).div_ceil(4 * r), (i * n).div_ceil(2 * r), n / 2 + 1, opposite, n + 1]
    }

    /// How many entries of a row are not `sign`.
    pub(super) fn others(&self, row: &[i8], sign: i8) -> u64 {
        row.len() as u64 - on_lanes!(self.lanes, _simd => count_of(row, sign))
    }
}

/// How many signs are `sign`.
#[inline(always)]
fn count_of(signs: &[i8], sign: i8) -> u64 {
    let count = |part: &[i8]| part.iter().map(|s| u8::from(*s == sign)).sum::<u8>();
    let (parts, rest) = signs.as_chunks::<128>();
    parts.iter().map(|part| u64::from(count(part))).sum::<u64>() + u64::from(count(rest))
}
