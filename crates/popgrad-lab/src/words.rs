//! Teachers and students by file or by word.
//!
//! | written | is |
//! |---|---|
//! | `FILE.npy`, `FILE.npz:NAME` | an array of shape (K, d), one neuron a row |
//! | `orthonormal:K` | the K standard unit vectors of dimension K |
//! | `orthonormal:K,d` | the first K of the d standard unit vectors, `d >= K` |
//! | `normal:K,d,SEED` | (K, d) independent N(0, 1) entries, row by row from stream 0 of the key SEED |

use crate::storage::{StorageError, is_array_location, read_array};
use popgrad::{Kind, Matrix, RandomStream};
use std::fmt;
use thiserror::Error;

/// The words and their arguments, as messages list them.
const WORDS: &str = "orthonormal:K, orthonormal:K,d or normal:K,d,SEED";

/// Where the rows of a teacher or a student come from.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Source {
    /// An array file, or a member of an archive, as typed.
    File(String),
    /// Standard unit vectors.
    Orthonormal {
        /// Number of rows.
        neurons: usize,
        /// Length of a row, at least the number of rows.
        dimension: usize,
    },
    /// Independent standard normal entries.
    Normal {
        /// Number of rows.
        neurons: usize,
        /// Length of a row.
        dimension: usize,
        /// Key of the random stream.
        seed: u64,
    },
}

/// Why a teacher or a student could not be made.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum WordError {
    /// Neither a file name nor a word.
    #[error("\"{text}\" is neither FILE.npy, FILE.npz:NAME nor a word ({WORDS}){}", hint(nearest.as_deref()))]
    Unknown {
        /// The text as typed.
        text: String,
        /// The nearest word, if one is near.
        nearest: Option<String>,
    },
    /// A word with arguments of the wrong number or kind.
    #[error("\"{text}\" is not a whole word; {needed} is needed, with whole numbers {limits}")]
    Arguments {
        /// The text as typed.
        text: String,
        /// The forms the word has.
        needed: &'static str,
        /// What its numbers must satisfy.
        limits: &'static str,
    },
    /// The array would not fit.
    #[error(
        "\"{text}\" has {neurons} x {dimension} entries, {bytes} bytes; the memory limit is {limit} bytes"
    )]
    TooLarge {
        /// The word.
        text: String,
        /// Rows.
        neurons: usize,
        /// Columns.
        dimension: usize,
        /// Bytes it would take.
        bytes: u128,
        /// Bytes allowed.
        limit: u64,
    },
    /// The file could not be read.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl WordError {
    /// The kind of this failure.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Storage(error) => error.kind(),
            Self::TooLarge { .. } => Kind::Resource,
            _ => Kind::Input,
        }
    }
}

fn hint(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |word| format!("; did you mean {word}?"))
}

impl Source {
    /// Reads the text of an argument; files are not opened yet.
    ///
    /// # Errors
    ///
    /// [`WordError::Unknown`] with the nearest word, or [`WordError::Arguments`] with the right form.
    ///
    /// # Examples
    ///
    /// ```
    /// use popgrad_lab::words::Source;
    /// let source = Source::parse("orthonormal:2,3")?;
    /// assert_eq!(source, Source::Orthonormal { neurons: 2, dimension: 3 });
    /// assert_eq!(source.to_string(), "orthonormal:2,3");
    /// # Ok::<(), popgrad_lab::words::WordError>(())
    /// ```
    pub fn parse(text: &str) -> Result<Self, WordError> {
        if is_array_location(text) {
            return Ok(Self::File(text.to_owned()));
        }
        let (word, arguments) = text.split_once(':').unwrap_or((text, ""));
        match word {
            "orthonormal" => parse_orthonormal(text, arguments),
            "normal" => parse_normal(text, arguments),
            _ => Err(WordError::Unknown {
                text: text.to_owned(),
                nearest: nearest(word, &["orthonormal", "normal"]).map(|near| match arguments {
                    "" => near.to_owned(),
                    _ => format!("{near}:{arguments}"),
                }),
            }),
        }
    }

    /// The array, one neuron a row; a word that needs more than `memory_limit` bytes is refused.
    ///
    /// # Errors
    ///
    /// [`WordError::Storage`] if the file cannot be read or is not (K, d); [`WordError::TooLarge`].
    pub fn matrix(&self, memory_limit: u64) -> Result<Matrix, WordError> {
        match self {
            Self::File(location) => Ok(read_array(location)?.into_matrix("(K, d), one neuron a row,")?),
            _ => self.word_matrix(memory_limit),
        }
    }

    /// A list of arrays: the slices of a file of shape (runs, K, d), otherwise the one array of [`Source::matrix`].
    ///
    /// # Errors
    ///
    /// As [`Source::matrix`].
    pub fn matrices(&self, memory_limit: u64) -> Result<Vec<Matrix>, WordError> {
        match self {
            Self::File(location) => Ok(read_array(location)?
                .into_matrices("(K, d), one neuron a row, or (runs, K, d) for many runs,")?),
            _ => Ok(vec![self.word_matrix(memory_limit)?]),
        }
    }

    /// The seed, for a word that has one.
    pub fn seed(&self) -> Option<u64> {
        match self {
            Self::Normal { seed, .. } => Some(*seed),
            _ => None,
        }
    }

