//! Run time of a `nvram get` process, compared with an empty Rust program.
//!
//! Both are built by the same command, static, with the workspace's `small` profile:
//! `RUSTFLAGS=-Ctarget-feature=+crt-static cargo build --profile small --target HOST -p nvram-emu
//! --features empty --bins`. The image is 64 KiB with 400 variables, files lie on a tmpfs, runs are interleaved, and
//! the figure is the ratio of the medians. Run: `cargo bench -p nvram-emu --bench process_start`.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use nvram_emu::device::{Chip, Flash};
use nvram_emu::emu::{DeviceConfig, DeviceFolder};
use nvram_emu::flsh::{ChainRule, Format, Insert, Table, serialise};
use nvram_emu::{Dialect, Machine};

const RUNS: usize = 1000;
const MAX_RATIO: f64 = 1.3;
const SIZE: usize = 65536;

fn main() -> ExitCode {
    // Only `cargo bench` passes this argument; `cargo test --benches` checks that the program starts.
    if !std::env::args().any(|arg| arg == "--bench") {
        return ExitCode::SUCCESS;
    }
    let programs = match build() {
        Ok(programs) => programs,
        Err(why) => {
            eprintln!("process_start: {why}");
            return ExitCode::from(3);
        }
    };
    let tmpfs = if Path::new("/dev/shm").is_dir() {
        PathBuf::from("/dev/shm")
    } else {
        std::env::temp_dir()
    };
    let dir = tempfile::tempdir_in(tmpfs).expect("a scratch folder");
    let cases = prepare(dir.path());
    let mut worst = 0.0_f64;
    println!("{:<34} {:>9} {:>9} {:>6}", "nvram get (openwrt)", "empty", "get", "ratio");
    for (name, variables) in &cases {
        let (empty, get) = measure(&programs, variables);
        let ratio = get.as_secs_f64() / empty.as_secs_f64();
        worst = worst.max(ratio);
        println!("{name:<34} {:>6} us {:>6} us {ratio:>6.2}", empty.as_micros(), get.as_micros());
    }
    println!("target: at most {MAX_RATIO}; median of {RUNS} runs, interleaved");
    if worst <= MAX_RATIO { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

struct Programs {
    empty: PathBuf,
    nvram: PathBuf,
}

fn build() -> Result<Programs, String> {
    let host = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/process-start");
    let built = Command::new(env!("CARGO"))
        .args(["build", "--profile", "small", "-p", "nvram-emu", "--features", "empty", "--bins"])
        .args(["--target", &host, "--target-dir"])
        .arg(&target)
        .env("RUSTFLAGS", "-Ctarget-feature=+crt-static")
        .status()
        .map_err(|error| format!("cargo: {error}"))?;
    if !built.success() {
        return Err("the two programs did not build".into());
    }
    let out = target.join(host).join("small");
    Ok(Programs { empty: out.join("empty"), nvram: out.join("nvram") })
}

/// The environment variables of the cases.
fn prepare(dir: &Path) -> Vec<(&'static str, Vec<(&'static str, PathBuf)>)> {
    let mut table = Table::new(ChainRule::OPENWRT_MIPS, Insert::Head);
    for number in 0..400 {
        let name = format!("wl0_setting_number_{number}");
        table.set(name.as_bytes(), format!("a value of common length {number}").as_bytes());
    }
    let mut image = vec![0xFF; SIZE];
    serialise(&table, Format::OPENWRT, &mut image, SIZE).expect("400 variables fit");
    let (flash, staging) = (dir.join("flash"), dir.join("staging"));
    std::fs::write(&flash, &image).expect("a flash file");
    let mut machine = Machine::new(
        Dialect::OpenWrt,
        Flash::from_bytes(&image, 65536, Chip::SPI_NOR).expect("a device"),
        None,
    );
    machine.run(&[b"set", b"lan_ipaddr=192.168.1.1"]);
    std::fs::write(&staging, machine.ram_bytes().expect("a staging file")).expect("a staging file");
    let folder = dir.join("device");
    DeviceFolder::create(&folder, DeviceConfig::default(), &image).expect("a device folder");
    vec![
        (
            "two files, RAM empty",
            vec![("NVRAM_EMU_FLASH", flash.clone()), ("NVRAM_EMU_STAGING", dir.join("none"))],
        ),
        ("two files, RAM full", vec![("NVRAM_EMU_FLASH", flash), ("NVRAM_EMU_STAGING", staging)]),
        ("device folder, RAM empty", vec![("NVRAM_EMU", folder)]),
    ]
}

/// Median run times of the empty program and of `nvram get`.
fn measure(programs: &Programs, variables: &[(&str, PathBuf)]) -> (Duration, Duration) {
    let mut empty = Command::new(&programs.empty);
    let mut get = Command::new(&programs.nvram);
    get.args(["get", "wl0_setting_number_200"]);
    for command in [&mut empty, &mut get] {
        command.env_clear().envs(variables.iter().map(|(name, path)| (name, path)));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    }
    let (mut empties, mut gets) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        empties.push(time(&mut empty));
        gets.push(time(&mut get));
    }
    (median(empties), median(gets))
}

fn time(command: &mut Command) -> Duration {
    let start = Instant::now();
    let status = command.status().expect("a program that starts");
    let spent = start.elapsed();
    assert!(status.success(), "{command:?}: {status}");
    spent
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
