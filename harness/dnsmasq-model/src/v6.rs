//! The effect of a DHCPv6 message and the reply to it on the leases: rfc3315.c `dhcp6_no_relay`.

use std::net::IpAddr;
use std::sync::Arc;

use super::call_sink::CallSink;
use super::client6::Client6;
use super::clock::Clock;
use super::engine::Engine;
use super::hw_addr::HwAddr;
use super::ia_kind::IaKind;
use super::lease::{ExtraData, Flags, LeaseKind};
use super::message6::{Ia, Kind6, Renewal6, Reply6};
use super::names::{legal_hostname, strip_hostname};
use super::netmask::same_net6;
use super::process::Process;
use super::reservations6::{Identity6, NameSent};
use super::tag_list::{EmptyList, dedup_keep_last, match_tags};
use super::text::Text;

/// Which leases [`Process::update_leases6`] updates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Leases6 {
    /// The leases that the client holds.
    Held,
    /// All leases, including new ones.
    All,
}

/// The name and tags of a DHCPv6 client.
struct NameAndTags<'a> {
    name: Option<&'a [u8]>,
    auth: bool,
    supplied: &'a [u8],
    tags: Vec<String>,
}

impl Engine {
    /// Handles a DHCPv6 message with these identity associations and the reply to it, and makes all calls that follow.
    pub fn dhcp6(
        &mut self,
        kind: Kind6,
        client: &Client6,
        asked: &[Ia],
        reply: &Reply6,
        clock: Clock,
        sink: &mut impl CallSink,
    ) {
        let now = self.build.now(clock);
        self.resolve_alarm(clock);
        let Some(process) = &mut self.process else { return };
        if process.config.ranges6.is_empty() {
            return;
        }
        process.db.prune_expired(now);
        if let (Kind6::Solicit, Reply6::Advertise(offered)) = (kind, reply)
            && process.db.rules().solicit_renews
        {
            process.update_leases6(client, offered, Leases6::Held, now);
        }
        if let Reply6::Reply(given) = reply {
            match kind {
                Kind6::Solicit | Kind6::Request => {
                    process.update_leases6(client, given, Leases6::All, now);
                }
                Kind6::Renew => process.renew6(client, given, Renewal6::Renew, now),
                Kind6::Rebind => process.renew6(client, given, Renewal6::Rebind, now),
                Kind6::Release | Kind6::Decline => {
                    for ia in asked {
                        for addr in &ia.addrs {
                            let slot =
                                process.db.find6(&client.duid, ia.kind, ia.iaid, IpAddr::V6(*addr));
                            if let Some(slot) = slot {
                                process.db.prune(slot, now);
                            }
                        }
                    }
                }
                Kind6::Confirm => {}
            }
        }
        self.finish_packet(clock, sink);
    }
}

