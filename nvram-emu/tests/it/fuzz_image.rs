//! Fuzz target: arbitrary bytes as an image, for every tool.

use nvram_emu::device::{Chip, Flash};
use nvram_emu::emu::DeviceConfig;
use nvram_emu::flsh::{ChainRule, Format, HEADER_LEN, Insert, MAGIC, ScanMode, Table, serialise};
use nvram_emu::{Dialect, Machine};

const SPACE: usize = 0x8000;

/// A partition that starts like an image: a header with random numbers, then random entries and bytes.
fn partition(bytes: &[u8]) -> Vec<u8> {
    let mut flash = MAGIC.to_le_bytes().to_vec();
    let (head, rest) = bytes.split_at(bytes.len().min(HEADER_LEN - 4));
    flash.extend_from_slice(head);
    flash.resize(HEADER_LEN, 0);
    for byte in rest {
        match byte {
            0..40 => flash.extend_from_slice(b"name=value\0"),
            40..50 => flash.extend_from_slice(b"sdram_init=0x10b\0"),
            50..60 => flash.extend_from_slice(b"\0\0"),
            60..64 => flash.extend_from_slice(&[b'x'; 700]),
            byte => flash.push(*byte),
        }
    }
    flash.resize(SPACE.max((flash.len() + 3) & !3), 0xFF);
    if !bytes.len().is_multiple_of(3) {
        // A length within the data.
        let length = (HEADER_LEN + rest.len()) as u32;
        flash[4..8].copy_from_slice(&length.to_le_bytes());
    }
    flash.truncate(SPACE);
    flash
}

/// A `device.toml` is read, or rejected with a line; what is read and written is read again as the same.
#[test]
fn fuzz_the_device_file() {
    const PIECES: [&str; 12] = [
        "dialect = ",
        "chip = ",
        "erase = ",
        "space = ",
        "\"openwrt\"",
        "\"spi-nor\"",
        "65536",
        "\n",
        "\"",
        "=",
        "#",
        "4294967296",
    ];
    fuzz_inputs::check!(1000, |bytes: &[u8]| {
        let text: String = bytes
            .iter()
            .map(|byte| match PIECES.get(usize::from(*byte)) {
                Some(piece) => (*piece).to_owned(),
                None => char::from(*byte).to_string(),
            })
            .collect();
        match DeviceConfig::parse(&text) {
            Ok(config) => assert_eq!(DeviceConfig::parse(&config.to_string()), Ok(config)),
            Err(error) => assert!((1..=text.lines().count()).contains(&error.line), "{error}"),
        }
    });
}

/// Every command ends, and a committed variable exists after the next boot unless the image is invalid. The first byte chooses
/// the tool.
#[test]
fn fuzz_every_tool_on_any_image() {
    fuzz_inputs::check!(600, |bytes: &[u8]| {
        let Some((tool, image)) = bytes.split_first() else { return };
        let dialect = Dialect::ALL[usize::from(*tool) % Dialect::ALL.len()];
        let flash = Flash::from_bytes(&partition(image), 0x1_0000, Chip::ALL[0]);
        let mut machine = Machine::new(dialect, flash.expect("a geometry"), None);
        machine.run(&[b"show"]);
        machine.run(&[b"get", b"name"]);
        let set = machine.run(&[b"set", b"lease=1 2 3"]);
        let kept = machine.run(&[b"get", b"lease"]);
        machine.run(&[b"unset", b"name"]);
        machine.run(&[b"commit"]);
        machine.reboot();
        let after = machine.run(&[b"get", b"lease"]);
        if kept.stdout == b"1 2 3\n" && machine.flash_variables().is_some() {
            assert!(
                after.stdout == kept.stdout || after.stdout.is_empty(),
                "{dialect}: {set:?} {after:?}"
            );
        }
    });
}

/// A table that was loaded from arbitrary bytes does not change when it is written and loaded again.
#[test]
fn fuzz_the_image_codec() {
    fuzz_inputs::check!(300, |bytes: &[u8]| {
        let area = &partition(bytes)[HEADER_LEN..];
        for (rule, format) in [
            (ChainRule::OPENWRT_MIPS, Format::OPENWRT),
            (ChainRule::OPENWRT_ARM, Format::OPENWRT_ARM),
            (ChainRule::PLAIN, Format::BROADCOM),
        ] {
            for mode in [ScanMode::CStrings, ScanMode::Terminated, ScanMode::Bounded] {
                let (first, _) = Table::load(area, mode, rule, Insert::Head);
                let mut image = vec![0; 2 * SPACE + 8];
                let Ok(written) = serialise(&first, format, &mut image, 2 * SPACE) else {
                    continue;
                };
                if written.dropped > 0 {
                    continue;
                }
                let (second, _) =
                    Table::load(&image[HEADER_LEN..], ScanMode::CStrings, rule, Insert::Head);
                let sorted = |table: &Table| {
                    let mut listed: Vec<(Vec<u8>, Vec<u8>)> =
                        table.iter().map(|(name, value)| (name.to_vec(), value.to_vec())).collect();
                    listed.sort();
                    listed
                };
                assert_eq!(sorted(&first), sorted(&second));
            }
        }
    });
}
