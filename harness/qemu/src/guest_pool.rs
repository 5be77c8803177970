//! The data that the cases of a run share: the guests' configuration, the sum of their erases, and the folder for the files
//! of failed cases.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use nvram_emu::Machine;

use backend::read_bounded;

use super::MAX_INPUT_BYTES;
use super::erase_audit::EraseAudit;
use super::error::QemuError;
use super::fit::{Unfit, fit};
use super::guest_config::GuestConfig;
use super::guest_file::GuestFile;
use super::router::Router;
use backend::process::ScriptCommand;
use scenario::Case;

/// The session of a run. Clones share it; only one of them can use it at a time.
#[derive(Clone, Debug)]
pub struct GuestPool(Arc<Mutex<GuestSession>>);

/// The configuration and the counts that the cases of a run share.
#[derive(Debug)]
pub struct GuestSession {
    config: GuestConfig,
    keep: Option<PathBuf>,
    /// The initial contents of the nvram partition, in place of the scenario's.
    contents: Option<Vec<u8>>,
    sum: Option<EraseAudit>,
}

impl GuestPool {
    /// `keep` is the folder for the files of failed cases.
    pub fn new(config: GuestConfig, keep: Option<PathBuf>) -> Self {
        Self(Arc::new(Mutex::new(GuestSession { config, keep, contents: None, sum: None })))
    }

    /// Sets the initial contents of the nvram partition of every router to those of this file.
    ///
    /// # Errors
    /// When the file cannot be read, or is not as long as the partition.
    pub fn set_initial_contents(&self, path: &Path) -> Result<(), QemuError> {
        let bytes = read_bounded(path, MAX_INPUT_BYTES).map_err(QemuError::input(path))?;
        let mut session = self.lock();
        let partition = session.config.partition();
        if bytes.len() != partition {
            return Err(QemuError::Input(format!(
                "{}: {} bytes, but the guest's nvram partition has {partition}: dump the whole partition",
                path.display(),
                bytes.len()
            )));
        }
        session.contents = Some(bytes);
        Ok(())
    }

    /// Waits until no other case uses the session.
    pub fn lock(&self) -> MutexGuard<'_, GuestSession> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl GuestSession {
    /// The case with the guest's flash geometry in place of the scenario's.
    ///
    /// # Errors
    /// The reason why the case cannot run in a guest.
    pub fn fit(&self, case: &Case) -> Result<Case, Unfit> {
        fit(&self.config, case)
    }

    /// A router for a case.
    ///
    /// # Errors
    /// See [`Router::new`].
    pub fn router(
        &mut self,
        machine: &Machine,
        script: &ScriptCommand,
        seed: u64,
    ) -> Result<Router<'_>, QemuError> {
        let with_contents =
            self.contents.as_ref().and_then(|bytes| machine.with_contents(bytes, None));
        let machine = with_contents.as_ref().unwrap_or(machine);
        Router::new(&mut self.config, machine, script, seed)
    }

    /// A router with an empty NVRAM whose guests have these additional programs: path without the leading slash, contents.
    ///
    /// # Errors
    /// See [`Router::new`].
    pub fn blank_router(
        &mut self,
        programs: Vec<(String, Vec<u8>)>,
    ) -> Result<Router<'_>, QemuError> {
        let files = programs.into_iter().map(|(path, bytes)| GuestFile::executable(path, bytes));
        self.config.files.extend(files);
        Router::blank(&mut self.config)
    }

    /// Adds the erases of a case.
    pub fn add(&mut self, audit: &EraseAudit) {
        match &mut self.sum {
            Some(sum) => sum.add(audit),
            None => self.sum = Some(audit.clone()),
        }
    }

    /// The erases of all cases; `None` if none ran.
    pub fn sum(&self) -> Option<&EraseAudit> {
        self.sum.as_ref()
    }

    /// Whether any guest has booted.
    pub fn has_booted(&self) -> bool {
        self.config.timeouts.slowest().is_some()
    }

    /// How long the slowest boot took.
    pub fn slowest_boot(&self) -> Duration {
        self.config.timeouts.slowest().unwrap_or_default()
    }

    /// The folder for the files of a failed case.
    pub fn folder_for_failed(&self, case: &str) -> Option<PathBuf> {
        let name = backend::file_name_of(case);
        self.keep.as_ref().map(|folder| folder.join(name).join("guest"))
    }
}

/// Copies a router's files: the console's log of each boot, QEMU's command line and trace, the flash before each boot and at
/// the end.
///
/// # Errors
/// When they cannot be written.
pub fn keep(from: &Path, to: &Path) -> Result<(), QemuError> {
    let opened = backend::create_own_folder(to).map_err(QemuError::input(to))?;
    for entry in fs::read_dir(from).map_err(QemuError::file(from))?.flatten() {
        let kept = to.join(entry.file_name());
        if entry.file_type().is_ok_and(|kind| kind.is_file()) && entry.file_name() != "files.cpio" {
            fs::copy(entry.path(), opened.path().join(entry.file_name()))
                .map_err(QemuError::input(&kept))?;
        }
    }
    Ok(())
}
