//! Proposition 2: the gradient of a multilayer network, layer by layer, on samples.

use super::claim::{Bench, Bound, Claim, Failure, Findings, Group, Outcome, Verdict};
use super::sampling::{distance, dot, largest, length};
use popgrad::{DeepNetwork, DeepTarget, Matrix, MatrixView, RandomStream, multilayer_gradient};

/// Where Proposition 2 leaves something open.
const NOTE: &str = "Eq. 19 does not say in which direction layers are numbered nor whether u is taken before or after the \
                    ReLU: it holds with layers numbered downwards from the output and u after the ReLU, for a linear \
                    output.";

/// The formula.
pub(super) const GRADIENT: Claim = Claim {
    id: "proposition2-gradient",
    title: "The gradient of every layer has one form",
    group: Group::Multilayer,
    statement: "In a multilayer ReLU network \u{2207}_j J = X_c' D_j Q_j \u{3a3}_j' (Q_j' u_j' \u{2212} Q*_j' u*_j'), where Q follows \
                from Q_k = \u{3a3}_j w_jk D_j Q_j layer by layer.",
    source: "Proposition 2, eq. 19",
    method: "Random networks of depth 2 to 5 with 1 to 3 outputs on random inputs, student and teacher of equal depth and \
             different widths: every layer's gradient against a backward pass written independently.",
    expected: Verdict::Holds,
    note: NOTE,
    measure: gradient,
};

/// Two layers.
pub(super) const TWO_LAYERS: Claim = Claim {
    id: "proposition2-two-layers",
    title: "Two layers give back Q = I",
    group: Group::Multilayer,
    statement: "For two layers with output weights 1 all Q are the identity, and eq. 19 becomes the gradient of the two-layer \
                network.",
    source: "Proposition 2",
    method: "Random two-layer networks: every entry of Q against 1, and eq. 19 against the sample mean of X' D_j (g \u{2212} g*).",
    expected: Verdict::Holds,
    note: "",
    measure: two_layers,
};

/// The two forms.
pub(super) const FORMS: Claim = Claim {
    id: "proposition2-forms",
    title: "The sums over a layer are the output",
    group: Group::Multilayer,
    statement: "In every layer \u{3a3}_j Q_j u_j = g, for the student as for the teacher, so that the form with Q*u* and the form \
                with g* agree.",
    source: "Proposition 2 and its proof",
    method: "For the same random networks: the sums over each layer against the output, and the gradient in both forms.",
    expected: Verdict::Holds,
    note: NOTE,
    measure: forms,
};

/// A pair of networks of one depth with inputs for both.
struct Case {
    student: DeepNetwork,
    teacher: DeepNetwork,
    inputs: Matrix,
}

fn layer(stream: &mut RandomStream, rows: usize, cols: usize) -> Matrix {
    let mut m = Matrix::zeros(rows, cols);
    stream.fill_normal(m.as_mut_slice());
    let scale = (2.0 / cols as f64).sqrt();
    m.as_mut_slice().iter_mut().for_each(|x| *x *= scale);
    m
}

fn network(
    stream: &mut RandomStream,
    (d, depth, outputs): (usize, usize, usize),
) -> Result<DeepNetwork, Failure> {
    let (mut hidden, mut below) = (Vec::new(), d);
    for _ in 1..depth {
        let width = 2 + (stream.next_u64() % 5) as usize;
        hidden.push(layer(stream, width, below));
        below = width;
    }
    let output = layer(stream, outputs, below);
    Ok(DeepNetwork::try_new(hidden, output)?)
}

fn case(bench: &Bench<'_>, index: u64) -> Result<Case, Failure> {
    let mut stream = bench.stream(index);
    let depth = 2 + (index % 4) as usize;
    let shape = (2 + (index % 5) as usize, depth, 1 + (index % 3) as usize);
    let student = network(&mut stream, shape)?;
    let teacher = network(&mut stream, shape)?;
    let mut inputs = Matrix::zeros(12, shape.0);
    stream.fill_normal(inputs.as_mut_slice());
    Ok(Case { student, teacher, inputs })
}

