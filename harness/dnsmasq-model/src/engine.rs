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

/// A model of dnsmasq, including the state of its machine that survives a restart of dnsmasq: files, the kernel's
/// neighbour table and the lease file.
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
    /// Seconds that each call except `init` takes.
    call_time: i64,
    pub(crate) process: Option<Process>,
}

impl Engine {
    /// Creates a dnsmasq that is not running yet, on the default [`Network`].
    #[must_use]
    pub fn new(build: Build, config: ServerConfig) -> Engine {
        Engine::with_network(build, config, Network::default())
    }

    /// Creates a dnsmasq that is not running yet, on the given network.
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

    /// Returns the build of dnsmasq.
    #[must_use]
    pub fn build(&self) -> Build {
        self.build
    }

    /// Returns the options of the running dnsmasq, including those of its files. If dnsmasq is not running, returns the
    /// options for the next start.
    #[must_use]
    pub fn config(&self) -> &ServerConfig {
        self.process.as_ref().map_or(&self.config, |process| &process.config)
    }

    /// Returns the options for the next start, including those of its files if dnsmasq can read them.
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

    /// Sets the number of seconds on the monotonic clock that each call except `init` takes from now on (initially 0).
    pub fn set_call_time(&mut self, seconds: i64) {
        self.call_time = seconds;
    }

