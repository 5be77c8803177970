//! A stress test: real processes that set variables in a real file and commit them, at the same time.

use std::fs;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Output, Stdio};
use std::thread;

use nvram_emu::device::{Chip, Flash};
use nvram_emu::{Dialect, Machine, flsh};

use super::Locking;

/// Number of variables before the first trial, as in the measurement of the real tool.
const SETTINGS: usize = 200;
/// Number of leases before the first trial.
const LEASES: usize = 20;
/// Number of trials on one image.
const TRIALS_PER_IMAGE: u32 = 20;
/// Size of the partition in bytes.
const SIZE: u32 = 0x10000;

/// The result of a stress test.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StressReport {
    /// Number of trials.
    pub trials: u32,
    /// Number of variables that were set and committed.
    pub sets: u32,
    /// Number of them that were missing in the flash after all writers of the trial had ended.
    pub lost: u32,
    /// Number of lost ones whose `set` and `commit` had returned 0.
    pub lost_silently: u32,
    /// Number of variables of earlier trials and of the image that were lost as well.
    pub lost_settings: u32,
    /// Number of commands that failed: where the real tool crashes, the emulator returns 1.
    pub failed: u32,
    /// Number of calls of `lease-update init` that returned 0 while the writers ran.
    pub inits: u32,
    /// Number of these calls that did not print a lease that was in the flash before and after the trial.
    pub incomplete_inits: u32,
}

/// Runs `trials` trials, in each of which `writers` writers at the same time run `nvram set` for a variable of their own,
/// then `nvram commit`, and `lease-update init` reads the leases. After each trial the router reboots. `leaselab` is the
/// path of an executable that acts as `nvram` and `lease-update` under these names.
///
/// # Errors
/// A temporary file cannot be written, or a process cannot be started.
pub fn run(leaselab: &Path, trials: u32, writers: u32, lock: Locking) -> io::Result<StressReport> {
    let folder = scratch::Folder::new()?;
    let device = Device { folder: folder.path().to_owned(), leaselab: leaselab.to_owned(), lock };
    std::os::unix::fs::symlink(leaselab, device.file("nvram"))?;
    let image = image();
    let mut total = StressReport { trials, ..StressReport::default() };
    let mut expected: Vec<String> = Vec::new();
    for trial in 0..trials {
        if trial % TRIALS_PER_IMAGE == 0 {
            device.reset(&image)?;
            expected = (0..SETTINGS).map(setting).chain((0..LEASES).map(lease)).collect();
        }
        let fresh: Vec<String> =
            (0..writers).map(|writer| format!("race_{trial}_{writer}={trial}")).collect();
        let (ends, init) = device.write_and_read_at_the_same_time(&fresh)?;
        device.reboot()?;
        let stored = device.variables()?;
        let is_stored = |pair: &str| stored.iter().any(|line| line == pair.as_bytes());
        for (pair, end) in fresh.iter().zip(ends) {
            let failed = end.iter().filter(|status| !status.success()).count() as u32;
            total.sets += 1;
            total.failed += failed;
            if !is_stored(pair) {
                total.lost += 1;
                total.lost_silently += u32::from(failed == 0);
            }
        }
        if init.status.success() {
            total.inits += 1;
            let printed: Vec<&[u8]> = init.stdout.split(|byte| *byte == b'\n').collect();
            let leases = expected.iter().filter(|pair| is_stored(pair));
            let mut leases = leases.filter_map(|pair| pair.strip_prefix("dnsmasq_lease_"));
            let is_missing = |pair: &str| {
                pair.split_once('=').is_some_and(|(_, line)| !printed.contains(&line.as_bytes()))
            };
            total.incomplete_inits += u32::from(leases.any(is_missing));
        }
        let before = expected.len();
        expected.retain(|pair| is_stored(pair));
        total.lost_settings += (before - expected.len()) as u32;
        expected.extend(fresh.into_iter().filter(|pair| is_stored(pair)));
    }
    Ok(total)
}

fn setting(number: usize) -> String {
    format!("wl0_setting{number:03}={number:040}")
}

fn lease(number: usize) -> String {
    let address = format!("192.168.1.{number}");
    format!("dnsmasq_lease_{address}=1700003600 02:aa:00:00:00:{number:02x} {address} host *")
}

fn image() -> Vec<u8> {
    let mut bytes = vec![0xFF; SIZE as usize];
    let blank = flsh::blank_image();
    bytes[..blank.len()].copy_from_slice(&blank);
    let flash = Flash::from_bytes(&bytes, SIZE, Chip::SPI_NOR).expect("one block");
    let mut router = Machine::new(Dialect::OpenWrt, flash, None);
    for number in 0..SETTINGS {
        router.run(&[b"set", setting(number).as_bytes()]);
    }
    for number in 0..LEASES {
        router.run(&[b"set", lease(number).as_bytes()]);
    }
    router.run(&[b"commit"]);
    router.flash_bytes().into_owned()
}

struct Device {
    folder: PathBuf,
    leaselab: PathBuf,
    lock: Locking,
}

impl Device {
    fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn reset(&self, image: &[u8]) -> io::Result<()> {
        fs::write(self.file("flash"), image)?;
        self.reboot()
    }

    fn reboot(&self) -> io::Result<()> {
        match fs::remove_file(self.file("staging")) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    fn command(&self, name: &str) -> Command {
        let mut command = Command::new(&self.leaselab);
        command.arg0(name).env_clear();
        command.env("NVRAM_EMU_FLASH", self.file("flash"));
        command.env("NVRAM_EMU_STAGING", self.file("staging"));
        command.env("NVRAM_EMU_RACE", if self.lock == Locking::None { "1" } else { "0" });
        command.stdin(Stdio::null()).stderr(Stdio::null());
        command
    }

    fn nvram(&self) -> Command {
        self.command("nvram")
    }

    /// Prints the leases.
    fn init(&self) -> io::Result<Output> {
        let mut command = self.command("lease-update");
        command.env("LEASE_NVRAM", self.file("nvram")).env("LEASE_RUN", &self.folder);
        command.arg("init").output()
    }

    /// Sets and commits each variable, in a thread for each, and reads the leases in another one. Returns how the commands
    /// of each ended, and what `init` printed.
    fn write_and_read_at_the_same_time(
        &self,
        pairs: &[String],
    ) -> io::Result<(Vec<[ExitStatus; 2]>, Output)> {
        thread::scope(|scope| {
            let writers: Vec<_> =
                pairs.iter().map(|pair| scope.spawn(|| self.set_and_commit(pair))).collect();
            let reader = scope.spawn(|| self.init());
            let ends: io::Result<Vec<_>> = writers
                .into_iter()
                .map(|writer| {
                    writer.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
                })
                .collect();
            let init = reader.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            Ok((ends?, init?))
        })
    }

    fn set_and_commit(&self, pair: &str) -> io::Result<[ExitStatus; 2]> {
        let run = |words: &[&str]| self.nvram().args(words).stdout(Stdio::null()).status();
        Ok([run(&["set", pair])?, run(&["commit"])?])
    }

    /// The lines of `nvram show`.
    fn variables(&self) -> io::Result<Vec<Vec<u8>>> {
        let shown = self.nvram().arg("show").output()?.stdout;
        Ok(shown.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect())
    }
}
