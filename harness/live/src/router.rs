//! The target with a live dnsmasq.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::net::{IpAddr, Ipv4Addr};
use std::os::unix::fs::{FileExt, symlink};
use std::time::{Duration, Instant};

use nvram_emu::Machine;

use super::binary::Binaries;
use super::event_loop::{EventLoop, Sockets};
use packets::dhcp4;
use packets::wire::{Envelope, Wire};
use packets::{dhcp6, dns};

use super::{network, script_proxy};
use backend::process::protocol::{Octets, Program, ProgramEnd};
use backend::process::{Process, Root, ScriptCommand, Settings};
use backend::{
    Backend, BackendError, CallOptions, CallResult, CommandResult, Daemon, DaemonExit, DaemonStart,
};
use dnsmasq_model::{
    Build, Client4, Client6, Clock, Ia, Kind4, Kind6, Network, Reply4, Reply6, ScriptCall,
    ServerConfig,
};

/// The preloaded clock.
const CLOCK: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/clock.so"));

/// Ports from which clients ask for names.
const ASKING_PORT: u16 = 40_000;

/// The host that asks for names.
const ASKER: [u8; 6] = [2, 0xfe, 0, 0, 0, 0xfe];

/// More lines of dnsmasq's log than these do not help.
const LOG_LINES: usize = 3;

/// A frame may be overtaken by this many questions for its address.
const ROUNDS: usize = 4;

/// A question that was not answered for so long was lost.
const ANSWER_LOST: Duration = Duration::from_secs(3);

/// What a live target needs besides the script.
#[derive(Clone, Debug)]
pub struct LiveSettings {
    /// Where scripts run.
    pub process: Settings,
    /// The executables.
    pub binaries: Binaries,
}

/// A router on which a real dnsmasq runs.
#[derive(Debug)]
pub struct Live {
    process: Process,
    binaries: Binaries,
    kernel: network::Kernel,
    clock: File,
    event_loop: Option<EventLoop>,
    wire: Option<Wire>,
    network: Network,
    port: u16,
    asker: Ipv4Addr,
    limit: Duration,
    xid: u32,
    /// The DUID of the server that a DHCPv6 client knows, by the client's.
    servers: HashMap<Vec<u8>, Vec<u8>>,
}

fn lacks(what: &str, error: &impl std::fmt::Display) -> BackendError {
    BackendError::Environment(format!("{what}: {error}"))
}

impl Live {
    /// Makes the router; dnsmasq does not run yet. The process must be in namespaces of its own: [`super::enter`].
    ///
    /// # Errors
    /// When the machine lacks what it takes, or the script cannot be read.
    pub fn new(
        machine: Machine,
        script: &ScriptCommand,
        settings: &LiveSettings,
    ) -> Result<Self, BackendError> {
        network::unshare().map_err(|error| lacks("a network namespace", &error))?;
        let root = Root::Mounts;
        let mut process =
            Process::new(machine, script, &Settings { root, ..settings.process.clone() })?;
        if let Some(why) = process.refused_private_root() {
            return Err(lacks("a private view of the file system", &why));
        }
        let clock = process.path("clock");
        let made = (|| {
            fs::write(process.path("clock.so"), CLOCK)?;
            fs::create_dir(process.path("script_proxy"))?;
            File::create(&clock)?.set_len(16)?;
            File::options().write(true).open(&clock)
        })();
        let clock = made.map_err(|error| lacks("the scratch folder", &error))?;
        let text = |name: &str| process.path(name).to_string_lossy().into_owned();
        let (library, page) = (text("clock.so"), text("clock"));
        process.set_variable("LD_PRELOAD", &library);
        process.set_variable("LEASELAB_CLOCK", &page);
        let kernel = network::Kernel::new().map_err(|error| lacks("netlink", &error))?;
        let limit = Duration::from_millis(settings.process.limit_ms);
        Ok(Self {
            process,
            binaries: settings.binaries.clone(),
            kernel,
            clock,
            event_loop: None,
            wire: None,
            network: Network::default(),
            port: 53,
            asker: Ipv4Addr::UNSPECIFIED,
            limit,
            xid: 0,
            servers: HashMap::new(),
        })
    }

    fn set(&self, clock: Clock) -> Result<(), BackendError> {
        let bytes = [clock.wall.to_ne_bytes(), clock.mono.to_ne_bytes()].concat();
        self.clock.write_all_at(&bytes, 0).map_err(|error| lacks("the clock", &error))
    }

