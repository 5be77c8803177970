//! The limits of tools, libraries and drivers.

use rstest::rstest;

use super::router::{Layout, ONE_BLOCK, Router};

const SMALL: Layout = Layout { size: 4096, erase: 4096, space: 4096 };
const NO_MEMORY: &str = "! /dev/nvram: Cannot allocate memory\n";

/// The value arena is as large as the NVRAM. A set that does not fit fails with exit code 0.
#[rstest]
#[case::broadcom_stock("broadcom-stock")]
#[case::ddwrt("ddwrt")]
#[case::tomato("tomato")]
#[case::freshtomato_arm("freshtomato-arm")]
#[case::merlin("merlin")]
#[case::seed2006("seed2006")]
fn a_set_that_exceeds_the_arena_fails(#[case] dialect: &str) {
    let mut router = Router::new(dialect, SMALL);
    let value = "x".repeat(2500);
    assert_eq!(router.sh(&format!("set a={value}")), "");
    assert_eq!(router.sh(&format!("set b={value}")), NO_MEMORY);
    assert_eq!(router.sh("get a"), format!("{value}\n"));
    assert_eq!(router.sh("show").matches("b=").count(), 0);
}

/// RAM counts values only, so it can hold more than flash: 65 of these fit RAM, 64 the image. Broadcom's and
/// DD-WRT's commit reload RAM from the image; Padavan's does not, so the variables are lost at the reboot.
#[rstest]
#[case::broadcom_stock("broadcom-stock", 64)]
#[case::ddwrt("ddwrt", 64)]
#[case::tomato("tomato", 64)]
#[case::freshtomato_arm("freshtomato-arm", 64)]
#[case::merlin("merlin", 64)]
#[case::padavan("padavan", 65)]
#[case::seed2006("seed2006", 64)]
fn variables_that_do_not_fit_the_flash_are_lost_at_the_commit_or_reboot(
    #[case] dialect: &str,
    #[case] after_commit: usize,
) {
    let mut router = Router::new(dialect, SMALL);
    let names: Vec<String> = (0..65).map(|number| format!("{number:060}")).collect();
    for name in &names {
        assert_eq!(router.sh(&format!("set {name}=v")), "");
    }
    let there = |router: &mut Router| {
        names.iter().filter(|name| router.sh(&format!("get {name}")).starts_with("v\n")).count()
    };
    assert_eq!(there(&mut router), 65);
    router.sh("commit");
    assert_eq!(there(&mut router), after_commit);
    router.reboot();
    assert_eq!(there(&mut router), 64);
}

/// Up to 2012 every changed value is allocated anew. When the arena is full, the table is written to an image and
/// loaded again, without a commit, and loses what does not fit. Later drivers overwrite a value that is not shorter.
#[rstest]
#[case::broadcom_stock("broadcom-stock", 65)]
#[case::ddwrt("ddwrt", 65)]
#[case::tomato("tomato", 64)]
#[case::freshtomato_arm("freshtomato-arm", 65)]
#[case::merlin("merlin", 65)]
#[case::padavan("padavan", 65)]
#[case::seed2006("seed2006", 64)]
fn changed_values_use_up_the_arena_of_old_drivers(#[case] dialect: &str, #[case] left: usize) {
    let mut router = Router::new(dialect, SMALL);
    let names: Vec<String> = (0..65).map(|number| format!("{number:060}")).collect();
    for name in &names {
        assert_eq!(router.sh(&format!("set {name}=v")), "");
    }
    let counter = &names[0];
    for number in 0..2500 {
        assert_eq!(router.sh(&format!("set {counter}={}", number % 10)), "");
    }
    let missing = ["", "= 1\n"];
    let there = |name: &&String| !missing.contains(&&*router.sh(&format!("get {name}")));
    assert_eq!(names.iter().filter(there).count(), left);
}

/// The tools copy the argument of `set` to a buffer of the NVRAM size; one of them reserves a byte for the NUL.
#[rstest]
#[case::broadcom_stock("broadcom-stock", 4094)]
#[case::ddwrt("ddwrt", 4094)]
#[case::freshtomato_arm("freshtomato-arm", 4093)]
#[case::merlin("merlin", 4094)]
#[case::seed2006("seed2006", 4094)]
fn long_arguments_are_truncated(#[case] dialect: &str, #[case] kept: usize) {
    let mut router = Router::new(dialect, SMALL);
    assert_eq!(router.sh(&format!("set a={}", "x".repeat(5000))), "");
    assert_eq!(router.sh("get a"), format!("{}\n", "x".repeat(kept)));
}

