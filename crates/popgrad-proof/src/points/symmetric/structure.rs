//! Which permutations of the axes fix a point, with the students permuted along.
//!
//! Axes and students are coloured and the colours refined by the values they meet, until nothing changes. A class of `n > 1` axes
//! is permuted freely; a class of as many students goes with it if each has one axis of its own there.

use crate::landscape::Landscape;
use popgrad::MatrixView;
use std::collections::BTreeMap;

/// The group: a product of the symmetric groups of the classes of axes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Structure {
    /// Class of each axis.
    axes: Vec<usize>,
    /// Class of each student, and the axis that it is permuted with.
    students: Vec<(usize, Option<usize>)>,
    /// Number of axes in each class.
    sizes: Vec<usize>,
}

/// How a class of axes is cut: the block of each of its axes, in order of the axes.
fn cuts(n: usize) -> Vec<Vec<usize>> {
    let cut = |first: &[usize], rest: usize| -> Vec<usize> {
        (0..n).map(|i| first.get(i).copied().unwrap_or(rest)).collect()
    };
    match n {
        0 | 1 => vec![cut(&[], 0)],
        2 => vec![cut(&[], 0), cut(&[0], 1)],
        _ => vec![cut(&[], 0), cut(&[0], 1), cut(&[0, 0], 1), cut(&[0, 1], 2)],
    }
}

/// Dimensions of the irreducible representations `(n), (n-1,1), (n-2,2), (n-2,1,1)` as far as they occur.
fn dimensions(n: usize) -> Vec<usize> {
    match n {
        0 | 1 => vec![1],
        2 => vec![1, 1],
        _ => vec![1, n - 1, n * (n - 3) / 2, (n - 1) * (n - 2) / 2],
    }
}

/// Multiplicities of those representations from the dimensions of the vectors fixed by the cuts, for one class.
fn multiplicities(fixed: &[i64]) -> Vec<i64> {
    match *fixed {
        [a] => vec![a],
        [a, b] => vec![a, b - a],
        // Fixed vectors: 1 | 1 1 | 1 1 1 | 1 2 1 1.
        [a, b, c, d] => {
            let (second, third) = (b - a, c - b);
            vec![a, second, third, d - a - 2 * second - third]
        }
        _ => Vec::new(),
    }
}

/// Numbers the entries so that entries closer than `tolerance` to a neighbour share a number.
fn clusters(values: &[f64], tolerance: f64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|i, j| values[*i].total_cmp(&values[*j]));
    let mut numbers = vec![0; values.len()];
    let mut number = 0;
    for pair in order.windows(2) {
        if values[pair[1]] - values[pair[0]] > tolerance {
            number += 1;
        }
        numbers[pair[1]] = number;
    }
    numbers
}

/// Colours by what is seen, numbered in the order of what is seen.
fn recoloured<T: Ord>(seen: &[T]) -> Vec<usize> {
    let mut known: BTreeMap<&T, usize> = seen.iter().map(|s| (s, 0)).collect();
    known.values_mut().enumerate().for_each(|(n, color)| *color = n);
    seen.iter().map(|s| known[s]).collect()
}

impl Structure {
    /// The structure of a point up to `tolerance`; none if the teacher is not along the axes, or nothing is permuted.
    pub(crate) fn of(landscape: &Landscape, point: MatrixView<'_>, tolerance: f64) -> Option<Self> {
        let (k, d) = (point.rows(), point.cols());
        let numbers = clusters(point.as_slice(), tolerance);
        let value = |j: usize, i: usize| numbers[j * d + i];
        let mut axes = recoloured(&axis_weights(landscape)?);
        let bits: Vec<u64> = landscape.student_output().iter().map(|a| a.to_bits()).collect();
        let mut students = recoloured(&bits);
        loop {
            let by_axis: Vec<(usize, Vec<(usize, usize)>)> =
                (0..d).map(|i| (axes[i], sorted((0..k).map(|j| (students[j], value(j, i)))))).collect();
            let new_axes = recoloured(&by_axis);
            let by_student: Vec<(usize, Vec<(usize, usize)>)> =
                (0..k).map(|j| (students[j], sorted((0..d).map(|i| (new_axes[i], value(j, i)))))).collect();
            let new_students = recoloured(&by_student);
            let settled = new_axes == axes && new_students == students;
            (axes, students) = (new_axes, new_students);
            if settled {
                break;
            }
        }
        let mut sizes = vec![0; axes.iter().max()? + 1];
        axes.iter().for_each(|c| sizes[*c] += 1);
        let paired = paired(&axes, &sizes, &students, &value)?;
        let found = Self { axes, students: students.into_iter().zip(paired).collect(), sizes };
        (found.sizes.iter().any(|n| *n > 1) && found.agrees(&value)).then_some(found)
    }

