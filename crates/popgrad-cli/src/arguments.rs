//! Arguments that several verbs share, from what is typed to arrays that fit each other.

use crate::failure::Failure;
use popgrad::Matrix;
use popgrad_lab::storage::{StorageError, read_array};
use popgrad_lab::words::{Source, WordError};

/// Memory a call may ask for where `--memory-limit` is not given.
pub(crate) const MEMORY_LIMIT: u64 = 4 << 30;

/// Attaches the argument that named a file or a word.
pub(crate) fn at(argument: &str) -> impl Fn(WordError) -> Failure + '_ {
    move |error| Failure::new(argument, &error, error.kind())
}

/// Attaches the argument that named a file.
pub(crate) fn file_at(argument: &str) -> impl Fn(StorageError) -> Failure + '_ {
    move |error| Failure::new(argument, &error, error.kind())
}

/// The word or file of an argument, not opened yet.
pub(crate) fn source(argument: &str, text: &str) -> Result<Source, Failure> {
    Source::parse(text).map_err(at(argument))
}

/// Reads a matrix of neurons.
pub(crate) fn neurons(argument: &str, text: &str, memory_limit: u64) -> Result<Matrix, Failure> {
    source(argument, text)?.matrix(memory_limit).map_err(at(argument))
}

/// Refuses a student whose input dimension is not the teacher's.
pub(crate) fn same_dimension(
    argument: &str,
    text: &str,
    cols: usize,
    teacher: (&str, usize),
) -> Result<(), Failure> {
    if cols == teacher.1 {
        return Ok(());
    }
    Err(Failure::input(
        argument,
        format!(
            "{text} has input dimension {cols} but --teacher {} has {}; they must be equal",
            teacher.0, teacher.1
        ),
    ))
}

/// Output weights: a file of shape (K,), or K numbers separated by commas.
pub(crate) fn output_weights(argument: &str, text: &str, neurons: usize) -> Result<Vec<f64>, Failure> {
    let listed: Option<Vec<f64>> = text.split(',').map(|x| x.trim().parse().ok()).collect();
    let weights = match listed {
        Some(list) => match list.iter().find(|x| !x.is_finite()) {
            None => list,
            Some(x) => {
                return Err(Failure::input(
                    argument,
                    format!("the weight {x} is not finite; every one must be"),
                ));
            }
        },
        None => vector(argument, text, "(K,), one output weight a neuron,")?,
    };
    if weights.len() != neurons {
        return Err(Failure::input(
            argument,
            format!(
                "{text} has {} output weights for {neurons} neurons; one a neuron is needed",
                weights.len()
            ),
        ));
    }
    Ok(weights)
}

/// A file with one axis.
pub(crate) fn vector(argument: &str, location: &str, needed: &str) -> Result<Vec<f64>, Failure> {
    read_array(location).and_then(|a| a.into_vector(needed)).map_err(file_at(argument))
}

/// A file with one axis, or with two of which the first has length one.
pub(crate) fn one_row(argument: &str, location: &str, needed: &str) -> Result<Vec<f64>, Failure> {
    let array = read_array(location).map_err(file_at(argument))?;
    let vector = match array.shape() {
        [1, _] => array.into_matrix(needed).map(Matrix::into_vec),
        _ => array.into_vector(needed),
    };
    vector.map_err(file_at(argument))
}

/// A file with two axes.
pub(crate) fn matrix(argument: &str, location: &str, needed: &str) -> Result<Matrix, Failure> {
    read_array(location).and_then(|a| a.into_matrix(needed)).map_err(file_at(argument))
}

/// The skips of student and teacher.
pub(crate) fn skips(text: &str, d: usize) -> Result<(Vec<f64>, Vec<f64>), Failure> {
    let Some((student, teacher)) = text.split_once(',').filter(|(_, rest)| !rest.contains(',')) else {
        let message = format!("\"{text}\" is not two files; C.npy,CSTAR.npy is needed, student first");
        return Err(Failure::input("--skip", message));
    };
    let read = |location: &str| -> Result<Vec<f64>, Failure> {
        let skip = vector("--skip", location, "(d,), one coefficient an input,")?;
        if skip.len() == d {
            return Ok(skip);
        }
        let message = format!("{location} has {} coefficients; the input dimension is {d}", skip.len());
        Err(Failure::input("--skip", message))
    };
    Ok((read(student)?, read(teacher)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn skips_need_two_files() {
        for text in ["c.npy", "a.npy,b.npy,c.npy"] {
            let failure = skips(text, 2).unwrap_err();
            assert!(failure.message().unwrap().contains("C.npy,CSTAR.npy is needed"), "{text}");
        }
    }
}
