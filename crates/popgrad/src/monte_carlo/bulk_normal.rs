//! Standard normal numbers by the hundred million: ChaCha8, then Box and Muller's transform, in vectors.
//!
//! The words are those of the ChaCha8 key stream, sixteen blocks at a time, one block a lane. Word `w` of blocks
//! `2l` and `2l + 1` makes the low and the high half of a 64-bit number in lane `l`: its high half the radius, its low
//! half the angle of a pair of normals for sample `l` (docs/theory/sampling.md, (M.11)-(M.14)). Only integer
//! operations, `+ - *`, square root and single-rounding fused multiply-adds in a fixed order are used, so the bits are
//! the same at every instruction set; they are promised (see [`crate::NUMERICS`]).
//!
//! Accuracy: 32 bits each for radius and angle, so sizes end at 6.76 and pairs lie on a grid; the three polynomials
//! stray by less than half of `2^-32`, relative to the radius. Beyond 6.76 the law has one number in 1e11.

use crate::eight::{EIGHT, Eight};
use crate::lanes::fused;
use fearless_simd::prelude::*;
use fearless_simd::{Simd, f64x8, u32x16, u64x8};
use std::f64::consts::{LN_2, SQRT_2};

/// Pairs of normal vectors in one superblock of sixteen ChaCha blocks.
pub(crate) const PAIRS: usize = 16;

/// `"expand 32-byte k"`, little-endian.
const CONSTANTS: [u32; 4] = [0x6170_7865, 0x3320_646e, 0x7962_2d32, 0x6b20_6574];
/// Block number within the superblock.
const BLOCK: [u32; 16] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];

/// Bits of `2^52`: or-ing an integer below `2^52` into them gives `2^52 +` that integer.
const MAGIC: u64 = 0x4330_0000_0000_0000;
/// `2^52`.
const TWO_52: f64 = 4_503_599_627_370_496.0;
/// Bits of `(1 + sqrt 2)/8 = 0.3018`. From there octaves split where the mantissa's top bit changes into halves of
/// equal ratio, so that halving steps of the exponent and at most one factor `sqrt 2` bring every number into
/// `[0.8536, 1.2071]`.
const REDUCE: u64 = 0x3fd3_504f_333f_9de6;

/// `-2 ln(1 + x) / x` for `1 + x` in `[0.8536, 1.2071]`: nine terms, interpolation at Chebyshev's points, relative
/// error below `5.9e-11`, a quarter of the grid of `2^-32`; eight terms would exceed the grid.
const LOG: [f64; 9] = [
    -1.9999999998909606,
    0.9999999997941259,
    -0.6666668120266414,
    0.5000003245134873,
    -0.39996974411344177,
    0.3332402396321577,
    -0.2877135975560894,
    0.2579744079583091,
    -0.18427092244440535,
];
/// `sin(c y) / y` in powers of `y^2`, `c = pi / 2^32`, `|y| <= 2^30`: five terms, relative error below `4.8e-12`.
const SINE: [f64; 5] = [
    7.314590396304149e-10,
    -6.522570516820912e-29,
    1.74489209049226e-48,
    -2.222564043834172e-68,
    1.6287521171476554e-88,
];
/// `cos(c y)` in powers of `y^2`: five terms, error below `4.8e-11`; four would exceed the grid.
const COSINE: [f64; 5] = [
    0.9999999999524894,
    -2.6751616127020317e-19,
    1.192746863496697e-38,
    -2.1268485111380147e-58,
    1.9977943788477223e-78,
];

/// A stream of normal vectors: number `stream` of `seed`, under the key of a use's tag.
#[derive(Clone, Debug)]
pub(crate) struct BulkNormal {
    cipher: Cipher,
    /// Index of the next superblock.
    next: u64,
    /// Normals made, of which the first `used` are spent.
    ready: Box<[Eight; NORMALS]>,
    used: usize,
}

/// Sixteen vectors of 64-bit numbers, one for each pair of normals.
type Words = [[u64; EIGHT]; PAIRS];
/// Pairs made side by side. One suffices: the processor overlaps one pair with the next, and more spill registers.
const CHAINS: usize = 1;
/// Normal vectors in one superblock.
const NORMALS: usize = 2 * PAIRS;

