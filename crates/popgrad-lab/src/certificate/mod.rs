//! Certificate files: what a proof found, written so that it can be checked without searching again.
//!
//! A certificate is a JSON document, schema `popgrad.certificate/1`, about one of the statements `conjecture1`, `points`, `enumerate` and
//! `fold`. End points of intervals are the bits of their doubles, 16 hexadecimal digits, so nothing is rounded on the way. There is one way
//! to write a certificate: the reader writes what it read once more and refuses a file that differs by a byte, and the last line holds
//! a digest of the others. That finds accidents; whoever edits a file on purpose still has to get it past
//! [`check_conjecture1`](popgrad_proof::check_conjecture1), [`check_points`](popgrad_proof::check_points),
//! [`check_enumeration`](popgrad_proof::check_enumeration) or [`check_fold`](popgrad_proof::check_fold), which trust nothing.

mod conjecture1;
mod enumerate;
mod fold;
mod points;
mod sheet;
mod words;

use crate::storage::{AtomicFile, Overwrite, StorageError};
use popgrad::Kind;
use popgrad_proof::{Conjecture1Certificate, EnumerationCertificate, FoldCertificate, PointsCertificate};
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use thiserror::Error;

/// The schema that is written and read.
pub const SCHEMA: &str = "popgrad.certificate/1";

/// Why a certificate file was not accepted.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CertificateFileError {
    /// The file could not be read or written.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// Not a JSON document with the keys of a certificate.
    #[error("{} is no certificate: {reason}; popgrad certify conjecture1, points, enumerate and fold write one with --out", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A document of another kind, or of a later version.
    #[error("{} has the schema \"{got}\"; this version reads \"{SCHEMA}\"", path.display())]
    Schema {
        /// The file.
        path: PathBuf,
        /// Its schema.
        got: String,
    },
    /// A certificate of something else.
    #[error("{} is about \"{got}\"; this version checks certificates of conjecture1, points, enumerate and fold", path.display())]
    Statement {
        /// The file.
        path: PathBuf,
        /// What it is about.
        got: String,
    },
    /// The content is not what was written.
    #[error("{} was altered after it was written: {reason}", path.display())]
    Altered {
        /// The file.
        path: PathBuf,
        /// Where that shows.
        reason: String,
    },
}

impl CertificateFileError {
    /// The kind of this failure; an altered certificate is a claim that does not hold.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Storage(error) => error.kind(),
            Self::Altered { .. } => Kind::NotConverged,
            _ => Kind::Input,
        }
    }
}

/// A certificate of one of the statements.
#[derive(Clone, Debug, PartialEq)]
pub enum Certificate {
    /// Conjecture 1 of Tian (2017).
    Conjecture1(Conjecture1Certificate),
    /// Critical points of a two-layer problem.
    Points(PointsCertificate),
    /// All critical points of two students in the plane of two teachers.
    Enumeration(EnumerationCertificate),
    /// The ratio of two teachers' lengths at which a spurious minimum vanishes.
    Fold(FoldCertificate),
}

/// Writes a certificate.
///
/// # Errors
///
/// [`StorageError`] if the file exists and may not be replaced, or cannot be written.
pub fn write_certificate(
    path: &Path,
    certificate: &Certificate,
    overwrite: Overwrite,
) -> Result<(), StorageError> {
    let text = rendered(certificate, env!("CARGO_PKG_VERSION"));
    let mut file = AtomicFile::create(path, overwrite)?;
    file.write_all(text.as_bytes())
        .map_err(|source| StorageError::Unwritable { path: path.to_owned(), source })?;
    file.commit()
}

/// The one way to write a certificate.
fn rendered(certificate: &Certificate, version: &str) -> String {
    match certificate {
        Certificate::Conjecture1(c) => conjecture1::rendered(c, version),
        Certificate::Points(c) => points::sheet(c).rendered(version),
        Certificate::Enumeration(c) => enumerate::sheet(c).rendered(version),
        Certificate::Fold(c) => fold::sheet(c).rendered(version),
    }
}

/// Reads a certificate. What it says is a claim: nothing about it is checked here.
///
/// # Errors
///
/// [`CertificateFileError`].
pub fn read_certificate(path: &Path) -> Result<Certificate, CertificateFileError> {
    let text = fs::read_to_string(path).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => StorageError::Missing { path: path.to_owned() }.into(),
        io::ErrorKind::InvalidData => malformed(path, "it is not text"),
        _ => CertificateFileError::from(StorageError::Unreadable { path: path.to_owned(), source }),
    })?;
    let value: serde_json::Value =
        serde_json::from_str(&text).map_err(|e| malformed(path, &format!("not JSON, {e}")))?;
    let word = |key: &str| value.get(key).and_then(|s| s.as_str()).unwrap_or_default().to_owned();
    if word("schema") != SCHEMA {
        return Err(CertificateFileError::Schema { path: path.to_owned(), got: word("schema") });
    }
    let sheet = |layout| sheet::Sheet::read(path, &value, layout);
    let bad = |reason: String| malformed(path, &reason);
    let certificate = match word("statement").as_str() {
        "conjecture1" => Certificate::Conjecture1(conjecture1::read(path, &text)?),
        "points" => Certificate::Points(points::parsed(&sheet(&points::LAYOUT)?).map_err(bad)?),
        "enumerate" => Certificate::Enumeration(enumerate::parsed(&sheet(&enumerate::LAYOUT)?).map_err(bad)?),
        "fold" => Certificate::Fold(fold::parsed(&sheet(&fold::LAYOUT)?).map_err(bad)?),
        other => {
            return Err(CertificateFileError::Statement { path: path.to_owned(), got: other.to_owned() });
        }
    };
    is_unaltered(path, &text, &rendered(&certificate, &word("popgrad")), &word("digest"))?;
    Ok(certificate)
}

