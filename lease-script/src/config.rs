//! The variables `LEASE_*`.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use crate::call::Environment;
use crate::record::time;

/// The prefix of variable names, the same as that of the script of 2006.
pub const DEFAULT_PREFIX: &str = "dnsmasq_lease_";

/// The default of `dhcp-lease-max` in dnsmasq (MAXLEASES in config.h).
pub const DEFAULT_MAX: u64 = 1000;

/// The default of `LEASE_REWRITE_SIZE`: about the size of a journal with two hundred leases and their changes.
pub const DEFAULT_REWRITE_SIZE: u64 = 65_536;

/// The configuration from the variables `LEASE_*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// `LEASE_PREFIX`: the prefix of variable names.
    pub prefix: Vec<u8>,
    /// `LEASE_SLACK` in seconds; `None` if it is not a number, which is reported when the value is used.
    pub slack: Option<u64>,
    /// `LEASE_MAX`, 0 for no limit; `None` if it is not a number.
    pub max: Option<u64>,
    /// `LEASE_STRICT=1`: `init` fails if the store cannot be read.
    pub strict: bool,
    /// The text of `LEASE_NVRAM_FREE`: the free bytes, for tools that do not report them.
    pub free: Option<Vec<u8>>,
    /// `LEASE_NVRAM`: the tool; `None` for `nvram` from PATH, or /usr/sbin/nvram.
    pub nvram: Option<OsString>,
    /// `LEASE_RUN`: the directory in RAM for the folder with the intent log.
    pub run: PathBuf,
    /// The path in `LEASE_STORE=journal:PATH`; `None` for NVRAM.
    pub journal: Option<PathBuf>,
    /// `LEASE_REWRITE_SIZE`: a journal of at least this many bytes is rewritten when its size has doubled; 0: never.
    pub rewrite_size: u64,
    /// `LEASE_REWRITE_AGE`: the age in seconds at which a journal is rewritten; 0: never.
    pub rewrite_age: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            prefix: DEFAULT_PREFIX.into(),
            slack: Some(0),
            max: Some(DEFAULT_MAX),
            strict: false,
            free: None,
            nvram: None,
            run: "/tmp".into(),
            journal: None,
            rewrite_size: DEFAULT_REWRITE_SIZE,
            rewrite_age: 0,
        }
    }
}

impl Config {
    /// Reads the variables.
    ///
    /// # Errors
    /// The message for the user about an invalid value.
    pub fn from_env(env: &Environment) -> Result<Self, String> {
        let journal = match env.get("LEASE_STORE") {
            None | Some(b"nvram") => None,
            Some(b"journal:") => return Err("LEASE_STORE=journal: no path".into()),
            Some(store) => match store.strip_prefix(b"journal:") {
                Some(path) => Some(OsString::from_vec(path.to_vec()).into()),
                None => return Err("LEASE_STORE: no such store".into()),
            },
        };
        let number = |name: &str, default: u64| match env.get(name) {
            None => Ok(default),
            Some(text) => time(text).ok_or_else(|| format!("{name}: no number")),
        };
        let rewrite_size = number("LEASE_REWRITE_SIZE", DEFAULT_REWRITE_SIZE)?;
        let rewrite_age = number("LEASE_REWRITE_AGE", 0)?;
        let prefix = env.get("LEASE_PREFIX").unwrap_or(DEFAULT_PREFIX.as_bytes());
        let word = |c: &u8| c.is_ascii_alphanumeric() || *c == b'_';
        if !word(&prefix[0]) || !prefix.iter().all(|c| word(c) || matches!(c, b'.' | b'-')) {
            return Err("LEASE_PREFIX: letters, digits, _ . - only".into());
        }
        Ok(Self {
            prefix: prefix.to_vec(),
            slack: time(env.get("LEASE_SLACK").unwrap_or(b"0")),
            max: env.get("LEASE_MAX").map_or(Some(DEFAULT_MAX), time),
            strict: env.get("LEASE_STRICT") == Some(b"1"),
            free: env.get("LEASE_NVRAM_FREE").map(<[u8]>::to_vec),
            nvram: env.get("LEASE_NVRAM").map(|path| OsString::from_vec(path.to_vec())),
            run: env
                .get("LEASE_RUN")
                .map_or_else(|| "/tmp".into(), |path| OsString::from_vec(path.to_vec()).into()),
            journal,
            rewrite_size,
            rewrite_age,
        })
    }

    /// The folder of the intent log, which `lease_update.sh` shares.
    pub fn run_folder(&self) -> PathBuf {
        let name = [b".".as_slice(), &self.prefix, b"run"].concat();
        self.run.join(OsString::from_vec(name))
    }

    /// The number in `LEASE_NVRAM_FREE`; other text is ignored.
    pub(crate) fn free_bytes(&self) -> Option<i64> {
        std::str::from_utf8(self.free.as_deref()?).ok()?.parse().ok()
    }
}
