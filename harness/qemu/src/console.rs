//! Somebody else's image: from its serial console to a shell, and from there to our agent.

use std::time::{Duration, Instant};

use super::error::QemuError;
use super::guest::Guest;

/// How often a console is nudged until it shows a prompt.
const NUDGE: Duration = Duration::from_secs(5);

/// What it takes until a console is a shell's.
#[derive(Clone, Debug)]
pub(super) struct Manners {
    /// The words that ask for Enter; empty: none.
    pub(super) activate: String,
    /// The end of the shell's prompt.
    pub(super) prompt: String,
    /// The commands that bring our files in, below /lab.
    pub(super) bring: String,
    /// The console's device.
    pub(super) device: String,
}

impl Manners {
    /// Waits for the console, presses Enter, brings the files in and starts the agent in the shell's place.
    ///
    /// # Errors
    /// The image does not come to a prompt in time.
    pub(super) fn log_in(&self, guest: &mut Guest, until: Instant) -> Result<(), QemuError> {
        if !self.activate.is_empty() {
            guest.hear(&self.activate, until)?;
        }
        // An Enter pressed too early is lost.
        loop {
            guest.send(b"\n")?;
            let soon = (Instant::now() + NUDGE).min(until);
            match guest.hear(&self.prompt, soon) {
                Ok(()) => break,
                Err(error) if Instant::now() >= until => return Err(error),
                Err(_) => guest.is_there()?,
            }
        }
        let start = format!("{}; exec sh /lab/agent /dev/{}\n", self.bring, self.device);
        guest.send(start.as_bytes())
    }
}
