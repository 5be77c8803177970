//! The inputs of the model: start, messages, signals, files, neighbours and the passage of time.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use super::alarm::Alarm;
use super::call::{ScriptCall, init_call};
use super::call_sink::CallSink;
use super::clock::{Build, Clock};
use super::config::ServerConfig;
use super::hosts::{ConfigFiles, is_in_dir};
use super::hw_addr::{ETHER, HwAddr};
use super::init::{InitResult, StartFailure};
use super::lease::Lease;
use super::network::Network;
use super::process::{PipeEvent, Process, Wake};
use super::rules::CallDelivery;
use super::start::start;

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
        let (network, now) = (&self.network, self.build.now(clock));
        self.process = Some(start(self.build, config, network, &self.lease_file, init, now)?);
        self.run(clock, sink);
        Ok(())
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
        let Some(process) = &mut self.process else { return };
        if process.db.rules().watches_addresses && !process.config.ranges6.is_empty() {
            process.find_interfaces(&self.network);
        }
        self.run(clock, sink);
    }

    /// SIGTERM: the helper makes the calls that wait in its pipe, and dnsmasq all due ones (dnsmasq.c, `EVENT_TERM`). When it
    /// is idle there are none, except in the releases that make calls only here. 2.33 makes none.
    pub fn stop(&mut self, clock: Clock, sink: &mut impl CallSink) {
        let now = self.build.now(clock);
        if let Some(process) = self.process.take() {
            process.stop(&self.neighbours, now, sink);
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
        self.process.as_ref().is_some_and(Process::has_unreported_changes)
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
        self.process.as_ref()?.next_wake()
    }

    /// A lower bound of [`Engine::next_alarm`], computed without a scan of the leases; `i64::MAX` without an alarm.
    #[must_use]
    pub fn next_alarm_bound(&self) -> i64 {
        self.process.as_ref().map_or(i64::MAX, Process::next_wake_bound)
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
        if let Some(process) = &mut self.process {
            process.resolve_alarm(now);
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
                process.script_round(&self.neighbours, now, clock.mono, self.call_time, sink);
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
        if hw.kind == ETHER && hw.bytes().len() == 6 {
            self.add_neighbour(IpAddr::V4(addr), *hw);
        }
    }
}
