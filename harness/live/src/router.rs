//! The back end with a live dnsmasq.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::unix::fs::{FileExt, symlink};
use std::path::Path;
use std::time::{Duration, Instant};

use nvram_emu::Machine;

use super::binary::Binaries;
use super::event_loop::{EventLoop, Sockets};
use packets::dhcp4;
use packets::dns::RecordType;
use packets::link::{Link, UdpEndpoints};
use packets::{dhcp6, dns};

use super::{network, script_proxy};
use backend::process::protocol::{Octets, Program, ProgramEnd};
use backend::process::{Isolation, Process, ScriptCommand, Settings};
use backend::{
    AddressRecord, Backend, BackendError, CallOptions, CallResult, CommandResult, Daemon,
    DaemonExit, DaemonStart, Disturbance,
};
use dnsmasq_model::{
    Build, Client4, Client6, Clock, Ia, Kind4, Kind6, Network, Release, Reply4, Reply6, ScriptCall,
    ServerConfig,
};

/// The library that is preloaded into dnsmasq (clock.c).
const CLOCK: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/clock.so"));

/// The lowest source port of DNS queries.
const QUERY_PORT: u16 = 40_000;

/// Hardware address of the host that sends DNS queries.
const RESOLVER: [u8; 6] = [2, 0xfe, 0, 0, 0, 0xfe];

/// Number of lines from the end of dnsmasq's log that an error message contains.
const LOG_LINES: usize = 3;

/// Time after which an unanswered DHCP message or DNS query is sent again for the first time (RFC 2131, section 4.1). The
/// time doubles with each retransmission.
const FIRST_TIMEOUT: Duration = Duration::from_secs(4);

/// Maximum number of times that a message is sent while it is not read or answered.
const MAX_TRANSMISSIONS: u32 = 3;

/// RETRANS_TIMER of RFC 4861, section 10.
const NEIGHBOR_TIMEOUT: Duration = Duration::from_secs(1);

/// The settings of the back end that do not depend on the script.
#[derive(Clone, Debug)]
pub struct LiveSettings {
    /// How script processes run.
    pub process: Settings,
    /// The dnsmasq executables.
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
    link: Option<Link>,
    network: Network,
    port: u16,
    resolver: Ipv4Addr,
    limit: Duration,
    xid: u32,
    /// The server DUID that each DHCPv6 client has learned, by the client's DUID.
    servers: HashMap<Vec<u8>, Vec<u8>>,
    /// The server DUID of the last reply. A client that has had no reply uses it: without a server DUID, dnsmasq discards
    /// RENEW, RELEASE and DECLINE (`dhcp6_no_relay` in rfc3315.c).
    last_server: Option<Vec<u8>>,
}

/// The retransmission timer of a message.
#[derive(Debug)]
struct Retransmission {
    sent: Instant,
    timeout: Duration,
    /// The factor by which the timeout grows each time.
    growth: u32,
    /// Number of times that the message was due, including the first transmission.
    count: u32,
}

impl Retransmission {
    /// Starts the timer. The message must have just been sent for the first time.
    fn new(timeout: Duration, growth: u32) -> Self {
        Self { sent: Instant::now(), timeout, growth, count: 1 }
    }

    /// Returns whether the message must be sent again now. If so, restarts the timer.
    fn is_due(&mut self) -> bool {
        if self.sent.elapsed() < self.timeout {
            return false;
        }
        self.count += 1;
        self.sent = Instant::now();
        self.timeout *= self.growth;
        !self.has_failed()
    }

    /// Returns whether the last permitted transmission has timed out.
    fn has_failed(&self) -> bool {
        self.count > MAX_TRANSMISSIONS
    }
}

fn send(
    event_loop: &EventLoop,
    endpoints: &UdpEndpoints,
    packet: &[u8],
) -> Result<(), BackendError> {
    event_loop
        .link
        .send(endpoints, packet)
        .map_err(|error| environment("sending a frame to dnsmasq", &error))
}

