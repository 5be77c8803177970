//! The lease database: the two lists of lease.c, and indices that make renewals possible without a scan.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use super::clock::Build;
use super::hw_addr::HwAddr;
use super::ia_kind::IaKind;
use super::lease::{Flags, Lease, LeaseKind};
use super::names::same_name;
use super::rules::{InterfaceKnowledge, ReadMark, Rules};
use super::short_hasher::ShortHasher;
use super::text::{Text, share_text};

/// Index of a lease in the database, valid until the lease is removed.
pub(crate) type Slot = usize;

/// Slots under one key, newest last.
type Index<K> = HashMap<K, Vec<Slot>, BuildHasherDefault<ShortHasher>>;

/// The kind of a due call that [`LeaseDb::next_call`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Due {
    /// `old` with `DNSMASQ_OLD_HOSTNAME`, for a lease that still exists or has ended.
    LostName,
    /// `del`.
    Ended,
    /// `add`.
    New,
    /// `old`.
    Changed,
}

/// dnsmasq's current leases, and the ended leases that have not been reported yet.
#[derive(Debug, Clone)]
pub(crate) struct LeaseDb {
    build: Build,
    rules: Rules,
    /// `--dhcp-fqdn`: names must be unique only together with their domain.
    fqdn_mode: bool,
    slots: Vec<Option<Lease>>,
    free: Vec<Slot>,
    /// Oldest first, in the reverse order of dnsmasq's list.
    order: Vec<Slot>,
    /// `old_leases`: the last one is reported first.
    ended: Vec<Lease>,
    by_hw: Index<HwAddr>,
    by_clid: Index<Text>,
    by_addr: Index<IpAddr>,
    /// Leases that may need a call, in no particular order.
    pending: Vec<Slot>,
    /// Number of leases in `order` with a lost name to report.
    lost_names: usize,
    /// A lower bound of the earliest end of a lease.
    earliest_end_bound: i64,
    /// Number of leases that are not infinite.
    finite_leases: usize,
    /// Whether the end of a lease was so late that adding the delay of the alarm overflowed.
    has_late_end: bool,
    next_rank: u64,
    /// `leases_left`: the number of further leases that may be allocated.
    leases_left: usize,
    /// `file_dirty`: the lease file has to be written.
    pub(crate) dirty: bool,
}

impl LeaseDb {
    pub(crate) fn new(build: Build, rules: Rules, fqdn_mode: bool, max: usize) -> LeaseDb {
        LeaseDb {
            build,
            rules,
            fqdn_mode: fqdn_mode && rules.domain_variable,
            slots: Vec::new(),
            free: Vec::new(),
            order: Vec::new(),
            ended: Vec::new(),
            by_hw: Index::default(),
            by_clid: Index::default(),
            by_addr: Index::default(),
            pending: Vec::new(),
            lost_names: 0,
            earliest_end_bound: i64::MAX,
            finite_leases: 0,
            has_late_end: false,
            next_rank: 0,
            leases_left: max,
            dirty: false,
        }
    }

    pub(crate) fn get(&self, slot: Slot) -> &Lease {
        self.slots[slot].as_ref().expect("a slot in use")
    }

    pub(crate) fn get_mut(&mut self, slot: Slot) -> &mut Lease {
        self.slots[slot].as_mut().expect("a slot in use")
    }

    /// Iterates over the leases in the order of dnsmasq's list: newest first.
    pub(crate) fn newest_first(&self) -> impl Iterator<Item = &Lease> {
        self.order.iter().rev().map(|&slot| self.get(slot))
    }

    pub(crate) fn slots_newest_first(&self) -> Vec<Slot> {
        self.order.iter().rev().copied().collect()
    }

    pub(crate) fn len(&self) -> usize {
        self.order.len()
    }

    /// Returns the number of further leases that may be allocated.
    pub(crate) fn leases_left(&self) -> usize {
        self.leases_left
    }

    /// Returns the number of leases that are not infinite.
    pub(crate) fn finite_leases(&self) -> usize {
        self.finite_leases
    }

    /// Returns a lower bound of the earliest end of a lease, or `i64::MAX` if all leases are infinite.
    pub(crate) fn earliest_end_bound(&self) -> i64 {
        if self.finite_leases == 0 { i64::MAX } else { self.earliest_end_bound }
    }

    /// Returns the earliest end of a lease.
    pub(crate) fn earliest_end(&self) -> Option<i64> {
        self.order.iter().map(|&slot| self.get(slot).expires).filter(|&e| e != 0).min()
    }

