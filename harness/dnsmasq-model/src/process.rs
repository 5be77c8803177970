//! A running dnsmasq and its main loop (dnsmasq.c `main`, `async_event`).

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::Arc;

use super::alarm::Alarm;
use super::arp::ArpCache;
use super::call::Action;
use super::call_sink::CallSink;
use super::clock::Build;
use super::config::ServerConfig;
use super::db::{Due, LeaseDb};
use super::held_call::HeldCall;
use super::hex::hex_text;
use super::hosts::{ClientNetwork, ConfigFiles, HostDirectory, HostsName};
use super::hw_addr::HwAddr;
use super::lease::{Flags, Lease, LeaseKind};
use super::lease_line::{LeaseLine, duid_line};
use super::network::Network;
use super::pending_call::{CallContext, PendingCall, Subject};
use super::rules::CallDelivery;
use super::script_queue::ScriptQueue;
use super::stale_buffers::StaleBuffers;

/// An event in dnsmasq's pipe to itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PipeEvent {
    /// `EVENT_INIT` and `EVENT_RELOAD` (SIGHUP).
    Reload,
    /// `EVENT_ALARM`: SIGALRM, or an expiry that is already in the past when the alarm is set.
    Alarm,
}

/// Why dnsmasq acts without input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wake {
    /// A call of the script has ended.
    EndOfCall,
    /// SIGALRM.
    Alarm,
    /// A lease that has reached its end can be removed ([`Process::busy_until`]).
    EndOfBusySecond,
}

/// A running dnsmasq.
#[derive(Debug, Clone)]
pub(crate) struct Process {
    pub(crate) config: Arc<ServerConfig>,
    pub(crate) db: LeaseDb,
    pub(crate) directory: HostDirectory,
    pub(crate) context: Arc<CallContext>,
    stale: StaleBuffers,
    /// Whether there may be a DHCPv6 lease whose call contains data from `stale`.
    shows_stale: bool,
    pub(crate) pipe: VecDeque<PipeEvent>,
    arp: ArpCache,
    /// Ended TFTP transfers that have not been reported to the script: size, client and path.
    pub(crate) transfers: VecDeque<(u64, IpAddr, Vec<u8>)>,
    pub(crate) alarm: Alarm,
    /// The time on the monotonic clock until which dnsmasq raises the alarm repeatedly, because a lease has reached its
    /// end but cannot be removed yet.
    pub(crate) busy_until: Option<i64>,
    /// A call that waits in the buffer.
    held: Option<HeldCall>,
    pub(crate) script: ScriptQueue,
    /// Whether the next packet is lost.
    pub(crate) loses_next_packet: bool,
    /// Whether dnsmasq has accessed a lease that could not be allocated.
    pub(crate) has_crashed: bool,
}

impl Process {
    /// Creates a dnsmasq that has read its lease database, before the first round of its main loop. `stale` is what
    /// reading left in the buffers.
    pub(crate) fn new(
        config: Arc<ServerConfig>,
        db: LeaseDb,
        context: CallContext,
        stale: StaleBuffers,
    ) -> Process {
        let directory = HostDirectory::read(&config, &ConfigFiles::default());
        let shows_stale =
            !config.ranges6.is_empty() || db.newest_first().any(|lease| lease.kind.is_v6());
        Process {
            config,
            db,
            directory,
            context: Arc::new(context),
            stale,
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
        }
    }

    /// Returns the next time on the monotonic clock at which dnsmasq acts without input, and the reason.
    pub(crate) fn next_wake(&self) -> Option<(i64, Wake)> {
        let wakes = [
            (self.script.end(), Wake::EndOfCall),
            (self.alarm.time(&self.db), Wake::Alarm),
            (self.busy_until, Wake::EndOfBusySecond),
        ];
        wakes.into_iter().filter_map(|(at, wake)| Some((at?, wake))).min_by_key(|(at, _)| *at)
    }

    /// Returns a lower bound of the time of [`Process::next_wake`], or `i64::MAX` if dnsmasq does not act without
    /// input.
    pub(crate) fn next_wake_bound(&self) -> i64 {
        let end_of_call = self.script.end().unwrap_or(i64::MAX);
        let end_of_busy_second = self.busy_until.unwrap_or(i64::MAX);
        self.alarm.bound(&self.db).min(end_of_busy_second).min(end_of_call)
    }

