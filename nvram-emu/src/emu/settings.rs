//! The variables of the contract.

use std::ffi::OsString;
use std::path::PathBuf;
use std::str::FromStr;

use super::config::DeviceConfig;
use super::error::EmuError;
use super::files::read_to_string;
use super::kill::CutScope;
use crate::device::Cut;

/// Looks up an environment variable.
pub type Env<'a> = &'a dyn Fn(&str) -> Option<OsString>;

/// Where one command finds its device, and what is special about this call.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The partition.
    pub flash: PathBuf,
    /// RAM contents.
    pub staging: PathBuf,
    /// Wear and operation log of a device folder.
    pub folder: Option<PathBuf>,
    /// Dialect, chip, sizes.
    pub config: DeviceConfig,
    /// Further operation log (`NVRAM_EMU_LOG`).
    pub log: Option<PathBuf>,
    /// Power cut (`NVRAM_EMU_CUT`).
    pub cut: Option<Cut>,
    /// Whom a power cut kills (`NVRAM_EMU_CUT_SCOPE`).
    pub cut_scope: CutScope,
    /// Stand-in for /proc/mtd (`NVRAM_EMU_PROC_MTD`).
    pub proc_mtd: Option<PathBuf>,
    /// No lock (`NVRAM_EMU_RACE=1`).
    pub race: bool,
}

impl Settings {
    /// Reads the variables. A folder (`NVRAM_EMU`) gives the defaults; each more specific variable wins over it.
    ///
    /// # Errors
    /// No device, a variable that cannot be understood, an unreadable `device.toml`.
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
            race: match env("NVRAM_EMU_RACE").as_ref().map(|value| value.as_encoded_bytes()) {
                None | Some(b"" | b"0") => false,
                Some(b"1") => true,
                Some(_) => {
                    return Err(EmuError::Variable {
                        name: "NVRAM_EMU_RACE",
                        problem: "expected 0 or 1".into(),
                    });
                }
            },
        })
    }
}

fn missing(name: &'static str, other: &'static str) -> EmuError {
    EmuError::Variable {
        name,
        problem: format!("not set, but {other} is; set both, or NVRAM_EMU to a device folder"),
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
    let text = text.to_str().ok_or_else(|| error("not UTF-8".into()))?;
    text.parse().map(Some).map_err(|problem: T::Err| error(problem.to_string()))
}

fn bytes(env: Env<'_>, name: &'static str) -> Result<Option<u32>, EmuError> {
    match value::<u32>(env, name) {
        Ok(Some(0)) | Err(_) => Err(EmuError::Variable {
            name,
            problem: "expected a decimal number of bytes above 0".into(),
        }),
        Ok(number) => Ok(number),
    }
}