    /// Returns the time for the alarm as the loop in `lease_update_file` computes it. Adding the delay can overflow.
    pub(crate) fn earliest_alarm(&self) -> Option<i64> {
        let delay = self.rules.alarm_delay;
        let expiries = self.order.iter().map(|&slot| self.get(slot).expires).filter(|&e| e != 0);
        expiries.map(|expires| expires.wrapping_add(delay)).min()
    }

    /// Returns a lower bound of [`LeaseDb::earliest_alarm`].
    pub(crate) fn earliest_alarm_bound(&self) -> i64 {
        if self.has_late_end {
            i64::MIN
        } else {
            self.earliest_end_bound().saturating_add(self.rules.alarm_delay)
        }
    }

    /// Returns the first time at which dnsmasq can remove a lease.
    pub(crate) fn earliest_removal(&self) -> Option<i64> {
        let delay = i64::from(!self.rules.expiry_is_inclusive);
        self.earliest_end().map(|end| end.saturating_add(delay))
    }

    /// Allocates a lease at the head of the list (lease.c `lease_allocate`). Returns `None` if `--dhcp-lease-max` is
    /// reached.
    pub(crate) fn allocate(&mut self, addr: IpAddr, kind: LeaseKind) -> Option<Slot> {
        if self.leases_left == 0 {
            return None;
        }
        self.leases_left -= 1;
        self.dirty = true;
        let lease = Lease {
            addr,
            kind,
            iaid: 0,
            hw: HwAddr::illegal(),
            clid: None,
            hostname: None,
            fqdn: None,
            old_hostname: None,
            flags: Flags::NEW,
            expires: 1,
            length: u32::MAX,
            interface: None,
            giaddr: None,
            extra: None,
            rank: self.next_rank,
        };
        self.next_rank += 1;
        let slot = if let Some(slot) = self.free.pop() {
            self.slots[slot] = Some(lease);
            slot
        } else {
            self.slots.push(Some(lease));
            self.slots.len() - 1
        };
        self.order.push(slot);
        self.finite_leases += 1;
        self.earliest_end_bound = self.earliest_end_bound.min(1);
        self.by_addr.entry(addr).or_default().push(slot);
        self.by_hw.entry(HwAddr::illegal()).or_default().push(slot);
        self.mark_pending(slot);
        Some(slot)
    }

    fn mark_pending(&mut self, slot: Slot) {
        let lease = self.get_mut(slot);
        if !lease.flags.has(Flags::PENDING) {
            lease.flags.set(Flags::PENDING);
            self.pending.push(slot);
        }
    }

    /// Sets flags that may make a call due.
    pub(crate) fn flag(&mut self, slot: Slot, flags: Flags) {
        self.get_mut(slot).flags.set(flags);
        self.mark_pending(slot);
    }

    fn unindex<K: std::hash::Hash + Eq>(index: &mut Index<K>, key: &K, slot: Slot) {
        if let Some(slots) = index.get_mut(key) {
            slots.retain(|&s| s != slot);
            if slots.is_empty() {
                index.remove(key);
            }
        }
    }

    /// Adds a slot to an index so that the newest lease stays last.
    fn index<K: std::hash::Hash + Eq>(
        &mut self,
        pick: fn(&mut LeaseDb) -> &mut Index<K>,
        key: K,
        slot: Slot,
    ) {
        let rank = self.get(slot).rank;
        let mut slots = pick(self).remove(&key).unwrap_or_default();
        let at = slots.iter().position(|&s| self.get(s).rank > rank).unwrap_or(slots.len());
        slots.insert(at, slot);
        pick(self).insert(key, slots);
    }

    fn unlink(&mut self, slot: Slot) -> Lease {
        let lease = self.slots[slot].take().expect("a slot in use");
        let at = self.order.iter().position(|&s| s == slot).expect("a slot in the list");
        self.order.remove(at);
        self.free.push(slot);
        if lease.flags.has(Flags::PENDING) {
            self.pending.retain(|&s| s != slot);
        }
        if lease.old_hostname.is_some() {
            self.lost_names -= 1;
        }
        if lease.expires != 0 {
            self.finite_leases -= 1;
        }
        Self::unindex(&mut self.by_addr, &lease.addr, slot);
        Self::unindex(&mut self.by_hw, &lease.hw, slot);
        if let Some(clid) = &lease.clid {
            Self::unindex(&mut self.by_clid, clid, slot);
        }
        self.leases_left += 1;
        self.dirty = true;
        lease
    }

