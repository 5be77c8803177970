//! Debian packages: downloaded by apt into leaselab's cache, and unpacked, never installed.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::fs::FlockOperation;
use serde::{Deserialize, Serialize};

use super::sha256::hex_digest_of_file;

use crate::error::QemuError;
use crate::tools;

/// The last release with a mipsel port.
const RELEASE: &str = "bookworm";

/// The mirror, unless `LEASELAB_DEBIAN_MIRROR` names another.
const MIRROR: &str = "http://deb.debian.org/debian";

/// The mirror of security updates.
const SECURITY: &str = "http://deb.debian.org/debian-security";

const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// A package that an image contains or was built with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Package {
    /// Name.
    pub name: String,
    /// Version.
    pub version: String,
    /// Debian architecture.
    pub architecture: String,
    /// Name of the file in the cache.
    pub file: String,
    /// SHA-256 of the file in hex.
    pub sha256: String,
}

/// Which updates to download besides the release itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Updates {
    None,
    Security,
}

/// The packages for one purpose.
#[derive(Debug)]
pub(super) struct PackageStore {
    /// The folder of the `.deb` files.
    debs: PathBuf,
    /// The folder of apt's configuration and package lists.
    apt: PathBuf,
    /// The purpose. The list of downloaded packages has this name.
    name: String,
    /// The first is the default.
    architectures: Vec<&'static str>,
    updates: Updates,
}

impl PackageStore {
    /// Packages of these architectures in `cache`. The first architecture is the default.
    pub(super) fn new(
        cache: &Path,
        name: &str,
        architectures: &[&'static str],
        updates: Updates,
    ) -> Self {
        Self {
            debs: cache.join("debs"),
            apt: cache.join("apt").join(name),
            name: name.to_owned(),
            architectures: architectures.to_vec(),
            updates,
        }
    }

    /// The packages from the cache, if all of them are there and unchanged; else downloads the packages that `wanted` names.
    ///
    /// # Errors
    /// When apt is not installed, the network is not available, or a package does not exist.
    pub(super) fn fetch(
        &self,
        wanted: impl FnOnce(&Self) -> Result<Vec<String>, QemuError>,
    ) -> Result<Vec<Package>, QemuError> {
        let _lock = self.lock()?;
        self.fetch_locked(wanted)
    }

    /// The same, and unpacks the packages into `root`, unless that folder exists.
    ///
    /// # Errors
    /// See [`PackageStore::fetch`]; also when a package is invalid.
    pub(super) fn fetch_into(
        &self,
        root: &Path,
        wanted: impl FnOnce(&Self) -> Result<Vec<String>, QemuError>,
    ) -> Result<Vec<Package>, QemuError> {
        let _lock = self.lock()?;
        let packages = self.fetch_locked(wanted)?;
        if !root.is_dir() {
            // An interrupted process leaves no incomplete folder.
            let scratch =
                scratch::Folder::new_in(&self.debs).map_err(QemuError::file(&self.debs))?;
            let new = scratch.path().join("root");
            self.unpack(&packages, &new)?;
            let parent = root.parent().unwrap_or(root);
            fs::create_dir_all(parent).map_err(QemuError::file(parent))?;
            fs::rename(&new, root).map_err(QemuError::file(root))?;
        }
        Ok(packages)
    }

    /// Waits until no other process downloads packages for this purpose. Held until the file is dropped.
    fn lock(&self) -> Result<File, QemuError> {
        fs::create_dir_all(&self.debs).map_err(QemuError::file(&self.debs))?;
        let path = self.debs.join(format!("{}.lock", self.name));
        let file = File::create(&path).map_err(QemuError::file(&path))?;
        rustix::fs::flock(&file, FlockOperation::LockExclusive)
            .map_err(|error| QemuError::file(&path)(error.into()))?;
        Ok(file)
    }

    fn fetch_locked(
        &self,
        wanted: impl FnOnce(&Self) -> Result<Vec<String>, QemuError>,
    ) -> Result<Vec<Package>, QemuError> {
        let list = self.debs.join(format!("{}.json", self.name));
        if let Some(packages) = self.cached(&list) {
            return Ok(packages);
        }
        self.update()?;
        let wanted = wanted(self)?;
        // In an empty folder, so that the names of the downloaded files need not be known.
        let scratch = scratch::Folder::new_in(&self.debs).map_err(QemuError::file(&self.debs))?;
        let new = scratch.path().join("packages");
        fs::create_dir(&new).map_err(QemuError::file(&new))?;
        let mut download = self.apt("apt-get")?;
        let downloaded = tools::run(download.current_dir(&new).arg("download").args(&wanted));
        with_remedy(downloaded, &mirror())?;
        let mut packages = Vec::new();
        for entry in fs::read_dir(&new).map_err(QemuError::file(&new))? {
            let path = entry.map_err(QemuError::file(&new))?.path();
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
            hex_digest_of_file(&self.debs.join(&package.file))
                .is_ok_and(|digest| digest == package.sha256)
        };
        packages.iter().all(same).then_some(packages)
    }

    /// The output of `apt-cache` with these arguments.
    ///
    /// # Errors
    /// When apt is not installed, or a package does not exist.
    pub(super) fn query(&self, arguments: &[&str]) -> Result<String, QemuError> {
        let output = tools::run(self.apt("apt-cache")?.args(arguments))?;
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
                "{KEYRING} not found: install Debian's package debian-archive-keyring"
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
            if self.updates == Updates::Security {
                _ = writeln!(sources, "deb {options} {SECURITY} {RELEASE}-security main");
            }
        }
        let list = self.apt.join("sources.list");
        fs::write(&list, sources).map_err(QemuError::file(&list))?;
        // Without this option, apt only warns about a mirror that it cannot reach.
        let mut update = self.apt("apt-get")?;
        update.args(["-o", "APT::Update::Error-Mode=any", "update"]);
        with_remedy(tools::run(&mut update), &mirror).map(|_| ())
    }

    /// Unpacks packages into a folder.
    ///
    /// # Errors
    /// When a package is invalid.
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

/// Adds the remedy to apt's error.
fn with_remedy(result: Result<Vec<u8>, QemuError>, mirror: &str) -> Result<Vec<u8>, QemuError> {
    result.map_err(|error| {
        let text = error.to_string();
        let errors: Vec<&str> = text.lines().filter(|line| line.starts_with("E: ")).collect();
        QemuError::Environment(format!(
            "Debian's packages cannot be fetched from {mirror}: packages that are not in the cache need the \
             network (LEASELAB_DEBIAN_MIRROR names another mirror)\n{}",
            errors.join("\n")
        ))
    })
}

fn describe(path: &Path) -> Result<Package, QemuError> {
    let dpkg = tools::find("dpkg-deb", "dpkg")?;
    let field = |name: &str| {
        let output = tools::run(Command::new(&dpkg).arg("-f").arg(path).arg(name))?;
        Ok::<_, QemuError>(String::from_utf8_lossy(&output).trim().to_owned())
    };
    Ok(Package {
        name: field("Package")?,
        version: field("Version")?,
        architecture: field("Architecture")?,
        file: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        sha256: hex_digest_of_file(path).map_err(QemuError::file(path))?,
    })
}
