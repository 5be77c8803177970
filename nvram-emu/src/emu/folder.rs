//! Device folders: one emulated router in one folder.
//!
//! ```text
//! DIR/device.toml   dialect, chip, erase-block size, NVRAM size
//! DIR/flash.bin     the MTD partition, byte for byte
//! DIR/staging       RAM contents; removed by a reboot
//! DIR/wear          `programmed BYTES`, then one line `BLOCK ERASES` for each erased block
//! DIR/ops.log       one line per flash operation: `E offset length` or `P offset length`
//! ```

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::config::DeviceConfig;
use super::error::EmuError;
use super::files::{read, remove, replace};
use super::lock::lock;
use super::settings::Settings;
use super::store::load;
use crate::device::Geometry;
use crate::dialect::Variables;
use crate::machine::Machine;

/// The files of a device folder.
const FILES: [&str; 5] = ["device.toml", "flash.bin", "staging", "wear", "ops.log"];

/// One emulated router, stored in a folder.
#[derive(Clone, Debug)]
pub struct DeviceFolder {
    settings: Settings,
}

/// Summary of a device.
#[derive(Clone, Debug)]
pub struct DeviceInfo {
    /// The contents of `device.toml`.
    pub config: DeviceConfig,
    /// Sizes of the partition and of its erase blocks.
    pub geometry: Geometry,
    /// Number of completed erases of each block.
    pub erases: Vec<u32>,
    /// Bytes programmed over the life of the device.
    pub bytes_programmed: u64,
    /// Time that the flash was busy, computed from the typical figures of the chip.
    pub busy: Duration,
    /// Variables that a boot would load; `None` if there is no valid image.
    pub flash_variables: Option<Variables>,
    /// Variables that the tool reads now; `None` if it cannot open its store.
    pub ram_variables: Option<Variables>,
    /// Whether RAM is in use, that is, a command has run since the last reboot.
    pub booted: bool,
}

impl DeviceFolder {
    /// Creates a device with `flash` as its partition. The folder may exist, but must not contain any of a device's files,
    /// not even as a symbolic link.
    ///
    /// # Errors
    /// If there is such a file, the sizes are inconsistent, or a file cannot be written.
    pub fn create(folder: &Path, config: DeviceConfig, flash: &[u8]) -> Result<Self, EmuError> {
        let geometry = Geometry::new(u32::try_from(flash.len()).unwrap_or(u32::MAX), config.erase)
            .map_err(|error| EmuError::Geometry(error.to_string()))?;
        if let Some(space) = config.space.filter(|space| *space > geometry.size) {
            return Err(EmuError::Geometry(format!(
                "the NVRAM ({space} bytes) is larger than the partition ({} bytes)",
                geometry.size
            )));
        }
        fs::create_dir_all(folder).map_err(EmuError::file("create", folder))?;
        for name in FILES {
            let path = folder.join(name);
            if fs::symlink_metadata(&path).is_ok() {
                let exists = std::io::Error::from(std::io::ErrorKind::AlreadyExists);
                return Err(EmuError::file("create", &path)(exists));
            }
        }
        // In this order, so that a folder with a device.toml is whole.
        for (name, bytes) in [("flash.bin", flash), ("device.toml", config.to_string().as_bytes())]
        {
            let path = folder.join(name);
            let file = fs::OpenOptions::new().write(true).create_new(true).open(&path);
            file.and_then(|mut file| file.write_all(bytes))
                .map_err(EmuError::file("create", &path))?;
        }
        Self::open(folder)
    }

    /// Opens an existing device.
    ///
    /// # Errors
    /// When `device.toml` is missing or invalid.
    pub fn open(folder: &Path) -> Result<Self, EmuError> {
        let folder_value = folder.as_os_str().to_os_string();
        let settings = Settings::read(&|name| (name == "NVRAM_EMU").then(|| folder_value.clone()))?;
        Ok(Self { settings })
    }

    /// The path of the folder.
    pub fn path(&self) -> PathBuf {
        self.settings.folder.clone().unwrap_or_default()
    }

    /// The contents of `device.toml`.
    pub fn config(&self) -> DeviceConfig {
        self.settings.config
    }

    /// Reboots the device, which clears its RAM.
    ///
    /// # Errors
    /// When the staging file cannot be removed.
    pub fn reboot(&self) -> Result<(), EmuError> {
        let _lock = lock(&self.settings.flash)?;
        remove(&self.settings.staging)
    }

    /// The contents of the partition.
    ///
    /// # Errors
    /// When the flash file cannot be read.
    pub fn dump(&self) -> Result<Vec<u8>, EmuError> {
        let flash = &self.settings.flash;
        read(flash)?
            .ok_or_else(|| EmuError::file("read", flash)(std::io::ErrorKind::NotFound.into()))
    }

    /// Replaces the contents of the partition without wear, as an external programmer would, and clears RAM. The
    /// rest of the partition after `image` is filled with 0xFF.
    ///
    /// # Errors
    /// When `image` is larger than the partition, or when a file cannot be written.
    pub fn load(&self, image: &[u8]) -> Result<(), EmuError> {
        let _lock = lock(&self.settings.flash)?;
        let mut bytes = self.dump()?;
        if image.len() > bytes.len() {
            let (image, partition) = (image.len(), bytes.len());
            return Err(EmuError::Geometry(format!(
                "an image of {image} bytes does not fit into a partition of {partition} bytes"
            )));
        }
        bytes.fill(0xFF);
        bytes[..image.len()].copy_from_slice(image);
        replace(&self.settings.flash, &bytes, 0o644)?;
        remove(&self.settings.staging)
    }

    /// Loads the device with its wear counters as a machine in memory. Changes to the machine are not written
    /// back.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn machine(&self) -> Result<Machine, EmuError> {
        load(&self.settings)
    }

    /// Summarises the device.
    ///
    /// # Errors
    /// When a file cannot be read.
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