    /// Moves every expired lease to the front of the list of ended leases (lease.c `lease_prune(NULL, now)`).
    pub(crate) fn prune_expired(&mut self, now: i64) {
        if now < self.earliest_end_bound() {
            return;
        }
        let earliest_end = self.earliest_end().unwrap_or(i64::MAX);
        if now < earliest_end {
            self.earliest_end_bound = earliest_end;
            return;
        }
        for slot in self.slots_newest_first() {
            let expires = self.get(slot).expires;
            if self.rules.has_expired(expires, now) {
                let lease = self.unlink(slot);
                self.ended.push(lease);
            }
        }
        self.earliest_end_bound = self.earliest_end().unwrap_or(i64::MAX);
    }

    /// Moves this lease and every expired one to the list of ended leases (lease.c `lease_prune(target, now)`).
    pub(crate) fn prune(&mut self, target: Slot, now: i64) {
        for slot in self.slots_newest_first() {
            let expires = self.get(slot).expires;
            if slot == target || self.rules.has_expired(expires, now) {
                let lease = self.unlink(slot);
                self.ended.push(lease);
            }
        }
    }

    /// Finds a DHCPv4 lease by client identifier, or else by hardware address if the lease or the client has no client
    /// identifier (lease.c `lease_find_by_client`).
    pub(crate) fn find_by_client(&self, hw: &HwAddr, clid: Option<&[u8]>) -> Option<Slot> {
        if let Some(clid) = clid
            && let Some(slots) = self.by_clid.get(clid)
            && let Some(&slot) = slots.iter().rev().find(|&&s| self.get(s).kind == LeaseKind::V4)
        {
            return Some(slot);
        }
        if hw.is_empty() {
            return None;
        }
        self.by_hw.get(hw)?.iter().rev().copied().find(|&slot| {
            let lease = self.get(slot);
            lease.kind == LeaseKind::V4 && (lease.clid.is_none() || clid.is_none())
        })
    }

    /// Finds a DHCPv4 lease by its address (lease.c `lease_find_by_addr`).
    pub(crate) fn find_by_addr(&self, addr: Ipv4Addr) -> Option<Slot> {
        let slots = self.by_addr.get(&IpAddr::V4(addr))?;
        slots.iter().rev().copied().find(|&s| self.get(s).kind == LeaseKind::V4)
    }

    /// Finds a DHCPv6 lease by its address (lease.c `lease6_find_by_addr` with a prefix of 128).
    pub(crate) fn find6_by_addr(&self, addr: IpAddr) -> Option<Slot> {
        let slots = self.by_addr.get(&addr)?;
        slots.iter().rev().copied().find(|&s| self.get(s).kind.is_v6())
    }

    /// Finds a DHCPv6 lease by DUID, kind, IAID and address (lease.c `lease6_find`).
    pub(crate) fn find6(&self, duid: &[u8], kind: IaKind, iaid: u32, addr: IpAddr) -> Option<Slot> {
        let slots = self.by_addr.get(&addr)?;
        slots.iter().rev().copied().find(|&s| {
            let lease = self.get(s);
            lease.kind == LeaseKind::V6(kind)
                && lease.iaid == iaid
                && lease.clid.as_deref().unwrap_or_default() == duid
        })
    }

    /// Sets the hardware address and the client identifier (lease.c `lease_set_hwaddr`). If `clid` is `None` or empty,
    /// the lease keeps its client identifier.
    pub(crate) fn set_hwaddr(&mut self, slot: Slot, hw: &HwAddr, clid: Option<&Text>) {
        let old = self.get(slot).hw;
        if old != *hw {
            Self::unindex(&mut self.by_hw, &old, slot);
            self.get_mut(slot).hw = *hw;
            self.index(|db| &mut db.by_hw, *hw, slot);
            self.flag(slot, Flags::CHANGED);
            self.dirty = true;
        }
        let Some(clid) = clid.filter(|c| !c.is_empty()) else { return };
        let own = &mut self.get_mut(slot).clid;
        if own.as_ref() == Some(clid) {
            share_text(own, Some(clid));
        } else {
            if let Some(own) = self.get_mut(slot).clid.take() {
                Self::unindex(&mut self.by_clid, &own, slot);
            }
            self.get_mut(slot).clid = Some(Arc::clone(clid));
            self.index(|db| &mut db.by_clid, Arc::clone(clid), slot);
            self.flag(slot, Flags::AUX_CHANGED);
            self.dirty = true;
        }
    }