/// Sends neighbor solicitations for the router until it answers one, as a host does before it sends a packet
/// (RFC 4861, section 7.2.2). Gives up after [`MAX_TRANSMISSIONS`]. Once the router has answered, it knows the client's
/// hardware address. dnsmasq looks up this address for DNSMASQ_MAC, and gives up after half a second (`get_client_mac` in
/// dhcp6.c).
fn resolve_router(
    event_loop: &mut EventLoop,
    mac: [u8; 6],
    router: Ipv6Addr,
) -> Result<(), BackendError> {
    let before = event_loop.link.neighbor_advertisements();
    let solicit = |event_loop: &EventLoop| {
        event_loop
            .link
            .send_neighbor_solicitation(mac, router)
            .map_err(|error| environment("sending a frame to dnsmasq", &error))
    };
    solicit(event_loop)?;
    let mut retransmission = Retransmission::new(NEIGHBOR_TIMEOUT, 1);
    event_loop.until("the router to answer a neighbor solicitation", |event_loop| {
        if event_loop.link.neighbor_advertisements() > before || event_loop.ended {
            return Ok(true);
        }
        if retransmission.is_due() {
            solicit(event_loop)?;
        }
        // A router that answers no solicitation has no IPv6 address.
        Ok(retransmission.has_failed())
    })
}

fn environment(what: &str, error: &impl std::fmt::Display) -> BackendError {
    BackendError::Environment(format!("{what}: {error}"))
}

impl Live {
    /// Creates a router that is switched off. The process must have entered its own namespaces ([`super::enter`]).
    ///
    /// # Errors
    /// Returns an error if the kernel refuses namespaces or interfaces, or the script cannot be read.
    pub fn new(
        machine: Machine,
        script: &ScriptCommand,
        settings: &LiveSettings,
    ) -> Result<Self, BackendError> {
        network::unshare().map_err(|error| environment("creating a network namespace", &error))?;
        let programs = settings.binaries.paths().map(Path::to_owned).collect();
        let mut process = Process::new(
            machine,
            script,
            &Settings { isolation: Isolation::SharedNetwork, programs, ..settings.process.clone() },
        )?;
        let clock = process.path("clock");
        let written = (|| {
            fs::write(process.path("clock.so"), CLOCK)?;
            fs::create_dir(process.path(script_proxy::FOLDER))?;
            File::create(&clock)?.set_len(16)?;
            File::options().write(true).open(&clock)
        })();
        let clock =
            written.map_err(|error| environment("writing to the scratch folder", &error))?;
        let text = |name: &str| process.seen(name).to_string_lossy().into_owned();
        let (library, page) = (text("clock.so"), text("clock"));
        process.set_variable("LD_PRELOAD", &library);
        process.set_variable("LEASELAB_CLOCK", &page);
        let kernel = network::Kernel::new()
            .map_err(|error| environment("opening a netlink socket", &error))?;
        let limit = Duration::from_millis(settings.process.limit_ms);
        Ok(Self {
            process,
            binaries: settings.binaries.clone(),
            kernel,
            clock,
            event_loop: None,
            link: None,
            network: Network::default(),
            port: 53,
            resolver: Ipv4Addr::UNSPECIFIED,
            limit,
            xid: 0,
            servers: HashMap::new(),
            last_server: None,
        })
    }

    fn set(&mut self, clock: Clock) -> Result<(), BackendError> {
        self.process.set_running_clock(clock)?;
        let bytes = [clock.wall.to_ne_bytes(), clock.mono.to_ne_bytes()].concat();
        self.clock.write_all_at(&bytes, 0).map_err(|error| environment("writing the clock", &error))
    }

    /// Returns the link to the router. Creates the interfaces unless the router is already on.
    fn connect(&mut self, config: &ServerConfig) -> Result<Link, BackendError> {
        if let Some(link) = self.link.take() {
            return Ok(link);
        }
        let name = String::from_utf8_lossy(&config.interface).into_owned();
        let built =
            self.kernel.build(&self.network, &name).and_then(|()| Link::new(network::CLIENT_END));
        built.map_err(|error| environment("configuring the router's network", &error))
    }

    fn disconnect(&mut self) -> Result<(), BackendError> {
        let was_there = self.link.take().is_some() | self.event_loop.take().is_some();
        if was_there {
            self.kernel
                .remove()
                .map_err(|error| environment("configuring the router's network", &error))?;
        }
        Ok(())
    }

