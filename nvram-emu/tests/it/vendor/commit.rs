//! The flash operations of a commit.

use rstest::rstest;

use super::router::{Layout, ONE_BLOCK, Router};

const HALF_A_BLOCK: Layout = Layout { space: 0x8000, ..ONE_BLOCK };
const SMALL_BLOCKS: Layout = Layout { erase: 0x2000, ..ONE_BLOCK };
const NAND: Layout = Layout { size: 0x18_0000, erase: 0x2_0000, space: 0x2_0000 };

const GUARDED: &str = "~ P 0 4\n~ E 0 65536\n~ P 0 28\n~ P 0 4\n";
const GUARDED_HALF: &str = "~ P 32768 4\n~ E 0 65536\n~ P 0 32796\n~ P 32768 4\n";
const GUARDED_SMALL: &str = "~ P 0 4\n~ E 0 8192\n~ P 0 28\n~ P 0 4\n";
const WHOLE: &str = "~ E 0 65536\n~ P 0 65536\n";
const WHOLE_SMALL: &str = "~ E 0 8192\n~ P 0 8192\n";

fn first_commit(dialect: &str, layout: Layout) -> String {
    let mut router = Router::new(dialect, layout);
    assert_eq!(router.sh("set a=1"), "");
    router.sh("commit")
}

#[rstest]
#[case::broadcom_stock("broadcom-stock", GUARDED, GUARDED_HALF, GUARDED_SMALL)]
#[case::ddwrt("ddwrt", WHOLE, WHOLE, WHOLE_SMALL)]
#[case::freshtomato_arm("freshtomato-arm", GUARDED, GUARDED_HALF, GUARDED_SMALL)]
#[case::merlin("merlin", GUARDED, GUARDED_HALF, GUARDED_SMALL)]
#[case::padavan("padavan", WHOLE, WHOLE, "! /dev/nvram: Argument list too long\n")]
#[case::seed2006("seed2006", GUARDED, GUARDED_HALF, GUARDED_SMALL)]
fn a_commit_to_nor_erases_and_programs_in_the_order_of_the_driver(
    #[case] dialect: &str,
    #[case] one_block: &str,
    #[case] half_a_block: &str,
    #[case] small_blocks: &str,
) {
    assert_eq!(first_commit(dialect, ONE_BLOCK), one_block);
    assert_eq!(first_commit(dialect, HALF_A_BLOCK), half_a_block);
    assert_eq!(first_commit(dialect, SMALL_BLOCKS), small_blocks);
}

#[test]
fn tomato_prints_the_progress_of_a_commit() {
    assert_eq!(first_commit("tomato", ONE_BLOCK), format!("Commit... done.\n{GUARDED}"));
    assert_eq!(first_commit("tomato", HALF_A_BLOCK), format!("Commit... done.\n{GUARDED_HALF}"));
    assert_eq!(first_commit("tomato", SMALL_BLOCKS), format!("Commit... done.\n{GUARDED_SMALL}"));
}

/// A driver ignores a partition that is smaller than the NVRAM.
#[rstest]
#[case::tomato("tomato", "Commit... done.\n! /dev/nvram: No such device\n= 1\n")]
#[case::broadcom_stock("broadcom-stock", "! /dev/nvram: No such device\n")]
#[case::merlin("merlin", "! /dev/nvram: No such device\n")]
#[case::padavan("padavan", "! /dev/nvram: No such device\n")]
fn a_commit_fails_if_the_partition_is_smaller_than_the_nvram(
    #[case] dialect: &str,
    #[case] expected: &str,
) {
    assert_eq!(first_commit(dialect, Layout { space: 0x2_0000, ..ONE_BLOCK }), expected);
}

/// DD-WRT's driver does not start on a partition that is smaller than the NVRAM.
#[rstest]
#[case("")]
#[case("get a")]
fn ddwrt_fails_if_the_partition_is_smaller_than_the_nvram(#[case] words: &str) {
    let mut router = Router::new("ddwrt", Layout { space: 0x2_0000, ..ONE_BLOCK });
    let expected = "! cannot open /dev/nvram\n! error in nvram driver\n= 255\n";
    assert_eq!(router.sh(words), expected);
}

