//! The examples at the end of each help text.

use std::fmt::Write as _;

use clap::Command;

use crate::style::HELP;

/// An example: what it does, and the command line.
type Example = (&'static str, &'static str);

/// The examples of each command, which is named without `leaselab`.
const EXAMPLES: &[(&str, &[Example])] = &[
    (
        "check",
        &[
            (
                "A script of your own, run by busybox",
                "leaselab check ./mine.sh --shell 'busybox ash'",
            ),
            ("Before each commit", "leaselab check ./mine.sh --quick"),
            (
                "For a router with Tomato, with a page of the failures",
                "leaselab check ./mine.sh --dialect tomato --html leaselab.html",
            ),
        ],
    ),
    ("claims", &[("Measure both scripts again", "leaselab claims scenarios/claims")]),
    (
        "completions",
        &[
            (
                "bash",
                "leaselab completions bash >~/.local/share/bash-completion/completions/leaselab",
            ),
            ("fish", "leaselab completions fish >~/.config/fish/completions/leaselab.fish"),
            ("zsh, where ~/.zfunc is in fpath", "leaselab completions zsh >~/.zfunc/_leaselab"),
        ],
    ),
    (
        "crash",
        &[
            (
                "Cut power at every flash operation of the reboot scenarios",
                "leaselab crash scenarios/reboot",
            ),
            (
                "The same for a script of your own, run by busybox",
                "leaselab crash scenarios/reboot --script ./mine.sh --shell 'busybox ash'",
            ),
        ],
    ),
    (
        "device create",
        &[
            ("An OpenWrt router with 32 KiB of NVRAM", "leaselab device create dev"),
            (
                "A Tomato router whose NVRAM has only 500 free bytes",
                "leaselab device create dev --dialect tomato --space 64KiB --free 500",
            ),
        ],
    ),
    (
        "device dialects",
        &[("The dialects, and what each was verified against", "leaselab device dialects")],
    ),
    (
        "device dump",
        &[("Copy the flash partition to a file", "leaselab device dump dev flash.bin")],
    ),
    (
        "device load",
        &[("Start from the flash partition of a router", "leaselab device load dev flash.bin")],
    ),
    ("device reboot", &[("Lose what was not committed", "leaselab device reboot dev")]),
    ("device show", &[("Wear, and all variables", "leaselab device show dev --variables")]),
    (
        "dnsmasq list",
        &[("What changes for a script after dnsmasq 2.80?", "leaselab dnsmasq list --from 2.80")],
    ),
    (
        "fuzz",
        &[
            ("A thousand households with the project's script", "leaselab fuzz"),
            (
                "Ten minutes with a script of your own",
                "leaselab fuzz --time 10m --script ./mine.sh --out found",
            ),
        ],
    ),
    (
        "init",
        &[
            ("For the only script of this folder", "leaselab init"),
            (
                "For a WRT54GL, with a job for GitLab",
                "leaselab init ./mine.sh --shell 'busybox ash' --router wrt54gl --ci gitlab",
            ),
        ],
    ),
    (
        "leases check",
        &[(
            "What would dhcpd lose at its next start?",
            "leaselab leases check dhcpd.leases --conf dhcpd.conf",
        )],
    ),
    (
        "leases compact",
        &[("One record for each address", "leaselab leases compact dhcpd.leases -o small.leases")],
    ),
    (
        "leases convert",
        &[(
            "From dhcpd to Kea",
            "leaselab leases convert dhcpd.leases --to kea-csv -o kea-leases4.csv",
        )],
    ),
    (
        "leases diff",
        &[("Before and after an upgrade", "leaselab leases diff old.leases new.leases")],
    ),
    (
        "leases history",
        &[(
            "Who had this address?",
            "leaselab leases history 192.168.1.60 dhcpd.leases~ dhcpd.leases",
        )],
    ),
    (
        "leases recover",
        &[("What would be done?", "leaselab leases recover /var/lib/dhcp --dry-run")],
    ),
    (
        "leases show",
        &[
            ("As dhcpd would read the file", "leaselab leases show dhcpd.leases"),
            (
                "Whatever can be salvaged, as CSV",
                "leaselab leases show dhcpd.leases --as careful --csv",
            ),
        ],
    ),
    (
        "leases stats",
        &[("Pools that fill up", "leaselab leases stats dhcpd.leases --conf dhcpd.conf")],
    ),
    (
        "live",
        &[
            (
                "Do the reboot scenarios hold with this machine's dnsmasq?",
                "leaselab live scenarios/reboot",
            ),
            (
                "A script and a dnsmasq of your own",
                "leaselab live scenarios/reboot --script ./mine.sh --dnsmasq ./dnsmasq",
            ),
        ],
    ),
    (
        "man",
        &[
            ("Read the page of leaselab", "leaselab man | man -l -"),
            ("Install the pages of all commands", "leaselab man ~/.local/share/man/man1"),
            ("Make the reference of the command line", "leaselab man --markdown > docs/cli.md"),
        ],
    ),
    (
        "qemu build",
        &[("Build the image for a little-endian MIPS router", "leaselab qemu build --arch mipsel")],
    ),
    (
        "qemu run",
        &[(
            "Run the reboot scenarios in the image that was built",
            "leaselab qemu run scenarios/reboot",
        )],
    ),
    (
        "qemu shell",
        &[(
            "Install a package in a guest, and look at it after a power cut",
            "leaselab qemu shell install.sh after-the-cut.sh --put lease-update.ipk=lab/update.ipk",
        )],
    ),
    (
        "races",
        &[
            ("All interleavings of all races", "leaselab races"),
            (
                "Two programs that set a variable, in processes",
                "leaselab races --trials 100 --writers 2",
            ),
        ],
    ),
    (
        "replay",
        &[(
            "Paste the command that a failed case printed",
            "leaselab replay r1:set+commit:A3B10A4 --verbose",
        )],
    ),
    (
        "report",
        &[(
            "A page of the failures of a run",
            "leaselab report leaselab.json --html failures.html",
        )],
    ),
    (
        "run",
        &[
            ("The scenarios below ./scenarios", "leaselab run"),
            (
                "A script of your own, run by busybox, with each call",
                "leaselab run scenarios/reboot --script ./mine.sh --shell 'busybox ash' --verbose",
            ),
            ("Names of the cases that a filter selects", "leaselab run --filter power-cut --list"),
            (
                "In continuous integration, one of three machines",
                "leaselab run --shard 1/3 --junit leaselab.xml --fail-fast",
            ),
        ],
    ),
    (
        "scenario new",
        &[(
            "A first scenario, with the schema for editors",
            "leaselab scenario new scenarios/first.toml",
        )],
    ),
    (
        "scenario reference",
        &[("Every step and expectation", "leaselab scenario reference >scenarios.md")],
    ),
    ("schema", &[("For editors that check TOML", "leaselab schema >scenario.schema.json")]),
    (
        "trace check",
        &[(
            "Do the model's calls equal the recorded ones?",
            "leaselab trace check scenarios/traces",
        )],
    ),
    (
        "trace from-journal",
        &[("The history of a site", "leaselab trace from-journal dhcpd.leases -o stimuli.jsonl")],
    ),
    (
        "trace import",
        &[(
            "A recording of your router, without names and hardware addresses",
            "leaselab trace import dnsmasq-record/log.0 dnsmasq-record/log.1 --anonymise --out home.trace",
        )],
    ),
    (
        "trace replay",
        &[(
            "What do the recorded calls cost?",
            "leaselab trace replay home.trace --script ./mine.sh",
        )],
    ),
    (
        "wear",
        &[
            ("How long does the flash of a router last?", "leaselab wear --router wrt54gl"),
            ("A large household with short leases", "leaselab wear --clients 60 --lease-time 1h"),
            (
                "Guests with random addresses use up a pool",
                "leaselab wear --pool 50 --guests 400 --lease-time 7d",
            ),
            (
                "All chips, with charts in a folder",
                "leaselab wear --chip all --rtc good --svg charts/",
            ),
        ],
    ),
    ("wear claims", &[("Measure the claims of 2006", "leaselab wear claims")]),
    (
        "wear fleet",
        &[
            ("A thousand households like the typical one", "leaselab wear fleet --households 1000"),
            (
                "One of four machines of a job array",
                "leaselab wear fleet --households 100000 --shard 1/4 --json part-1.json",
            ),
        ],
    ),
    (
        "wear merge",
        &[(
            "The results of a job array",
            "leaselab wear merge part-1.json part-2.json --json fleet.json",
        )],
    ),
];

