//! Permutations between two lists of symmetric matrices with coloured indices: one of them, and the group of those of a list
//! onto itself. A permutation carries every matrix of one list into that of the other.
//!
//! Indices are first told apart by their sorted rows, class by class, until nothing more is learnt; what is left is tried
//! in order, each choice checked against all before. The group comes from a chain of stabilisers, so that the symmetric
//! group of `k` units costs `k` searches and is never listed.

use super::configuration::GroupOrder;
use crate::Matrix;

/// Symmetric matrices of one size whose indices have colours.
#[derive(Clone, Debug)]
pub(super) struct Labelled {
    pub(super) layers: Vec<Matrix>,
    pub(super) colours: Vec<usize>,
}

/// Choices tried before two matrices are given up as different. Structures of a few dozen units need fewer than their
/// number of pairs; only a nearly symmetric one could come near.
const CHOICES: usize = 2_000_000;

impl Labelled {
    /// A permutation `s` with `layer[i, j] = other.layer[s(i), s(j)]` within `allowed` for every layer, equal colours, and the
    /// given images.
    pub(super) fn matching(
        &self,
        other: &Self,
        allowed: f64,
        fixed: &[(usize, usize)],
    ) -> Option<Vec<usize>> {
        let n = self.colours.len();
        if n != other.colours.len() {
            return None;
        }
        let (mine, theirs) = refine(self, other, allowed, fixed);
        let (mut a, mut b) = (mine.clone(), theirs.clone());
        a.sort_unstable();
        b.sort_unstable();
        if a != b {
            return None;
        }
        // Rare classes first: they leave the fewest choices.
        let mut order: Vec<usize> = (0..n).collect();
        let rarity = |i: &usize| (mine.iter().filter(|c| **c == mine[*i]).count(), mine[*i], *i);
        order.sort_by_key(rarity);
        let mut trial = Trial {
            mine: self,
            theirs: other,
            classes: (&mine, &theirs),
            allowed,
            order: &order,
            image: vec![usize::MAX; n],
            used: vec![false; n],
            left: CHOICES,
        };
        trial.place(0).then_some(trial.image)
    }

    /// The order of the group of permutations of this matrix onto itself within `allowed`, and its orbits.
    pub(super) fn automorphisms(&self, allowed: f64) -> (GroupOrder, Vec<Vec<usize>>) {
        let n = self.colours.len();
        let mut generators: Vec<Vec<usize>> = Vec::new();
        let mut order = GroupOrder::ONE;
        for (level, classes) in self.stabiliser_classes(allowed).iter().enumerate().rev() {
            let mut fixed: Vec<(usize, usize)> = (0..level).map(|i| (i, i)).collect();
            let mut orbit = orbit_of(level, &generators, n);
            let mut refused = vec![false; n];
            for image in level + 1..n {
                if orbit.contains(&image) || refused[image] || classes[image] != classes[level] {
                    continue;
                }
                fixed.push((level, image));
                let found = self.matching(self, allowed, &fixed);
                fixed.pop();
                if let Some(permutation) = found {
                    generators.push(permutation);
                    orbit = orbit_of(level, &generators, n);
                } else {
                    orbit_of(image, &generators, n).into_iter().for_each(|i| refused[i] = true);
                }
            }
            order = order.times(orbit.len());
        }
        (order, all_orbits(&generators, n))
    }

    /// For each level the classes of the indices once those before it are fixed, up to the level from which on every index
    /// is told apart from all others and nothing is left to permute.
    fn stabiliser_classes(&self, allowed: f64) -> Vec<Vec<usize>> {
        let n = self.colours.len();
        let mut fixed = Vec::new();
        let mut levels = Vec::new();
        for level in 0..n {
            let (classes, _) = refine(self, self, allowed, &fixed);
            let mut distinct = classes.clone();
            distinct.sort_unstable();
            distinct.dedup();
            if distinct.len() == n {
                break;
            }
            levels.push(classes);
            fixed.push((level, level));
        }
        levels
    }
}

