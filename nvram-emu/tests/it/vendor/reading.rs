//! `get`: a missing name, an empty value, a value.

use rstest::rstest;

use super::router::{ONE_BLOCK, Router};

#[rstest]
#[case::broadcom_stock("broadcom-stock", "")]
#[case::ddwrt("ddwrt", "")]
#[case::tomato("tomato", "= 1\n")]
#[case::freshtomato_arm("freshtomato-arm", "")]
#[case::merlin("merlin", "")]
#[case::padavan("padavan", "")]
#[case::seed2006("seed2006", "")]
fn get_of_a_missing_name_prints_nothing(#[case] dialect: &str, #[case] expected: &str) {
    let mut router = Router::new(dialect, ONE_BLOCK);
    assert_eq!(router.sh("get nothing"), expected);
}

#[rstest]
#[case::broadcom_stock("broadcom-stock", "\n")]
#[case::ddwrt("ddwrt", "\n")]
#[case::tomato("tomato", "= 1\n")]
#[case::freshtomato_arm("freshtomato-arm", "")]
#[case::merlin("merlin", "\n")]
#[case::padavan("padavan", "\n")]
#[case::seed2006("seed2006", "\n")]
fn get_of_an_empty_value_prints_an_empty_line_or_nothing(
    #[case] dialect: &str,
    #[case] expected: &str,
) {
    let mut router = Router::new(dialect, ONE_BLOCK);
    assert_eq!(router.sh("set wan_hostname="), "");
    assert_eq!(router.sh("get wan_hostname"), expected);
}

#[rstest]
fn get_prints_the_last_value_that_was_set(
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
    assert_eq!(router.sh("set lan=a=b"), "");
    assert_eq!(router.sh("get lan"), "a=b\n");
    assert_eq!(router.sh("set lan=c"), "");
    assert_eq!(router.sh("get lan"), "c\n");
    assert_eq!(router.sh("unset lan"), "");
    assert_eq!(router.sh("unset lan"), "");
    assert_eq!(router.bytes(&[b"set", b"lan=x y"]), "");
    assert_eq!(router.sh("get lan"), "x y\n");
}