/// Activations before the ReLU of every hidden layer, and the outputs, of one sample.
fn forward(net: &DeepNetwork, x: &[f64]) -> (Vec<Vec<f64>>, Vec<f64>) {
    let mut before = Vec::new();
    let mut below = x.to_vec();
    for weights in net.hidden() {
        let z: Vec<f64> = (0..weights.rows()).map(|j| dot(weights.row(j), &below)).collect();
        below = z.iter().map(|z| z.max(0.0)).collect();
        before.push(z);
    }
    let output = net.output();
    (before, (0..output.rows()).map(|o| dot(output.row(o), &below)).collect())
}

/// Gradients of all layers, the output layer last, by the chain rule from the output down, sample by sample.
fn backward(case: &Case) -> Vec<Matrix> {
    let net = &case.student;
    let layers: Vec<&Matrix> = net.hidden().iter().chain([net.output()]).collect();
    let mut gradients: Vec<Matrix> = layers.iter().map(|w| Matrix::zeros(w.rows(), w.cols())).collect();
    let samples = case.inputs.rows();
    for n in 0..samples {
        let x = case.inputs.row(n);
        let (before, output) = forward(net, x);
        let wanted = forward(&case.teacher, x).1;
        let mut delta: Vec<f64> = output.iter().zip(&wanted).map(|(a, b)| (a - b) / samples as f64).collect();
        for l in (0..layers.len()).rev() {
            let below: Vec<f64> =
                if l == 0 { x.to_vec() } else { before[l - 1].iter().map(|z| z.max(0.0)).collect() };
            for (j, change) in delta.iter().enumerate() {
                gradients[l].row_mut(j).iter_mut().zip(&below).for_each(|(g, u)| *g += change * u);
            }
            if l > 0 {
                let carried = |k: usize| -> f64 {
                    delta.iter().enumerate().map(|(j, e)| e * layers[l].row(j)[k]).sum()
                };
                let gate = |z: f64| if z > 0.0 { 1.0 } else { 0.0 };
                delta = before[l - 1].iter().enumerate().map(|(k, z)| gate(*z) * carried(k)).collect();
            }
        }
    }
    gradients
}

/// All layers' gradients of the library, the output layer last.
fn library(bench: &Bench<'_>, case: &Case, target: DeepTarget<'_>) -> Result<Vec<Matrix>, Failure> {
    let found = multilayer_gradient(&case.student, case.inputs.view(), target)?;
    let mut out = found.hidden;
    out.push(found.output);
    let weights = case.student.hidden().iter().chain([case.student.output()]);
    for (gradient, w) in out.iter_mut().zip(weights) {
        bench.maths.bend(gradient.as_mut_slice(), w.as_slice());
    }
    Ok(out)
}

/// Largest distance between two lists of matrices, relative to the largest of the second.
fn apart(a: &[Matrix], b: &[Matrix]) -> f64 {
    let scale = largest(b.iter().map(|m| length(m.as_slice())));
    largest(a.iter().zip(b).map(|(a, b)| distance(a.as_slice(), b.as_slice()))) / scale.max(f64::MIN_POSITIVE)
}

fn gradient(bench: &Bench<'_>) -> Outcome {
    let mut findings = Findings::default();
    let count = bench.pick(200, 5000);
    let (mut worst, mut used) = (0.0_f64, 0);
    for i in 0..count {
        let case = case(bench, i)?;
        let expected = backward(&case);
        // A network that is silent on all inputs has no gradient to compare.
        if expected.iter().all(|m| m.as_slice().iter().all(|x| *x == 0.0)) {
            continue;
        }
        used += 1;
        worst =
            largest([worst, apart(&library(bench, &case, DeepTarget::Teacher(&case.teacher))?, &expected)]);
    }
    findings.check("networks drawn, depth 2 to 5", f64::from(used), None, Bound::at_least(100.0));
    findings.check("largest relative distance from the backward pass", worst, None, Bound::at_most(1e-12));
    Ok(findings)
}

