//! The images that a boot accepts, and the effect of power cuts during a commit.

use rstest::rstest;

use super::router::{ONE_BLOCK, Router};

fn committed(dialect: &str) -> Router {
    let mut router = Router::new(dialect, ONE_BLOCK);
    router.sh("set a=1");
    router.sh("commit");
    router.reboot();
    router
}

fn read_a(router: &mut Router) -> String {
    router.reboot();
    let answer = router.sh("get a");
    if answer == "= 1\n" { String::new() } else { answer }
}

/// After a boot from a flash without an image there are no variables.
#[rstest]
fn a_reboot_loses_uncommitted_values(
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
    let mut router = Router::new(dialect, ONE_BLOCK);
    router.sh("set a=1");
    assert_eq!(read_a(&mut router), "");
    router.sh("set a=1");
    router.sh("commit");
    assert_eq!(read_a(&mut router), "1\n");
}

/// One byte of a value is damaged. Drivers that ignore the CRC read it; the others reject the image.
#[rstest]
#[case::broadcom_stock("broadcom-stock", "7\n")]
#[case::ddwrt("ddwrt", "7\n")]
#[case::tomato("tomato", "7\n")]
#[case::freshtomato_arm("freshtomato-arm", "7\n")]
#[case::merlin("merlin", "7\n")]
#[case::padavan("padavan", "")]
#[case::seed2006("seed2006", "")]
#[case::wrt54gl("wrt54gl", "7\n")]
fn only_drivers_with_a_crc_check_reject_a_damaged_value(
    #[case] dialect: &str,
    #[case] expected: &str,
) {
    let mut router = committed(dialect);
    router.poke(22, b"7");
    assert_eq!(read_a(&mut router), expected);
}

/// Most drivers look at the magic only.
#[rstest]
#[case::broadcom_stock("broadcom-stock", "1\n")]
#[case::ddwrt("ddwrt", "1\n")]
#[case::tomato("tomato", "")]
#[case::freshtomato_arm("freshtomato-arm", "1\n")]
#[case::merlin("merlin", "1\n")]
#[case::padavan("padavan", "")]
#[case::seed2006("seed2006", "")]
#[case::wrt54gl("wrt54gl", "1\n")]
fn a_length_beyond_the_space_is_rejected_by_some_drivers(
    #[case] dialect: &str,
    #[case] expected: &str,
) {
    let mut router = committed(dialect);
    router.poke(4, &[0xFF; 4]);
    assert_eq!(read_a(&mut router), expected);
}

#[rstest]
fn an_image_without_the_magic_is_rejected(
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
    let mut router = committed(dialect);
    router.poke(0, b"flsh");
    assert_eq!(read_a(&mut router), "");
}

/// The kernel would compute the CRC over `len - 20` bytes at every boot.
#[rstest]
fn a_length_below_the_header_crashes_some_kernels(
    #[values("broadcom-stock", "freshtomato-arm", "merlin")] dialect: &str,
) {
    let mut router = committed(dialect);
    router.poke(4, &[19, 0, 0, 0]);
    router.reboot();
    let crash = "! nvram: the length in the image's header is below 20 (the real kernel crashes at every boot here)\n= 1\n";
    assert_eq!(router.sh("get a"), crash);
    assert_eq!(router.sh("set a=1 commit"), crash);
}

/// Power lost in a second commit, which changes `a` from 1 to 2.
///
/// If the driver clears the magic first, the old settings are read until the first byte of the magic is cleared, then none,
/// and the new ones at the end. Otherwise the old settings are read until the erase begins, and the new ones as soon as
/// `len` bytes are programmed, or earlier if the driver ignores the CRC.
#[rstest]
#[case::guarded("seed2006", &[((0, 0), "1\n"), ((0, 1), ""), ((1, 0), ""), ((2, 60), ""), ((3, 3), ""), ((3, 4), "2\n")])]
#[case::ddwrt("ddwrt", &[((0, 0), "1\n"), ((0, 4), ""), ((1, 20), ""), ((1, 24), "2\n"), ((1, 40), "2\n")])]
#[case::padavan("padavan", &[((0, 0), "1\n"), ((0, 4), ""), ((1, 20), ""), ((1, 24), ""), ((1, 28), "2\n")])]
fn a_power_cut_in_a_commit_leaves_the_old_the_new_or_no_variables(
    #[case] dialect: &str,
    #[case] cuts: &[((u64, u32), &str)],
) {
    for ((op, byte), expected) in cuts {
        let mut router = committed(dialect);
        assert_eq!(router.sh("set a=2"), "");
        router.cut(*op, *byte);
        let transcript = router.sh("commit");
        assert!(transcript.ends_with("= power lost\n"), "{dialect} {op}:{byte}: {transcript}");
        assert_eq!(read_a(&mut router), *expected, "{dialect} {op}:{byte}");
    }
}

/// An image written by one firmware and booted by another. The CRC of DD-WRT starts three bytes late, so only
/// drivers that ignore the CRC accept its images.
#[rstest]
#[case("seed2006", "padavan", "1\n")]
#[case("seed2006", "ddwrt", "1\n")]
#[case("seed2006", "openwrt", "1\n")]
#[case("padavan", "merlin", "1\n")]
#[case("padavan", "openwrt", "1\n")]
#[case("tomato", "freshtomato-arm", "1\n")]
#[case("ddwrt", "tomato", "1\n")]
#[case("ddwrt", "openwrt", "1\n")]
#[case("ddwrt", "merlin", "1\n")]
#[case("ddwrt", "padavan", "")]
#[case("openwrt", "padavan", "1\n")]
#[case("openwrt", "seed2006", "1\n")]
fn an_image_of_another_firmware_is_accepted_if_its_crc_is_valid_or_ignored(
    #[case] writer: &str,
    #[case] reader: &str,
    #[case] expected: &str,
) {
    let mut router = Router::new("seed2006", ONE_BLOCK);
    router.sh("set a=1 commit");
    router.reflash(writer);
    router.sh("set a=1");
    router.sh("commit");
    router.reflash(reader);
    assert_eq!(read_a(&mut router), expected);
}
