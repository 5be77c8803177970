//! Boots and power cuts of a router, and its state in between.

use std::collections::VecDeque;
use std::fs;
use std::io;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use nvram_emu::Machine;
use rand_pcg::Pcg64;
use socket2::{Domain, SockAddr, Socket, Type};

use crate::erase_audit::{Ending, EraseAudit};
use crate::erase_trace::{Erase, EraseTrace};
use crate::error::QemuError;
use crate::events::Event;
use crate::guest::Guest;
use crate::guest_config::{FileTransfer, GuestConfig};
use crate::guest_files::{self, GuestFiles};
use crate::link_thread::LinkThread;
use backend::process::ScriptCommand;
use dnsmasq_model::Clock;

/// Seconds from power-on until dnsmasq starts, in every scenario.
const BOOT_SECONDS: i64 = 30;

/// The state of dnsmasq when it was last polled (`harness/qemu/guest/poll-state`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct DaemonState {
    /// Whether dnsmasq and its script are idle.
    pub(super) is_idle: bool,
    /// UDP datagrams that the guest has received and sent; `None` if its kernel does not count them.
    pub(super) datagrams: Option<(u64, u64)>,
    /// For each process of dnsmasq, its state and how often it has run. Empty if dnsmasq does not run.
    pub(super) slices: Vec<String>,
}

/// A router in a guest.
#[derive(Debug)]
pub struct Router<'c> {
    pub(super) config: &'c mut GuestConfig,
    work: scratch::Folder,
    /// The router before its first boot.
    pub(super) template: Machine,
    files: GuestFiles,
    /// The shell that runs the script; empty: the script's first line decides.
    shell: String,
    /// `None` while the power is off.
    pub(super) guest: Option<Guest>,
    pub(super) link: Option<LinkThread>,
    pub(super) clock: Clock,
    /// The guest's wall clock after the last reply, if it differs from `clock`.
    pub(super) late_clock: Option<i64>,
    /// Events that were received, but not yet processed.
    pub(super) events: VecDeque<Event>,
    /// Bytes of the guest's event log that were received.
    pub(super) events_read: usize,
    pub(super) state: DaemonState,
    trace: EraseTrace,
    pub(super) audit: EraseAudit,
    pub(super) rng: Pcg64,
    /// The script's name as dnsmasq passes it.
    pub(super) script_name: Vec<u8>,
    /// The router's own address.
    pub(super) address: Ipv4Addr,
    boots: u32,
}

impl<'c> Router<'c> {
    /// A router that is switched off, with the contents of `machine` in its flash.
    ///
    /// # Errors
    /// When its files cannot be written, the script cannot be read, or the flash does not fit the chip.
    pub fn new(
        config: &'c mut GuestConfig,
        machine: &Machine,
        script: &ScriptCommand,
        seed: u64,
    ) -> Result<Self, QemuError> {
        let work = scratch::Folder::for_large_files()
            .map_err(QemuError::file(Path::new("a scratch folder")))?;
        let chip = &config.flash;
        let bytes = machine.flash_bytes();
        if bytes.len() != chip.partition {
            return Err(QemuError::Input(format!(
                "the router's nvram partition has {} bytes, but the guest's has {}",
                bytes.len(),
                chip.partition
            )));
        }
        let mut flash = vec![0xFF; chip.size];
        flash[chip.start..chip.start + chip.partition].copy_from_slice(&bytes);
        let path = work.path().join("flash.bin");
        fs::write(&path, flash).map_err(QemuError::file(&path))?;
        let trace =
            EraseTrace::new(&work.path().join("trace"), chip.start as u64, chip.partition as u64);
        Ok(Self {
            files: GuestFiles::new(config, machine, script)?,
            shell: script.shell.first().cloned().unwrap_or_default(),
            trace,
            audit: EraseAudit::new(machine),
            template: machine.clone(),
            guest: None,
            link: None,
            clock: Clock { wall: 0, mono: 0 },
            late_clock: None,
            events: VecDeque::new(),
            events_read: 0,
            state: DaemonState::default(),
            rng: Pcg64::new(u128::from(seed), 0),
            script_name: Vec::new(),
            address: Ipv4Addr::UNSPECIFIED,
            boots: 0,
            work,
            config,
        })
    }

