//! Images on disk, and what they contain.

use std::path::{Path, PathBuf};

use backend::read_bounded;
use serde::{Deserialize, Serialize};

use super::packages::Package;
use super::sha256::hex_digest_of_file;
use crate::MAX_INPUT_BYTES;
use crate::arch::Arch;
use crate::error::QemuError;

/// A file of an image, or in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// Path in the image's folder, or in the image's root file system.
    pub name: String,
    /// SHA-256 in hex.
    pub sha256: String,
    /// Size in bytes.
    pub bytes: u64,
}

/// Describes an image: the file `manifest.json` in its folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// A hash of everything that the image was built from: an image with the same inputs is not built again.
    #[serde(default)]
    pub inputs: String,
    /// The architecture.
    pub arch: String,
    /// The kernel's version.
    pub kernel: String,
    /// What built nvram and lease-update.
    pub executables: String,
    /// The image's files, and the executables and the kernel module in it.
    pub files: Vec<File>,
    /// The Debian packages in the image.
    pub packages: Vec<Package>,
    /// The Debian packages that the image was built with.
    pub tools: Vec<Package>,
}

/// An image in a folder.
#[derive(Clone, Debug)]
pub struct Image {
    /// The architecture.
    pub arch: Arch,
    /// The kernel.
    pub kernel: PathBuf,
    /// The initrd with the root file system.
    pub initrd: PathBuf,
}

impl Manifest {
    /// Reads the manifest of the image in a folder.
    ///
    /// # Errors
    /// When there is none, or it cannot be read.
    pub fn read(arch: Arch, folder: &Path) -> Result<Self, QemuError> {
        let path = folder.join("manifest.json");
        let text = read_bounded(&path, MAX_INPUT_BYTES).map_err(|error| {
            QemuError::Input(format!(
                "{}: {error}: build the image first: leaselab qemu build --arch {arch}",
                path.display()
            ))
        })?;
        serde_json::from_slice(&text).map_err(|error| {
            QemuError::Input(format!("{}: {error}: build the image again", path.display()))
        })
    }
}

impl Image {
    /// Opens the image in a folder and checks its hashes.
    ///
    /// # Errors
    /// When there is none, it is for another architecture, or its files were changed.
    pub fn open(arch: Arch, folder: &Path) -> Result<Self, QemuError> {
        let manifest = Manifest::read(arch, folder)?;
        if manifest.arch != arch.name() {
            return Err(QemuError::Input(format!(
                "{} contains an image for {}, not {arch}: name its architecture with --arch",
                folder.display(),
                manifest.arch
            )));
        }
        for file in manifest.files.iter().filter(|file| !file.name.contains('/')) {
            let path = folder.join(&file.name);
            let digest = hex_digest_of_file(&path).map_err(QemuError::input(&path))?;
            if digest != file.sha256 {
                return Err(QemuError::Input(format!(
                    "{} was changed after the image was built: build the image again",
                    path.display()
                )));
            }
        }
        Ok(Self { arch, kernel: folder.join("kernel"), initrd: folder.join("initrd") })
    }
}
