//! Trajectories as a table, one row a recorded step, in Parquet or `.npz`.
//!
//! Columns: `run`, `step`, `t`, `loss`, `grad_norm`, `W` (K d entries, row by row), `a` (K), `angles` (K M entries,
//! the angle between student j and teacher m at `j M + m`), `event`. A convolutional network has its filter v as `W`, the
//! angle phi as `angles`, and two columns more, `alpha` and `S_a`, the products of `a` with `a*` and with ones. The schema, version, numerics, resolved
//! options and seed that made the file stand in its metadata.

use super::{AtomicFile, Column, Member, Overwrite, StorageError, write_npz};
use arrow_array::builder::{Float64Builder, Int64Builder, ListBuilder, StringBuilder};
use arrow_array::{ArrayRef, RecordBatch};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Rows gathered before they are handed to Parquet.
const ROWS_PER_BATCH: usize = 4096;

/// What made a file, enough to make it again.
#[derive(Clone, Debug, PartialEq)]
pub struct Provenance {
    /// The schema of the table, `popgrad.flow/1`.
    pub schema: String,
    /// Version of the package.
    pub version: String,
    /// The numerics number: raised when a promised bit moves.
    pub numerics: u32,
    /// The resolved options as JSON.
    pub spec: String,
    /// The seed, where one was used.
    pub seed: Option<u64>,
}

/// One recorded step of one run. Numbers that are not finite become null (`NaN` in `.npz`).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TrajectoryRow {
    /// Index of the start.
    pub run: i64,
    /// Steps taken.
    pub step: i64,
    /// Time: the sum of the step sizes, in per-sample flow time.
    pub t: f64,
    /// Loss.
    pub loss: f64,
    /// Norm of the gradient of everything that is trained.
    pub grad_norm: f64,
    /// Student weights, row by row.
    pub weights: Vec<f64>,
    /// Student output weights.
    pub output: Vec<f64>,
    /// Angle between student j and teacher m at `j M + m`.
    pub angles: Vec<f64>,
    /// `a.a*` and `1.a` of a convolutional network; in all rows of a file or in none.
    pub overlaps: Option<[f64; 2]>,
    /// What happened at this row, empty for nothing.
    pub event: String,
}

/// A trajectory file being written; its name says the format, `.parquet` or `.npz`.
#[derive(Debug)]
pub struct TrajectoryWriter {
    path: PathBuf,
    rows: Vec<TrajectoryRow>,
    sink: Sink,
}

#[derive(Debug)]
enum Sink {
    Parquet(Box<Option<ArrowWriter<AtomicFile>>>, Provenance, Overwrite),
    Npz(Provenance, Overwrite),
}

impl TrajectoryWriter {
    /// Starts a file.
    ///
    /// # Errors
    ///
    /// [`StorageError`] if the name is neither `.parquet` nor `.npz`, or is taken and may not be replaced.
    pub fn create(path: &Path, provenance: Provenance, overwrite: Overwrite) -> Result<Self, StorageError> {
        super::refuse_existing(path, overwrite)?;
        let sink = match path.extension().and_then(|e| e.to_str()) {
            Some("parquet") => Sink::Parquet(Box::new(None), provenance, overwrite),
            Some("npz") => Sink::Npz(provenance, overwrite),
            _ => return Err(StorageError::TrajectoryFormat { path: path.to_owned() }),
        };
        Ok(Self { path: path.to_owned(), rows: Vec::new(), sink })
    }

    /// Adds a row. Parquet keeps a few thousand rows in memory; `.npz` keeps them all.
    ///
    /// # Errors
    ///
    /// [`StorageError`] if a full batch cannot be written.
    pub fn push(&mut self, row: TrajectoryRow) -> Result<(), StorageError> {
        self.rows.push(row);
        if matches!(self.sink, Sink::Parquet(..)) && self.rows.len() == ROWS_PER_BATCH {
            self.flush_batch()?;
        }
        Ok(())
    }

    /// Completes the file under its final name.
    ///
    /// # Errors
    ///
    /// [`StorageError`] if the file cannot be written.
    pub fn finish(mut self) -> Result<(), StorageError> {
        if let Sink::Npz(provenance, overwrite) = &self.sink {
            return write_table(&self.path, &self.rows, provenance, *overwrite);
        }
        self.flush_batch()?;
        let path = self.path.clone();
        match self.sink {
            Sink::Parquet(writer, ..) => {
                let writer = writer.expect("a flush opens the file");
                writer.into_inner().map_err(|e| parquet_error(&path, &e))?.commit()
            }
            Sink::Npz(..) => Ok(()),
        }
    }

