//! The effect of a DHCPv4 message and the reply to it on the leases: rfc2131.c `dhcp_reply`.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use super::call_sink::CallSink;
use super::client4::Client4;
use super::clock::Clock;
use super::config::ServerConfig;
use super::context4::{Context4, contexts};
use super::db::{LeaseDb, Slot};
use super::engine::Engine;
use super::host::Host;
use super::hosts::{ClientNetwork, HostDirectory, HostsName};
use super::hw_addr::HwAddr;
use super::lease::{ExtraData, Flags, LeaseKind};
use super::message4::{Kind4, Message4, Reply4};
use super::names::{c_string, legal_name, same_name, strip_hostname};
use super::netmask::same_net;
use super::network::Network;
use super::process::Process;
use super::range::Range4;
use super::rules::{ForeignDomain, Rules};
use super::tag_list::{EmptyList, dedup_keep_last, match_tags};
use super::tags::{TagIf, add_name_tags, option_tags4, tags4};
use super::text::Text;

/// Returns the bytes for hashing and for generated names (rfc2131.c `extended_hwaddr`). Without a hardware address, the
/// client identifier is used.
pub(crate) fn extended_hwaddr<'a>(hw: &'a HwAddr, clid: Option<&'a [u8]>) -> &'a [u8] {
    const EUI64: u16 = 27;
    const IEEE1394: u16 = 24;
    match clid {
        Some(clid) if hw.is_empty() && clid.len() > 3 => {
            let kind = u16::from(clid[0]);
            if kind == hw.kind || (kind == EUI64 && hw.kind == IEEE1394) {
                &clid[1..]
            } else {
                clid
            }
        }
        _ => hw.bytes(),
    }
}

/// Returns the name that a client sends, in option 81 or 12.
pub(crate) fn sent_name(client: &Client4) -> Option<&[u8]> {
    match (&client.fqdn, &client.hostname) {
        (Some(fqdn), _) => Some(fqdn),
        (None, Some(name)) if !name.is_empty() => Some(name),
        _ => None,
    }
}

/// Returns the name that a client requests for its lease: the first label of the name that it sends, if that is legal.
///
/// Until 2.39, a name with a domain other than the server's is not used.
pub(crate) fn client_name<'a>(
    client: &'a Client4,
    rules: &Rules,
    domain: Option<&[u8]>,
) -> Option<&'a [u8]> {
    let (label, foreign) = strip_hostname(legal_name(sent_name(client)?, rules.name_syntax)?);
    let is_own = |name: &[u8]| domain.is_some_and(|own| same_name(own, name));
    if rules.foreign_domain == ForeignDomain::Rejected && foreign.is_some_and(|name| !is_own(name))
    {
        return None;
    }
    Some(label).filter(|label| !label.is_empty())
}

