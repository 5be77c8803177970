//! A machine caches the load of the contents that it has written. A machine without the cache loads the same variables.

use nvram_emu::device::{Chip, Flash};
use nvram_emu::{Dialect, Machine};
use proptest::collection::vec;
use proptest::prelude::*;

/// A machine with the same flash and RAM and without cached loads.
fn without_cache(machine: &Machine) -> Machine {
    let ram = machine.ram_bytes().map(std::borrow::Cow::into_owned);
    machine.with_contents(&machine.flash_bytes(), ram).expect("contents of the same size")
}

/// The variables in RAM and in flash.
fn variables(machine: &Machine) -> [Option<nvram_emu::dialect::Variables>; 2] {
    [machine.load_ram(), machine.load_flash()].map(|loaded| Some(loaded?.variables()))
}

fn name() -> impl Strategy<Value = Vec<u8>> {
    const KNOWN: [&str; 8] =
        ["a", "b", "lan_ipaddr", "sdram_init", "sdram_ncdl", "sdram_config", "AaAa", "BBBB"];
    prop_oneof![
        4 => proptest::sample::select(&KNOWN).prop_map(|name| name.as_bytes().to_vec()),
        1 => vec(prop_oneof![33u8..=60, 62u8..=255], 1..12),
    ]
}

fn value() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        6 => vec(1u8..=255, 0..30),
        1 => vec(b'x'..=b'z', 200..900),
    ]
}

fn command() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let set =
        (name(), value()).prop_map(|(n, v)| vec![b"set".to_vec(), [n, vec![b'='], v].concat()]);
    let on = |word: &'static [u8]| name().prop_map(move |name| vec![word.to_vec(), name]);
    prop_oneof![
        8 => set,
        3 => on(b"unset"),
        2 => on(b"get"),
        5 => Just(vec![b"commit".to_vec()]),
        1 => Just(vec![b"show".to_vec()]),
        1 => Just(Vec::new()),
    ]
}

proptest! {
    #[test]
    fn a_cached_load_equals_a_new_load(
        dialect in proptest::sample::select(Dialect::ALL.to_vec()),
        (blocks, chip) in prop_oneof![
            Just((1, Chip::SPI_NOR)), Just((8, Chip::SPI_NOR)), Just((1, Chip::SLC_NAND)),
        ],
        commands in vec((command(), any::<bool>()), 1..40),
    ) {
        const SIZE: usize = 0x8000;
        let mut flash = vec![0xFF; SIZE];
        flash[..24].copy_from_slice(&nvram_emu::flsh::blank_image());
        let flash = Flash::from_bytes(&flash, (SIZE / blocks) as u32, chip).expect("a device");
        let mut machine = Machine::new(dialect, flash, None);
        for (command, reboots) in commands {
            // An empty command stands for a reboot.
            if command.is_empty() && reboots {
                machine.reboot();
                continue;
            }
            let words: Vec<&[u8]> = command.iter().map(Vec::as_slice).collect();
            let mut other = without_cache(&machine);
            prop_assert_eq!(machine.run(&words), other.run(&words));
            prop_assert_eq!(machine.flash_bytes(), other.flash_bytes());
            prop_assert_eq!(machine.ram_bytes(), other.ram_bytes());
            prop_assert_eq!(variables(&machine), variables(&without_cache(&machine)), "after {:?}", command);
        }
    }
}
