//! A fake QEMU for tests: a process that speaks the agent's protocol, replies to DHCP messages, runs `nvram` commands on
//! the flash file, and writes QEMU's trace. It is the test executable itself, started with [`BEHAVIOR`] set.

use std::env;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{IpAddr, Ipv4Addr};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use dhcproto::v4::{DhcpOption, Message, MessageType, OptionCode};
use dhcproto::{Decodable, Encodable};
use dnsmasq_model::hex_text;
use nvram_emu::device::{Chip, Flash, OpKind};
use nvram_emu::{Exit, Machine};
use socket2::{Domain, SockAddr, Socket, Type};

use crate::arch::Arch;
use crate::guest_channel::GuestChannel;
use crate::guest_config::{FileTransfer, GuestConfig, MAC, flash_chip};
use crate::timeouts::Timeouts;
use packets::dhcp4;
use packets::link::{BROADCAST, Link, UdpEndpoints};

/// The environment variable that makes the test executable a fake guest. Its value is the behaviour.
const BEHAVIOR: &str = "LEASELAB_TEST_FAKE_GUEST";

/// The environment variable with QEMU's options.
const OPTIONS: &str = "LEASELAB_TEST_FAKE_GUEST_OPTIONS";

/// The address that the fake guest leases.
pub(super) const LEASED: Ipv4Addr = Ipv4Addr::new(192, 168, 1, 50);

/// A configuration whose QEMU is a fake guest.
///
/// `behavior` is `normal`, or: `no-connection` (it runs and does not connect), `bad-kernel` (it exits with an error about the
/// kernel), `dies-in-poll`, `garbled-state`, `garbled-event`, `stops-after-erase` (the flash is erased, and the command never
/// ends), `dnsmasq-dies` (dnsmasq ends with status 3 at its first message), `no-counters` (its kernel does not count
/// datagrams).
pub(super) fn config(behavior: &str, boot_limit: Option<Duration>) -> GuestConfig {
    let test = env::current_exe().expect("the test executable");
    let test = shlex::try_quote(test.to_str().expect("a UTF-8 path")).expect("no NUL").into_owned();
    let script = format!(
        "{BEHAVIOR}={behavior} {OPTIONS}=\"$*\" exec {test} --exact \
         router::fake_guest::runs_as_a_child_process --nocapture"
    );
    GuestConfig {
        arch: Arch::X86_64,
        qemu: "/bin/sh".into(),
        machine: vec!["-c".to_owned(), script, "fake-guest".to_owned()],
        kernel: "kernel".into(),
        initrd: None,
        disk: None,
        append: String::new(),
        channel: GuestChannel::VirtioPort,
        file_transfer: FileTransfer::Initrd,
        flash: flash_chip(Arch::X86_64),
        interface: "br0".to_owned(),
        release: None,
        wrapper: String::new(),
        jail: String::new(),
        staging: "/tmp/.nvram".to_owned(),
        tools: String::new(),
        prepare: String::new(),
        nvram_tool: "nvram".to_owned(),
        nvram_device: "/dev/mtdblock1".to_owned(),
        lease_update: "lease-update".to_owned(),
        files: Vec::new(),
        timeouts: Timeouts::new(boot_limit),
    }
}

/// A router with these bytes in its nvram partition.
pub(super) fn machine_with(partition: &[u8]) -> Machine {
    let erase = Arch::X86_64.erase_block();
    let flash = Flash::from_bytes(partition, erase, Chip::SPI_NOR).expect("a flash");
    Machine::new("openwrt".parse().expect("a dialect"), flash, None)
}

/// The fake guest's `main`. In a run of the tests, [`BEHAVIOR`] is not set.
#[test]
fn runs_as_a_child_process() {
    let Ok(behavior) = env::var(BEHAVIOR) else { return };
    let options = env::var(OPTIONS).expect("QEMU's options");
    let path = options.split_once("id=agent,path=").expect("the agent's socket").1;
    let socket = Path::new(path.split(' ').next().expect("a path"));
    match behavior.as_str() {
        "no-connection" => loop {
            std::thread::park();
        },
        "bad-kernel" => {
            eprintln!("could not load kernel 'kernel'");
            std::process::exit(1);
        }
        _ => FakeGuest::new(behavior, socket, rtc(&options)).serve(),
    }
    std::process::exit(0);
}

