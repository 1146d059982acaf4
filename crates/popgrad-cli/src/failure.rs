//! Why a command did not finish, and the exit status that follows from the kind.

use crate::signals::Signal;
use popgrad::Kind;

/// Why a command did not finish.
#[derive(Debug)]
pub(crate) enum Failure {
    /// An argument is wrong, or what it names is.
    Argument {
        /// The argument as it is typed, `--teacher`.
        argument: String,
        /// What is wrong with it and what would be right.
        message: String,
        /// What kind of failure it is.
        kind: Kind,
    },
    /// Something else, said in a whole sentence.
    Plain {
        /// The sentence.
        message: String,
        /// What kind of failure it is.
        kind: Kind,
    },
    /// Help or version text went out; nothing is wrong.
    Shown,
    /// The reader of stdout went away, which is no failure.
    BrokenPipe,
    /// A signal asked for the end.
    Stopped {
        /// The signal.
        signal: Signal,
        /// What is left behind and how to go on.
        message: String,
    },
}

impl Failure {
    /// Bad input that an argument brought.
    pub(crate) fn input(argument: &str, message: impl Into<String>) -> Self {
        Self::Argument { argument: argument.to_owned(), message: message.into(), kind: Kind::Input }
    }

    /// Any failure that an argument brought.
    pub(crate) fn new(argument: &str, message: &impl ToString, kind: Kind) -> Self {
        Self::Argument { argument: argument.to_owned(), message: message.to_string(), kind }
    }

    /// A failure that no single argument brought.
    pub(crate) fn plain(message: &impl ToString, kind: Kind) -> Self {
        Self::Plain { message: message.to_string(), kind }
    }

    /// The sentence for stderr, if there is anything to say.
    pub(crate) fn message(&self) -> Option<String> {
        match self {
            Self::Argument { argument, message, .. } => Some(format!("{argument}: {message}")),
            Self::Plain { message, .. } | Self::Stopped { message, .. } => Some(message.clone()),
            Self::Shown | Self::BrokenPipe => None,
        }
    }

    /// The exit status.
    pub(crate) fn status(&self) -> u8 {
        match self {
            Self::Shown | Self::BrokenPipe => 0,
            Self::Stopped { signal, .. } => signal.status(),
            Self::Argument { kind, .. } | Self::Plain { kind, .. } => match kind {
                Kind::NotConverged => 1,
                Kind::Interrupted => Signal::Interrupt.status(),
                Kind::Input | Kind::Io | Kind::Resource => 2,
            },
        }
    }
}
