//! What moves along a trajectory, and the network that a state stands for.

use popgrad::{
    Cnn, CnnBasin, CnnForm, CnnLandscape, CnnStudent, GroupOrbit, Landscape, Matrix, Trained, TwoLayer,
    TwoLayerError, TwoLayerLandscape, XyPlane, angle,
};

/// All hidden weights of a two-layer student, and its output weights if they are trained.
#[derive(Clone, Debug)]
pub struct Network {
    problem: TwoLayer,
    output: Vec<f64>,
    trained: Trained,
}

/// What moves.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Model {
    /// Every weight of a network; the state is W row by row, then the output weights if they are trained.
    Network(Box<Network>),
    /// The plane of Theorem 7; the state is (x, y).
    Plane(XyPlane),
    /// One weight whose images under a finite group are the students; the state is that weight.
    Orbit(GroupOrbit),
    /// The filter and the output weights of a convolutional network; the state is v, then a. As a network its one row of
    /// hidden weights is v.
    Convolution(Box<Cnn>),
}

impl Model {
    /// The landscape that the state moves on.
    pub fn landscape(&self) -> Box<dyn Landscape + '_> {
        match self {
            Self::Network(network) => Box::new(network.landscape()),
            Self::Plane(plane) => Box::new(*plane),
            Self::Orbit(orbit) => Box::new(orbit.clone()),
            Self::Convolution(problem) => Box::new(CnnLandscape::new(problem)),
        }
    }

    /// The teacher's rows.
    pub fn teacher(&self) -> Matrix {
        match self {
            Self::Network(network) => network.problem.teacher().to_matrix(),
            Self::Plane(plane) => plane.teacher(),
            Self::Orbit(orbit) => orbit.teacher(),
            Self::Convolution(problem) => row(problem.filter()),
        }
    }

    /// The hidden and output weights of the network that a state stands for.
    pub fn weights(&self, state: &[f64]) -> (Matrix, Vec<f64>) {
        match self {
            Self::Network(network) => network.weights(state),
            Self::Plane(plane) => (plane.embed(state[0], state[1]), vec![1.0; plane.units()]),
            Self::Orbit(orbit) => (orbit.group().orbit(state), vec![1.0; orbit.group().order()]),
            Self::Convolution(problem) => {
                let (filter, output) = state.split_at(problem.patch_dimension());
                (row(filter), output.to_vec())
            }
        }
    }

    /// `alpha = a.a*` and `S_a = 1.a` of a state of a convolutional network; NaN where its filter is zero.
    pub fn overlaps(&self, state: &[f64]) -> Option<[f64; 2]> {
        let Self::Convolution(problem) = self else { return None };
        let scalars = problem.scalars(student(problem, state));
        Some(scalars.map_or([f64::NAN; 2], |s| [s.alpha, s.output_sum]))
    }

    /// Where the gradient flow from a state of a convolutional network with weight normalisation is proved to go.
    pub fn basin(&self, state: &[f64]) -> Option<CnnBasin> {
        let Self::Convolution(problem) = self else { return None };
        if problem.form() != CnnForm::Normalised {
            return None;
        }
        let closed = problem.reduced_state(student(problem, state)).ok()?;
        problem.reduced().flow_basin(&closed).ok()
    }

    /// The angle between student `j` and teacher `m` at `j M + m`; NaN where one of them is zero.
    pub fn angles(weights: &Matrix, teacher: &Matrix) -> Vec<f64> {
        let pair = |j: usize, m: usize| angle(weights.row(j), teacher.row(m)).map_or(f64::NAN, |a| a.theta);
        (0..weights.rows()).flat_map(|j| (0..teacher.rows()).map(move |m| pair(j, m))).collect()
    }
}

fn student<'a>(problem: &Cnn, state: &'a [f64]) -> CnnStudent<'a> {
    let (filter, output) = state.split_at(problem.patch_dimension());
    CnnStudent { filter, output }
}

fn row(entries: &[f64]) -> Matrix {
    Matrix::try_new(1, entries.len(), entries.to_vec()).expect("one row of as many entries")
}

impl Network {
    /// The students of a problem, with their output weights (at the start, if they are trained).
    ///
    /// # Errors
    ///
    /// [`TwoLayerError`] if there are no output weights or one is not finite.
    pub fn try_new(problem: TwoLayer, output: Vec<f64>, trained: Trained) -> Result<Self, TwoLayerError> {
        TwoLayerLandscape::new(&problem, output.len()).with_output(output.clone())?;
        Ok(Self { problem, output, trained })
    }

    fn landscape(&self) -> TwoLayerLandscape<'_> {
        TwoLayerLandscape::new(&self.problem, self.output.len())
            .with_output(self.output.clone())
            .expect("the output weights were checked when the network was made")
            .with_trained(self.trained)
    }

    fn weights(&self, state: &[f64]) -> (Matrix, Vec<f64>) {
        let (k, d) = (self.output.len(), self.problem.input_dimension());
        let (weights, output) = state.split_at(k * d);
        let weights = Matrix::try_new(k, d, weights.to_vec()).expect("the state starts with K d weights");
        (weights, if output.is_empty() { self.output.clone() } else { output.to_vec() })
    }

    /// The state of hidden weights, with the output weights of the network where they move.
    ///
    /// # Errors
    ///
    /// [`TwoLayerError`] if the shape is not (K, d) or an entry is not finite.
    pub fn state(&self, weights: &Matrix) -> Result<Vec<f64>, TwoLayerError> {
        self.landscape().state(weights.view())
    }
}
