//! Invariances, identities and finite differences of the convolutional loss; nothing that is not a number at the extremes.

use super::{Owned, SIZES, norm, random};
use popgrad::{Cnn, CnnError, CnnForm, CnnStudent, RandomStream};

const FORMS: [CnnForm; 2] = [CnnForm::Normalised, CnnForm::Plain];

fn students(seed: u64, test: impl Fn(&Cnn, &Owned)) {
    let mut stream = RandomStream::new(seed, 0);
    for form in FORMS {
        for size in SIZES {
            for _ in 0..6 {
                let (problem, student) = random(&mut stream, size, form);
                test(&problem, &student);
            }
        }
    }
}

/// An upper bound of the loss's terms.
fn scale(problem: &Cnn, student: &Owned) -> f64 {
    let length = if problem.form() == CnnForm::Plain { norm(&student.filter) } else { 1.0 };
    let size = |x: &[f64]| x.iter().map(|x| x.abs()).sum::<f64>();
    let root = length * size(&student.output) + problem.filter_norm() * size(problem.output());
    root * root
}

/// `(c v, a)` is the same network with normalisation, `(c v, a/c)` without; for powers of two to the last bit.
#[test]
fn property_the_loss_is_constant_on_orbits_of_the_length() {
    students(1, |problem, student| {
        let loss = problem.loss(student.student()).unwrap();
        for c in [2.0_f64.powi(-200), 0.5, 4.0, 2.0_f64.powi(200)] {
            let filter: Vec<f64> = student.filter.iter().map(|x| c * x).collect();
            let plain = problem.form() == CnnForm::Plain;
            let output: Vec<f64> = student.output.iter().map(|a| if plain { a / c } else { *a }).collect();
            let other = problem.loss(CnnStudent { filter: &filter, output: &output }).unwrap();
            assert_eq!(other.to_bits(), loss.to_bits(), "{c:e}: {other:e} {loss:e}");
        }
    });
}

/// A permutation of the inputs of all patches, or of the patches, changes nothing but the order of summation.
#[test]
fn property_permutations_leave_the_loss_alone() {
    students(2, |problem, student| {
        let loss = problem.loss(student.student()).unwrap();
        let reversed = |x: &[f64]| x.iter().rev().copied().collect::<Vec<f64>>();
        let turned = Cnn::try_new(&reversed(problem.filter()), &reversed(problem.output())).unwrap();
        let turned = turned.with_form(problem.form());
        let (filter, output) = (reversed(&student.filter), reversed(&student.output));
        let other = turned.loss(CnnStudent { filter: &filter, output: &output }).unwrap();
        assert!((other - loss).abs() <= 64.0 * f64::EPSILON * loss, "{other:e} {loss:e}");
    });
}

/// Normalised, `grad_v` is orthogonal to `v`; plain, `v.grad_v = a.grad_a`, since `(c v, a/c)` is one network.
#[test]
fn property_gradients_are_orthogonal_to_the_orbits() {
    students(3, |problem, student| {
        let gradient = problem.gradient(student.student()).unwrap();
        let dot = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| x * y).sum::<f64>();
        let along = dot(&gradient.filter, &student.filter);
        let other = match problem.form() {
            CnnForm::Normalised => 0.0,
            CnnForm::Plain => dot(&gradient.output, &student.output),
        };
        let bound = 16.0 * f64::EPSILON * scale(problem, student);
        assert!((along - other).abs() <= bound, "{along:e} {other:e} {bound:e}");
    });
}

/// (W.14), (W.16): the Hessian along the orbit is the gradient with its signs changed.
#[test]
fn property_the_hessian_along_the_orbit_is_the_gradient() {
    students(4, |problem, student| {
        let hessian = problem.hessian(student.student()).unwrap();
        let gradient = problem.gradient(student.student()).unwrap();
        let plain = problem.form() == CnnForm::Plain;
        let along =
            student.filter.iter().copied().chain(student.output.iter().map(|a| if plain { -a } else { 0.0 }));
        let along: Vec<f64> = along.collect();
        let signed = gradient.output.iter().map(|g| if plain { *g } else { 0.0 });
        let want: Vec<f64> = gradient.filter.iter().map(|g| -g).chain(signed).collect();
        let size: f64 = hessian.as_slice().iter().fold(0.0, |m, x| m.max(x.abs()));
        let bound = 64.0 * f64::EPSILON * size * along.len() as f64 * norm(&along);
        for (i, want) in want.iter().enumerate() {
            let got: f64 = hessian.row(i).iter().zip(&along).map(|(h, x)| h * x).sum();
            assert!((got - want).abs() <= bound, "{i}: {got:e} {want:e} {bound:e}");
        }
    });
}

/// The loss is homogeneous of degree two in teacher and output weights together.
#[test]
fn property_the_loss_is_homogeneous() {
    students(5, |problem, student| {
        let loss = problem.loss(student.student()).unwrap();
        let t = 2.0_f64.powi(30);
        let filter: Vec<f64> = problem.filter().iter().map(|x| t * x).collect();
        let larger = Cnn::try_new(&filter, problem.output()).unwrap().with_form(problem.form());
        let output: Vec<f64> = student.output.iter().map(|a| t * a).collect();
        let other = larger.loss(CnnStudent { filter: &student.filter, output: &output }).unwrap();
        assert_eq!(other.to_bits(), (t * t * loss).to_bits());
    });
}

