//! `--color`: when the console shows colours.

use std::ffi::OsString;

use clap::ColorChoice;
use clap::ValueEnum as _;

/// The option of all commands.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(super) struct ColorOption {
    /// When to print in colours: auto does so on a terminal, unless the variable `NO_COLOR` is set
    #[arg(
        long,
        value_name = "WHEN",
        global = true,
        default_value_t,
        help_heading = "Global options"
    )]
    color: ColorChoice,
}

/// Applies `--color` to everything that this process prints. This happens before the arguments are parsed, because errors
/// in them and help texts are coloured, too.
pub(super) fn apply(arguments: impl Iterator<Item = OsString>) {
    let choice = match find(arguments) {
        ColorChoice::Auto => anstream::ColorChoice::Auto,
        ColorChoice::Always => anstream::ColorChoice::Always,
        ColorChoice::Never => anstream::ColorChoice::Never,
    };
    choice.write_global();
}

/// The value of the last `--color`; an invalid value is reported when the arguments are parsed.
fn find(arguments: impl Iterator<Item = OsString>) -> ColorChoice {
    let mut found = ColorChoice::Auto;
    let mut is_value = false;
    for argument in arguments.filter_map(|argument| argument.into_string().ok()) {
        if argument == "--" {
            break;
        }
        let value =
            if is_value { Some(argument.as_str()) } else { argument.strip_prefix("--color=") };
        if let Some(choice) = value.and_then(|value| ColorChoice::from_str(value, false).ok()) {
            found = choice;
        }
        is_value = argument == "--color";
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("leaselab run", ColorChoice::Auto)]
    #[case("leaselab run --color never", ColorChoice::Never)]
    #[case("leaselab --color=always run --color auto", ColorChoice::Auto)]
    #[case("leaselab run --color=always", ColorChoice::Always)]
    #[case("leaselab run -- --color always", ColorChoice::Auto)]
    #[case("leaselab run --color mauve", ColorChoice::Auto)]
    fn the_last_choice_counts(#[case] line: &str, #[case] expected: ColorChoice) {
        assert_eq!(find(line.split(' ').map(OsString::from)), expected);
    }
}
