//! The daemon around the lease database: start, signals, alarm, and the main loop of dnsmasq.c.

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use super::arp::ArpCache;
use super::call::{
    Action, CallContext, CallSink, HeldCall, PendingCall, ScriptCall, StaleBuffers, Subject,
    init_call,
};
use super::clock::{Build, Clock};
use super::config::ServerConfig;
use super::db::{Due, LeaseDb};
use super::hex::hex_text;
use super::hosts::{ClientNetwork, ConfigFiles, HostDirectory, HostsName, is_in_dir};
use super::hw_addr::HwAddr;
use super::init::{InitResult, InitStatus, StartFailure};
use super::lease::{Flags, Lease, LeaseKind};
use super::lease_line::{LeaseLine, duid_line};
use super::netmask::{netmask, same_net, same_net6};
use super::network::Network;
use super::read::read_leases;
use super::rules::{CallDelivery, InterfaceKnowledge, Rules};
use super::script_queue::ScriptQueue;

/// `EC_INIT_OFFSET` of config.h, which is added to the exit code of `init`.
const INIT_OFFSET: u8 = 10;
/// 2000-01-01 in seconds since 1970: the epoch of a DUID-LLT (RFC 8415, section 11.2).
const DUID_EPOCH: i64 = 946_684_800;

/// An event in dnsmasq's pipe to itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PipeEvent {
    /// `EVENT_INIT` and `EVENT_RELOAD` (SIGHUP).
    Reload,
    /// `EVENT_ALARM`: SIGALRM, or an expiry already past when the alarm was to be set.
    Alarm,
}

/// Why dnsmasq acts by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wake {
    /// A call of the script has ended.
    EndOfCall,
    /// SIGALRM.
    Alarm,
    /// A lease that was at its end is over ([`Engine::is_busy`]).
    EndOfBusySecond,
}

/// The time of SIGALRM, which is computed only when needed.
#[derive(Debug, Clone, Copy, Default)]
struct Alarm {
    at: Option<i64>,
    /// The times (dnsmasq's clock, monotonic clock) at which the alarm was set to the earliest expiry.
    pending: Option<(i64, i64)>,
}

/// A running dnsmasq.
#[derive(Debug, Clone)]
pub(crate) struct Process {
    pub(crate) config: Arc<ServerConfig>,
    pub(crate) db: LeaseDb,
    pub(crate) directory: HostDirectory,
    context: Arc<CallContext>,
    stale: StaleBuffers,
    /// Whether there may be a DHCPv6 lease whose call shows `stale`.
    shows_stale: bool,
    pipe: VecDeque<PipeEvent>,
    arp: ArpCache,
    transfers: VecDeque<(u64, IpAddr, Vec<u8>)>,
    alarm: Alarm,
    /// The time on the monotonic clock until which dnsmasq raises the alarm again and again, since no lease is over yet.
    busy_until: Option<i64>,
    /// A call that waits in the buffer.
    held: Option<HeldCall>,
    script: ScriptQueue,
    /// The next packet is lost.
    pub(crate) loses_next_packet: bool,
    /// dnsmasq accessed a lease that could not be allocated.
    pub(crate) has_crashed: bool,
}

/// dnsmasq, and the state of its machine that survives a restart of dnsmasq: files, the kernel's neighbour table, a lease
/// file.
///
/// See the [crate documentation](crate) for its inputs.
#[derive(Debug, Clone)]
pub struct Engine {
    pub(crate) build: Build,
    pub(crate) config: Arc<ServerConfig>,
    pub(crate) network: Arc<Network>,
    files: Arc<ConfigFiles>,
    lease_file: Vec<u8>,
    neighbours: Vec<(IpAddr, HwAddr)>,
    /// Seconds that each call but `init` takes.
    call_time: i64,
    pub(crate) process: Option<Process>,
}

impl Engine {
    /// A dnsmasq that is not running yet, on the default [`Network`].
    #[must_use]
    pub fn new(build: Build, config: ServerConfig) -> Engine {
        Engine::with_network(build, config, Network::default())
    }

    /// A dnsmasq that is not running yet, on the given network.
    #[must_use]
    pub fn with_network(build: Build, config: ServerConfig, network: Network) -> Engine {
        Engine {
            build,
            config: Arc::new(config),
            network: Arc::new(network),
            files: Arc::default(),
            lease_file: Vec::new(),
            neighbours: Vec::new(),
            call_time: 0,
            process: None,
        }
    }