/// The images of an index under the group that the permutations generate, ascending.
fn orbit_of(start: usize, generators: &[Vec<usize>], n: usize) -> Vec<usize> {
    let mut reached = vec![false; n];
    reached[start] = true;
    let mut queue = vec![start];
    while let Some(i) = queue.pop() {
        for image in generators.iter().map(|g| g[i]) {
            if !reached[image] {
                reached[image] = true;
                queue.push(image);
            }
        }
    }
    (0..n).filter(|i| reached[*i]).collect()
}

fn all_orbits(generators: &[Vec<usize>], n: usize) -> Vec<Vec<usize>> {
    let mut seen = vec![false; n];
    let mut orbits = Vec::new();
    for i in 0..n {
        if !seen[i] {
            let orbit = orbit_of(i, generators, n);
            orbit.iter().for_each(|j| seen[*j] = true);
            orbits.push(orbit);
        }
    }
    orbits
}

/// Classes of the indices of both matrices, told apart by colour, fixed images, and sorted rows, until they are stable.
fn refine(a: &Labelled, b: &Labelled, allowed: f64, fixed: &[(usize, usize)]) -> (Vec<usize>, Vec<usize>) {
    let n = a.colours.len();
    let colours = a.colours.iter().chain(&b.colours).max().map_or(0, |c| c + 1);
    let start = |own: &[usize], side: fn(&(usize, usize)) -> usize| -> Vec<usize> {
        let fixed_at = |i: usize| fixed.iter().position(|pair| side(pair) == i);
        (0..n).map(|i| fixed_at(i).map_or(own[i], |f| colours + f)).collect()
    };
    let (mut mine, mut theirs) = (start(&a.colours, |p| p.0), start(&b.colours, |p| p.1));
    let mut count = 0;
    loop {
        let signatures: Vec<(usize, Vec<f64>)> = (0..n)
            .map(|i| (mine[i], signature(a, i, &mine)))
            .chain((0..n).map(|i| (theirs[i], signature(b, i, &theirs))))
            .collect();
        let mut classes: Vec<usize> = Vec::with_capacity(2 * n);
        let mut first: Vec<usize> = Vec::new();
        for (i, (class, row)) in signatures.iter().enumerate() {
            let same = |f: &usize| {
                let (other, theirs) = &signatures[*f];
                other == class
                    && row.len() == theirs.len()
                    && row.iter().zip(theirs).all(|(x, y)| (x - y).abs() <= 2.0 * allowed)
            };
            let found = first.iter().position(same).unwrap_or_else(|| {
                first.push(i);
                first.len() - 1
            });
            classes.push(found);
        }
        theirs = classes.split_off(n);
        mine = classes;
        if first.len() == count {
            return (mine, theirs);
        }
        count = first.len();
    }
}

/// Layer by layer the diagonal entry, then the row's entries sorted within each class, in the order of the classes.
fn signature(a: &Labelled, i: usize, classes: &[usize]) -> Vec<f64> {
    let mut out = Vec::with_capacity(a.layers.len() * classes.len());
    for layer in &a.layers {
        let row = layer.row(i);
        let others = classes.iter().zip(row).enumerate().filter(|(j, _)| *j != i);
        let mut cells: Vec<(usize, f64)> = others.map(|(_, (c, x))| (*c, *x)).collect();
        cells.sort_by(|x, y| x.0.cmp(&y.0).then(x.1.total_cmp(&y.1)));
        out.push(row[i]);
        out.extend(cells.into_iter().map(|c| c.1));
    }
    out
}

/// A permutation being built, index by index.
struct Trial<'a> {
    mine: &'a Labelled,
    theirs: &'a Labelled,
    classes: (&'a [usize], &'a [usize]),
    allowed: f64,
    order: &'a [usize],
    image: Vec<usize>,
    used: Vec<bool>,
    left: usize,
}