    fn word_matrix(&self, memory_limit: u64) -> Result<Matrix, WordError> {
        let (Self::Orthonormal { neurons, dimension } | Self::Normal { neurons, dimension, .. }) = *self
        else {
            unreachable!("files are read before words are made")
        };
        let bytes = neurons as u128 * dimension as u128 * 8;
        if bytes > u128::from(memory_limit) {
            let text = self.to_string();
            return Err(WordError::TooLarge { text, neurons, dimension, bytes, limit: memory_limit });
        }
        Ok(match *self {
            Self::Normal { seed, .. } => normal_matrix(neurons, dimension, seed),
            _ => Matrix::identity(neurons, dimension),
        })
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(location) => f.write_str(location),
            Self::Orthonormal { neurons, dimension } => write!(f, "orthonormal:{neurons},{dimension}"),
            Self::Normal { neurons, dimension, seed } => write!(f, "normal:{neurons},{dimension},{seed}"),
        }
    }
}

fn parse_orthonormal(text: &str, arguments: &str) -> Result<Source, WordError> {
    let numbers: Option<Vec<usize>> = arguments.split(',').map(|n| n.parse().ok()).collect();
    match numbers.as_deref() {
        Some(&[k]) if k >= 1 => Ok(Source::Orthonormal { neurons: k, dimension: k }),
        Some(&[k, d]) if k >= 1 && d >= k => Ok(Source::Orthonormal { neurons: k, dimension: d }),
        _ => Err(WordError::Arguments {
            text: text.to_owned(),
            needed: "orthonormal:K or orthonormal:K,d",
            limits: "1 <= K <= d",
        }),
    }
}

fn parse_normal(text: &str, arguments: &str) -> Result<Source, WordError> {
    let numbers: Option<Vec<u64>> = arguments.split(',').map(|n| n.parse().ok()).collect();
    if let Some(&[k, d, seed]) = numbers.as_deref()
        && let (Ok(neurons), Ok(dimension)) = (usize::try_from(k), usize::try_from(d))
        && neurons >= 1
        && dimension >= 1
    {
        return Ok(Source::Normal { neurons, dimension, seed });
    }
    Err(WordError::Arguments {
        text: text.to_owned(),
        needed: "normal:K,d,SEED",
        limits: "K >= 1, d >= 1 and SEED >= 0",
    })
}

/// Row by row from stream 0 of the key `seed`; the bits are those of [`RandomStream::normal`].
fn normal_matrix(neurons: usize, dimension: usize, seed: u64) -> Matrix {
    let mut matrix = Matrix::zeros(neurons, dimension);
    RandomStream::new(seed, 0).fill_normal(matrix.as_mut_slice());
    matrix
}

/// The candidate nearest to `word` in edits, if it is near enough to be a slip of the keyboard.
pub fn nearest<'a>(word: &str, candidates: &[&'a str]) -> Option<&'a str> {
    let allowed = (word.chars().count() / 3).max(2);
    candidates
        .iter()
        .map(|&candidate| (edits(word, candidate), candidate))
        .min_by_key(|&(distance, _)| distance)
        .filter(|&(distance, _)| distance <= allowed)
        .map(|(_, candidate)| candidate)
}

/// Levenshtein distance: the fewest insertions, deletions and substitutions between two words.
fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> String {
        Source::parse(text).unwrap_err().to_string()
    }

    #[test]
    fn words_make_their_arrays() {
        let limit = 1 << 20;
        let square = Source::parse("orthonormal:2").unwrap();
        assert_eq!(square.matrix(limit).unwrap(), Matrix::identity(2, 2));
        let wide = Source::parse("orthonormal:1,3").unwrap();
        assert_eq!(wide.matrix(limit).unwrap(), Matrix::from_rows(&[[1.0, 0.0, 0.0]]));
        let normal = Source::parse("normal:2,3,7").unwrap().matrix(limit).unwrap();
        let mut stream = RandomStream::new(7, 0);
        assert_eq!((normal.rows(), normal.cols()), (2, 3));
        assert!(normal.as_slice().iter().all(|x| *x == stream.normal()), "row by row from stream 0");
    }

    #[test]
    fn malformed_words_are_refused_with_the_right_form() {
        for text in ["orthonormal:", "orthonormal:0", "orthonormal:3,2", "orthonormal:a", "orthonormal:1,2,3"]
        {
            assert!(refusal(text).ends_with(
                "is not a whole word; orthonormal:K or orthonormal:K,d is needed, with whole numbers 1 <= K <= d"
            ));
        }
        for text in ["normal:1", "normal:1,2", "normal:0,2,3", "normal:1,2,-3", "normal:1,2,3.5"] {
            assert!(refusal(text).contains("normal:K,d,SEED is needed"), "{text}");
        }
    }

    #[test]
    fn the_nearest_word_is_suggested() {
        assert_eq!(
            refusal("ortonormal:3"),
            "\"ortonormal:3\" is neither FILE.npy, FILE.npz:NAME nor a word (orthonormal:K, orthonormal:K,d or \
             normal:K,d,SEED); did you mean orthonormal:3?"
        );
        assert!(!refusal("weights").contains("did you mean"));
        assert_eq!(nearest("flwo", &["eval", "flow"]), Some("flow"));
        assert_eq!(nearest("xyz", &["eval", "flow"]), None);
    }

    #[test]
    fn a_word_beyond_the_memory_limit_is_refused_with_its_size() {
        let error = Source::parse("orthonormal:100000").unwrap().matrix(1 << 32).unwrap_err();
        assert_eq!(
            error.to_string(),
            "\"orthonormal:100000,100000\" has 100000 x 100000 entries, 80000000000 bytes; the memory limit is \
             4294967296 bytes"
        );
        assert_eq!(error.kind(), Kind::Resource);
    }

    #[test]
    fn edits_count_insertions_deletions_and_substitutions() {
        assert_eq!(edits("kitten", "sitting"), 3);
        assert_eq!(edits("", "abc"), 3);
    }
}
