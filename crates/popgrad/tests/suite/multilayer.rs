//! Proposition 2: golden values, an independent backward pass, the two forms of the gradient, `Q = I`.

use crate::fixture::{Worst, allowed, list, number, numbers, read};
use popgrad::{DeepNetwork, DeepTarget, Matrix, RandomStream, multilayer_gradient};
use serde_json::Value;

const EPS: f64 = f64::EPSILON;

fn rows(value: &Value) -> Matrix {
    let rows: Vec<Vec<f64>> = list(value).iter().map(numbers).collect();
    Matrix::try_from_rows(&rows).unwrap()
}

/// The fixture keeps weights with a unit a column.
fn fixture_network(file: &Value, suffix: &str) -> DeepNetwork {
    let hidden = ["W1", "W2"].map(|name| rows(&file[&format!("{name}{suffix}")]).transposed());
    let top = numbers(&file[&format!("a{suffix}")]);
    let output = Matrix::try_new(1, top.len(), top).unwrap();
    DeepNetwork::try_new(hidden.to_vec(), output).unwrap()
}

#[test]
fn golden_outputs_path_weights_and_gradients() {
    let file = read("multilayer.json");
    let (student, teacher) = (fixture_network(&file, ""), fixture_network(&file, "_star"));
    let inputs = rows(&file["X"]);
    let samples = inputs.rows() as f64;
    let mut worst = Worst::new("multilayer");
    let mut compare = |what: &str, row: &str, got: &Matrix, want: &Matrix, factor: f64| {
        let scale = want.as_slice().iter().fold(0.0_f64, |m, x| m.max(x.abs()));
        for (i, (g, w)) in got.as_slice().iter().zip(want.as_slice()).enumerate() {
            worst.check(factor * g, *w, allowed(row, scale), || format!("{what}[{i}]"));
        }
    };
    for (net, suffix) in [(&student, ""), (&teacher, "_star")] {
        let want = numbers(&file[&format!("output{suffix}")]);
        let want = Matrix::try_new(4, 1, want).unwrap();
        compare("output", "DeepNetwork::forward", &net.forward(inputs.view()).unwrap(), &want, 1.0);
    }
    let paths = student.path_weights(inputs.view()).unwrap();
    compare("Q1", "DeepNetwork::path_weights", paths.at(0, 0), &rows(&file["Q1"]), 1.0);
    compare("Q2", "DeepNetwork::path_weights", paths.at(1, 0), &rows(&file["Q2"]), 1.0);
    let targets = teacher.forward(inputs.view()).unwrap();
    for target in [DeepTarget::Outputs(targets.view()), DeepTarget::Teacher(&teacher)] {
        let got = multilayer_gradient(&student, inputs.view(), target).unwrap();
        compare(
            "grad_W1",
            "multilayer_gradient",
            &got.hidden[0],
            &rows(&file["grad_W1"]).transposed(),
            samples,
        );
        compare(
            "grad_W2",
            "multilayer_gradient",
            &got.hidden[1],
            &rows(&file["grad_W2"]).transposed(),
            samples,
        );
        let loss = number(&file["J"]);
        assert!((samples * got.loss / loss - 1.0).abs() < 32.0 * EPS, "{} {loss}", got.loss);
    }
}

/// Widths from below, inputs first and outputs last.
fn random_network(stream: &mut RandomStream, widths: &[usize]) -> DeepNetwork {
    let mut layers: Vec<Matrix> = widths
        .windows(2)
        .map(|w| {
            let mut data = vec![0.0; w[0] * w[1]];
            stream.fill_normal(&mut data);
            Matrix::try_new(w[1], w[0], data).unwrap()
        })
        .collect();
    let output = layers.pop().unwrap();
    DeepNetwork::try_new(layers, output).unwrap()
}

