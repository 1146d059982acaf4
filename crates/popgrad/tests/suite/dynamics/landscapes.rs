//! Landscapes for the tests, written plainly from the public closed forms and independent of the fast paths.

use popgrad::{Landscape, gating, kernel};
use std::f64::consts::{PI, TAU};
use std::ops::Range;

pub(super) fn norm(x: &[f64]) -> f64 {
    x.iter().map(|v| v * v).sum::<f64>().sqrt()
}

pub(super) fn distance(x: &[f64], y: &[f64]) -> f64 {
    norm(&x.iter().zip(y).map(|(a, b)| a - b).collect::<Vec<_>>())
}

/// Students with output weights against teachers with output weights; the state is the students' rows,
/// followed by their output weights if these are trained.
#[derive(Clone, Debug)]
pub(super) struct Plain {
    pub(super) teacher: Vec<Vec<f64>>,
    pub(super) teacher_output: Vec<f64>,
    pub(super) output: Vec<f64>,
    pub(super) trains_output: bool,
}

impl Plain {
    /// `k` students and the given teachers, all output weights one and fixed.
    pub(super) fn new(k: usize, teacher: Vec<Vec<f64>>) -> Self {
        let teacher_output = vec![1.0; teacher.len()];
        Self { teacher, teacher_output, output: vec![1.0; k], trains_output: false }
    }

    pub(super) fn orthonormal(k: usize) -> Self {
        let unit = |i| (0..k).map(|j| f64::from(u8::from(i == j))).collect();
        Self::new(k, (0..k).map(unit).collect())
    }

    fn d(&self) -> usize {
        self.teacher[0].len()
    }

    fn outputs<'a>(&'a self, point: &'a [f64]) -> &'a [f64] {
        if self.trains_output { &point[self.output.len() * self.d()..] } else { &self.output }
    }

    /// All units with their signed output weights, students first.
    fn units<'a>(&'a self, point: &'a [f64]) -> Vec<(f64, &'a [f64])> {
        let students = self.outputs(point).iter().zip(point.chunks(self.d())).map(|(a, w)| (*a, w));
        let teachers = self.teacher_output.iter().zip(&self.teacher).map(|(b, v)| (-b, &v[..]));
        students.chain(teachers).collect()
    }
}

impl Landscape for Plain {
    fn dimension(&self) -> usize {
        self.output.len() * (self.d() + usize::from(self.trains_output))
    }

    fn gradient(&mut self, point: &[f64], out: &mut [f64]) {
        out.fill(0.0);
        let (k, d) = (self.output.len(), self.d());
        let units = self.units(point);
        for j in 0..k {
            let (a, w) = units[j];
            if w.iter().all(|x| *x == 0.0) {
                continue;
            }
            for (c, u) in &units {
                let f = gating(w, u).unwrap();
                for i in 0..d {
                    out[j * d + i] += a * c * f[i];
                }
                if self.trains_output {
                    out[k * d + j] += c * kernel(w, u).unwrap();
                }
            }
        }
    }

    fn loss(&mut self, point: &[f64]) -> f64 {
        let units = self.units(point);
        let mut sum = 0.0;
        for (a, u) in &units {
            for (b, v) in &units {
                sum += 0.5 * a * b * kernel(u, v).unwrap();
            }
        }
        sum
    }

    fn students(&self) -> Vec<Range<usize>> {
        (0..self.output.len()).map(|j| j * self.d()..(j + 1) * self.d()).collect()
    }
}

/// Theorem 7's plane: students `(x, y, ..., y)` and its cyclic shifts against an orthonormal teacher.
pub(super) struct Plane {
    pub(super) k: f64,
}

impl Landscape for Plane {
    fn dimension(&self) -> usize {
        2
    }

    fn gradient(&mut self, point: &[f64], out: &mut [f64]) {
        let (k, x, y) = (self.k, point[0], point[1]);
        let n = (x * x + (k - 1.0) * y * y).sqrt();
        let theta = libm::atan2((k - 1.0).sqrt() * y.abs(), x);
        let star = libm::atan2((x * x + (k - 2.0) * y * y).sqrt(), y);
        let sum = 2.0 * (x + y) * (x + y) + 4.0 * (k - 2.0) * y * y;
        let phi = 2.0 * libm::atan2(2.0_f64.sqrt() * (x - y).abs(), sum.sqrt());
        let s = (k - 1.0) * (libm::sin(star) / n - libm::sin(phi)) + libm::sin(theta) / n;
        out[0] = (PI * x + (PI - phi) * (k - 1.0) * y - (PI - theta) - s * x) / TAU;
        out[1] = (PI * y + (PI - phi) * (x + (k - 2.0) * y) - (PI - star) - s * y) / TAU;
    }

    fn loss(&mut self, point: &[f64]) -> f64 {
        let (dx, y) = (point[0] - 1.0, point[1]);
        dx * dx + y * y
    }

    fn students(&self) -> Vec<Range<usize>> {
        std::iter::once(0..2).collect()
    }
}