impl Engine {
    /// Handles a DHCPv4 message and the reply to it, and makes all calls that follow.
    pub fn dhcp4(
        &mut self,
        message: Message4<'_>,
        reply: Reply4,
        clock: Clock,
        sink: &mut impl CallSink,
    ) {
        let now = self.build.now(clock);
        self.resolve_alarm(clock);
        let Engine { network, process: Some(process), .. } = self else { return };
        if process.config.ranges4.is_empty() || std::mem::take(&mut process.loses_next_packet) {
            return;
        }
        process.db.prune_expired(now);
        let rules = *process.db.rules();
        let rendering = sink.wants_rendering();
        let client = message.client;
        let clid = client.clid.as_deref().filter(|c| !c.is_empty() && !process.config.ignore_clid);
        match (message.kind, reply) {
            (Kind4::Discover { .. }, Reply4::Ack { addr, .. }) if rules.rapid_commit_deletes => {
                process.remove_other_lease(client, clid, addr, now);
            }
            (Kind4::InitReboot, Reply4::Nak) if rules.init_reboot_deletes => {
                process.remove_other_lease(client, clid, message.addr, now);
            }
            _ => {}
        }
        match (message.kind, reply) {
            (
                Kind4::Discover { .. } | Kind4::Renew | Kind4::Rebind,
                Reply4::Ack { addr, lease_time },
            ) => {
                let classes = ClassUpdate::NewLease;
                let grant = Grant { addr, lease_time, now, classes, rendering };
                process.acknowledge(message, network, &grant);
            }
            (Kind4::InitReboot, Reply4::Ack { addr, lease_time }) => {
                let classes = ClassUpdate::Always;
                let grant = Grant { addr, lease_time, now, classes, rendering };
                process.acknowledge(message, network, &grant);
            }
            (Kind4::Request, Reply4::Ack { .. } | Reply4::Nak) => {
                // "If a lease exists for this host and another address, squash it", even if a NAK follows.
                process.remove_other_lease(client, clid, message.addr, now);
                if let Reply4::Ack { addr, lease_time } = reply {
                    let classes = ClassUpdate::Always;
                    let grant = Grant { addr, lease_time, now, classes, rendering };
                    process.acknowledge(message, network, &grant);
                }
            }
            (Kind4::Inform, Reply4::Ack { .. }) => {
                let slot = process.db.find_by_client(&client.hw, clid);
                if let Some(slot) = slot.or_else(|| process.db.find_by_addr(message.addr)) {
                    process.db.set_interface(slot, client.interface);
                }
            }
            (Kind4::Release, _) => {
                let config = Arc::clone(&process.config);
                let ranges = contexts(&config, network, client, Some(message.addr));
                if ranges.iter().any(|c| same_net(message.addr, c.range.start, c.mask)) {
                    process.remove_own_lease(client, clid, message.addr, now);
                }
            }
            (Kind4::Decline, _) => {
                let config = Arc::clone(&process.config);
                if !contexts(&config, network, client, None).is_empty() {
                    process.remove_own_lease(client, clid, message.addr, now);
                }
            }
            (Kind4::Bootp, Reply4::BootReply(addr)) => process.bootp(message, network, addr, now),
            _ => {}
        }
        match (message.kind, reply) {
            (_, Reply4::Offer(addr) | Reply4::BootReply(addr))
            | (
                Kind4::Request | Kind4::InitReboot | Kind4::Discover { .. },
                Reply4::Ack { addr, .. },
            ) if client.relay.is_none() => {
                self.inject_neighbour(addr, &client.hw);
            }
            _ => {}
        }
        self.finish_packet(clock, sink);
    }
}

/// When `dhcp_reply` marks the lease as changed and stores the options of the request for the script (`do_classes`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ClassUpdate {
    /// For every request (SELECTING and INIT-REBOOT).
    Always,
    /// Only for a new lease.
    NewLease,
}

/// An address that is granted to a client.
struct Grant {
    addr: Ipv4Addr,
    /// Seconds.
    lease_time: u32,
    /// dnsmasq's clock.
    now: i64,
    classes: ClassUpdate,
    /// Whether calls are rendered, so that the options of the request are needed.
    rendering: bool,
}

impl Process {
    /// Removes the client's lease if it is for another address.
    fn remove_other_lease(
        &mut self,
        client: &Client4,
        clid: Option<&[u8]>,
        addr: Ipv4Addr,
        now: i64,
    ) {
        if let Some(slot) = self.db.find_by_client(&client.hw, clid)
            && self.db.get(slot).addr != IpAddr::V4(addr)
        {
            self.db.prune(slot, now);
        }
    }

    fn remove_own_lease(
        &mut self,
        client: &Client4,
        clid: Option<&[u8]>,
        addr: Ipv4Addr,
        now: i64,
    ) {
        if let Some(slot) = self.db.find_by_client(&client.hw, clid)
            && self.db.get(slot).addr == IpAddr::V4(addr)
        {
            self.db.prune(slot, now);
        }
    }

