//! The script on every dialect of the emulator: a full NVRAM loses neither leases nor other variables.

use std::collections::BTreeMap;

use nvram_emu::device::{Chip, Flash, Geometry};
use nvram_emu::{Dialect, Machine};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg32;
use rstest::rstest;

use crate::support::Implementation::{Ash, Bash, Dash, Executable, Library};
use crate::support::{Implementation, Session, lease, test_call};

const SPACE: u32 = 0x8000;

/// A router with committed variables of other programs.
fn machine(dialect: Dialect) -> Machine {
    let geometry = Geometry::new(SPACE, SPACE).expect("a geometry");
    let mut image = vec![0xFF; SPACE as usize];
    // An empty store: the header, and the end of the variables.
    image[..20].copy_from_slice(b"FLSH\x18\0\0\0\0\x01\x19\x04\0\0\x40\x80\0\0\0\0");
    image[20..24].fill(0);
    image[8] = nvram_emu::flsh::crc_of(&image, 24);
    let mut flash = Flash::erased(geometry, Chip::SPI_NOR);
    flash.overwrite(0, &image);
    let mut machine =
        Machine::new(dialect, flash, dialect.info().driver_sets_size.then_some(SPACE));
    for i in 0..40 {
        put(&mut machine, &format!("wl{i}_ssid"), &"s".repeat(i));
    }
    put(&mut machine, "lan_hwaddr", "02:00:00:00:00:01");
    machine.run(&[b"commit"]);
    machine
}

fn put(machine: &mut Machine, name: &str, value: &str) {
    machine.run(&[b"set", format!("{name}={value}").as_bytes()]);
}

/// Fills the space except for `left` bytes, as another program might.
fn fill_up(machine: &mut Machine, left: usize) {
    // In steps of 500 bytes, since Padavan's tool accepts at most 1023 bytes at once; then the rest.
    for i in variables(machine).len().. {
        let used: usize =
            variables(machine).iter().map(|(name, value)| name.len() + value.len() + 2).sum();
        let free = SPACE as usize - 20 - used - left;
        let name = format!("fill{i}");
        if free < 600 {
            put(machine, &name, &"f".repeat(free.saturating_sub(name.len() + 2)));
            break;
        }
        put(machine, &name, &"f".repeat(500));
    }
    machine.run(&[b"commit"]);
}

fn variables(machine: &Machine) -> Vec<(Vec<u8>, Vec<u8>)> {
    machine.ram_variables().expect("a readable store")
}

/// The variables of other programs, except the `sdram_*` variables that a tool adds.
fn neighbours(variables: &[(Vec<u8>, Vec<u8>)]) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let ours = |name: &[u8]| name.starts_with(b"dnsmasq_lease_") || name.starts_with(b"sdram_");
    variables.iter().filter(|(name, _)| !ours(name)).cloned().collect()
}

fn leases(variables: &[(Vec<u8>, Vec<u8>)]) -> Vec<&[u8]> {
    variables
        .iter()
        .filter(|(name, _)| name.starts_with(b"dnsmasq_lease_"))
        .map(|(_, value)| value.as_slice())
        .collect()
}

fn each_dialect(test: impl Fn(Dialect)) {
    for dialect in Dialect::ALL {
        test(*dialect);
    }
}

/// On every dialect, a lease is stored, kept over a reboot, and removed.
#[rstest]
fn a_lease_survives_a_reboot(#[values(Library, Executable, Ash, Dash, Bash)] on: Implementation) {
    each_dialect(|dialect| {
        let mut s = Session::new(on, machine(dialect));
        let others = neighbours(&s.ram());
        let line = b"1700000000 02:aa:00:00:00:01 192.168.1.1 name *\n";
        assert_eq!(
            s.call(lease("add", 1, "name", "1700000000")).exit,
            0,
            "{dialect}: {}",
            s.transcript()
        );
        assert_eq!(s.call(test_call(["init"])).stdout, line, "{dialect}");
        s.reboot();
        assert_eq!(s.call(test_call(["init"])).stdout, line, "{dialect}");
        assert_eq!(neighbours(&s.flash()), others, "{dialect}");

        let before = s.flash_ops();
        for _ in 0..3 {
            s.call(lease("old", 1, "name", "1700000000"));
        }
        s.call(test_call(["init"]));
        s.call(lease("del", 2, "name", "1700000000"));
        s.call(test_call(["arp-add", "02:aa:00:00:00:01", "192.168.1.1"]));
        assert_eq!(s.flash_ops(), before, "{dialect}: nothing changed");

        assert_eq!(s.call(lease("del", 1, "name", "1700000000")).exit, 0, "{dialect}");
        s.reboot();
        assert_eq!(s.call(test_call(["init"])).stdout, b"", "{dialect}");
        assert_eq!(neighbours(&s.flash()), others, "{dialect}");
    });
}

