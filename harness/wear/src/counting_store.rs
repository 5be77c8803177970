//! A store that counts calls without executing them.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use super::command_counts::CommandCounts;
use super::commit_cost::CommitCost;
use super::cost_model::{CostModel, CostModelError};
use super::image_builder::{ImageBuilder, RecordFields};
use super::lease_store::{LeaseStore, SimulationError};
use super::script::Script;
use super::wear_counts::{BINS, WearCounts};
use dnsmasq_model::{
    Action, Build, CallSink, Clock, HwAddr, Lease, PendingCall, Text, hex_text, legal_hostname,
    share_text,
};

/// Bytes of `dnsmasq_lease_`, `=`, four spaces and a NUL.
const FIXED_BYTES: u32 = 14 + 1 + 4 + 1;
/// The latest expiry time that the project's script stores.
const MAX_TIME: u64 = 9_999_999_999;

/// A stored record.
#[derive(Clone, Debug)]
struct Record {
    time: u64,
    hw: HwAddr,
    name: Option<Text>,
    clid: Option<Text>,
    /// The size of the record as a variable, with its name and NUL.
    bytes: u32,
}

/// The records that a script stores, and the cost of storing them.
#[derive(Debug)]
pub struct CountingStore<'a> {
    cost_model: &'a CostModel,
    commands: CommandCounts,
    script: Script,
    build: Build,
    /// The first address of the pool, as a number.
    first: u32,
    /// A slot for each address.
    records: Vec<Option<Record>>,
    /// Number of records.
    stored: u64,
    /// Whether the script has changed a record since the last boot.
    has_changed: bool,
    /// Bytes of all variables.
    content: u64,
    /// The cost of a commit with `cost_content` bytes of variables.
    cost: Arc<CommitCost>,
    cost_content: u64,
    /// The number of commits at `cost` that have not been added to `wear` yet.
    pending_commits: u64,
    /// The erases of one commit at `cost`.
    erases: u64,
    bin: usize,
    bin_ends: u64,
    full: bool,
    images: Option<&'a mut ImageBuilder>,
    wear: WearCounts,
}

impl<'a> CountingStore<'a> {
    /// Creates an empty store for `addresses` addresses, starting at `first`.
    ///
    /// # Errors
    /// Returns an error if the script fails on this router.
    pub fn new(
        cost_model: &'a CostModel,
        script: Script,
        build: Build,
        seconds: u64,
        first: Ipv4Addr,
        addresses: u32,
    ) -> Result<Self, CostModelError> {
        let blocks = cost_model.machine().flash().geometry().blocks() as usize;
        let content = cost_model.base();
        let cost = cost_model.commit_cost(content);
        let mut store = Self {
            cost_model,
            commands: cost_model.command_counts(script, build)?,
            script,
            build,
            first: first.to_bits(),
            records: vec![None; addresses as usize],
            stored: 0,
            has_changed: false,
            content,
            erases: cost.total_erases(),
            cost,
            cost_content: content,
            pending_commits: 0,
            bin: 0,
            bin_ends: 0,
            full: false,
            images: None,
            wear: WearCounts::new(blocks, seconds),
        };
        store.begin_bin(0);
        Ok(store)
    }

    /// Selects the bin in which erases at this second are counted.
    fn begin_bin(&mut self, second: u64) {
        if second < self.bin_ends {
            return;
        }
        self.bin = self.wear.bin(second);
        let bins = BINS as u128;
        let end = (self.bin as u128 + 1) * u128::from(self.wear.seconds);
        self.bin_ends = if self.bin + 1 == BINS { u64::MAX } else { end.div_ceil(bins) as u64 };
    }

    /// Also builds the image of every later commit.
    pub(crate) fn build_images(&mut self, images: &'a mut ImageBuilder) {
        self.images = Some(images);
    }

    /// Returns the counts.
    pub fn finish(mut self) -> WearCounts {
        self.add_pending();
        self.wear
    }

