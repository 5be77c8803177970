//! Debian's packages: downloaded by apt into a cache of our own, unpacked there, never installed.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::QemuError;
use crate::tools;
use dnsmasq_model::hex_text;

/// The release: the last one with a mipsel port.
const RELEASE: &str = "bookworm";

/// Where packages come from, unless `LEASELAB_DEBIAN_MIRROR` says otherwise.
const MIRROR: &str = "http://deb.debian.org/debian";

/// The same for security updates.
const SECURITY: &str = "http://deb.debian.org/debian-security";

const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// One package that went into an image, or into making it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Package {
    /// Debian's name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its architecture.
    pub architecture: String,
    /// The file's name in the cache.
    pub file: String,
    /// SHA-256 of the file, in hex.
    pub sha256: String,
}

/// The packages of one purpose, in the cache.
#[derive(Debug)]
pub(super) struct Store {
    /// The `.deb` files.
    debs: PathBuf,
    /// What apt needs to know.
    apt: PathBuf,
    /// Which purpose: the name of the list of what was downloaded.
    name: String,
    architectures: Vec<&'static str>,
    security: bool,
}

impl Store {
    /// Packages of these architectures, in `cache`; the first is the one meant where none is named.
    pub(super) fn new(
        cache: &Path,
        name: &str,
        architectures: &[&'static str],
        security: bool,
    ) -> Self {
        Self {
            debs: cache.join("debs"),
            apt: cache.join("apt").join(name),
            name: name.to_owned(),
            architectures: architectures.to_vec(),
            security,
        }
    }

    /// The packages of `wanted`, from the cache where all of them are there and unchanged, else
    /// downloaded. `wanted` is asked only where there is something to download.
    ///
    /// # Errors
    /// No apt, no network, no such package.
    pub(super) fn fetch(
        &self,
        wanted: impl FnOnce(&Self) -> Result<Vec<String>, QemuError>,
    ) -> Result<Vec<Package>, QemuError> {
        let list = self.debs.join(format!("{}.json", self.name));
        if let Some(packages) = self.cached(&list) {
            return Ok(packages);
        }
        fs::create_dir_all(&self.debs).map_err(QemuError::file(&self.debs))?;
        self.update()?;
        let wanted = wanted(self)?;
        // A folder of its own: what it holds then is what was wanted, whatever the versions are.
        let new = tempfile::Builder::new()
            .prefix("new-")
            .tempdir_in(&self.debs)
            .map_err(QemuError::file(&self.debs))?;
        let mut download = self.apt("apt-get")?;
        let downloaded = tools::run(download.current_dir(new.path()).arg("download").args(&wanted));
        fetched(downloaded, &mirror())?;
        let mut packages = Vec::new();
        for entry in fs::read_dir(new.path()).map_err(QemuError::file(new.path()))? {
            let path = entry.map_err(QemuError::file(new.path()))?.path();
            let package = describe(&path)?;
            let place = self.debs.join(&package.file);
            fs::rename(&path, &place).map_err(QemuError::file(&place))?;
            packages.push(package);
        }
        packages.sort_by(|a, b| (&a.name, &a.architecture).cmp(&(&b.name, &b.architecture)));
        let text = serde_json::to_string_pretty(&packages).unwrap_or_default();
        fs::write(&list, text).map_err(QemuError::file(&list))?;
        Ok(packages)
    }

    fn cached(&self, list: &Path) -> Option<Vec<Package>> {
        let packages: Vec<Package> = serde_json::from_slice(&fs::read(list).ok()?).ok()?;
        let same = |package: &Package| {
            fs::read(self.debs.join(&package.file))
                .is_ok_and(|bytes| hex(&Sha256::digest(bytes)) == package.sha256)
        };
        packages.iter().all(same).then_some(packages)
    }

    /// What apt prints about packages.
    ///
    /// # Errors
    /// No apt, no such package.
    pub(super) fn ask(&self, words: &[&str]) -> Result<String, QemuError> {
        let output = tools::run(self.apt("apt-cache")?.args(words))?;
        Ok(String::from_utf8_lossy(&output).into_owned())
    }

    fn apt(&self, program: &str) -> Result<Command, QemuError> {
        let mut command = Command::new(tools::find(program, "apt")?);
        let dir = |name: &str| self.apt.join(name).display().to_string();
        let mut option = |text: String| {
            command.args(["-o", &text]);
        };
        option(format!("Dir::Etc::sourcelist={}", dir("sources.list")));
        option("Dir::Etc::sourceparts=-".to_owned());
        option(format!("Dir::State={}", dir("state")));
        option(format!("Dir::State::status={}", dir("state/status")));
        option(format!("Dir::Cache={}", dir("cache")));
        option("APT::Sandbox::User=root".to_owned());
        option("Acquire::Languages=none".to_owned());
        option("Acquire::Retries=3".to_owned());
        for architecture in &self.architectures {
            option(format!("APT::Architectures::={architecture}"));
        }
        option(format!("APT::Architecture={}", self.architectures[0]));
        command.env("LC_ALL", "C").arg("-qq");
        Ok(command)
    }

    fn update(&self) -> Result<(), QemuError> {
        if !Path::new(KEYRING).is_file() {
            return Err(QemuError::Environment(format!(
                "{KEYRING} is not here: install Debian's package debian-archive-keyring"
            )));
        }
        for folder in ["state/lists/partial", "cache/archives/partial"] {
            let folder = self.apt.join(folder);
            fs::create_dir_all(&folder).map_err(QemuError::file(&folder))?;
        }
        let status = self.apt.join("state/status");
        fs::write(&status, "").map_err(QemuError::file(&status))?;
        let mirror = mirror();
        let mut sources = String::new();
        for architecture in &self.architectures {
            let options = format!("[signed-by={KEYRING} arch={architecture}]");
            _ = writeln!(sources, "deb {options} {mirror} {RELEASE} main");
            if self.security {
                _ = writeln!(sources, "deb {options} {SECURITY} {RELEASE}-security main");
            }
        }
        let list = self.apt.join("sources.list");
        fs::write(&list, sources).map_err(QemuError::file(&list))?;
        // Without it, apt warns of a mirror that it cannot reach, and goes on with nothing.
        let mut update = self.apt("apt-get")?;
        update.args(["-o", "APT::Update::Error-Mode=any", "update"]);
        fetched(tools::run(&mut update), &mirror).map(|_| ())
    }

    /// Unpacks packages into a folder.
    ///
    /// # Errors
    /// A package that is none.
    pub(super) fn unpack(&self, packages: &[Package], root: &Path) -> Result<(), QemuError> {
        let dpkg = tools::find("dpkg-deb", "dpkg")?;
        for package in packages {
            tools::run(Command::new(&dpkg).arg("-x").arg(self.debs.join(&package.file)).arg(root))?;
        }
        Ok(())
    }
}

fn mirror() -> String {
    std::env::var("LEASELAB_DEBIAN_MIRROR").unwrap_or_else(|_| MIRROR.to_owned())
}

/// What apt fetched; if it did not, what a person can do about it.
fn fetched(result: Result<Vec<u8>, QemuError>, mirror: &str) -> Result<Vec<u8>, QemuError> {
    result.map_err(|error| {
        let text = error.to_string();
        let said: Vec<&str> = text.lines().filter(|line| line.starts_with("E: ")).collect();
        QemuError::Environment(format!(
            "Debian's packages cannot be fetched from {mirror}: what is not in the cache needs a network \
             (LEASELAB_DEBIAN_MIRROR names another mirror)\n{}",
            said.join("\n")
        ))
    })
}

fn describe(path: &Path) -> Result<Package, QemuError> {
    let dpkg = tools::find("dpkg-deb", "dpkg")?;
    let field = |name: &str| {
        let output = tools::run(Command::new(&dpkg).arg("-f").arg(path).arg(name))?;
        Ok::<_, QemuError>(String::from_utf8_lossy(&output).trim().to_owned())
    };
    let bytes = fs::read(path).map_err(QemuError::file(path))?;
    Ok(Package {
        name: field("Package")?,
        version: field("Version")?,
        architecture: field("Architecture")?,
        file: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        sha256: hex(&Sha256::digest(bytes)),
    })
}

/// Bytes in hex.
pub(super) fn hex(bytes: &[u8]) -> String {
    hex_text(bytes).replace(':', "")
}
