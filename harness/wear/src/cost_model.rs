//! Prices, learned from a real machine in memory: no rule of a dialect is written down twice.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use nvram_emu::Machine;
use nvram_emu::flsh::{HEADER_LEN, find_magic};

use super::commit_cost::{Commands, CommitCost};
use super::router::{RouterSpec, Script};
use backend::{Backend as _, CallEnd, CallOptions, InProcess};
use dnsmasq_model::{Build, ScriptCall};

/// What a script keeps free: the variables that tools add, and its margin (room.rs of lease-script).
const KEPT_FREE: u64 = 100;
/// The longest `set NAME=VALUE` that every dialect takes whole.
const LONG_PAIR: u64 = 900;
/// The shortest padding: a name of six letters, `=`, and a NUL.
const SHORT_PAIR: u64 = 8;

/// A router whose commits cannot be priced.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotPriced(String);

impl NotPriced {
    pub(super) fn because(why: &str) -> Self {
        Self(why.to_owned())
    }
}

/// What a commit costs on one router, by the bytes of variables that it holds.
#[derive(Debug)]
pub struct CostModel {
    machine: Machine,
    offset: u32,
    /// Bytes of variables before the first lease.
    base: u64,
    /// Most bytes of variables with which a script still sets.
    limit: u64,
    skips_equal: bool,
    flat: Option<Arc<CommitCost>>,
    known: Mutex<HashMap<u64, Arc<CommitCost>>>,
    called: Mutex<HashMap<(Script, Build), Commands>>,
}

impl CostModel {
    /// Learns a router's prices.
    ///
    /// # Errors
    /// A router that cannot be made, or whose dialect cannot commit to this chip.
    pub fn new(spec: &RouterSpec) -> Result<Self, NotPriced> {
        let machine = spec.machine().map_err(|refusal| NotPriced(refusal.to_string()))?;
        let refuse = || {
            let (dialect, chip) = (spec.dialect, spec.chip.name);
            NotPriced(format!("{dialect} does not commit to {chip}: no such router"))
        };
        let offset = find_magic(&machine.flash_bytes(), usize::MAX).ok_or_else(refuse)? as u32;
        let variables = machine.flash_variables().ok_or_else(refuse)?;
        let base =
            variables.iter().map(|(name, value)| name.len() + value.len() + 2).sum::<usize>();
        let room = u64::from(machine.flash().geometry().size - offset);
        let limit = room.saturating_sub(HEADER_LEN as u64 + KEPT_FREE);
        let mut cost_model = Self {
            machine,
            offset,
            base: base as u64,
            limit,
            skips_equal: false,
            flat: None,
            known: Mutex::default(),
            called: Mutex::default(),
        };
        if cost_model.base + 1000 > limit {
            return Err(NotPriced(format!(
                "neighbours of {base} bytes leave no room in the NVRAM"
            )));
        }
        let sample = cost_model.measure(cost_model.base + 100);
        if sample.is_free() || sample.all_erases() == 0 {
            return Err(refuse());
        }
        let mut idle = cost_model.machine.clone();
        idle.take_ops();
        idle.run(&[b"commit"]);
        cost_model.skips_equal = idle.ops().is_empty();
        let others = [usize::midpoint(base, limit as usize) as u64, limit];
        if others.iter().all(|content| cost_model.measure(*content) == sample) {
            cost_model.flat = Some(Arc::new(sample));
        }
        Ok(cost_model)
    }

    /// The router as it leaves the factory.
    pub fn machine(&self) -> &Machine {
        &self.machine
    }

    /// Bytes of variables before the first lease, as `name=value` with its NUL.
    pub fn base(&self) -> u64 {
        self.base
    }

    /// Most bytes of variables that scripts still set.
    pub fn limit(&self) -> u64 {
        self.limit
    }

    /// Whether a commit of what is stored already leaves the flash alone.
    pub fn skips_equal(&self) -> bool {
        self.skips_equal
    }

    /// Where the image of so many bytes of variables lies in the partition.
    pub fn image(&self, content: u64) -> std::ops::Range<u32> {
        self.offset..self.offset + HEADER_LEN as u32 + 4 + content as u32
    }

    /// What a commit costs when the variables take `content` bytes and something changed.
    pub fn price(&self, content: u64) -> Arc<CommitCost> {
        if let Some(flat) = &self.flat {
            return Arc::clone(flat);
        }
        let known = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(price) = known().get(&content) {
            return Arc::clone(price);
        }
        let price = Arc::new(self.measure(content));
        known().insert(content, Arc::clone(&price));
        price
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

    /// How many commands a script takes here, found out by calling it.
    ///
    /// # Errors
    /// A script that fails on an empty store.
    pub fn commands(&self, script: Script, build: Build) -> Result<Commands, NotPriced> {
        let called = || self.called.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(commands) = called().get(&(script, build)) {
            return Ok(*commands);
        }
        let commands = self.call_once_each(script, build)?;
        called().insert((script, build), commands);
        Ok(commands)
    }

    fn call_once_each(&self, script: Script, build: Build) -> Result<Commands, NotPriced> {
        let mut target = InProcess::new(self.machine.clone(), script.function());
        let mut count = |words: &[&str], time: &str| {
            let time = match build {
                Build::Rtc => ("DNSMASQ_LEASE_EXPIRES".to_owned(), time.as_bytes().to_vec()),
                Build::NoRtc => ("DNSMASQ_LEASE_LENGTH".to_owned(), time.as_bytes().to_vec()),
            };
            let argv = std::iter::once("script").chain(words.iter().copied());
            let call = ScriptCall {
                argv: argv.map(|word| word.as_bytes().to_vec()).collect(),
                env: [time].into_iter().collect(),
            };
            match target.call(&call, &CallOptions::default()) {
                Ok(result) if result.end == CallEnd::Exited(0) => Ok(result.commands.len() as u64),
                Ok(result) => Err(NotPriced(format!(
                    "the script fails: {}",
                    String::from_utf8_lossy(&result.stderr).trim_end()
                ))),
                Err(error) => Err(NotPriced(error.to_string())),
            }
        };
        let (mac, address) = ("02:00:00:00:00:01", "192.168.1.60");
        let init = count(&["init"], "1800000000")?;
        let set = count(&["add", mac, address, "pc"], "1800000000")?;
        let same = count(&["old", mac, address, "pc"], "1800000000")?;
        let init_each = count(&["init"], "1800000000")? - init;
        let unset = count(&["del", mac, address, "pc"], "1800000000")?;
        let absent = count(&["del", mac, address, "pc"], "1800000000")?;
        let other = count(&["arp-add", mac, address], "1800000000")?;
        Ok(Commands { init, init_each, set, same, unset, absent, other })
    }
}