#[test]
fn ddwrt_silently_refuses_names_of_65_bytes() {
    let mut router = Router::new("ddwrt", ONE_BLOCK);
    let (longest, too_long) = ("n".repeat(64), "n".repeat(65));
    assert_eq!(router.sh(&format!("set {longest}=1 set {too_long}=2")), "");
    assert_eq!(router.sh(&format!("get {longest}")), "1\n");
    assert_eq!(router.sh(&format!("get {too_long}")), "");
}

#[test]
fn ddwrt_drops_carriage_returns() {
    let mut router = Router::new("ddwrt", ONE_BLOCK);
    assert_eq!(router.bytes(&[b"set", b"a=1\r\n2\r"]), "");
    assert_eq!(router.sh("get a"), "1\n2\n");
}

#[test]
fn ddwrt_writes_et0macaddr_safe_once() {
    let mut router = Router::new("ddwrt", ONE_BLOCK);
    assert_eq!(router.sh("set et0macaddr_safe=1 set et0macaddr_safe=2 set et0macaddr_safe"), "");
    assert_eq!(router.sh("get et0macaddr_safe"), "1\n");
    assert_eq!(router.sh("unset et0macaddr_safe set et0macaddr_safe=3"), "");
    assert_eq!(router.sh("get et0macaddr_safe"), "3\n");
}

/// `clear` and `erase` unset everything except board data, and commit.
#[rstest]
#[case("clear")]
#[case("erase")]
fn ddwrt_clear_and_erase_keep_only_board_data(#[case] word: &str) {
    let mut router = Router::new("ddwrt", ONE_BLOCK);
    let kept = [
        "boardtype",
        "et0macaddr",
        "et2phyaddr",
        "gpio22",
        "vlan1ports",
        "wl0gpio4",
        "sb/1/ccode",
        "0:ccode",
        "eth0_hwaddr",
        "DEF-p_wireless_eth2_11bg-wpapsk",
        "PA",
    ];
    let removed = [
        "lan_ipaddr",
        "lan_hwaddr",
        "wlan3_hwaddr",
        "gpio23",
        "gpio007",
        "et3macaddr",
        "4:ccode",
        "boardtypes",
        "dnsmasq_lease_10.0.0.9",
        "flash_active",
    ];
    for name in kept.iter().chain(&removed) {
        assert_eq!(router.sh(&format!("set {name}=1")), "");
    }
    assert_eq!(router.sh(word), "~ E 0 65536\n~ P 0 65536\n");
    router.reboot();
    for name in kept {
        assert_eq!(router.sh(&format!("get {name}")), "1\n", "{name}");
    }
    for name in removed {
        assert_eq!(router.sh(&format!("get {name}")), "", "{name}");
    }
}

#[test]
fn ddwrt_does_not_commit_while_flashing() {
    let mut router = Router::new("ddwrt", ONE_BLOCK);
    assert_eq!(router.sh("set flash_active=1 commit"), "! not allowed, flash process in progress");
    assert_eq!(router.sh("set flash_active=0 commit"), "~ E 0 65536\n~ P 0 65536\n");
}

/// The value of the variable does not matter.
#[test]
fn merlin_does_not_commit_while_stopped() {
    let mut router = Router::new("merlin", ONE_BLOCK);
    assert_eq!(router.sh("set asus_stop_commit=0 commit"), "");
    assert_eq!(
        router.sh("unset asus_stop_commit commit"),
        "~ P 0 4\n~ E 0 65536\n~ P 0 24\n~ P 0 4\n"
    );
}

#[test]
fn tomato_mirrors_wireless_names() {
    let mut router = Router::new("tomato", ONE_BLOCK);
    assert_eq!(router.sh("set wl_ssid=x"), "");
    assert_eq!(router.sh("set wl0_ifname=eth1"), "");
    let long = format!("wl_{}", "n".repeat(29));
    assert_eq!(router.sh(&format!("set {long}=1")), "");
    let shown = router.sh("show --nostat");
    assert_eq!(
        shown,
        format!("wl0_ifname=eth1\nwl0_ssid=x\nwl_ifname=eth1\n{long}=1\nwl_ssid=x\n")
    );
    assert_eq!(router.sh("unset wl_ssid"), "");
    assert_eq!(router.sh("get wl0_ssid"), "x\n");
}

