//! `show`: output streams, order and numbers.

use rstest::rstest;

use super::router::{Layout, ONE_BLOCK, Router};

#[rstest]
#[case::broadcom_stock("broadcom-stock", "! size: 20 bytes (65516 left)\n")]
#[case::ddwrt("ddwrt", "! size: 20 bytes (65516 left)\n")]
#[case::tomato("tomato", "---\n0 entries, 20 bytes used, 65516 bytes free.\n")]
#[case::freshtomato_arm("freshtomato-arm", "! size: 20 bytes (65516 left)\n")]
#[case::merlin("merlin", "! size: 20 bytes (65516 left)\n")]
#[case::padavan("padavan", "\nsize: 20 bytes (65516 left)\n")]
#[case::seed2006("seed2006", "! size: 20 bytes (65516 left)\n")]
fn the_size_without_variables_is_that_of_the_header(#[case] dialect: &str, #[case] expected: &str) {
    let mut router = Router::new(dialect, ONE_BLOCK);
    assert_eq!(router.sh("show"), expected);
}

/// The size includes header, name, `=`, value and NUL.
#[rstest]
#[case::broadcom_stock("broadcom-stock", "a=1\n! size: 24 bytes (32744 left)\n")]
#[case::ddwrt("ddwrt", "a=1\n! size: 24 bytes (32744 left)\n")]
#[case::tomato("tomato", "a=1\n---\n1 entries, 24 bytes used, 32744 bytes free.\n")]
#[case::freshtomato_arm("freshtomato-arm", "a=1\n! size: 24 bytes (32744 left)\n")]
#[case::merlin("merlin", "a=1\n! size: 24 bytes (32744 left)\n")]
#[case::padavan("padavan", "a=1\n\nsize: 24 bytes (32744 left)\n")]
#[case::seed2006("seed2006", "a=1\n! size: 24 bytes (32744 left)\n")]
fn the_size_includes_header_and_entries(#[case] dialect: &str, #[case] expected: &str) {
    let half = Layout { space: 0x8000, ..ONE_BLOCK };
    let mut router = Router::new(dialect, half);
    assert_eq!(router.sh("set a=1"), "");
    assert_eq!(router.sh("show"), expected);
}

/// 65 entries of 63 bytes in 4 KiB are the most that the buffer of the tool can hold.
#[rstest]
#[case::broadcom_stock("broadcom-stock", "! size: 4115 bytes (-19 left)")]
#[case::ddwrt("ddwrt", "! size: 4115 bytes (-19 left)")]
#[case::tomato("tomato", "65 entries, 4115 bytes used, -19 bytes free.")]
#[case::freshtomato_arm("freshtomato-arm", "! size: 4115 bytes (-19 left)")]
#[case::merlin("merlin", "! size: 4115 bytes (-19 left)")]
#[case::padavan("padavan", "size: 4115 bytes (-19 left)")]
#[case::seed2006("seed2006", "! size: 4115 bytes (-19 left)")]
fn the_free_space_can_be_negative(#[case] dialect: &str, #[case] expected: &str) {
    let mut router = Router::new(dialect, Layout { size: 4096, erase: 4096, space: 4096 });
    for number in 0..65 {
        assert_eq!(router.sh(&format!("set {number:060}=v")), "");
    }
    let shown = router.sh("show");
    assert_eq!(shown.lines().last(), Some(expected));
    assert_eq!(shown.lines().filter(|line| line.ends_with("=v")).count(), 65);
}

/// With one byte more than in `the_free_space_can_be_negative`, one entry is not shown.
#[rstest]
fn an_entry_beyond_the_buffer_is_not_shown(
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
    let mut router = Router::new(dialect, Layout { size: 4096, erase: 4096, space: 4096 });
    for number in 0..64 {
        assert_eq!(router.sh(&format!("set {number:060}=v")), "");
    }
    assert_eq!(router.sh(&format!("set {:061}=v", 64)), "");
    let shown = router.sh("show");
    assert_eq!(shown.lines().filter(|line| line.ends_with("=v")).count(), 64);
}

