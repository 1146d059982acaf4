//! The mathematics under test, as the claims see it.
//!
//! Every claim evaluates the library through [`Maths`]. It passes the library's values on unchanged; a test gives
//! it a defect and sees the catalogue fail.

use popgrad::{
    Evaluator, Landscape, Matrix, MatrixView, SingleReluError, Student, TwoLayer, TwoLayerError, VectorError,
    XyPlane,
};
use std::ops::Range;

/// The library's functions, with a defect of relative size `defect` put on each; zero outside tests.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Maths {
    defect: f64,
}

impl Maths {
    /// The library as it is.
    #[cfg(test)]
    pub(crate) fn exact() -> Self {
        Self { defect: 0.0 }
    }

    /// The library with every value off by this share.
    pub(crate) fn with_defect(defect: f64) -> Self {
        Self { defect }
    }

    /// `value`, off by the defect.
    pub(crate) fn tainted(&self, value: f64) -> f64 {
        if self.defect == 0.0 { value } else { value * (1.0 + self.defect) }
    }

    /// Adds `defect * along` to `value`; a defect along the weights bends a gradient instead of scaling it.
    pub(crate) fn bend(&self, value: &mut [f64], along: &[f64]) {
        if self.defect != 0.0 {
            for (x, w) in value.iter_mut().zip(along) {
                *x += self.defect * w;
            }
        }
    }

    /// The gating function `F(e, w)`.
    pub(crate) fn gating(&self, e: &[f64], w: &[f64]) -> Result<Vec<f64>, VectorError> {
        let mut f = popgrad::gating(e, w)?;
        let size = libm::sqrt(f.iter().map(|x| x * x).sum());
        let along: Vec<f64> = e.iter().map(|x| x * size).collect();
        self.bend(&mut f, &along);
        Ok(f)
    }

    /// The gradient of one student at `w` with one teacher `v`.
    pub(crate) fn one_relu_gradient(&self, w: &[f64], v: &[f64]) -> Result<Vec<f64>, VectorError> {
        let mut g = popgrad::single_relu_gradient(w, v)?;
        self.bend(&mut g, w);
        Ok(g)
    }

    /// Probability that a point of a ball lies in Theorem 5's region.
    pub(crate) fn ball_probability(&self, d: usize, radius: f64) -> Result<f64, SingleReluError> {
        popgrad::ball_probability(d, radius).map(|p| self.tainted(p))
    }

    /// The population loss of students `w` against teachers `v`, all output weights 1.
    pub(crate) fn loss(&self, w: &Matrix, v: &Matrix) -> Result<f64, VectorError> {
        let mut twice = 0.0;
        for j in 0..w.rows() {
            for k in 0..w.rows() {
                twice += popgrad::kernel(w.row(j), w.row(k))?;
            }
            for m in 0..v.rows() {
                twice -= 2.0 * popgrad::kernel(w.row(j), v.row(m))?;
            }
        }
        for l in 0..v.rows() {
            for m in 0..v.rows() {
                twice += popgrad::kernel(v.row(l), v.row(m))?;
            }
        }
        Ok(self.tainted(0.5 * twice))
    }

    /// The gradient of that loss with respect to the students.
    pub(crate) fn gradient(&self, w: &Matrix, v: &Matrix) -> Result<Matrix, TwoLayerError> {
        let problem = TwoLayer::try_new(v.clone())?;
        let mut out = problem.gradient(Student::new(w.view()))?.weights;
        self.bend(out.as_mut_slice(), w.as_slice());
        Ok(out)
    }
}

/// One student with one teacher, for dynamics.
pub(crate) struct OneRelu {
    pub(crate) maths: Maths,
    pub(crate) teacher: Vec<f64>,
}

impl Landscape for OneRelu {
    fn dimension(&self) -> usize {
        self.teacher.len()
    }

    fn gradient(&mut self, point: &[f64], out: &mut [f64]) {
        match self.maths.one_relu_gradient(point, &self.teacher) {
            Ok(gradient) => out.copy_from_slice(&gradient),
            // The only failure for finite vectors is a student at zero, where the dynamics want zero.
            Err(_) => out.fill(if point.iter().all(|x| *x == 0.0) { 0.0 } else { f64::NAN }),
        }
    }

    fn loss(&mut self, point: &[f64]) -> f64 {
        popgrad::single_relu_loss(point, &self.teacher).map_or(f64::NAN, |j| self.maths.tainted(j))
    }

    fn students(&self) -> Vec<Range<usize>> {
        vec![0..self.teacher.len()]
    }
}

/// A whole network with output weights fixed at 1, for dynamics: all rows of the students, one after the other.
pub(crate) struct Network<'p> {
    maths: Maths,
    evaluator: Evaluator<'p>,
    students: usize,
}

impl<'p> Network<'p> {
    pub(crate) fn new(maths: Maths, problem: &'p TwoLayer, students: usize) -> Self {
        Self { maths, evaluator: Evaluator::new(problem, students), students }
    }

    fn width(&self) -> usize {
        self.evaluator.problem().input_dimension()
    }
}

impl Landscape for Network<'_> {
    fn dimension(&self) -> usize {
        self.students * self.width()
    }

    fn gradient(&mut self, point: &[f64], out: &mut [f64]) {
        let view = MatrixView::try_new(self.students, self.width(), point);
        let written = view.ok().and_then(|w| self.evaluator.gradient_into(Student::new(w), out).ok());
        if written.is_none() {
            out.fill(f64::NAN);
        }
        self.maths.bend(out, point);
    }

    fn loss(&mut self, point: &[f64]) -> f64 {
        let w = Matrix::try_new(self.students, self.width(), point.to_vec());
        let v = self.evaluator.problem().teacher().to_matrix();
        w.ok().and_then(|w| self.maths.loss(&w, &v).ok()).unwrap_or(f64::NAN)
    }

    fn students(&self) -> Vec<Range<usize>> {
        (0..self.students).map(|j| j * self.width()..(j + 1) * self.width()).collect()
    }
}

/// The plane of Theorem 7, for dynamics.
#[derive(Clone, Copy)]
pub(crate) struct Plane {
    pub(crate) maths: Maths,
    pub(crate) plane: XyPlane,
}

impl Plane {
    /// The field `(dx/dt, dy/dt)`.
    pub(crate) fn field(&self, x: f64, y: f64) -> [f64; 2] {
        let mut out = [0.0; 2];
        self.plane.gradient(&[x, y], &mut out);
        self.maths.bend(&mut out, &[x, y]);
        out.map(|g| -g)
    }
}

impl Landscape for Plane {
    fn dimension(&self) -> usize {
        2
    }

    fn gradient(&mut self, point: &[f64], out: &mut [f64]) {
        self.plane.gradient(point, out);
        self.maths.bend(out, point);
    }

    fn loss(&mut self, point: &[f64]) -> f64 {
        self.maths.tainted(self.plane.loss(point))
    }
}
