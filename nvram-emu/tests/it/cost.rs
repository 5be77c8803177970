//! The cost of commits, overflow, and the flash contents after power cuts.

use nvram_emu::device::{Chip, Flash, OpKind};
use nvram_emu::flsh::{ChainRule, Format, Insert, Table, serialise};
use nvram_emu::{Dialect, Exit, Machine};
use rstest::rstest;

/// A router whose NVRAM, `space` bytes at the end of a partition of `size`, holds a few variables.
fn router(dialect: Dialect, size: usize, erase: u32, space: usize, chip: Chip) -> Machine {
    let (rule, format) = match dialect.tool().driver() {
        Some(driver) => (driver.rule, driver.format),
        None => (ChainRule::OPENWRT_MIPS, Format::OPENWRT),
    };
    let mut table = Table::new(rule, Insert::Head);
    for name in ["lan_ipaddr", "lan_netmask", "et0macaddr", "boardtype"] {
        table.set(name.as_bytes(), b"value");
    }
    let mut flash = vec![0xFF; size];
    serialise(&table, format, &mut flash[size - space..], space).expect("room for a header");
    let flash = Flash::from_bytes(&flash, erase, chip).expect("a device");
    Machine::new(dialect, flash, Some(space as u32))
}

#[rstest]
#[case::nor_64k(0x10000, 0x10000, Chip::SPI_NOR, 1, 65536)]
#[case::nor_32k_partition(0x8000, 0x10000, Chip::SPI_NOR, 1, 32768)]
#[case::nor_8k_blocks(0x8000, 0x2000, Chip::PARALLEL_NOR, 4, 32768)]
#[case::nand(0x18_0000, 0x2_0000, Chip::SLC_NAND, 12, 1_572_864)]
fn an_openwrt_commit_rewrites_every_block(
    #[case] size: usize,
    #[case] erase: u32,
    #[case] chip: Chip,
    #[case] erases: usize,
    #[case] programmed: u64,
) {
    let mut machine = router(Dialect::OpenWrt, size, erase, size, chip);
    machine.run(&[b"set", b"a=1"]);
    assert!(machine.ops().is_empty(), "a set does not access the flash");
    for round in 1..=2 {
        machine.take_ops();
        assert_eq!(machine.run(&[b"commit"]).exit, Exit::Code(0));
        assert_eq!(machine.ops().iter().filter(|op| op.kind == OpKind::Erase).count(), erases);
        assert_eq!(machine.flash().bytes_programmed(), programmed * round, "even without a change");
    }
    assert!(machine.flash().erases().iter().all(|count| *count == 2));
}

#[rstest]
#[case::half_a_block(0x10000, 0x10000, 0x8000, 1, 0x8000)]
#[case::whole_block(0x10000, 0x10000, 0x10000, 1, 0)]
#[case::half_a_nand_block(0x20000, 0x20000, 0x10000, 1, 0x10000)]
#[case::small_blocks(0x8000, 0x2000, 0x8000, 1, 0)]
fn a_broadcom_commit_programs_the_kept_bytes_the_image_and_the_magic_twice(
    #[case] size: usize,
    #[case] erase: u32,
    #[case] space: usize,
    #[case] erases: usize,
    #[case] kept: u64,
) {
    let mut machine = router(Dialect::Broadcom, size, erase, space, Chip::SPI_NOR);
    assert_eq!(machine.run(&[b"commit"]).exit, Exit::Code(0));
    let image = machine.flash_bytes()[size - space..].to_vec();
    let len = u64::from(u32::from_le_bytes(image[4..8].try_into().expect("four bytes")));
    assert_eq!(machine.ops().iter().filter(|op| op.kind == OpKind::Erase).count(), erases);
    assert_eq!(machine.flash().bytes_programmed(), kept + len + 8);
}