/// Independent: a plain backward pass, sample by sample, that pulls one error vector down through the layers and knows
/// nothing of path weights. Gradients of all layers, the output layer last.
fn backward_pass(net: &DeepNetwork, inputs: &Matrix, targets: &Matrix) -> Vec<Vec<f64>> {
    let layers: Vec<&Matrix> = net.hidden().iter().chain([net.output()]).collect();
    let mut gradients: Vec<Vec<f64>> = layers.iter().map(|l| vec![0.0; l.rows() * l.cols()]).collect();
    for n in 0..inputs.rows() {
        let mut values = vec![inputs.row(n).to_vec()];
        for (l, layer) in layers.iter().enumerate() {
            let below = &values[l];
            let unit = |j: usize| layer.row(j).iter().zip(below).map(|(w, x)| w * x).sum::<f64>();
            let relu = l + 1 < layers.len();
            let above = (0..layer.rows()).map(|j| if relu { unit(j).max(0.0) } else { unit(j) }).collect();
            values.push(above);
        }
        let mut error: Vec<f64> =
            values[layers.len()].iter().zip(targets.row(n)).map(|(g, t)| g - t).collect();
        for l in (0..layers.len()).rev() {
            let layer = layers[l];
            let mut below = vec![0.0; layer.cols()];
            for j in 0..layer.rows() {
                for i in 0..layer.cols() {
                    gradients[l][j * layer.cols() + i] += error[j] * values[l][i] / inputs.rows() as f64;
                    below[i] += error[j] * layer.row(j)[i];
                }
            }
            for (b, u) in below.iter_mut().zip(&values[l]) {
                if l > 0 && *u <= 0.0 {
                    *b = 0.0;
                }
            }
            error = below;
        }
    }
    gradients
}

fn largest(list: &[f64]) -> f64 {
    list.iter().fold(0.0, |m, x| m.max(x.abs()))
}

#[test]
fn random_networks_agree_with_an_independent_backward_pass() {
    let mut worst = Worst::new("Proposition 2 against a backward pass");
    let (mut draws, mut active) = (0, 0);
    for depth in 2..=5 {
        for seed in 0..30 {
            let mut stream = RandomStream::new(300 + depth as u64, seed);
            let mut width = |most: u64| 1 + usize::try_from(stream.next_u64() % most).unwrap();
            let (inputs, outputs, samples) = (width(6), width(4), width(12));
            let mut widths = |fixed: &[usize; 2]| -> Vec<usize> {
                let middle: Vec<usize> = (1..depth).map(|_| 3 + width(6)).collect();
                [&[fixed[0]][..], &middle, &[fixed[1]]].concat()
            };
            let (wide, star) = (widths(&[inputs, outputs]), widths(&[inputs, outputs]));
            let (student, teacher) = (random_network(&mut stream, &wide), random_network(&mut stream, &star));
            assert_eq!((student.depth(), teacher.depth()), (depth, depth));
            let mut x = Matrix::zeros(samples, inputs);
            stream.fill_normal(x.as_mut_slice());
            let targets = teacher.forward(x.view()).unwrap();
            let want = backward_pass(&student, &x, &targets);
            for target in [DeepTarget::Outputs(targets.view()), DeepTarget::Teacher(&teacher)] {
                let got = multilayer_gradient(&student, x.view(), target).unwrap();
                let layers = got.hidden.iter().chain([&got.output]);
                for (l, (layer, want)) in layers.zip(&want).enumerate() {
                    let scale = largest(want);
                    active += usize::from(scale > 0.0);
                    for (g, w) in layer.as_slice().iter().zip(want) {
                        let most = allowed("multilayer_gradient#random", scale) + f64::MIN_POSITIVE;
                        worst.check(*g, *w, most, || format!("depth {depth}, seed {seed}, layer {l}"));
                    }
                }
            }
            draws += 1;
        }
    }
    assert!(draws >= 100 && active > 6 * draws, "{draws} draws, {active} gradients that are not zero");
}

