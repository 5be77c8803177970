//! The catalogue of races.

use lease_script::{Call, Config, Environment};
use nvram_emu::device::{Chip, Flash};
use nvram_emu::dialect::openwrt::OpenWrt;
use nvram_emu::{Dialect, Machine, flsh};

use super::Locking;
use super::outcome::{Expectation, Judge, Write};
use super::program::{Arguments, Program, Request, RequestTree};
use super::state::{Phase, ProcessState, SharedState, State};
use super::stepper::Stepper;
use backend::Function;

/// Size of the partition in bytes: the minimum for OpenWrt's tool.
const SIZE: u32 = 0x8000;
/// Number of settings of other programs.
const SETTINGS: usize = 40;

/// Two processes that start at the same time.
#[derive(Clone, Debug)]
pub struct Race {
    /// The name in schedules and on the command line.
    pub name: &'static str,
    /// What the two processes do.
    pub title: &'static str,
    programs: [Program; 2],
    expectations: [Expectation; 2],
    /// Whether an uncommitted change is in RAM at the start.
    staged: bool,
}

/// One process of a race.
struct Racer {
    program: Program,
    expectation: Expectation,
}

fn set(name: &str, value: &str) -> Arguments {
    vec![b"set".to_vec(), format!("{name}={value}").into_bytes()]
}

/// A bare `nvram set`.
fn one_set(name: &str) -> Racer {
    let write = Write { name: name.into(), value: b"1".to_vec(), committed: false };
    let program = Program::Commands(vec![set(name, "1")]);
    Racer { program, expectation: Expectation::Write(write) }
}

/// A bare `nvram commit`.
fn one_commit() -> Racer {
    let program = Program::Commands(vec![vec![b"commit".to_vec()]]);
    Racer { program, expectation: Expectation::None }
}

/// A web interface that stores a setting.
fn web() -> Racer {
    let commands = vec![set("wl0_ssid", "guests"), vec![b"commit".to_vec()]];
    let write = Write { name: b"wl0_ssid".to_vec(), value: b"guests".to_vec(), committed: true };
    Racer { program: Program::Commands(commands), expectation: Expectation::Write(write) }
}

fn ours() -> Function {
    Function::LeaseUpdate(Config::default())
}

/// A lease script that is called for a new lease.
fn add(script: Function, last: u8) -> Racer {
    let address = format!("192.168.1.{last}");
    let line = lease(last);
    let mut words = line.split(' ').map(str::to_owned);
    let expiry = words.next().unwrap_or_default();
    let hardware = words.next().unwrap_or_default();
    let arguments = ["add".to_owned(), hardware, address.clone(), format!("host{last}")];
    let environment: Environment = [("DNSMASQ_LEASE_EXPIRES", expiry)].into_iter().collect();
    let write = Write {
        name: format!("dnsmasq_lease_{address}").into_bytes(),
        value: line.into_bytes(),
        committed: true,
    };
    let program = Program::Script(script, Call::new(arguments, environment));
    Racer { program, expectation: Expectation::Write(write) }
}

/// A lease script that prints all leases, for a starting dnsmasq or a web page.
fn init(script: Function) -> Racer {
    let call = Call::new(["init"], Environment::default());
    Racer { program: Program::Script(script, call), expectation: Expectation::Init }
}

/// The stored line of a lease.
fn lease(last: u8) -> String {
    format!("1700003600 02:aa:00:00:00:{last:02x} 192.168.1.{last} host{last} *")
}

/// All races.
pub fn catalogue() -> Vec<Race> {
    let race = |name, title, a: Racer, b: Racer| Race {
        name,
        title,
        programs: [a.program, b.program],
        expectations: [a.expectation, b.expectation],
        staged: false,
    };
    let staged = |race: Race| Race { staged: true, ..race };
    let two_sets = || (one_set("alpha"), one_set("beta"));
    let ((a1, b1), (a2, b2)) = (two_sets(), two_sets());
    vec![
        race("set+set", "two `nvram set` commands, with no uncommitted change before", a1, b1),
        staged(race("set+set-staged", "the same, with an uncommitted change before", a2, b2)),
        staged(race(
            "set+commit",
            "`nvram set` and `nvram commit`",
            one_set("alpha"),
            one_commit(),
        )),
        race(
            "naive+init",
            "the naive script's add and its init",
            add(Function::Naive, 9),
            init(Function::Naive),
        ),
        race("ours+init", "our script's add and its init", add(ours(), 9), init(ours())),
        race("web+init", "a web page's set and commit, and our script's init", web(), init(ours())),
        race(
            "naive+web",
            "the naive script's add, and a web page's set and commit",
            add(Function::Naive, 9),
            web(),
        ),
        race(
            "ours+web",
            "our script's add, and a web page's set and commit",
            add(ours(), 9),
            web(),
        ),
        race(
            "naive+naive",
            "two adds of the naive script",
            add(Function::Naive, 9),
            add(Function::Naive, 10),
        ),
        race("ours+ours", "two adds of our script", add(ours(), 9), add(ours(), 10)),
    ]
}

impl Race {
    /// The raced tool; `None` if this build lacks the openwrt dialect.
    pub(super) fn tool() -> Option<&'static OpenWrt> {
        Dialect::OpenWrt.openwrt()
    }

    /// A stepper, the state before the first step, and the judge of final states.
    pub(super) fn start(&self, tool: &'static OpenWrt, lock: Locking) -> (Stepper, State, Judge) {
        let mut image = vec![0xFF; SIZE as usize];
        let blank = flsh::blank_image();
        image[..blank.len()].copy_from_slice(&blank);
        let flash =
            |bytes: &[u8]| Flash::from_bytes(bytes, SIZE, Chip::SPI_NOR).expect("one block");
        let mut router = Machine::new(Dialect::OpenWrt, flash(&image), None);
        for number in 0..SETTINGS {
            router.run(&[b"set", format!("lan_setting{number:02}={number:020}").as_bytes()]);
        }
        for last in 1..=3 {
            router.run(&[
                b"set",
                format!("dnsmasq_lease_192.168.1.{last}={}", lease(last)).as_bytes(),
            ]);
        }
        router.run(&[b"commit"]);
        let flash = flash(&router.flash_bytes());
        let mut machine = Machine::new(Dialect::OpenWrt, flash.clone(), None);
        if self.staged {
            machine.run(&[b"set", b"wl0_channel=6"]);
        }
        let older = machine.ram_variables().unwrap_or_default();
        let leases = (1..=3).map(lease).collect();

        let trees = self.programs.clone().map(RequestTree::new);
        let mut stepper = Stepper::new(tool, flash.clone(), lock, trees);
        let flash_id = stepper.images.intern(flash.bytes().into_owned());
        let staging = machine.ram_bytes().map(|bytes| stepper.images.intern(bytes.into_owned()));
        let shared = SharedState {
            flash: flash_id,
            staging: staging.map(|_| 0),
            files: staging.into_iter().collect(),
            intent_log: Vec::new(),
        };
        let has_exited =
            |index: usize| matches!(*stepper.trees[index].request(0), Request::Exit(_));
        let processes = [0, 1].map(|index| ProcessState {
            node: 0,
            phase: if has_exited(index) { Phase::Exited } else { Phase::Begin },
            crashed: false,
        });
        let judge = Judge { older, leases, expectations: self.expectations.clone() };
        (stepper, State { shared, processes }, judge)
    }
}