    /// Performs the part of `dhcp_reply` after `rapid_commit:`, for a granted request.
    fn acknowledge(&mut self, message: Message4<'_>, network: &Network, grant: &Grant) {
        let Grant { addr, lease_time, now, classes, rendering } = *grant;
        let client = message.client;
        let Self { config, db, directory, .. } = self;
        let sent_clid = client.clid.as_ref().filter(|c| !c.is_empty() && !config.ignore_clid);
        let found = db.find_by_client(&client.hw, sent_clid.map(|c| &c[..]));
        // A client identifier that is missing in the request is taken from the lease.
        let own_clid;
        let clid = match sent_clid {
            Some(_) => sent_clid,
            None => {
                own_clid = found.and_then(|slot| db.get(slot).clid.clone());
                own_clid.as_ref()
            }
        };
        // A host with several hardware addresses takes over the lease of another of them.
        let known = found.or_else(|| db.find_by_addr(addr));
        let do_classes = classes == ClassUpdate::Always || known.is_none();
        let made = known.or_else(|| db.allocate(IpAddr::V4(addr), LeaseKind::V4));
        let Some(slot) = made else {
            self.has_crashed = db.rules().lease_limit_crashes;
            return;
        };
        let has_no_rules =
            directory.is_empty() && config.hosts.is_empty() && !has_name_options(config);
        let is_simple = has_no_rules && client.relay.is_none() && (!do_classes || !rendering);
        if is_simple && keeps_name(client, db.get(slot).hostname.as_ref()) {
            // A fast path for the usual renewal with an unchanged name. The other branch has the same effect.
            if do_classes && db.rules().request_marks_changed {
                db.flag(slot, Flags::CHANGED);
            }
            db.share_name(slot, client.hostname.as_ref());
            db.set_hwaddr(slot, &client.hw, clid);
        } else {
            let ciaddr =
                matches!(message.kind, Kind4::Renew | Kind4::Rebind).then_some(message.addr);
            let request = Request { client, clid, network, addr, ciaddr, do_classes };
            identify(config, directory, db, slot, &request);
        }
        db.set_expires(slot, lease_time, now);
        db.set_interface(slot, client.interface);
    }
}

/// The parts of a granted request that determine names and tags.
struct Request<'a> {
    client: &'a Client4,
    clid: Option<&'a Text>,
    network: &'a Network,
    addr: Ipv4Addr,
    ciaddr: Option<Ipv4Addr>,
    do_classes: bool,
}

/// Returns whether options ignore or generate names.
fn has_name_options(config: &ServerConfig) -> bool {
    !config.ignore_names.is_empty() || !config.generate_names.is_empty()
}

/// Returns whether the client requests the name that its lease has.
fn keeps_name(client: &Client4, held: Option<&Text>) -> bool {
    let is_single_label = |name: &Text| !name.iter().any(|byte| matches!(byte, b'.' | 0));
    client.fqdn.is_none() && client.hostname.as_ref() == held && held.is_some_and(is_single_label)
}