    /// Lets the lease share the allocation of its name with the client, which will send the same name again.
    pub(crate) fn share_name(&mut self, slot: Slot, equal: Option<&Text>) {
        share_text(&mut self.get_mut(slot).hostname, equal);
    }

    /// Removes the name and records it as lost, with its domain if that is known (lease.c `kill_name`).
    fn kill_name(&mut self, slot: Slot) {
        let reports = self.rules.reports_lost_names;
        let lease = self.get_mut(slot);
        let hostname = lease.hostname.take();
        if !reports {
            return;
        }
        let had = lease.old_hostname.is_some();
        lease.old_hostname = lease.fqdn.take().or(hostname);
        let has = lease.old_hostname.is_some();
        self.lost_names = self.lost_names + usize::from(has) - usize::from(had);
    }

    /// Sets the host name (lease.c `lease_set_hostname` with a name). If another lease has this name, that lease loses
    /// it. The exception is a name that the other lease has from the configuration, which a client (`auth` is false)
    /// cannot take.
    pub(crate) fn set_hostname(
        &mut self,
        slot: Slot,
        name: &[u8],
        auth: bool,
        domain: Option<&[u8]>,
    ) {
        if self.get(slot).hostname.as_deref().is_some_and(|own| same_name(own, name)) {
            if auth {
                self.get_mut(slot).flags.set(Flags::AUTH_NAME);
            } else if self.rules.client_clears_configured_name {
                self.get_mut(slot).flags.clear(Flags::AUTH_NAME);
            }
            return;
        }
        let domain = domain.filter(|_| self.rules.domain_variable);
        let fqdn: Option<Text> = domain.map(|domain| [name, b".", domain].concat().into());
        let holder = self.order.iter().rev().copied().find(|&other| {
            let theirs = self.get(other);
            let equal = if self.fqdn_mode {
                matches!((&fqdn, &theirs.fqdn), (Some(a), Some(b)) if same_name(a, b))
            } else {
                theirs.hostname.as_deref().is_some_and(|n| same_name(n, name))
            };
            if !equal {
                return false;
            }
            let own = self.get(slot);
            if own.kind.is_v6() {
                // Leases of one DUID may share a name.
                theirs.kind.is_v6() && !(own.clid.is_some() && own.clid == theirs.clid)
            } else {
                !theirs.kind.is_v6()
            }
        });
        let mut taken = None;
        if let Some(holder) = holder {
            if self.get(holder).flags.has(Flags::AUTH_NAME) && !auth {
                return;
            }
            if self.rules.taken_name_keeps_spelling {
                taken.clone_from(&self.get(holder).hostname);
            }
            self.kill_name(holder);
            if self.rules.taken_name_marks_other_lease {
                // There are two calls for the other lease: one for the lost name, and one because it has changed.
                self.flag(holder, Flags::CHANGED);
            }
        }
        if self.get(slot).hostname.is_some() {
            self.kill_name(slot);
        }
        let clears = self.rules.client_clears_configured_name;
        let lease = self.get_mut(slot);
        lease.hostname = taken.or_else(|| Some(name.into()));
        lease.fqdn = fqdn;
        if auth {
            lease.flags.set(Flags::AUTH_NAME);
        } else if clears {
            lease.flags.clear(Flags::AUTH_NAME);
        }
        self.flag(slot, Flags::CHANGED);
        self.dirty = true;
    }

