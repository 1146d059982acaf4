//! Finite groups of orthogonal matrices, checked when made.
//!
//! A teacher whose units are the orbit of one vector under such a group passes its symmetry on to the students
//! (Tian 2017, section 6.2; docs/theory/symmetric.md, (Y.1)). Elements are kept as permutations of the
//! coordinates where they are that, and as matrices otherwise.

use crate::Kind;
use crate::matrix::Matrix;
use crate::vector::{dot, first_non_finite};
use std::collections::HashSet;
use std::f64::consts::TAU;
use thiserror::Error;

/// Why a list of maps is not a finite group of orthogonal matrices.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum GroupError {
    /// The list is empty or its maps act on no coordinates.
    #[error(
        "a group needs at least one element acting on at least one coordinate, got {elements} on {dimension}"
    )]
    Empty {
        /// Number of elements given.
        elements: usize,
        /// Dimension of the first.
        dimension: usize,
    },
    /// An element has another size than the first.
    #[error("element {element} is {rows} x {cols}; every element must be {dimension} x {dimension}")]
    Shape {
        /// Index of the element.
        element: usize,
        /// Its number of rows.
        rows: usize,
        /// Its number of columns.
        cols: usize,
        /// The size of element 0.
        dimension: usize,
    },
    /// An entry is NaN or infinite.
    #[error("element {element}, entry {index} (row-major) = {value} is not finite")]
    NonFinite {
        /// Index of the element.
        element: usize,
        /// Row-major index of the entry.
        index: usize,
        /// Its value.
        value: f64,
    },
    /// A list of images is no permutation.
    #[error(
        "element {element} is not a permutation of 0..{dimension}: the image {image} is out of range or repeated"
    )]
    NotPermutation {
        /// Index of the element.
        element: usize,
        /// Number of coordinates.
        dimension: usize,
        /// The first bad image.
        image: usize,
    },
    /// An element is not orthogonal.
    #[error(
        "element {element} is not orthogonal: rows {row} and {other} have the product {product}, \
         which should be {expected} to within {tolerance:e}"
    )]
    NotOrthogonal {
        /// Index of the element.
        element: usize,
        /// First row.
        row: usize,
        /// Second row.
        other: usize,
        /// Their product.
        product: f64,
        /// One or zero.
        expected: f64,
        /// Allowed deviation.
        tolerance: f64,
    },
    /// The identity is missing.
    #[error("no element is the identity; a group contains it")]
    NoIdentity,
    /// Two elements are equal.
    #[error("elements {first} and {second} are equal; every element must be listed once")]
    Repeated {
        /// Index of the first.
        first: usize,
        /// Index of the second.
        second: usize,
    },
    /// A product is missing.
    #[error(
        "the product of element {first} and element {second} is not in the list; a group is closed under products"
    )]
    NotClosed {
        /// Index of the left factor.
        first: usize,
        /// Index of the right factor.
        second: usize,
    },
    /// The full symmetric group would be too large.
    #[error(
        "the symmetric group on {coordinates} coordinates has {coordinates}! elements; at most 8 coordinates are allowed"
    )]
    TooLarge {
        /// Number of coordinates asked for.
        coordinates: usize,
    },
}

impl GroupError {
    /// The kind of this failure.
    pub fn kind(&self) -> Kind {
        match self {
            Self::TooLarge { .. } => Kind::Resource,
            _ => Kind::Input,
        }
    }
}

/// One orthogonal map.
#[derive(Clone, Debug, PartialEq)]
enum Element {
    /// `(P u)_i = u_{source[i]}`.
    Permutation(Vec<usize>),
    /// `P u` by rows.
    Dense(Matrix),
}

impl Element {
    fn apply(&self, u: &[f64], out: &mut [f64]) {
        match self {
            Self::Permutation(source) => {
                for (o, s) in out.iter_mut().zip(source) {
                    *o = u[*s];
                }
            }
            Self::Dense(matrix) => {
                for (i, o) in out.iter_mut().enumerate() {
                    *o = dot(matrix.row(i), u);
                }
            }
        }
    }

    /// `P^T u`, the inverse map.
    fn apply_inverse(&self, u: &[f64], out: &mut [f64]) {
        match self {
            Self::Permutation(source) => {
                for (x, s) in u.iter().zip(source) {
                    out[*s] = *x;
                }
            }
            Self::Dense(matrix) => {
                out.fill(0.0);
                for (i, x) in u.iter().enumerate() {
                    for (o, m) in out.iter_mut().zip(matrix.row(i)) {
                        *o = x.mul_add(*m, *o);
                    }
                }
            }
        }
    }
}

