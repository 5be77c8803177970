//! The files that a guest gets at each boot: the script under test and its settings, the guest's side of the harness, and
//! programs that an image of another origin lacks.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::Path;

use nvram_emu::Machine;

use super::MAX_INPUT_BYTES;
use super::error::QemuError;
use super::guest_config::GuestConfig;
use super::guest_file::GuestFile;
use super::image::cpio::Cpio;
use super::shell_quote::shell_quote;
use backend::process::{ScriptCommand, ScriptFile};
use backend::read_bounded;

/// A shell word: the nvram tool behind the wrapper that records its commands.
pub(super) const NVRAM_TOOL: &str = "\"$LAB_NVRAM\"";

/// The PATH of the programs of an image.
const IMAGE_PATH: &str = "/usr/sbin:/usr/bin:/sbin:/bin";

/// A disk's size is a multiple of this.
const DISK_UNIT: usize = 1 << 16;

/// Files for a guest.
#[derive(Clone, Debug)]
pub(super) struct GuestFiles {
    files: Vec<GuestFile>,
}

impl GuestFiles {
    /// # Errors
    /// When the script cannot be read.
    pub(super) fn new(
        config: &GuestConfig,
        machine: &Machine,
        script: &ScriptCommand,
    ) -> Result<Self, QemuError> {
        let mut files = config.files.clone();
        let script_path = match &script.file {
            ScriptFile::BuiltIn(name, text) => {
                let path = format!("lab/{name}");
                files.push(GuestFile::executable(path.clone(), *text));
                path
            }
            ScriptFile::LeaseUpdate => config.lease_update.clone(),
            ScriptFile::Path(path) => {
                let bytes = read_bounded(path, MAX_INPUT_BYTES).map_err(QemuError::input(path))?;
                files.push(GuestFile::executable("lab/script", bytes));
                "lab/script".to_owned()
            }
        };
        let settings = settings(config, machine, script, &script_path);
        files.push(GuestFile {
            path: "lab/settings".to_owned(),
            mode: 0o644,
            contents: settings.into_bytes(),
        });
        Ok(Self { files })
    }

    /// An archive that the kernel unpacks into the root after the initrd.
    pub(super) fn to_cpio(&self) -> Vec<u8> {
        let mut archive = Cpio::default();
        for GuestFile { path, mode, contents } in &self.files {
            archive.file(path, *mode, contents);
        }
        archive.finish()
    }

    /// A tar archive as the contents of a disk.
    ///
    /// # Errors
    /// When a path is too long for the archive.
    pub(super) fn to_tar_disk(&self) -> io::Result<Vec<u8>> {
        let mut archive = tar::Builder::new(Vec::new());
        for GuestFile { path, mode, contents } in &self.files {
            let mut header = tar::Header::new_ustar();
            header.set_mode(*mode);
            header.set_size(contents.len() as u64);
            archive.append_data(&mut header, path, contents.as_slice())?;
        }
        let mut bytes = archive.into_inner()?;
        bytes.resize(bytes.len().next_multiple_of(DISK_UNIT), 0);
        Ok(bytes)
    }
}

/// The shell script that sets the environment of the script under test.
fn settings(
    config: &GuestConfig,
    machine: &Machine,
    script: &ScriptCommand,
    script_path: &str,
) -> String {
    let board = machine.board();
    let script_path = format!("/{}", script_path.trim_start_matches('/'));
    let mut variables: Vec<(&str, String)> = vec![
        ("LAB_NVRAM", config.nvram_tool.clone()),
        ("LAB_SHELL", script.shell.join(" ")),
        ("LAB_SCRIPT", script_path.clone()),
        (
            "LAB_PROGRAM",
            if config.wrapper.is_empty() { script_path.clone() } else { config.wrapper.clone() },
        ),
        // By this name OpenWrt's wrapper finds the user's script.
        ("USER_DHCPSCRIPT", script_path),
        ("LAB_SCRIPT_PATH", format!("/lab/bin:{IMAGE_PATH}")),
        ("LEASE_NVRAM", "/lab/bin/nvram".to_owned()),
        ("NVRAM_EMU_STAGING", config.staging.clone()),
        ("NVRAM_EMU_DIALECT", machine.dialect().name().to_owned()),
        ("NVRAM_EMU_ERASE", config.flash.erase.to_string()),
        ("NVRAM_EMU_SPACE", board.space.to_string()),
    ];
    variables.extend(script.environment.iter().map(|(name, value)| (&**name, value.clone())));
    // The flash device is determined once, at boot.
    let mut text = format!(
        "PATH=/lab/bin:{IMAGE_PATH}{}\nexport PATH\n\
         read -r NVRAM_EMU_FLASH </tmp/lab/device\nexport NVRAM_EMU_FLASH\n",
        config.tools
    );
    for (name, value) in variables {
        _ = writeln!(text, "{name}={}\nexport {name}", shell_quote(value.as_bytes()));
    }
    text
}

/// Writes an initrd with an archive appended to it, or the archive alone.
///
/// # Errors
/// When the initrd cannot be read, or the result not be written.
pub(super) fn append_to_initrd(
    initrd: Option<&Path>,
    archive: &[u8],
    to: &Path,
) -> Result<(), QemuError> {
    let mut bytes = match initrd {
        Some(path) => read_bounded(path, MAX_INPUT_BYTES).map_err(QemuError::input(path))?,
        None => Vec::new(),
    };
    // The kernel expects the next archive at a multiple of four.
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes.extend_from_slice(archive);
    fs::write(to, bytes).map_err(QemuError::file(to))
}
