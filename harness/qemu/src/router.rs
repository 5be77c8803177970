//! A router in a guest, as a target: its dnsmasq makes the calls, its flash keeps what is committed, its power
//! goes when QEMU is killed.

mod calls;
mod daemon;

use std::borrow::Cow;
use std::collections::VecDeque;
use std::fs;
use std::io;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use nvram_emu::Machine;
use rand_pcg::Pcg64;
use socket2::{Domain, SockAddr, Socket, Type};
use tempfile::TempDir;

use super::cable::Cable;
use super::error::QemuError;
use super::events::Event;
use super::guest::Guest;
use super::lab::{Files, Lab};
use super::payload::{self, Payload};
use super::wear::{EraseAudit, Trace};
use backend::process::ScriptCommand;
use backend::{Backend, BackendError, CallOptions, CallResult, CommandResult, Daemon};
use dnsmasq_model::{Clock, ScriptCall};

/// Seconds from power-on until dnsmasq runs, in every scenario.
const BOOT_SECONDS: i64 = 30;

/// What dnsmasq was doing when it was looked at (`harness/qemu/guest/look`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct State {
    /// It and its script are at rest.
    resting: bool,
    /// UDP datagrams that were taken and sent, where the kernel tells.
    datagrams: Option<(u64, u64)>,
    /// How often each of its processes has run. None: it is not there.
    slices: Vec<String>,
}

/// A router in a guest.
#[derive(Debug)]
pub struct Router<'l> {
    lab: &'l mut Lab,
    work: TempDir,
    template: Machine,
    payload: Payload,
    /// The shell that runs the script.
    shell: String,
    guest: Option<Guest>,
    cable: Option<Cable>,
    clock: Clock,
    /// What the wall clock showed in the guest when the last message was taken, where that was another second.
    late: Option<i64>,
    events: VecDeque<Event>,
    /// Bytes of the guest's events that were read.
    read: usize,
    /// What dnsmasq was doing when it was last looked at.
    state: State,
    trace: Trace,
    ledger: EraseAudit,
    dice: Pcg64,
    /// What dnsmasq calls its script.
    script_name: Vec<u8>,
    /// The router's own address.
    address: Ipv4Addr,
    /// How many boots there were.
    number: u32,
}

impl<'l> Router<'l> {
    /// A router that is switched off, with these contents of its flash.
    ///
    /// # Errors
    /// No room for its files; a script that cannot be read; contents that do not fit the chip.
    pub fn new(
        lab: &'l mut Lab,
        machine: &Machine,
        script: &ScriptCommand,
        seed: u64,
    ) -> Result<Self, QemuError> {
        let work = tempfile::Builder::new()
            .prefix("leaselab-qemu-")
            .tempdir()
            .map_err(QemuError::file(Path::new("a scratch folder")))?;
        let chip = &lab.flash;
        let bytes = machine.flash_bytes();
        if bytes.len() != chip.partition {
            return Err(QemuError::Input(format!(
                "the router's partition has {} bytes, the guest's {}",
                bytes.len(),
                chip.partition
            )));
        }
        let mut flash = vec![0xFF; chip.size];
        flash[chip.start..chip.start + chip.partition].copy_from_slice(&bytes);
        let file = work.path().join("flash.bin");
        fs::write(&file, flash).map_err(QemuError::file(&file))?;
        let payload = Payload::new(lab, machine, script)?;
        let trace =
            Trace::new(&work.path().join("trace"), chip.start as u64, chip.partition as u64);
        Ok(Self {
            payload,
            shell: script.shell.first().cloned().unwrap_or_default(),
            trace,
            ledger: EraseAudit::new(machine),
            template: machine.clone(),
            guest: None,
            cable: None,
            clock: Clock { wall: 0, mono: 0 },
            late: None,
            events: VecDeque::new(),
            read: 0,
            state: State::default(),
            dice: Pcg64::new(u128::from(seed), 0),
            script_name: Vec::new(),
            address: Ipv4Addr::UNSPECIFIED,
            number: 0,
            work,
            lab,
        })
    }

