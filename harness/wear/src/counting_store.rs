//! A store that only counts.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use super::commit_cost::{Commands, CommitCost};
use super::cost_model::{CostModel, NotPriced};
use super::images::{Fields, Images};
use super::router::Script;
use super::simulate::{Broken, Store};
use super::tally::Wear;
use dnsmasq_model::{
    Action, Build, CallSink, HwAddr, Lease, PendingCall, Text, hex_text, legal_hostname, share_text,
};

/// `dnsmasq_lease_`, `=`, four blanks and a NUL.
const FRAME: usize = 14 + 1 + 4 + 1;
/// The greatest time that the project's script stores.
const LAST_TIME: u64 = 9_999_999_999;

/// A stored record, not put into words.
#[derive(Clone, Debug)]
struct Record {
    time: u64,
    hw: HwAddr,
    name: Option<Text>,
    clid: Option<Text>,
    /// As a variable, with name and NUL.
    bytes: u32,
}

/// What a script stores and what it pays for it.
#[derive(Debug)]
pub struct CountingStore<'a> {
    cost_model: &'a CostModel,
    commands: Commands,
    script: Script,
    build: Build,
    first: u32,
    records: Vec<Option<Record>>,
    held: u64,
    content: u64,
    price: Arc<CommitCost>,
    priced: u64,
    /// Commits of the present price.
    unpaid: u64,
    /// Erases of one commit of the present price.
    erases: u64,
    bin: usize,
    bin_ends: u64,
    full: bool,
    images: Option<Images>,
    wear: Wear,
}

impl<'a> CountingStore<'a> {
    /// An empty store for addresses from `first` on.
    ///
    /// # Errors
    /// A script that fails on this router.
    pub fn new(
        cost_model: &'a CostModel,
        script: Script,
        build: Build,
        seconds: u64,
        first: Ipv4Addr,
        addresses: u32,
    ) -> Result<Self, NotPriced> {
        let blocks = cost_model.machine().flash().geometry().blocks() as usize;
        let content = cost_model.base();
        let price = cost_model.price(content);
        let mut counting_store = Self {
            cost_model,
            commands: cost_model.commands(script, build)?,
            script,
            build,
            first: first.to_bits(),
            records: vec![None; addresses as usize],
            held: 0,
            content,
            erases: price.all_erases(),
            price,
            priced: content,
            unpaid: 0,
            bin: 0,
            bin_ends: 0,
            full: false,
            images: None,
            wear: Wear::new(blocks, seconds),
        };
        counting_store.at(0);
        Ok(counting_store)
    }

    /// The same, which also builds the image of every commit.
    #[must_use]
    pub fn with_images(mut self, images: Images) -> Self {
        self.images = Some(images);
        self
    }

    /// The images that it built.
    ///
    /// # Errors
    /// None were asked for.
    pub fn take_images(&mut self) -> Result<Images, NotPriced> {
        self.images.take().ok_or_else(|| NotPriced::because("no images were built"))
    }

    /// The counts.
    pub fn finish(mut self) -> Wear {
        self.settle();
        self.wear
    }

    /// Whether there was ever more to store than fits: the counts are those of an NVRAM that is large enough.
    pub fn is_full(&self) -> bool {
        self.full
    }

    fn settle(&mut self) {
        self.wear.pay(&self.price, self.unpaid);
        self.unpaid = 0;
    }

    fn commit(&mut self, changed: bool) {
        if !changed && self.cost_model.skips_equal() {
            return;
        }
        if self.priced != self.content {
            self.settle();
            self.price = self.cost_model.price(self.content);
            self.priced = self.content;
            self.erases = self.price.all_erases();
        }
        if let Some(images) = &mut self.images {
            images.build();
        }
        self.unpaid += 1;
        self.wear.bins[self.bin] += self.erases;
    }

    fn time(&self, lease: &Lease, stored: Option<u64>) -> u64 {
        let expiry = match self.build {
            Build::NoRtc => return u64::from(lease.length),
            Build::Rtc => lease.expires as u64,
        };
        match self.script {
            Script::Ours { slack } if slack > 0 && expiry > 0 => {
                let latest = LAST_TIME.min(expiry + slack);
                stored.filter(|stored| (expiry..=latest).contains(stored)).unwrap_or(latest)
            }
            _ => expiry,
        }
    }

