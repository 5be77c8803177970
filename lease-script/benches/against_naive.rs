//! Time of the script's calls, compared with the naive script modelled on that of 2006, in the same shell.
//!
//! Runs are interleaved, files lie on a tmpfs, and the figure is the ratio of the medians. The floor is a script that only
//! makes the same calls of the tool: it checks nothing. The tool is the emulated `nvram` for OpenWrt, built with the release
//! profile. Run: `cargo bench -p lease-script --bench against_naive`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use nvram_emu::device::{Chip, Flash, Geometry};
use nvram_emu::{Dialect, Machine};

const RUNS: u32 = 300;
const SIZE: u32 = 0x10000;

/// A call that is measured.
struct Case {
    title: &'static str,
    leases: u8,
    args: &'static [&'static str],
    /// Whether each run reports another expiry.
    changes: bool,
    max_ratio: f64,
    /// The calls of the tool that `lease_update.sh` makes.
    floor: fn(leases: u8) -> String,
}

const READ: &str = "all=$(exec nvram get dnsmasq_lease_192.168.1.1 get dnsmasq_lease_192.168.1.1";

/// A call with a change.
const CHANGE: &[&str] = &["add", "02:aa:00:00:00:01", "192.168.1.1", "changed"];

const CASES: &[Case] = &[
    Case {
        title: "old, without a change",
        leases: 20,
        args: &["old", "02:aa:00:00:00:01", "192.168.1.1", "host1"],
        changes: false,
        max_ratio: 0.6,
        floor: |_| format!("{READ})\n"),
    },
    Case {
        title: "add, with a change",
        leases: 20,
        args: &["add", "02:aa:00:00:00:01", "192.168.1.1", "host1"],
        changes: true,
        max_ratio: 1.6,
        floor: |_| {
            let write = "nvram set \"dnsmasq_lease_$3=$DNSMASQ_LEASE_EXPIRES $2 $3 $4 *\" commit";
            format!("{READ} show info)\n{write}\n{READ})\n")
        },
    },
    Case {
        title: "init, 150 leases",
        leases: 150,
        args: &["init"],
        changes: false,
        max_ratio: 1.5,
        floor: |leases| {
            let names = (1..=leases).map(|last| format!(" get dnsmasq_lease_192.168.1.{last}"));
            let names = names.collect::<String>();
            format!("all=$(exec nvram show info 2>&1)\nexec nvram{names}\n")
        },
    },
];

fn main() -> ExitCode {
    // Only `cargo bench` passes this argument; `cargo test --benches` checks that the program starts.
    if !std::env::args().any(|arg| arg == "--bench") {
        return ExitCode::SUCCESS;
    }
    let Some(tool) = build() else {
        eprintln!("against_naive: cannot build nvram");
        return ExitCode::from(3);
    };
    let folder =
        if Path::new("/dev/shm").is_dir() { "/dev/shm".into() } else { std::env::temp_dir() };
    let folder = tempfile::tempdir_in(folder).expect("a scratch folder");
    let programs = folder.path().join("bin");
    fs::create_dir(&programs).expect("a folder");
    fs::copy(tool, programs.join("nvram")).expect("a copy of nvram");
    let mut is_slow = false;
    println!(
        "{:<24} {:>10} {:>10} {:>6} {:>6} {:>6}",
        "busybox ash", "naive", "this", "ratio", "floor", "goal"
    );
    for case in CASES {
        let [naive, this, floor] = measure(folder.path(), &programs, case);
        let ratio = this.as_secs_f64() / naive.as_secs_f64();
        let floor = floor.as_secs_f64() / naive.as_secs_f64();
        is_slow |= ratio > case.max_ratio;
        println!(
            "{:<24} {:>7} us {:>7} us {ratio:>6.2} {floor:>6.2} {:>6}",
            case.title,
            naive.as_micros(),
            this.as_micros(),
            case.max_ratio
        );
    }
    println!("medians of {RUNS} interleaved runs");
    if is_slow { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn build() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(&root).args(["build", "--release", "-p", "nvram-emu", "--bin", "nvram"]);
    cargo.arg("--target-dir").arg(root.join("target"));
    cargo.status().ok()?.success().then(|| root.join("target/release/nvram"))
}

fn measure(folder: &Path, programs: &Path, case: &Case) -> [Duration; 3] {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    let floor = folder.join("floor.sh");
    fs::write(&floor, (case.floor)(case.leases)).expect("a script");
    let scripts =
        [manifest.join("../scenarios/scripts/naive.sh"), manifest.join("lease_update.sh"), floor];
    let images: Vec<PathBuf> = (0..3).map(|i| folder.join(format!("flash{i}"))).collect();
    for image in &images {
        fs::write(image, flash(case.leases)).expect("an image");
        let _ = fs::remove_file(image.with_extension("staging"));
    }
    let mut times = [const { Vec::new() }; 3];
    let mut path = std::env::join_paths([programs]).expect("a path");
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap_or_default());
    // The first run is not measured: a change, as after a boot.
    for run in 0..=RUNS {
        for (i, script) in scripts.iter().enumerate() {
            let args = if run == 0 { CHANGE } else { case.args };
            let expiry = 1_700_000_000 + if case.changes { run } else { 0 };
            let mut command = Command::new("busybox");
            command.arg("ash").arg(script).args(args).env_clear().env("PATH", &path);
            command.env("NVRAM_EMU_FLASH", &images[i]).env("LEASE_RUN", folder);
            command.env("NVRAM_EMU_STAGING", images[i].with_extension("staging"));
            command.env("DNSMASQ_LEASE_EXPIRES", expiry.to_string());
            command.stdin(Stdio::null()).stdout(Stdio::null());
            let start = Instant::now();
            let status = command.status().expect("busybox ash");
            if run > 0 {
                times[i].push(start.elapsed());
            }
            assert!(status.success(), "{}: {status}", script.display());
        }
    }
    times.map(|mut times| {
        times.sort();
        times[times.len() / 2]
    })
}

/// The flash of a router with settings and leases.
fn flash(leases: u8) -> Vec<u8> {
    let mut image = vec![0xFF; SIZE as usize];
    let blank = nvram_emu::flsh::blank_image();
    image[..blank.len()].copy_from_slice(&blank);
    let mut flash = Flash::erased(Geometry::new(SIZE, SIZE).expect("a geometry"), Chip::SPI_NOR);
    flash.overwrite(0, &image);
    let mut router = Machine::new(Dialect::OpenWrt, flash, None);
    for i in 0..100 {
        router.run(&[b"set", format!("wl0_setting{i}=value{i}").as_bytes()]);
    }
    for last in 1..=leases {
        let line = format!("1700000000 02:aa:00:00:00:{last:02x} 192.168.1.{last} host{last} *");
        router.run(&[b"set", format!("dnsmasq_lease_192.168.1.{last}={line}").as_bytes()]);
    }
    router.run(&[b"commit"]);
    router.flash_bytes().into_owned()
}
