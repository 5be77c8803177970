//! Access to NVRAM that counts reading commands.

use lease_script::{Nvram, NvramOutput, OperationError};
use nvram_emu::{Exit, Machine};

/// NVRAM access that counts commands and records whether all of them only read.
pub(crate) struct ReadCounter {
    pub(crate) machine: Machine,
    pub(crate) commands: u32,
    pub(crate) reads: bool,
}

/// Whether an `nvram` command only reads, by its first word.
pub fn is_reading(word: &[u8]) -> bool {
    matches!(word, b"get" | b"show" | b"info")
}

impl Nvram for ReadCounter {
    fn run(&mut self, arguments: &[&[u8]]) -> Result<NvramOutput, OperationError> {
        self.commands += 1;
        self.reads &= arguments.first().is_none_or(|word| is_reading(word));
        let outcome = self.machine.run(arguments);
        let Exit::Code(code) = outcome.exit else { return Err(OperationError::Killed) };
        Ok(NvramOutput { stdout: outcome.stdout, stderr: outcome.stderr, code: i32::from(code) })
    }
}