/// Central differences of the loss and of the gradient, in every coordinate.
#[test]
fn derivative_of_loss_and_gradient_by_central_differences() {
    students(6, |problem, student| {
        let (p, k) = (student.filter.len(), student.output.len());
        let gradient = problem.gradient(student.student()).unwrap();
        let gradient: Vec<f64> = gradient.filter.into_iter().chain(gradient.output).collect();
        let hessian = problem.hessian(student.student()).unwrap();
        let n = norm(&student.filter);
        // With a step of 1e-5 lengths the truncation is 1e-10 and the rounding EPSILON / 1e-5, of the terms' size.
        let step = 1e-5 * n.min(1.0);
        let size = scale(problem, student) * (1.0 + 1.0 / n).powi(3) + 1.0 + n * n;
        for i in 0..p + k {
            let moved = |sign: f64| {
                let mut other = student.clone();
                let entry = if i < p { &mut other.filter[i] } else { &mut other.output[i - p] };
                *entry += sign * step;
                other
            };
            let (up, down) = (moved(1.0), moved(-1.0));
            let loss = |x: &Owned| problem.loss(x.student()).unwrap();
            let difference = (loss(&up) - loss(&down)) / (2.0 * step);
            assert!((difference - gradient[i]).abs() <= 1e-9 * size, "{i}: {difference} {}", gradient[i]);
            let slope = |x: &Owned| {
                let g = problem.gradient(x.student()).unwrap();
                g.filter.into_iter().chain(g.output).collect::<Vec<f64>>()
            };
            let (up, down) = (slope(&up), slope(&down));
            for j in 0..p + k {
                let difference = (up[j] - down[j]) / (2.0 * step);
                let got = hessian.row(i)[j];
                assert!((difference - got).abs() <= 1e-8 * size, "({i}, {j}): {difference} {got}");
            }
        }
    });
}

/// (W.21): around the best output of an angle the loss is one fixed quadratic form.
#[test]
fn property_the_loss_is_its_valley_and_a_square() {
    students(7, |problem, student| {
        if problem.form() == CnnForm::Plain {
            return;
        }
        let angle = problem.scalars(student.student()).unwrap().angle;
        let best = problem.valley_output(angle);
        let c: Vec<f64> = student.output.iter().zip(&best).map(|(a, b)| a - b).collect();
        let (sum, square): (f64, f64) = (c.iter().sum(), c.iter().map(|c| c * c).sum());
        let pi = std::f64::consts::PI;
        let want = problem.reduced().valley_loss(angle) + (sum * sum + (pi - 1.0) * square) / (4.0 * pi);
        let got = problem.loss(student.student()).unwrap();
        let bound = 16.0 * f64::EPSILON * scale(problem, student);
        assert!((got - want).abs() <= bound, "{got:e} {want:e}");
    });
}

/// Filters of every length, down to the smallest and up to the largest doubles.
#[test]
fn property_extreme_lengths_give_numbers_or_errors() {
    let base = [0.75, -0.5, 1.25];
    for form in FORMS {
        let problem = Cnn::try_new(&[1.0, 0.25, -0.5], &[1.0, -0.5]).unwrap().with_form(form);
        for exponent in (-320..=308).step_by(4) {
            let size = 10.0_f64.powi(exponent);
            let filter = base.map(|x| x * size);
            for output in [[0.3, -0.2], [0.0, 0.0], [1e-300, 1e-310], [1e160, -1e155]] {
                let student = CnnStudent { filter: &filter, output: &output };
                if let Ok(loss) = problem.loss(student) {
                    assert!(loss.is_finite() && loss >= 0.0, "{form:?} {size:e} {output:?}: {loss}");
                }
                for numbers in [
                    problem.gradient(student).map(|g| [g.filter, g.output].concat()),
                    problem.hessian(student).map(popgrad::Matrix::into_vec),
                ] {
                    match numbers {
                        Ok(x) => {
                            assert!(x.iter().all(|x| x.is_finite()), "{form:?} {size:e} {output:?}: {x:?}");
                        }
                        Err(e) => assert!(
                            matches!(e, CnnError::OutOfRange { .. } | CnnError::ZeroFilter { .. }),
                            "{e}"
                        ),
                    }
                }
            }
        }
    }
    // With normalisation the length of the filter does not matter.
    let problem = Cnn::try_new(&[1.0, 0.25, -0.5], &[1.0, -0.5]).unwrap();
    let want = problem.loss(CnnStudent { filter: &base, output: &[0.3, -0.2] }).unwrap();
    for exponent in [-1060, -500, 500, 1020] {
        let filter = base.map(|x| libm::scalbn(x, exponent));
        let got = problem.loss(CnnStudent { filter: &filter, output: &[0.3, -0.2] }).unwrap();
        assert!((got - want).abs() <= 1e-3 * want, "{exponent}: {got} {want}");
        if exponent > -1000 {
            assert_eq!(got.to_bits(), want.to_bits(), "{exponent}");
        }
    }
}