/// A finite group of orthogonal `d x d` matrices; element 0 is the identity.
///
/// ```
/// use popgrad::{FiniteGroup, Matrix};
/// assert_eq!(FiniteGroup::symmetric(4)?.order(), 24);
/// let flip = Matrix::from_rows(&[[1.0, 0.0], [0.0, -1.0]]);
/// let mirror = FiniteGroup::try_new(vec![Matrix::identity(2, 2), flip])?;
/// assert_eq!(mirror.order(), 2);
/// # Ok::<(), popgrad::GroupError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct FiniteGroup {
    dimension: usize,
    elements: Vec<Element>,
}

/// Entries of products of orthogonal matrices that differ by less than this times `d` count as equal. Distinct
/// elements of a group of order `n` differ by at least about `1/n`, products err by about `d EPSILON`.
const MATCH: f64 = 1e-12;

impl FiniteGroup {
    /// Cyclic shifts of the coordinates of `R^k`: element `j` sends axis `i` to axis `i + j` modulo `k`.
    ///
    /// # Errors
    ///
    /// [`GroupError::Empty`] if `k = 0`.
    pub fn cyclic(k: usize) -> Result<Self, GroupError> {
        if k == 0 {
            return Err(GroupError::Empty { elements: 0, dimension: 0 });
        }
        let shift = |j: usize| Element::Permutation((0..k).map(|i| (i + k - j) % k).collect());
        Ok(Self { dimension: k, elements: (0..k).map(shift).collect() })
    }

    /// Rotations of the plane by multiples of `2 pi / n`, counter-clockwise.
    ///
    /// # Errors
    ///
    /// [`GroupError::Empty`] if `n = 0`.
    pub fn rotations(n: usize) -> Result<Self, GroupError> {
        if n == 0 {
            return Err(GroupError::Empty { elements: 0, dimension: 2 });
        }
        let turn = |j: usize| {
            // Quarter turns are exact: the sine and cosine of the exact multiple are used where 4 j / n is whole.
            let (s, c) = match ((4 * j).is_multiple_of(n), 4 * j / n) {
                (true, 0) => (0.0, 1.0),
                (true, 1) => (1.0, 0.0),
                (true, 2) => (0.0, -1.0),
                (true, _) => (-1.0, 0.0),
                (false, _) => libm::sincos(TAU * (j as f64 / n as f64)),
            };
            Element::Dense(Matrix::from_rows(&[[c, -s], [s, c]]))
        };
        Ok(Self { dimension: 2, elements: (0..n).map(turn).collect() })
    }

    /// All `k!` permutations of the coordinates of `R^k`, `k <= 8`, in lexicographic order.
    ///
    /// # Errors
    ///
    /// [`GroupError::Empty`] if `k = 0`, [`GroupError::TooLarge`] if `k > 8`.
    pub fn symmetric(k: usize) -> Result<Self, GroupError> {
        if k > 8 {
            return Err(GroupError::TooLarge { coordinates: k });
        }
        if k == 0 {
            return Err(GroupError::Empty { elements: 0, dimension: 0 });
        }
        let mut elements = vec![];
        let mut current: Vec<usize> = (0..k).collect();
        loop {
            elements.push(Element::Permutation(current.clone()));
            // The next permutation in lexicographic order.
            let Some(i) = (0..k - 1).rev().find(|i| current[*i] < current[i + 1]) else { break };
            let Some(j) = (i + 1..k).rev().find(|j| current[*j] > current[i]) else { break };
            current.swap(i, j);
            current[i + 1..].reverse();
        }
        Ok(Self { dimension: k, elements })
    }

    /// A group of permutations of the coordinates: element `p` sends axis `i` to axis `p[i]`.
    ///
    /// The identity may stand anywhere in the list; it is moved to the front. The check costs `n^2` products for
    /// `n` elements and is exact.
    ///
    /// # Errors
    ///
    /// [`GroupError`] names the element or the pair of elements that breaks a property.
    pub fn permutations(images: &[Vec<usize>]) -> Result<Self, GroupError> {
        let dimension = images.first().map_or(0, Vec::len);
        if dimension == 0 {
            return Err(GroupError::Empty { elements: images.len(), dimension });
        }
        let mut sources = Vec::with_capacity(images.len());
        for (element, image) in images.iter().enumerate() {
            sources.push(invert(element, image, dimension)?);
        }
        let known: HashSet<&[usize]> = sources.iter().map(Vec::as_slice).collect();
        for (second, source) in sources.iter().enumerate() {
            if let Some(first) = sources[..second].iter().position(|s| s == source) {
                return Err(GroupError::Repeated { first, second });
            }
        }
        let identity: Vec<usize> = (0..dimension).collect();
        let place = sources.iter().position(|s| *s == identity).ok_or(GroupError::NoIdentity)?;
        for (first, a) in sources.iter().enumerate() {
            for (second, b) in sources.iter().enumerate() {
                // (A B u)_i = (B u)_{a[i]} = u_{b[a[i]]}
                let product: Vec<usize> = a.iter().map(|i| b[*i]).collect();
                if !known.contains(product.as_slice()) {
                    return Err(GroupError::NotClosed { first, second });
                }
            }
        }
        let mut elements: Vec<Element> = sources.into_iter().map(Element::Permutation).collect();
        elements[..=place].rotate_right(1);
        Ok(Self { dimension, elements })
    }