    fn program(&self, start: &DaemonStart<'_>) -> Result<Program, BackendError> {
        let binary = self.binaries.of(start.build).ok_or_else(|| {
            BackendError::Environment(
                "no dnsmasq executable of this build was named or found".to_owned(),
            )
        })?;
        let path = |name: &str| self.process.seen(name).to_string_lossy().into_owned();
        let index = self.binaries.paths().position(|path| path == binary.path).unwrap_or_default();
        let executable = self.process.seen_program(index);
        let mut argv = vec![executable.to_string_lossy().into_owned()];
        argv.extend(
            ["--conf-file=/dev/null", "--keep-in-foreground", "--user=root"].map(str::to_owned),
        );
        argv.extend(["--no-resolv", "--no-hosts", "--no-ping"].map(str::to_owned));
        if binary.version == "2.73"
            && !start.options.iter().any(|o| is_option(o, "resolv-file", "-r"))
        {
            // dnsmasq 2.73 crashes if the default, /etc/resolv.conf, does not exist (`inotify_dnsmasq_init` in inotify.c).
            argv.push("--resolv-file=/dev/null".to_owned());
        }
        // dnsmasq rejects these options if they are given twice.
        for (name, short, value) in
            [("log-facility", "-8", "-".to_owned()), ("pid-file", "-x", path("pid"))]
        {
            if !start.options.iter().any(|option| is_option(option, name, short)) {
                argv.push(format!("--{name}={value}"));
            }
        }
        let proxy = format!(
            "{}/{}",
            script_proxy::FOLDER,
            String::from_utf8_lossy(start.config.script_name())
        );
        argv.extend(start.options.iter().skip(1).map(|option| {
            if option.starts_with("--dhcp-script=") {
                format!("--dhcp-script={}", path(&proxy))
            } else {
                option.clone()
            }
        }));
        let link = self.process.path(&proxy);
        if fs::symlink_metadata(&link).is_err() {
            symlink("../bin/leaselab", &link)
                .map_err(|error| environment("setting up the script proxy", &error))?;
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
            (script_proxy::SOCKET_VARIABLE, "calls"),
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

    /// Sends a DHCP message and waits for the reply. Returns `None` if dnsmasq becomes idle without sending one.
    ///
    /// dnsmasq reports how many messages it has read and sent. A message that it has not read is sent again after a timeout,
    /// as clients do (RFC 2131, section 4.1; RFC 8415, section 15). A reply that dnsmasq has sent may still be delayed,
    /// because the kernel first resolves the client's hardware address.
    fn ask<T>(
        &mut self,
        endpoints: &UdpEndpoints,
        packet: &[u8],
        parse: impl Fn(&[u8]) -> Option<T>,
    ) -> Result<Option<T>, BackendError> {
        let Some(event_loop) = &mut self.event_loop else { return Ok(None) };
        event_loop
            .until("dnsmasq to be up", |event_loop| Ok(event_loop.is_up() || event_loop.ended))?;
        event_loop.datagrams.clear();
        let (read_before, sent_before) = (event_loop.dhcp_messages(), event_loop.dhcp_replies());
        send(event_loop, endpoints, packet)?;
        let mut retransmission = Retransmission::new(FIRST_TIMEOUT, 2);
        event_loop.until("dnsmasq to read a DHCP message", |event_loop| {
            if event_loop.dhcp_messages() > read_before || event_loop.ended {
                return Ok(true);
            }
            if retransmission.is_due() {
                send(event_loop, endpoints, packet)?;
            }
            // If no transmission is read, dnsmasq does not listen on this port.
            Ok(retransmission.has_failed())
        })?;
        let number = event_loop.ask_main_if_idle();
        let client = endpoints.ports.0;
        let mut found = None;
        let mut arrived = 0;
        event_loop.until("the reply that dnsmasq has sent", |event_loop| {
            for datagram in std::mem::take(&mut event_loop.datagrams) {
                if datagram.to == client {
                    arrived += 1;
                    found = found.take().or_else(|| parse(&datagram.payload));
                }
            }
            let all = event_loop.main_was_idle(number)
                && arrived >= event_loop.dhcp_replies() - sent_before;
            Ok(found.is_some() || all || event_loop.ended)
        })?;
        Ok(found)
    }

    /// Returns everything that dnsmasq has printed in all its runs.
    ///
    /// # Errors
    /// Returns an error if the log file cannot be read.
    pub fn log(&self) -> Result<Vec<u8>, BackendError> {
        match self.process.read("log") {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
            other => other.map_err(|error| environment("reading dnsmasq's log", &error)),
        }
    }

    /// Returns the last lines of dnsmasq's log.
    fn log_tail(&self) -> String {
        let text = self.process.read("log").unwrap_or_default();
        let text = String::from_utf8_lossy(&text).into_owned();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(LOG_LINES)..].join(" / ")
    }
}

/// Returns the endpoints of a DNS query to the router.
fn query_endpoints(network: &Network, resolver: Ipv4Addr, port: u16, id: u16) -> UdpEndpoints {
    let router = network.v4.first().map_or(Ipv4Addr::UNSPECIFIED, |(address, _)| *address);
    UdpEndpoints {
        hardware: (RESOLVER, network.mac),
        addresses: (IpAddr::V4(resolver), IpAddr::V4(router)),
        ports: (QUERY_PORT + id % 1000, port),
    }
}

/// Returns an address outside every DHCP range that has the same first three octets as the router's address.
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
        self.disconnect()
    }

    fn machine(&mut self) -> Result<Cow<'_, Machine>, BackendError> {
        self.process.machine()
    }

    fn replace(&mut self, machine: Machine) -> Result<(), BackendError> {
        self.process.replace(machine)
    }

    fn write_file(&mut self, path: &str, contents: Option<&[u8]>) -> Result<(), BackendError> {
        self.process.write_file(path, contents)
    }

    fn read_file(&mut self, path: &str) -> Result<Option<Vec<u8>>, BackendError> {
        self.process.read_file(path)
    }

    fn daemon(&mut self) -> Option<&mut dyn Daemon> {
        Some(self)
    }
}

