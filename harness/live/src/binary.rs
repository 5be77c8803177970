//! Finds the dnsmasq executable, and reads its version and compile-time options.

use std::collections::BTreeMap;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use backend::process::agent;
use backend::process::protocol::{Octets, Program};
use dnsmasq_model::{Build, Release};

/// Time limit for `dnsmasq --version`, in milliseconds.
const LIMIT_MS: u64 = 10_000;

/// The first release that can log to standard error (`--log-facility=-`).
const OLDEST: &str = "2.53";

/// Folders that are searched after those of `PATH`.
const FOLDERS: [&str; 4] = ["/usr/sbin", "/usr/local/sbin", "/sbin", "/usr/bin"];

/// A dnsmasq executable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binary {
    /// Absolute path.
    pub path: PathBuf,
    /// The version that it reports.
    pub version: String,
    /// The build, from `no-RTC` in the compile-time options that it reports.
    pub build: Build,
    /// The parts that it was compiled without: the reported compile-time options that begin with `no-`, without this prefix.
    pub left_out: Vec<String>,
}

/// Options that need an optional part of dnsmasq, each with the name of that part in the output of `--version`.
const PARTS: [(&str, &str); 9] = [
    ("--enable-ubus", "UBus"),
    ("--enable-dbus", "DBus"),
    ("--enable-tftp", "TFTP"),
    ("--dnssec", "DNSSEC"),
    ("--conntrack", "conntrack"),
    ("--ipset", "ipset"),
    ("--nftset", "nftset"),
    ("--auth-zone", "auth"),
    ("--dumpfile", "dumpfile"),
];

impl Binary {
    /// Returns why the executable cannot run with these options, or `None` if it can.
    pub fn missing_part(&self, options: &[String]) -> Option<String> {
        let is_left_out = |part: &str| self.left_out.iter().any(|one| one == part);
        options.iter().find_map(|option| {
            let name = option.split('=').next().unwrap_or(option);
            let (_, part) = PARTS.iter().find(|(own, part)| *own == name && is_left_out(part))?;
            Some(format!("this dnsmasq is compiled without {part}, which {option} needs"))
        })
    }
}

/// The available executables, at most one for each build.
#[derive(Clone, Debug, Default)]
pub struct Binaries {
    /// The default build.
    pub rtc: Option<Binary>,
    /// Built with `HAVE_BROKEN_RTC`.
    pub no_rtc: Option<Binary>,
}

impl Binaries {
    /// Returns the executable of a build.
    pub fn of(&self, build: Build) -> Option<&Binary> {
        match build {
            Build::Rtc => self.rtc.as_ref(),
            Build::NoRtc => self.no_rtc.as_ref(),
        }
    }

    /// Returns the paths of the executables.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.rtc.iter().chain(&self.no_rtc).map(|binary| binary.path.as_path())
    }

    /// Adds an executable, unless there is already one of the same build.
    pub fn add(&mut self, binary: Binary) {
        let slot = match binary.build {
            Build::Rtc => &mut self.rtc,
            Build::NoRtc => &mut self.no_rtc,
        };
        slot.get_or_insert(binary);
    }
}

/// Returns the path of the system's dnsmasq.
///
/// # Errors
/// Returns an error if there is none. The message names the folders that were searched.
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

/// Runs the executable with `--version`, and parses the version and the build.
///
/// # Errors
/// Returns an error if the file cannot be executed, is not dnsmasq, is too old, or is built without DHCP or scripts.
pub fn inspect(path: &Path) -> Result<Binary, String> {
    let error = |why: String| format!("{}: {why}", path.display());
    let path = path.canonicalize().map_err(|cause| error(cause.to_string()))?;
    let octets = |bytes: &[u8]| Octets(bytes.to_vec());
    let program = Program {
        argv: vec![octets(path.as_os_str().as_bytes()), octets(b"--version")],
        environment: BTreeMap::new(),
        limit_ms: LIMIT_MS,
    };
    let output = agent::run(&[program], Path::new("/")).pop();
    let (text, end) =
        output.map_or_else(Default::default, |output| (output.stdout.0, Some(output.end)));
    if let Some(Err(error)) = end {
        return Err(format!("{error}: cannot be executed"));
    }
    let text = String::from_utf8_lossy(&text);
    let version = text
        .lines()
        .next()
        .and_then(|line| line.strip_prefix("Dnsmasq version "))
        .and_then(|rest| rest.split_whitespace().next())
        .ok_or_else(|| {
            error("not a dnsmasq executable: its --version output does not begin with \"Dnsmasq version\"".to_owned())
        })?;
    let is_too_old =
        |release: Release| OLDEST.parse::<Release>().is_ok_and(|oldest| release < oldest);
    if Release::of_program(version).is_some_and(is_too_old) {
        return Err(error(format!(
            "dnsmasq {version} cannot log to its standard error: it must be {OLDEST} or newer"
        )));
    }
    let options = text.lines().find(|line| line.starts_with("Compile time options"));
    let options: Vec<&str> = options.unwrap_or_default().split_whitespace().collect();
    for missing in ["no-DHCP", "no-scripts"] {
        if options.contains(&missing) {
            return Err(error(format!("built with {missing}: it never calls a lease script")));
        }
    }
    let build = if options.contains(&"no-RTC") { Build::NoRtc } else { Build::Rtc };
    let left_out =
        options.iter().filter_map(|option| option.strip_prefix("no-")).map(str::to_owned);
    Ok(Binary { version: version.to_owned(), build, path, left_out: left_out.collect() })
}
