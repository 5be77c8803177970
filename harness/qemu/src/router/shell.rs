//! Shell scripts in a guest, without a scenario.

use std::collections::BTreeMap;
use std::sync::Arc;

use nvram_emu::device::{Chip, Flash};
use nvram_emu::{Machine, flsh};

use super::lifecycle::Router;
use crate::agent_connection::CommandOutput;
use crate::erase_trace::Erase;
use crate::error::QemuError;
use crate::guest_config::GuestConfig;
use backend::process::{ScriptCommand, ScriptFile};
use dnsmasq_model::Clock;

impl<'c> Router<'c> {
    /// A router that is switched off, with an empty NVRAM.
    ///
    /// # Errors
    /// See [`Router::new`].
    pub(crate) fn blank(config: &'c mut GuestConfig) -> Result<Self, QemuError> {
        let mut partition = vec![0xFF; config.partition()];
        let image = flsh::blank_image();
        partition[..image.len()].copy_from_slice(&image);
        let machine = Flash::from_bytes(&partition, config.erase_block(), Chip::SPI_NOR)
            .ok()
            .zip("openwrt".parse().ok())
            .map(|(flash, dialect)| Machine::new(dialect, flash, None));
        let machine = machine.ok_or_else(|| {
            QemuError::Environment("the machine's flash cannot hold an NVRAM".to_owned())
        })?;
        let script = ScriptCommand {
            file: ScriptFile::BuiltIn("script", ""),
            shell: Vec::new(),
            environment: BTreeMap::new(),
            storage: Arc::default(),
        };
        Self::new(config, &machine, &script, 0)
    }

    /// Runs a shell script in the guest, which is booted at this time (seconds since 1970) if the power is off.
    ///
    /// # Errors
    /// When the guest does not boot, or does not answer in time.
    pub fn run_script(&mut self, script: &str, wall: i64) -> Result<CommandOutput, QemuError> {
        self.clock = Clock { wall, mono: 0 };
        self.running_guest()?.run_long(script)
    }

    /// Cuts the power without comparing what the flash contains. Returns the number of blocks that QEMU's flash chip has
    /// erased since the boot, in the nvram partition and outside of it.
    ///
    /// # Errors
    /// When QEMU cannot be ended, or its trace not be read.
    pub fn cut_power_and_count_erases(&mut self) -> Result<(usize, usize), QemuError> {
        self.cut_power()?;
        let erases = self.erases_since_last_read()?;
        let inside = erases.iter().filter(|erase| matches!(erase, Erase::InPartition(_))).count();
        Ok((inside, erases.len() - inside))
    }
}