    /// Whether the point takes one value on every orbit of the group.
    fn agrees(&self, value: &impl Fn(usize, usize) -> usize) -> bool {
        let whole = self.whole();
        let mut met: BTreeMap<_, usize> = BTreeMap::new();
        (0..self.students.len()).flat_map(|j| (0..self.axes.len()).map(move |i| (j, i))).all(|(j, i)| {
            let number = value(j, i);
            *met.entry(self.key(&whole, j, i)).or_insert(number) == number
        })
    }

    pub(super) fn students(&self) -> usize {
        self.students.len()
    }

    pub(super) fn dimension(&self) -> usize {
        self.axes.len()
    }

    /// Sizes of the classes of axes.
    pub(crate) fn classes(&self) -> Vec<usize> {
        self.sizes.clone()
    }

    /// What tells the orbits of entries apart, under the subgroup that permutes the axes within blocks.
    pub(super) fn key(&self, blocks: &[usize], student: usize, axis: usize) -> OrbitKey {
        let (class, own) = self.students[student];
        OrbitKey {
            student: own.map_or((class, usize::MAX), |i| (class, blocks[i])),
            axis: blocks[axis],
            on_its_own: own == Some(axis),
        }
    }

    /// The blocks of the whole group: the classes.
    pub(super) fn whole(&self) -> Vec<usize> {
        self.axes.clone()
    }

    /// The subgroups that cut each class in each way, the first class slowest; the last one is the smallest.
    pub(super) fn subgroups(&self) -> Vec<Vec<usize>> {
        let ways: Vec<Vec<Vec<usize>>> = self.sizes.iter().map(|n| cuts(*n)).collect();
        let count: usize = ways.iter().map(Vec::len).product();
        (0..count)
            .map(|number| {
                let mut rest = number;
                let mut chosen = vec![0; ways.len()];
                for (choice, way) in chosen.iter_mut().zip(&ways).rev() {
                    (*choice, rest) = (rest % way.len(), rest / way.len());
                }
                let mut met = vec![0; ways.len()];
                let block = |c: &usize| {
                    let within = ways[*c][chosen[*c]][met[*c]];
                    met[*c] += 1;
                    // At most three blocks a class.
                    3 * c + within
                };
                self.axes.iter().map(block).collect()
            })
            .collect()
    }

    /// The dimension of an invariant space from those of its parts fixed by the subgroups, (V.15); none if that is no dimension.
    pub(super) fn total(&self, fixed: &[usize]) -> Option<usize> {
        let mut table: Vec<i64> = fixed.iter().map(|x| i64::try_from(*x).unwrap_or(i64::MAX)).collect();
        let mut weights: Vec<i64> = vec![1];
        // One class after the other, the last one fastest.
        let mut stride = 1;
        for n in self.sizes.iter().rev() {
            let ways = cuts(*n).len();
            let mut next = table.clone();
            for start in (0..table.len()).filter(|at| (at / stride) % ways == 0) {
                let line: Vec<i64> = (0..ways).map(|w| table[start + w * stride]).collect();
                for (w, m) in multiplicities(&line).into_iter().enumerate() {
                    next[start + w * stride] = m;
                }
            }
            table = next;
            let of_class = dimensions(*n);
            weights = of_class
                .iter()
                .flat_map(|x| weights.iter().map(move |y| i64::try_from(*x).unwrap_or(0) * y))
                .collect();
            stride *= ways;
        }
        let possible = table.iter().all(|m| *m >= 0);
        let sum: i64 = table.iter().zip(&weights).map(|(m, w)| m * w).sum();
        if possible { usize::try_from(sum).ok() } else { None }
    }
}

/// What tells orbits of entries apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct OrbitKey {
    student: (usize, usize),
    axis: usize,
    on_its_own: bool,
}

fn sorted(x: impl Iterator<Item = (usize, usize)>) -> Vec<(usize, usize)> {
    let mut list: Vec<(usize, usize)> = x.collect();
    list.sort_unstable();
    list
}

/// For each axis the bits of the output weight of the teacher along it, or none; none at all if a teacher is not an axis.
fn axis_weights(landscape: &Landscape) -> Option<Vec<Option<u64>>> {
    let teacher = landscape.teacher();
    let mut weights = vec![None; teacher.cols()];
    for m in 0..teacher.rows() {
        let axis = teacher.row(m).iter().position(|x| *x == 1.0)?;
        let others = teacher.row(m).iter().enumerate().any(|(i, x)| i != axis && *x != 0.0);
        if others || weights[axis].is_some() {
            return None;
        }
        weights[axis] = Some(landscape.teacher_output()[m].to_bits());
    }
    Some(weights)
}

