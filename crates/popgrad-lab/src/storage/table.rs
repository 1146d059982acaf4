//! Tables in Parquet: named columns, written batch by batch, under their final name only when complete.

use super::trajectory::parquet_properties;
use super::{AtomicFile, Overwrite, Provenance, StorageError};
use arrow_array::builder::{Float64Builder, Int64Builder, ListBuilder, StringBuilder};
use arrow_array::{ArrayRef, RecordBatch};
use parquet::arrow::ArrowWriter;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The values of one column. Reals that are not finite become null.
#[derive(Clone, Debug)]
pub(crate) enum TableColumn {
    /// Whole numbers, or null.
    Integer(Vec<Option<i64>>),
    /// Reals.
    Real(Vec<f64>),
    /// Texts, or null.
    Text(Vec<Option<String>>),
    /// Lists of reals.
    List(Vec<Vec<f64>>),
}

impl TableColumn {
    fn array(self) -> ArrayRef {
        let finite = |x: f64| x.is_finite().then_some(x);
        match self {
            Self::Integer(values) => {
                let mut column = Int64Builder::with_capacity(values.len());
                values.into_iter().for_each(|x| column.append_option(x));
                Arc::new(column.finish())
            }
            Self::Real(values) => {
                let mut column = Float64Builder::with_capacity(values.len());
                values.into_iter().for_each(|x| column.append_option(finite(x)));
                Arc::new(column.finish())
            }
            Self::Text(values) => {
                let mut column = StringBuilder::new();
                values.into_iter().for_each(|x| column.append_option(x));
                Arc::new(column.finish())
            }
            Self::List(values) => {
                let mut column = ListBuilder::new(Float64Builder::new());
                for list in values {
                    list.into_iter().for_each(|x| column.values().append_option(finite(x)));
                    column.append(true);
                }
                Arc::new(column.finish())
            }
        }
    }
}

/// A table being written.
pub(crate) struct TableWriter {
    path: PathBuf,
    provenance: Provenance,
    writer: Option<ArrowWriter<AtomicFile>>,
}

impl TableWriter {
    /// A table that replaces an earlier file of its name.
    pub(crate) fn new(path: &Path, provenance: Provenance) -> Self {
        Self { path: path.to_owned(), provenance, writer: None }
    }

    /// Writes a batch of rows; the columns are the same in every batch.
    pub(crate) fn write(&mut self, columns: Vec<(String, TableColumn)>) -> Result<(), StorageError> {
        let path = self.path.clone();
        let fail = |reason: String| StorageError::Parquet { path: path.clone(), reason };
        let columns = columns.into_iter().map(|(name, column)| (name, column.array(), true));
        let batch = RecordBatch::try_from_iter_with_nullable(columns).map_err(|e| fail(e.to_string()))?;
        if self.writer.is_none() {
            let file = AtomicFile::create(&self.path, Overwrite::Replace)?;
            let properties = parquet_properties(&self.provenance);
            let writer = ArrowWriter::try_new(file, batch.schema(), Some(properties));
            self.writer = Some(writer.map_err(|e| fail(e.to_string()))?);
        }
        let writer = self.writer.as_mut().expect("opened above");
        writer.write(&batch).map_err(|e| fail(e.to_string()))
    }

    /// Completes the file. A table to which nothing was written is none.
    pub(crate) fn finish(self) -> Result<(), StorageError> {
        let path = self.path;
        match self.writer {
            Some(writer) => writer
                .into_inner()
                .map_err(|e| StorageError::Parquet { path, reason: e.to_string() })?
                .commit(),
            None => Ok(()),
        }
    }
}
