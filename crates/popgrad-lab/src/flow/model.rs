//! What moves along a trajectory, and the network that a state stands for.

use popgrad::{GroupOrbit, Landscape, Matrix, TwoLayer, TwoLayerLandscape, XyPlane, angle};

/// All hidden weights of a two-layer student, and its output weights if they are trained.
#[derive(Clone, Debug)]
pub struct Network {
    /// The teacher and the law of the input.
    pub problem: TwoLayer,
    /// Output weights, at the start if they are trained.
    pub output: Vec<f64>,
    /// Whether the output weights move.
    pub train_output: bool,
}

/// What moves.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Model {
    /// Every weight of a network; the state is W row by row, then the output weights if they are trained.
    Network(Network),
    /// The plane of Theorem 7; the state is (x, y).
    Plane(XyPlane),
    /// One weight whose images under a finite group are the students; the state is that weight.
    Orbit(GroupOrbit),
}

impl Model {
    /// The landscape that the state moves on.
    pub fn landscape(&self) -> Box<dyn Landscape + '_> {
        match self {
            Self::Network(network) => Box::new(network.landscape()),
            Self::Plane(plane) => Box::new(*plane),
            Self::Orbit(orbit) => Box::new(orbit.clone()),
        }
    }

    /// The teacher's rows.
    pub fn teacher(&self) -> Matrix {
        match self {
            Self::Network(network) => network.problem.teacher().to_matrix(),
            Self::Plane(plane) => plane.teacher(),
            Self::Orbit(orbit) => orbit.teacher(),
        }
    }

    /// The hidden and output weights of the network that a state stands for.
    pub fn weights(&self, state: &[f64]) -> (Matrix, Vec<f64>) {
        match self {
            Self::Network(network) => network.weights(state),
            Self::Plane(plane) => (plane.embed(state[0], state[1]), vec![1.0; plane.units()]),
            Self::Orbit(orbit) => (orbit.group().orbit(state), vec![1.0; orbit.group().order()]),
        }
    }

    /// The angle between student `j` and teacher `m` at `j M + m`; NaN where one of them is zero.
    pub fn angles(weights: &Matrix, teacher: &Matrix) -> Vec<f64> {
        let pair = |j: usize, m: usize| angle(weights.row(j), teacher.row(m)).map_or(f64::NAN, |a| a.theta);
        (0..weights.rows()).flat_map(|j| (0..teacher.rows()).map(move |m| pair(j, m))).collect()
    }
}

impl Network {
    fn landscape(&self) -> TwoLayerLandscape<'_> {
        if self.train_output {
            TwoLayerLandscape::with_output(&self.problem, self.output.len())
        } else {
            TwoLayerLandscape::new(&self.problem, &self.output)
        }
    }

    fn weights(&self, state: &[f64]) -> (Matrix, Vec<f64>) {
        let (k, d) = (self.output.len(), self.problem.input_dimension());
        let weights =
            Matrix::try_new(k, d, state[..k * d].to_vec()).expect("the state starts with K d weights");
        let output = if self.train_output { state[k * d..].to_vec() } else { self.output.clone() };
        (weights, output)
    }

    /// The state of hidden weights, with the output weights of the network where they move.
    pub fn state(&self, weights: &Matrix) -> Vec<f64> {
        let mut state = weights.as_slice().to_vec();
        if self.train_output {
            state.extend(&self.output);
        }
        state
    }
}