    /// The interfaces of a router that was just switched on.
    fn plug_in(&mut self, config: &ServerConfig) -> Result<Wire, BackendError> {
        if let Some(wire) = self.wire.take() {
            return Ok(wire);
        }
        let name = String::from_utf8_lossy(&config.interface).into_owned();
        let built =
            self.kernel.build(&self.network, &name).and_then(|()| Wire::new(network::CABLE));
        built.map_err(|error| lacks("the router's network", &error))
    }

    fn unplug(&mut self) -> Result<(), BackendError> {
        let was_there = self.wire.take().is_some() | self.event_loop.take().is_some();
        if was_there {
            self.kernel.remove().map_err(|error| lacks("the router's network", &error))?;
        }
        Ok(())
    }

    fn program(&self, start: &DaemonStart<'_>) -> Result<Program, BackendError> {
        let binary = self.binaries.of(start.build).ok_or_else(|| {
            BackendError::Environment("there is no dnsmasq of this build".to_owned())
        })?;
        let path = |name: &str| self.process.path(name).to_string_lossy().into_owned();
        let mut argv = vec![binary.path.to_string_lossy().into_owned()];
        argv.extend(
            ["--conf-file=/dev/null", "--keep-in-foreground", "--user=root", "--log-facility=-"]
                .map(str::to_owned),
        );
        argv.extend(["--no-resolv", "--no-hosts", "--no-ping"].map(str::to_owned));
        argv.push(format!("--pid-file={}", path("pid")));
        let script_proxy =
            format!("script_proxy/{}", String::from_utf8_lossy(start.config.script_name()));
        argv.extend(start.options.iter().skip(1).map(|option| {
            if option.starts_with("--dhcp-script=") {
                format!("--dhcp-script={}", path(&script_proxy))
            } else {
                option.clone()
            }
        }));
        let link = self.process.path(&script_proxy);
        if fs::symlink_metadata(&link).is_err() {
            symlink("../bin/leaselab", &link).map_err(|error| lacks("the script_proxy", &error))?;
        }
        let octets = |text: &str| Octets(text.as_bytes().to_vec());
        let variables = self.process.variables();
        let mut environment: BTreeMap<Octets, Octets> = ["PATH", "LC_ALL", "LD_PRELOAD"]
            .iter()
            .filter_map(|name| Some((octets(name), octets(variables.get(*name)?))))
            .collect();
        for (name, file) in [
            ("LEASELAB_CLOCK", "clock"),
            ("LEASELAB_CONTROL", "control"),
            (script_proxy::GATE, "calls"),
        ] {
            environment.insert(octets(name), octets(&path(file)));
        }
        let argv = argv.iter().map(|word| octets(word)).collect();
        Ok(Program { argv, environment, limit_ms: self.process.limit_ms() })
    }

    fn next_xid(&mut self) -> u32 {
        self.xid = (self.xid + 1) & 0x00ff_ffff;
        self.xid
    }

    /// Sends a packet; the answer, or `None` once dnsmasq is at rest and has given none.
    fn ask<T>(
        &mut self,
        envelope: &Envelope,
        packet: &[u8],
        answered: bool,
        answer: impl Fn(&[u8]) -> Option<T>,
    ) -> Result<Option<T>, BackendError> {
        let (port, asker, router) = (self.port, self.asker, self.network.clone());
        let Some(event_loop) = &mut self.event_loop else { return Ok(None) };
        event_loop
            .until("dnsmasq to be up", |event_loop| Ok(event_loop.is_up() || event_loop.ended))?;
        event_loop.datagrams.clear();
        let send = |event_loop: &EventLoop, envelope: &Envelope, packet: &[u8]| {
            event_loop.wire.send(envelope, packet).map_err(|error| lacks("the cable", &error))
        };
        send(event_loop, envelope, packet)?;
        let number = event_loop.ask_main();
        let mut found = None;
        let mut rounds = 0;
        let mut question = None;
        let mut questions = 0;
        let mut asked = Instant::now();
        let client = envelope.ports.0;
        event_loop.until("the server's answer", |event_loop| {
            for datagram in event_loop.datagrams.drain(..) {
                if datagram.to == client {
                    found = found.take().or_else(|| answer(&datagram.payload));
                } else if question.is_some_and(|id| dns::answer(&datagram.payload, id).is_some()) {
                    question = None;
                }
            }
            if found.is_some() || event_loop.ended {
                return Ok(true);
            }
            let lost = question.is_some() && asked.elapsed() > ANSWER_LOST;
            if !event_loop.main_rested(number) || question.is_some() && !lost {
                return Ok(false);
            }
            if !answered || port == 0 || rounds == ROUNDS && !lost {
                return Ok(true);
            }
            // What it sent before arrives before the answer to a question. The kernel drops an answer whose asker it
            // could not find in time.
            rounds += usize::from(!lost);
            questions += 1;
            asked = Instant::now();
            let id = questions;
            let bytes =
                dns::question(b"nobody.invalid", false, id).map_err(BackendError::Script)?;
            send(event_loop, &asking(&router, asker, id), &bytes)?;
            question = Some(id);
            Ok(false)
        })?;
        Ok(found)
    }