    /// The comparison of erases.
    pub fn audit(&self) -> &EraseAudit {
        &self.audit
    }

    /// The folder with the console's logs, QEMU's command line, its trace, and the flash.
    pub fn folder(&self) -> &Path {
        self.work.path()
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.work.path().join(name)
    }

    /// The guest, which is booted if the power is off.
    pub(super) fn running_guest(&mut self) -> Result<&mut Guest, QemuError> {
        if self.guest.is_none() {
            self.boot()?;
        }
        self.guest.as_mut().ok_or_else(is_off)
    }

    /// The link to the guest.
    pub(super) fn running_link(&self) -> Result<&LinkThread, QemuError> {
        self.link.as_ref().ok_or_else(is_off)
    }

    fn boot(&mut self) -> Result<(), QemuError> {
        let rtc = self.clock.wall - BOOT_SECONDS;
        let initrd = self.write_files()?;
        for name in ["guest", "clients"] {
            _ = fs::remove_file(self.path(name));
        }
        let socket = self.bind_socket().map_err(QemuError::file(&self.path("clients")))?;
        let options = self.config.options(self.work.path(), initrd.as_deref(), rtc);
        self.write_command_line(&options)?;
        self.keep_flash_and_console()?;
        let channel = self.config.channel.clone();
        let mut guest = Guest::boot(
            &self.config.qemu,
            &options,
            self.work.path(),
            &channel,
            &mut self.config.timeouts,
        )?;
        let guest_end = self.path("guest");
        SockAddr::unix(&guest_end)
            .and_then(|address| socket.connect(&address))
            .map_err(QemuError::file(&guest_end))?;
        self.link = Some(LinkThread::new(socket).map_err(QemuError::file(&guest_end))?);
        self.check_clock(&mut guest, rtc)?;
        guest.run_preparation(&format!(
            "mkdir -p /tmp/lab; cd /tmp/lab; : >events; : >news; echo 0 >number; \
             echo {} >device; cd /; {}\n{}",
            self.config.nvram_device,
            wait_for_interface(&self.config.interface),
            self.config.prepare
        ))?;
        let shell =
            guest.run(". /lab/settings; [ -z \"$LAB_SHELL\" ] || command -v ${LAB_SHELL%% *}")?;
        if shell.code != 0 {
            return Err(QemuError::Input(format!(
                "the guest has no `{}`: name a --shell that the image contains",
                self.shell
            )));
        }
        self.guest = Some(guest);
        self.events.clear();
        self.events_read = 0;
        self.state = DaemonState::default();
        Ok(())
    }

    /// Writes the archive of the guest's files. Returns the initrd to boot with.
    fn write_files(&self) -> Result<Option<PathBuf>, QemuError> {
        let initrd = self.config.initrd.as_deref();
        match self.config.file_transfer {
            FileTransfer::Initrd => {
                let path = self.path("files.cpio");
                guest_files::append_to_initrd(initrd, &self.files.to_cpio(), &path)?;
                Ok(Some(path))
            }
            FileTransfer::Disk => {
                let path = self.path("files.tar");
                let disk = self.files.to_tar_disk().map_err(QemuError::file(&path))?;
                fs::write(&path, disk).map_err(QemuError::file(&path))?;
                Ok(initrd.map(Path::to_owned))
            }
        }
    }

    /// Writes QEMU's command line to a file, so that the boot can be repeated.
    fn write_command_line(&self, options: &[String]) -> Result<(), QemuError> {
        let qemu = self.config.qemu.display().to_string();
        let words = std::iter::once(qemu.as_str()).chain(options.iter().map(String::as_str));
        let line = shlex::try_join(words).unwrap_or_default() + "\n";
        let path = self.path("command");
        fs::write(&path, line).map_err(QemuError::file(&path))
    }