fn two_layers(bench: &Bench<'_>) -> Outcome {
    let mut findings = Findings::default();
    let (mut identity, mut worst) = (0.0_f64, 0.0_f64);
    for i in 0..bench.pick(100, 1000) {
        let mut stream = bench.stream(i);
        let (k, d) = (2 + (i % 5) as usize, 2 + (i % 4) as usize);
        let ones = |n: usize| Matrix::try_new(1, n, vec![1.0; n]);
        let student = DeepNetwork::try_new(vec![layer(&mut stream, k, d)], ones(k)?)?;
        let teacher = DeepNetwork::try_new(vec![layer(&mut stream, k, d)], ones(k)?)?;
        let mut inputs = Matrix::zeros(16, d);
        stream.fill_normal(inputs.as_mut_slice());
        let q = student.path_weights(inputs.view())?;
        identity = largest([
            identity,
            largest(q.at(0, 0).as_slice().iter().map(|x| (bench.maths.tainted(*x) - 1.0).abs())),
        ]);
        let case = Case { student, teacher, inputs };
        let found = library(bench, &case, DeepTarget::Teacher(&case.teacher))?;
        let mut direct = Matrix::zeros(k, d);
        for n in 0..16 {
            let x = case.inputs.row(n);
            let sum = |w: &Matrix| (0..w.rows()).map(|j| dot(w.row(j), x).max(0.0)).sum::<f64>();
            let residual = (sum(&case.student.hidden()[0]) - sum(&case.teacher.hidden()[0])) / 16.0;
            for j in 0..k {
                if dot(case.student.hidden()[0].row(j), x) > 0.0 {
                    direct.row_mut(j).iter_mut().zip(x).for_each(|(g, x)| *g += residual * x);
                }
            }
        }
        worst = largest([worst, apart(&found[..1], &[direct])]);
    }
    findings.check("largest distance of an entry of Q from 1", identity, None, Bound::exactly(0.0));
    findings.check(
        "largest relative distance from X' D (g \u{2212} g*)/N",
        worst,
        None,
        Bound::at_most(1e-12),
    );
    Ok(findings)
}

/// Largest distance, over layers, of `sum_j Q_j u_j` from the output, relative to the output.
fn layer_error(net: &DeepNetwork, inputs: MatrixView<'_>) -> Result<f64, Failure> {
    let (q, u) = (net.path_weights(inputs)?, net.hidden_values(inputs)?);
    let output = net.forward(inputs)?;
    let scale = largest(output.as_slice().iter().map(|x| x.abs())).max(f64::MIN_POSITIVE);
    let mut worst = 0.0_f64;
    for (l, values) in u.iter().enumerate() {
        for o in 0..output.cols() {
            for n in 0..inputs.rows() {
                let sum = dot(q.at(l, o).row(n), values.row(n));
                worst = largest([worst, (sum - output.row(n)[o]).abs() / scale]);
            }
        }
    }
    Ok(worst)
}

fn forms(bench: &Bench<'_>) -> Outcome {
    let mut findings = Findings::default();
    let (mut sums, mut both) = (0.0_f64, 0.0_f64);
    for i in 0..bench.pick(200, 5000) {
        let case = case(bench, i)?;
        sums = largest([sums, layer_error(&case.student, case.inputs.view())?]);
        sums = largest([sums, layer_error(&case.teacher, case.inputs.view())?]);
        let wanted = case.teacher.forward(case.inputs.view())?;
        let by_teacher = library(bench, &case, DeepTarget::Teacher(&case.teacher))?;
        let outputs =
            multilayer_gradient(&case.student, case.inputs.view(), DeepTarget::Outputs(wanted.view()))?;
        let mut by_outputs = outputs.hidden;
        by_outputs.push(outputs.output);
        if length(by_outputs[0].as_slice()) > 0.0 {
            both = largest([both, apart(&by_teacher, &by_outputs)]);
        }
    }
    findings.check(
        "largest relative error of \u{3a3}_j Q_j u_j = g over layers",
        sums,
        None,
        Bound::at_most(1e-12),
    );
    findings.check("largest relative distance between the two forms", both, None, Bound::at_most(1e-12));
    Ok(findings)
}
