//! `device.toml`, in a small subset of TOML that needs no TOML parser in the executable.

use std::fmt;

use crate::device::Chip;
use crate::dialect::{Dialect, UnknownDialect};

/// The configuration of a device folder.
///
/// ```toml
/// dialect = "openwrt"
/// chip = "spi-nor"
/// erase = 65536
/// space = 32768
/// ```
///
/// Without `space` the NVRAM is the whole partition. Blank lines and lines that start with `#` are ignored.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DeviceConfig {
    /// The dialect of the tool.
    pub dialect: Dialect,
    /// The flash chip, which determines times and endurance.
    pub chip: Chip,
    /// Erase-block size in bytes.
    pub erase: u32,
    /// NVRAM size in bytes, for dialects whose driver sets the size.
    pub space: Option<u32>,
}

/// An invalid line of `device.toml`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// Line number, from 1.
    pub line: usize,
    /// What is wrong with the line.
    pub problem: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.line, self.problem)
    }
}

impl std::error::Error for ConfigError {}

impl Default for DeviceConfig {
    fn default() -> Self {
        Self { dialect: Dialect::OpenWrt, chip: Chip::SPI_NOR, erase: 65536, space: None }
    }
}

impl DeviceConfig {
    /// Parses the contents of a `device.toml`. Missing keys have their default values.
    ///
    /// # Errors
    /// When a line is not `key = value`, a key is unknown or repeated, or a value is invalid.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let mut config = Self::default();
        let mut seen: Vec<&str> = Vec::new();
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let error = |problem: String| ConfigError { line: number + 1, problem };
            let (key, value) =
                line.split_once('=').ok_or_else(|| error("expected `KEY = VALUE`".into()))?;
            let key = key.trim();
            if seen.contains(&key) {
                return Err(error(format!("duplicate key '{key}'")));
            }
            seen.push(key);
            config.set(key, value.trim()).map_err(error)?;
        }
        Ok(config)
    }

    fn set(&mut self, key: &str, value: &str) -> Result<(), String> {
        match key {
            "dialect" => {
                self.dialect =
                    string(value)?.parse().map_err(|error: UnknownDialect| error.to_string())?;
            }
            "chip" => {
                let name = string(value)?;
                self.chip = Chip::by_name(name).ok_or_else(|| {
                    let names = Chip::ALL.map(|chip| chip.name).join(", ");
                    format!("unknown chip '{name}': expected one of {names}")
                })?;
            }
            "erase" => self.erase = bytes(value)?,
            "space" => self.space = Some(bytes(value)?),
            _ => {
                return Err(format!("unknown key '{key}': expected dialect, chip, erase or space"));
            }
        }
        Ok(())
    }
}

impl fmt::Display for DeviceConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "dialect = \"{}\"", self.dialect)?;
        writeln!(f, "chip = \"{}\"", self.chip.name)?;
        writeln!(f, "erase = {}", self.erase)?;
        match self.space {
            Some(space) => writeln!(f, "space = {space}"),
            None => Ok(()),
        }
    }
}

fn string(value: &str) -> Result<&str, String> {
    let inner = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    inner
        .filter(|inner| !inner.contains(['"', '\\']))
        .ok_or_else(|| format!("expected a string in double quotes, got {value}"))
}

fn bytes(value: &str) -> Result<u32, String> {
    match value.parse() {
        Ok(0) | Err(_) => Err(format!("expected a positive number of bytes, got {value}")),
        Ok(bytes) => Ok(bytes),
    }
}
