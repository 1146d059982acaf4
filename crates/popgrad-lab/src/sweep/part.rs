//! A part: the runs of one cell that are computed and stored together, with the part's own classes.
//!
//! A part file is a line of JSON (schema, spec, cell, part, sizes), a line with the SHA-256 of that line and of all that
//! follows, then fixed-size rows, then the representatives of the classes, all little-endian. A file whose checksum, sizes
//! or spec do not fit is no part.

use crate::storage::{AtomicFile, Overwrite, StorageError};
use popgrad::RunStatus;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

/// The schema of a part file.
const SCHEMA: &str = "popgrad.sweep.part/1";
/// Bytes of a row.
const ROW: usize = 8 + 4 + 1 + 4 + 8 + 8 + 8;

/// What a run's class is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Class {
    /// The run did not converge and has none.
    None,
    /// The manifold of global minima of a problem with more students than teachers.
    GlobalManifold,
    /// Number of a class of critical points.
    Number(u32),
}

impl Class {
    fn code(self) -> i32 {
        match self {
            Self::None => -1,
            Self::GlobalManifold => -2,
            Self::Number(n) => i32::try_from(n).unwrap_or(i32::MAX),
        }
    }

    fn from_code(code: i32) -> Option<Self> {
        match code {
            -1 => Some(Self::None),
            -2 => Some(Self::GlobalManifold),
            _ => u32::try_from(code).ok().map(Self::Number),
        }
    }
}

/// What is kept of a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Row {
    pub(super) steps: u64,
    pub(super) halvings: u32,
    pub(super) status: RunStatus,
    pub(super) class: Class,
    pub(super) loss: f64,
    pub(super) gradient_norm: f64,
    pub(super) time: f64,
}

/// The first end of a class.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Representative {
    pub(super) run: u64,
    pub(super) loss: f64,
    pub(super) weights: Vec<f64>,
    pub(super) output: Vec<f64>,
}

/// A part as it is stored; rows are those of consecutive runs from `first` on.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Part {
    pub(super) cell: usize,
    pub(super) number: u64,
    pub(super) first: u64,
    pub(super) rows: Vec<Row>,
    pub(super) classes: Vec<Representative>,
}

/// The name of a part's file in the sweep's directory.
pub(super) fn path(directory: &Path, cell: usize, number: u64) -> PathBuf {
    directory.join("parts").join(format!("cell-{cell:05}-part-{number:08}.bin"))
}

/// The lower-case hexadecimal SHA-256 of bytes.
pub(super) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::with_capacity(64), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn checksum(header: &[u8], payload: &[u8]) -> String {
    sha256(&[header, payload].concat())
}

impl Part {
    /// Writes the part under its final name, complete and synced.
    pub(super) fn write(&self, directory: &Path, spec: &str) -> Result<(), StorageError> {
        let path = path(directory, self.cell, self.number);
        let payload = self.payload();
        let sizes = self.classes.first().map_or((0, 0), |c| (c.weights.len(), c.output.len()));
        let header = json!({
            "schema": SCHEMA,
            "spec": spec,
            "cell": self.cell,
            "part": self.number,
            "first": self.first,
            "runs": self.rows.len(),
            "classes": self.classes.len(),
            "weights": sizes.0,
            "output": sizes.1,
        })
        .to_string();
        let sum = checksum(header.as_bytes(), &payload);
        let mut file = AtomicFile::create(&path, Overwrite::Replace)?;
        let written = write!(file, "{header}\n{sum}\n").and_then(|()| file.write_all(&payload));
        written.map_err(|source| StorageError::Unwritable { path: path.clone(), source })?;
        file.commit()
    }

