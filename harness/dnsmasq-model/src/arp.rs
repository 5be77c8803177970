//! dnsmasq's copy of the kernel's neighbour table, for `--script-arp` (arp.c).

use std::net::IpAddr;

use super::call::Action;
use super::hw_addr::HwAddr;

/// Seconds on dnsmasq's clock between two readings of the kernel's table (`INTERVAL`).
const INTERVAL: i64 = 90;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Status {
    New,
    Found,
    Mark,
}

#[derive(Debug, Clone)]
struct Record {
    addr: IpAddr,
    hw: HwAddr,
    status: Status,
}

/// The neighbours that dnsmasq knows, newest first, and those that were removed.
#[derive(Debug, Clone, Default)]
pub(crate) struct ArpCache {
    last: i64,
    records: Vec<Record>,
    old: Vec<Record>,
}

impl ArpCache {
    /// Reads the kernel's table if the copy is at least 90 s old (arp.c `find_mac` without an address).
    pub(crate) fn refresh(&mut self, kernel: &[(IpAddr, HwAddr)], now: i64) {
        if now.wrapping_sub(self.last) < INTERVAL {
            return;
        }
        self.last = now;
        for record in &mut self.records {
            record.status = Status::Mark;
        }
        for (addr, hw) in kernel {
            match self.records.iter_mut().find(|r| r.addr == *addr && r.hw == *hw) {
                Some(record) => record.status = Status::Found,
                None => {
                    self.records.insert(0, Record { addr: *addr, hw: *hw, status: Status::New });
                }
            }
        }
        for record in self.records.extract_if(.., |r| r.status == Status::Mark) {
            self.old.insert(0, record);
        }
    }

    /// Returns the next neighbour to report (arp.c `do_arp_script_run`).
    pub(crate) fn next_call(&mut self) -> Option<(Action, IpAddr, HwAddr)> {
        if !self.old.is_empty() {
            let record = self.old.remove(0);
            return Some((Action::ArpDel, record.addr, record.hw));
        }
        let record = self.records.iter_mut().find(|r| r.status == Status::New)?;
        record.status = Status::Found;
        Some((Action::ArpAdd, record.addr, record.hw))
    }
}