fn malformed(path: &Path, reason: &str) -> CertificateFileError {
    CertificateFileError::Malformed { path: path.to_owned(), reason: reason.to_owned() }
}

/// Whether a text is the one way to write what it says.
fn is_unaltered(path: &Path, text: &str, whole: &str, digest: &str) -> Result<(), CertificateFileError> {
    let altered = |reason: String| CertificateFileError::Altered { path: path.to_owned(), reason };
    if let Some((line, _)) = text.lines().zip(whole.lines()).enumerate().find(|(_, (a, b))| a != b) {
        return Err(altered(format!("line {} or what it stands for; its digest is {digest}", line + 1)));
    }
    if text.len() != whole.len() {
        return Err(altered(format!("it has {} bytes, its content takes {}", text.len(), whole.len())));
    }
    Ok(())
}

/// The 64-bit digest of Fowler, Noll and Vo, variant 1a.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;
    use popgrad::Matrix;
    use popgrad_proof::{
        EnumerationSearch, PointOptions, PointProblem, certify_threshold, check_enumeration, check_fold,
        check_points,
    };

    fn scratch(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("popgrad-certificates-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        folder.join(name)
    }

    fn good() -> [Certificate; 3] {
        let two = Matrix::identity(2, 2);
        let problem = PointProblem::try_new(two.clone(), vec![1.0; 2], vec![1.0; 2]).unwrap();
        let report = problem.certify(two.view(), PointOptions::default()).unwrap();
        let search = EnumerationSearch::try_new(two.view()).unwrap();
        [
            Certificate::Points(problem.certificate(&[report]).unwrap()),
            Certificate::Enumeration(search.finish_with_certificate().unwrap().1.unwrap()),
            Certificate::Fold(certify_threshold(90.0).unwrap().unwrap().certificate(90.0)),
        ]
    }

    fn accepted(certificate: &Certificate) -> bool {
        match certificate {
            Certificate::Conjecture1(c) => popgrad_proof::check_conjecture1(c).is_ok(),
            Certificate::Points(c) => check_points(c).is_ok(),
            Certificate::Enumeration(c) => check_enumeration(c).is_ok(),
            Certificate::Fold(c) => check_fold(c).is_ok(),
        }
    }

    #[test]
    fn the_digest_is_the_published_one() {
        assert_eq!(fnv1a(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a(b"foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn what_is_written_is_read_to_the_bit_and_holds() {
        for (n, certificate) in good().iter().enumerate() {
            let path = scratch(&format!("round{n}.json"));
            write_certificate(&path, certificate, Overwrite::Replace).unwrap();
            let read = read_certificate(&path).unwrap();
            assert_eq!(&read, certificate);
            assert!(accepted(&read));
        }
    }

    /// One flipped bit in bytes all over the file, and every truncation at the end of a line.
    #[test]
    fn every_damaged_file_is_refused() {
        let path = scratch("damaged.json");
        for certificate in good() {
            let good = rendered(&certificate, "0.1.0").into_bytes();
            let stride = 1 + good.len() / 500;
            for at in (0..good.len()).step_by(stride) {
                let mut bad = good.clone();
                bad[at] ^= 1 << (at % 8);
                fs::write(&path, &bad).unwrap();
                assert!(read_certificate(&path).is_err(), "byte {at}, bit {}", at % 8);
            }
            let lines = (0..good.len()).filter(|at| good[*at] == b'\n');
            for at in lines.step_by(1 + stride / 10) {
                fs::write(&path, &good[..at]).unwrap();
                assert!(read_certificate(&path).is_err(), "cut at {at}");
            }
        }
    }

    /// Lines that stand for the same numbers but are written in another way are refused too.
    #[test]
    fn there_is_one_way_to_write_a_certificate() {
        let path = scratch("other.json");
        let [points, enumeration, fold] = good();
        for (certificate, from, to) in [
            (&points, "index 0", "index 00"),
            (&points, "symmetry\"", "symmetry \""),
            (&enumeration, "3fe", "3FE"),
            (&fold, "\"fold\": [", "\"fold\":  ["),
        ] {
            let text = rendered(certificate, "0.1.0").replacen(from, to, 1);
            fs::write(&path, &text).unwrap();
            let error = read_certificate(&path).unwrap_err();
            assert!(matches!(error.kind(), Kind::NotConverged | Kind::Input), "{error}");
        }
    }

    #[test]
    fn the_reason_is_said() {
        let path = scratch("reasons.json");
        let [points, enumeration, fold] = good().map(|c| rendered(&c, "0.1.0"));
        for (bad, reason) in [
            (points.replace("certificate/1", "certificate/3"), "has the schema \"popgrad.certificate/3\""),
            (points.replace("\"points\",", "\"point\","), "is about \"point\"; this version checks"),
            (points.replace("\"claim\"", "\"clam\""), "missing text `claim`"),
            (points.replace("\"problem\": [", "\"problems\": ["), "missing list of lines `problem`"),
            (points.replace("each point: within", "each point: near"), "it claims something else"),
            (points.replace("nullity 0", "nullity x"), "\"x\" is no count"),
            (points.replace("\"radius ", "\"radios "), "radius is needed, not \"radios"),
            (enumeration.replace("value1", "value9"), "its proof has no known name"),
            (enumeration.replace("point global", "point local"), "\"local\" is no class of points"),
            (fold.replace("degrees 4", "degrees g"), "is not 16 hexadecimal digits"),
            (fold[..fold.len() / 2].to_owned(), "not JSON, EOF"),
        ] {
            fs::write(&path, bad).unwrap();
            let message = read_certificate(&path).unwrap_err().to_string();
            assert!(message.contains(reason), "{message}\nfor {reason}");
        }
    }
}