/// The axis of its own of each student in a class of several; none at all if a class cannot be permuted with the axes.
fn paired(
    axes: &[usize],
    sizes: &[usize],
    students: &[usize],
    value: &impl Fn(usize, usize) -> usize,
) -> Option<Vec<Option<usize>>> {
    let mut own = vec![None; students.len()];
    for class in 0..=*students.iter().max()? {
        let members: Vec<usize> = (0..students.len()).filter(|j| students[*j] == class).collect();
        if members.len() == 1 {
            continue;
        }
        let mut fits = (0..sizes.len()).filter(|c| sizes[*c] == members.len());
        let matching = fits.find_map(|c| matched(axes, c, &members, value))?;
        members.iter().zip(matching).for_each(|(j, i)| own[*j] = Some(i));
    }
    Some(own)
}

/// For each member the one axis of the class where it has another value than on the rest, if that is a bijection.
fn matched(
    axes: &[usize],
    class: usize,
    members: &[usize],
    value: &impl Fn(usize, usize) -> usize,
) -> Option<Vec<usize>> {
    let places: Vec<usize> = (0..axes.len()).filter(|i| axes[*i] == class).collect();
    let single = |j: usize| -> Option<usize> {
        let times = |i: usize| places.iter().filter(|l| value(j, **l) == value(j, i)).count();
        if places.len() == 2 {
            // Either value may be the own one; the smaller number is taken for all.
            return places.iter().copied().filter(|i| times(*i) == 1).min_by_key(|i| value(j, *i));
        }
        places.iter().copied().find(|i| times(*i) == 1)
    };
    let found: Vec<usize> = members.iter().map(|j| single(*j)).collect::<Option<_>>()?;
    let mut distinct = found.clone();
    distinct.sort_unstable();
    distinct.dedup();
    (distinct.len() == found.len()).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use popgrad::{Matrix, RandomStream};

    fn landscape(k: usize, d: usize) -> Landscape {
        Landscape::new(Matrix::identity(d, d), vec![1.0; d], vec![1.0; k])
    }

    #[test]
    fn blocks_are_found_in_any_order_of_students() {
        let k = 7;
        let mut stream = RandomStream::new(1, 0);
        let mut rows: Vec<Vec<f64>> = (0..k)
            .map(|j| {
                let big = |x: usize| x >= 2;
                (0..k)
                    .map(|i| match (big(j), big(i), i == j) {
                        (_, _, true) => {
                            if big(j) {
                                1.0
                            } else {
                                -0.6
                            }
                        }
                        (true, true, _) => -0.01,
                        (false, false, _) => 0.3,
                        (true, false, _) => 0.06,
                        (false, true, _) => 0.02,
                    })
                    .collect()
            })
            .collect();
        for _ in 0..10 {
            let at = [0, 1].map(|_| usize::try_from(stream.next_u64() % 7).unwrap());
            rows.swap(at[0], at[1]);
            let point = Matrix::try_from_rows(&rows).unwrap();
            let found = Structure::of(&landscape(k, k), point.view(), 1e-6).unwrap();
            let mut classes = found.classes();
            classes.sort_unstable();
            assert_eq!(classes, [2, 5]);
        }
        rows[0][3] += 0.01;
        let point = Matrix::try_from_rows(&rows).unwrap();
        let less = Structure::of(&landscape(k, k), point.view(), 1e-6);
        assert!(less.is_none_or(|s| s.classes().len() > 2));
    }

    /// The space of all `K x d` matrices, from the numbers of orbits of the subgroups.
    #[test]
    fn dimensions_of_the_parts_add_up() {
        for (small, big) in [(1, 4), (2, 3), (3, 5), (1, 2), (4, 4)] {
            let k = small + big;
            let entry = |j: usize, i: usize| {
                let (a, b) = (j < small, i < small);
                match (a, b, i == j) {
                    (_, _, true) => {
                        if a {
                            3.0
                        } else {
                            4.0
                        }
                    }
                    (true, true, _) => 0.1,
                    (false, false, _) => 0.2,
                    (true, false, _) => 0.3,
                    (false, true, _) => 0.4,
                }
            };
            let point = Matrix::try_new(k, k, (0..k * k).map(|at| entry(at / k, at % k)).collect()).unwrap();
            let structure = Structure::of(&landscape(k, k), point.view(), 1e-6).unwrap();
            let fixed: Vec<usize> = structure
                .subgroups()
                .iter()
                .map(|blocks| super::super::orbits::Orbits::of(&structure, blocks).len())
                .collect();
            assert_eq!(structure.total(&fixed), Some(k * k), "{small} {big}: {fixed:?}");
        }
    }
}