/// Key and nonce of a ChaCha8 stream.
#[derive(Clone, Copy, Debug)]
struct Cipher {
    key: [u32; 8],
    nonce: [u32; 2],
}

/// Low and high half.
fn halves(x: u64) -> [u32; 2] {
    [x, x >> 32].map(|h| u32::try_from(h & 0xffff_ffff).unwrap_or(0))
}

impl BulkNormal {
    pub(crate) fn new(seed: u64, tag: u8, stream: u64) -> Self {
        let mut key = [0; 8];
        for (word, four) in key.iter_mut().zip(crate::random::key(seed, tag).as_chunks::<4>().0) {
            *word = u32::from_le_bytes(*four);
        }
        Self {
            cipher: Cipher { key, nonce: halves(stream) },
            next: 0,
            ready: Box::new([Eight::default(); NORMALS]),
            used: NORMALS,
        }
    }

    /// Fills `out` with normals: entry `j` holds number `j` of eight samples. An odd last number uses up a pair.
    #[inline(always)]
    pub(crate) fn fill<S: Simd>(&mut self, simd: S, out: &mut [Eight]) {
        let (pairs, last) = out.as_chunks_mut::<2>();
        let mut rest = pairs.as_flattened_mut();
        while !rest.is_empty() {
            rest = if self.used < NORMALS {
                let count = rest.len().min(NORMALS - self.used);
                let (now, later) = rest.split_at_mut(count);
                now.copy_from_slice(&self.ready[self.used..self.used + count]);
                self.used += count;
                later
            } else if rest.len() < NORMALS {
                self.refill(simd);
                continue;
            } else {
                let (now, later) = rest.split_at_mut(NORMALS);
                self.cipher.normals(simd, self.next, now);
                self.next += 1;
                later
            };
        }
        if let Some(last) = last.first_mut() {
            if self.used == NORMALS {
                self.refill(simd);
            }
            *last = self.ready[self.used];
            self.used += 2;
        }
    }

    /// Keeps the normals of the next superblock at hand.
    #[inline(always)]
    fn refill<S: Simd>(&mut self, simd: S) {
        self.cipher.normals(simd, self.next, &mut *self.ready);
        self.next += 1;
        self.used = 0;
    }
}

impl Cipher {
    /// The normals of one superblock. A call of its own, so that each instruction set's code exists once.
    #[inline(never)]
    fn normals<S: Simd>(&self, simd: S, superblock: u64, out: &mut [Eight]) {
        simd.vectorize(
            #[inline(always)]
            || {
                let words = self.words(simd, superblock);
                let parts = words.as_chunks::<CHAINS>().0.iter().zip(out.as_chunks_mut::<{ 2 * CHAINS }>().0);
                for (words, normals) in parts {
                    let mut bits = [u64x8::splat(simd, 0); CHAINS];
                    for k in 0..CHAINS {
                        bits[k] = u64x8::simd_from(simd, words[k]);
                    }
                    normal_pairs(simd, &bits, normals);
                }
            },
        );
    }

    /// Sixteen consecutive blocks, one in each 32-bit lane.
    #[inline(always)]
    fn words<S: Simd>(&self, simd: S, superblock: u64) -> Words {
        let splat = |x: u32| u32x16::splat(simd, x);
        let counter = halves(superblock * 16);
        let mut start = [[splat(0); 4]; 4];
        for i in 0..4 {
            start[0][i] = splat(CONSTANTS[i]);
            start[1][i] = splat(self.key[i]);
            start[2][i] = splat(self.key[4 + i]);
        }
        // Sixteen blocks a superblock: lane numbers never carry out of the low word.
        start[3][0] = splat(counter[0]) + u32x16::simd_from(simd, BLOCK);
        start[3][1] = splat(counter[1]);
        start[3][2] = splat(self.nonce[0]);
        start[3][3] = splat(self.nonce[1]);
        let mut state = start;
        for _ in 0..4 {
            double_round(&mut state);
        }
        let mut out = [[0; EIGHT]; PAIRS];
        for i in 0..PAIRS {
            let word: u64x8<S> = (state[i / 4][i % 4] + start[i / 4][i % 4]).bitcast();
            out[i] = word.into();
        }
        out
    }
}