    /// Returns the server's interfaces and their addresses.
    #[must_use]
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// Returns whether dnsmasq is running.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.process.is_some()
    }

    /// Returns the `init` call with which the next start begins, or `None` without `--leasefile-ro` or without a
    /// script.
    #[must_use]
    pub fn init_call(&self) -> Option<ScriptCall> {
        (self.config.lease_ro && !self.config.script.is_empty())
            .then(|| init_call(self.config.script_name()))
    }

    /// Checks that dnsmasq does not exit because of its configuration before it calls the script.
    ///
    /// # Errors
    /// Returns the exit code and the message.
    pub fn check_configuration(&self) -> Result<(), StartFailure> {
        self.config.at_start(&self.files, &self.network).map(|_| ())
    }

    /// Starts dnsmasq: reads the leases from the result of `init` (lease.c `lease_init`), then makes the calls of
    /// dnsmasq.c `main` until it is idle. If dnsmasq has a lease file, `init` is ignored.
    ///
    /// # Errors
    /// Returns an error if dnsmasq exits with code 1, 3, 5 or 10 + r, or crashes. In this case it has made no calls.
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

    /// Adds an address with its prefix length to the server's interface.
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

    /// Removes an address from the server's interface.
    pub fn remove_address(&mut self, addr: IpAddr, clock: Clock, sink: &mut impl CallSink) {
        let network = Arc::make_mut(&mut self.network);
        network.v4.retain(|(own, _)| addr != IpAddr::V4(*own));
        network.v6.retain(|(own, _)| addr != IpAddr::V6(*own));
        self.handle_new_addresses(clock, sink);
    }

    /// Looks for the interfaces of the leases if DHCPv6 is in use (netlink.c, network.c `newaddress`).
    fn handle_new_addresses(&mut self, clock: Clock, sink: &mut impl CallSink) {
        let Some(process) = &mut self.process else { return };
        if process.db.rules().watches_addresses && !process.config.ranges6.is_empty() {
            process.find_interfaces(&self.network);
        }
        self.run(clock, sink);
    }

    /// Sends SIGTERM: the helper makes the calls that wait in its pipe, and dnsmasq makes all due calls (dnsmasq.c,
    /// `EVENT_TERM`). If dnsmasq is idle, no calls are due, except in the releases that make calls only at SIGTERM.
    /// 2.33 makes no calls.
    pub fn stop(&mut self, clock: Clock, sink: &mut impl CallSink) {
        let now = self.build.now(clock);
        if let Some(process) = self.process.take() {
            process.stop(&self.neighbours, now, sink);
        }
    }

    /// Sends SIGKILL to dnsmasq's main process. The helper still makes the calls in its pipe.
    pub fn kill_main_process(&mut self, sink: &mut impl CallSink) {
        if let Some(mut process) = self.process.take() {
            process.script.make_all(&process.context, sink);
        }
    }

    /// Stops dnsmasq like a power cut, or like SIGKILL of dnsmasq and its helper: waiting calls are never made.
    pub fn kill(&mut self) {
        self.process = None;
    }

    /// Returns whether the calls contain the server's DUID. 2.66 and 2.67 pass another value until the DUID has been
    /// read from the database.
    #[must_use]
    pub fn reports_server_duid(&self) -> bool {
        self.process.as_ref().is_none_or(|process| process.context.reports_server_duid())
    }

    /// Returns whether the next DHCPv4 message is lost, like the first one after SIGHUP in 2.33.
    #[must_use]
    pub fn loses_next_packet(&self) -> bool {
        self.process.as_ref().is_some_and(|process| process.loses_next_packet)
    }

    /// Returns whether there are changes that have not been reported to the script yet.
    #[must_use]
    pub fn has_unreported_changes(&self) -> bool {
        self.process.as_ref().is_some_and(Process::has_unreported_changes)
    }

    /// Returns how many seconds the helper needs to complete the running call and the calls in its pipe, if dnsmasq
    /// ends now.
    #[must_use]
    pub fn remaining_call_time(&self, mono: i64) -> i64 {
        self.process
            .as_ref()
            .filter(|process| process.db.rules().delivery == CallDelivery::Queued)
            .map_or(0, |process| process.script.remaining_time(mono, self.call_time))
    }

    /// Ends the running call and all calls that wait for it, without advancing the clock.
    pub fn end_calls(&mut self, clock: Clock, sink: &mut impl CallSink) {
        while self.process.as_ref().is_some_and(|process| process.script.is_running()) {
            self.end_call(clock, sink);
        }
    }

    /// Ends the running call: dnsmasq receives SIGCHLD in 2.33; in later releases, the helper reads the next call from
    /// its pipe.
    fn end_call(&mut self, clock: Clock, sink: &mut impl CallSink) {
        if let Some(process) = &mut self.process {
            process.script.next(clock.mono, self.call_time, &process.context, sink);
        }
        self.run(clock, sink);
    }

    /// Returns a copy without the running process, as after a kill. This is cheaper than a clone.
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

    /// Sends SIGHUP: dnsmasq reads its files again and calls the script for every lease.
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

    /// Returns the time on the monotonic clock at which dnsmasq next acts without input: at the next SIGALRM, at the
    /// end of the second for which it is busy ([`Engine::is_busy`]), or at the end of a script call.
    #[must_use]
    pub fn next_alarm(&self) -> Option<i64> {
        self.next_wake().map(|(at, _)| at)
    }

    /// Returns whether dnsmasq uses the CPU until [`Engine::next_alarm`], which is then not a SIGALRM: a lease has
    /// reached its end but cannot be removed yet (2.61 to 2.80).
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.next_wake().is_some_and(|(_, wake)| wake == Wake::EndOfBusySecond)
    }

    fn next_wake(&self) -> Option<(i64, Wake)> {
        self.process.as_ref()?.next_wake()
    }

    /// Returns a lower bound of [`Engine::next_alarm`] without scanning the leases, or `i64::MAX` if there is no alarm.
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

    /// Performs the action that is due at [`Engine::next_alarm`]. [`Engine::advance_to`] calls this method when it is
    /// due.
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

    /// Creates or replaces a file that dnsmasq may read, or removes it if `text` is `None`. `path` is the path on
    /// dnsmasq's command line. dnsmasq reads a file in a `--dhcp-hostsdir` at once (inotify.c).
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

    /// Creates, replaces or removes a file that dnsmasq does not watch. dnsmasq reads the file at its start and at
    /// SIGHUP.
    pub fn store_file(&mut self, path: &str, text: Option<Vec<u8>>) {
        let files = Arc::make_mut(&mut self.files);
        match text {
            None => files.remove(path),
            Some(text) => files.insert(path.to_owned(), text),
        };
    }

    /// Returns whether there is a file below a folder.
    #[must_use]
    pub fn has_files_in(&self, dir: &str) -> bool {
        let is_below =
            |path: &str| path.strip_prefix(dir).is_some_and(|rest| rest.starts_with('/'));
        self.files.keys().any(|path| is_below(path))
    }

    /// Discards what a loss of power discards: the kernel's neighbour table, and the files for whose paths `is_in_ram`
    /// returns `true`.
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

    /// Reports the end of a TFTP transfer of `file` to `client` (tftp.c `do_tftp_script_run`).
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

    /// Iterates over the leases, newest first.
    pub fn leases(&self) -> impl Iterator<Item = &Lease> {
        self.process.iter().flat_map(|p| p.db.newest_first())
    }

    /// Returns the number of leases.
    #[must_use]
    pub fn lease_count(&self) -> usize {
        self.process.as_ref().map_or(0, |p| p.db.len())
    }

    /// Returns the lines of dnsmasq's own lease file for the current leases (lease.c `lease_update_file`): DHCPv4
    /// leases, then `duid`, then DHCPv6 leases, each newest first.
    #[must_use]
    pub fn lease_lines(&self) -> Vec<String> {
        self.process.as_ref().map_or_else(Vec::new, Process::lease_lines)
    }

    /// Returns the server's DUID, which is empty if there is none.
    #[must_use]
    pub fn server_duid(&self) -> &[u8] {
        self.process.as_ref().map_or(&[], |p| &p.context.server_duid)
    }

    /// Computes the time of the alarm if the coming change may remove the lease on which it depends. This must be
    /// called before every change.
    pub(crate) fn resolve_alarm(&mut self, clock: Clock) {
        let now = self.build.now(clock);
        if let Some(process) = &mut self.process {
            process.resolve_alarm(now);
        }
    }

    /// Removes expired leases, as dnsmasq does before it handles a packet (dhcp.c `dhcp_packet`).
    pub(crate) fn drop_expired(&mut self, clock: Clock) {
        let now = self.build.now(clock);
        self.resolve_alarm(clock);
        if let Some(process) = &mut self.process {
            process.db.prune_expired(now);
        }
    }

    /// Writes the lease file and sets the alarm, as at the end of dhcp.c `dhcp_packet`, then runs the main loop until
    /// it is idle.
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

    /// Runs the main loop of dnsmasq.c `main`. Each round queues at most one call (for a lease, else for a neighbour,
    /// else for a transfer) and then takes one event from the pipe. The loop ends when there is neither a call nor an
    /// event.
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

    /// Adds an address to the kernel's neighbour table, as dnsmasq does before it replies to an unconfigured client
    /// (dhcp.c `dhcp_packet`).
    pub(crate) fn inject_neighbour(&mut self, addr: Ipv4Addr, hw: &HwAddr) {
        if hw.kind == ETHER && hw.bytes().len() == 6 {
            self.add_neighbour(IpAddr::V4(addr), *hw);
        }
    }
}
