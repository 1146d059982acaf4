//! Orbits of the entries of `W` under a group of permutations: vectors and matrices that the group fixes.
//!
//! An orthonormal basis of the fixed vectors is `f_a`, `1 / sqrt|O_a|` on the orbit `O_a` and 0 elsewhere. An invariant gradient `g` has
//! the component `sqrt|O_a| g_r`, an invariant Hessian the entry `sqrt(|O_a| / |O_b|) sum_{s in O_b} H_{rs}`, with any `r` of `O_a`
//! ((V.13)).

use super::super::PointReason;
use super::structure::Structure;
use crate::Interval;
use crate::enclosed_matrix::EnclosedMatrix;
use crate::landscape::Landscape;
use popgrad::MatrixView;
use std::collections::BTreeMap;

/// The orbits of the entries.
pub(super) struct Orbits {
    dimension: usize,
    /// Orbit of each entry, row by row.
    of: Vec<usize>,
    /// An entry of each orbit.
    first: Vec<(usize, usize)>,
    sizes: Vec<usize>,
}

impl Orbits {
    /// Under the permutations of the axes within blocks.
    pub(super) fn of(structure: &Structure, blocks: &[usize]) -> Self {
        let (k, d) = (structure.students(), structure.dimension());
        let mut numbers = BTreeMap::new();
        let (mut first, mut sizes) = (Vec::new(), Vec::new());
        let mut of = Vec::with_capacity(k * d);
        for (j, i) in (0..k).flat_map(|j| (0..d).map(move |i| (j, i))) {
            let orbit = *numbers.entry(structure.key(blocks, j, i)).or_insert_with(|| {
                first.push((j, i));
                sizes.push(0);
                sizes.len() - 1
            });
            sizes[orbit] += 1;
            of.push(orbit);
        }
        Self { dimension: d, of, first, sizes }
    }

    /// Number of orbits.
    pub(super) fn len(&self) -> usize {
        self.sizes.len()
    }

    fn root(&self, orbit: usize) -> Interval {
        Interval::point(self.sizes[orbit] as f64).sqrt()
    }

    /// The mean over each orbit, a guess.
    pub(super) fn averages(&self, point: MatrixView<'_>) -> Vec<f64> {
        let mut sums = vec![0.0; self.len()];
        self.of.iter().zip(point.as_slice()).for_each(|(orbit, x)| sums[*orbit] += x);
        sums.iter().zip(&self.sizes).map(|(s, n)| s / *n as f64).collect()
    }

    /// The box of all fixed points within `radius` of the one with these values.
    pub(super) fn spread(&self, values: &[f64], radius: f64) -> Vec<Interval> {
        let boxes: Vec<Interval> = values
            .iter()
            .enumerate()
            .map(|(a, x)| Interval::ball(*x, (Interval::point(radius) / self.root(a)).hi()))
            .collect();
        // A radius of zero stays a point.
        let exact: Vec<Interval> = values.iter().map(|x| Interval::point(*x)).collect();
        let chosen = if radius == 0.0 { exact } else { boxes };
        self.of.iter().map(|orbit| chosen[*orbit]).collect()
    }

    /// The norm of the fixed point with these values.
    pub(super) fn norm(&self, values: &[f64]) -> f64 {
        values.iter().zip(&self.sizes).map(|(x, n)| x * x * *n as f64).sum::<f64>().sqrt()
    }

    /// Moves the values by a step in the orthonormal basis.
    pub(super) fn subtract(&self, values: &mut [f64], step: &[f64]) {
        for ((x, s), n) in values.iter_mut().zip(step).zip(&self.sizes) {
            *x -= s / (*n as f64).sqrt();
        }
    }

    /// Students that hold the first entry of an orbit, each with the orbits and axes.
    fn rows(&self) -> BTreeMap<usize, Vec<(usize, usize)>> {
        let mut rows: BTreeMap<usize, Vec<(usize, usize)>> = BTreeMap::new();
        for (orbit, (j, i)) in self.first.iter().enumerate() {
            rows.entry(*j).or_default().push((orbit, *i));
        }
        rows
    }

    /// The gradient in the basis, over a box of fixed points.
    pub(super) fn gradient(
        &self,
        landscape: &Landscape,
        weights: &[Interval],
    ) -> Result<Vec<Interval>, PointReason> {
        let over = landscape.over(weights)?;
        let mut out = vec![Interval::ZERO; self.len()];
        for (j, wanted) in self.rows() {
            let gradient = over.gradient(j);
            for (orbit, i) in wanted {
                out[orbit] = self.root(orbit) * gradient[i];
            }
        }
        Ok(out)
    }

    /// The Hessian in the basis, over a box of fixed points.
    pub(super) fn hessian(
        &self,
        landscape: &Landscape,
        weights: &[Interval],
    ) -> Result<EnclosedMatrix, PointReason> {
        let over = landscape.over(weights)?;
        let m = self.len();
        let mut out = vec![Interval::ZERO; m * m];
        for (j, wanted) in self.rows() {
            let axes: Vec<usize> = wanted.iter().map(|(_, i)| *i).collect();
            debug_assert!(axes.iter().all(|i| *i < self.dimension));
            for ((orbit, _), row) in wanted.iter().zip(over.hessian_rows(j, &axes)) {
                let line = &mut out[orbit * m..(orbit + 1) * m];
                self.of.iter().zip(row).for_each(|(b, x)| line[*b] = line[*b] + x);
                for (b, x) in line.iter_mut().enumerate() {
                    *x = *x * self.root(*orbit) / self.root(b);
                }
            }
        }
        // The exact matrix is symmetric: each entry lies in both enclosures.
        for (a, b) in (0..m).flat_map(|a| (0..a).map(move |b| (a, b))) {
            let both = out[a * m + b].intersection(out[b * m + a]);
            if !both.is_empty() {
                (out[a * m + b], out[b * m + a]) = (both, both);
            }
        }
        Ok(EnclosedMatrix::from_intervals(m, m, &out))
    }
}
