//! Certificates of Conjecture 1: the boxes of the four regions.

use super::words::bits;
use super::{CertificateFileError, SCHEMA, fnv1a, malformed};
use popgrad_proof::{Conjecture1Certificate, Leaf, Region};
use serde::Deserialize;
use std::fmt::Write as _;
use std::path::Path;

/// The statement that the boxes prove, in the words of the file.
const CLAIM: &str = "L12(theta, phi) > 0 for 0 < phi < theta and < 0 for theta < phi < 2 pi, 0 < theta < pi; \
                     L21(theta, phi) = L12(theta, theta - phi)";
const LAYOUT: &str = "[theta low, theta high, u low, u high], bits of doubles";

/// What is read of the document beyond schema and statement; other keys show when it is written once more.
#[derive(Deserialize)]
struct File {
    claim: String,
    boxes: String,
    regions: Regions,
}

#[derive(Deserialize)]
#[allow(non_snake_case)] // the letters of the regions
struct Regions {
    A: Vec<[String; 4]>,
    B: Vec<[String; 4]>,
    C: Vec<[String; 4]>,
    D: Vec<[String; 4]>,
}

/// The certificate in a document of this statement.
pub(super) fn read(path: &Path, text: &str) -> Result<Conjecture1Certificate, CertificateFileError> {
    let file: File = serde_json::from_str(text).map_err(|e| malformed(path, &e.to_string()))?;
    let certificate = boxes(&file.regions).map_err(|reason| malformed(path, &reason))?;
    if file.claim != CLAIM || file.boxes != LAYOUT {
        let reason = "it claims something else".to_owned();
        return Err(CertificateFileError::Altered { path: path.to_owned(), reason });
    }
    Ok(certificate)
}

fn boxes(regions: &Regions) -> Result<Conjecture1Certificate, String> {
    let leaf = |ends: &[String; 4]| -> Result<Leaf, String> {
        let [a, b, c, d] = [&ends[0], &ends[1], &ends[2], &ends[3]].map(|text| bits(text));
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

/// The one way to write a certificate.
pub(super) fn rendered(certificate: &Conjecture1Certificate, version: &str) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::certificate::{Certificate, read_certificate, write_certificate};
    use crate::storage::Overwrite;
    use popgrad_proof::{check_conjecture1, prove_conjecture1};
    use std::fs;
    use std::path::PathBuf;

    fn scratch(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("popgrad-certificate-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        folder.join(name)
    }

    fn proved() -> Conjecture1Certificate {
        prove_conjecture1().unwrap().certificate
    }

    #[test]
    fn what_is_written_is_read_to_the_bit() {
        let path = scratch("round.json");
        let certificate = proved();
        let certificate = Certificate::Conjecture1(certificate);
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
                let forged = Certificate::Conjecture1(Conjecture1Certificate::from_leaves(leaves));
                write_certificate(&path, &forged, Overwrite::Replace).unwrap();
                let Certificate::Conjecture1(forged) = read_certificate(&path).unwrap() else { panic!() };
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