impl Process {
    fn name_and_tags6<'a>(
        &self,
        client: &'a Client6,
        store: &'a mut Option<Text>,
    ) -> NameAndTags<'a> {
        let config = &self.config;
        let identity = Identity6::find(config, &self.directory, client, NameSent::Yes);
        let host = identity.named_by;
        let legal = client.hostname.as_deref().and_then(legal_hostname);
        let auth = host.is_some_and(|h| h.name.is_some());
        let (mut name, mut supplied) = (None, legal.unwrap_or_default());
        if let Some(configured) = host.and_then(|h| h.name.clone()) {
            name = Some(&**store.insert(configured));
        } else if let Some(legal) = legal {
            // strip_hostname() truncates the buffer that is also passed as the supplied name.
            supplied = strip_hostname(legal).0;
            name = Some(supplied).filter(|n| !n.is_empty());
        }
        let ignores = |list: &Vec<String>| match_tags(list, &identity.tags, EmptyList::Matches);
        if !auth && config.ignore_names.iter().any(ignores) {
            name = None;
        }
        let tags = identity.tags;
        NameAndTags { name, auth, supplied, tags }
    }

    /// Updates the lease of every assigned address (rfc3315.c `update_leases`).
    fn update_leases6(&mut self, client: &Client6, given: &[Ia], which: Leases6, now: i64) {
        let config = Arc::clone(&self.config);
        let mut store = None;
        let named = self.name_and_tags6(client, &mut store);
        for ia in given.iter().filter(|ia| ia.valid != 0) {
            for &addr in &ia.addrs {
                let ip = IpAddr::V6(addr);
                let held = match which {
                    Leases6::Held => {
                        let held = self.db.find6(&client.duid, ia.kind, ia.iaid, ip);
                        let Some(held) = held else { continue };
                        Some(held)
                    }
                    Leases6::All => self.db.find6_by_addr(ip),
                };
                let found = held.or_else(|| self.db.allocate(ip, LeaseKind::V6(ia.kind)));
                let Some(slot) = found else {
                    self.has_crashed |= self.db.rules().lease_limit_crashes;
                    continue;
                };
                self.db.set_expires(slot, ia.valid, now);
                self.db.set_iaid(slot, ia.iaid);
                let hw = client.hw.filter(|_| self.db.rules().mac6);
                let hw = hw.unwrap_or_else(|| HwAddr::new(0, &[]));
                self.db.set_hwaddr(slot, &hw, Some(&client.duid));
                self.db.set_interface(slot, 0);
                if let (IaKind::Na, Some(name)) = (ia.kind, named.name) {
                    self.db.set_hostname(slot, name, named.auth, config.domain_of(ip));
                }
                self.db.flag(slot, Flags::CHANGED);
                let range = config.ranges6.iter().find(|r| same_net6(addr, r.start, r.prefix));
                let mut tags: Vec<String> = range.and_then(|r| r.set.clone()).into_iter().collect();
                tags.extend(named.tags.iter().cloned());
                self.db.get_mut(slot).extra =
                    Some(Arc::new(extra_data(client, named.supplied, &dedup_keep_last(&tags))));
            }
        }
    }

    /// Updates the leases after RENEW or REBIND.
    fn renew6(&mut self, client: &Client6, given: &[Ia], renewal: Renewal6, now: i64) {
        let config = Arc::clone(&self.config);
        let mut store = None;
        let named = self.name_and_tags6(client, &mut store);
        for ia in given {
            for &addr in &ia.addrs {
                let ip = IpAddr::V6(addr);
                let slot = match self.db.find6(&client.duid, ia.kind, ia.iaid, ip) {
                    Some(slot) => slot,
                    None if renewal == Renewal6::Rebind => {
                        let Some(slot) = self.db.allocate(ip, LeaseKind::V6(ia.kind)) else {
                            continue;
                        };
                        self.db.set_iaid(slot, ia.iaid);
                        slot
                    }
                    None => continue,
                };
                if ia.valid == 0 {
                    // "address invalid": a new lease stays as it was allocated.
                    continue;
                }
                self.db.set_expires(slot, ia.valid, now);
                if let Some(hw) = &client.hw {
                    let hw = if self.db.rules().mac6 { *hw } else { HwAddr::new(0, &[]) };
                    self.db.set_hwaddr(slot, &hw, Some(&client.duid));
                }
                if let (IaKind::Na, Some(name)) = (ia.kind, named.name) {
                    self.db.set_hostname(slot, name, named.auth, config.domain_of(ip));
                }
            }
        }
    }
}

/// Returns the class options as `update_leases` reads them. It interprets the strings as options and reads the first
/// two bytes of a string as a length, so these bytes are lost.
fn misread_classes(classes: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let mut data = Vec::new();
    for class in classes {
        data.extend_from_slice(&(class.len() as u16).to_be_bytes());
        data.extend_from_slice(class);
    }
    let byte = |at: usize| usize::from(data.get(at).copied().unwrap_or(0));
    let mut values = Vec::new();
    let mut at = 0;
    if data.len() < 2 {
        return values;
    }
    loop {
        let length = byte(at + 2) << 8 | byte(at + 3);
        let start = (at + 4).min(data.len());
        let end = (start + length).min(data.len());
        values.push(super::names::c_string(&data[start..end]).to_vec());
        if data.len() - at < 4 || length >= data.len() - (at + 4) {
            return values;
        }
        at += 4 + length;
    }
}

fn extra_data(client: &Client6, supplied: &[u8], tags: &[String]) -> ExtraData {
    let mut vendor_classes = Vec::new();
    if let Some((enterprise, classes)) = &client.vendor {
        vendor_classes.push(enterprise.to_string().into_bytes());
        vendor_classes.extend(misread_classes(classes));
    }
    let requested: Vec<String> = client.requested.iter().map(u16::to_string).collect();
    ExtraData {
        vendor_classes,
        supplied_hostname: supplied.to_vec(),
        requested_options: requested.join(",").into_bytes(),
        mud_url: client.mud_url.clone(),
        tags: tags.join(" ").into_bytes(),
        user_classes: misread_classes(&client.user_classes),
        ..ExtraData::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_two_bytes_of_a_class_are_lost() {
        assert_eq!(misread_classes(&[b"six".to_vec()]), [b"x".to_vec()]);
        assert_eq!(misread_classes(&[b"MSFT 5.0".to_vec()]), [b"FT 5.0".to_vec()]);
        assert_eq!(misread_classes(&[b"six".to_vec(), b"seven".to_vec()]), [b"x".to_vec()]);
        assert!(misread_classes(&[]).is_empty());
    }
}