/// Sets the hardware address, client identifier and host name of a lease, and its data for the script.
fn identify(
    config: &ServerConfig,
    directory: &HostDirectory,
    db: &mut LeaseDb,
    slot: Slot,
    request: &Request<'_>,
) {
    let Request { client, clid, network, addr, ciaddr, do_classes } = *request;
    let rules = *db.rules();
    let client_name = client_name(client, &rules, config.domain.as_deref());
    let ranges = if do_classes
        || !config.hosts.is_empty()
        || !directory.is_empty()
        || names_depend_on_tags(config)
    {
        contexts(config, network, client, ciaddr)
    } else {
        Vec::new()
    };
    let pairs: Vec<_> = ranges.iter().map(|c| (c.range, c.mask)).collect();
    let identity = Identity { clid: clid.map(|c| &c[..]), hw: &client.hw, name: client_name };
    let name = request.network.name(client.interface, &config.interface);
    let sent_tags = tags4(&config.tag_rules, name, client);
    let found_with = TagIf::apply(&config.tag_if, sent_tags.clone());
    let network4 = ClientNetwork::V4(&pairs);
    let host = directory.find(network4, identity.clid, Some(identity.hw), None, &found_with);
    let mut tags = Vec::new();
    if do_classes || names_depend_on_tags(config) {
        let (pairs, identity, ranges) = (&pairs[..], &identity, &ranges[..]);
        let about = TagRequest { pairs, identity, host, addr, ranges, rules: &rules };
        tags = request_tags(config, directory, client, sent_tags, &about);
    }
    if do_classes {
        if rules.request_marks_changed {
            db.flag(slot, Flags::CHANGED);
        }
        let lease = db.get_mut(slot);
        if client.relay.is_some() {
            lease.giaddr = client.relay;
        }
        lease.extra = Some(Arc::new(extra_data(client, &tags)));
    }
    let mut auth = false;
    let mut hostname = client_name;
    if let Some(name) = host.and_then(|h| h.name.as_deref()) {
        hostname = Some(name);
        auth = true;
    } else {
        match directory.name_of(addr, config, &rules) {
            Some(HostsName::Taken(name)) => {
                hostname = Some(name);
                auth = true;
            }
            // The buffer has a client's name only if the client sent one.
            Some(HostsName::ReplacesClientName(name)) if hostname.is_some() => {
                hostname = Some(name).filter(|name| !name.is_empty());
            }
            _ => {}
        }
    }
    let clid = if host.is_some_and(|h| h.no_clid) { None } else { clid };
    let emac = extended_hwaddr(&client.hw, clid.map(|c| &c[..]));
    db.set_hwaddr(slot, &client.hw, clid);
    if !auth && config.ignore_names.iter().any(|list| match_tags(list, &tags, EmptyList::Matches)) {
        hostname = None;
    }
    let generated;
    if hostname.is_none()
        && !emac.is_empty()
        && config.generate_names.iter().any(|list| match_tags(list, &tags, EmptyList::Matches))
    {
        generated = emac.iter().take(80).map(|b| format!("{b:02x}")).collect::<Vec<_>>().join("-");
        hostname = Some(generated.as_bytes());
    }
    if let Some(name) = hostname {
        db.set_hostname(slot, name, auth, config.domain_of(db.get(slot).addr));
    }
}

/// What the tags of a request depend on, besides the client.
struct TagRequest<'a> {
    pairs: &'a [(&'a Range4, Ipv4Addr)],
    identity: &'a Identity<'a>,
    host: Option<&'a Host>,
    addr: Ipv4Addr,
    ranges: &'a [Context4<'a>],
    rules: &'a Rules,
}

/// Returns the tags of a request in the order in which dnsmasq prints them. `tags` are those of the client's message;
/// each further list is added at the front.
fn request_tags(
    config: &ServerConfig,
    directory: &HostDirectory,
    client: &Client4,
    mut tags: Vec<String>,
    request: &TagRequest<'_>,
) -> Vec<String> {
    let TagRequest { pairs, identity, host, addr, ranges, rules } = *request;
    let sent = tags.len();
    let found_with = TagIf::apply(&config.tag_if, tags.clone());
    let mut own = host;
    if host.is_some() {
        tags.insert(0, "known".to_owned());
    } else if rules.known_othernet_tag
        && directory
            .find(ClientNetwork::Any, identity.clid, Some(identity.hw), None, &found_with)
            .is_some()
    {
        tags.insert(0, "known-othernet".to_owned());
    }
    add_name_tags(&config.tag_rules, sent_name(client), &mut tags);
    let found_with = TagIf::apply(&config.tag_if, tags.clone());
    if host.is_none()
        && let Some(name) = identity.name
        && let Some(by_name) = directory.find(
            ClientNetwork::V4(pairs),
            None,
            Some(identity.hw),
            Some(name),
            &found_with,
        )
        && by_name.clid.is_none()
        && by_name.hardware.is_empty()
    {
        tags.insert(0, "known".to_owned());
        own = Some(by_name);
    }
    for tag in own.map(|h| &h.set[..]).unwrap_or_default().iter().rev() {
        tags.insert(0, tag.clone());
    }
    if rules.host_tags_precede_matches {
        // The tags of the client's options come after those of its host.
        let matches = option_tags4(&config.tag_rules, client);
        let begin = tags.len() - sent;
        tags[..begin + matches].rotate_right(matches);
    }
    let range = ranges
        .iter()
        .find(|c| c.range.start <= addr && addr <= c.range.end)
        .or_else(|| ranges.iter().find(|c| same_net(addr, c.range.start, c.mask)));
    if let Some(tag) = range.and_then(|c| c.range.set.as_deref()) {
        tags.insert(0, tag.to_owned());
    }
    dedup_keep_last(&TagIf::apply(&config.tag_if, tags))
}