    fn payload(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.rows.len() * ROW);
        for row in &self.rows {
            out.extend(row.steps.to_le_bytes());
            out.extend(row.halvings.to_le_bytes());
            let status = RunStatus::ALL.iter().position(|s| *s == row.status).unwrap_or(usize::MAX);
            out.push(u8::try_from(status).unwrap_or(u8::MAX));
            out.extend(row.class.code().to_le_bytes());
            for x in [row.loss, row.gradient_norm, row.time] {
                out.extend(x.to_le_bytes());
            }
        }
        for class in &self.classes {
            out.extend(class.run.to_le_bytes());
            out.extend(class.loss.to_le_bytes());
            for x in class.weights.iter().chain(&class.output) {
                out.extend(x.to_le_bytes());
            }
        }
        out
    }

    /// Reads the part, or `None` if there is no file or it is not a whole part of this spec.
    pub(super) fn read(directory: &Path, spec: &str, cell: usize, number: u64) -> Option<Self> {
        let bytes = fs::read(path(directory, cell, number)).ok()?;
        let mut lines = bytes.splitn(3, |b| *b == b'\n');
        let (line, sum, payload) = (lines.next()?, lines.next()?, lines.next()?);
        if sum != checksum(line, payload).as_bytes() {
            return None;
        }
        let header: Value = serde_json::from_slice(line).ok()?;
        let size = |key: &str| header[key].as_u64().and_then(|n| usize::try_from(n).ok());
        let ours = header["schema"] == SCHEMA
            && header["spec"] == spec
            && size("cell") == Some(cell)
            && header["part"] == number;
        if !ours {
            return None;
        }
        let (runs, classes, weights, output) =
            (size("runs")?, size("classes")?, size("weights")?, size("output")?);
        let mut input = Input(payload);
        let rows = (0..runs).map(|_| input.row()).collect::<Option<Vec<_>>>()?;
        let classes =
            (0..classes).map(|_| input.representative(weights, output)).collect::<Option<Vec<_>>>()?;
        let whole = input.0.is_empty();
        whole.then(|| Some(Self { cell, number, first: header["first"].as_u64()?, rows, classes })).flatten()
    }
}

/// Bytes not read yet.
struct Input<'b>(&'b [u8]);

impl Input<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (now, later) = self.0.split_first_chunk::<N>()?;
        self.0 = later;
        Some(*now)
    }

    fn real(&mut self) -> Option<f64> {
        self.take().map(f64::from_le_bytes)
    }

    fn row(&mut self) -> Option<Row> {
        Some(Row {
            steps: u64::from_le_bytes(self.take()?),
            halvings: u32::from_le_bytes(self.take()?),
            status: *RunStatus::ALL.get(usize::from(u8::from_le_bytes(self.take()?)))?,
            class: Class::from_code(i32::from_le_bytes(self.take()?))?,
            loss: self.real()?,
            gradient_norm: self.real()?,
            time: self.real()?,
        })
    }

    fn representative(&mut self, weights: usize, output: usize) -> Option<Representative> {
        Some(Representative {
            run: u64::from_le_bytes(self.take()?),
            loss: self.real()?,
            weights: (0..weights).map(|_| self.real()).collect::<Option<_>>()?,
            output: (0..output).map(|_| self.real()).collect::<Option<_>>()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part() -> Part {
        let row = |steps, class| Row {
            steps,
            halvings: 1,
            status: RunStatus::Converged,
            class,
            loss: 0.1,
            gradient_norm: 1e-13,
            time: 0.5,
        };
        Part {
            cell: 3,
            number: 7,
            first: 700,
            rows: vec![row(10, Class::Number(0)), row(u64::MAX, Class::None), row(0, Class::GlobalManifold)],
            classes: vec![Representative {
                run: 700,
                loss: 0.1,
                weights: vec![1.0, -2.5],
                output: vec![1.0],
            }],
        }
    }

    #[test]
    fn a_part_comes_back_and_any_change_of_a_byte_is_noticed() {
        let folder = std::env::temp_dir().join(format!("popgrad-part-{}", std::process::id()));
        fs::create_dir_all(folder.join("parts")).unwrap();
        let part = part();
        part.write(&folder, "spec").unwrap();
        assert_eq!(Part::read(&folder, "spec", 3, 7), Some(part));
        assert_eq!(Part::read(&folder, "another spec", 3, 7), None);
        let file = path(&folder, 3, 7);
        let bytes = fs::read(&file).unwrap();
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 0x20;
            fs::write(&file, &changed).unwrap();
            let read = Part::read(&folder, "spec", 3, 7);
            assert!(read.is_none(), "byte {at} of {}", bytes.len());
        }
        fs::write(&file, &bytes[..bytes.len() - 1]).unwrap();
        assert_eq!(Part::read(&folder, "spec", 3, 7), None);
        fs::remove_dir_all(folder).unwrap();
    }
}
