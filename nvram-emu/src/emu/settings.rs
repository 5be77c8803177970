//! The environment variables `NVRAM_EMU*`.

use std::ffi::OsString;
use std::path::PathBuf;
use std::str::FromStr;

use super::config::DeviceConfig;
use super::error::EmuError;
use super::files::read_to_string;
use super::kill::CutScope;
use crate::device::Cut;

/// Whether commands that run at the same time wait for each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LockMode {
    /// A command that may write locks the device.
    #[default]
    Exclusive,
    /// OpenWrt dialects run without a lock, as the real tool does; other dialects ignore this.
    None,
}

impl FromStr for LockMode {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "0" => Ok(Self::Exclusive),
            "1" => Ok(Self::None),
            _ => Err("expected 0 or 1"),
        }
    }
}

/// Looks up an environment variable.
pub type Env<'a> = &'a dyn Fn(&str) -> Option<OsString>;

/// The device of one command, and options of this call.
#[derive(Clone, Debug)]
pub struct Settings {
    /// File with the contents of the partition.
    pub flash: PathBuf,
    /// File with the RAM contents.
    pub staging: PathBuf,
    /// The device folder, if there is one, for wear and operation log.
    pub folder: Option<PathBuf>,
    /// Dialect, chip and sizes.
    pub config: DeviceConfig,
    /// Additional operation log (`NVRAM_EMU_LOG`).
    pub log: Option<PathBuf>,
    /// Power cut during this command (`NVRAM_EMU_CUT`).
    pub cut: Option<Cut>,
    /// Which processes a power cut kills (`NVRAM_EMU_CUT_SCOPE`).
    pub cut_scope: CutScope,
    /// Replacement for /proc/mtd (`NVRAM_EMU_PROC_MTD`).
    pub proc_mtd: Option<PathBuf>,
    /// Whether a lock serialises commands (`NVRAM_EMU_RACE`).
    pub lock: LockMode,
}

impl Settings {
    /// Reads the environment variables. A device folder (`NVRAM_EMU`) gives the defaults, which the more specific
    /// variables override.
    ///
    /// # Errors
    /// When no device is named, a variable is invalid, or `device.toml` is missing or invalid.
    pub fn read(env: Env<'_>) -> Result<Self, EmuError> {
        let folder = path(env, "NVRAM_EMU");
        let flash = path(env, "NVRAM_EMU_FLASH");
        let staging = path(env, "NVRAM_EMU_STAGING");
        let mut config = DeviceConfig::default();
        let (flash, staging) = match &folder {
            Some(folder) => {
                let toml = folder.join("device.toml");
                let text = read_to_string(&toml)?;
                config = DeviceConfig::parse(&text)
                    .map_err(|source| EmuError::Config { path: toml, source })?;
                let flash = flash.unwrap_or_else(|| folder.join("flash.bin"));
                (flash, staging.unwrap_or_else(|| folder.join("staging")))
            }
            None => match (flash, staging) {
                (Some(flash), Some(staging)) => (flash, staging),
                (None, None) => return Err(EmuError::NoDevice),
                (Some(_), None) => return Err(missing("NVRAM_EMU_STAGING", "NVRAM_EMU_FLASH")),
                (None, Some(_)) => return Err(missing("NVRAM_EMU_FLASH", "NVRAM_EMU_STAGING")),
            },
        };
        if let Some(dialect) = value(env, "NVRAM_EMU_DIALECT")? {
            config.dialect = dialect;
        }
        if let Some(erase) = bytes(env, "NVRAM_EMU_ERASE")? {
            config.erase = erase;
        }
        if let Some(space) = bytes(env, "NVRAM_EMU_SPACE")? {
            config.space = Some(space);
        }
        Ok(Self {
            flash,
            staging,
            folder,
            config,
            log: path(env, "NVRAM_EMU_LOG"),
            cut: value(env, "NVRAM_EMU_CUT")?,
            cut_scope: value(env, "NVRAM_EMU_CUT_SCOPE")?.unwrap_or_default(),
            proc_mtd: path(env, "NVRAM_EMU_PROC_MTD"),
            lock: value(env, "NVRAM_EMU_RACE")?.unwrap_or_default(),
        })
    }
}

fn missing(name: &'static str, other: &'static str) -> EmuError {
    EmuError::Variable {
        name,
        problem: format!(
            "not set although {other} is; set both, or set NVRAM_EMU to a device folder"
        ),
    }
}

fn path(env: Env<'_>, name: &'static str) -> Option<PathBuf> {
    env(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

fn value<T: FromStr<Err: std::fmt::Display>>(
    env: Env<'_>,
    name: &'static str,
) -> Result<Option<T>, EmuError> {
    let Some(text) = env(name).filter(|value| !value.is_empty()) else {
        return Ok(None);
    };
    let error = |problem| EmuError::Variable { name, problem };
    let text = text.to_str().ok_or_else(|| error("the value is not UTF-8".into()))?;
    text.parse().map(Some).map_err(|problem: T::Err| error(problem.to_string()))
}

fn bytes(env: Env<'_>, name: &'static str) -> Result<Option<u32>, EmuError> {
    match value::<u32>(env, name) {
        Ok(Some(0)) | Err(_) => Err(EmuError::Variable {
            name,
            problem: "expected a positive decimal number of bytes".into(),
        }),
        Ok(number) => Ok(number),
    }
}