/// The time in the option `-rtc base=TIME,clock=vm`.
fn rtc(options: &str) -> i64 {
    let time = options.split_once("base=").expect("the RTC").1;
    let time: jiff::civil::DateTime =
        time.split(',').next().and_then(|time| time.parse().ok()).expect("a time");
    time.to_zoned(jiff::tz::TimeZone::UTC).expect("a time").timestamp().as_second()
}

/// A call that dnsmasq has made and that waits for the harness.
struct PendingCall {
    number: u64,
    arguments: Vec<String>,
}

/// The fault that the harness asks for: `CALL ACTION SIDE COMMAND NTH`.
struct Fault {
    call: u64,
    action: String,
    side: String,
    command: String,
    nth: String,
}

enum Dnsmasq {
    NotStarted,
    Running,
    Exited(i32),
}

struct FakeGuest {
    behavior: String,
    work: PathBuf,
    agent: UnixStream,
    link: Link,
    machine: Machine,
    clock: i64,
    dnsmasq: Dnsmasq,
    events: String,
    calls: u64,
    pending: Vec<PendingCall>,
    fault: Option<Fault>,
    received: u64,
    sent: u64,
    slices: u64,
}

impl FakeGuest {
    fn new(behavior: String, socket: &Path, clock: i64) -> Self {
        let work = socket.parent().expect("a folder").to_owned();
        let link = Socket::new(Domain::UNIX, Type::DGRAM, None).expect("a socket");
        let address = |name: &str| SockAddr::unix(work.join(name)).expect("an address");
        link.bind(&address("guest")).expect("the guest's end");
        link.connect(&address("clients")).expect("the clients' end");
        fs::File::options().create(true).append(true).open(work.join("trace")).expect("a trace");
        let chip = flash_chip(Arch::X86_64);
        let flash = fs::read(work.join("flash.bin")).expect("the flash");
        Self {
            behavior,
            agent: UnixStream::connect(socket).expect("the agent's socket"),
            link: Link::from_socket(link).expect("a link"),
            machine: machine_with(&flash[chip.start..]),
            work,
            clock,
            dnsmasq: Dnsmasq::NotStarted,
            events: String::new(),
            calls: 0,
            pending: Vec::new(),
            fault: None,
            received: 0,
            sent: 0,
            slices: 1,
        }
    }

    /// The agent's loop (`harness/qemu/guest/agent`).
    fn serve(mut self) {
        let mut lines =
            BufReader::new(self.agent.try_clone().expect("a socket")).lines().map_while(Result::ok);
        writeln!(self.agent, "= 0 0 - -").expect("the harness");
        while let Some(number) = lines.next() {
            let script: Vec<String> = lines.by_ref().take_while(|line| line != ".").collect();
            let (code, output) = self.run(&script.join("\n"));
            let output = BASE64_STANDARD.encode(output);
            writeln!(self.agent, "= {number} {code} -{output} -").expect("the harness");
        }
    }

