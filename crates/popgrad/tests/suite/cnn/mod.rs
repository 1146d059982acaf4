//! The convolutional network of Du et al. (2018).

mod embedding;
mod errors;
mod golden;
mod points;
mod properties;

use popgrad::{Cnn, CnnForm, CnnStudent, RandomStream};

/// A filter and output weights.
#[derive(Clone, Debug)]
pub(super) struct Owned {
    pub(super) filter: Vec<f64>,
    pub(super) output: Vec<f64>,
}

impl Owned {
    pub(super) fn student(&self) -> CnnStudent<'_> {
        CnnStudent { filter: &self.filter, output: &self.output }
    }
}

/// A random teacher of `k` patches of dimension `p` in this form, and a random student.
pub(super) fn random(stream: &mut RandomStream, (k, p): (usize, usize), form: CnnForm) -> (Cnn, Owned) {
    let mut normal = |n: usize| {
        let mut x = vec![0.0; n];
        stream.fill_normal(&mut x);
        x
    };
    let problem = Cnn::try_new(&normal(p), &normal(k)).unwrap().with_form(form);
    (problem, Owned { filter: normal(p), output: normal(k) })
}

/// Sizes that tests run over: one patch, one input, and more of both.
pub(super) const SIZES: [(usize, usize); 6] = [(1, 1), (1, 3), (2, 1), (3, 2), (5, 4), (12, 3)];

pub(super) fn norm(x: &[f64]) -> f64 {
    x.iter().map(|x| x * x).sum::<f64>().sqrt()
}