    fn store(&mut self, at: usize, lease: &Lease, name: Option<&Text>) {
        let time = self.time(lease, self.records[at].as_ref().map(|record| record.time));
        // A name that is stored was legal.
        let stored = self.records[at].as_ref().and_then(|record| record.name.as_ref());
        let name = name.filter(|name| {
            stored.is_some_and(|stored| Arc::ptr_eq(stored, name)) || legal_hostname(name).is_some()
        });
        if let Some(record) = &mut self.records[at]
            && record.hw == lease.hw
            && same(record.name.as_ref(), name)
            && same(record.clid.as_ref(), lease.clid.as_ref())
        {
            // After a restart dnsmasq has texts of its own; from now on they are known by where they lie.
            share_text(&mut record.name, name);
            share_text(&mut record.clid, lease.clid.as_ref());
            if record.time == time {
                return self.unchanged();
            }
            let bytes = record.bytes + digits(time) - digits(record.time);
            self.content = self.content + u64::from(bytes) - u64::from(record.bytes);
            (record.time, record.bytes) = (time, bytes);
            return self.changed(at, u64::from(bytes));
        }
        let bytes = size(lease, name, time);
        let record =
            Record { time, hw: lease.hw, name: name.cloned(), clid: lease.clid.clone(), bytes };
        self.content += u64::from(bytes);
        match self.records[at].replace(record) {
            Some(old) => self.content -= u64::from(old.bytes),
            None => self.held += 1,
        }
        self.full |= self.content > self.cost_model.limit();
        self.changed(at, u64::from(bytes));
    }

    fn changed(&mut self, at: usize, payload: u64) {
        if let (Some(images), Some(record)) = (&mut self.images, &self.records[at]) {
            let Record { time, hw, name, clid, .. } = record;
            let (name, clid) = (name.as_deref(), clid.as_deref());
            let addr = Ipv4Addr::from_bits(self.first + at as u32);
            images.set(addr, Fields { time: *time, hw, name, clid });
        }
        self.wear.commands += self.commands.set;
        self.wear.payload += payload;
        self.commit(true);
    }

    fn unchanged(&mut self) {
        self.wear.commands += self.commands.same;
        if self.script == Script::Naive {
            self.commit(false);
        }
    }

    fn forget(&mut self, at: usize) {
        if let Some(old) = self.records[at].take() {
            self.held -= 1;
            if let Some(images) = &mut self.images {
                images.unset(Ipv4Addr::from_bits(self.first + at as u32));
            }
            self.content -= u64::from(old.bytes);
            self.wear.commands += self.commands.unset;
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
        let place = call.lease().zip(call.lease().and_then(Lease::v4)).and_then(|(lease, addr)| {
            let at = addr.to_bits().wrapping_sub(self.first) as usize;
            (at < self.records.len()).then_some((lease, at))
        });
        match (call.action, place) {
            (Action::Add | Action::Old, Some((lease, at))) => self.store(at, lease, call.name()),
            (Action::OldHostname, Some((lease, at))) => self.store(at, lease, None),
            (Action::Del, Some((_, at))) => self.forget(at),
            _ => {
                self.wear.commands += self.commands.other;
                if self.script == Script::Naive {
                    self.commit(false);
                }
            }
        }
    }
}

impl Store for CountingStore<'_> {
    fn at(&mut self, second: u64) {
        if second < self.bin_ends {
            return;
        }
        self.bin = self.wear.bin(second);
        let parts = super::BINS as u128;
        let end = (self.bin as u128 + 1) * u128::from(self.wear.seconds);
        self.bin_ends =
            if self.bin + 1 == super::BINS { u64::MAX } else { end.div_ceil(parts) as u64 };
    }

    fn init(&mut self) -> Result<Vec<u8>, Broken> {
        self.wear.calls += 1;
        self.wear.commands += self.commands.init + self.commands.init_each * self.held;
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

    fn power_off(&mut self) -> Result<(), Broken> {
        Ok(())
    }
}

fn same(a: Option<&Text>, b: Option<&Text>) -> bool {
    match (a, b) {
        (None, None) => true,
        (Some(a), Some(b)) => Arc::ptr_eq(a, b) || a == b,
        _ => false,
    }
}

fn digits(number: u64) -> u32 {
    // Nearly all times are of our century.
    if (1_000_000_000..=LAST_TIME).contains(&number) {
        return 10;
    }
    number.checked_ilog10().unwrap_or(0) + 1
}

/// The bytes of a record as a variable.
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
    FRAME as u32 + 2 * address + digits(time) + hex(lease.hw.bytes().len()) + name + clid
}
