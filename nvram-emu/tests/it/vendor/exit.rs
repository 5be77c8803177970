//! Commands that are not in the table of dialects.

use rstest::rstest;

use super::router::{ONE_BLOCK, Router};

/// Except on Tomato, a `set` without `=` silently unsets.
#[rstest]
fn set_without_an_equals_sign_unsets(
    #[values("broadcom-stock", "ddwrt", "freshtomato-arm", "merlin", "padavan", "seed2006")]
    dialect: &str,
) {
    let mut router = Router::new(dialect, ONE_BLOCK);
    assert_eq!(router.sh("set a=1 set a"), "");
    assert_eq!(router.sh("get a"), "");
}

#[rstest]
#[case::broadcom_stock("broadcom-stock", "1\n2\n")]
#[case::ddwrt("ddwrt", "1\n2\n")]
#[case::freshtomato_arm("freshtomato-arm", "1\n2\n")]
#[case::merlin("merlin", "1\n2\n")]
#[case::padavan("padavan", "1\n2\n")]
#[case::seed2006("seed2006", "1\n2\n")]
fn several_commands_in_one_call_run_in_order(#[case] dialect: &str, #[case] expected: &str) {
    let mut router = Router::new(dialect, ONE_BLOCK);
    assert_eq!(router.sh("set a=1 set b=2 get a get b unset a get a"), expected);
}

/// Commands of the real tools that are not emulated print a message of the emulator and change nothing.
#[rstest]
#[case::tomato("tomato", "defaults --yes")]
#[case::freshtomato_arm("freshtomato-arm", "convert a b")]
#[case::merlin("merlin", "fb_save f")]
#[case::merlin_erase("merlin", "erase")]
#[case::ddwrt("ddwrt", "backup f")]
#[case::padavan("padavan", "restore f")]
fn an_unsupported_command_fails_and_changes_nothing(#[case] dialect: &str, #[case] words: &str) {
    let mut router = Router::new(dialect, ONE_BLOCK);
    assert_eq!(router.sh("set a=1"), "");
    let word = words.split(' ').next().expect("a word");
    assert_eq!(
        router.sh(words),
        format!("! nvram: the emulated {dialect} does not support '{word}'\n= 1\n")
    );
    assert_eq!(router.sh("get a"), "1\n");
}
