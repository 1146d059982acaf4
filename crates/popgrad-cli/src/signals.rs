//! SIGINT and SIGTERM as flags that a long computation looks at between its slices.

use crate::failure::Failure;
use popgrad::Kind;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A signal that asks for the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signal {
    /// SIGINT, Ctrl-C.
    Interrupt,
    /// SIGTERM.
    Terminate,
}

impl Signal {
    /// The exit status of a clean stop: 128 plus the number of the signal.
    pub(crate) fn status(self) -> u8 {
        match self {
            Self::Interrupt => 130,
            Self::Terminate => 143,
        }
    }
}

/// The flags that the handlers raise.
#[derive(Clone, Debug, Default)]
pub(crate) struct Signals {
    interrupt: Arc<AtomicBool>,
    terminate: Arc<AtomicBool>,
    any: Arc<AtomicBool>,
}

impl Signals {
    /// Installs the handlers. The first signal raises its flag; a second one of its kind ends the process.
    pub(crate) fn listen() -> Result<Self, Failure> {
        let signals = Self::default();
        let hooks = [
            (SIGINT, &signals.interrupt, Signal::Interrupt),
            (SIGTERM, &signals.terminate, Signal::Terminate),
        ];
        for (number, raised, signal) in hooks {
            flag::register_conditional_shutdown(number, i32::from(signal.status()), Arc::clone(raised))
                .and_then(|_| flag::register(number, Arc::clone(raised)))
                .and_then(|_| flag::register(number, Arc::clone(&signals.any)))
                .map_err(|e| Failure::plain(&format!("signal {number} cannot be watched: {e}"), Kind::Io))?;
        }
        Ok(signals)
    }

    /// A flag that either signal raises, for work that watches one flag.
    pub(crate) fn any(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.any)
    }

    /// The signal that came, if one did.
    pub(crate) fn caught(&self) -> Option<Signal> {
        if self.interrupt.load(Ordering::Relaxed) {
            Some(Signal::Interrupt)
        } else if self.terminate.load(Ordering::Relaxed) {
            Some(Signal::Terminate)
        } else {
            None
        }
    }
}
