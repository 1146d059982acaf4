//! Standard normal numbers by the hundred million: ChaCha8, then Box and Muller's transform, in vectors.
//!
//! The words are those of the ChaCha8 key stream, sixteen blocks at a time, one block a lane. Word `w` of blocks
//! `2l` and `2l + 1` makes the low and the high half of a 64-bit number in lane `l`: its high half the radius, its low
//! half the angle of a pair of normals for sample `l` (docs/theory/sampling.md, (M.11)-(M.14)). Only integer
//! operations, `+ - *`, square root and single-rounding fused multiply-adds in a fixed order are used, so the bits are
//! the same at every instruction set; they are promised (see [`crate::NUMERICS`]).
//!
//! Accuracy: 32 bits each for radius and angle, so sizes end at 6.76 and pairs lie on a grid; the three polynomials
//! stray less than the grid's `2^-32`. Both are invisible below some 1e16 samples in moments, and a sample
//! of 1e10 numbers would on average miss 0.1 beyond 6.76.

use crate::eight::{EIGHT, Eight, fused};
use fearless_simd::prelude::*;
use fearless_simd::{Simd, f64x8, u32x16, u64x8};

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
/// Bits of `sqrt(1/2) / 2`, the lower end of the interval to which a logarithm's argument is reduced.
const REDUCE: u64 = 0x3fd6_a09e_667f_3bcd;

/// `-2 ln(1 + x) / x` for `1 + x` in `[sqrt(1/2), sqrt 2]`: twelve terms, interpolation at Chebyshev's
/// points, relative error below `1.2e-10`, under half the grid of `2^-32`; eleven terms would exceed it.
const LOG: [f64; 12] = [
    -2.000000000096024,
    1.0000000061691077,
    -0.6666666169256104,
    0.49999873171629633,
    -0.4000033927588508,
    0.3334076730475459,
    -0.28567596790540506,
    0.24821771331922843,
    -0.22085472079438018,
    0.21796225155754365,
    -0.21273084751159907,
    0.11691342670179275,
];
/// `-2 ln 2`.
const LOG_STEP: f64 = -1.3862943611198906;
/// `sin(c y) / y` in powers of `y^2`, `c = pi / 2^31`, `|y| <= 2^30`: six terms, error below `2.7e-11`.
const SINE: [f64; 6] = [
    1.4629180792421717e-09,
    -5.218056408830735e-28,
    5.583656158132185e-47,
    -2.845119867002667e-66,
    8.447178057961985e-86,
    -1.5689966188667467e-105,
];
/// `cos(c y)` in powers of `y^2`: six terms, error below `2.3e-10`, the grid of `2^-32`.
const COSINE: [f64; 6] = [
    0.999999999779154,
    -1.0700646395288946e-18,
    1.9083958732219063e-37,
    -1.3613538279817465e-56,
    5.194127678020999e-76,
    -1.1695499105462105e-95,
];

/// A stream of normal vectors: number `stream` of `seed`, under the key of a use's tag.
#[derive(Clone, Debug)]
pub(crate) struct BulkNormal {
    key: [u32; 8],
    stream: u64,
    superblock: u64,
    words: Box<[[u64; EIGHT]; PAIRS]>,
    used: usize,
}

impl BulkNormal {
    pub(crate) fn new(seed: u64, tag: u8, stream: u64) -> Self {
        let bytes = crate::random::key(seed, tag);
        let mut key = [0; 8];
        for (word, four) in key.iter_mut().zip(bytes.as_chunks::<4>().0) {
            *word = u32::from_le_bytes(*four);
        }
        Self { key, stream, superblock: 0, words: Box::new([[0; EIGHT]; PAIRS]), used: PAIRS }
    }

    /// Fills `out` with normals: entry `j` holds number `j` of eight samples. An odd last number uses up a pair.
    ///
    /// A call of its own, so that each instruction set's code exists once.
    #[inline(never)]
    pub(crate) fn fill<S: Simd>(&mut self, simd: S, out: &mut [Eight]) {
        simd.vectorize(
            #[inline(always)]
            || self.fill_here(simd, out),
        );
    }

    #[inline(always)]
    fn fill_here<S: Simd>(&mut self, simd: S, out: &mut [Eight]) {
        for pair in out.chunks_mut(2) {
            if self.used == PAIRS {
                *self.words = superblock(simd, &self.key, self.stream, self.superblock);
                self.superblock += 1;
                self.used = 0;
            }
            let (first, second) = normal_pair(simd, u64x8::simd_from(simd, self.words[self.used]));
            self.used += 1;
            pair[0].store(first);
            if let Some(x) = pair.get_mut(1) {
                x.store(second);
            }
        }
    }
}