    /// Emulates a script of the harness, and returns its exit code and standard output.
    fn run(&mut self, script: &str) -> (i32, Vec<u8>) {
        if let Some(time) = after(script, "date -u -s @") {
            self.clock = time.parse().expect("a time");
        }
        if let Some(offset) = after(script, "set -- ") {
            return (0, self.poll_state(offset.parse().expect("an offset")));
        }
        if let Some(number) = after(script, "/tmp/lab/go-") {
            let number: u64 = number.parse().expect("a number");
            let at = self.pending.iter().position(|call| call.number == number);
            let call = self.pending.remove(at.expect("a call with that number"));
            self.run_call(&call);
        } else if script.contains("date -u +%s") {
            return (0, format!("{}\n", self.clock).into_bytes());
        } else if script.contains("/tmp/lab/started") {
            self.dnsmasq = Dnsmasq::Running;
            self.begin_call(&["init"]);
        } else if let Some(arguments) = script.split_once("/lab/script-hook ") {
            let arguments = arguments.1.split(" >/dev/null").next().expect("arguments");
            let arguments = shlex::split(arguments).expect("words");
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            self.begin_call(&arguments);
            let call = self.pending.pop().expect("the call");
            self.run_call(&call);
        } else if script.contains("cat /tmp/lab/ended") {
            return match self.dnsmasq {
                Dnsmasq::Exited(code) => (0, format!("{code}\n==> last words\n").into_bytes()),
                _ => (0, Vec::new()),
            };
        } else if script.contains("kill -15") {
            self.dnsmasq = Dnsmasq::Exited(0);
        } else if script.contains(">/tmp/lab/fault") {
            self.set_fault(script);
        } else if script.contains("cat /tmp/lab/number") {
            return (0, format!("{}\n", self.calls).into_bytes());
        } else if let Some((_, command)) = script.split_once("\"$LAB_NVRAM\" ") {
            let words = shlex::split(command).expect("words");
            return self.nvram(&words);
        } else if script.contains("cat /tmp/.nvram") {
            return match self.machine.ram_bytes() {
                Some(ram) => (0, ram.into_owned()),
                None => (1, Vec::new()),
            };
        }
        (0, Vec::new())
    }

    fn poll_state(&mut self, offset: usize) -> Vec<u8> {
        match self.behavior.as_str() {
            "dies-in-poll" => std::process::exit(0),
            "garbled-state" => return b"sh: /lab/poll-state: not found\n".to_vec(),
            "garbled-event" => self.record("call 1 garbage"),
            _ => {}
        }
        self.serve_dhcp();
        let counters = match self.behavior.as_str() {
            "no-counters" => "- -".to_owned(),
            _ => format!("{} {}", self.received, self.sent),
        };
        let slices = match self.dnsmasq {
            Dnsmasq::Running => format!(" S{0} S{0}", self.slices),
            _ => String::new(),
        };
        let state = if self.pending.is_empty() { "idle" } else { "busy" };
        format!("{state} {counters}{slices}\n{}", &self.events[offset..]).into_bytes()
    }

    /// A minimal DHCP server: it offers and acknowledges [`LEASED`], and ignores a client with the name `ignored`.
    fn serve_dhcp(&mut self) {
        for datagram in self.link.receive().expect("frames") {
            self.received += 1;
            self.slices += 1;
            if self.behavior == "dnsmasq-dies" {
                self.dnsmasq = Dnsmasq::Exited(3);
                return;
            }
            let request = Message::from_bytes(&datagram.payload).expect("a DHCP message");
            let name = request.opts().get(OptionCode::Hostname).map(|name| format!("{name:?}"));
            let kind = match request.opts().msg_type() {
                Some(MessageType::Discover) => MessageType::Offer,
                Some(MessageType::Request) => MessageType::Ack,
                _ => continue,
            };
            if name.is_some_and(|name| name.contains("ignored")) {
                continue;
            }
            let router = Ipv4Addr::new(192, 168, 1, 1);
            let none = Ipv4Addr::UNSPECIFIED;
            let mut reply =
                Message::new_with_id(request.xid(), none, LEASED, router, none, request.chaddr());
            reply.opts_mut().insert(DhcpOption::MessageType(kind));
            reply.opts_mut().insert(DhcpOption::AddressLeaseTime(3600));
            let endpoints = UdpEndpoints {
                hardware: (MAC, BROADCAST),
                addresses: (IpAddr::V4(router), IpAddr::V4(Ipv4Addr::BROADCAST)),
                ports: (dhcp4::SERVER_PORT, dhcp4::CLIENT_PORT),
            };
            self.link.send(&endpoints, &reply.to_vec().expect("a reply")).expect("a frame");
            self.sent += 1;
            if kind == MessageType::Ack {
                self.begin_call(&["add", &hex_text(request.chaddr()), &LEASED.to_string()]);
            }
        }
    }

    fn record(&mut self, event: &str) {
        self.events += event;
        self.events.push('\n');
    }

