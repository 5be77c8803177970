//! DeviceFolder folders.
//!
//! ```text
//! DIR/device.toml   dialect, chip, erase-block size, NVRAM size
//! DIR/flash.bin     the MTD partition, byte for byte
//! DIR/staging       RAM contents; gone after a reboot
//! DIR/wear          `programmed BYTES`, then one line `BLOCK ERASES` for each block erased
//! DIR/ops.log       one line per flash operation: `E offset length` or `P offset length`
//! ```

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::config::DeviceConfig;
use super::error::EmuError;
use super::files::{read, read_to_string, remove, replace};
use super::lock::lock;
use super::process::load;
use super::settings::Settings;
use crate::device::{Flash, Geometry};
use crate::dialect::Variables;
use crate::machine::Machine;

/// A device folder.
#[derive(Clone, Debug)]
pub struct DeviceFolder {
    settings: Settings,
}

/// What there is to tell about a device.
#[derive(Clone, Debug)]
pub struct DeviceInfo {
    /// `device.toml`.
    pub config: DeviceConfig,
    /// Partition and erase block.
    pub geometry: Geometry,
    /// Completed erases of each block.
    pub erases: Vec<u32>,
    /// Bytes programmed over the device's life.
    pub bytes_programmed: u64,
    /// Time the flash was busy, from the chip's typical figures.
    pub busy: Duration,
    /// Variables that a boot would load; `None` without a valid image.
    pub flash_variables: Option<Variables>,
    /// Variables that the tool sees now.
    pub ram_variables: Option<Variables>,
    /// Whether RAM holds anything: a command has run since the last reboot.
    pub booted: bool,
}

impl DeviceFolder {
    /// Makes a folder (which may exist, but without a device in it) with `flash` as its partition.
    ///
    /// # Errors
    /// A device is already there; sizes that do not fit together; a file that cannot be written.
    pub fn create(folder: &Path, config: DeviceConfig, flash: &[u8]) -> Result<Self, EmuError> {
        let geometry = Geometry::new(u32::try_from(flash.len()).unwrap_or(u32::MAX), config.erase)
            .map_err(|error| EmuError::Geometry(error.to_string()))?;
        if config.space.is_some_and(|space| space > geometry.size) {
            return Err(EmuError::Geometry("the NVRAM is larger than the partition".into()));
        }
        fs::create_dir_all(folder).map_err(EmuError::file("create", folder))?;
        let toml = folder.join("device.toml");
        if toml.exists() {
            let exists = std::io::Error::from(std::io::ErrorKind::AlreadyExists);
            return Err(EmuError::file("create", &toml)(exists));
        }
        replace(&folder.join("flash.bin"), flash, 0o644)?;
        replace(&toml, config.to_string().as_bytes(), 0o644)?;
        Self::open(folder)
    }

    /// Opens a folder.
    ///
    /// # Errors
    /// No `device.toml` there, or one that is not understood.
    pub fn open(folder: &Path) -> Result<Self, EmuError> {
        let folder_value = folder.as_os_str().to_os_string();
        let settings = Settings::read(&|name| (name == "NVRAM_EMU").then(|| folder_value.clone()))?;
        Ok(Self { settings })
    }

    /// The folder's path.
    pub fn path(&self) -> PathBuf {
        self.settings.folder.clone().unwrap_or_default()
    }

    /// `device.toml`.
    pub fn config(&self) -> DeviceConfig {
        self.settings.config
    }

    /// A reboot: RAM is gone.
    ///
    /// # Errors
    /// A file that cannot be removed.
    pub fn reboot(&self) -> Result<(), EmuError> {
        let _lock =
            lock(&self.settings.flash).map_err(EmuError::file("lock", &self.settings.flash))?;
        remove(&self.settings.staging)
    }

    /// The partition's bytes.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn dump(&self) -> Result<Vec<u8>, EmuError> {
        let flash = &self.settings.flash;
        read(flash)?
            .ok_or_else(|| EmuError::file("read", flash)(std::io::ErrorKind::NotFound.into()))
    }

    /// Replaces the partition's bytes, as a programmer's clip would: no wear. RAM is gone. A shorter image is
    /// followed by 0xFF.
    ///
    /// # Errors
    /// An image larger than the partition; a file that cannot be written.
    pub fn load(&self, image: &[u8]) -> Result<(), EmuError> {
        let _lock =
            lock(&self.settings.flash).map_err(EmuError::file("lock", &self.settings.flash))?;
        let mut bytes = self.dump()?;
        if image.len() > bytes.len() {
            let (image, partition) = (image.len(), bytes.len());
            return Err(EmuError::Geometry(format!(
                "{image} bytes do not fit into a partition of {partition}"
            )));
        }
        bytes.fill(0xFF);
        bytes[..image.len()].copy_from_slice(image);
        replace(&self.settings.flash, &bytes, 0o644)?;
        remove(&self.settings.staging)
    }

    /// The device as a machine in memory, wear included; changes to it stay there.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn machine(&self) -> Result<Machine, EmuError> {
        load(&self.settings)
    }

    /// What there is to tell.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn info(&self) -> Result<DeviceInfo, EmuError> {
        let machine = self.machine()?;
        let (flash, chip) = (machine.flash(), machine.flash().chip());
        let erases: u32 = flash.erases().iter().sum();
        let pages = flash.bytes_programmed().div_ceil(u64::from(chip.page));
        Ok(DeviceInfo {
            config: self.settings.config,
            geometry: flash.geometry(),
            erases: flash.erases().to_vec(),
            bytes_programmed: flash.bytes_programmed(),
            busy: chip.erase_time * erases
                + chip.page_time * u32::try_from(pages).unwrap_or(u32::MAX),
            flash_variables: machine.flash_variables(),
            ram_variables: machine.ram_variables(),
            booted: machine.ram_bytes().is_some(),
        })
    }
}

/// Restores the wear counters; no file: a new chip.
pub(super) fn read_wear(folder: &Path, flash: &mut Flash) -> Result<(), EmuError> {
    let path = folder.join("wear");
    if !path.exists() {
        return Ok(());
    }
    let text = read_to_string(&path)?;
    let broken = || {
        EmuError::Geometry(format!(
            "{} is broken; remove it to start with a new chip",
            path.display()
        ))
    };
    let mut lines = text.lines();
    let programmed =
        lines.next().and_then(|line| line.strip_prefix("programmed ")).and_then(|n| n.parse().ok());
    let mut erases = vec![0; flash.geometry().blocks() as usize];
    for line in lines {
        let (block, count) = line.split_once(' ').ok_or_else(broken)?;
        let block: usize = block.parse().map_err(|_| broken())?;
        *erases.get_mut(block).ok_or_else(broken)? = count.parse().map_err(|_| broken())?;
    }
    flash.set_wear(&erases, programmed.ok_or_else(broken)?);
    Ok(())
}

/// Stores the wear counters.
pub(super) fn write_wear(folder: &Path, flash: &Flash) -> Result<(), EmuError> {
    let mut text = format!("programmed {}\n", flash.bytes_programmed());
    for (block, erases) in flash.erases().iter().enumerate().filter(|(_, erases)| **erases > 0) {
        let _ = writeln!(text, "{block} {erases}");
    }
    replace(&folder.join("wear"), text.as_bytes(), 0o644)
}
