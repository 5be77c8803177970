//! Cycles per second of a machine in memory: clone, `show` of a 32 KiB image, check of the output.
//!
//! Run: `cargo bench -p nvram-emu --bench machine_cycle`.

use std::hint::black_box;
use std::process::ExitCode;

use nvram_emu::device::{Chip, Flash};
use nvram_emu::flsh::{Format, Insert, Table, serialise};
use nvram_emu::{Dialect, Exit, Machine};

const CYCLES: u32 = 20_000;
const TARGET_RATE: f64 = 20_000.0;
const SIZE: usize = 0x8000;

fn main() -> ExitCode {
    // Only `cargo bench` passes this argument; `cargo test --benches` checks that the program starts.
    if !std::env::args().any(|arg| arg == "--bench") {
        return ExitCode::SUCCESS;
    }
    let mut slowest = f64::MAX;
    for dialect in [Dialect::OpenWrt, Dialect::Broadcom] {
        let machine = machine(dialect);
        let expected = machine.clone().run(&[b"show"]);
        let start = cpu_seconds();
        for _ in 0..CYCLES {
            let mut fork = machine.clone();
            fork.reboot();
            let outcome = fork.run(black_box(&[b"show"]));
            assert!(outcome == expected && outcome.exit == Exit::Code(0));
        }
        let rate = f64::from(CYCLES) / (cpu_seconds() - start);
        println!(
            "{dialect}: {rate:.0} cycles per second on one core (clone, boot, show of 400 variables, check)"
        );
        slowest = slowest.min(rate);
    }
    if slowest >= TARGET_RATE { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// CPU time of this process, which does not depend on other load of the machine.
fn cpu_seconds() -> f64 {
    let stat =
        std::fs::read_to_string("/proc/self/schedstat").expect("Linux with scheduler statistics");
    let nanoseconds = stat.split(' ').next().and_then(|field| field.parse::<f64>().ok());
    nanoseconds.expect("a number of nanoseconds") / 1e9
}

fn machine(dialect: Dialect) -> Machine {
    let (rule, format) = match dialect.tool().driver() {
        Some(driver) => (driver.rule, driver.format),
        None => (nvram_emu::flsh::ChainRule::OPENWRT_MIPS, Format::OPENWRT),
    };
    let mut table = Table::new(rule, Insert::Head);
    for number in 0..400 {
        let name = format!("dnsmasq_lease_192.168.1.{number}");
        table.set(
            name.as_bytes(),
            format!("1167609600 00:11:22:33:44:55 192.168.1.{number} host-{number} *").as_bytes(),
        );
    }
    let mut image = vec![0xFF; SIZE];
    serialise(&table, format, &mut image, SIZE).expect("room for the header");
    let flash = Flash::from_bytes(&image, 65536, Chip::SPI_NOR).expect("a device");
    Machine::new(dialect, flash, None)
}
