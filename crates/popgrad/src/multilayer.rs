//! The gradient structure of multilayer ReLU networks on samples (Tian 2017, Proposition 2 and eq. 19).
//!
//! A network is a stack of ReLU layers under a linear output layer with one or several outputs. With `u_j` the output
//! of unit `j` (after its ReLU), `D_j` its gate and `Q_j` the derivative of an output with respect to `u_j`, every
//! layer satisfies `sum_j Q_j u_j = g`, and the gradient of each unit is its gate, times `Q_j`, times the difference
//! of that sum between student and teacher (docs/theory/multilayer.md, (P.1)-(P.6)). The statements hold sample by
//! sample for any inputs; no law of `x` is supposed, and none gives a closed form here.
//!
//! Losses and gradients are means over samples; the paper's sums are `N` times these. Sums run in index order.

use crate::network::{check_list, check_matrix};
use crate::vector::dot;
use crate::{Matrix, MatrixView, NetworkError};

/// A stack of ReLU layers under a linear output layer.
///
/// ```
/// use popgrad::{DeepNetwork, Matrix};
/// let net = DeepNetwork::try_new(
///     vec![Matrix::from_rows(&[[1.0, 0.0], [0.0, -1.0]]), Matrix::from_rows(&[[1.0, 1.0]])],
///     Matrix::from_rows(&[[2.0], [-1.0]]),
/// )?;
/// let g = net.forward(Matrix::from_rows(&[[3.0, -4.0]]).view())?;
/// assert_eq!(g.row(0), [14.0, -7.0]);
/// # Ok::<(), popgrad::NetworkError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct DeepNetwork {
    hidden: Vec<Matrix>,
    output: Matrix,
}

