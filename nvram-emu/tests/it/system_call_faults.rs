//! Every system call of the executable fails once, by strace: it reports an error or succeeds, never panics, and what it
//! has acknowledged is there after a reboot.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use nvram_emu::device::{Chip, Flash};
use nvram_emu::{Dialect, Machine, flsh};
use tempfile::TempDir;

use crate::scratch::tmpfs;

/// System calls that touch files, each with an error of a broken disk, of a full one, or of a machine without descriptors.
const FAULTS: [(&str, &str); 13] = [
    ("openat", "EIO"),
    ("openat", "EMFILE"),
    ("read", "EIO"),
    ("write", "EIO"),
    ("write", "ENOSPC"),
    ("lseek", "EIO"),
    ("flock", "ENOLCK"),
    ("rename", "EIO"),
    ("unlink", "EROFS"),
    ("statx", "EIO"),
    ("readlink", "EIO"),
    ("fstat", "EIO"),
    ("fsync", "EIO"),
];

/// No command makes so many system calls of one kind.
const MOST: usize = 60;

const SIZE: usize = 0x8000;

/// A router with `old=1` in its flash and `new=2` in its RAM.
struct Router {
    folder: TempDir,
    flash: Vec<u8>,
    staging: Vec<u8>,
}

impl Router {
    fn new() -> Self {
        let mut bytes = vec![0xFF; SIZE];
        let blank = flsh::blank_image();
        bytes[..blank.len()].copy_from_slice(&blank);
        let mut machine = machine(&bytes);
        machine.run(&[b"set", b"old=1"]);
        machine.run(&[b"commit"]);
        let flash = machine.flash_bytes().into_owned();
        machine.run(&[b"set", b"new=2"]);
        let staging = machine.ram_bytes().expect("a staging file").to_vec();
        Self { folder: tmpfs(), flash, staging }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs a command while one of its system calls fails. Returns its exit code and its output, or `None` if it does not
    /// make the system call so often.
    fn run(&self, fault: &str, words: &[&str]) -> Option<(Option<i32>, String)> {
        fs::write(self.path("flash"), &self.flash).expect("a file");
        fs::write(self.path("staging"), &self.staging).expect("a file");
        let mut strace = Command::new("strace");
        strace.args(["-qq", "-o"]).arg(self.path("trace")).args(["-e", fault]);
        strace.arg(assert_cmd::cargo::cargo_bin!("nvram")).args(words).stdin(Stdio::null());
        strace.env("NVRAM_EMU_FLASH", self.path("flash"));
        strace.env("NVRAM_EMU_STAGING", self.path("staging"));
        let output = strace.output().expect("strace runs");
        let trace = fs::read_to_string(self.path("trace")).unwrap_or_default();
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8_lossy(&text).into_owned();
        trace.contains("(INJECTED)").then_some((output.status.code(), text))
    }

    /// The value of a variable after a reboot.
    fn stored(&self, name: &str) -> String {
        let flash = fs::read(self.path("flash")).expect("a file");
        let value = machine(&flash).run(&[b"get", name.as_bytes()]).stdout;
        String::from_utf8_lossy(&value).trim().to_owned()
    }

    /// The value of a variable in RAM.
    fn set(&self, name: &str) -> String {
        let staging = fs::read(self.path("staging")).expect("a file");
        let value = machine(&staging).run(&[b"get", name.as_bytes()]).stdout;
        String::from_utf8_lossy(&value).trim().to_owned()
    }
}

/// A router that boots from this image. The staging file of OpenWrt's tool is an image, too.
fn machine(image: &[u8]) -> Machine {
    let flash = Flash::from_bytes(image, SIZE as u32, Chip::SPI_NOR).expect("a flash");
    Machine::new(Dialect::OpenWrt, flash, None)
}

fn has_strace() -> bool {
    let strace = Command::new("strace").args(["-qq", "-o", "/dev/null", "true"]).status();
    strace.is_ok_and(|status| status.success())
}

#[test]
fn a_system_call_that_fails_loses_nothing_that_was_acknowledged() {
    if !has_strace() {
        eprintln!("skipped: strace is not installed, or may not trace");
        return;
    }
    let router = Router::new();
    let mut injected = 0;
    for words in [&["commit"][..], &["set", "new=3"]] {
        for (call, error) in FAULTS {
            for number in 1..MOST {
                let fault = format!("inject={call}:error={error}:when={number}");
                let Some((code, text)) = router.run(&fault, words) else { break };
                injected += 1;
                let shown = format!("{words:?} {fault}: {code:?}: {text}");
                // 127 is the dynamic linker's.
                assert!(matches!(code, Some(0 | 1 | 127)), "{shown}");
                if code == Some(0) {
                    let value =
                        if words == ["commit"] { router.stored("new") } else { router.set("new") };
                    assert_eq!(value, if words == ["commit"] { "2" } else { "3" }, "{shown}");
                }
                assert_eq!(router.stored("old"), "1", "{shown}");
            }
        }
    }
    assert!(injected > 40, "only {injected} faults were injected");
    println!("{injected} faults");
}