    /// Both counts of erases.
    pub fn ledger(&self) -> &EraseAudit {
        &self.ledger
    }

    /// The folder with console log, command line, trace and flash.
    pub fn folder(&self) -> &Path {
        self.work.path()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.work.path().join(name)
    }

    /// Boots the guest where it is off.
    fn power_on(&mut self) -> Result<&mut Guest, QemuError> {
        if self.guest.is_none() {
            self.boot()?;
        }
        self.guest.as_mut().ok_or_else(|| QemuError::Guest("the router is off".to_owned()))
    }

    fn boot(&mut self) -> Result<(), QemuError> {
        let rtc = self.clock.wall - BOOT_SECONDS;
        let archive = self.path("files.cpio");
        let initrd = match (self.lab.files, &self.lab.initrd) {
            (Files::Initrd, initrd) => {
                payload::behind(initrd.as_deref(), &self.payload.cpio(), &archive)?;
                Some(archive)
            }
            (Files::Disk, initrd) => {
                let tar = self.path("files.tar");
                fs::write(&tar, self.payload.tar()).map_err(QemuError::file(&tar))?;
                initrd.clone()
            }
        };
        for name in ["guest", "clients"] {
            _ = fs::remove_file(self.path(name));
        }
        let socket = self.socket().map_err(QemuError::file(&self.path("clients")))?;
        let options = self.lab.options(self.work.path(), initrd.as_deref(), rtc);
        let words: Vec<String> = std::iter::once(self.lab.qemu.display().to_string())
            .chain(options.iter().cloned())
            .map(|word| format!("'{}'", word.replace('\'', r"'\''")))
            .collect();
        let line = self.path("command");
        fs::write(&line, words.join(" ") + "\n").map_err(QemuError::file(&line))?;
        self.keep_aside()?;
        let entrance = self.lab.entrance.clone();
        let mut guest = Guest::boot(
            &self.lab.qemu,
            &options,
            self.work.path(),
            &entrance,
            &mut self.lab.patience,
        )?;
        let guest_end =
            SockAddr::unix(self.path("guest")).map_err(QemuError::file(&self.path("guest")))?;
        socket.connect(&guest_end).map_err(QemuError::file(&self.path("guest")))?;
        self.cable = Some(Cable::new(socket).map_err(QemuError::file(&self.path("clients")))?);
        // The machine booted with the clock that it was given.
        let shown = guest.must("date -u +%s")?;
        let shown: i64 = String::from_utf8_lossy(&shown).trim().parse().unwrap_or(-1);
        let latest = rtc.max(0) + self.lab.patience.boot().as_secs() as i64;
        if !(rtc.max(0)..=latest).contains(&shown) {
            return Err(QemuError::Guest(format!(
                "the guest was given an RTC of {rtc} and shows {shown}: does its kernel have a driver for it?"
            )));
        }
        guest.must(&format!(
            "mkdir -p /tmp/lab; cd /tmp/lab; : >events; : >news; : >go; echo 0 >number; \
             echo {} >device; cd /; {}",
            self.lab.nvram_device, self.lab.prepare
        ))?;
        let shell =
            guest.run(". /lab/settings; [ -z \"$LAB_SHELL\" ] || command -v ${LAB_SHELL%% *}")?;
        if shell.code != 0 {
            return Err(QemuError::Input(format!(
                "the guest has no `{}`: name a --shell that the image has",
                self.shell
            )));
        }
        self.guest = Some(guest);
        self.events.clear();
        self.read = 0;
        self.state = State::default();
        Ok(())
    }

    /// The flash and the console's log of each boot stay for whoever wants to know.
    fn keep_aside(&mut self) -> Result<(), QemuError> {
        self.number += 1;
        let before = self.path(&format!("flash-before-boot-{}.bin", self.number));
        let flash = self.path("flash.bin");
        fs::copy(&flash, &before).map_err(QemuError::file(&before))?;
        let console = self.path("console.log");
        if console.exists() {
            let kept = self.path(&format!("console-{}.log", self.number - 1));
            fs::rename(&console, &kept).map_err(QemuError::file(&kept))?;
        }
        Ok(())
    }