    /// Any finite group of orthogonal `d x d` matrices, given by all of its elements.
    ///
    /// The identity may stand anywhere in the list; it is moved to the front. Products and inverses are compared to
    /// within `1e-12 d` in each entry. The check costs `n^2` products of `d x d` matrices for `n` elements.
    ///
    /// # Errors
    ///
    /// [`GroupError`] names the element or the pair of elements that breaks a property.
    ///
    /// # Examples
    ///
    /// ```
    /// use popgrad::{FiniteGroup, Matrix};
    /// let quarter = Matrix::from_rows(&[[0.0, -1.0], [1.0, 0.0]]);
    /// let error = FiniteGroup::try_new(vec![Matrix::identity(2, 2), quarter]).unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "the product of element 1 and element 1 is not in the list; a group is closed under products"
    /// );
    /// ```
    pub fn try_new(matrices: Vec<Matrix>) -> Result<Self, GroupError> {
        let dimension = matrices.first().map_or(0, Matrix::rows);
        if dimension == 0 {
            return Err(GroupError::Empty { elements: matrices.len(), dimension });
        }
        let tolerance = MATCH * dimension as f64;
        for (element, matrix) in matrices.iter().enumerate() {
            check_orthogonal(element, matrix, dimension, tolerance)?;
        }
        for second in 0..matrices.len() {
            if let Some(first) = find(&matrices[..second], &matrices[second], tolerance) {
                return Err(GroupError::Repeated { first, second });
            }
        }
        let place = find(&matrices, &Matrix::identity(dimension, dimension), tolerance);
        let place = place.ok_or(GroupError::NoIdentity)?;
        for (first, a) in matrices.iter().enumerate() {
            for (second, b) in matrices.iter().enumerate() {
                if find(&matrices, &product(a, &b.transposed()), tolerance).is_none() {
                    return Err(GroupError::NotClosed { first, second });
                }
            }
        }
        let mut elements: Vec<Element> = matrices.into_iter().map(Element::Dense).collect();
        elements[place] = Element::Dense(Matrix::identity(dimension, dimension));
        elements[..=place].rotate_right(1);
        Ok(Self { dimension, elements })
    }

    /// Number of elements.
    pub fn order(&self) -> usize {
        self.elements.len()
    }

    /// Number of coordinates `d` that the elements act on.
    pub fn dimension(&self) -> usize {
        self.dimension
    }

    /// Element `j` as a matrix; element 0 is the identity.
    ///
    /// # Panics
    ///
    /// If `j` is not below [`FiniteGroup::order`].
    pub fn matrix(&self, j: usize) -> Matrix {
        match &self.elements[j] {
            Element::Dense(matrix) => matrix.clone(),
            Element::Permutation(source) => {
                let mut out = Matrix::zeros(self.dimension, self.dimension);
                for (i, s) in source.iter().enumerate() {
                    out.row_mut(i)[*s] = 1.0;
                }
                out
            }
        }
    }

    /// `P_j u` into `out`, both of length [`FiniteGroup::dimension`].
    pub(crate) fn apply(&self, j: usize, u: &[f64], out: &mut [f64]) {
        self.elements[j].apply(u, out);
    }

    /// `P_j^T u` into `out`.
    pub(crate) fn apply_inverse(&self, j: usize, u: &[f64], out: &mut [f64]) {
        self.elements[j].apply_inverse(u, out);
    }

    /// The orbit of `u` as rows `P_j u`, one for each element (`n x d`).
    ///
    /// # Panics
    ///
    /// If `u` does not have [`FiniteGroup::dimension`] entries.
    pub fn orbit(&self, u: &[f64]) -> Matrix {
        assert_eq!(u.len(), self.dimension, "a vector of the group's dimension");
        let mut rows = Matrix::zeros(self.order(), self.dimension);
        for j in 0..self.order() {
            self.apply(j, u, rows.row_mut(j));
        }
        rows
    }
}