    fn begin_call(&mut self, arguments: &[&str]) {
        self.calls += 1;
        let environment =
            b"PATH=/bin\0DNSMASQ_TIME_REMAINING=3599\0DNSMASQ_LEASE_EXPIRES=1003600\0";
        let environment = BASE64_STANDARD.encode(environment);
        let number = self.calls;
        self.record(&format!("call {number} -{environment} {}", list(arguments)));
        let arguments = arguments.iter().map(|&argument| argument.to_owned()).collect();
        self.pending.push(PendingCall { number, arguments });
    }

    /// The script: `init` prints a line, every other action stores a variable and commits.
    fn run_call(&mut self, call: &PendingCall) {
        let number = call.number;
        let mut output = String::new();
        if call.arguments[0] == "init" {
            output = BASE64_STANDARD.encode("a lease\n");
        } else {
            let set = ["set".to_owned(), format!("lease={}", call.arguments.join(" "))];
            for (nth, command) in [&set[..], &["commit".to_owned()]].into_iter().enumerate() {
                let words: Vec<&str> = command.iter().map(String::as_str).collect();
                self.record(&format!("cmd {number} {}", list(&words)));
                match self.fault_at(number, command, nth + 1).as_deref() {
                    Some("fail") => {}
                    Some("kill before") => {
                        self.record(&format!("fault {number}"));
                        self.record(&format!("end {number} 137 - -"));
                        return;
                    }
                    // The script hangs until the power is cut.
                    Some("cut before") => {
                        self.record(&format!("fault {number}"));
                        return;
                    }
                    Some("cut after") => {
                        self.nvram(command);
                        self.record(&format!("fault {number}"));
                        return;
                    }
                    _ => _ = self.nvram(command),
                }
            }
        }
        self.record(&format!("end {number} 0 -{output} -"));
    }

    /// The action and side of a call's fault, if it applies to the nth command.
    fn fault_at(&self, call: u64, command: &[String], nth: usize) -> Option<String> {
        let fault = self.fault.as_ref().filter(|fault| fault.call == call)?;
        if fault.command != command[0] && fault.nth != nth.to_string() {
            return None;
        }
        Some(match fault.action.as_str() {
            "fail" => "fail".to_owned(),
            action => format!("{action} {}", fault.side),
        })
    }

    fn set_fault(&mut self, script: &str) {
        let words = shlex::split(script).expect("words");
        let [_, call, action, side, command, nth, ..] = &words[..] else {
            panic!("a fault: {script}")
        };
        self.fault = Some(Fault {
            call: call.parse().expect("a number"),
            action: action.clone(),
            side: side.clone(),
            command: command.clone(),
            nth: nth.clone(),
        });
    }

    /// Runs an nvram command, and updates the flash file and the trace as QEMU would.
    fn nvram(&mut self, command: &[String]) -> (i32, Vec<u8>) {
        let words: Vec<&[u8]> = command.iter().map(String::as_bytes).collect();
        let outcome = self.machine.run(&words);
        let chip = flash_chip(Arch::X86_64);
        let mut trace =
            fs::File::options().append(true).open(self.work.join("trace")).expect("a trace");
        for operation in &self.machine.take_ops() {
            if operation.kind == OpKind::Erase {
                let offset = chip.start + operation.offset as usize;
                writeln!(
                    trace,
                    "pflash_write_block_erase block erase offset:{offset:#x} bytes:0x1000"
                )
                .expect("a line");
                if self.behavior == "stops-after-erase" {
                    loop {
                        std::thread::park();
                    }
                }
            }
        }
        let path = self.work.join("flash.bin");
        let mut flash = fs::read(&path).expect("the flash");
        flash[chip.start..].copy_from_slice(&self.machine.flash_bytes());
        fs::write(&path, flash).expect("the flash");
        match outcome.exit {
            Exit::Code(code) => (code.into(), outcome.stdout),
            Exit::PowerLost => unreachable!("the emulated flash keeps its power"),
        }
    }
}

/// The characters after `mark`, up to the next blank, semicolon or newline.
fn after<'t>(text: &'t str, mark: &str) -> Option<&'t str> {
    text.split_once(mark)?.1.split([' ', ';', '\n']).next()
}

/// A list as `harness/qemu/guest/encode-args` encodes it.
fn list(words: &[&str]) -> String {
    words.iter().fold("=".to_owned(), |list, word| list + word + "\u{1f}")
}
