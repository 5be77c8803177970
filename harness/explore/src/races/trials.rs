//! The same by chance: real processes, a real file.

use std::fs;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nvram_emu::device::{Chip, Flash};
use nvram_emu::{Dialect, Machine, flsh};

use super::Lock;

/// Variables that are there before, as in the measurement of the real tool.
const OLDER: usize = 200;
/// Trials on one image.
const ROUNDS: u32 = 20;
/// The partition.
const SIZE: u32 = 0x10000;

/// What trials came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Trials {
    /// Trials made.
    pub trials: u32,
    /// `nvram set` commands.
    pub sets: u32,
    /// Of these, whose variable was not there when all had ended.
    pub lost: u32,
    /// Of these, who had returned 0.
    pub lost_silently: u32,
    /// Variables of earlier trials and of the image that went with them.
    pub older_lost: u32,
    /// Commands that ended by a crash: the fake says so and returns 1.
    pub failed: u32,
}

/// Lets `writers` processes at a time each set a variable of its own, `trials` times.
///
/// # Errors
/// When the temporary files or the processes refuse.
pub fn run(leaselab: &Path, trials: u32, writers: u32, lock: Lock) -> io::Result<Trials> {
    let folder = tempfile::Builder::new().prefix("leaselab-races").tempdir_in(scratch())?;
    let device = Device { folder: folder.path().to_owned(), leaselab: leaselab.to_owned(), lock };
    let image = image();
    let mut total = Trials { trials, ..Trials::default() };
    let mut expected: Vec<String> = Vec::new();
    for trial in 0..trials {
        if trial % ROUNDS == 0 {
            device.reset(&image)?;
            expected = (0..OLDER).map(older).collect();
        }
        let fresh: Vec<String> =
            (0..writers).map(|writer| format!("race_{trial}_{writer}={trial}")).collect();
        let children: io::Result<Vec<_>> = fresh.iter().map(|pair| device.set(pair)).collect();
        let mut codes = Vec::new();
        for mut child in children? {
            codes.push(child.wait()?.code());
        }
        let there = device.variables()?;
        let is_there = |pair: &str| there.iter().any(|line| line == pair.as_bytes());
        for (pair, code) in fresh.iter().zip(codes) {
            total.sets += 1;
            total.failed += u32::from(code != Some(0));
            if !is_there(pair) {
                total.lost += 1;
                total.lost_silently += u32::from(code == Some(0));
            }
        }
        let before = expected.len();
        expected.retain(|pair| is_there(pair));
        total.older_lost += (before - expected.len()) as u32;
        expected.extend(fresh.into_iter().filter(|pair| is_there(pair)));
    }
    Ok(total)
}

/// In memory, where there is such a place.
fn scratch() -> PathBuf {
    let shm = Path::new("/dev/shm");
    if shm.is_dir() { shm.to_owned() } else { std::env::temp_dir() }
}

fn older(number: usize) -> String {
    format!("wl0_setting{number:03}={number:040}")
}

fn image() -> Vec<u8> {
    let mut bytes = vec![0xFF; SIZE as usize];
    let blank = flsh::blank_image();
    bytes[..blank.len()].copy_from_slice(&blank);
    let flash = Flash::from_bytes(&bytes, SIZE, Chip::SPI_NOR).expect("one block");
    let mut router = Machine::new(Dialect::OpenWrt, flash, None);
    for number in 0..OLDER {
        router.run(&[b"set", older(number).as_bytes()]);
    }
    router.run(&[b"commit"]);
    router.flash_bytes().into_owned()
}

struct Device {
    folder: PathBuf,
    leaselab: PathBuf,
    lock: Lock,
}

impl Device {
    fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn reset(&self, image: &[u8]) -> io::Result<()> {
        fs::write(self.file("flash"), image)?;
        match fs::remove_file(self.file("staging")) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    fn nvram(&self) -> Command {
        let mut command = Command::new(&self.leaselab);
        command.arg0("nvram").env_clear();
        command.env("NVRAM_EMU_FLASH", self.file("flash"));
        command.env("NVRAM_EMU_STAGING", self.file("staging"));
        command.env("NVRAM_EMU_RACE", if self.lock == Lock::None { "1" } else { "0" });
        command.stdin(Stdio::null()).stderr(Stdio::null());
        command
    }

    fn set(&self, pair: &str) -> io::Result<std::process::Child> {
        self.nvram().args(["set", pair]).stdout(Stdio::null()).spawn()
    }

    /// The lines of `nvram show`.
    fn variables(&self) -> io::Result<Vec<Vec<u8>>> {
        let shown = self.nvram().arg("show").output()?.stdout;
        Ok(shown.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect())
    }
}
