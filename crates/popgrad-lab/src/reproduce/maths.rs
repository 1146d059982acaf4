//! The mathematics under test, as the claims see it.
//!
//! Every claim evaluates the library through [`Maths`]. It passes the library's values on unchanged; a test gives
//! it a defect and sees the catalogue fail.

use popgrad::{Matrix, Student, TwoLayer, TwoLayerError, VectorError};

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

    /// The kernel `k(u, v)`.
    pub(crate) fn kernel(&self, u: &[f64], v: &[f64]) -> Result<f64, VectorError> {
        popgrad::kernel(u, v).map(|k| self.tainted(k))
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
