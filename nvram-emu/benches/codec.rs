//! The image codec and the commit, compared with a copy of the same number of bytes.
//!
//! Run: `cargo bench -p nvram-emu --bench codec`.

use std::hint::black_box;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use nvram_emu::device::{Chip, Flash};
use nvram_emu::flsh::{ChainRule, Format, Insert, ScanMode, Table, crc_of, serialise};
use nvram_emu::{Dialect, Exit, Machine};

const SIZE: usize = 0x8000;

fn table(rule: ChainRule) -> Table {
    let mut table = Table::new(rule, Insert::Head);
    for number in 0..250 {
        let name = format!("dnsmasq_lease_192.168.1.{number}");
        let value = format!("1167609600 00:11:22:33:44:55 192.168.1.{number} host-{number} *");
        table.set(name.as_bytes(), value.as_bytes());
    }
    table
}

fn image(rule: ChainRule, format: Format) -> Vec<u8> {
    let mut image = vec![0xFF; SIZE];
    serialise(&table(rule), format, &mut image, SIZE).expect("room");
    image
}

fn codec(bench: &mut Criterion) {
    let rule = ChainRule::OPENWRT_MIPS;
    let (table, full) = (table(rule), image(rule, Format::OPENWRT));
    let mut to = vec![0; SIZE];
    bench.bench_function("baseline: copy 32 KiB", |b| {
        b.iter(|| to.copy_from_slice(black_box(&full)));
    });
    bench.bench_function("CRC-8 of 32 KiB", |b| b.iter(|| crc_of(black_box(&full), SIZE)));
    bench.bench_function("write 250 variables as an image", |b| {
        b.iter(|| serialise(black_box(&table), Format::OPENWRT, &mut to, SIZE));
    });
    bench.bench_function("read 250 variables of an image", |b| {
        b.iter(|| Table::load(black_box(&full[20..]), ScanMode::CStrings, rule, Insert::Head));
    });
}

fn commit(bench: &mut Criterion) {
    for dialect in [Dialect::OpenWrt, Dialect::Broadcom] {
        let (rule, format) = match dialect.tool().driver() {
            Some(driver) => (driver.rule, driver.format),
            None => (ChainRule::OPENWRT_MIPS, Format::OPENWRT),
        };
        let flash =
            Flash::from_bytes(&image(rule, format), 65536, Chip::SPI_NOR).expect("a device");
        let machine = Machine::new(dialect, flash, None);
        bench.bench_function(&format!("{dialect}: set and commit"), |b| {
            b.iter_batched(
                || machine.clone(),
                |mut machine| {
                    machine.run(&[b"set", b"dnsmasq_lease_192.168.1.7=another"]);
                    assert_eq!(machine.run(&[b"commit"]).exit, Exit::Code(0));
                    machine
                },
                BatchSize::SmallInput,
            );
        });
    }
}

criterion_group!(benches, codec, commit);
criterion_main!(benches);