/// Sixteen consecutive ChaCha8 blocks, one in each 32-bit lane.
#[inline(always)]
fn superblock<S: Simd>(simd: S, key: &[u32; 8], stream: u64, index: u64) -> [[u64; EIGHT]; PAIRS] {
    let splat = |x: u32| u32x16::splat(simd, x);
    let halves = |x: u64| {
        [x.to_le_bytes(), (x >> 32).to_le_bytes()].map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]))
    };
    // Sixteen blocks a superblock: lane numbers never carry out of the low word.
    let counter = halves(index * 16);
    let nonce = halves(stream);
    let mut start = [splat(0); 16];
    for i in 0..4 {
        start[i] = splat(CONSTANTS[i]);
    }
    for i in 0..8 {
        start[4 + i] = splat(key[i]);
    }
    start[12] = splat(counter[0]) + u32x16::simd_from(simd, BLOCK);
    start[13] = splat(counter[1]);
    start[14] = splat(nonce[0]);
    start[15] = splat(nonce[1]);
    let mut x = start;
    for _ in 0..4 {
        quarter_round(&mut x, 0, 4, 8, 12);
        quarter_round(&mut x, 1, 5, 9, 13);
        quarter_round(&mut x, 2, 6, 10, 14);
        quarter_round(&mut x, 3, 7, 11, 15);
        quarter_round(&mut x, 0, 5, 10, 15);
        quarter_round(&mut x, 1, 6, 11, 12);
        quarter_round(&mut x, 2, 7, 8, 13);
        quarter_round(&mut x, 3, 4, 9, 14);
    }
    let mut out = [[0; EIGHT]; PAIRS];
    for i in 0..PAIRS {
        let word: u64x8<S> = (x[i] + start[i]).bitcast();
        out[i] = word.into();
    }
    out
}

/// Rotates every lane left.
#[inline(always)]
fn rotate<S: Simd>(x: u32x16<S>, by: u32) -> u32x16<S> {
    (x << by) | (x >> (32 - by))
}

#[inline(always)]
fn quarter_round<S: Simd>(x: &mut [u32x16<S>; 16], a: usize, b: usize, c: usize, d: usize) {
    x[a] += x[b];
    x[d] = rotate(x[d] ^ x[a], 16);
    x[c] += x[d];
    x[b] = rotate(x[b] ^ x[c], 12);
    x[a] += x[b];
    x[d] = rotate(x[d] ^ x[a], 8);
    x[c] += x[d];
    x[b] = rotate(x[b] ^ x[c], 7);
}

/// Horner's rule with single-rounding steps.
#[inline(always)]
fn polynomial<S: Simd, const N: usize>(simd: S, c: &[f64; N], x: f64x8<S>) -> f64x8<S> {
    let mut sum = f64x8::splat(simd, c[N - 1]);
    for i in (0..N - 1).rev() {
        sum = fused(simd, sum, x, f64x8::splat(simd, c[i]));
    }
    sum
}

/// Two normals of each lane from 64 bits: radius from the high half, angle and sign from the low.
#[inline(always)]
fn normal_pair<S: Simd>(simd: S, bits: u64x8<S>) -> (f64x8<S>, f64x8<S>) {
    let word = |x: u64| u64x8::splat(simd, x);
    let number = |x: f64| f64x8::splat(simd, x);
    let magic = word(MAGIC);
    // v = k + 1/2 in (0, 2^32), and its logarithm as an exponent and a mantissa in [sqrt(1/2), sqrt 2].
    let v: f64x8<S> = ((bits >> 32) | magic).bitcast::<f64x8<S>>() - number(TWO_52 - 0.5);
    let v: u64x8<S> = v.bitcast();
    let exponent = (v - word(REDUCE)) >> 52;
    let mantissa: f64x8<S> = (v - (exponent << 52) + word(1 << 52)).bitcast();
    // Relative to the grid's end, 2^32: the exponent counts from -33.
    let exponent: f64x8<S> = (exponent | magic).bitcast::<f64x8<S>>() - number(TWO_52 + 33.0);
    let x = mantissa - number(1.0);
    let squared = fused(simd, polynomial(simd, &LOG, x), x, exponent * number(LOG_STEP));
    let radius = squared.sqrt();
    // The angle in (-pi/2, pi/2) from 31 bits; the last bit turns the pair by half a circle.
    let y: f64x8<S> =
        ((bits & word(0x7fff_ffff)) | magic).bitcast::<f64x8<S>>() - number(TWO_52 + 1_073_741_823.5);
    let turn = (bits << 32) & word(1 << 63);
    let radius: f64x8<S> = (radius.bitcast::<u64x8<S>>() | turn).bitcast();
    let yy = y * y;
    (radius * polynomial(simd, &COSINE, yy), (radius * y) * polynomial(simd, &SINE, yy))
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
                    let phi =
                        (f64::from(angle & 0x7fff_ffff) + 0.5 - 1_073_741_824.0) * TAU / 4_294_967_296.0;
                    let at = 2 * (superblock * PAIRS + pair);
                    for (got, want) in
                        [(got[at][lane], r * libm::cos(phi)), (got[at + 1][lane], r * libm::sin(phi))]
                    {
                        assert!((got - want).abs() < 1e-9 * (1.0 + r.abs()), "{got} {want}");
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
        [0xbfd4_ebff_3241_28eb, 0x3ff9_fa19_de82_8f42, 0xbff6_7713_aa0c_8018, 0x5485_8c3f_793c_14f8];

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