impl Daemon for Live {
    fn release(&mut self, build: Build) -> Result<Option<Release>, BackendError> {
        Ok(self.binaries.of(build).and_then(|binary| Release::of_program(&binary.version)))
    }

    fn start(&mut self, start: &DaemonStart<'_>) -> Result<(), BackendError> {
        self.network = start.network.clone();
        self.port = start.config.port;
        self.resolver =
            free_address(start.config, start.network).unwrap_or(network::REMOTE_RESOLVER);
        self.set(start.clock)?;
        if let Some(event_loop) = self.event_loop.take() {
            self.link = Some(event_loop.into_link());
        }
        let mut link = self.connect(start.config)?;
        link.add_host(IpAddr::V4(self.resolver), RESOLVER);
        let program = self.program(start)?;
        let sockets = Sockets::new(&self.process.path("calls"), &self.process.path("control"))
            .map_err(|error| environment("setting up the script proxy", &error))?;
        let log = self.process.path("log");
        let process = self.process.start(program, &log)?;
        self.event_loop = Some(EventLoop::new(link, sockets, process, self.limit)?);
        Ok(())
    }

    fn next_call(
        &mut self,
        plan: &CallOptions,
    ) -> Result<Option<(ScriptCall, CallResult)>, BackendError> {
        if plan.disturbance.as_ref().is_some_and(Disturbance::is_at_file_change) {
            let text = "a real dnsmasq cannot be combined with power cuts and kills at changes of files; use `leaselab run`";
            return Err(BackendError::Message(text.to_owned()));
        }
        loop {
            let Some(event_loop) = &mut self.event_loop else { return Ok(None) };
            if event_loop.waiting.is_empty() && !event_loop.wait_for_call_or_idle()? {
                return Ok(None);
            }
            let Some(waiting) = event_loop.waiting.pop_front() else { return Ok(None) };
            let call = waiting.call.clone();
            let is_resolver = is_about_neighbor(&call, self.resolver);
            let plan = if is_resolver { &CallOptions::default() } else { plan };
            let programs = self.process.programs(&call, plan);
            let done = waiting
                .run(programs, self.process.working_folder())
                .map_err(|error| environment("the script proxy", &error))?;
            let result = self.process.result(done, plan)?;
            // The host that sends DNS queries is not a client of the scenario.
            if !is_resolver {
                return Ok(Some((call, result)));
            }
        }
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
            self.link = Some(event_loop.into_link());
        }
        Ok(DaemonExit { status, last_output: self.log_tail() })
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
        let (endpoints, packet) =
            dhcp4::encode(kind, client, addr, xid, server).map_err(BackendError::Message)?;
        if let Some(event_loop) = &mut self.event_loop
            && let (mac, IpAddr::V4(own)) = (endpoints.hardware.0, endpoints.addresses.0)
            && !own.is_unspecified()
        {
            event_loop.link.add_host(IpAddr::V4(own), mac);
        }
        let reply =
            self.ask(&endpoints, &packet, |bytes| dhcp4::parse_reply(bytes, xid, kind, addr))?;
        if let (Some(event_loop), Some(Reply4::Ack { addr, .. } | Reply4::BootReply(addr))) =
            (&mut self.event_loop, &reply)
        {
            event_loop.link.add_host(IpAddr::V4(*addr), endpoints.hardware.0);
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
            _ => {
                self.servers.get(&client.duid[..]).or(self.last_server.as_ref()).map(Vec::as_slice)
            }
        };
        let (endpoints, packet) =
            dhcp6::encode(kind, client, asked, xid, known).map_err(BackendError::Message)?;
        let mac = endpoints.hardware.0;
        if let Some(event_loop) = &mut self.event_loop {
            // A host that sends DHCPv6 messages answers neighbor solicitations for its address.
            event_loop.link.add_host(endpoints.addresses.0, mac);
            resolve_router(event_loop, mac, packets::link::link_local(self.network.mac))?;
        }
        let reply = self.ask(&endpoints, &packet, |bytes| dhcp6::parse_reply(bytes, xid))?;
        let Some((reply, server)) = reply else { return Ok(Reply6::Silent) };
        self.last_server = Some(server.clone());
        self.servers.insert(client.duid.to_vec(), server);
        Ok(reply)
    }

    fn resolve(
        &mut self,
        name: &[u8],
        record: AddressRecord,
    ) -> Result<Option<Vec<IpAddr>>, BackendError> {
        if self.port == 0 {
            return Ok(None);
        }
        let id = self.next_xid() as u16;
        let kind = match record {
            AddressRecord::A => RecordType::A,
            AddressRecord::Aaaa => RecordType::AAAA,
        };
        let query = dns::encode_query(name, kind, id).map_err(BackendError::Message)?;
        let port = self.port;
        let endpoints = query_endpoints(&self.network, self.resolver, port, id);
        let mut addresses = None;
        let Some(event_loop) = &mut self.event_loop else { return Ok(None) };
        send(event_loop, &endpoints, &query)?;
        let mut retransmission = Retransmission::new(FIRST_TIMEOUT, 2);
        event_loop.until("a DNS response from dnsmasq", |event_loop| {
            for datagram in event_loop.datagrams.drain(..).filter(|packet| packet.from == port) {
                addresses = addresses.take().or_else(|| dns::parse_response(&datagram.payload, id));
            }
            if addresses.is_some() || event_loop.ended {
                return Ok(true);
            }
            if retransmission.is_due() {
                send(event_loop, &endpoints, &query)?;
            }
            Ok(false)
        })?;
        Ok(addresses)
    }
}

