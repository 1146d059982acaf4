//! The five kinds of failure that exit codes and exception classes derive from.

/// What kind of failure an error is. Every error enum of the crate has `kind()`; exit codes of the
/// command line and exception classes of the Python package derive from it and from nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The caller's input is wrong: a shape, a value, a word.
    Input,
    /// A file could not be read or written.
    Io,
    /// A function that promises a point did not find it.
    NotConverged,
    /// The computation was asked to stop before its end.
    Interrupted,
    /// The computation would exceed a stated limit of memory.
    Resource,
}