/// Two of the eight rounds: columns, then diagonals. The state is four rows of four words.
#[inline(always)]
fn double_round<S: Simd>([a, b, c, d]: &mut [[u32x16<S>; 4]; 4]) {
    quarter_rounds(a, b, c, d);
    let (mut b1, mut c1, mut d1) =
        ([b[1], b[2], b[3], b[0]], [c[2], c[3], c[0], c[1]], [d[3], d[0], d[1], d[2]]);
    quarter_rounds(a, &mut b1, &mut c1, &mut d1);
    *b = [b1[3], b1[0], b1[1], b1[2]];
    *c = [c1[2], c1[3], c1[0], c1[1]];
    *d = [d1[1], d1[2], d1[3], d1[0]];
}

/// Four quarter rounds, step by step side by side.
#[inline(always)]
fn quarter_rounds<S: Simd>(
    a: &mut [u32x16<S>; 4],
    b: &mut [u32x16<S>; 4],
    c: &mut [u32x16<S>; 4],
    d: &mut [u32x16<S>; 4],
) {
    half_step(a, b, d, 16);
    half_step(c, d, b, 12);
    half_step(a, b, d, 8);
    half_step(c, d, b, 7);
}

/// `sum += add; mixed = (mixed ^ sum) <<< by` on four words.
#[inline(always)]
fn half_step<S: Simd>(sum: &mut [u32x16<S>; 4], add: &[u32x16<S>; 4], mixed: &mut [u32x16<S>; 4], by: u32) {
    for k in 0..4 {
        sum[k] += add[k];
    }
    for k in 0..4 {
        let x = mixed[k] ^ sum[k];
        mixed[k] = (x << by) | (x >> (32 - by));
    }
}

/// Horner's rule with single-rounding steps, for several numbers side by side.
#[inline(always)]
fn polynomial<S: Simd, const N: usize>(simd: S, c: &[f64; N], x: &[f64x8<S>; CHAINS]) -> [f64x8<S>; CHAINS] {
    let mut sum = [f64x8::splat(simd, c[N - 1]); CHAINS];
    for i in (0..N - 1).rev() {
        for k in 0..CHAINS {
            sum[k] = fused(simd, sum[k], x[k], f64x8::splat(simd, c[i]));
        }
    }
    sum
}

/// Two normals of each lane from 64 bits: the radius from the high half; from the low half, top bit first, a sign of
/// both, an angle in `(-pi/4, pi/4)` by 30 bits, and whether sine and cosine change places. Several at once, step by step.
/// Plain loops: closures passed to library functions would be compiled without the instruction set.
#[inline(always)]
fn normal_pairs<S: Simd>(simd: S, bits: &[u64x8<S>; CHAINS], out: &mut [Eight]) {
    let word = |x: u64| u64x8::splat(simd, x);
    let zero = f64x8::splat(simd, 0.0);
    let squares = squared_radii(simd, bits);
    let (mut radius, mut y, mut yy) = ([zero; CHAINS], [zero; CHAINS], [zero; CHAINS]);
    for k in 0..CHAINS {
        let sign = (bits[k] << 32) & word(1 << 63);
        radius[k] = (squares[k].sqrt().bitcast::<u64x8<S>>() | sign).bitcast();
        // Odd integers between -2^30 and 2^30: the middles of 2^30 equal steps.
        y[k] = integer(simd, (bits[k] & word(0x7fff_fffe)) | word(1), 1_073_741_824.0);
        yy[k] = y[k] * y[k];
    }
    let (cosines, sines) = (polynomial(simd, &COSINE, &yy), polynomial(simd, &SINE, &yy));
    for k in 0..CHAINS {
        let (c, s) = (cosines[k], sines[k] * y[k]);
        let stay = (bits[k] & word(1)).simd_eq(word(0));
        out[2 * k].store(radius[k] * stay.select(c, s));
        out[2 * k + 1].store(radius[k] * stay.select(s, c));
    }
}