/// On ARM the image lies at the start of a NAND partition, and every block is replaced completely.
#[rstest]
#[case("freshtomato-arm")]
#[case("merlin")]
fn a_commit_to_nand_replaces_whole_blocks_at_the_start(#[case] dialect: &str) {
    let mut router = Router::new(dialect, NAND);
    assert_eq!(router.sh("set a=1 commit"), "~ E 0 131072\n~ P 0 131072\n");
    assert_eq!(&router.flash()[..4], b"FLSH");
    router.reboot();
    assert_eq!(router.sh("get a"), "1\n");
}

/// Bytes of the erase block before the space are kept.
#[rstest]
fn a_commit_keeps_the_other_data_of_the_block(
    #[values(
        "broadcom-stock",
        "ddwrt",
        "tomato",
        "freshtomato-arm",
        "merlin",
        "padavan",
        "seed2006"
    )]
    dialect: &str,
) {
    let mut router = Router::new(dialect, HALF_A_BLOCK);
    router.poke(0x7FF0, b"U-Boot's own");
    router.sh("set a=1");
    router.sh("commit");
    assert_eq!(&router.flash()[0x7FF0..0x7FFC], b"U-Boot's own");
    assert_eq!(&router.flash()[0x8000..0x8004], b"FLSH");
    router.reboot();
    assert_eq!(router.sh("get a"), "1\n");
}

/// Only Padavan compares before it writes. Except on DD-WRT, the first commit adds the `sdram_*` variables (81 bytes)
/// to RAM.
#[rstest]
#[case::broadcom_stock("broadcom-stock", "~ P 0 4\n~ E 0 65536\n~ P 0 108\n~ P 0 4\n")]
#[case::ddwrt("ddwrt", WHOLE)]
#[case::freshtomato_arm("freshtomato-arm", "~ P 0 4\n~ E 0 65536\n~ P 0 108\n~ P 0 4\n")]
#[case::merlin("merlin", "~ P 0 4\n~ E 0 65536\n~ P 0 108\n~ P 0 4\n")]
#[case::padavan("padavan", "")]
#[case::seed2006("seed2006", "~ P 0 4\n~ E 0 65536\n~ P 0 108\n~ P 0 4\n")]
fn a_commit_without_a_change_is_skipped_only_by_padavan(
    #[case] dialect: &str,
    #[case] expected: &str,
) {
    let mut router = Router::new(dialect, ONE_BLOCK);
    router.sh("set a=1 commit");
    assert_eq!(router.sh("commit"), expected);
    router.reboot();
    assert_eq!(router.sh("set a=1 commit"), expected);
}

/// DD-WRT writes to the offset of the magic, and erases from there to the end of the last space.
#[test]
fn ddwrt_commits_to_the_position_of_the_image() {
    let mut router = Router::new("ddwrt", ONE_BLOCK);
    router.sh("set a=1 commit");
    let image = router.flash();
    let mut router = Router::new("ddwrt", Layout { size: 0x2_0000, ..ONE_BLOCK });
    router.poke(0, &image);
    assert_eq!(router.sh("get a"), "1\n");
    assert_eq!(router.sh("commit"), "~ E 0 65536\n~ E 65536 65536\n~ P 0 65536\n");
}

/// The image of one variable: padding, fill byte and header.
#[rstest]
#[case::broadcom("seed2006", 28, 0x00, 0x0419)]
#[case::ddwrt("ddwrt", 28, 0x00, 2)]
#[case::padavan("padavan", 28, 0xFF, 0x0419)]
fn a_commit_writes_the_header_padding_and_fill_of_the_dialect(
    #[case] dialect: &str,
    #[case] len: u8,
    #[case] fill: u8,
    #[case] init: u16,
) {
    let mut router = Router::new(dialect, ONE_BLOCK);
    router.sh("set a=1 commit");
    let flash = router.flash();
    assert_eq!(&flash[..8], &[b'F', b'L', b'S', b'H', len, 0, 0, 0]);
    assert_eq!(&flash[9..12], &[1, init.to_le_bytes()[0], init.to_le_bytes()[1]]);
    assert_eq!(&flash[20..28], b"a=1\0\0\0\0\0");
    let beyond = if dialect == "seed2006" { 0xFF } else { fill };
    assert!(flash[28..].iter().all(|byte| *byte == beyond));
}
