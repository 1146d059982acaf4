//! The loss on given data: the plain sum over samples, finite differences, and descent on its landscape.

use crate::fixture::allowed;
use popgrad::{
    EmpiricalLandscape, EmpiricalLoss, Landscape, Matrix, Network, RandomStream, SampleLaw, SamplePlan,
    Trained, network_monte_carlo,
};

fn matrix(stream: &mut RandomStream, rows: usize, cols: usize) -> Matrix {
    let mut data = vec![0.0; rows * cols];
    stream.fill_normal(&mut data);
    Matrix::try_new(rows, cols, data).unwrap()
}

fn network(stream: &mut RandomStream, units: usize, d: usize, leaky: f64) -> Network {
    let weights = matrix(stream, units, d);
    let (mut output, mut skip) = (vec![0.0; units], vec![0.0; d]);
    stream.fill_normal(&mut output);
    stream.fill_normal(&mut skip);
    let net = Network::try_new(weights).unwrap().with_leaky(leaky).unwrap();
    net.with_output(output).unwrap().with_skip(skip).unwrap()
}

/// Independent: sums over samples, one at a time, as the definition reads.
#[test]
fn loss_and_gradient_are_the_plain_sums_over_samples() {
    let mut stream = RandomStream::new(200, 0);
    for (samples, d, leaky) in [(1, 3, 0.0), (8, 1, 0.0), (37, 5, 0.2), (700, 2, 0.0)] {
        let (teacher, student) = (network(&mut stream, 3, d, leaky), network(&mut stream, 2, d, leaky));
        let inputs = matrix(&mut stream, samples, d);
        let got = EmpiricalLoss::try_new(&inputs, &teacher).unwrap().gradient(&student).unwrap();
        let (mut loss, mut scale) = (0.0, 0.0);
        let mut weights = vec![0.0; 2 * d];
        let (mut output, mut skip) = ([0.0; 2], vec![0.0; d]);
        for n in 0..samples {
            let x = inputs.row(n);
            let residual = student.eval(x) - teacher.eval(x);
            loss += 0.5 * residual * residual;
            scale += (residual.abs() + 10.0) * (1.0 + x.iter().map(|c| c.abs()).sum::<f64>());
            for i in 0..d {
                skip[i] += residual * x[i];
            }
            for j in 0..2 {
                let z: f64 = x.iter().zip(student.weights().row(j)).map(|(x, w)| x * w).sum();
                output[j] += residual * if z > 0.0 { z } else { leaky * z };
                let slope = if z > 0.0 { 1.0 } else { leaky };
                for i in 0..d {
                    weights[j * d + i] += residual * slope * student.output()[j] * x[i];
                }
            }
        }
        let n = samples as f64;
        // A few roundings in each of the (at most 12) terms of a residual, and the sums' own: 64 of a mean term.
        let size = (scale / n) * (1.0 + scale / n);
        let near = |got: f64, sum: f64, what: &str| {
            let row = if what == "loss" { "EmpiricalLoss::loss" } else { "EmpiricalLoss::gradient" };
            assert!((got - sum / n).abs() <= allowed(row, size), "{what}, N = {samples}: {got} {}", sum / n);
        };
        near(got.loss, loss, "loss");
        got.output.iter().zip(output).for_each(|(g, s)| near(*g, s, "output"));
        got.skip.iter().zip(skip).for_each(|(g, s)| near(*g, s, "skip"));
        got.weights.as_slice().iter().zip(weights).for_each(|(g, s)| near(*g, s, "weights"));
        let data = EmpiricalLoss::try_new(&inputs, &teacher).unwrap();
        assert_eq!(data.loss(&student).unwrap(), got.loss);
        assert_eq!(data.samples(), samples);
    }
}

#[test]
fn the_gradient_is_the_derivative_of_the_loss() {
    let mut stream = RandomStream::new(201, 0);
    let (teacher, student) = (network(&mut stream, 2, 3, 0.1), network(&mut stream, 2, 3, 0.1));
    let data = EmpiricalLoss::try_new(&matrix(&mut stream, 50, 3), &teacher).unwrap();
    let mut landscape = EmpiricalLandscape::try_new(data, student, Trained::WeightsAndOutput).unwrap();
    let point = landscape.start();
    assert_eq!((point.len(), landscape.dimension()), (8, 8));
    assert_eq!(landscape.students(), [0..3, 3..6]);
    let mut gradient = vec![0.0; 8];
    landscape.gradient(&point, &mut gradient);
    for i in 0..8 {
        let h = 1e-6;
        let mut at = |step: f64| {
            let mut moved = point.clone();
            moved[i] += step;
            landscape.loss(&moved)
        };
        let difference = (at(h) - at(-h)) / (2.0 * h);
        // Rounding EPSILON J / h and a third derivative of at most 1e2 times h^2, for J of order 10.
        assert!((gradient[i] - difference).abs() < 1e-8, "{i}: {} {difference}", gradient[i]);
    }
}