    /// Computes the time of the alarm if a lease on which it depends may be removed at `now`.
    pub(crate) fn resolve_alarm(&mut self, now: i64) {
        if self.alarm.depends_on_leases()
            && (self.db.finite_leases() <= 1 || now >= self.db.earliest_end_bound())
        {
            self.alarm = self.alarm.resolved(&self.db);
        }
    }

    /// Handles SIGTERM: the helper makes the calls that wait in its pipe, and dnsmasq makes all due calls.
    pub(crate) fn stop(
        mut self,
        neighbours: &[(IpAddr, HwAddr)],
        now: i64,
        sink: &mut impl CallSink,
    ) {
        self.script.make_all(&self.context, sink);
        if let Some(held) = self.held.take() {
            held.make(&self.context, sink);
        }
        if self.db.rules().delivery == CallDelivery::MergedAtStop {
            while self.queue_next(neighbours, now, |call| sink.call(call)) {}
        }
    }

    /// Returns whether there are changes that have not been reported to the script yet.
    pub(crate) fn has_unreported_changes(&self) -> bool {
        self.held.is_some()
            || self.script.has_waiting()
            || (self.script.is_running() && self.db.has_due_call(self.aux_flags()))
    }

    /// Sets the interface of each lease on a connected network (lease.c `lease_find_interfaces`).
    pub(crate) fn find_interfaces(&mut self, network: &Network) {
        for slot in self.db.slots_newest_first() {
            if let Some(interface) = network.interface_of(self.db.get(slot).addr) {
                self.db.set_interface(slot, interface);
            }
        }
    }

    pub(crate) fn interface_name(&self, interface: u8) -> &[u8] {
        self.context.interfaces.get(usize::from(interface)).map_or(&[], Vec::as_slice)
    }

    /// Handles SIGHUP, or the synthetic SIGHUP at the start (dnsmasq.c `async_event`).
    pub(crate) fn reload(
        &mut self,
        files: &ConfigFiles,
        now: i64,
        mono: i64,
        lease_file: &mut Vec<u8>,
    ) {
        if !self.config.ranges4.is_empty() || !self.config.ranges6.is_empty() {
            self.directory = HostDirectory::read(&self.config, files);
            self.update_from_configs();
            self.update_file(now, mono, lease_file);
        }
        if self.db.rules().sighup_marks_changed {
            self.db.rerun_scripts();
        }
    }

    /// Runs one round of do_script_run(), do_arp_script_run() and do_tftp_script_run(). Returns whether there was a
    /// call. A call begins at `mono` and takes `call_time` seconds.
    pub(crate) fn script_round(
        &mut self,
        neighbours: &[(IpAddr, HwAddr)],
        now: i64,
        mono: i64,
        call_time: i64,
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

    /// Returns the flags that make a call due besides `NEW` and `CHANGED`.
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

    /// Passes the next due call to `queue`, whose buffer holds a single call. Returns whether there was one.
    pub(crate) fn queue_next(
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

    /// Gives DHCPv4 leases the names from the configuration (lease.c `lease_update_from_configs`).
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

    /// Writes the lease file if there is one and it is dirty, and sets the alarm to the earliest expiry (lease.c
    /// `lease_update_file`). If that expiry is in the past, an alarm event goes through the pipe instead, repeatedly
    /// until the lease can be removed. If no lease expires, an earlier alarm stays set.
    pub(crate) fn update_file(&mut self, now: i64, mono: i64, lease_file: &mut Vec<u8>) {
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
            self.alarm = self.alarm.resolved(&self.db);
            match self.db.earliest_removal() {
                Some(removal) if removal > now => {
                    self.busy_until = Some(mono.saturating_add(removal.saturating_sub(now)));
                }
                _ => self.pipe.push_back(PipeEvent::Alarm),
            }
        } else {
            self.alarm = Alarm::EarliestExpiry { now, mono };
        }
    }

    pub(crate) fn lease_lines(&self) -> Vec<String> {
        let line = |lease: &Lease| {
            let time = match self.context.build {
                Build::Rtc => (lease.expires as u64).to_string(),
                Build::NoRtc => lease.length.to_string(),
            };
            // A space in a name becomes `*`.
            let replace_space = |byte: &u8| if *byte == b' ' { b'*' } else { *byte };
            let hostname: Option<Vec<u8>> =
                lease.hostname.as_ref().map(|name| name.iter().map(replace_space).collect());
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
