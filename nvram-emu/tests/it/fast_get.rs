//! The fast path of the executable for `get` agrees with the machine, for intact and damaged stores.

use std::fs;

use assert_cmd::Command;
use nvram_emu::device::{Chip, Flash};
use nvram_emu::dialect::Ram;
use nvram_emu::flsh::{ChainRule, Format, Insert, Table, serialise};
use nvram_emu::{Dialect, Exit, Machine};
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64Mcg;

use crate::scratch::tmpfs;

const SIZE: usize = 0x8000;

fn text(rng: &mut Pcg64Mcg, letters: &[u8], len: usize) -> Vec<u8> {
    (0..len).map(|_| letters[rng.random_range(0..letters.len())]).collect()
}

/// An image with duplicates, long values and often some damage.
fn image(rng: &mut Pcg64Mcg) -> Vec<u8> {
    let mut table = Table::new(ChainRule::OPENWRT_MIPS, Insert::Head);
    for _ in 0..rng.random_range(1..300) {
        let len = rng.random_range(0..4);
        let name = text(rng, b"abc", len);
        let len = if rng.random_bool(0.02) {
            rng.random_range(3000..9000)
        } else {
            rng.random_range(0..80)
        };
        table.set(&name, &text(rng, b"xyz=abc", len));
    }
    let mut image = vec![0xFF; SIZE];
    let written = serialise(&table, Format::OPENWRT, &mut image, SIZE).expect("room for a header");
    let len = written.len as usize;
    match rng.random_range(0..6) {
        // A later duplicate, or an entry without `=`, in the middle.
        0 => image[len / 2..len / 2 + 8].copy_from_slice(b"\0a=dup\0b"),
        1 => image[len / 2..len / 2 + 6].copy_from_slice(b"\0nope\0"),
        // No end of the entries.
        2 => image[len.saturating_sub(8).max(20)..].fill(b'Z'),
        // No magic.
        3 => image[0] = b'f',
        _ => {}
    }
    image
}

#[test]
fn get_agrees_with_the_machine() {
    let mut rng = Pcg64Mcg::seed_from_u64(2006);
    let dir = tmpfs();
    let (flash, staging) = (dir.path().join("flash"), dir.path().join("staging"));
    let (mut found, mut failed) = (0, 0);
    for round in 0..160 {
        let bytes = image(&mut rng);
        let dialect =
            [Dialect::OpenWrt, Dialect::OpenWrtArm, Dialect::OpenWrtHardened, Dialect::Broadcom]
                [round % 4];
        let device = Flash::from_bytes(&bytes, 65536, Chip::SPI_NOR).expect("a device");
        let mut machine = Machine::new(dialect, device, None);
        fs::write(&flash, &bytes).expect("a flash file");
        let _ = fs::remove_file(&staging);
        if rng.random_bool(0.5) {
            // RAM differs from flash, and the staging file is sometimes too short.
            machine.run(&[b"set", b"a=ram"]);
            if let (true, Ram::File(file)) = (rng.random_bool(0.2), &mut machine.board_mut().ram) {
                std::sync::Arc::make_mut(file).truncate(20_000);
            }
            if let Some(ram) = machine.ram_bytes() {
                fs::write(&staging, ram).expect("a staging file");
            }
        }
        let name: &[u8] =
            [&b"a"[..], b"ab", b"cc", b"", b"a=", b"sdram_init", b"missing"][round % 7];
        let expected = machine.run(&[b"get", name]);
        let mut command = Command::new(assert_cmd::cargo::cargo_bin!("nvram"));
        command.env_clear().env("NVRAM_EMU_DIALECT", dialect.name());
        command.env("NVRAM_EMU_FLASH", &flash).env("NVRAM_EMU_STAGING", &staging);
        command.arg("get").arg(std::str::from_utf8(name).expect("ASCII"));
        let output = command.output().expect("an executable");
        let code = output.status.code().map(|code| Exit::Code(code as u8));
        assert_eq!(
            (output.stdout, output.stderr),
            (expected.stdout.clone(), expected.stderr),
            "round {round}"
        );
        assert_eq!(code, Some(expected.exit), "round {round}");
        found += usize::from(!expected.stdout.is_empty());
        failed += usize::from(expected.exit != Exit::Code(0));
    }
    assert!(found > 20 && failed > 20, "both results must occur: {found} found, {failed} failed");
}