    /// Returns whether the leases ever exceeded the NVRAM. If so, the counts are those of an NVRAM that is large
    /// enough.
    pub fn is_full(&self) -> bool {
        self.full
    }

    fn add_pending(&mut self) {
        self.wear.add_commits(&self.cost, self.pending_commits);
        self.pending_commits = 0;
    }

    fn commit(&mut self, changed: bool) {
        if !changed && self.cost_model.skips_equal() {
            return;
        }
        if self.cost_content != self.content {
            self.add_pending();
            self.cost = self.cost_model.commit_cost(self.content);
            self.cost_content = self.content;
            self.erases = self.cost.total_erases();
        }
        if let Some(images) = &mut self.images {
            images.build();
        }
        self.pending_commits += 1;
        self.wear.bins[self.bin] += self.erases;
    }

    /// Returns the time to store for a lease. `stored` is the time in its current record.
    fn time(&self, lease: &Lease, stored: Option<u64>) -> u64 {
        let expiry = match self.build {
            Build::NoRtc => return u64::from(lease.length),
            Build::Rtc => lease.expires as u64,
        };
        match self.script {
            Script::Ours { slack } if slack > 0 && expiry > 0 => {
                let latest = MAX_TIME.min(expiry + slack);
                stored.filter(|stored| (expiry..=latest).contains(stored)).unwrap_or(latest)
            }
            _ => expiry,
        }
    }

    fn set(&mut self, action: Action, at: usize, lease: &Lease, name: Option<&Text>) {
        let time = self.time(lease, self.records[at].as_ref().map(|record| record.time));
        // A name that is already stored has been found legal before.
        let stored = self.records[at].as_ref().and_then(|record| record.name.as_ref());
        let name = name.filter(|name| {
            stored.is_some_and(|stored| Arc::ptr_eq(stored, name)) || legal_hostname(name).is_some()
        });
        if let Some(record) = &mut self.records[at]
            && record.hw == lease.hw
            && is_equal(record.name.as_ref(), name)
            && is_equal(record.clid.as_ref(), lease.clid.as_ref())
        {
            // After a restart, dnsmasq has its own copies of the texts. Sharing them reduces the next comparison to a
            // comparison of pointers.
            share_text(&mut record.name, name);
            share_text(&mut record.clid, lease.clid.as_ref());
            if record.time == time {
                return self.unchanged();
            }
            let bytes = record.bytes + digits(time) - digits(record.time);
            self.content = self.content + u64::from(bytes) - u64::from(record.bytes);
            (record.time, record.bytes) = (time, bytes);
            return self.changed(action, at, u64::from(bytes));
        }
        let bytes = size(lease, name, time);
        let record =
            Record { time, hw: lease.hw, name: name.cloned(), clid: lease.clid.clone(), bytes };
        self.content += u64::from(bytes);
        match self.records[at].replace(record) {
            Some(old) => self.content -= u64::from(old.bytes),
            None => self.stored += 1,
        }
        self.full |= self.content > self.cost_model.limit();
        self.changed(action, at, u64::from(bytes));
    }

    fn changed(&mut self, action: Action, at: usize, payload: u64) {
        if let (Some(images), Some(record)) = (&mut self.images, &self.records[at]) {
            let Record { time, hw, name, clid, .. } = record;
            let (name, clid) = (name.as_deref(), clid.as_deref());
            let addr = Ipv4Addr::from_bits(self.first + at as u32);
            images.set(addr, RecordFields { time: *time, hw, name, clid });
        }
        self.wear.commands += if action != Action::Add && self.has_changed {
            self.commands.replace
        } else {
            self.commands.set
        };
        self.has_changed = true;
        self.wear.payload += payload;
        self.commit(true);
    }