impl Process {
    /// Performs the BOOTP part of `dhcp_reply`: creates a lease without the client's name and without extra data. It is
    /// infinite unless a lease time is configured for the host.
    fn bootp(&mut self, message: Message4<'_>, network: &Network, addr: Ipv4Addr, now: i64) {
        let client = message.client;
        let config = Arc::clone(&self.config);
        let directory = self.directory.clone();
        let ranges = contexts(&config, network, client, None);
        let pairs: Vec<_> = ranges.iter().map(|c| (c.range, c.mask)).collect();
        let host = directory.find(ClientNetwork::V4(&pairs), None, Some(&client.hw), None, &[]);
        let mut found: Option<Slot>;
        if host.is_some_and(|h| h.addr.is_some()) {
            found = self.db.find_by_addr(addr);
        } else {
            found = self.db.find_by_client(&client.hw, None);
            if let Some(slot) = found
                && self.db.get(slot).addr != IpAddr::V4(addr)
            {
                self.db.prune(slot, now);
                found = None;
            }
        }
        let found = found.or_else(|| self.db.allocate(IpAddr::V4(addr), LeaseKind::V4));
        let Some(slot) = found else {
            self.has_crashed = self.db.rules().lease_limit_crashes;
            return;
        };
        self.db.set_hwaddr(slot, &client.hw, None);
        if let Some(name) = host.and_then(|h| h.name.as_deref()) {
            self.db.set_hostname(slot, name, true, config.domain_of(IpAddr::V4(addr)));
        }
        let time = host
            .filter(|_| self.db.rules().bootp_uses_configured_time)
            .and_then(|h| h.lease_time)
            .unwrap_or(u32::MAX);
        self.db.set_expires(slot, time, now);
        self.db.set_interface(slot, client.interface);
    }
}

/// The keys by which a client is looked up in the configuration.
struct Identity<'a> {
    clid: Option<&'a [u8]>,
    hw: &'a HwAddr,
    name: Option<&'a [u8]>,
}

fn names_depend_on_tags(config: &ServerConfig) -> bool {
    config.ignore_names.iter().chain(&config.generate_names).any(|list| !list.is_empty())
}

/// Returns the data that the `do_classes` part of `dhcp_reply` keeps for the script.
fn extra_data(client: &Client4, tags: &[String]) -> ExtraData {
    let options = &client.options;
    let requested: Vec<String> = options.requested.iter().map(u8::to_string).collect();
    ExtraData {
        vendor_class: options.vendor_class.clone(),
        vendor_classes: Vec::new(),
        supplied_hostname: client
            .hostname
            .as_deref()
            .map(|n| c_string(n).to_vec())
            .unwrap_or_default(),
        cpewan: options.cpewan.clone(),
        circuit_id: options.circuit_id.clone(),
        subscriber_id: options.subscriber_id.clone(),
        remote_id: options.remote_id.clone(),
        requested_options: requested.join(",").into_bytes(),
        mud_url: options.mud_url.clone(),
        tags: tags.join(" ").into_bytes(),
        relay_address: Vec::new(),
        // Embedded NULs start a new record (lease_add_extradata with delim -1).
        user_classes: options
            .user_classes
            .iter()
            .flat_map(|class| class.split(|&b| b == 0))
            .map(<[u8]>::to_vec)
            .collect(),
    }
}
