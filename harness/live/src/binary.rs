//! Which dnsmasq: where it lies, that it is one, and how it was built.

use std::collections::BTreeMap;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use backend::process::agent;
use backend::process::protocol::{Octets, Program};
use dnsmasq_model::Build;

/// A program that takes longer to say its version is no dnsmasq.
const LIMIT_MS: u64 = 10_000;

/// Where a firmware or a distribution has it.
const FOLDERS: [&str; 4] = ["/usr/sbin", "/usr/local/sbin", "/sbin", "/usr/bin"];

/// An executable that said that it is dnsmasq.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binary {
    /// Where it lies.
    pub path: PathBuf,
    /// The version that it says.
    pub version: String,
    /// `no-RTC` among its compile-time options, or not.
    pub build: Build,
}

/// The executables of the two builds.
#[derive(Clone, Debug, Default)]
pub struct Binaries {
    /// The default build.
    pub rtc: Option<Binary>,
    /// Built with `HAVE_BROKEN_RTC`.
    pub no_rtc: Option<Binary>,
}

impl Binaries {
    /// The one of a build.
    pub fn of(&self, build: Build) -> Option<&Binary> {
        match build {
            Build::Rtc => self.rtc.as_ref(),
            Build::NoRtc => self.no_rtc.as_ref(),
        }
    }

    /// Files one by its build; the first of a build stays.
    pub fn add(&mut self, binary: Binary) {
        let place = match binary.build {
            Build::Rtc => &mut self.rtc,
            Build::NoRtc => &mut self.no_rtc,
        };
        place.get_or_insert(binary);
    }
}

/// The system's dnsmasq.
///
/// # Errors
/// Where it was looked for.
pub fn find() -> Result<PathBuf, String> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(FOLDERS.iter().map(PathBuf::from))
        .map(|folder| folder.join("dnsmasq"))
        .find(|file| file.is_file())
        .ok_or_else(|| {
            format!(
                "no dnsmasq in PATH or {}: install one (Debian: package dnsmasq-base), or name it with --dnsmasq PATH",
                FOLDERS.join(", ")
            )
        })
}

/// Asks an executable whether it is dnsmasq, and of which build.
///
/// # Errors
/// It cannot be run, or is something else.
pub fn examine(path: &Path) -> Result<Binary, String> {
    let refuse = |why: String| format!("{}: {why}", path.display());
    let path = path.canonicalize().map_err(|error| refuse(error.to_string()))?;
    let octets = |bytes: &[u8]| Octets(bytes.to_vec());
    let program = Program {
        argv: vec![octets(path.as_os_str().as_bytes()), octets(b"--version")],
        environment: BTreeMap::new(),
        limit_ms: LIMIT_MS,
    };
    let done = agent::run(&[program], Path::new("/")).pop();
    let (text, end) = done.map_or_else(Default::default, |done| (done.stdout.0, Some(done.end)));
    if let Some(Err(error)) = end {
        return Err(format!("{error}: it cannot be run"));
    }
    let text = String::from_utf8_lossy(&text);
    let version = text
        .lines()
        .next()
        .and_then(|line| line.strip_prefix("Dnsmasq version "))
        .and_then(|rest| rest.split_whitespace().next())
        .ok_or_else(|| {
            refuse("this is no dnsmasq: it does not answer --version as one".to_owned())
        })?;
    let options = text.lines().find(|line| line.starts_with("Compile time options:"));
    let words: Vec<&str> = options.unwrap_or_default().split_whitespace().collect();
    for missing in ["no-DHCP", "no-scripts"] {
        if words.contains(&missing) {
            return Err(refuse(format!("built with {missing}, so that it calls no lease script")));
        }
    }
    let build = if words.contains(&"no-RTC") { Build::NoRtc } else { Build::Rtc };
    Ok(Binary { version: version.to_owned(), build, path })
}
