//! Certificate files: what a proof found, written so that it can be checked without searching again.
//!
//! A certificate is a JSON document, schema `popgrad.certificate/1`. End points of intervals are the bits of their doubles,
//! 16 hexadecimal digits, so nothing is rounded on the way. There is one way to write a certificate: the reader writes
//! what it read once more and refuses a file that differs by a byte, and the last line holds a digest of the others. That
//! finds accidents; whoever edits a file on purpose still has to get it past
//! [`check_conjecture1`](popgrad_proof::check_conjecture1), which trusts nothing.

use crate::storage::{AtomicFile, Overwrite, StorageError};
use popgrad::Kind;
use popgrad_proof::{Conjecture1Certificate, Leaf, Region};
use serde::Deserialize;
use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use thiserror::Error;

/// The schema that is written and read.
pub const SCHEMA: &str = "popgrad.certificate/1";

/// The statement that the boxes prove, in the words of the file.
const CLAIM: &str = "L12(theta, phi) > 0 for 0 < phi < theta and < 0 for theta < phi < 2 pi, 0 < theta < pi; \
                     L21(theta, phi) = L12(theta, theta - phi)";
const LAYOUT: &str = "[theta low, theta high, u low, u high], bits of doubles";

/// Why a certificate file was not accepted.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CertificateFileError {
    /// The file could not be read or written.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// Not a JSON document with the keys of a certificate.
    #[error("{} is no certificate: {reason}; popgrad certify conjecture1 --out FILE writes one", path.display())]
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
    #[error("{} is about \"{got}\"; this version checks certificates of \"conjecture1\"", path.display())]
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

/// What is read of the document beyond schema and statement; other keys show when it is written once more.
#[derive(Deserialize)]
struct File {
    popgrad: String,
    claim: String,
    boxes: String,
    regions: Regions,
    digest: String,
}

#[derive(Deserialize)]
#[allow(non_snake_case)] // the letters of the regions
struct Regions {
    A: Vec<[String; 4]>,
    B: Vec<[String; 4]>,
    C: Vec<[String; 4]>,
    D: Vec<[String; 4]>,
}

/// Writes a certificate of Conjecture 1.
///
/// # Errors
///
/// [`StorageError`] if the file exists and may not be replaced, or cannot be written.
pub fn write_certificate(
    path: &Path,
    certificate: &Conjecture1Certificate,
    overwrite: Overwrite,
) -> Result<(), StorageError> {
    let text = rendered(certificate, env!("CARGO_PKG_VERSION"));
    let mut file = AtomicFile::create(path, overwrite)?;
    file.write_all(text.as_bytes())
        .map_err(|source| StorageError::Unwritable { path: path.to_owned(), source })?;
    file.commit()
}

/// Reads a certificate of Conjecture 1. The boxes are a claim: nothing about them is checked here.
///
/// # Errors
///
/// [`CertificateFileError`].
pub fn read_certificate(path: &Path) -> Result<Conjecture1Certificate, CertificateFileError> {
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
    if word("statement") != "conjecture1" {
        return Err(CertificateFileError::Statement { path: path.to_owned(), got: word("statement") });
    }
    let file: File = serde_json::from_str(&text).map_err(|e| malformed(path, &e.to_string()))?;
    let certificate = boxes(&file.regions).map_err(|reason| malformed(path, &reason))?;
    let altered = |reason: String| CertificateFileError::Altered { path: path.to_owned(), reason };
    if file.claim != CLAIM || file.boxes != LAYOUT {
        return Err(altered("it claims something else".to_owned()));
    }
    let whole = rendered(&certificate, &file.popgrad);
    if let Some((line, _)) = text.lines().zip(whole.lines()).enumerate().find(|(_, (a, b))| a != b) {
        let reason = format!("line {} or what it stands for; its digest is {}", line + 1, file.digest);
        return Err(altered(reason));
    }
    if text.len() != whole.len() {
        return Err(altered(format!("it has {} bytes, its content takes {}", text.len(), whole.len())));
    }
    Ok(certificate)
}

fn malformed(path: &Path, reason: &str) -> CertificateFileError {
    CertificateFileError::Malformed { path: path.to_owned(), reason: reason.to_owned() }
}

fn boxes(regions: &Regions) -> Result<Conjecture1Certificate, String> {
    let leaf = |ends: &[String; 4]| -> Result<Leaf, String> {
        let [a, b, c, d] = [&ends[0], &ends[1], &ends[2], &ends[3]].map(|text| end_point(text));
        Ok(Leaf { theta: [a?, b?], u: [c?, d?] })
    };
    let read = |list: &[[String; 4]]| list.iter().map(leaf).collect::<Result<Vec<Leaf>, String>>();
    Ok(Conjecture1Certificate::from_leaves([
        read(&regions.A)?,
        read(&regions.B)?,
        read(&regions.C)?,
        read(&regions.D)?,
    ]))
}