    /// The last lines that dnsmasq wrote.
    fn last_words(&self) -> String {
        let text = fs::read(self.process.path("log")).unwrap_or_default();
        let text = String::from_utf8_lossy(&text).into_owned();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(LOG_LINES)..].join(" / ")
    }
}

/// From the host that asks for names to the router.
fn asking(network: &Network, asker: Ipv4Addr, id: u16) -> Envelope {
    let router = network.v4.first().map_or(Ipv4Addr::UNSPECIFIED, |(address, _)| *address);
    Envelope {
        hardware: (ASKER, network.mac),
        addresses: (IpAddr::V4(asker), IpAddr::V4(router)),
        ports: (ASKING_PORT + id % 1000, dns::PORT),
    }
}

/// An address of the router's network that nobody leases.
fn free_address(config: &ServerConfig, network: &Network) -> Option<Ipv4Addr> {
    let (router, _) = network.v4.first()?;
    let [a, b, c, _] = router.octets();
    let leased = |address: Ipv4Addr| {
        config.ranges4.iter().any(|range| range.start <= address && address <= range.end)
    };
    (2..255)
        .rev()
        .map(|last| Ipv4Addr::new(a, b, c, last))
        .find(|address| address != router && !leased(*address))
}

impl Backend for Live {
    fn call(&mut self, call: &ScriptCall, plan: &CallOptions) -> Result<CallResult, BackendError> {
        self.process.call(call, plan)
    }

    fn nvram(&mut self, arguments: &[&[u8]]) -> Result<CommandResult, BackendError> {
        self.process.nvram(arguments)
    }

    fn power_off(&mut self) -> Result<(), BackendError> {
        self.process.power_off()?;
        self.unplug()
    }

    fn machine(&mut self) -> Result<Cow<'_, Machine>, BackendError> {
        self.process.machine()
    }

    fn replace(&mut self, machine: Machine) -> Result<(), BackendError> {
        self.process.replace(machine)
    }

    fn daemon(&mut self) -> Option<&mut dyn Daemon> {
        Some(self)
    }
}

impl Daemon for Live {
    fn start(&mut self, start: &DaemonStart<'_>) -> Result<(), BackendError> {
        self.network = start.network.clone();
        self.port = start.config.port;
        self.asker =
            free_address(start.config, start.network).unwrap_or(Ipv4Addr::new(192, 0, 2, 1));
        self.set(start.clock)?;
        if let Some(event_loop) = self.event_loop.take() {
            self.wire = Some(event_loop.into_wire());
        }
        let mut wire = self.plug_in(start.config)?;
        wire.own(IpAddr::V4(self.asker), ASKER);
        let program = self.program(start)?;
        let sockets = Sockets::new(&self.process.path("calls"), &self.process.path("control"))
            .map_err(|error| lacks("the script_proxy", &error))?;
        let log = self.process.path("log");
        let process = self.process.start(program, &log)?;
        self.event_loop = Some(EventLoop::new(wire, sockets, process, self.limit)?);
        Ok(())
    }

    fn next_call(
        &mut self,
        plan: &CallOptions,
    ) -> Result<Option<(ScriptCall, CallResult)>, BackendError> {
        let Some(event_loop) = &mut self.event_loop else { return Ok(None) };
        if event_loop.waiting.is_empty() && !event_loop.settle()? {
            return Ok(None);
        }
        let Some(waiting) = event_loop.waiting.pop_front() else { return Ok(None) };
        let call = waiting.call.clone();
        let programs = self.process.programs(&call, plan);
        let done = waiting
            .run(programs, self.process.path(""))
            .map_err(|error| lacks("the script's script_proxy", &error))?;
        let result = self.process.result(done, plan)?;
        Ok(Some((call, result)))
    }

    fn alarm(&self) -> Option<i64> {
        self.event_loop.as_ref().and_then(EventLoop::alarm)
    }

    fn set_clock(&mut self, clock: Clock) -> Result<(), BackendError> {
        self.set(clock)
    }

    fn signal(&mut self, signal: i32) -> Result<(), BackendError> {
        self.process.signal(signal)
    }

    fn has_exited(&self) -> bool {
        self.event_loop.as_ref().is_none_or(|event_loop| event_loop.ended)
    }

