//! What the harness brings into a guest at each boot: the script under test and its settings, and for
//! somebody else's image all that ours has anyway.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use nvram_emu::Machine;

use super::error::QemuError;
use super::image::cpio::Cpio;
use super::lab::Lab;
use backend::process::{ScriptCommand, ScriptFile};

/// The nvram tool behind the wrapper that writes its commands down.
pub(super) const REAL_NVRAM: &str = "\"$LAB_NVRAM\"";

/// Ours, in our images.
const OUR_NVRAM: &str = "/usr/lib/leaselab/nvram";

/// Files for a guest: path, mode, bytes.
#[derive(Clone, Debug)]
pub(super) struct Payload {
    files: Vec<(String, u32, Vec<u8>)>,
}

impl Payload {
    /// The script and its settings, and what the image lacks.
    ///
    /// # Errors
    /// A script that cannot be read.
    pub(super) fn new(
        lab: &Lab,
        machine: &Machine,
        script: &ScriptCommand,
    ) -> Result<Self, QemuError> {
        let mut files = lab.brought.clone();
        let place = match &script.file {
            ScriptFile::BuiltIn(name, text) => {
                let place = format!("lab/{name}");
                files.push((place.clone(), 0o755, text.as_bytes().to_vec()));
                place
            }
            ScriptFile::LeaseUpdate => lab.lease_update.clone(),
            ScriptFile::Path(path) => {
                let bytes = fs::read(path).map_err(QemuError::input(path))?;
                files.push(("lab/script".to_owned(), 0o755, bytes));
                "lab/script".to_owned()
            }
        };
        let board = machine.board();
        let own = |value: &str| quoted(value.as_bytes());
        let nvram = lab.own_nvram.as_deref().unwrap_or(OUR_NVRAM);
        let mut settings: Vec<(String, String)> = vec![
            ("LAB_NVRAM".to_owned(), own(nvram)),
            ("LAB_SHELL".to_owned(), own(&script.shell.join(" "))),
            ("LAB_SCRIPT".to_owned(), own(&format!("/{}", place.trim_start_matches('/')))),
            ("LEASE_NVRAM".to_owned(), own("/lab/bin/nvram")),
            ("NVRAM_EMU_STAGING".to_owned(), own("/tmp/.nvram")),
            ("NVRAM_EMU_DIALECT".to_owned(), own(machine.dialect().name())),
            ("NVRAM_EMU_ERASE".to_owned(), own(&lab.flash.erase.to_string())),
            ("NVRAM_EMU_SPACE".to_owned(), own(&board.space.to_string())),
        ];
        settings.extend(script.environment.iter().map(|(name, value)| (name.clone(), own(value))));
        // Where the flash is was found once, at the boot.
        let mut text = String::from(
            "PATH=/lab/bin:/usr/sbin:/usr/bin:/sbin:/bin\nexport PATH\n\
             read -r NVRAM_EMU_FLASH </tmp/lab/device\nexport NVRAM_EMU_FLASH\n",
        );
        for (name, value) in settings {
            _ = writeln!(text, "{name}={value}\nexport {name}");
        }
        files.push(("lab/settings".to_owned(), 0o644, text.into_bytes()));
        Ok(Self { files })
    }

    /// As an archive that the kernel unpacks over the root.
    pub(super) fn cpio(&self) -> Vec<u8> {
        let mut archive = Cpio::default();
        for (path, mode, bytes) in &self.files {
            archive.file(path, *mode, bytes);
        }
        archive.finish()
    }

    /// As an archive that `tar` unpacks (POSIX.1-1988 ustar), padded to what a disk wants.
    pub(super) fn tar(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (path, mode, data) in &self.files {
            let mut header = [0_u8; 512];
            let mut put = |at: usize, text: &str| {
                header[at..at + text.len()].copy_from_slice(text.as_bytes());
            };
            put(0, path);
            put(100, &format!("{mode:07o}"));
            put(108, "0000000");
            put(116, "0000000");
            put(124, &format!("{:011o}", data.len()));
            put(136, "00000000000");
            put(148, "        ");
            put(156, "0");
            put(257, "ustar");
            put(263, "00");
            let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
            header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
            bytes.extend_from_slice(&header);
            bytes.extend_from_slice(data);
            bytes.resize(bytes.len().next_multiple_of(512), 0);
        }
        bytes.resize((bytes.len() + 1024).next_multiple_of(1 << 16), 0);
        bytes
    }
}

/// Puts an archive behind an initrd.
///
/// # Errors
/// Files that refuse.
pub(super) fn behind(initrd: Option<&Path>, archive: &[u8], to: &Path) -> Result<(), QemuError> {
    let mut bytes = match initrd {
        Some(path) => fs::read(path).map_err(QemuError::input(path))?,
        None => Vec::new(),
    };
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes.extend_from_slice(archive);
    fs::write(to, bytes).map_err(QemuError::file(to))
}

/// A word as a POSIX shell takes it; bytes that are no text survive by way of printf.
pub(super) fn quoted(word: &[u8]) -> String {
    if word.iter().all(|byte| (0x20..0x7f).contains(byte)) {
        return format!("'{}'", String::from_utf8_lossy(word).replace('\'', r"'\''"));
    }
    let mut octal = String::new();
    for byte in word {
        _ = write!(octal, "\\{byte:03o}");
    }
    format!("\"$(printf '{octal}')\"")
}