#[test]
fn a_cut_in_a_broadcom_commit_leaves_the_old_the_new_or_no_variables() {
    let mut whole = router(Dialect::Broadcom, 0x10000, 0x10000, 0x8000, Chip::SPI_NOR);
    whole.run(&[b"set", b"lan_ipaddr=10.0.0.1"]);
    let before = whole.clone();
    let old = before.flash_variables().expect("a valid image");
    whole.run(&[b"commit"]);
    let new = whole.flash_variables().expect("a valid image");
    let ops = whole.take_ops();
    let mut seen = [false; 3];
    for (op, done) in ops.iter().enumerate() {
        for byte in [0, 1, 2, 3, done.len / 2, done.len.saturating_sub(1), done.len] {
            let mut torn = before.clone();
            torn.arm_cut(op as u64, byte.min(done.len));
            assert_eq!(torn.run(&[b"commit"]).exit, Exit::PowerLost);
            torn.reboot();
            let state = match torn.flash_variables() {
                Some(variables) if variables == old => 0,
                None => 1,
                Some(variables) if variables == new => 2,
                Some(variables) => panic!("cut {op}:{byte}: a mixture {variables:?}"),
            };
            seen[state] = true;
        }
    }
    assert_eq!(seen, [true; 3], "each of the three states occurs");
}

/// A name in the given chain of the OpenWrt tool.
fn name_in_chain(chain: usize) -> Vec<u8> {
    let rule = ChainRule::OPENWRT_MIPS;
    let names = (0..).map(|n| format!("name{n}").into_bytes());
    names.into_iter().find(|name| rule.chain_of(rule.hash(name)) == chain).expect("some name")
}

#[test]
fn an_oversized_openwrt_set_silently_drops_other_variables() {
    let mut machine = router(Dialect::OpenWrt, 0x8000, 0x10000, 0x8000, Chip::SPI_NOR);
    let pair = [name_in_chain(0), b"=".to_vec(), vec![b'x'; 32_700]].concat();
    let outcome = machine.run(&[b"set", &pair]);
    assert_eq!((outcome.exit, outcome.stderr), (Exit::Code(0), Vec::new()));
    let left = machine.ram_variables().expect("variables");
    assert!(left.iter().any(|(_, value)| value.len() == 32_700));
    assert!(
        left.iter().filter(|(_, value)| value == b"value").count() <= 1,
        "room for one at most"
    );
    assert_eq!(
        left.iter().filter(|(name, _)| name.starts_with(b"sdram_")).count(),
        4,
        "added from the header"
    );
}

#[test]
fn after_an_image_that_ends_at_the_limit_every_write_fails() {
    let machine = router(Dialect::OpenWrt, 0x8000, 0x10000, 0x8000, Chip::SPI_NOR);
    let name = name_in_chain(256);
    let mut locked = Vec::new();
    for len in 32_500..32_740 {
        let mut filled = machine.clone();
        let pair = [name.clone(), b"=".to_vec(), vec![b'x'; len]].concat();
        filled.run(&[b"set", &pair, b"commit"]);
        let fits =
            filled.flash_variables().expect("readable").iter().any(|(_, value)| value.len() == len);
        filled.reboot();
        if filled.run(&[b"set", b"a=1"]).exit == Exit::Code(1) {
            assert!(fits);
            assert_eq!(filled.run(&[b"commit"]).exit, Exit::Code(1), "even a commit fails");
            assert_eq!(
                filled.run(&[b"get", b"boardtype"]).stdout,
                b"value\n",
                "reading still works"
            );
            locked.push(len);
        } else if let Some(last) = locked.last() {
            assert!(!fits, "{len} fits, although {last} locks");
        }
    }
    assert_eq!(locked.len(), 4, "the variables end 0 to 3 bytes before the limit: {locked:?}");
}

#[test]
fn a_commit_without_a_change_alternates_between_two_images() {
    let mut machine = router(Dialect::OpenWrt, 0x8000, 0x10000, 0x8000, Chip::SPI_NOR);
    // "Aa" and "BB" share a chain.
    machine.run(&[b"set", b"Aa=1", b"set", b"BB=2", b"commit"]);
    let images: Vec<Vec<u8>> = (0..4)
        .map(|_| {
            machine.run(&[b"commit"]);
            machine.flash_bytes().into_owned()
        })
        .collect();
    assert_ne!(images[0], images[1]);
    assert_eq!((&images[0], &images[1]), (&images[2], &images[3]));
}