fn end_point(text: &str) -> Result<f64, String> {
    let bits = (text.len() == 16).then(|| u64::from_str_radix(text, 16).ok()).flatten();
    bits.map(f64::from_bits).ok_or_else(|| format!("the end point \"{text}\" is not 16 hexadecimal digits"))
}

/// The one way to write a certificate.
fn rendered(certificate: &Conjecture1Certificate, version: &str) -> String {
    let mut text = format!(
        "{{\n  \"schema\": \"{SCHEMA}\",\n  \"popgrad\": {},\n  \"statement\": \"conjecture1\",\n  \
         \"claim\": \"{CLAIM}\",\n  \"boxes\": \"{LAYOUT}\",\n  \"regions\": {{\n",
        serde_json::Value::from(version)
    );
    for region in Region::ALL {
        let lines: Vec<String> = certificate.leaves(region).iter().map(line).collect();
        let comma = if region == Region::D { "" } else { "," };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "    \"{}\": [\n{}\n    ]{comma}", region.name(), lines.join(",\n"));
    }
    text.push_str("  },\n");
    let digest = fnv1a(text.as_bytes());
    let _ = writeln!(text, "  \"digest\": \"fnv1a64:{digest:016x}\"\n}}");
    text
}

fn line(leaf: &Leaf) -> String {
    let [a, b, c, d] = [leaf.theta[0], leaf.theta[1], leaf.u[0], leaf.u[1]].map(f64::to_bits);
    format!("      [\"{a:016x}\", \"{b:016x}\", \"{c:016x}\", \"{d:016x}\"]")
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
    use popgrad_proof::{check_conjecture1, prove_conjecture1};

    fn scratch(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("popgrad-certificate-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        folder.join(name)
    }

    fn proved() -> Conjecture1Certificate {
        prove_conjecture1().unwrap().certificate
    }

    #[test]
    fn the_digest_is_the_published_one() {
        assert_eq!(fnv1a(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a(b"foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn what_is_written_is_read_to_the_bit() {
        let path = scratch("round.json");
        let certificate = proved();
        write_certificate(&path, &certificate, Overwrite::Replace).unwrap();
        assert_eq!(read_certificate(&path).unwrap(), certificate);
    }

    /// One flipped bit in every byte of the file in turn, and every truncation at the end of a line.
    #[test]
    fn every_damaged_file_is_refused() {
        let path = scratch("damaged.json");
        let good = rendered(&proved(), "0.1.0").into_bytes();
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 1 << (at % 8);
            fs::write(&path, &bad).unwrap();
            assert!(read_certificate(&path).is_err(), "byte {at}, bit {}", at % 8);
        }
        for at in (0..good.len()).filter(|at| *at == good.len() - 1 || good[*at] == b'\n') {
            fs::write(&path, &good[..at]).unwrap();
            assert!(read_certificate(&path).is_err(), "cut at {at}");
        }
    }

    /// Edited with a digest that fits: the file is well formed, and the check of the boxes refuses it.
    #[test]
    fn a_forged_digest_does_not_help() {
        let path = scratch("forged.json");
        let good = proved();
        for region in Region::ALL {
            for index in [0, 4, 9] {
                let mut leaves = Region::ALL.map(|r| good.leaves(r).to_vec());
                leaves[region as usize][index].theta[1] = leaves[region as usize][index].theta[1].next_up();
                write_certificate(&path, &Conjecture1Certificate::from_leaves(leaves), Overwrite::Replace)
                    .unwrap();
                let forged = read_certificate(&path).unwrap();
                assert!(check_conjecture1(&forged).is_err(), "{region:?} {index}");
            }
        }
    }

    #[test]
    fn the_reason_is_said() {
        let path = scratch("reasons.json");
        let good = rendered(&proved(), "0.1.0");
        for (bad, reason) in [
            (
                good.replace("certificate/1", "certificate/2"),
                "has the schema \"popgrad.certificate/2\"; this version",
            ),
            (good.replace("\"conjecture1\"", "\"conjecture7\""), "is about \"conjecture7\""),
            (good.replace("\"claim\"", "\"clam\""), "is no certificate: missing field `claim`"),
            (good.replacen("[\"0000000000000000", "[\"000000000000000", 1), "is not 16 hexadecimal digits"),
            (good[..good.len() / 2].to_owned(), "is no certificate: not JSON, EOF while parsing"),
            (good.replace("0.1.0", "0.1.1"), "was altered after it was written: line"),
            (good.replace("\"boxes\"", "\"x\": 1, \"boxes\""), "was altered after it was written: line"),
            (format!("{good}\n"), "was altered after it was written: it has"),
        ] {
            fs::write(&path, bad).unwrap();
            let message = read_certificate(&path).unwrap_err().to_string();
            assert!(message.contains(reason), "{message}\nfor {reason}");
        }
    }
}