    /// Hands the gathered rows to Parquet, opening the file at the first call.
    fn flush_batch(&mut self) -> Result<(), StorageError> {
        let batch = record_batch(&self.rows).map_err(|e| parquet_error(&self.path, &*e))?;
        self.rows.clear();
        if let Sink::Parquet(writer, provenance, overwrite) = &mut self.sink {
            if writer.is_none() {
                let file = AtomicFile::create(&self.path, *overwrite)?;
                let properties = parquet_properties(provenance);
                let opened = ArrowWriter::try_new(file, batch.schema(), Some(properties))
                    .map_err(|e| parquet_error(&self.path, &e))?;
                **writer = Some(opened);
            }
            if let Some(writer) = writer.as_mut() {
                writer.write(&batch).map_err(|e| parquet_error(&self.path, &e))?;
            }
        }
        Ok(())
    }
}

fn parquet_error(path: &Path, error: &dyn std::error::Error) -> StorageError {
    StorageError::Parquet { path: path.to_owned(), reason: error.to_string() }
}

/// The metadata of a file as pairs of names and values.
fn metadata(provenance: &Provenance) -> Vec<(&'static str, String)> {
    let mut pairs = vec![
        ("schema", provenance.schema.clone()),
        ("popgrad", provenance.version.clone()),
        ("numerics", provenance.numerics.to_string()),
        ("spec", provenance.spec.clone()),
    ];
    if let Some(seed) = provenance.seed {
        pairs.push(("seed", seed.to_string()));
    }
    pairs
}

/// Compression, author and metadata of every Parquet file.
pub(crate) fn parquet_properties(provenance: &Provenance) -> WriterProperties {
    let pairs =
        metadata(provenance).into_iter().map(|(key, value)| KeyValue::new(key.to_owned(), value)).collect();
    WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_created_by(format!("popgrad {}", provenance.version))
        .set_key_value_metadata(Some(pairs))
        .build()
}

fn record_batch(rows: &[TrajectoryRow]) -> Result<RecordBatch, Box<dyn std::error::Error>> {
    let integer = |field: fn(&TrajectoryRow) -> i64| -> ArrayRef {
        let mut builder = Int64Builder::with_capacity(rows.len());
        for row in rows {
            builder.append_value(field(row));
        }
        Arc::new(builder.finish())
    };
    let real = |field: fn(&TrajectoryRow) -> f64| -> ArrayRef {
        let mut builder = Float64Builder::with_capacity(rows.len());
        for row in rows {
            builder.append_option(finite(field(row)));
        }
        Arc::new(builder.finish())
    };
    let list = |field: fn(&TrajectoryRow) -> &[f64]| -> ArrayRef {
        let mut builder = ListBuilder::new(Float64Builder::new());
        for row in rows {
            for &x in field(row) {
                builder.values().append_option(finite(x));
            }
            builder.append(true);
        }
        Arc::new(builder.finish())
    };
    let mut event = StringBuilder::new();
    for row in rows {
        event.append_option((!row.event.is_empty()).then_some(&row.event));
    }
    let event: ArrayRef = Arc::new(event.finish());
    let mut columns = vec![
        ("run", integer(|r| r.run), false),
        ("step", integer(|r| r.step), false),
        ("t", real(|r| r.t), true),
        ("loss", real(|r| r.loss), true),
        ("grad_norm", real(|r| r.grad_norm), true),
        ("W", list(|r| &r.weights), true),
        ("a", list(|r| &r.output), true),
        ("angles", list(|r| &r.angles), true),
        ("event", event, true),
    ];
    if rows.first().is_some_and(|row| row.overlaps.is_some()) {
        columns.push(("alpha", real(|r| overlap(r, 0)), true));
        columns.push(("S_a", real(|r| overlap(r, 1)), true));
    }
    Ok(RecordBatch::try_from_iter_with_nullable(columns)?)
}

/// `alpha` (0) or `S_a` (1) of a row, NaN where it has none.
fn overlap(row: &TrajectoryRow, which: usize) -> f64 {
    row.overlaps.map_or(f64::NAN, |pair| pair[which])
}

fn finite(x: f64) -> Option<f64> {
    x.is_finite().then_some(x)
}

