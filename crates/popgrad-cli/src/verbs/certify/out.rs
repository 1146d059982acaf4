//! Where a certificate goes.

use crate::arguments::file_at;
use crate::failure::Failure;
use popgrad_lab::certificate::{Certificate, write_certificate};
use popgrad_lab::storage::{Overwrite, refuse_existing};
use std::path::PathBuf;

/// What is typed.
#[derive(Debug, clap::Args)]
pub(super) struct Out {
    /// Where the certificate goes: FILE.json
    #[arg(long, value_name = "FILE.json")]
    out: Option<PathBuf>,
    /// Replace a file that exists
    #[arg(long)]
    force: bool,
}

impl Out {
    fn overwrite(&self) -> Overwrite {
        if self.force { Overwrite::Replace } else { Overwrite::Refuse }
    }

    /// Refuses a file that exists before the work begins.
    pub(super) fn ready(&self) -> Result<(), Failure> {
        self.out
            .as_ref()
            .map_or(Ok(()), |path| refuse_existing(path, self.overwrite()).map_err(file_at("--out")))
    }

    /// The file, as typed.
    pub(super) fn shown(&self) -> Option<String> {
        self.out.as_ref().map(|path| path.display().to_string())
    }

    /// Writes the certificate, if there is one: what is not proved leaves none. The file that was written.
    pub(super) fn write(&self, certificate: Option<Certificate>) -> Result<Option<String>, Failure> {
        let (Some(path), Some(certificate)) = (&self.out, certificate) else { return Ok(None) };
        write_certificate(path, &certificate, self.overwrite()).map_err(file_at("--out"))?;
        Ok(self.shown())
    }

    /// A line about the file that was written, or that none was.
    pub(super) fn line(&self, written: Option<&str>) -> Option<String> {
        match written {
            Some(path) => Some(format!("certificate written to {path}")),
            None => {
                self.out.as_ref().map(|_| "no certificate written, as not everything is certified".to_owned())
            }
        }
    }
}