    fn unchanged(&mut self) {
        self.wear.commands +=
            if self.has_changed { self.commands.same } else { self.commands.same_after_boot };
        if self.script == Script::Naive {
            self.commit(false);
        }
    }

    fn unset(&mut self, at: usize) {
        if let Some(old) = self.records[at].take() {
            self.stored -= 1;
            if let Some(images) = &mut self.images {
                images.unset(Ipv4Addr::from_bits(self.first + at as u32));
            }
            self.content -= u64::from(old.bytes);
            self.wear.commands += self.commands.unset;
            self.has_changed = true;
            self.wear.payload += u64::from(old.bytes);
            self.commit(true);
        } else {
            self.wear.commands += self.commands.absent;
            if self.script == Script::Naive {
                self.commit(false);
            }
        }
    }
}

impl CallSink for CountingStore<'_> {
    fn wants_rendering(&self) -> bool {
        false
    }

    fn call(&mut self, call: &PendingCall<'_>) {
        self.wear.calls += 1;
        let leased =
            call.lease().zip(call.lease().and_then(Lease::v4)).and_then(|(lease, addr)| {
                let at = addr.to_bits().wrapping_sub(self.first) as usize;
                (at < self.records.len()).then_some((lease, at))
            });
        match (call.action, leased) {
            (Action::Add | Action::Old, Some((lease, at))) => {
                self.set(call.action, at, lease, call.name());
            }
            (Action::OldHostname, Some((lease, at))) => self.set(call.action, at, lease, None),
            (Action::Del, Some((_, at))) => self.unset(at),
            _ => {
                self.wear.commands += self.commands.other;
                if self.script == Script::Naive {
                    self.commit(false);
                }
            }
        }
    }
}

impl LeaseStore for CountingStore<'_> {
    fn set_time(&mut self, second: u64, _: Clock) {
        self.begin_bin(second);
    }

    fn init(&mut self) -> Result<Vec<u8>, SimulationError> {
        self.wear.calls += 1;
        self.wear.commands += self.commands.init(self.stored);
        let mut text = String::new();
        for (at, record) in (0..).zip(&self.records) {
            let Some(record) = record else { continue };
            let addr = IpAddr::V4(Ipv4Addr::from_bits(self.first + at));
            let name = record.name.as_deref().map_or("*".into(), String::from_utf8_lossy);
            let clid = record.clid.as_deref().map_or_else(|| "*".to_owned(), hex_text);
            let hw = record.hw.text();
            let _ = writeln!(text, "{} {hw} {addr} {name} {clid}", record.time);
        }
        Ok(text.into_bytes())
    }

    fn power_off(&mut self) -> Result<(), SimulationError> {
        self.has_changed = false;
        Ok(())
    }
}

fn is_equal(a: Option<&Text>, b: Option<&Text>) -> bool {
    match (a, b) {
        (None, None) => true,
        (Some(a), Some(b)) => Arc::ptr_eq(a, b) || a == b,
        _ => false,
    }
}

fn digits(number: u64) -> u32 {
    // Fast path: almost all times have ten digits.
    if (1_000_000_000..=MAX_TIME).contains(&number) {
        return 10;
    }
    number.checked_ilog10().unwrap_or(0) + 1
}

/// Returns the size of a record as a variable, with its name and NUL.
fn size(lease: &Lease, name: Option<&Text>, time: u64) -> u32 {
    let address = match lease.addr {
        IpAddr::V4(addr) => {
            addr.octets().iter().map(|byte| digits(u64::from(*byte))).sum::<u32>() + 3
        }
        IpAddr::V6(_) => 0,
    };
    let hex = |bytes: usize| (bytes * 3).saturating_sub(1).max(1) as u32;
    let name = name.map_or(1, |name| name.len() as u32);
    let clid = lease.clid.as_deref().map_or(1, |clid| hex(clid.len()));
    FIXED_BYTES + 2 * address + digits(time) + hex(lease.hw.bytes().len()) + name + clid
}