impl Trial<'_> {
    fn place(&mut self, depth: usize) -> bool {
        let Some(&i) = self.order.get(depth) else { return true };
        for candidate in 0..self.used.len() {
            if self.used[candidate] || self.classes.0[i] != self.classes.1[candidate] {
                continue;
            }
            if self.left == 0 {
                return false;
            }
            self.left -= 1;
            if !self.fits(i, candidate, depth) {
                continue;
            }
            (self.image[i], self.used[candidate]) = (candidate, true);
            if self.place(depth + 1) {
                return true;
            }
            (self.image[i], self.used[candidate]) = (usize::MAX, false);
        }
        false
    }

    /// Whether the choice agrees with itself and with all before it.
    fn fits(&self, i: usize, candidate: usize, depth: usize) -> bool {
        let close = |x: f64, y: f64| (x - y).abs() <= self.allowed;
        self.mine.layers.iter().zip(&self.theirs.layers).all(|(mine, theirs)| {
            let (mine, theirs) = (mine.row(i), theirs.row(candidate));
            close(mine[i], theirs[candidate])
                && self.order[..depth].iter().all(|j| close(mine[*j], theirs[self.image[*j]]))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labelled(rows: &[Vec<f64>]) -> Labelled {
        Labelled { layers: vec![Matrix::try_from_rows(rows).unwrap()], colours: vec![0; rows.len()] }
    }

    /// The adjacency matrix of a graph.
    fn graph(n: usize, joined: impl Fn(usize, usize) -> bool) -> Labelled {
        let cell = |i: usize, j: usize| if i != j && joined(i, j) { 1.0 } else { 0.0 };
        labelled(&(0..n).map(|i| (0..n).map(|j| cell(i, j)).collect()).collect::<Vec<_>>())
    }

    #[test]
    fn orders_of_known_groups() {
        let order = |g: &Labelled| g.automorphisms(1e-9).0.exact.unwrap();
        assert_eq!(order(&graph(7, |_, _| false)), 5040, "symmetric group");
        let ring = |i: usize, j: usize| (i + 1) % 9 == j || (j + 1) % 9 == i;
        assert_eq!(order(&graph(9, ring)), 18, "dihedral group of a ring of nine");
        let cube = |i: usize, j: usize| (i ^ j).is_power_of_two();
        assert_eq!(order(&graph(8, cube)), 48, "symmetries of a cube");
        let petersen_vertices: Vec<(usize, usize)> =
            (0..5).flat_map(|a| (a + 1..5).map(move |b| (a, b))).collect();
        let disjoint = |i: usize, j: usize| {
            let ((a, b), (c, d)) = (petersen_vertices[i], petersen_vertices[j]);
            a != c && a != d && b != c && b != d
        };
        assert_eq!(order(&graph(10, disjoint)), 120, "Petersen graph");
        assert_eq!(order(&graph(6, |i, j| i / 2 == j / 2)), 48, "three pairs");
    }

    #[test]
    fn a_matching_is_found_and_a_near_miss_is_refused() {
        let rows = vec![vec![1.0, 0.3, 0.2], vec![0.3, 2.0, 0.1], vec![0.2, 0.1, 3.0]];
        let (a, s) = (labelled(&rows), [2, 0, 1]);
        let mut b = a.clone();
        for i in 0..3 {
            for j in 0..3 {
                b.layers[0].row_mut(s[i])[s[j]] = rows[i][j] + 1e-12;
            }
        }
        assert_eq!(a.matching(&b, 1e-9, &[]).unwrap(), s);
        b.layers[0].row_mut(2)[0] += 1e-3;
        b.layers[0].row_mut(0)[2] += 1e-3;
        assert!(a.matching(&b, 1e-9, &[]).is_none());
    }

    #[test]
    fn equal_row_sums_do_not_fool_the_matching() {
        // Two rings of three and one ring of six: every row looks the same.
        let two = graph(6, |i, j| i / 3 == j / 3);
        let one = graph(6, |i, j| (i + 1) % 6 == j || (j + 1) % 6 == i);
        assert!(two.matching(&one, 1e-9, &[]).is_none());
        assert_eq!(two.automorphisms(1e-9).0.exact, Some(72));
        assert_eq!(one.automorphisms(1e-9).0.exact, Some(12));
    }
}
