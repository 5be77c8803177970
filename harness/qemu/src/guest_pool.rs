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
use super::guest_config::GuestConfig;
use super::interface;
use super::router::Router;
use backend::process::ScriptCommand;
use scenario::{Action, Bytes, Case, Disturbance, Expect, Memory, Moment, Rtc, Step};

/// The last second of a 32-bit clock.
const LAST_SECOND: i64 = i32::MAX as i64;

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
    pub fn fit(&self, case: &Case) -> Result<Case, String> {
        let router = &case.scenario.router;
        let dialect = router.dialect.get_ref();
        if !dialect.starts_with("openwrt") {
            return Err(format!(
                "`{dialect}` has its nvram in the kernel: only the openwrt dialects run in a guest"
            ));
        }
        let steps: Vec<&Step> = case
            .scenario
            .steps
            .iter()
            .map(toml::Spanned::get_ref)
            .filter(|step| case.matches(&step.when))
            .collect();
        let boots_broken = |step: &&Step| matches!(&step.action, Action::Boot(boot) if boot.rtc == Some(Rtc::Broken));
        if router.rtc == Rtc::Broken || steps.iter().any(boots_broken) {
            return Err("Debian's dnsmasq is not built with HAVE_BROKEN_RTC".to_owned());
        }
        let joins_v6 =
            |step: &&Step| matches!(&step.action, Action::Join(join) if join.v6.is_some());
        if case.scenario.server.range6.is_some() || steps.iter().any(joins_v6) {
            return Err("clients of a guest do not support DHCPv6".to_owned());
        }
        if router.image.is_some() {
            return Err("its flash image has another size than the guest's".to_owned());
        }
        let partition = self.config.partition() as u64;
        if router.space.0 > partition || router.partition.is_some_and(|own| own.0 > partition) {
            return Err(format!("its nvram is larger than the guest's, {partition} bytes"));
        }
        let later = |moment: &Moment| matches!(moment, Moment::At(second) if *second > LAST_SECOND);
        let dates = steps.iter().filter_map(|step| match &step.action {
            Action::SetClock(moment) => Some(moment),
            _ => None,
        });
        if self.config.has_32_bit_clock() && dates.chain([&router.date]).any(later) {
            return Err("the guest's 32-bit clock ends in 2038".to_owned());
        }
        let mut on = false;
        for step in &steps {
            self.fit_step(step, router.erase.0, &mut on)?;
        }
        let mut case = case.clone();
        case.scenario.router.partition = Some(Bytes(partition));
        case.scenario.router.erase = Bytes(u64::from(self.config.erase_block()));
        interface::rename(&mut case.scenario, &self.config.interface);
        Ok(case)
    }

    fn fit_step(&self, step: &Step, erase: u64, on: &mut bool) -> Result<(), String> {
        if step.web_page {
            return Err("`web-page` is not supported in a guest".to_owned());
        }
        if let Action::Damage(damage) = &step.action
            && (*on || damage.memory == Memory::Ram)
        {
            return Err(
                "the flash and RAM of a running guest cannot be damaged from outside".to_owned()
            );
        }
        if step.disturbance.as_ref().is_some_and(|it| it.disturbance.is_at_file_change()) {
            return Err("changes of files in a guest cannot be interrupted".to_owned());
        }
        let counts = |expect: &Expect| {
            [expect.erases, expect.total_erases, expect.programmed, expect.flash_operations]
                .into_iter()
                .flatten()
                .any(|count| count > 0)
        };
        let block = u64::from(self.config.erase_block());
        if erase != block && step.expect.iter().any(counts) {
            return Err(format!(
                "it counts erases of blocks of {erase} bytes, but the guest's flash has blocks of {block}"
            ));
        }
        let cut =
            matches!(&step.disturbance, Some(it) if matches!(it.disturbance, Disturbance::Cut(_)));
        *on = match step.action {
            Action::Boot(_) => true,
            Action::Shutdown | Action::PowerCut => false,
            _ => *on && !cut,
        };
        Ok(())
    }

    /// A router for a case.
    ///
    /// # Errors
    /// As [`Router::new`].
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

    /// A router with an empty NVRAM whose guests have these additional files: path without the leading slash, contents.
    ///
    /// # Errors
    /// As [`Router::new`].
    pub fn blank_router(&mut self, files: Vec<(String, Vec<u8>)>) -> Result<Router<'_>, QemuError> {
        self.config.files.extend(files.into_iter().map(|(path, bytes)| (path, 0o755, bytes)));
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
    backend::create_folder(to).map_err(QemuError::input(to))?;
    for entry in fs::read_dir(from).map_err(QemuError::file(from))?.flatten() {
        let kept = to.join(entry.file_name());
        if entry.file_type().is_ok_and(|kind| kind.is_file()) && entry.file_name() != "files.cpio" {
            fs::copy(entry.path(), &kept).map_err(QemuError::input(&kept))?;
        }
    }
    Ok(())
}