/// Writes all rows as one archive of columns, with the metadata as two members of text.
fn write_table(
    path: &Path,
    rows: &[TrajectoryRow],
    provenance: &Provenance,
    overwrite: Overwrite,
) -> Result<(), StorageError> {
    let integers = |field: fn(&TrajectoryRow) -> i64| rows.iter().map(field).collect::<Vec<i64>>();
    let reals = |field: fn(&TrajectoryRow) -> f64| {
        rows.iter().map(|r| finite(field(r)).unwrap_or(f64::NAN)).collect::<Vec<f64>>()
    };
    let lists =
        |field: fn(&TrajectoryRow) -> &[f64]| rows.iter().flat_map(field).copied().collect::<Vec<f64>>();
    let (run, step) = (integers(|r| r.run), integers(|r| r.step));
    let (t, loss, norm) = (reals(|r| r.t), reals(|r| r.loss), reals(|r| r.grad_norm));
    let (weights, output, angles) = (lists(|r| &r.weights), lists(|r| &r.output), lists(|r| &r.angles));
    let event: Vec<String> = rows.iter().map(|r| r.event.clone()).collect();
    let (keys, values): (Vec<String>, Vec<String>) =
        metadata(provenance).into_iter().map(|(key, value)| (key.to_owned(), value)).unzip();
    let n = rows.len();
    let wide = |name, data| {
        let data: &Vec<f64> = data;
        Member::real(name, &[n, data.len() / n.max(1)], data)
    };
    let (alpha, sum) = (reals(|r| overlap(r, 0)), reals(|r| overlap(r, 1)));
    let mut members = vec![
        Member { name: "run", shape: vec![n], column: Column::Integer(&run) },
        Member { name: "step", shape: vec![n], column: Column::Integer(&step) },
        Member::real("t", &[n], &t),
        Member::real("loss", &[n], &loss),
        Member::real("grad_norm", &[n], &norm),
        wide("W", &weights),
        wide("a", &output),
        wide("angles", &angles),
        Member { name: "event", shape: vec![n], column: Column::Text(&event) },
        Member { name: "metadata_keys", shape: vec![keys.len()], column: Column::Text(&keys) },
        Member { name: "metadata_values", shape: vec![values.len()], column: Column::Text(&values) },
    ];
    if rows.first().is_some_and(|row| row.overlaps.is_some()) {
        members.push(Member::real("alpha", &[n], &alpha));
        members.push(Member::real("S_a", &[n], &sum));
    }
    write_npz(path, &members, overwrite)
}

#[cfg(test)]
mod tests {
    use super::super::read_npz;
    use super::*;
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::record::Field;

    fn provenance() -> Provenance {
        Provenance {
            schema: "popgrad.flow/1".to_owned(),
            version: "0.1.0".to_owned(),
            numerics: 1,
            spec: "{}".to_owned(),
            seed: Some(7),
        }
    }

    fn row(step: i64) -> TrajectoryRow {
        TrajectoryRow {
            step,
            t: 0.1 * step as f64,
            loss: if step == 1 { f64::NAN } else { 0.25 },
            weights: vec![1.0, step as f64],
            output: vec![1.0],
            angles: vec![0.5],
            ..TrajectoryRow::default()
        }
    }

    fn scratch(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("popgrad-trajectory-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        folder
    }

    #[test]
    fn parquet_rows_and_metadata_come_back() {
        let path = scratch("parquet").join("a.parquet");
        let mut writer = TrajectoryWriter::create(&path, provenance(), Overwrite::Refuse).unwrap();
        let count = i64::try_from(ROWS_PER_BATCH).unwrap() + 3;
        for step in 0..count {
            writer.push(row(step)).unwrap();
        }
        writer.finish().unwrap();
        let reader = SerializedFileReader::new(std::fs::File::open(&path).unwrap()).unwrap();
        assert_eq!(reader.metadata().file_metadata().num_rows(), count);
        let pairs = reader.metadata().file_metadata().key_value_metadata().unwrap();
        for (key, value) in metadata(&provenance()) {
            assert!(pairs.iter().any(|p| p.key == key && p.value.as_deref() == Some(&value)), "{key}");
        }
        let second = reader.get_row_iter(None).unwrap().nth(1).unwrap().unwrap();
        let columns: Vec<(&String, &Field)> = second.get_column_iter().collect();
        let names: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["run", "step", "t", "loss", "grad_norm", "W", "a", "angles", "event"]);
        assert_eq!(*columns[1].1, Field::Long(1));
        assert_eq!(*columns[3].1, Field::Null, "a loss that is not finite is null");
        assert_eq!(*columns[8].1, Field::Null, "no event is null");
        assert!(
            matches!(columns[5].1, Field::ListInternal(list) if list.elements()[1] == Field::Double(1.0))
        );
    }

    #[test]
    fn an_empty_trajectory_is_still_a_file() {
        let path = scratch("empty").join("a.parquet");
        TrajectoryWriter::create(&path, provenance(), Overwrite::Refuse).unwrap().finish().unwrap();
        let reader = SerializedFileReader::new(std::fs::File::open(&path).unwrap()).unwrap();
        assert_eq!(reader.metadata().file_metadata().num_rows(), 0);
    }

    #[test]
    fn an_archive_holds_one_row_a_step() {
        let path = scratch("npz").join("a.npz");
        let mut writer = TrajectoryWriter::create(&path, provenance(), Overwrite::Refuse).unwrap();
        for step in 2..5 {
            writer.push(row(step)).unwrap();
        }
        writer.finish().unwrap();
        let weights = read_npz(&path, "W").unwrap();
        assert_eq!((weights.shape(), weights.as_slice()[5]), (&[3, 2][..], 4.0));
    }

    #[test]
    fn another_format_is_refused() {
        let path = scratch("format").join("a.csv");
        let error = TrajectoryWriter::create(&path, provenance(), Overwrite::Refuse).unwrap_err();
        assert!(
            error.to_string().ends_with("a.csv is not a trajectory file; FILE.parquet or FILE.npz is needed")
        );
    }
}