#[test]
fn every_layer_sums_to_the_output() {
    let mut stream = RandomStream::new(310, 0);
    let net = random_network(&mut stream, &[4, 6, 5, 7, 2]);
    let mut x = Matrix::zeros(9, 4);
    stream.fill_normal(x.as_mut_slice());
    let (g, paths) = (net.forward(x.view()).unwrap(), net.path_weights(x.view()).unwrap());
    for (l, u) in net.hidden_values(x.view()).unwrap().iter().enumerate() {
        for n in 0..9 {
            for o in 0..2 {
                let terms = u.row(n).iter().zip(paths.at(l, o).row(n)).map(|(u, q)| u * q);
                let (sum, size) = terms.fold((0.0, 0.0), |(s, a), t: f64| (s + t, a + t.abs()));
                let want = g.row(n)[o];
                // At most four layers of seven terms, each summed and multiplied once.
                let most = allowed("DeepNetwork::hidden_values", size + want.abs());
                assert!((sum - want).abs() <= most, "{l} {n} {o}: {sum} {want}");
            }
        }
    }
}

/// Paper: with one hidden layer and output weights 1, `Q = I`, and eq. 19 is the two-layer gradient.
#[test]
fn two_layers_have_unit_path_weights() {
    let mut stream = RandomStream::new(311, 0);
    let mut weights = Matrix::zeros(3, 4);
    stream.fill_normal(weights.as_mut_slice());
    let mut x = Matrix::zeros(20, 4);
    stream.fill_normal(x.as_mut_slice());
    let mut star = Matrix::zeros(2, 4);
    stream.fill_normal(star.as_mut_slice());
    let ones = |k| Matrix::try_new(1, k, vec![1.0; k]).unwrap();
    let student = DeepNetwork::try_new(vec![weights.clone()], ones(3)).unwrap();
    let teacher = DeepNetwork::try_new(vec![star.clone()], ones(2)).unwrap();
    let paths = student.path_weights(x.view()).unwrap();
    assert!(paths.at(0, 0).as_slice().iter().all(|q| *q == 1.0));
    let got = multilayer_gradient(&student, x.view(), DeepTarget::Teacher(&teacher)).unwrap();
    let net = popgrad::Network::try_new(star).unwrap();
    let data = popgrad::EmpiricalLoss::try_new(&x, &net).unwrap();
    let want = data.gradient(&popgrad::Network::try_new(weights).unwrap()).unwrap();
    let scale = largest(want.weights.as_slice());
    for (g, w) in got.hidden[0].as_slice().iter().zip(want.weights.as_slice()) {
        assert!((g - w).abs() <= 64.0 * EPS * scale, "{g} {w}");
    }
    assert!((got.loss / want.loss - 1.0).abs() <= 64.0 * EPS);
}

#[test]
fn networks_that_do_not_fit_are_refused_by_name() {
    let say = |hidden: Vec<Matrix>, output| DeepNetwork::try_new(hidden, output).unwrap_err().to_string();
    let one = |r, c| Matrix::zeros(r, c);
    assert_eq!(
        say(vec![one(3, 2), one(2, 4)], one(1, 2)),
        "a row of a layer has 4 entries; it needs 3, the number of units in the layer below"
    );
    assert_eq!(
        say(vec![], one(1, 2)),
        "the list of hidden layers is 0 x 0; it needs at least one row and one column"
    );
    let net = |units| DeepNetwork::try_new(vec![one(units, 2)], one(1, units)).unwrap();
    let deep = DeepNetwork::try_new(vec![one(2, 2), one(2, 2)], one(1, 2)).unwrap();
    let x = one(1, 2);
    let error = multilayer_gradient(&net(3), x.view(), DeepTarget::Teacher(&deep)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the teacher has 3 entries; it needs 2, the number of layers of the student"
    );
    let targets = one(2, 1);
    assert!(multilayer_gradient(&net(3), x.view(), DeepTarget::Outputs(targets.view())).is_err());
    assert!(net(2).forward(one(1, 3).view()).is_err());
}