/// Returns whether a call reports that this neighbor has appeared or disappeared.
fn is_about_neighbor(call: &ScriptCall, address: Ipv4Addr) -> bool {
    matches!(call.action(), b"arp-add" | b"arp-del")
        && call.argv.get(3).is_some_and(|word| *word == address.to_string().into_bytes())
}

/// Returns whether a word of dnsmasq's command line is this option.
fn is_option(word: &str, name: &str, short: &str) -> bool {
    let long = word.strip_prefix("--").map(|rest| rest.split('=').next().unwrap_or(rest));
    long == Some(name) || word.starts_with(short)
}

/// Returns why a live dnsmasq cannot run with these options, or `None` if it can.
pub fn unsupported_option(options: &[String], interface: &str) -> Option<String> {
    options.iter().find_map(|option| {
        let reason = if ["user", "group", "dhcp-scriptuser"]
            .iter()
            .zip(["-u", "-g", "--dhcp-scriptuser"])
            .any(|(name, short)| is_option(option, name, short))
        {
            "dnsmasq and the script run as the only user of their namespace"
        } else if option.strip_prefix("--except-interface=") == Some(interface)
            || option.strip_prefix("--no-dhcp-interface=") == Some(interface)
        {
            "this is the interface of the clients"
        } else if is_option(option, "dhcp-alternate-port", "--dhcp-alternate-port") {
            "the clients use the standard ports"
        } else if is_option(option, "no-daemon", "-d") {
            "it keeps dnsmasq from starting its helper process"
        } else {
            return None;
        };
        Some(format!("a real dnsmasq cannot run with {option} here: {reason}"))
    })
}

impl LiveSettings {
    /// Returns why scenarios of this build cannot run, or `None` if they can.
    pub fn missing_build(&self, build: Build) -> Option<&'static str> {
        match (self.binaries.of(build), build) {
            (Some(_), _) => None,
            (None, Build::Rtc) => Some(
                "it needs a dnsmasq of the default build, and the available one is built with HAVE_BROKEN_RTC",
            ),
            (None, Build::NoRtc) => Some(
                "it needs a dnsmasq built with HAVE_BROKEN_RTC: name one with --dnsmasq-no-rtc PATH or \
                 LEASELAB_DNSMASQ_NO_RTC",
            ),
        }
    }
}
