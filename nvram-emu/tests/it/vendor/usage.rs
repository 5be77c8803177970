//! Missing and unknown commands, and matching by prefix or by the whole name.

use rstest::rstest;

use super::router::{ONE_BLOCK, Router};

const STOCK: &str = "! usage: nvram [get name] [set name=value] [unset name] [show] [commit] ...\n";
const DDWRT: &str = "\
! usage: nvram [get name] [set name=value] [unset name] [show|getall] [clear|erase] [commit] [backup filename] [restore filename]
! 
! get name         : Returns the value for a given name
! set name=value   : Sets a value for the datavalue by its name.
! unset name       : Unsets the nvram value pair by its name
! commit           : Writes the pending data operations to nvram storage (flashmemory or filesystem)
! show|getall      : Shows all stored nvram names and values.
! clear | erase    : Deletes all NVRAM names and values while keeping important system variables needed for the device to remain in runnable state
! backup fileame   : Backup the NVRAM to the desired filename.
! restore filename : Restores all NVRAM names and values from the desired backup filename. Important system variables are not overwritten
! --force          : Warning: optional argument which overrides the device name and compatiblity check for nvram restore operations.
";
const TOMATO: &str = "\
NVRAM Utility
Usage: nvram set <key=value> | get <key> | unset <key> |
ren <key> <key> | commit | erase | show [--nosort|--nostat] |
find <text> | defaults <--yes|--initcheck> | backup <filename> |
restore <filename> [--test] [--force] [--forceall] [--nocommit] |
export <--quote|--c|--set|--tab> [--nodefaults] |
export <--dump|--dump0> | import [--forceall] <filename> |
setfb64 <key> <filename> | getfb64 <key> <filename> |
setfile <key> <filename> | getfile <key> <filename> | setfile2nvram <filename> |
convert <infile.cfg> <outfile.txt>
= 1
";
const FRESHTOMATO_ARM: &str = "\
! NVRAM Utility
! Usage: nvram set <key=value> | get <key> | unset <key> |
! commit | erase | show | save <filename> | restore <filename> |
! convert <infile.cfg> <outfile.txt>
= 1
";
const MERLIN: &str = "\
! usage: nvram [get name] [set name=value] [unset name] [erase] [show] [save file] [restore file] [fb_save file]
! usage: nvram [save_ap file] [save_rp_2g file] [save_rp_5g file]
";
const PADAVAN: &str = "\
Usage: nvram [get name] [set name=value] [settmp name=value] [unset name]
             [show] [showall] [clear] [save fn] [restore fn] [commit]
= 1
";
const SEED2006: &str = "! usage: nvram [get name] [set name=value] [unset name] [show]\n";

#[rstest]
#[case::broadcom_stock("broadcom-stock", STOCK)]
#[case::ddwrt("ddwrt", DDWRT)]
#[case::tomato("tomato", TOMATO)]
#[case::freshtomato_arm("freshtomato-arm", FRESHTOMATO_ARM)]
#[case::merlin("merlin", MERLIN)]
#[case::padavan("padavan", PADAVAN)]
#[case::seed2006("seed2006", SEED2006)]
fn without_a_command_the_usage_is_printed(#[case] dialect: &str, #[case] expected: &str) {
    let mut router = Router::new(dialect, ONE_BLOCK);
    assert_eq!(router.sh(""), expected);
}

/// Commands before an unknown one take effect; commands after it only if the tool skips it.
#[rstest]
#[case::broadcom_stock("broadcom-stock", &format!("1\n{STOCK}"))]
#[case::ddwrt("ddwrt", "1\n1\n")]
#[case::freshtomato_arm("freshtomato-arm", &format!("1\n{FRESHTOMATO_ARM}"))]
#[case::merlin("merlin", "1\n1\n")]
#[case::padavan("padavan", "1\n1\n")]
#[case::seed2006("seed2006", "1\n1\n")]
fn an_unknown_command_is_skipped_or_ends_the_line(#[case] dialect: &str, #[case] expected: &str) {
    let mut router = Router::new(dialect, ONE_BLOCK);
    assert_eq!(router.sh("set a=1"), "");
    assert_eq!(router.sh("get a frobnicate get a"), expected);
}

/// Tomato's tool takes one command per call.
#[rstest]
#[case("frobnicate")]
#[case("get")]
#[case("get a b")]
#[case("set a=1 b=2")]
#[case("set a")]
#[case("unset")]
#[case("commit now")]
#[case("show --nosuch")]
#[case("gets a")]
fn tomato_prints_its_help_for_wrong_arguments(#[case] words: &str) {
    let mut router = Router::new("tomato", ONE_BLOCK);
    assert_eq!(router.sh("set a=1"), "");
    assert_eq!(router.sh(words), TOMATO);
    assert_eq!(router.sh("get a"), "1\n");
}

#[rstest]
#[case::ddwrt("ddwrt")]
#[case::merlin("merlin")]
#[case::seed2006("seed2006")]
#[case::wrt54gl("wrt54gl")]
fn commands_match_by_prefix(#[case] dialect: &str) {
    let mut router = Router::new(dialect, ONE_BLOCK);
    assert_eq!(router.sh("settmp a=1 getx a unset_it a getall a"), "1\n");
}

/// `getall` matches `get`, which takes an argument, before the synonym of `show` is tried.
#[rstest]
#[case::ddwrt("ddwrt")]
#[case::merlin("merlin")]
#[case::seed2006("seed2006")]
#[case::wrt54gl("wrt54gl")]
fn getall_is_treated_as_get(#[case] dialect: &str) {
    let mut router = Router::new(dialect, ONE_BLOCK);
    assert_eq!(router.sh("set a=1"), "");
    assert_eq!(router.sh("getall"), "");
    assert_eq!(router.sh("getall a"), "1\n");
}

#[rstest]
#[case::broadcom_stock("broadcom-stock", STOCK)]
#[case::freshtomato_arm("freshtomato-arm", FRESHTOMATO_ARM)]
fn commands_match_exactly(#[case] dialect: &str, #[case] usage: &str) {
    let mut router = Router::new(dialect, ONE_BLOCK);
    for word in ["gets", "settmp", "unset_it", "commi", "shows", "getall", "save_it"] {
        assert_eq!(router.sh(word), usage, "{word}");
    }
}

/// Padavan's tool skips words that it does not know.
#[test]
fn padavan_matches_exactly_and_skips_other_words() {
    let mut router = Router::new("padavan", ONE_BLOCK);
    assert_eq!(router.sh("set a=1 gets a unset_it a getall a get a"), "1\n");
}

/// When the last command lacks its argument, most tools stop. Two of them continue into the environment, which
/// follows argv in memory and contains no known command.
#[rstest]
#[case::broadcom_stock("broadcom-stock", STOCK)]
#[case::ddwrt("ddwrt", "")]
#[case::freshtomato_arm("freshtomato-arm", FRESHTOMATO_ARM)]
#[case::merlin("merlin", "")]
#[case::padavan("padavan", "")]
#[case::seed2006("seed2006", "")]
fn a_command_without_its_argument_ends_the_line(
    #[case] dialect: &str,
    #[case] expected: &str,
    #[values("get", "set", "unset")] word: &str,
) {
    let mut router = Router::new(dialect, ONE_BLOCK);
    assert_eq!(router.sh(word), expected);
}