/// `-2 ln((k + 1/2) / 2^32)` for `k` the high half of each number.
#[inline(always)]
fn squared_radii<S: Simd>(simd: S, bits: &[u64x8<S>; CHAINS]) -> [f64x8<S>; CHAINS] {
    let word = |x: u64| u64x8::splat(simd, x);
    let number = |x: f64| f64x8::splat(simd, x);
    let (mut x, mut whole) = ([number(0.0); CHAINS], [number(0.0); CHAINS]);
    for k in 0..CHAINS {
        let v: u64x8<S> = integer(simd, bits[k] >> 32, -0.5).bitcast();
        let above = v - word(REDUCE);
        let mantissa: f64x8<S> = (v - ((above >> 52) << 52) + word(1 << 52)).bitcast();
        let lower = (above & word(1 << 51)).simd_eq(word(0));
        let factor = lower.select(number(SQRT_2), number(1.0));
        x[k] = fused(simd, mantissa, factor, number(-1.0));
        // Half octaves, counted from that of 2^32.
        whole[k] = integer(simd, above >> 51, 67.0) * number(-LN_2);
    }
    let mut sums = polynomial(simd, &LOG, &x);
    for k in 0..CHAINS {
        sums[k] = fused(simd, sums[k], x[k], whole[k]);
    }
    sums
}

