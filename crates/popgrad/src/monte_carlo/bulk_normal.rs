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

use crate::eight::{LANES, Eight, fused};
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
    words: Box<[[u64; LANES]; PAIRS]>,
    used: usize,
}

impl BulkNormal {
    pub(crate) fn new(seed: u64, tag: u8, stream: u64) -> Self {
        let bytes = crate::random::key(seed, tag);
        let mut key = [0; 8];
        for (word, four) in key.iter_mut().zip(bytes.as_chunks::<4>().0) {
            *word = u32::from_le_bytes(*four);
        }
        Self { key, stream, superblock: 0, words: Box::new([[0; LANES]; PAIRS]), used: PAIRS }
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
fn superblock<S: Simd>(simd: S, key: &[u32; 8], stream: u64, index: u64) -> [[u64; LANES]; PAIRS] {
    let splat = |x: u32| u32x16::splat(simd, x);
    let halves = |x: u64| [x as u32, (x >> 32) as u32];
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
    let mut out = [[0; LANES]; PAIRS];
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
    x[a] = x[a] + x[b];
    x[d] = rotate(x[d] ^ x[a], 16);
    x[c] = x[c] + x[d];
    x[b] = rotate(x[b] ^ x[c], 12);
    x[a] = x[a] + x[b];
    x[d] = rotate(x[d] ^ x[a], 8);
    x[c] = x[c] + x[d];
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