/// Adds the examples to the help texts of a command and of its subcommands.
pub(super) fn add_to(command: Command) -> Command {
    add("", command)
}

fn add(path: &str, command: Command) -> Command {
    let names: Vec<String> =
        command.get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
    let command = match EXAMPLES.iter().find(|(name, _)| *name == path) {
        Some((_, examples)) => {
            let rest = command.get_after_help().map(|rest| format!("\n\n{}", rest.ansi()));
            let text = format!("{}{}", render(examples), rest.unwrap_or_default());
            command.after_help(text)
        }
        None => command,
    };
    names.iter().fold(command, |command, name| {
        let path = format!("{path} {name}");
        command.mut_subcommand(name, |sub| add(path.trim_start(), sub))
    })
}

fn render(examples: &[Example]) -> String {
    let header = HELP.get_header();
    let mut text = format!("{header}Examples:{header:#}");
    for (what, line) in examples {
        let _ = write!(text, "\n  # {what}\n  {line}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::command::{command, parses};
    use super::*;
    use crate::words::Words;

    fn paths(prefix: &str, command: &Command, found: &mut Vec<String>) {
        for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
            let path = format!("{prefix} {}", sub.get_name()).trim_start().to_owned();
            paths(&path, sub, found);
            if !sub.is_subcommand_required_set() {
                found.push(path);
            }
        }
    }

    #[test]
    fn every_command_has_examples() {
        let mut commands = Vec::new();
        paths("", &command(), &mut commands);
        commands.sort();
        let documented: Vec<&str> = EXAMPLES.iter().map(|(path, _)| *path).collect();
        assert_eq!(documented, commands);
    }

    #[test]
    fn every_example_is_a_valid_command_line() {
        for (path, examples) in EXAMPLES {
            for (_, line) in *examples {
                // The shell's part is not an argument.
                let line = line.split(" >").next().unwrap_or_default();
                let line = line.split(" | ").next().unwrap_or_default();
                assert!(line.starts_with(&format!("leaselab {path}")), "{line}");
                let words = Words::split(line).expect("a command line");
                assert_eq!(parses(&words), Ok(()), "{line}");
            }
        }
    }
}
