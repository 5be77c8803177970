//! Costs of commits. They are measured on a machine in memory, so that no rule of a dialect is implemented twice.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use nvram_emu::flsh::{HEADER_LEN, find_magic};
use nvram_emu::{Dialect, Machine};

use super::command_counts::CommandCounts;
use super::commit_cost::CommitCost;
use super::router::RouterSpec;
use super::script::Script;
use backend::{Backend as _, BackendError, CallEnd, CallOptions, InProcess};
use dnsmasq_model::{Build, ScriptCall};
use runner::setup::Refusal;
use runner::stderr_lines;

/// Bytes that a script keeps free, for variables that tools add and as a margin (free_space.rs of lease-script).
const KEPT_FREE: u64 = 100;
/// The length of the longest `NAME=VALUE` that every dialect accepts, with a NUL.
const LONG_PAIR: u64 = 900;
/// The length of the shortest padding variable: a name of six characters, `=`, and a NUL.
const SHORT_PAIR: u64 = 8;

/// Why the costs of commits cannot be measured on a router.
#[derive(Debug, thiserror::Error)]
pub enum CostModelError {
    /// The router cannot be set up.
    #[error(transparent)]
    Setup(#[from] Refusal),
    /// The dialect cannot commit to this chip.
    #[error("{dialect} cannot commit to {chip}: no router has this combination")]
    NoCommit {
        /// The dialect.
        dialect: Dialect,
        /// Name of the chip.
        chip: &'static str,
    },
    /// The variables of other programs fill the NVRAM.
    #[error("neighbours of {0} bytes leave no room in the NVRAM")]
    NoSpace(u64),
    /// The script fails on an empty store.
    #[error("the script fails: {0}")]
    Script(String),
    /// The script cannot be called.
    #[error(transparent)]
    Backend(#[from] BackendError),
}

/// The cost of a commit on one router. It depends on the number of bytes of variables in the image.
#[derive(Debug)]
pub struct CostModel {
    machine: Machine,
    /// Offset of the image in the partition, in bytes.
    offset: u32,
    /// The bytes of variables before the first lease is stored.
    base: u64,
    /// The number of bytes of variables above which scripts set no further variables.
    limit: u64,
    skips_equal: bool,
    /// The cost of every commit, if it does not depend on the bytes of variables.
    constant: Option<Arc<CommitCost>>,
    /// Costs measured so far, by bytes of variables.
    commit_costs: Mutex<HashMap<u64, Arc<CommitCost>>>,
    command_counts: Mutex<HashMap<(Script, Build), CommandCounts>>,
}

impl CostModel {
    /// Measures the costs of a router.
    ///
    /// # Errors
    /// Returns an error if the router cannot be set up, if it has no space for leases, or if its dialect cannot commit
    /// to its chip.
    pub fn new(router: &RouterSpec) -> Result<Self, CostModelError> {
        let machine = router.machine()?;
        let no_commit =
            || CostModelError::NoCommit { dialect: router.dialect, chip: router.chip.name };
        let offset = find_magic(&machine.flash_bytes(), usize::MAX).ok_or_else(no_commit)? as u32;
        let variables = machine.flash_variables().ok_or_else(no_commit)?;
        let base =
            variables.iter().map(|(name, value)| name.len() + value.len() + 2).sum::<usize>();
        let base = base as u64;
        let space = u64::from(machine.flash().geometry().size - offset);
        let limit = space.saturating_sub(HEADER_LEN as u64 + KEPT_FREE);
        let mut cost_model = Self {
            machine,
            offset,
            base,
            limit,
            skips_equal: false,
            constant: None,
            commit_costs: Mutex::default(),
            command_counts: Mutex::default(),
        };
        if base + 1000 > limit {
            return Err(CostModelError::NoSpace(base));
        }
        let sample = cost_model.measure(base + 100);
        if sample.is_zero() || sample.total_erases() == 0 {
            return Err(no_commit());
        }
        let mut unchanged = cost_model.machine.clone();
        unchanged.take_ops();
        unchanged.run(&[b"commit"]);
        cost_model.skips_equal = unchanged.ops().is_empty();
        let others = [u64::midpoint(base, limit), limit];
        if others.iter().all(|content| cost_model.measure(*content) == sample) {
            cost_model.constant = Some(Arc::new(sample));
        }
        Ok(cost_model)
    }

    /// Returns the router with its factory settings.
    pub fn machine(&self) -> &Machine {
        &self.machine
    }

    /// Returns the bytes of variables before the first lease is stored, each as `name=value` with its NUL.
    pub fn base(&self) -> u64 {
        self.base
    }

    /// Returns the number of bytes of variables above which scripts set no further variables.
    pub fn limit(&self) -> u64 {
        self.limit
    }

    /// Returns whether a commit without a change skips the write to the flash.
    pub(crate) fn skips_equal(&self) -> bool {
        self.skips_equal
    }

    /// Returns the byte range in the partition that an image with `content` bytes of variables occupies.
    pub fn image(&self, content: u64) -> std::ops::Range<u32> {
        self.offset..self.offset + HEADER_LEN as u32 + 4 + content as u32
    }

    /// Returns the cost of a commit of a change after which there are `content` bytes of variables.
    pub(crate) fn commit_cost(&self, content: u64) -> Arc<CommitCost> {
        if let Some(constant) = &self.constant {
            return Arc::clone(constant);
        }
        let cache = || self.commit_costs.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(cost) = cache().get(&content) {
            return Arc::clone(cost);
        }
        let cost = Arc::new(self.measure(content));
        cache().insert(content, Arc::clone(&cost));
        cost
    }

    fn measure(&self, content: u64) -> CommitCost {
        let mut machine = self.machine.clone();
        let mut extra = content.saturating_sub(self.base).max(SHORT_PAIR);
        for number in 0.. {
            let bytes = if extra > LONG_PAIR + SHORT_PAIR { LONG_PAIR } else { extra };
            let mut pair = format!("pad{number:03}=").into_bytes();
            pair.resize(bytes as usize - 1, b'p');
            machine.run(&[b"set", &pair]);
            extra -= bytes;
            if extra == 0 {
                break;
            }
        }
        machine.take_ops();
        machine.run(&[b"commit"]);
        let operations = machine.take_ops();
        let flash = machine.flash();
        CommitCost::of(&operations, flash.geometry(), flash.chip(), &self.image(content))
    }

    /// Returns the number of commands that a script executes for each kind of call, measured by calling it.
    ///
    /// # Errors
    /// Returns an error if the script fails on an empty store.
    pub(crate) fn command_counts(
        &self,
        script: Script,
        build: Build,
    ) -> Result<CommandCounts, CostModelError> {
        let cache = || self.command_counts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(counts) = cache().get(&(script, build)) {
            return Ok(*counts);
        }
        let counts = self.count_commands(script, build)?;
        cache().insert((script, build), counts);
        Ok(counts)
    }

    fn count_commands(
        &self,
        script: Script,
        build: Build,
    ) -> Result<CommandCounts, CostModelError> {
        let mut backend = InProcess::new(self.machine.clone(), script.function());
        let time = match build {
            Build::Rtc => "DNSMASQ_LEASE_EXPIRES",
            Build::NoRtc => "DNSMASQ_LEASE_LENGTH",
        };
        let count = |backend: &mut InProcess, arguments: &[&str]| {
            let argv = std::iter::once("script").chain(arguments.iter().copied());
            let call = ScriptCall {
                argv: argv.map(|argument| argument.as_bytes().to_vec()).collect(),
                env: [(time.to_owned(), b"1800000000".to_vec())].into_iter().collect(),
            };
            let result = backend.call(&call, &CallOptions::default())?;
            if result.end == CallEnd::Exited(0) {
                Ok(result.commands.len() as u64)
            } else {
                let stderr = stderr_lines(&result.stderr).join("; ");
                Err(CostModelError::Script(stderr))
            }
        };
        let (mac, address) = ("02:00:00:00:00:01", "192.168.1.60");
        let init_empty = count(&mut backend, &["init"])?;
        let set = count(&mut backend, &["add", mac, address, "pc"])?;
        let same = count(&mut backend, &["old", mac, address, "pc"])?;
        let replace = count(&mut backend, &["old", mac, address, "laptop"])?;
        let init_one = count(&mut backend, &["init"])?;
        let second = ["02:00:00:00:00:02", "192.168.1.61", "pc"];
        count(&mut backend, &["add", second[0], second[1], second[2]])?;
        let init_each = count(&mut backend, &["init"])? - init_one;
        let unset = count(&mut backend, &["del", mac, address, "pc"])?;
        let absent = count(&mut backend, &["del", mac, address, "pc"])?;
        backend.power_off()?;
        let same_after_boot = count(&mut backend, &["old", second[0], second[1], second[2]])?;
        let other = count(&mut backend, &["arp-add", mac, address])?;
        Ok(CommandCounts {
            init_empty,
            init_one,
            init_each,
            set,
            replace,
            same_after_boot,
            same,
            unset,
            absent,
            other,
        })
    }
}
