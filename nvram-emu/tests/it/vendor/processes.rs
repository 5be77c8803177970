//! The executable and the library agree: output, exit code and flash operations of a sequence of processes.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;

use assert_cmd::Command;
use nvram_emu::device::{Chip, Flash};
use nvram_emu::{Dialect, Exit, Machine};
use rstest::rstest;

use crate::scratch::tmpfs;

const SIZE: usize = 0x4000;
const ERASE: u32 = 0x1000;
const SPACE: u32 = 0x1000;

#[rstest]
fn the_executable_agrees_with_the_library(
    #[values(
        "broadcom-stock",
        "ddwrt",
        "tomato",
        "freshtomato-arm",
        "merlin",
        "padavan",
        "seed2006"
    )]
    name: &str,
) {
    let dialect: Dialect = name.parse().expect("a known dialect");
    let folder = tmpfs();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("flash"), [0xFF; SIZE]).expect("the flash file");
    let flash = Flash::from_bytes(&[0xFF; SIZE], ERASE, Chip::SPI_NOR).expect("a possible flash");
    let mut machine = Machine::new(dialect, flash, Some(SPACE));

    let changes = (0..40).map(|number| format!("set n{}={}", number % 7, "x".repeat(number * 5)));
    let words =
        ["", "set a=1", "set 1x=2", "get a", "unset n3", "show", "commit", "get none", "commit"];
    let script: Vec<String> = changes.chain(words.map(String::from)).collect();
    for boot in 0..2 {
        for words in &script {
            let args: Vec<&[u8]> = words.split_whitespace().map(str::as_bytes).collect();
            fs::write(path("log"), "").expect("the log");
            let output = Command::cargo_bin("nvram")
                .expect("the executable")
                .env_clear()
                .env("NVRAM_EMU_DIALECT", name)
                .env("NVRAM_EMU_FLASH", path("flash"))
                .env("NVRAM_EMU_STAGING", path("staging"))
                .env("NVRAM_EMU_ERASE", ERASE.to_string())
                .env("NVRAM_EMU_SPACE", SPACE.to_string())
                .env("NVRAM_EMU_LOG", path("log"))
                .args(args.iter().map(|arg| OsStr::from_bytes(arg)))
                .output()
                .expect("the executable runs");
            let outcome = machine.run(&args);
            let ops: String =
                machine.take_ops().iter().fold(String::new(), |ops, op| ops + &format!("{op}\n"));
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            assert_eq!(text(&output.stdout), text(&outcome.stdout), "{name} boot {boot}: {words}");
            assert_eq!(text(&output.stderr), text(&outcome.stderr), "{name} boot {boot}: {words}");
            let code =
                output.status.code().and_then(|code| u8::try_from(code).ok()).map(Exit::Code);
            assert_eq!(code, Some(outcome.exit), "{name} boot {boot}: {words}");
            assert_eq!(fs::read_to_string(path("log")).expect("the log"), ops, "{name}: {words}");
        }
        assert!(fs::read(path("flash")).expect("the flash file") == machine.flash_bytes().as_ref());
        fs::remove_file(path("staging")).expect("RAM of a running driver");
        machine.reboot();
    }
}
