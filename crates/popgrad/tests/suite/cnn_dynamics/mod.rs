//! The dynamics of the convolutional network: the closed variables, the algorithm, early decisions, phases, starts.

mod basins;
mod closed;
mod descent;
mod phases;
mod rows;
mod starts;

use popgrad::{CnnState, RandomStream, ReducedCnn};

/// A problem with `|w*| = |a*| = 1` and this ratio `(1.a*)^2 / |a*|^2`.
pub(super) fn problem(patches: usize, ratio: f64) -> ReducedCnn {
    ReducedCnn::try_new(patches, 1.0, ratio.sqrt(), 1.0).unwrap()
}

/// Start `index` of Du et al. (2018): `v` uniform on the unit sphere of `R^p`, `a` uniform in the ball of radius
/// `s |S*| / sqrt(k)`, in the closed variables. In an orthonormal basis whose first vector is along `1` and whose second
/// completes `a*`, a uniform `a` is uniform again.
pub(super) fn start(problem: &ReducedCnn, p: usize, seed: u64, index: u64) -> CnnState {
    let mut stream = RandomStream::new(seed, index);
    let mut filter = vec![0.0; p];
    stream.fill_sphere(1.0, &mut filter);
    let k = problem.patches();
    let radius = problem.filter_norm() * problem.output_sum().abs() / (k as f64).sqrt();
    let mut output = vec![0.0; k.max(2)];
    stream.fill_ball(radius, &mut output[..k]);
    let centred = (problem.output_square() - problem.output_sum() * problem.output_sum() / k as f64).max(0.0);
    let sum = (k as f64).sqrt() * output[0];
    let overlap = problem.output_sum() / k as f64 * sum + centred.sqrt() * output[1];
    let across = filter[1..].iter().map(|x| x * x).sum::<f64>().sqrt();
    let rest = output.iter().skip(2).map(|x| x * x).sum::<f64>().sqrt();
    CnnState { x: filter[0], y: across, overlap, sum, rest }
}

/// One step of the classical Runge-Kutta method of order four.
pub(super) fn runge_kutta(problem: &ReducedCnn, state: &CnnState, h: f64) -> CnnState {
    let y = state.to_array();
    let at = |k: &[f64; 5], share: f64| -> [f64; 5] { std::array::from_fn(|i| y[i] + share * h * k[i]) };
    let field = |y: [f64; 5]| problem.field(&CnnState::from_array(y)).unwrap();
    let k1 = field(y);
    let k2 = field(at(&k1, 0.5));
    let k3 = field(at(&k2, 0.5));
    let k4 = field(at(&k3, 1.0));
    CnnState::from_array(std::array::from_fn(|i| y[i] + h / 6.0 * (k1[i] + 2.0 * (k2[i] + k3[i]) + k4[i])))
}

/// One step of gradient descent in the closed variables.
pub(super) fn descend(problem: &ReducedCnn, state: &CnnState, eta: f64) -> CnnState {
    let (y, field) = (state.to_array(), problem.field(state).unwrap());
    CnnState::from_array(std::array::from_fn(|i| y[i] + eta * field[i]))
}

/// Where a run is, by its distance from the two ends and by nothing else: `Some(true)` next to the teacher,
/// `Some(false)` next to the spurious point.
pub(super) fn arrived(problem: &ReducedCnn, state: &CnnState) -> Option<bool> {
    let norm = state.filter_norm();
    let angle = state.angle();
    let close = |target: CnnState, within: f64| {
        (state.overlap - target.overlap).abs() < within && (state.sum - target.sum).abs() < within
    };
    if angle.theta < 0.02 && close(problem.teacher_state(norm), 0.02) {
        Some(true)
    } else if angle.psi < 0.05 && close(problem.spurious_state(norm), 0.02) {
        Some(false)
    } else {
        None
    }
}