    /// The build of dnsmasq.
    #[must_use]
    pub fn build(&self) -> Build {
        self.build
    }

    /// The options of the running dnsmasq, with those of its files, or of the next start.
    #[must_use]
    pub fn config(&self) -> &ServerConfig {
        self.process.as_ref().map_or(&self.config, |process| &process.config)
    }

    /// The options of the next start, with those of its files if it can read them.
    #[must_use]
    pub fn next_config(&self) -> Arc<ServerConfig> {
        self.config
            .at_start(&self.files, &self.network)
            .unwrap_or_else(|_| Arc::clone(&self.config))
    }

    /// Sets the options for the next start.
    pub fn set_config(&mut self, config: ServerConfig) {
        self.config = Arc::new(config);
    }

    /// Sets the build for the next start.
    pub fn set_build(&mut self, build: Build) {
        self.build = build;
    }

    /// Sets the network for the next start.
    pub fn set_network(&mut self, network: Network) {
        self.network = Arc::new(network);
    }

    /// Sets how many seconds of the monotonic clock each call but `init` takes, from now on (at first 0).
    pub fn set_call_time(&mut self, seconds: i64) {
        self.call_time = seconds;
    }

    /// The server's interface.
    #[must_use]
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// Whether dnsmasq is running.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.process.is_some()
    }

    /// The `init` call that a start will make first; `None` without `--leasefile-ro` or without a script.
    #[must_use]
    pub fn init_call(&self) -> Option<ScriptCall> {
        (self.config.lease_ro && !self.config.script.is_empty())
            .then(|| init_call(self.config.script_name()))
    }

    /// Whether dnsmasq exits before it calls the script, because of its configuration.
    ///
    /// # Errors
    /// The exit code and the message.
    pub fn check_configuration(&self) -> Result<(), StartFailure> {
        self.config.at_start(&self.files, &self.network).map(|_| ())
    }

    /// Starts dnsmasq: lease.c `lease_init` with the result of `init`, then the calls of dnsmasq.c `main` until it is idle.
    /// In lease-file mode `init` is ignored.
    ///
    /// # Errors
    /// If dnsmasq exits with code 1, 3, 5 or 10 + r, or crashes. In this case it has made no calls.
    pub fn start(
        &mut self,
        clock: Clock,
        init: &InitResult,
        sink: &mut impl CallSink,
    ) -> Result<(), StartFailure> {
        self.process = None;
        let config = self.config.at_start(&self.files, &self.network)?;
        config.check_after_init()?;
        let rules = Rules::of(config.release);
        let now = self.build.now(clock);
        let mut db = LeaseDb::new(self.build, rules, config.fqdn, config.lease_max);
        let by_script = config.lease_ro;
        let text = match (by_script, config.script.is_empty()) {
            (true, true) => &[][..],
            (true, false) => &init.stdout[..],
            (false, _) => &self.lease_file[..],
        };
        let read = read_leases(&mut db, self.build, &config, text, now)?;
        if by_script && !config.script.is_empty() {
            check_init(init.status, &config, &rules)?;
        }
        db.dirty = false;
        db.prune_expired(now);
        let mut duid = read.duid;
        let duid_was_stored = duid.is_some();
        if duid.is_none() && !config.ranges6.is_empty() {
            db.dirty = true;
            duid = Some(make_duid(self.build, &config, &self.network, now));
        }
        if !rules.domains_while_reading {
            db.calc_fqdns(|addr| config.domain_of(addr));
        }
        if rules.interface == InterfaceKnowledge::AtStart {
            self.find_interfaces(&mut db);
        }
        let context = CallContext {
            build: self.build,
            rules,
            script: config.script_name().to_vec(),
            interfaces: (0..=self.network.others.len() as u8)
                .map(|number| self.network.name(number, &config.interface).to_vec())
                .collect(),
            server_duid: duid.unwrap_or_default(),
            duid_was_stored,
            log_dhcp: config.log_dhcp,
        };
        let directory = HostDirectory::read(&config, &ConfigFiles::default());
        let shows_stale =
            !config.ranges6.is_empty() || db.newest_first().any(|lease| lease.kind.is_v6());
        self.process = Some(Process {
            config,
            db,
            directory,
            context: Arc::new(context),
            stale: StaleBuffers { packet: read.packet, argument: read.name },
            shows_stale,
            pipe: VecDeque::from([PipeEvent::Reload]),
            arp: ArpCache::default(),
            transfers: VecDeque::new(),
            alarm: Alarm::default(),
            busy_until: None,
            held: None,
            script: ScriptQueue::default(),
            loses_next_packet: false,
            has_crashed: false,
        });
        self.run(clock, sink);
        Ok(())
    }

    /// lease.c `lease_find_interfaces`: the interface of a lease on a connected network becomes known.
    fn find_interfaces(&self, db: &mut LeaseDb) {
        for slot in db.slots_newest_first() {
            if let Some(interface) = self.interface_of(db.get(slot).addr) {
                db.set_interface(slot, interface);
            }
        }
    }

    /// An address with its prefix length is added to the server's interface.
    pub fn add_address(
        &mut self,
        addr: IpAddr,
        prefix: u8,
        clock: Clock,
        sink: &mut impl CallSink,
    ) {
        let network = Arc::make_mut(&mut self.network);
        match addr {
            IpAddr::V4(addr) if !network.v4.contains(&(addr, prefix)) => {
                network.v4.push((addr, prefix));
            }
            IpAddr::V6(addr) if !network.v6.contains(&(addr, prefix)) => {
                network.v6.push((addr, prefix));
            }
            _ => {}
        }
        self.handle_new_addresses(clock, sink);
    }

    /// An address is removed from the server's interface.
    pub fn remove_address(&mut self, addr: IpAddr, clock: Clock, sink: &mut impl CallSink) {
        let network = Arc::make_mut(&mut self.network);
        network.v4.retain(|(own, _)| addr != IpAddr::V4(*own));
        network.v6.retain(|(own, _)| addr != IpAddr::V6(*own));
        self.handle_new_addresses(clock, sink);
    }

    /// netlink.c, network.c `newaddress`: with DHCPv6 dnsmasq looks for the interfaces of its leases.
    fn handle_new_addresses(&mut self, clock: Clock, sink: &mut impl CallSink) {
        let Some(mut process) = self.process.take() else { return };
        if process.db.rules().watches_addresses && !process.config.ranges6.is_empty() {
            self.find_interfaces(&mut process.db);
        }
        self.process = Some(process);
        self.run(clock, sink);
    }

    /// The interface on whose network the address is.
    fn interface_of(&self, addr: IpAddr) -> Option<u8> {
        match addr {
            IpAddr::V4(addr) => (0..=self.network.others.len() as u8).find(|number| {
                let own = self.network.addresses4(*number);
                own.iter().any(|(own, prefix)| same_net(addr, *own, netmask(*prefix)))
            }),
            IpAddr::V6(addr) => {
                self.network.v6.iter().any(|(own, p)| same_net6(addr, *own, *p)).then_some(0)
            }
        }
    }

    /// SIGTERM: the helper makes the calls that wait in its pipe, and dnsmasq all due ones (dnsmasq.c, `EVENT_TERM`). When it
    /// is idle there are none, except in the releases that make calls only here. 2.33 makes none.
    pub fn stop(&mut self, clock: Clock, sink: &mut impl CallSink) {
        let now = self.build.now(clock);
        let Some(mut process) = self.process.take() else { return };
        process.script.make_all(&process.context, sink);
        if let Some(held) = process.held.take() {
            held.make(&process.context, sink);
        }
        if process.db.rules().delivery == CallDelivery::MergedAtStop {
            while process.queue_next(&self.neighbours, now, |call| sink.call(call)) {}
        }
    }

    /// SIGKILL of dnsmasq's main process: the helper still makes the calls in its pipe.
    pub fn kill_main_process(&mut self, sink: &mut impl CallSink) {
        if let Some(mut process) = self.process.take() {
            process.script.make_all(&process.context, sink);
        }
    }

    /// A power cut, or SIGKILL of dnsmasq and its helper: calls that wait are never made.
    pub fn kill(&mut self) {
        self.process = None;
    }

    /// Whether the calls have the server's DUID: 2.66 and 2.67 pass another value until it has been read from the database.
    #[must_use]
    pub fn reports_server_duid(&self) -> bool {
        self.process.as_ref().is_none_or(|process| process.context.reports_server_duid())
    }

    /// Whether the next DHCPv4 message is lost, as the first one after SIGHUP is in 2.33.
    #[must_use]
    pub fn loses_next_packet(&self) -> bool {
        self.process.as_ref().is_some_and(|process| process.loses_next_packet)
    }

    /// Whether the script has not been told of all changes yet.
    #[must_use]
    pub fn has_unreported_changes(&self) -> bool {
        self.process.as_ref().is_some_and(|process| {
            process.held.is_some()
                || process.script.has_waiting()
                || (process.script.is_running() && process.db.has_due_call(process.aux_flags()))
        })
    }

    /// Seconds until the last call has ended that dnsmasq, if it ends now, leaves to its helper.
    #[must_use]
    pub fn remaining_call_time(&self, mono: i64) -> i64 {
        self.process
            .as_ref()
            .filter(|process| process.db.rules().delivery == CallDelivery::Queued)
            .map_or(0, |process| process.script.remaining_time(mono, self.call_time))
    }

    /// Ends the running call and those that wait for its end, without any time passing.
    pub fn end_calls(&mut self, clock: Clock, sink: &mut impl CallSink) {
        while self.process.as_ref().is_some_and(|process| process.script.is_running()) {
            self.end_call(clock, sink);
        }
    }

    /// The running call ends: SIGCHLD in 2.33; later the helper reads the next call from its pipe.
    fn end_call(&mut self, clock: Clock, sink: &mut impl CallSink) {
        if let Some(process) = &mut self.process {
            process.script.next(clock.mono, self.call_time, &process.context, sink);
        }
        self.run(clock, sink);
    }

    /// A copy without the running process, as after a kill. Cheaper than a clone.
    pub(super) fn without_process(&self) -> Engine {
        Engine {
            build: self.build,
            config: Arc::clone(&self.config),
            network: Arc::clone(&self.network),
            files: Arc::clone(&self.files),
            lease_file: self.lease_file.clone(),
            neighbours: self.neighbours.clone(),
            call_time: self.call_time,
            process: None,
        }
    }

    /// SIGHUP: dnsmasq reads its files again and calls the script for every lease.
    pub fn sighup(&mut self, clock: Clock, sink: &mut impl CallSink) {
        self.resolve_alarm(clock);
        let now = self.build.now(clock);
        if let Some(process) = &mut self.process {
            let rules = *process.db.rules();
            process.loses_next_packet = rules.packet_after_sighup_is_lost;
            if rules.sighup_starts_no_script {
                process.reload(&self.files, now, clock.mono, &mut self.lease_file);
                return;
            }
            process.pipe.push_back(PipeEvent::Reload);
        }
        self.run(clock, sink);
    }

    /// The time on the monotonic clock at which dnsmasq acts next by itself: that of the next SIGALRM, of the end of the
    /// second for which it is busy ([`Engine::is_busy`]), or of the end of a call of the script.
    #[must_use]
    pub fn next_alarm(&self) -> Option<i64> {
        self.next_wake().map(|(at, _)| at)
    }

    /// Whether dnsmasq uses the CPU until [`Engine::next_alarm`], which then is no SIGALRM: a lease is at its end, but not
    /// over yet (2.61 to 2.80).
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.next_wake().is_some_and(|(_, wake)| wake == Wake::EndOfBusySecond)
    }

    fn next_wake(&self) -> Option<(i64, Wake)> {
        let process = self.process.as_ref()?;
        let wakes = [
            (process.script.end(), Wake::EndOfCall),
            (process.alarm_time(), Wake::Alarm),
            (process.busy_until, Wake::EndOfBusySecond),
        ];
        wakes.into_iter().filter_map(|(at, wake)| Some((at?, wake))).min_by_key(|(at, _)| *at)
    }

    /// A lower bound of [`Engine::next_alarm`], computed without a scan of the leases; `i64::MAX` without an alarm.
    #[must_use]
    pub fn next_alarm_bound(&self) -> i64 {
        match &self.process {
            None => i64::MAX,
            Some(p) => {
                let alarm = match p.alarm.pending {
                    None => p.alarm.at.unwrap_or(i64::MAX),
                    Some((now, mono)) => {
                        let bound = p.db.earliest_alarm_bound();
                        mono.saturating_add(bound.saturating_sub(now).clamp(0, i64::from(u32::MAX)))
                    }
                };
                let busy = p.busy_until.unwrap_or(i64::MAX);
                alarm.min(busy).min(p.script.end().unwrap_or(i64::MAX))
            }
        }
    }

    /// Advances both clocks to `clock` at the same rate. Returns the monotonic times at which SIGALRM fired. For a jump of
    /// the wall clock, pass the new wall clock with the next input instead.
    pub fn advance_to(&mut self, clock: Clock, sink: &mut impl CallSink) -> Vec<i64> {
        let mut fired = Vec::new();
        while let Some((at, wake)) = self.next_wake().filter(|(at, _)| *at <= clock.mono) {
            let then = clock.after(at.wrapping_sub(clock.mono));
            if wake == Wake::Alarm {
                fired.push(at);
            }
            self.sigalrm(then, sink);
        }
        fired
    }

    /// What happens at [`Engine::next_alarm`]. [`Engine::advance_to`] calls it when it is due.
    pub fn sigalrm(&mut self, clock: Clock, sink: &mut impl CallSink) {
        let wake = self.next_wake().map_or(Wake::Alarm, |(_, wake)| wake);
        let Some(process) = &mut self.process else { return };
        match wake {
            Wake::EndOfCall => return self.end_call(clock, sink),
            Wake::EndOfBusySecond => process.busy_until = None,
            Wake::Alarm => process.alarm = Alarm::default(),
        }
        process.pipe.push_back(PipeEvent::Alarm);
        self.run(clock, sink);
    }

    /// Creates or replaces a file that dnsmasq may read, or removes it (`None`). The path is as on its command line. A file
    /// in a `--dhcp-hostsdir` is read at once (inotify.c).
    pub fn set_file(
        &mut self,
        path: &str,
        text: Option<Vec<u8>>,
        clock: Clock,
        sink: &mut impl CallSink,
    ) {
        self.store_file(path, text.clone());
        self.resolve_alarm(clock);
        let now = self.build.now(clock);
        let lease_file = &mut self.lease_file;
        if let (Some(process), Some(text)) = (&mut self.process, text)
            && process.config.hosts_dirs.iter().any(|dir| is_in_dir(path, dir))
        {
            process.directory.add_file(&text);
            process.update_from_configs();
            process.update_file(now, clock.mono, lease_file);
            self.run(clock, sink);
        }
    }

    /// Creates, replaces or removes a file that dnsmasq does not watch: it reads the file at its start and at SIGHUP.
    pub fn store_file(&mut self, path: &str, text: Option<Vec<u8>>) {
        let files = Arc::make_mut(&mut self.files);
        match text {
            None => files.remove(path),
            Some(text) => files.insert(path.to_owned(), text),
        };
    }

    /// Whether there is a file below a folder.
    #[must_use]
    pub fn has_files_in(&self, dir: &str) -> bool {
        let is_below =
            |path: &str| path.strip_prefix(dir).is_some_and(|rest| rest.starts_with('/'));
        self.files.keys().any(|path| is_below(path))
    }

    /// Power was lost: the kernel's neighbour table is empty, and the files are gone whose paths `is_in_ram` names.
    pub fn lose_ram(&mut self, is_in_ram: impl Fn(&str) -> bool) {
        self.neighbours.clear();
        if is_in_ram(&self.config.lease_file) {
            self.lease_file.clear();
        }
        if self.files.keys().any(|path| is_in_ram(path)) {
            Arc::make_mut(&mut self.files).retain(|path, _| !is_in_ram(path));
        }
    }

    /// Adds a neighbour to the kernel's table, or changes its hardware address.
    pub fn add_neighbour(&mut self, addr: IpAddr, hw: HwAddr) {
        match self.neighbours.iter_mut().find(|(a, _)| *a == addr) {
            Some(entry) => entry.1 = hw,
            None => self.neighbours.push((addr, hw)),
        }
    }

    /// Removes a neighbour from the kernel's table.
    pub fn remove_neighbour(&mut self, addr: IpAddr) {
        self.neighbours.retain(|(a, _)| *a != addr);
    }

    /// A TFTP transfer of `file` to `client` ended (tftp.c `do_tftp_script_run`).
    pub fn tftp(
        &mut self,
        client: IpAddr,
        file: &[u8],
        size: u64,
        clock: Clock,
        sink: &mut impl CallSink,
    ) {
        if let Some(process) = &mut self.process
            && process.config.tftp
            && process.db.rules().tftp_calls
        {
            let path = [&process.config.tftp_root[..], file].concat();
            process.transfers.push_back((size, client, path));
            self.run(clock, sink);
        }
    }

    /// The leases, newest first.
    pub fn leases(&self) -> impl Iterator<Item = &Lease> {
        self.process.iter().flat_map(|p| p.db.newest_first())
    }

    /// Number of leases.
    #[must_use]
    pub fn lease_count(&self) -> usize {
        self.process.as_ref().map_or(0, |p| p.db.len())
    }

    /// The lines of dnsmasq's own lease file for the current leases (lease.c `lease_update_file`): DHCPv4 leases, then
    /// `duid`, then DHCPv6 leases, each newest first.
    #[must_use]
    pub fn lease_lines(&self) -> Vec<String> {
        self.process.as_ref().map_or_else(Vec::new, Process::lease_lines)
    }

    /// The server's DUID; empty if there is none.
    #[must_use]
    pub fn server_duid(&self) -> &[u8] {
        self.process.as_ref().map_or(&[], |p| &p.context.server_duid)
    }

    /// Computes the time of an alarm whose lease may be removed by a change. Must be called before every change.
    pub(crate) fn resolve_alarm(&mut self, clock: Clock) {
        let now = self.build.now(clock);
        if let Some(process) = &mut self.process
            && process.alarm.pending.is_some()
            && (process.db.finite_leases() <= 1 || now >= process.db.earliest_end_bound())
        {
            process.alarm = Alarm { at: process.alarm_time(), pending: None };
        }
    }

    /// dhcp.c `dhcp_packet`: expired leases are removed before a packet is handled.
    pub(crate) fn drop_expired(&mut self, clock: Clock) {
        let now = self.build.now(clock);
        self.resolve_alarm(clock);
        if let Some(process) = &mut self.process {
            process.db.prune_expired(now);
        }
    }

    /// The end of dhcp.c `dhcp_packet` (lease file, alarm), then the main loop until it is idle.
    pub(crate) fn finish_packet(&mut self, clock: Clock, sink: &mut impl CallSink) {
        let now = self.build.now(clock);
        if let Some(process) = &mut self.process {
            if process.has_crashed {
                self.process = None;
                return;
            }
            process.update_file(now, clock.mono, &mut self.lease_file);
        }
        self.run(clock, sink);
    }

    /// dnsmasq.c `main`: each round queues at most one call (for a lease, else for a neighbour, else for a transfer), and
    /// then takes one event from the pipe. Ends when there is neither.
    fn run(&mut self, clock: Clock, sink: &mut impl CallSink) {
        let now = self.build.now(clock);
        let Some(process) = &mut self.process else { return };
        loop {
            let called =
                process.script_round(&self.neighbours, now, (clock.mono, self.call_time), sink);
            match process.pipe.pop_front() {
                Some(PipeEvent::Alarm) => {
                    process.db.prune_expired(now);
                    process.update_file(now, clock.mono, &mut self.lease_file);
                }
                Some(PipeEvent::Reload) => {
                    process.reload(&self.files, now, clock.mono, &mut self.lease_file);
                }
                None if !called => return,
                None => {}
            }
        }
    }

    /// dhcp.c `dhcp_packet`: the address is added to the kernel's table before the reply to an unconfigured client.
    pub(crate) fn inject_neighbour(&mut self, addr: Ipv4Addr, hw: &HwAddr) {
        if hw.kind == super::hw_addr::ETHER && hw.bytes().len() == 6 {
            self.add_neighbour(IpAddr::V4(addr), *hw);
        }
    }
}

