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

/// What a command needs that the emulator cannot know is said in one line, and nothing changes.
#[rstest]
#[case::tomato("tomato", "defaults --yes")]
#[case::tomato_import("tomato", "import f")]
#[case::tomato_restore("tomato", "restore f --force")]
#[case::tomato_export("tomato-classic", "export --quote --nodefaults")]
#[case::tomato_shell("tomato", "find `reboot`")]
#[case::freshtomato_arm("freshtomato-arm", "erase")]
#[case::merlin("merlin", "fb_save f")]
#[case::merlin_restore("merlin", "restore f")]
#[case::merlin_erase("merlin", "erase")]
#[case::padavan("padavan", "restore f")]
fn a_command_that_needs_something_unknown_fails_in_one_line(
    #[case] dialect: &str,
    #[case] words: &str,
) {
    let mut router = Router::new(dialect, ONE_BLOCK);
    assert_eq!(router.sh("set a=1"), "");
    let transcript = router.sh(words);
    let [message, code] = transcript.lines().collect::<Vec<_>>()[..] else {
        panic!("two lines: {transcript}");
    };
    assert!(message.starts_with("! nvram: ") && code.starts_with("= "), "{transcript}");
    assert_eq!(router.sh("get a"), "1\n");
}