    /// Checks the guest's clock, which is wrong if its kernel has no driver for the RTC.
    fn check_clock(&self, guest: &mut Guest, rtc: i64) -> Result<(), QemuError> {
        let shown = guest.run_checked("date -u +%s")?;
        let shown: i64 = String::from_utf8_lossy(&shown).trim().parse().unwrap_or(-1);
        let latest = rtc.max(0) + self.config.timeouts.boot().as_secs() as i64;
        if (rtc.max(0)..=latest).contains(&shown) {
            return Ok(());
        }
        Err(QemuError::Guest(format!(
            "the guest's RTC was set to {rtc}, but its clock shows {shown}: does its kernel have a driver for \
             the RTC?"
        )))
    }

    /// Keeps the flash before this boot, and the console's log of the boot before.
    fn keep_flash_and_console(&mut self) -> Result<(), QemuError> {
        self.boots += 1;
        let kept = self.path(&format!("flash-before-boot-{}.bin", self.boots));
        fs::copy(self.path("flash.bin"), &kept).map_err(QemuError::file(&kept))?;
        let console = self.path("console.log");
        if console.exists() {
            let kept = self.path(&format!("console-{}.log", self.boots - 1));
            fs::rename(&console, &kept).map_err(QemuError::file(&kept))?;
        }
        Ok(())
    }

    fn bind_socket(&self) -> io::Result<Socket> {
        let socket = Socket::new(Domain::UNIX, Type::DGRAM, None)?;
        socket.bind(&SockAddr::unix(self.path("clients"))?)?;
        Ok(socket)
    }

    pub(super) fn cut_power(&mut self) -> Result<(), QemuError> {
        self.link = None;
        self.events.clear();
        if let Some(guest) = self.guest.take() {
            guest.cut_power()?;
        }
        Ok(())
    }

    /// The contents of the nvram partition, from the file of QEMU's flash chip.
    pub(super) fn flash(&self) -> Result<Vec<u8>, QemuError> {
        let path = self.path("flash.bin");
        let bytes = fs::read(&path).map_err(QemuError::file(&path))?;
        let chip = &self.config.flash;
        bytes.get(chip.start..chip.start + chip.partition).map(<[u8]>::to_vec).ok_or_else(|| {
            QemuError::Guest(format!("{}: not as long as the flash chip", path.display()))
        })
    }

    /// Replaces the contents of the nvram partition, while the power is off.
    pub(super) fn write_flash(&mut self, partition: &[u8]) -> Result<(), QemuError> {
        let path = self.path("flash.bin");
        let mut bytes = fs::read(&path).map_err(QemuError::file(&path))?;
        let start = self.config.flash.start;
        bytes[start..start + partition.len()].copy_from_slice(partition);
        fs::write(&path, bytes).map_err(QemuError::file(&path))?;
        self.audit.copy_flash(partition);
        Ok(())
    }

    /// The erases that QEMU has traced since the last call.
    pub(super) fn erases_since_last_read(&mut self) -> Result<Vec<Erase>, QemuError> {
        let path = self.path("trace");
        self.trace.read_new().map_err(QemuError::file(&path))
    }

    /// Records the nvram commands that have just run. Returns the offsets of the blocks that QEMU's chip erased.
    pub(super) fn record_commands(
        &mut self,
        commands: &[Vec<Vec<u8>>],
        ending: Ending,
    ) -> Result<Vec<u64>, QemuError> {
        let erases = self.erases_since_last_read()?;
        if self.config.flash.options.is_empty() {
            return Ok(Vec::new());
        }
        self.audit.record(commands.iter().map(Vec::as_slice), &erases, ending);
        let offset = |erase: Erase| match erase {
            Erase::InPartition(offset) => Some(offset),
            Erase::Outside(_) => None,
        };
        Ok(erases.into_iter().filter_map(offset).collect())
    }
}

fn is_off() -> QemuError {
    QemuError::Guest("the router is switched off".to_owned())
}

/// Shell commands that wait until the LAN interface exists and, if it is a bridge, has a port: some images configure their
/// network half a minute after they show a prompt. The caller's time limit ends the wait.
fn wait_for_interface(name: &str) -> String {
    format!(
        "i=/sys/class/net/{name}; \
         until [ -d $i ] && {{ [ ! -d $i/brif ] || [ -n \"$(ls $i/brif)\" ]; }}; do sleep 1; done"
    )
}