impl Process {
    /// The name of an interface.
    pub(crate) fn interface_name(&self, interface: u8) -> &[u8] {
        self.context.interfaces.get(usize::from(interface)).map_or(&[], Vec::as_slice)
    }

    fn alarm_time(&self) -> Option<i64> {
        match self.alarm.pending {
            None => self.alarm.at,
            Some((now, mono)) => {
                // alarm() takes an unsigned int; 0 cancels the alarm.
                let wait = self.db.earliest_alarm()?.wrapping_sub(now) as u32;
                (wait != 0).then(|| mono.saturating_add(i64::from(wait)))
            }
        }
    }

    /// The handling of SIGHUP, and of the synthetic one at the start (dnsmasq.c `async_event`).
    fn reload(&mut self, files: &ConfigFiles, now: i64, mono: i64, lease_file: &mut Vec<u8>) {
        if !self.config.ranges4.is_empty() || !self.config.ranges6.is_empty() {
            self.directory = HostDirectory::read(&self.config, files);
            self.update_from_configs();
            self.update_file(now, mono, lease_file);
        }
        if self.db.rules().sighup_marks_changed {
            self.db.rerun_scripts();
        }
    }

    /// One round of do_script_run(), do_arp_script_run() and do_tftp_script_run(). Returns whether there was a call.
    /// `mono` and `call_time`: when a call begins, and how long it takes.
    fn script_round(
        &mut self,
        neighbours: &[(IpAddr, HwAddr)],
        now: i64,
        (mono, call_time): (i64, i64),
        sink: &mut impl CallSink,
    ) -> bool {
        match self.db.rules().delivery {
            CallDelivery::OneAtATime if self.script.is_running() => false,
            CallDelivery::Queued if self.script.is_running() => {
                let mut queued = None;
                let called =
                    self.queue_next(neighbours, now, |call| queued = Some(HeldCall::of(call)));
                if let Some(call) = queued {
                    self.script.push(call);
                }
                called
            }
            CallDelivery::OneAtATime | CallDelivery::Queued => {
                let mut begins = false;
                let called = self.queue_next(neighbours, now, |call| {
                    begins = true;
                    sink.call(call);
                });
                if begins {
                    self.script.begin(mono, call_time);
                }
                called
            }
            CallDelivery::MergedAtStop if self.held.is_some() => false,
            CallDelivery::LastAtStop | CallDelivery::MergedAtStop => {
                let mut held = self.held.take();
                let called =
                    self.queue_next(neighbours, now, |call| held = Some(HeldCall::of(call)));
                self.held = held;
                called
            }
        }
    }