/// `k - shift` for integers `k` below `2^52`, where `2^52 + shift` is a double: `shift` an integer, or `-1/2`.
#[inline(always)]
fn integer<S: Simd>(simd: S, k: u64x8<S>, shift: f64) -> f64x8<S> {
    let raised: f64x8<S> = (k | u64x8::splat(simd, MAGIC)).bitcast();
    raised - f64x8::splat(simd, TWO_52 + shift)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::cast_possible_truncation)] // the halves of a word

    use super::*;
    use crate::lanes::{Lanes, on_lanes};
    use crate::{Level, Moments, RandomStream, normal_cdf, two_sided_bound};
    use std::f64::consts::TAU;

    const TAG: u8 = 9;

    fn normals(level: Level, seed: u64, stream: u64, count: usize) -> Vec<[f64; EIGHT]> {
        let mut source = BulkNormal::new(seed, TAG, stream);
        let mut out = vec![Eight::default(); count];
        on_lanes!(Lanes::new(level).expect("available"), simd => source.fill(simd, &mut out));
        out.iter().map(|x| x.0).collect()
    }

    /// Independent: words of the library's ChaCha8 at their places, transformed by `libm`.
    #[test]
    fn pairs_are_the_transform_of_the_chacha8_words() {
        let (seed, stream) = (0x0123_4567_89ab_cdef, 77);
        let mut library = RandomStream::tagged(seed, TAG, stream);
        let got = normals(Level::detect(), seed, stream, 6 * PAIRS);
        for superblock in 0..3 {
            // words[b][w]: word w of block b.
            let mut words = [[0_u32; 16]; 16];
            for w in words.as_flattened_mut().as_chunks_mut::<2>().0 {
                let both = library.next_u64();
                (w[0], w[1]) = (both as u32, (both >> 32) as u32);
            }
            for pair in 0..PAIRS {
                for lane in 0..EIGHT {
                    let (angle, radius) = (words[2 * lane][pair], words[2 * lane + 1][pair]);
                    let r = (-2.0 * libm::log((f64::from(radius) + 0.5) / 4_294_967_296.0)).sqrt();
                    let r = if angle >> 31 == 1 { -r } else { r };
                    let phi = (f64::from(angle & 0x7fff_fffe | 1) - 1_073_741_824.0) * TAU / 8_589_934_592.0;
                    let (sine, cosine) = libm::sincos(phi);
                    let swap = angle & 1 == 1;
                    let (a, b) = if swap { (sine, cosine) } else { (cosine, sine) };
                    let at = 2 * (superblock * PAIRS + pair);
                    for (got, want) in [(got[at][lane], r * a), (got[at + 1][lane], r * b)] {
                        assert!((got - want).abs() < 1.2e-10 * r.abs(), "{got} {want}");
                    }
                }
            }
        }
    }

    /// The promised bits. A change here raises `NUMERICS`.
    #[test]
    fn golden_bits_at_every_instruction_set() {
        for level in Level::available() {
            let x = normals(level, 1703, 560, 33);
            let digest = x
                .as_flattened()
                .iter()
                .fold(0_u64, |h, v| h.rotate_left(5).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ v.to_bits());
            let got = [x[0][0].to_bits(), x[1][7].to_bits(), x[32][3].to_bits(), digest];
            assert_eq!(got, GOLDEN, "{level:?}: {got:#x?}");
        }
    }

    const GOLDEN: [u64; 4] =
        [0x3fe0_c372_ca61_fc38, 0x3ff2_4bb2_f61a_ef2e, 0xbfda_5754_3132_367b, 0xdb2d_bfb8_e477_9e41];

    /// Independent: moments up to the sixth, within and between the numbers of a pair, lanes and streams; tail counts;
    /// the whole distribution function. Two million numbers, one budget of 1e-6.
    #[test]
    fn bulk_normals_are_normal() {
        let bound = two_sided_bound(1e-6 / 40.0).unwrap();
        let x: Vec<Vec<[f64; EIGHT]>> = (0..64).map(|s| normals(Level::detect(), 5, s, 4000)).collect();
        let check = |name: &str, want: f64, values: &mut dyn Iterator<Item = f64>| {
            let mut m = Moments::default();
            for v in values {
                m.push(v);
            }
            let off = (m.mean() - want) / m.standard_error();
            assert!(off.abs() < bound, "{name}: {} against {want}, {off} errors", m.mean());
        };
        let all = || x.iter().flat_map(|s| s.as_flattened().iter().copied());
        for (power, want) in [(1, 0.0), (2, 1.0), (3, 0.0), (4, 3.0), (5, 0.0), (6, 15.0)] {
            check("power", want, &mut all().map(|z| (0..power).fold(1.0, |p, _| p * z)));
        }
        for size in [0.01, 1.0, 2.0, 3.0, 4.0, 5.0] {
            let want = 2.0 * normal_cdf(-size);
            let beyond = all().filter(|z| z.abs() > size).count() as f64;
            let n = all().count() as f64;
            let sd = (n * want * (1.0 - want)).sqrt();
            // Beyond 5 about one number is expected: a Poisson count, below 1e-7 to exceed ten.
            assert!((beyond - n * want).abs() < bound * sd.max(2.0), "beyond {size}: {beyond} of {n}");
        }
        let pairs = || x.iter().flat_map(|s| s.as_chunks::<2>().0);
        for lane in 0..EIGHT {
            check("pair", 0.0, &mut pairs().map(|p| p[0][lane] * p[1][lane]));
            check(
                "squares of a pair",
                1.0,
                &mut pairs().map(|p| p[0][lane] * p[0][lane] * p[1][lane] * p[1][lane]),
            );
            let next = (lane + 1) % EIGHT;
            check("lanes", 0.0, &mut pairs().map(|p| p[0][lane] * p[0][next]));
        }
        check("neighbours", 0.0, &mut x.iter().flat_map(|s| s.windows(3).map(|w| w[0][0] * w[2][0])));
        check(
            "streams",
            0.0,
            &mut x.windows(2).flat_map(|s| s[0].iter().zip(&s[1]).map(|(a, b)| a[3] * b[3])),
        );
        let mut sorted: Vec<f64> = all().collect();
        sorted.sort_by(f64::total_cmp);
        let n = sorted.len() as f64;
        let gap = sorted.iter().enumerate().map(|(i, z)| (normal_cdf(*z) - (i as f64 + 0.5) / n).abs());
        let worst = gap.fold(0.0, f64::max);
        // Massart's bound 2 exp(-2 n D^2) = 1e-6.
        assert!(worst < (libm::log(2e6) / (2.0 * n)).sqrt() + 0.5 / n, "{worst}");
    }
}