#[test]
fn padavan_truncates_the_argument_of_set() {
    let mut router = Router::new("padavan", ONE_BLOCK);
    assert_eq!(router.sh(&format!("set a={}", "x".repeat(2000))), "");
    assert_eq!(router.sh("get a"), format!("{}\n", "x".repeat(1021)));
}

#[test]
fn padavan_names_have_1_to_63_bytes() {
    const TOO_LONG: &str = "! /dev/nvram: Value too large for defined data type\n";
    const INVALID: &str = "! /dev/nvram: Invalid argument\n";
    let mut router = Router::new("padavan", ONE_BLOCK);
    let (longest, too_long) = ("n".repeat(63), "n".repeat(64));
    assert_eq!(router.sh(&format!("set {longest}=1")), "");
    assert_eq!(router.sh(&format!("get {longest}")), "1\n");
    assert_eq!(router.sh(&format!("set {too_long}=1")), TOO_LONG);
    assert_eq!(router.sh(&format!("unset {too_long}")), TOO_LONG);
    assert_eq!(router.sh(&format!("get {too_long}")), INVALID);
    assert_eq!(router.sh("set =1"), INVALID);
    assert_eq!(router.bytes(&[b"get", b""]), TOO_LONG);
}

/// The arena has twice the size of the partition, 8192 bytes, of which eight values use 8 * 1022 bytes. A ninth value
/// of 14 bytes fits. With 15 bytes RAM is silently reduced to what fits the image.
#[rstest]
#[case(14, ["a", "b", "c", "d", "e", "f", "g", "h", "i"].as_slice())]
#[case(15, ["a", "b", "c", "i"].as_slice())]
fn padavan_drops_variables_when_an_arena_of_twice_the_partition_is_full(
    #[case] ninth: usize,
    #[case] left: &[&str],
) {
    let mut router = Router::new("padavan", SMALL);
    let value = "x".repeat(1021);
    for name in ["a", "b", "c", "d", "e", "f", "g", "h"] {
        assert_eq!(router.sh(&format!("set {name}={value}")), "");
    }
    assert_eq!(router.sh("get h"), format!("{value}\n"));
    assert_eq!(router.sh(&format!("set i={}", "x".repeat(ninth))), "");
    for name in ["a", "b", "c", "d", "e", "f", "g", "h", "i"] {
        let there = !router.sh(&format!("get {name}")).is_empty();
        assert_eq!(there, left.contains(&name), "{name}");
    }
}

#[test]
fn padavan_clear_does_not_change_the_flash() {
    let mut router = Router::new("padavan", ONE_BLOCK);
    router.sh("set a=1 commit");
    assert_eq!(router.sh("clear show"), "\nsize: 20 bytes (65516 left)\n");
    router.reboot();
    assert_eq!(router.sh("get a"), "1\n");
}

#[test]
fn padavan_never_commits_temporary_variables() {
    let mut router = Router::new("padavan", ONE_BLOCK);
    assert_eq!(
        router.sh("set a=1 settmp b=2 settmp c=3 set c=4 settmp a=5 get a get b get c"),
        "5\n2\n4\n"
    );
    assert_eq!(router.sh("show"), "c=4\n\nsize: 24 bytes (65512 left)\n");
    assert_eq!(router.sh("showall").lines().count(), 3);
    router.sh("commit");
    router.reboot();
    assert_eq!(router.sh("showall"), "c=4\n");
}

/// `commit`, `show` and the like end the call.
#[test]
fn padavan_ignores_what_follows_a_commit() {
    let mut router = Router::new("padavan", ONE_BLOCK);
    router.sh("set a=1 commit set a=2");
    assert_eq!(router.sh("get a"), "1\n");
    assert_eq!(router.sh("show set a=3"), "a=1\n\nsize: 24 bytes (65512 left)\n");
    assert_eq!(router.sh("get a"), "1\n");
}

/// `unset` with a `=` sets, where the driver splits the argument. Padavan passes name and value separately.
#[rstest]
#[case::broadcom_stock("broadcom-stock", "1\n")]
#[case::ddwrt("ddwrt", "1\n")]
#[case::freshtomato_arm("freshtomato-arm", "1\n")]
#[case::merlin("merlin", "1\n")]
#[case::padavan("padavan", "")]
#[case::seed2006("seed2006", "1\n")]
fn unset_with_an_equals_sign_sets_except_on_padavan(#[case] dialect: &str, #[case] expected: &str) {
    let mut router = Router::new(dialect, ONE_BLOCK);
    assert_eq!(router.sh("unset a=1"), "");
    assert_eq!(router.sh("get a"), expected);
}
