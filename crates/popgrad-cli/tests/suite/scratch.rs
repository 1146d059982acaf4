//! A folder of its own for each test, and the binary run in it.

use assert_cmd::Command;
use std::fs;
use std::path::{Path, PathBuf};

/// A fresh folder.
pub(crate) struct Scratch {
    folder: PathBuf,
}

/// What a run of the binary came to.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) status: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Scratch {
    pub(crate) fn new(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        Self { folder }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    pub(crate) fn write(&self, name: &str, bytes: &[u8]) {
        fs::write(self.path(name), bytes).unwrap();
    }

    /// A `.npy` file of float64 in C order.
    pub(crate) fn npy(&self, name: &str, shape: &[usize], entries: &[f64]) {
        popgrad_lab::storage::write_npy(
            &self.path(name),
            shape,
            entries,
            popgrad_lab::storage::Overwrite::Replace,
        )
        .unwrap();
    }

    /// A `.npy` file with any header and data.
    pub(crate) fn raw_npy(&self, name: &str, descr: &str, shape: &str, data: &[u8]) {
        let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}\n");
        let length = u16::try_from(header.len()).unwrap().to_le_bytes();
        self.write(name, &[b"\x93NUMPY\x01\x00", &length[..], header.as_bytes(), data].concat());
    }

    /// The files in the folder, sorted.
    pub(crate) fn files(&self) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(&self.folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// The command, split at spaces.
    pub(crate) fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_popgrad"));
        command.current_dir(&self.folder).args(line.split_whitespace());
        command
    }

    pub(crate) fn run(&self, line: &str) -> Ran {
        let output = self.command(line).output().unwrap();
        Ran {
            status: output.status.code().unwrap(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Runs a line that has to succeed in silence on stderr, and returns its JSON document.
    pub(crate) fn json(&self, line: &str) -> serde_json::Value {
        let ran = self.run(&format!("{line} --json"));
        assert_eq!((ran.status, ran.stderr.as_str()), (0, ""), "{line}");
        serde_json::from_str(&ran.stdout).unwrap()
    }

    /// Runs a line that has to be refused with this one sentence, exit status 2, and nothing on stdout.
    pub(crate) fn refuses(&self, line: &str, sentence: &str) {
        let before = self.files();
        let ran = self.run(line);
        assert_eq!(ran.stderr, format!("error: {sentence}\n"), "{line}");
        assert_eq!((ran.status, ran.stdout.as_str()), (2, ""), "{line}");
        assert_eq!(self.files(), before, "a refused call leaves no file: {line}");
    }
}

/// The numbers of a flat JSON list.
pub(crate) fn numbers(value: &serde_json::Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}