    fn wait(&mut self) -> Result<DaemonExit, BackendError> {
        if let Some(event_loop) = &mut self.event_loop {
            event_loop.until("dnsmasq to end", |event_loop| Ok(event_loop.ended))?;
        }
        let status = match self.process.reap()? {
            Some(ProgramEnd::Exited(code)) => code,
            Some(ProgramEnd::Signalled(signal)) => -signal,
            Some(ProgramEnd::TimedOut) | None => 0,
        };
        if let Some(event_loop) = self.event_loop.take() {
            self.wire = Some(event_loop.into_wire());
        }
        Ok(DaemonExit { status, last_output: self.last_words() })
    }

    fn message4(
        &mut self,
        kind: Kind4,
        client: &Client4,
        addr: Ipv4Addr,
        clock: Clock,
    ) -> Result<Reply4, BackendError> {
        self.set(clock)?;
        let xid = self.next_xid();
        let router = self.network.v4.first().map_or(Ipv4Addr::UNSPECIFIED, |(own, _)| *own);
        let server = dhcp4::Server { mac: self.network.mac, address: router };
        let (envelope, packet) =
            dhcp4::packet(kind, client, addr, xid, server).map_err(BackendError::Script)?;
        if let Some(event_loop) = &mut self.event_loop
            && let (mac, IpAddr::V4(own)) = (envelope.hardware.0, envelope.addresses.0)
            && !own.is_unspecified()
        {
            event_loop.wire.own(IpAddr::V4(own), mac);
        }
        let answered = dhcp4::is_answered(kind);
        let reply =
            self.ask(&envelope, &packet, answered, |bytes| dhcp4::answer(bytes, xid, kind, addr))?;
        if let (Some(event_loop), Some(Reply4::Ack { addr, .. } | Reply4::BootReply(addr))) =
            (&mut self.event_loop, &reply)
        {
            event_loop.wire.own(IpAddr::V4(*addr), envelope.hardware.0);
        }
        Ok(reply.unwrap_or(Reply4::Silent))
    }

    fn message6(
        &mut self,
        kind: Kind6,
        client: &Client6,
        asked: &[Ia],
        clock: Clock,
    ) -> Result<Reply6, BackendError> {
        self.set(clock)?;
        let xid = self.next_xid();
        let known = match kind {
            Kind6::Solicit | Kind6::Rebind | Kind6::Confirm => None,
            _ => self.servers.get(&client.duid[..]).map(Vec::as_slice),
        };
        let (envelope, packet) =
            dhcp6::packet(kind, client, asked, xid, known).map_err(BackendError::Script)?;
        let mac = envelope.hardware.0;
        if let Some(event_loop) = &mut self.event_loop {
            // A host that speaks has announced itself, and answers for its address.
            event_loop.wire.own(envelope.addresses.0, mac);
            let router = packets::wire::link_local(self.network.mac);
            event_loop.wire.solicit(mac, router).map_err(|error| lacks("the cable", &error))?;
        }
        let reply = self.ask(&envelope, &packet, true, |bytes| dhcp6::answer(bytes, xid))?;
        let Some((reply, server)) = reply else { return Ok(Reply6::Silent) };
        self.servers.insert(client.duid.to_vec(), server);
        Ok(reply)
    }

    fn resolve(&mut self, name: &[u8], v6: bool) -> Result<Option<Vec<IpAddr>>, BackendError> {
        if self.port == 0 {
            return Ok(None);
        }
        let id = self.next_xid() as u16;
        let Ok(question) = dns::question(name, v6, id) else { return Ok(None) };
        let envelope = asking(&self.network, self.asker, id);
        let mut addresses = None;
        let Some(event_loop) = &mut self.event_loop else { return Ok(None) };
        event_loop.wire.send(&envelope, &question).map_err(|error| lacks("the cable", &error))?;
        event_loop.until("an answer from dnsmasq's name server", |event_loop| {
            for datagram in event_loop.datagrams.drain(..).filter(|packet| packet.from == dns::PORT)
            {
                addresses = addresses.take().or_else(|| dns::answer(&datagram.payload, id));
            }
            Ok(addresses.is_some() || event_loop.ended)
        })?;
        Ok(addresses)
    }
}

impl LiveSettings {
    /// Why not, where it cannot.
    pub fn lacks(&self, build: Build) -> Option<&'static str> {
        match (self.binaries.of(build), build) {
            (Some(_), _) => None,
            (None, Build::Rtc) => Some(
                "it needs a dnsmasq of the default build, and the one here is built with HAVE_BROKEN_RTC",
            ),
            (None, Build::NoRtc) => Some(
                "it needs a dnsmasq built with HAVE_BROKEN_RTC: name one with --dnsmasq-no-rtc PATH or \
                 LEASELAB_DNSMASQ_NO_RTC",
            ),
        }
    }
}
