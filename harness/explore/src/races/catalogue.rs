//! The races that are looked at.

use lease_script::{Call, Config, Environment};
use nvram_emu::device::{Chip, Flash};
use nvram_emu::dialect::openwrt::OpenWrt;
use nvram_emu::{Dialect, Machine, flsh};

use super::Lock;
use super::command::Stepper;
use super::judge::{Judge, Want};
use super::process::{Program, Request, Tree, Words};
use super::state::{Phase, Running, State, World};
use backend::Function;

/// A partition of the size that OpenWrt's tool expects at least.
const SIZE: u32 = 0x8000;
/// Settings of other programs.
const OLDER: usize = 40;

/// Two processes that start at the same time.
#[derive(Clone, Debug)]
pub struct Race {
    /// What its ids say.
    pub name: &'static str,
    /// What the two are.
    pub title: &'static str,
    programs: [Program; 2],
    wants: [Option<Want>; 2],
    inits: [bool; 2],
    staged: bool,
}

/// What runs a process.
struct Side {
    program: Program,
    want: Option<Want>,
    init: bool,
}

fn set(name: &str, value: &str) -> Words {
    vec![b"set".to_vec(), format!("{name}={value}").into_bytes()]
}

/// A bare `nvram set`.
fn one_set(name: &str) -> Side {
    let want = Want { name: name.into(), value: b"1".to_vec(), committed: false };
    Side { program: Program::Commands(vec![set(name, "1")]), want: Some(want), init: false }
}

/// A bare `nvram commit`.
fn one_commit() -> Side {
    let program = Program::Commands(vec![vec![b"commit".to_vec()]]);
    Side { program, want: None, init: false }
}

/// A web interface that stores a setting.
fn web() -> Side {
    let commands = vec![set("wl0_ssid", "guests"), vec![b"commit".to_vec()]];
    let want = Want { name: b"wl0_ssid".to_vec(), value: b"guests".to_vec(), committed: true };
    Side { program: Program::Commands(commands), want: Some(want), init: false }
}

fn ours() -> Function {
    Function::Ours(Config::default())
}

/// A lease script that is told of a new lease.
fn add(script: Function, last: u8) -> Side {
    let address = format!("192.168.1.{last}");
    let line = lease(last);
    let mut words = line.split(' ').map(str::to_owned);
    let expiry = words.next().unwrap_or_default();
    let hardware = words.next().unwrap_or_default();
    let arguments = ["add".to_owned(), hardware, address.clone(), format!("host{last}")];
    let environment: Environment = [("DNSMASQ_LEASE_EXPIRES", expiry)].into_iter().collect();
    let want = Want {
        name: format!("dnsmasq_lease_{address}").into_bytes(),
        value: line.into_bytes(),
        committed: true,
    };
    let program = Program::Script(script, Call::new(arguments, environment));
    Side { program, want: Some(want), init: false }
}

/// A lease script that is asked for all leases, by a dnsmasq that starts or by a web page.
fn init(script: Function) -> Side {
    let call = Call::new(["init"], Environment::default());
    Side { program: Program::Script(script, call), want: None, init: true }
}

/// The record of a lease.
fn lease(last: u8) -> String {
    format!("1700003600 02:aa:00:00:00:{last:02x} 192.168.1.{last} host{last} *")
}

/// All races.
pub fn catalogue() -> Vec<Race> {
    let race = |name, title, a: Side, b: Side| Race {
        name,
        title,
        programs: [a.program, b.program],
        wants: [a.want, b.want],
        inits: [a.init, b.init],
        staged: false,
    };
    let staged = |race: Race| Race { staged: true, ..race };
    let two_sets = || (one_set("alpha"), one_set("beta"));
    let ((a1, b1), (a2, b2)) = (two_sets(), two_sets());
    vec![
        race("set+set", "`nvram set` beside `nvram set`, nothing uncommitted before", a1, b1),
        staged(race("set+set-staged", "the same, something uncommitted before", a2, b2)),
        staged(race(
            "set+commit",
            "`nvram set` beside `nvram commit`",
            one_set("alpha"),
            one_commit(),
        )),
        race(
            "naive+init",
            "the naive script's add beside its init",
            add(Function::Naive, 9),
            init(Function::Naive),
        ),
        race("ours+init", "our script's add beside its init", add(ours(), 9), init(ours())),
        race(
            "naive+web",
            "the naive script's add beside a web page's set and commit",
            add(Function::Naive, 9),
            web(),
        ),
        race(
            "ours+web",
            "our script's add beside a web page's set and commit",
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
    /// The tool that races.
    pub(super) fn tool() -> Option<&'static OpenWrt> {
        Dialect::OpenWrt.openwrt()
    }

    /// What steps it, the state before its first step, and who judges the last one.
    pub(super) fn start(&self, tool: &'static OpenWrt, lock: Lock) -> (Stepper, State, Judge) {
        let mut image = vec![0xFF; SIZE as usize];
        let blank = flsh::blank_image();
        image[..blank.len()].copy_from_slice(&blank);
        let flash =
            |bytes: &[u8]| Flash::from_bytes(bytes, SIZE, Chip::SPI_NOR).expect("one block");
        let mut router = Machine::new(Dialect::OpenWrt, flash(&image), None);
        for number in 0..OLDER {
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

        let trees = self.programs.clone().map(Tree::new);
        let mut stepper = Stepper::new(tool, flash.clone(), lock, trees);
        let flash_id = stepper.images.intern(flash.bytes().into_owned());
        let staging = machine.ram_bytes().map(|bytes| stepper.images.intern(bytes.into_owned()));
        let world = World {
            flash: flash_id,
            staging: staging.map(|_| 0),
            files: staging.into_iter().collect(),
            marker: Vec::new(),
        };
        let over = |who: usize| matches!(*stepper.trees[who].request(0), Request::End(_));
        let processes = [0, 1].map(|who| Running {
            node: 0,
            phase: if over(who) { Phase::Over } else { Phase::Begin },
            crashed: false,
        });
        let judge = Judge { older, leases, wants: self.wants.clone(), inits: self.inits };
        (stepper, State { world, processes }, judge)
    }
}
