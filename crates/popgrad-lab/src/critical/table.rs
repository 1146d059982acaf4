//! The files of an atlas: `atlas.parquet`, `atlas.json`, `index.html`.

use super::page::render;
use super::plan::AtlasError;
use super::record::{Record, records};
use super::run::{AtlasRun, Ending};
use crate::storage::{AtomicFile, Overwrite, Provenance, StorageError, parquet_properties};
use arrow_array::builder::{
    BooleanBuilder, Float64Builder, Int64Builder, ListBuilder, StringBuilder, UInt64Builder,
};
use arrow_array::{ArrayRef, RecordBatch};
use parquet::arrow::ArrowWriter;
use serde_json::{Map, Value, json};
use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

/// Makes the directory of an atlas, or takes one that holds an earlier atlas.
///
/// # Errors
///
/// [`AtlasError::NotAnAtlas`] if it holds other files, [`AtlasError::Directory`] if it cannot be made.
fn prepare(out: &Path) -> Result<(), AtlasError> {
    let fail = |source| AtlasError::Directory { path: out.to_owned(), source };
    if out.exists() {
        let occupied = fs::read_dir(out).map_err(fail)?.next().is_some();
        let earlier = fs::read_to_string(out.join("atlas.json")).unwrap_or_default();
        if occupied && !earlier.contains("\"schema\": \"popgrad.critical/") {
            return Err(AtlasError::NotAnAtlas { path: out.to_owned() });
        }
    }
    fs::create_dir_all(out).map_err(fail)
}

impl AtlasRun {
    /// Checks, before any work, that a directory can take the atlas.
    ///
    /// # Errors
    ///
    /// [`AtlasError::NotAnAtlas`], [`AtlasError::Directory`].
    pub fn prepare(out: &Path) -> Result<(), AtlasError> {
        prepare(out)
    }

    /// Writes `atlas.parquet`, `atlas.json` and `index.html` into a directory; an earlier atlas there is replaced.
    ///
    /// # Errors
    ///
    /// [`AtlasError`], if the directory holds something else or a file cannot be written.
    pub fn write(&self, out: &Path, provenance: &Provenance, ending: Ending) -> Result<(), AtlasError> {
        prepare(out)?;
        let records = records(self);
        let mut keys = Map::new();
        keys.insert("schema".to_owned(), json!(provenance.schema));
        keys.insert("popgrad".to_owned(), json!(provenance.version));
        keys.insert("numerics".to_owned(), json!(provenance.numerics));
        keys.insert("seed".to_owned(), json!(provenance.seed));
        // The options are JSON that the caller wrote.
        keys.insert("options".to_owned(), serde_json::from_str(&provenance.spec).unwrap_or(Value::Null));
        keys.extend(self.results(ending));
        let text = serde_json::to_string_pretty(&Value::Object(keys)).unwrap_or_default();
        write_parquet(&out.join("atlas.parquet"), &records, provenance)?;
        write_text(&out.join("index.html"), &render(self, &records, provenance, ending))?;
        write_text(&out.join("atlas.json"), &text)
    }
}

fn write_text(path: &Path, text: &str) -> Result<(), AtlasError> {
    let mut file = AtomicFile::create(path, Overwrite::Replace)?;
    let fail = |source| StorageError::Unwritable { path: path.to_owned(), source };
    file.write_all(text.as_bytes()).map_err(fail)?;
    Ok(file.commit()?)
}

fn write_parquet(path: &Path, records: &[Record], provenance: &Provenance) -> Result<(), AtlasError> {
    let fail = |reason: String| StorageError::Parquet { path: path.to_owned(), reason };
    let batch = batch(records).map_err(|e| fail(e.to_string()))?;
    let file = AtomicFile::create(path, Overwrite::Replace)?;
    let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(parquet_properties(provenance)))
        .map_err(|e| fail(e.to_string()))?;
    writer.write(&batch).map_err(|e| fail(e.to_string()))?;
    Ok(writer.into_inner().map_err(|e| fail(e.to_string()))?.commit()?)
}

fn finite(x: f64) -> Option<f64> {
    x.is_finite().then_some(x)
}

fn batch(records: &[Record]) -> Result<RecordBatch, Box<dyn std::error::Error>> {
    let count = |field: fn(&Record) -> usize| -> ArrayRef {
        let mut column = Int64Builder::with_capacity(records.len());
        records.iter().for_each(|r| column.append_option(i64::try_from(field(r)).ok()));
        Arc::new(column.finish())
    };
    let real = |field: fn(&Record) -> f64| -> ArrayRef {
        let mut column = Float64Builder::with_capacity(records.len());
        records.iter().for_each(|r| column.append_option(finite(field(r))));
        Arc::new(column.finish())
    };
    let text = |field: fn(&Record) -> String| -> ArrayRef {
        let mut column = StringBuilder::new();
        records.iter().for_each(|r| column.append_value(field(r)));
        Arc::new(column.finish())
    };
    let list = |field: fn(&Record) -> Vec<f64>| -> ArrayRef {
        let mut column = ListBuilder::new(Float64Builder::new());
        for record in records {
            field(record).into_iter().for_each(|x| column.values().append_option(finite(x)));
            column.append(true);
        }
        Arc::new(column.finish())
    };
    let mut in_plane = BooleanBuilder::new();
    records.iter().for_each(|r| in_plane.append_value(r.in_plane));
    let in_plane: ArrayRef = Arc::new(in_plane.finish());
    let mut orbit = UInt64Builder::new();
    records.iter().for_each(|r| orbit.append_option(r.orbit_size.and_then(|n| u64::try_from(n).ok())));
    let orbit: ArrayRef = Arc::new(orbit.finish());
    let mut hits = UInt64Builder::new();
    records.iter().for_each(|r| hits.append_value(r.hits));
    let hits: ArrayRef = Arc::new(hits.finish());
    Ok(RecordBatch::try_from_iter_with_nullable([
        ("class", count(|r| r.class), false),
        ("loss", real(|r| r.loss), true),
        ("gradient_norm", real(|r| r.gradient_norm), true),
        ("nature", text(|r| r.nature.to_owned()), false),
        ("index", count(|r| r.index), false),
        ("nullity", count(|r| r.nullity), false),
        ("manifold_dimension", count(|r| r.manifold_dimension), false),
        ("rotation_dimension", count(|r| r.rotation_dimension), false),
        ("lambda_min", real(|r| r.lambda_min), true),
        ("eigenvalue_error", real(|r| r.eigenvalue_error), true),
        ("isotropy", text(|r| r.isotropy.clone()), false),
        ("orbit_size", orbit, true),
        ("orbit_size_log10", real(|r| r.orbit_size_log10), true),
        ("in_plane", in_plane, false),
        ("out_of_plane_rank", count(|r| r.out_of_plane_rank), false),
        ("teachers_in_student_cone", count(|r| r.teachers_in_student_cone.0), false),
        ("students_in_teacher_cone", count(|r| r.students_in_teacher_cone.0), false),
        ("hits", hits, false),
        ("W", list(|r| r.weights.as_slice().to_vec()), true),
        ("a", list(|r| r.output.clone()), true),
        ("eigenvalues", list(|r| r.spectrum.iter().map(|e| e.0).collect()), true),
        ("multiplicities", list(|r| r.spectrum.iter().map(|e| e.1 as f64).collect()), true),
    ])?)
}