#[test]
fn a_zero_student_has_a_zero_slice() {
    let teacher = Network::try_new(Matrix::from_rows(&[[1.0, 0.0]])).unwrap().with_leaky(0.5).unwrap();
    let data = EmpiricalLoss::try_new(&Matrix::from_rows(&[[1.0, 2.0], [-1.0, 0.5]]), &teacher).unwrap();
    let student =
        Network::try_new(Matrix::from_rows(&[[0.0, 0.0], [1.0, 1.0]])).unwrap().with_leaky(0.5).unwrap();
    let mut landscape = EmpiricalLandscape::try_new(data, student, Trained::Weights).unwrap();
    let mut gradient = [f64::NAN; 4];
    landscape.gradient(&[0.0, 0.0, 1.0, 1.0], &mut gradient);
    assert_eq!(gradient[..2], [0.0, 0.0]);
    assert!(gradient[2..].iter().all(|g| g.is_finite() && *g != 0.0));
    landscape.gradient(&[f64::NAN, 0.0, 1.0, 1.0], &mut gradient);
    assert!(gradient.iter().any(|g| g.is_nan()));
}

/// Independent: the same quantities by the Monte Carlo machine, whose samples are not ours but whose law is.
#[test]
fn many_samples_approach_the_sampled_population() {
    let mut stream = RandomStream::new(202, 0);
    let (teacher, student) = (network(&mut stream, 2, 3, 0.0), network(&mut stream, 2, 3, 0.0));
    let samples = 40_000;
    let plan = SamplePlan { samples: samples as u64, seed: 15 };
    let sampled = network_monte_carlo(&teacher, &student, SampleLaw::Gaussian, plan).unwrap();
    let data = EmpiricalLoss::try_new(&matrix(&mut stream, samples, 3), &teacher).unwrap();
    let got = data.gradient(&student).unwrap();
    let bound = popgrad::two_sided_bound(1e-7).unwrap() * 2.0_f64.sqrt();
    assert!((got.loss - sampled.loss).abs() < bound * sampled.loss_error);
    for (i, g) in got.weights.as_slice().iter().enumerate() {
        let (mean, error) = (sampled.weights.as_slice()[i], sampled.weights_error.as_slice()[i]);
        assert!((g - mean).abs() < bound * error, "{i}: {g} {mean} +- {error}");
    }
}

#[test]
fn data_that_does_not_fit_is_refused_by_name() {
    let teacher = Network::try_new(Matrix::from_rows(&[[1.0, 0.0]])).unwrap();
    let say = |inputs: Matrix| EmpiricalLoss::try_new(&inputs, &teacher).unwrap_err().to_string();
    assert_eq!(
        say(Matrix::zeros(3, 4)),
        "a row of the inputs has 4 entries; it needs 2, the input dimension of the teacher"
    );
    assert_eq!(say(Matrix::zeros(0, 2)), "inputs is 0 x 2; it needs at least one row and one column");
    assert_eq!(say(Matrix::from_rows(&[[1.0, f64::NAN]])), "inputs[1] = NaN is not finite");
    let error = EmpiricalLoss::try_with_targets(&Matrix::zeros(2, 2), &[1.0], 0.0).unwrap_err();
    assert_eq!(error.to_string(), "targets has 1 entries; it needs 2, the number of samples");
}

/// Independent: the terms of a network's output, summed in the opposite order.
#[test]
fn a_network_is_the_sum_of_its_units() {
    let mut stream = RandomStream::new(207, 0);
    for leaky in [0.0, 0.3, -1.0] {
        let network = network(&mut stream, 5, 6, leaky);
        let x = matrix(&mut stream, 1, 6);
        let terms = |row: &[f64]| x.row(0).iter().zip(row).map(|(x, w)| x * w).collect::<Vec<_>>();
        let (mut sum, mut size) = (0.0, 0.0);
        for j in (0..5).rev() {
            let products = terms(network.weights().row(j));
            let z: f64 = products.iter().rev().sum();
            let a = network.output()[j];
            sum += a * if z > 0.0 { z } else { leaky * z };
            size += products.iter().map(|p| (a * p).abs()).sum::<f64>();
        }
        let skip = terms(network.skip());
        sum += skip.iter().rev().sum::<f64>();
        size += skip.iter().map(|p| p.abs()).sum::<f64>();
        let got = network.eval(x.row(0));
        assert!((got - sum).abs() <= allowed("Network::eval", size), "leaky {leaky}: {got} {sum}");
    }
}