    /// The flags that make a call due besides `NEW` and `CHANGED`.
    fn aux_flags(&self) -> Flags {
        let mut aux = Flags::default();
        if self.config.lease_ro {
            aux.set(Flags::AUX_CHANGED);
        }
        if self.config.script_on_renewal {
            aux.set(Flags::EXP_CHANGED);
        }
        aux
    }

    /// Passes the next call to `queue`: the buffer has room for one.
    fn queue_next(
        &mut self,
        neighbours: &[(IpAddr, HwAddr)],
        now: i64,
        mut queue: impl FnMut(&PendingCall<'_>),
    ) -> bool {
        let rules = *self.db.rules();
        let aux = self.aux_flags();
        let (context, stale, shows_stale) = (&self.context, &mut self.stale, self.shows_stale);
        let has_script = !context.script.is_empty();
        let called = self.db.next_call(aux, |due, lease, name| {
            if !has_script {
                return;
            }
            let action = match due {
                Due::LostName => Action::OldHostname,
                Due::Ended => Action::Del,
                Due::New => Action::Add,
                Due::Changed => Action::Old,
            };
            let subject = Subject::Lease { lease, name };
            queue(&PendingCall { action, subject, context, stale, now });
            if shows_stale {
                stale.record(lease, &rules);
            }
        });
        if self.config.script_arp && rules.arp_calls {
            self.arp.refresh(neighbours, now);
        }
        if called {
            return true;
        }
        if let Some((action, addr, hw)) = self.arp.next_call() {
            let subject = Subject::Neighbour { hw: &hw, addr };
            queue(&PendingCall {
                action,
                subject,
                context: &self.context,
                stale: &self.stale,
                now,
            });
            return true;
        }
        if let Some((size, client, path)) = self.transfers.pop_front() {
            let subject = Subject::Transfer { size, client, path: &path };
            queue(&PendingCall {
                action: Action::Tftp,
                subject,
                context: &self.context,
                stale: &self.stale,
                now,
            });
            return true;
        }
        false
    }

    /// lease.c `lease_update_from_configs`: gives DHCPv4 leases the names from the configuration.
    pub(crate) fn update_from_configs(&mut self) {
        for slot in self.db.slots_newest_first() {
            let lease = self.db.get(slot);
            let Some(addr) = lease.v4() else { continue };
            let host = self.directory.find(
                ClientNetwork::Any,
                lease.clid.as_deref(),
                Some(&lease.hw),
                None,
                &[],
            );
            let by_host =
                host.filter(|h| h.addr.is_none_or(|a| a == addr)).and_then(|h| h.name.clone());
            let name = by_host.or_else(|| {
                match self.directory.name_of(addr, &self.config, self.db.rules())? {
                    HostsName::Taken(name) => Some(Arc::from(name)),
                    HostsName::ReplacesClientName(_) => None,
                }
            });
            if let Some(name) = name {
                let domain = self.config.domain_of(IpAddr::V4(addr)).map(<[u8]>::to_vec);
                self.db.set_hostname(slot, &name, true, domain.as_deref());
            }
        }
    }

    /// lease.c `lease_update_file`: writes the lease file if there is one and it is dirty, and sets the alarm to the
    /// earliest expiry. One in the past goes through the pipe, again and again until the lease is over. Without any, an
    /// earlier alarm stays set.
    fn update_file(&mut self, now: i64, mono: i64, lease_file: &mut Vec<u8>) {
        if self.db.dirty && !self.config.lease_ro {
            let mut text = self.lease_lines().join("\n");
            if !text.is_empty() {
                text.push('\n');
            }
            *lease_file = text.into_bytes();
            self.db.dirty = false;
        }
        if self.db.finite_leases() == 0 {
            return;
        }
        self.busy_until = None;
        if self.db.rules().past_alarm_is_immediate
            && self.db.earliest_alarm_bound() <= now
            && self.db.earliest_alarm().is_some_and(|event| event <= now)
        {
            self.alarm = Alarm { at: self.alarm_time(), pending: None };
            match self.db.earliest_removal() {
                Some(removal) if removal > now => {
                    self.busy_until = Some(mono.saturating_add(removal.saturating_sub(now)));
                }
                _ => self.pipe.push_back(PipeEvent::Alarm),
            }
        } else {
            self.alarm = Alarm { at: None, pending: Some((now, mono)) };
        }
    }

    fn lease_lines(&self) -> Vec<String> {
        let line = |lease: &Lease| {
            let time = match self.context.build {
                Build::Rtc => (lease.expires as u64).to_string(),
                Build::NoRtc => lease.length.to_string(),
            };
            // A blank in a name becomes `*`.
            let blank = |byte: &u8| if *byte == b' ' { b'*' } else { *byte };
            let hostname: Option<Vec<u8>> =
                lease.hostname.as_ref().map(|name| name.iter().map(blank).collect());
            let id = match lease.kind {
                LeaseKind::V4 => lease.hw.text(),
                LeaseKind::V6(kind) => kind.iaid_text(lease.iaid),
            };
            let line = LeaseLine {
                time: time.as_bytes(),
                id: id.as_bytes(),
                address: lease.addr.to_string().as_bytes(),
                hostname: hostname.as_deref().unwrap_or(LeaseLine::NONE),
                client_id: LeaseLine::or_none(
                    hex_text(lease.clid.as_deref().unwrap_or_default()).as_bytes(),
                ),
            }
            .to_bytes();
            String::from_utf8_lossy(&line).into_owned()
        };
        let mut lines: Vec<String> =
            self.db.newest_first().filter(|l| !l.kind.is_v6()).map(line).collect();
        if !self.context.server_duid.is_empty() {
            let duid = duid_line(hex_text(&self.context.server_duid).as_bytes());
            lines.push(String::from_utf8_lossy(&duid).into_owned());
            lines.extend(self.db.newest_first().filter(|l| l.kind.is_v6()).map(line));
        }
        lines
    }
}

/// lease.c `lease_init`: the handling of the status of pclose().
fn check_init(
    status: InitStatus,
    config: &ServerConfig,
    rules: &Rules,
) -> Result<(), StartFailure> {
    let script = String::from_utf8_lossy(&config.script);
    let cannot = |why: &str| {
        let message = format!("cannot run lease-init script {script}: {why}");
        Err(StartFailure::exit(rules, 3, message))
    };
    match status {
        // WEXITSTATUS of a shell that was killed by a signal is 0.
        InitStatus::Code(0) | InitStatus::Signal(_) => Ok(()),
        InitStatus::Code(126) => cannot("Permission denied"),
        InitStatus::Code(127) => cannot("No such file or directory"),
        InitStatus::Code(code) => Err(StartFailure::exit(
            rules,
            code.wrapping_add(INIT_OFFSET),
            format!("lease-init script returned exit code {code}"),
        )),
    }
}

/// dhcp6.c `make_duid`: link-layer address plus time, or only the address without a real-time clock or a stored database.
fn make_duid(build: Build, config: &ServerConfig, network: &Network, now: i64) -> Vec<u8> {
    let persistent = build == Build::Rtc && (!config.lease_ro || !config.script.is_empty());
    let time = if persistent { now.wrapping_sub(DUID_EPOCH) } else { 0 };
    let mut duid = if time == 0 { vec![0, 3, 0, 1] } else { vec![0, 1, 0, 1] };
    if time != 0 {
        duid.extend_from_slice(&(time as u32).to_be_bytes());
    }
    duid.extend_from_slice(&network.mac);
    duid
}