/// Fills NVRAM with variables and leases of random lengths.
#[rstest]
#[case(Library, 4)]
#[case(Executable, 1)]
#[case(Ash, 1)]
#[case(Dash, 1)]
#[case(Bash, 1)]
fn a_full_nvram_loses_nothing(#[case] on: Implementation, #[case] seeds: u64) {
    each_dialect(|dialect| {
        for seed in 0..seeds {
            let mut random = Pcg32::seed_from_u64(seed);
            let mut machine = machine(dialect);
            fill_up(&mut machine, random.random_range(150..900));
            let mut s = Session::new(on, machine);
            let others = neighbours(&s.ram());
            let (mut kept, mut refused) = (BTreeMap::new(), 0);
            for step in 0..24 {
                let last = random.random_range(1..=9_u8);
                let host = "h".repeat(random.random_range(0..60));
                let action = if random.random_bool(0.15) { "del" } else { "add" };
                let expiry = (1_700_000_000 + step).to_string();
                let outcome = s.call(lease(action, last, &host, &expiry));
                let context = || format!("{dialect}, seed {seed}, step {step}: {}", s.transcript());
                if outcome.exit == 0 {
                    let host = if host.is_empty() { "*" } else { &host };
                    let line =
                        format!("{expiry} 02:aa:00:00:00:{last:02x} 192.168.1.{last} {host} *");
                    kept.remove(&last);
                    if action == "add" {
                        kept.insert(last, line.into_bytes());
                    }
                } else {
                    refused += 1;
                    assert_eq!(
                        String::from_utf8_lossy(&outcome.stderr).lines().count(),
                        1,
                        "{}",
                        context()
                    );
                }
                // Every variable has its old or its new value, in RAM and in flash.
                let lines: Vec<_> = kept.values().map(Vec::as_slice).collect();
                for variables in [s.ram(), s.flash()] {
                    assert_eq!(neighbours(&variables), others, "{}", context());
                    assert_eq!(leases(&variables), lines, "{}", context());
                }
            }
            if seed == 0 {
                // The limit must have been reached.
                assert!(refused > 0, "{dialect}: NVRAM was never full: {}", s.transcript());
            }
            // The leases are still there after a reboot, and can be removed.
            s.reboot();
            for last in kept.keys() {
                assert_eq!(s.call(lease("del", *last, "", "0")).exit, 0, "{dialect}, seed {seed}");
            }
            s.reboot();
            assert_eq!(s.call(test_call(["init"])).stdout, b"");
            assert_eq!(neighbours(&s.flash()), others);
        }
    });
}

/// With any number of free bytes: the last bytes would make OpenWrt's tool refuse all writes.
#[test]
fn the_tool_still_writes_with_any_number_of_free_bytes() {
    each_dialect(|dialect| {
        let mut nearly_full = machine(dialect);
        fill_up(&mut nearly_full, 1000);
        // Steps that reach every remainder of the padding to 4.
        for left in (0..300).step_by(7) {
            let mut machine = nearly_full.clone();
            fill_up(&mut machine, left);
            let mut s = Session::new(Library, machine);
            // Near the limit the other program may have lost variables or failed to commit; a commit of the script
            // then saves its state in RAM.
            let others = [neighbours(&s.flash()), neighbours(&s.ram())];
            assert!(left < 8 || others[0] == others[1], "{dialect}, {left} left");
            s.call(lease("add", 1, "", "1"));
            s.call(lease("old", 1, "", "2"));
            s.call(lease("old", 1, "a-long-name-appears", "2"));
            s.call(lease("add", 2, "", "2"));
            s.call(lease("old", 1, "", "2"));
            s.reboot();
            let context = || format!("{dialect}, {left} left: {}", s.transcript());
            assert!(others.contains(&neighbours(&s.flash())), "{}", context());
            let stored = leases(&s.ram()).len();
            // The tool still writes.
            for last in 1..=stored as u8 {
                assert_eq!(
                    s.call(lease("del", last, "", "2")).exit,
                    0,
                    "{dialect}, {left} left: {}",
                    s.transcript()
                );
            }
            assert_eq!(leases(&s.flash()).len(), 0);
        }
    });
}
