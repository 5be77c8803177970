//! Where cases are run in guests, one after another: what fits a guest, what the counts were, what is kept.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use nvram_emu::Machine;

use super::error::QemuError;
use super::lab::Lab;
use super::router::Router;
use super::wear::EraseAudit;
use backend::process::ScriptCommand;
use scenario::{Action, Bytes, Case, Disturbance, Expect, Memory, Moment, Rtc, Step};

/// The last second that a 32-bit clock shows.
const LAST_SECOND: i64 = i32::MAX as i64;

/// Guests of one kind, for all cases of a run; clones share it.
#[derive(Clone, Debug)]
pub struct GuestPool(Arc<Mutex<GuestSession>>);

/// What the cases of a run share.
#[derive(Debug)]
pub struct GuestSession {
    lab: Lab,
    keep: Option<PathBuf>,
    /// What the partition holds at first, in place of what a scenario says.
    contents: Option<Vec<u8>>,
    sum: Option<EraseAudit>,
    /// Whether the guest's clock ends in 2038.
    narrow: bool,
}

impl GuestPool {
    /// Nothing was run yet. `keep`: where to put what a failed case leaves.
    pub fn new(lab: Lab, narrow: bool, keep: Option<PathBuf>) -> Self {
        Self(Arc::new(Mutex::new(GuestSession { lab, keep, contents: None, sum: None, narrow })))
    }

    /// Every router begins with these bytes in its partition.
    ///
    /// # Errors
    /// A file that is not as long as the partition.
    pub fn begin_with(&self, path: &Path) -> Result<(), QemuError> {
        let bytes = fs::read(path).map_err(QemuError::input(path))?;
        let mut session = self.lock();
        let partition = session.lab.partition();
        if bytes.len() != partition {
            return Err(QemuError::Input(format!(
                "{}: {} bytes, and the guest's nvram partition has {partition}: dump the whole partition",
                path.display(),
                bytes.len()
            )));
        }
        session.contents = Some(bytes);
        Ok(())
    }

    /// One case at a time.
    pub fn lock(&self) -> MutexGuard<'_, GuestSession> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl GuestSession {
    /// The case with the guest's flash in place of the scenario's; why not, where it cannot be played there.
    ///
    /// # Errors
    /// The reason.
    pub fn fit(&self, case: &Case) -> Result<Case, String> {
        let router = &case.scenario.router;
        let dialect = router.dialect.get_ref();
        if !dialect.starts_with("openwrt") {
            return Err(format!(
                "`{dialect}` keeps its nvram in the kernel: only OpenWrt's way of storing is real in a guest"
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
            return Err("clients in front of a guest speak no DHCPv6".to_owned());
        }
        if router.image.is_some() {
            return Err("its flash image is of another size than the guest's".to_owned());
        }
        let partition = self.lab.partition() as u64;
        if router.space.0 > partition || router.partition.is_some_and(|own| own.0 > partition) {
            return Err(format!("its nvram is larger than the guest's, {partition} bytes"));
        }
        let later = |moment: &Moment| matches!(moment, Moment::At(second) if *second > LAST_SECOND);
        let dates = steps.iter().filter_map(|step| match &step.action {
            Action::SetClock(moment) => Some(moment),
            _ => None,
        });
        if self.narrow && dates.chain([&router.date]).any(later) {
            return Err("a 32-bit clock ends in 2038".to_owned());
        }
        let mut on = false;
        for step in &steps {
            self.fit_step(step, router.erase.0, &mut on)?;
        }
        let mut case = case.clone();
        case.scenario.router.partition = Some(Bytes(partition));
        case.scenario.router.erase = Bytes(u64::from(self.lab.erase_block()));
        Ok(case)
    }

    fn fit_step(&self, step: &Step, erase: u64, on: &mut bool) -> Result<(), String> {
        if step.web_page {
            return Err("in a guest, no web page looks on while a call is followed".to_owned());
        }
        if let Action::Damage(damage) = &step.action
            && (*on || damage.memory == Memory::Ram)
        {
            return Err("a running guest's flash and RAM cannot be damaged from outside".to_owned());
        }
        let counts = |expect: &Expect| {
            [expect.erases, expect.total_erases, expect.programmed, expect.flash_operations]
                .into_iter()
                .flatten()
                .any(|count| count > 0)
        };
        let block = u64::from(self.lab.erase_block());
        if erase != block && step.expect.as_ref().is_some_and(counts) {
            return Err(format!(
                "it counts erases of {erase} bytes, and the guest's flash has blocks of {block}"
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
        let given = self.contents.as_ref().and_then(|bytes| machine.with_contents(bytes, None));
        Router::new(&mut self.lab, given.as_ref().unwrap_or(machine), script, seed)
    }

    /// Adds what a case counted.
    pub fn add(&mut self, ledger: &EraseAudit) {
        match &mut self.sum {
            Some(sum) => sum.add(ledger),
            None => self.sum = Some(ledger.clone()),
        }
    }

    /// What all cases counted; `None` where none was played.
    pub fn sum(&self) -> Option<&EraseAudit> {
        self.sum.as_ref()
    }

    /// Whether any guest has come up.
    pub fn has_booted(&self) -> bool {
        self.lab.patience.is_measured()
    }

    /// How long the slowest boot took, seconds.
    pub fn slowest_boot(&self) -> f64 {
        self.lab.patience.slowest().as_secs_f64()
    }

    /// Where the router of a failed case is kept.
    pub fn kept(&self, case: &str) -> Option<PathBuf> {
        let name = backend::file_name_of(case);
        self.keep.as_ref().map(|folder| folder.join(name).join("guest"))
    }
}

/// Copies a router's files: console log of each boot, command line, trace, flash before each boot and at last.
///
/// # Errors
/// When they cannot be written.
pub fn keep(from: &Path, to: &Path) -> Result<(), QemuError> {
    fs::create_dir_all(to).map_err(QemuError::input(to))?;
    for entry in fs::read_dir(from).map_err(QemuError::file(from))?.flatten() {
        let kept = to.join(entry.file_name());
        // Sockets are nothing to keep.
        if entry.file_type().is_ok_and(|kind| kind.is_file()) && entry.file_name() != "files.cpio" {
            fs::copy(entry.path(), &kept).map_err(QemuError::input(&kept))?;
        }
    }
    Ok(())
}