    pub(crate) fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Adds the domains to the names that were read at start (lease.c `lease_calc_fqdns`).
    pub(crate) fn calc_fqdns<'a>(&mut self, domain_of: impl Fn(IpAddr) -> Option<&'a [u8]>) {
        for slot in self.slots_newest_first() {
            let lease = self.get_mut(slot);
            if let (Some(name), Some(domain)) = (&lease.hostname, domain_of(lease.addr)) {
                lease.fqdn = Some([name, &b"."[..], domain].concat().into());
            }
        }
    }

    /// Sets the end of a lease and updates the bounds.
    pub(crate) fn put_expires(&mut self, slot: Slot, expires: i64) {
        let lease = self.get_mut(slot);
        let old = std::mem::replace(&mut lease.expires, expires);
        self.finite_leases = self.finite_leases + usize::from(expires != 0) - usize::from(old != 0);
        if expires != 0 {
            self.earliest_end_bound = self.earliest_end_bound.min(expires);
            self.has_late_end |= expires.checked_add(self.rules.alarm_delay).is_none();
        }
    }

    /// Sets the end and the length of a lease (lease.c `lease_set_expires`). A `length` of 0xffffffff is infinite.
    pub(crate) fn set_expires(&mut self, slot: Slot, length: u32, now: i64) {
        let (expires, length) = if length == u32::MAX {
            (0, 0)
        } else {
            let expires = now.wrapping_add(i64::from(length));
            (if expires <= now { 0 } else { expires }, length)
        };
        if expires != self.get(slot).expires {
            self.put_expires(slot, expires);
            if self.build == Build::Rtc {
                self.flag(slot, Flags::AUX_CHANGED.or(Flags::EXP_CHANGED));
                self.dirty = true;
            }
        }
        if self.build == Build::NoRtc && length != self.get(slot).length {
            self.get_mut(slot).length = length;
            self.flag(slot, Flags::AUX_CHANGED);
            self.dirty = true;
        }
    }

    /// Sets the IAID (lease.c `lease_set_iaid`).
    pub(crate) fn set_iaid(&mut self, slot: Slot, iaid: u32) {
        if self.get(slot).iaid != iaid {
            self.get_mut(slot).iaid = iaid;
            self.flag(slot, Flags::CHANGED);
        }
    }

    /// Sets the interface (lease.c `lease_set_interface`).
    pub(crate) fn set_interface(&mut self, slot: Slot, interface: u8) {
        if self.get(slot).interface != Some(interface)
            && self.rules.interface != InterfaceKnowledge::None
        {
            self.get_mut(slot).interface = Some(interface);
            self.flag(slot, Flags::CHANGED);
        }
    }

    /// Marks every lease as changed, so that there is a call for each after SIGHUP and at start (lease.c
    /// `rerun_scripts`).
    pub(crate) fn rerun_scripts(&mut self) {
        for slot in self.slots_newest_first() {
            self.flag(slot, Flags::CHANGED);
        }
    }

    /// Clears the flags that `read_leases` clears after reading a lease.
    pub(crate) fn clear_read_flags(&mut self, slot: Slot) {
        let flags = match self.rules.read_mark {
            ReadMark::Changed => Flags::NEW,
            ReadMark::ClientId => Flags::NEW.or(Flags::CHANGED),
        };
        self.get_mut(slot).flags.clear(flags);
    }

    /// Returns whether [`LeaseDb::next_call`] would find a due call.
    pub(crate) fn has_due_call(&self, aux: Flags) -> bool {
        let due = Flags::NEW.or(Flags::CHANGED).or(aux);
        !self.ended.is_empty()
            || self.lost_names != 0
            || self.pending.iter().any(|slot| self.get(*slot).flags.has(due))
    }

    /// Passes the next due call to `queue`, with its host name (lease.c `do_script_run`). Returns whether there was
    /// one.
    ///
    /// `aux` are the flags that make a call due besides `NEW` and `CHANGED`, depending on the options.
    pub(crate) fn next_call(
        &mut self,
        aux: Flags,
        queue: impl FnOnce(Due, &Lease, Option<&Text>),
    ) -> bool {
        if let Some(lease) = self.ended.last_mut() {
            if let Some(name) = lease.old_hostname.take() {
                queue(Due::LostName, lease, Some(&name));
            } else {
                let name = lease.fqdn.take().or_else(|| lease.hostname.take());
                queue(Due::Ended, lease, name.as_ref());
                self.ended.pop();
            }
            return true;
        }
        if self.lost_names != 0 {
            let slot =
                self.order.iter().rev().copied().find(|&s| self.get(s).old_hostname.is_some());
            if let Some(slot) = slot {
                self.lost_names -= 1;
                let lease = self.get_mut(slot);
                let name = lease.old_hostname.take();
                queue(Due::LostName, lease, name.as_ref());
                return true;
            }
        }
        let due = Flags::NEW.or(Flags::CHANGED).or(aux);
        loop {
            // The highest rank is the lease nearest to the head of dnsmasq's list.
            let Some(at) =
                (0..self.pending.len()).max_by_key(|&at| self.get(self.pending[at]).rank)
            else {
                return false;
            };
            let slot = self.pending.swap_remove(at);
            let lease = self.get_mut(slot);
            lease.flags.clear(Flags::PENDING);
            if !lease.flags.has(due) {
                continue;
            }
            let kind = if lease.flags.has(Flags::NEW) { Due::New } else { Due::Changed };
            queue(kind, lease, lease.fqdn.as_ref().or(lease.hostname.as_ref()));
            lease
                .flags
                .clear(Flags::NEW.or(Flags::CHANGED).or(Flags::AUX_CHANGED).or(Flags::EXP_CHANGED));
            lease.extra = None;
            return true;
        }
    }
}
