//! `device.toml`: a strict subset of TOML, so that the small executable needs no parser for all of it.

use std::fmt;

use crate::device::Chip;
use crate::dialect::Dialect;

/// What a device folder says about its router.
///
/// ```toml
/// dialect = "openwrt"
/// chip = "spi-nor"
/// erase = 65536
/// space = 32768
/// ```
///
/// `space` may be missing: the whole partition. Blank lines and lines that start with `#` are skipped.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DeviceConfig {
    /// The dialect of the tool.
    pub dialect: Dialect,
    /// The flash chip, for times and endurance.
    pub chip: Chip,
    /// Erase-block size, bytes.
    pub erase: u32,
    /// NVRAM size where the dialect has one apart from the partition's, bytes.
    pub space: Option<u32>,
}

/// A line that is not understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// From 1; one behind the last line where a key is missing.
    pub line: usize,
    /// What is wrong.
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
    /// Reads the text of a `device.toml`. Keys that are missing take their defaults.
    ///
    /// # Errors
    /// A line that is no `key = value`, an unknown or repeated key, a value that does not fit.
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
                line.split_once('=').ok_or_else(|| error("expected KEY = VALUE".into()))?;
            let key = key.trim();
            if seen.contains(&key) {
                return Err(error(format!("{key} is given twice")));
            }
            seen.push(key);
            config.set(key, value.trim()).map_err(error)?;
        }
        Ok(config)
    }

    fn set(&mut self, key: &str, value: &str) -> Result<(), String> {
        match key {
            "dialect" => {
                self.dialect = string(value)?.parse().map_err(|unknown| format!("{unknown}"))?;
            }
            "chip" => {
                let name = string(value)?;
                self.chip = Chip::by_name(name).ok_or_else(|| format!("unknown chip '{name}'"))?;
            }
            "erase" => self.erase = bytes(value)?,
            "space" => self.space = Some(bytes(value)?),
            _ => return Err(format!("unknown key '{key}'; there are dialect, chip, erase, space")),
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
        .ok_or_else(|| format!("expected a string in quotes, got {value}"))
}

fn bytes(value: &str) -> Result<u32, String> {
    match value.parse() {
        Ok(0) | Err(_) => Err(format!("expected a number of bytes above 0, got {value}")),
        Ok(bytes) => Ok(bytes),
    }
}