/// What the gradient pulls the student towards, and in which of the two equal forms.
#[derive(Clone, Copy, Debug)]
pub enum DeepTarget<'a> {
    /// Any targets `g*`, N x outputs: the form `Q_j (g - g*)`.
    Outputs(MatrixView<'a>),
    /// A teacher of the same depth: the form `Q_j (sum Q_j' u_j' - sum Q*_j' u*_j')`, each layer with its own sums.
    Teacher(&'a DeepNetwork),
}

/// Value and gradient of a multilayer loss.
#[derive(Clone, Debug, PartialEq)]
pub struct DeepGradient {
    /// The loss, `1/(2N)` times the sum of squared residuals over samples and outputs.
    pub loss: f64,
    /// Gradient in each hidden layer, bottom to top, rows as the layer's units.
    pub hidden: Vec<Matrix>,
    /// Gradient in the output layer, rows as the outputs.
    pub output: Matrix,
}

/// The `Q_j` of every hidden layer and output, sample by sample; see [`DeepNetwork::path_weights`].
#[derive(Clone, Debug, PartialEq)]
pub struct PathWeights {
    layers: Vec<Vec<Matrix>>,
}

impl PathWeights {
    /// `Q` of one hidden layer (0 is the lowest) and one output, N x width: entry `(n, j)` is the derivative of the
    /// output with respect to unit `j`'s value at sample `n`.
    ///
    /// # Panics
    ///
    /// If the network has no such layer or output.
    pub fn at(&self, layer: usize, output: usize) -> &Matrix {
        &self.layers[layer][output]
    }
}

impl DeepNetwork {
    /// A network of hidden layers, bottom to top, rows as units, under an output layer, rows as outputs.
    ///
    /// - Shapes: each layer has as many columns as the layer below has rows; the lowest, the input dimension.
    ///
    /// # Errors
    ///
    /// [`NetworkError::Empty`], [`NetworkError::Size`], [`NetworkError::NonFinite`].
    pub fn try_new(hidden: Vec<Matrix>, output: Matrix) -> Result<Self, NetworkError> {
        let Some(first) = hidden.first() else {
            return Err(NetworkError::Empty { which: "the list of hidden layers", rows: 0, cols: 0 });
        };
        let mut below = first.cols();
        for layer in hidden.iter().chain([&output]) {
            check_matrix("a layer", layer.view())?;
            if layer.cols() != below {
                let (got, meaning) = (layer.cols(), "number of units in the layer below");
                return Err(NetworkError::Size { which: "a row of a layer", got, wanted: below, meaning });
            }
            below = layer.rows();
        }
        Ok(Self { hidden, output })
    }

    /// Number of layers with weights, the output layer included.
    pub fn depth(&self) -> usize {
        self.hidden.len() + 1
    }

    /// Hidden layers, bottom to top.
    pub fn hidden(&self) -> &[Matrix] {
        &self.hidden
    }

    /// The output layer.
    pub fn output(&self) -> &Matrix {
        &self.output
    }

    /// Input dimension.
    pub fn inputs(&self) -> usize {
        self.hidden[0].cols()
    }

    /// The outputs at each sample, N x outputs.
    ///
    /// - Shapes: `inputs` is N x d.
    ///
    /// # Errors
    ///
    /// [`NetworkError`] if the inputs are empty, not finite or of another dimension.
    pub fn forward(&self, inputs: MatrixView<'_>) -> Result<Matrix, NetworkError> {
        self.check(inputs)?;
        Ok(self.outputs(&self.activations(inputs)))
    }

    /// Values `u_j` of every hidden layer at each sample, N x width, bottom to top.
    ///
    /// # Errors
    ///
    /// As [`Self::forward`].
    pub fn hidden_values(&self, inputs: MatrixView<'_>) -> Result<Vec<Matrix>, NetworkError> {
        self.check(inputs)?;
        Ok(self.activations(inputs))
    }

    /// `Q_j` of every hidden layer and output: the derivative of an output with respect to a unit's value.
    ///
    /// ```text
    /// top layer: Q_j = a_oj;   below: Q_k = sum_j w_jk D_j Q_j over the units j of the layer above
    /// ```
    ///
    /// Source: Tian (2017), Proposition 2; docs/theory/multilayer.md, (P.2), (P.3). The paper's `Q = I` is the
    /// case of one hidden layer with output weights 1.
    ///
    /// - Domain: samples at which no pre-activation is zero; there the gate of a zero is taken as closed.
    ///
    /// # Errors
    ///
    /// As [`Self::forward`].
    pub fn path_weights(&self, inputs: MatrixView<'_>) -> Result<PathWeights, NetworkError> {
        self.check(inputs)?;
        Ok(self.paths(&self.activations(inputs)))
    }

    fn check(&self, inputs: MatrixView<'_>) -> Result<(), NetworkError> {
        check_matrix("inputs", inputs)?;
        let (got, wanted) = (inputs.cols(), self.inputs());
        if got != wanted {
            let meaning = "input dimension of the network";
            return Err(NetworkError::Size { which: "a row of the inputs", got, wanted, meaning });
        }
        Ok(())
    }

    fn activations(&self, inputs: MatrixView<'_>) -> Vec<Matrix> {
        let mut values: Vec<Matrix> = Vec::with_capacity(self.hidden.len());
        for layer in &self.hidden {
            let below = values.last().map_or(inputs, Matrix::view);
            let mut out = product(below, layer);
            for u in out.as_mut_slice() {
                *u = u.max(0.0);
            }
            values.push(out);
        }
        values
    }

    fn outputs(&self, values: &[Matrix]) -> Matrix {
        product(values[values.len() - 1].view(), &self.output)
    }

    fn paths(&self, values: &[Matrix]) -> PathWeights {
        let samples = values[0].rows();
        let top: Vec<Matrix> = (0..self.output.rows())
            .map(|o| {
                let mut q = Matrix::zeros(samples, self.output.cols());
                for n in 0..samples {
                    q.row_mut(n).copy_from_slice(self.output.row(o));
                }
                q
            })
            .collect();
        let mut layers = vec![top];
        for (layer, u) in self.hidden.iter().zip(values).skip(1).rev() {
            let above = &layers[layers.len() - 1];
            layers.push(above.iter().map(|q| descend(q, u, layer)).collect());
        }
        layers.reverse();
        PathWeights { layers }
    }
}

/// `x w^T`: rows of `x` are samples, rows of `w` are units.
fn product(x: MatrixView<'_>, w: &Matrix) -> Matrix {
    let mut out = Matrix::zeros(x.rows(), w.rows());
    for n in 0..x.rows() {
        for j in 0..w.rows() {
            out.row_mut(n)[j] = dot(x.row(n), w.row(j));
        }
    }
    out
}

/// `Q_k = sum_j w_jk D_j Q_j`, one layer down; a gate is open where the unit's value is positive.
fn descend(q: &Matrix, u: &Matrix, layer: &Matrix) -> Matrix {
    let mut out = Matrix::zeros(q.rows(), layer.cols());
    for n in 0..q.rows() {
        for j in 0..layer.rows() {
            if u.row(n)[j] > 0.0 {
                let factor = q.row(n)[j];
                for (sum, w) in out.row_mut(n).iter_mut().zip(layer.row(j)) {
                    *sum += factor * w;
                }
            }
        }
    }
    out
}

/// `sum_j Q_j u_j` of one layer for each output, N x outputs: the network's outputs, formed at that layer.
fn layer_sums(q: &[Matrix], u: &Matrix) -> Matrix {
    let mut out = Matrix::zeros(u.rows(), q.len());
    for n in 0..u.rows() {
        for (o, q) in q.iter().enumerate() {
            out.row_mut(n)[o] = dot(q.row(n), u.row(n));
        }
    }
    out
}

fn difference(a: &Matrix, b: MatrixView<'_>) -> Matrix {
    let mut out = a.clone();
    for (x, y) in out.as_mut_slice().iter_mut().zip(b.as_slice()) {
        *x -= y;
    }
    out
}

/// Loss of a multilayer network and its gradient, by Proposition 2.
///
/// ```text
/// J = 1/(2N) sum_n |g(x_n) - g*(x_n)|^2
/// dJ/dw_j = 1/N sum_n x_c D_j sum_o Q_jo (g_o - g*_o),   x_c the values of the layer below
///         = 1/N sum_n x_c D_j sum_o Q_jo sum_j' (Q_j'o u_j' - Q*_j'o u*_j')
/// ```
///
/// The residual of the second form is summed anew in every layer over that layer's units, of the student and of the
/// teacher; the widths may differ, the depth may not. Both forms agree up to rounding.
///
/// Source: Tian (2017), Proposition 2, eq. 19, divided by N; docs/theory/multilayer.md, (P.4), (P.5).
///
/// - Shapes: `inputs` N x d; targets N x outputs, or a teacher with as many inputs, outputs and layers.
/// - Domain: exact where no pre-activation is zero; there the gate is taken as closed.
/// - Accuracy (measured, against an independent backward pass, depth 2 to 5): relative error at most `1e-12` of the
///   largest entry, in both forms.
///
/// # Errors
///
/// [`NetworkError`] if the inputs, the targets or the teacher do not fit, or an entry is not finite.
///
/// # Examples
///
/// ```
/// use popgrad::{DeepNetwork, DeepTarget, Matrix, multilayer_gradient};
/// let net = |w: f64| DeepNetwork::try_new(vec![Matrix::from_rows(&[[w]])], Matrix::from_rows(&[[1.0]]));
/// let (student, teacher) = (net(2.0)?, net(1.0)?);
/// let inputs = Matrix::from_rows(&[[3.0], [-1.0]]);
/// let g = multilayer_gradient(&student, inputs.view(), DeepTarget::Teacher(&teacher))?;
/// // One active sample, residual 3: J = 9/4 and dJ/dw = 3 * 3 / 2.
/// assert_eq!((g.loss, g.hidden[0].row(0)[0]), (2.25, 4.5));
/// # Ok::<(), popgrad::NetworkError>(())
/// ```
pub fn multilayer_gradient(
    student: &DeepNetwork,
    inputs: MatrixView<'_>,
    target: DeepTarget<'_>,
) -> Result<DeepGradient, NetworkError> {
    student.check(inputs)?;
    let values = student.activations(inputs);
    let paths = student.paths(&values);
    let top = student.outputs(&values);
    let (residuals, top) = match target {
        DeepTarget::Outputs(wanted) => {
            let size = top.as_slice().len();
            check_list("targets", wanted.as_slice(), size, "number of samples times the number of outputs")?;
            let residual = difference(&top, wanted);
            (vec![residual.clone(); values.len()], residual)
        }
        DeepTarget::Teacher(teacher) => {
            check_teacher(student, teacher, inputs)?;
            let star = teacher.activations(inputs);
            let star_paths = teacher.paths(&star);
            let residual = |l: usize| {
                let own = layer_sums(&paths.layers[l], &values[l]);
                difference(&own, layer_sums(&star_paths.layers[l], &star[l]).view())
            };
            ((0..values.len()).map(residual).collect(), difference(&top, teacher.outputs(&star).view()))
        }
    };
    Ok(assemble(student, inputs, (&values, &paths), (&residuals, &top)))
}

fn check_teacher(
    student: &DeepNetwork,
    teacher: &DeepNetwork,
    inputs: MatrixView<'_>,
) -> Result<(), NetworkError> {
    teacher.check(inputs)?;
    let fits = |which, got, wanted, meaning| {
        if got == wanted { Ok(()) } else { Err(NetworkError::Size { which, got, wanted, meaning }) }
    };
    fits("the teacher", teacher.depth(), student.depth(), "number of layers of the student")?;
    fits("the teacher's output layer", teacher.output.rows(), student.output.rows(), "student's outputs")
}

/// Gradients of every layer from gates, path weights and residuals.
fn assemble(
    student: &DeepNetwork,
    inputs: MatrixView<'_>,
    (values, paths): (&[Matrix], &PathWeights),
    (residuals, top): (&[Matrix], &Matrix),
) -> DeepGradient {
    let scale = 1.0 / inputs.rows() as f64;
    let mut hidden = Vec::with_capacity(values.len());
    for (l, layer) in student.hidden.iter().enumerate() {
        let below = if l == 0 { inputs } else { values[l - 1].view() };
        let mut gradient = Matrix::zeros(layer.rows(), layer.cols());
        for n in 0..inputs.rows() {
            for j in 0..layer.rows() {
                if values[l].row(n)[j] > 0.0 {
                    let pull = paths.layers[l].iter().zip(residuals[l].row(n)).map(|(q, r)| q.row(n)[j] * r);
                    add_scaled(pull.sum::<f64>() * scale, below.row(n), gradient.row_mut(j));
                }
            }
        }
        hidden.push(gradient);
    }
    let mut output = Matrix::zeros(student.output.rows(), student.output.cols());
    for n in 0..inputs.rows() {
        for o in 0..output.rows() {
            add_scaled(top.row(n)[o] * scale, values[values.len() - 1].row(n), output.row_mut(o));
        }
    }
    DeepGradient { loss: 0.5 * scale * dot(top.as_slice(), top.as_slice()), hidden, output }
}

fn add_scaled(factor: f64, x: &[f64], out: &mut [f64]) {
    for (sum, x) in out.iter_mut().zip(x) {
        *sum += factor * x;
    }
}