/// `char` is unsigned on ARM, so non-ASCII names are in other chains.
#[rstest]
#[case::broadcom_stock("broadcom-stock", "gx=1\n\\xe4=1\n")]
#[case::merlin("merlin", "\\xe4=1\ngx=1\n")]
fn the_order_of_non_ascii_names_depends_on_the_sign_of_char(
    #[case] dialect: &str,
    #[case] expected: &str,
) {
    let mut router = Router::new(dialect, ONE_BLOCK);
    router.bytes(&[b"set", b"\xe4=1", b"set", b"gx=1"]);
    assert!(router.sh("show").starts_with(expected), "{}", router.sh("show"));
}

#[rstest]
#[case("broadcom-stock")]
#[case("freshtomato-arm")]
fn dump_has_no_size_line(#[case] dialect: &str) {
    let mut router = Router::new(dialect, ONE_BLOCK);
    assert_eq!(router.sh("set a=1 dump"), "a=1\n");
}

/// `a` and `1x` share a chain of Broadcom's and Padavan's tables, `a` and `45` one of DD-WRT's. New names go
/// to the head, so that a commit, which reloads the table, reverses the chain; Padavan's go to the tail.
#[rstest]
#[case::broadcom_stock("broadcom-stock", "1x", ["1x", "a"], ["a", "1x"])]
#[case::ddwrt("ddwrt", "45", ["45", "a"], ["a", "45"])]
#[case::freshtomato_arm("freshtomato-arm", "1x", ["1x", "a"], ["a", "1x"])]
#[case::merlin("merlin", "1x", ["1x", "a"], ["a", "1x"])]
#[case::padavan("padavan", "1x", ["a", "1x"], ["a", "1x"])]
#[case::seed2006("seed2006", "1x", ["1x", "a"], ["a", "1x"])]
fn new_names_are_added_at_the_head_or_tail_of_a_chain(
    #[case] dialect: &str,
    #[case] other: &str,
    #[case] before: [&str; 2],
    #[case] after: [&str; 2],
) {
    let mut router = Router::new(dialect, ONE_BLOCK);
    let names = |shown: String| -> Vec<String> {
        let names = shown.lines().filter_map(|line| Some(line.split_once("=v")?.0.to_owned()));
        names.collect()
    };
    assert_eq!(router.sh(&format!("set a=v set {other}=v")), "");
    assert_eq!(names(router.sh("show")), before);
    router.sh("commit");
    assert_eq!(names(router.sh("show")), after);
}

#[test]
fn tomato_sorts_and_replaces_unprintable_bytes() {
    let mut router = Router::new("tomato", ONE_BLOCK);
    for pair in [&b"b=2"[..], b"a=x\ny\tz", b"B=\xe4", b"1x=1"] {
        assert_eq!(router.bytes(&[b"set", pair]), "");
    }
    let statistics = "---\n4 entries, 41 bytes used, 65495 bytes free.\n";
    assert_eq!(router.sh("show"), format!("1x=1\nB= \na=x y z\nb=2\n{statistics}"));
    assert_eq!(router.sh("show --nostat"), "1x=1\nB= \na=x y z\nb=2\n");
    assert_eq!(router.sh("show --nosort --nostat"), "B= \n1x=1\na=x y z\nb=2\n");
    assert_eq!(router.sh("show --nosort"), format!("B= \n1x=1\na=x y z\nb=2\n{statistics}"));
    assert_eq!(router.sh("get b"), "2\n");
}

/// A value that looks like Tomato's statistics is printed before them.
#[test]
fn tomato_statistics_come_last() {
    let mut router = Router::new("tomato", ONE_BLOCK);
    assert_eq!(router.bytes(&[b"set", b"a=1\n---\n9 entries, 9 bytes used, 9 bytes free."]), "");
    let shown = router.sh("show");
    assert_eq!(shown.lines().last(), Some("1 entries, 67 bytes used, 65469 bytes free."));
}