    fn socket(&self) -> io::Result<Socket> {
        let socket = Socket::new(Domain::UNIX, Type::DGRAM, None)?;
        socket.bind(&SockAddr::unix(self.path("clients"))?)?;
        Ok(socket)
    }

    /// Power goes.
    fn cut(&mut self) -> Result<(), QemuError> {
        self.cable = None;
        self.events.clear();
        if let Some(guest) = self.guest.take() {
            guest.cut()?;
        }
        Ok(())
    }

    /// The partition, as the chip's file holds it.
    fn flash(&self) -> Result<Vec<u8>, QemuError> {
        let path = self.path("flash.bin");
        let bytes = fs::read(&path).map_err(QemuError::file(&path))?;
        let chip = &self.lab.flash;
        bytes.get(chip.start..chip.start + chip.partition).map(<[u8]>::to_vec).ok_or_else(|| {
            QemuError::Guest(format!("{} is not as long as the chip", path.display()))
        })
    }
}

impl Backend for Router<'_> {
    fn call(&mut self, call: &ScriptCall, plan: &CallOptions) -> Result<CallResult, BackendError> {
        Ok(self.call_directly(call, plan)?)
    }

    fn nvram(&mut self, arguments: &[&[u8]]) -> Result<CommandResult, BackendError> {
        let words: Vec<String> = arguments.iter().map(|word| payload::quoted(word)).collect();
        let tool = payload::REAL_NVRAM;
        let script = format!(
            ". /lab/settings; export NVRAM_EMU_LOG=/tmp/lab/other; rm -f /tmp/lab/other; \
             {tool} {}",
            words.join(" ")
        );
        let done = self.power_on()?.run(&script)?;
        let log = self.power_on()?.must("cat /tmp/lab/other 2>/dev/null; :")?;
        let operations = calls::operations(&String::from_utf8_lossy(&log));
        let command: Vec<Vec<u8>> = arguments.iter().map(|word| word.to_vec()).collect();
        self.account(&[command], true)?;
        Ok(CommandResult {
            stdout: done.stdout,
            stderr: done.stderr,
            code: Some(done.code),
            operations,
        })
    }

    fn power_off(&mut self) -> Result<(), BackendError> {
        self.cut()?;
        // What the flash holds is what the next boot finds.
        self.account(&[], false)?;
        let flash = self.flash()?;
        self.ledger.reboot(&flash);
        Ok(())
    }

    fn machine(&mut self) -> Result<Cow<'_, Machine>, BackendError> {
        let staging = match &mut self.guest {
            None => None,
            Some(guest) => {
                let done = guest.run("[ -e /tmp/.nvram ] && cat /tmp/.nvram")?;
                (done.code == 0).then_some(done.stdout)
            }
        };
        let flash = self.flash()?;
        self.template.with_contents(&flash, staging).map(Cow::Owned).ok_or_else(|| {
            BackendError::Broken("the guest's staging file is no nvram's".to_owned())
        })
    }

    fn daemon(&mut self) -> Option<&mut dyn Daemon> {
        Some(self)
    }

    fn replace(&mut self, machine: Machine) -> Result<(), BackendError> {
        if self.guest.is_some() {
            return Err(BackendError::Broken(
                "flash in a running guest cannot be damaged from outside".to_owned(),
            ));
        }
        let path = self.path("flash.bin");
        let mut bytes = fs::read(&path).map_err(QemuError::file(&path))?;
        let start = self.lab.flash.start;
        let partition = machine.flash_bytes();
        bytes[start..start + partition.len()].copy_from_slice(&partition);
        fs::write(&path, bytes).map_err(QemuError::file(&path))?;
        self.ledger.reboot(&partition);
        Ok(())
    }
}
