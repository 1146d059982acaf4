//! The problems' arrays, as `peers/arrays.py` wrote them.

use popgrad::Matrix;
use std::path::{Path, PathBuf};

/// The folder with the arrays.
#[derive(Clone, Debug)]
pub(crate) struct Arrays(pub(crate) PathBuf);

impl Arrays {
    /// An array of two dimensions, or of three with the first two run together.
    pub(crate) fn matrix(&self, name: &str) -> Result<Matrix, String> {
        let path = self.0.join(format!("{name}.npy"));
        read(&path).map_err(|e| format!("{}: {e}; `python peers/arrays.py FOLDER` writes it", path.display()))
    }
}

fn read(path: &Path) -> Result<Matrix, Box<dyn std::error::Error>> {
    let bytes = std::fs::read(path)?;
    let file = npyz::NpyFile::new(&bytes[..])?;
    if file.order() != npyz::Order::C {
        return Err("the array is not in C order".into());
    }
    let shape: Vec<usize> = file.shape().iter().map(|n| usize::try_from(*n)).collect::<Result<_, _>>()?;
    let (cols, leading) = shape.split_last().ok_or("the array has no dimensions")?;
    let (rows, cols) = (leading.iter().product(), *cols);
    Ok(Matrix::try_new(rows, cols, file.into_vec::<f64>()?)?)
}

/// The largest difference of two arrays over the largest entry of the second.
pub(crate) fn relative_difference(got: &[f64], want: &[f64]) -> f64 {
    let largest = want.iter().fold(0.0_f64, |m, x| m.max(x.abs()));
    got.iter().zip(want).fold(0.0_f64, |m, (a, b)| m.max((a - b).abs())) / largest
}