/// The inverse of a permutation, or the error that says why it is none.
fn invert(element: usize, image: &[usize], dimension: usize) -> Result<Vec<usize>, GroupError> {
    if image.len() != dimension {
        return Err(GroupError::Shape { element, rows: image.len(), cols: image.len(), dimension });
    }
    let mut source = vec![usize::MAX; dimension];
    for (i, target) in image.iter().enumerate() {
        match source.get_mut(*target) {
            Some(s) if *s == usize::MAX => *s = i,
            _ => return Err(GroupError::NotPermutation { element, dimension, image: *target }),
        }
    }
    Ok(source)
}

/// `a b`, given `b` transposed.
fn product(a: &Matrix, b_transposed: &Matrix) -> Matrix {
    let d = a.rows();
    let mut out = Matrix::zeros(d, d);
    for i in 0..d {
        for j in 0..d {
            out.row_mut(i)[j] = dot(a.row(i), b_transposed.row(j));
        }
    }
    out
}

/// Index of the first listed matrix whose entries all equal those of `wanted`.
fn find(list: &[Matrix], wanted: &Matrix, tolerance: f64) -> Option<usize> {
    list.iter()
        .position(|m| m.as_slice().iter().zip(wanted.as_slice()).all(|(a, b)| (a - b).abs() <= tolerance))
}

/// Checks size, finiteness and `P P^T = I`.
fn check_orthogonal(
    element: usize,
    matrix: &Matrix,
    dimension: usize,
    tolerance: f64,
) -> Result<(), GroupError> {
    if matrix.rows() != dimension || matrix.cols() != dimension {
        return Err(GroupError::Shape { element, rows: matrix.rows(), cols: matrix.cols(), dimension });
    }
    if let Some((index, value)) = first_non_finite(matrix.as_slice()) {
        return Err(GroupError::NonFinite { element, index, value });
    }
    for row in 0..dimension {
        for other in 0..=row {
            let product = dot(matrix.row(row), matrix.row(other));
            let expected = f64::from(u8::from(row == other));
            // Written so that a product that overflows to NaN is refused too.
            if (product - expected).abs() <= tolerance {
                continue;
            }
            return Err(GroupError::NotOrthogonal { element, row, other, product, expected, tolerance });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cyclic_shifts_are_a_group_and_move_axes_forward() {
        let group = FiniteGroup::cyclic(4).unwrap();
        assert_eq!(group.orbit(&[1.0, 0.0, 0.0, 0.0]).row(1), [0.0, 1.0, 0.0, 0.0]);
        let all: Vec<Matrix> = (0..4).map(|j| group.matrix(j)).collect();
        assert!(FiniteGroup::try_new(all).is_ok());
    }

    #[test]
    fn rotations_of_every_order_pass_the_general_check() {
        for n in 1..=12 {
            let group = FiniteGroup::rotations(n).unwrap();
            let all: Vec<Matrix> = (0..n).map(|j| group.matrix(j)).collect();
            assert_eq!(FiniteGroup::try_new(all).unwrap().order(), n);
        }
    }

    #[test]
    fn the_inverse_map_undoes_the_map() {
        for group in [FiniteGroup::symmetric(3).unwrap(), FiniteGroup::cyclic(3).unwrap()] {
            let u = [0.3, -1.0, 2.0];
            let (mut there, mut back) = ([0.0; 3], [0.0; 3]);
            for j in 0..group.order() {
                group.apply(j, &u, &mut there);
                group.apply_inverse(j, &there, &mut back);
                assert_eq!(back, u);
            }
        }
    }

    #[test]
    fn broken_lists_are_refused_by_name() {
        let (one, flip) = (vec![0, 1, 2], vec![1, 0, 2]);
        let turn = vec![1, 2, 0];
        let message = |e: Result<FiniteGroup, GroupError>| e.unwrap_err().to_string();
        assert_eq!(
            message(FiniteGroup::permutations(&[one.clone(), flip.clone(), turn.clone()])),
            "the product of element 1 and element 2 is not in the list; a group is closed under products"
        );
        assert_eq!(
            FiniteGroup::permutations(std::slice::from_ref(&flip)).unwrap_err(),
            GroupError::NoIdentity
        );
        assert_eq!(
            FiniteGroup::permutations(&[one.clone(), one.clone()]).unwrap_err(),
            GroupError::Repeated { first: 0, second: 1 }
        );
        assert_eq!(
            message(FiniteGroup::permutations(&[one.clone(), vec![0, 0, 1]])),
            "element 1 is not a permutation of 0..3: the image 0 is out of range or repeated"
        );
        assert_eq!(FiniteGroup::permutations(&[flip, one]).unwrap().order(), 2);
        let shear = Matrix::from_rows(&[[1.0, 1.0], [0.0, 1.0]]);
        assert!(
            message(FiniteGroup::try_new(vec![Matrix::identity(2, 2), shear])).contains("not orthogonal")
        );
        assert_eq!(FiniteGroup::symmetric(9).unwrap_err().kind(), Kind::Resource);
    }
}
