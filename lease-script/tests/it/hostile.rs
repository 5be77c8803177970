//! Untrusted bytes in arguments, environment and NVRAM: no other variable changes, and all implementations behave alike.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::support::{FreeSpaceReport, Implementation, Session, SimpleTool, test_call};

/// Bytes that an argument or a variable can contain, many of them special to a shell or a parser.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let odd = prop::sample::select(
        &b"\n\r\t '\"\\$`;&|<>(){}[]*?!#~%=-:.,/^@+ \x01\x1b\x7f\x80\x81\x82\x83\x84\x85\x86\x87\x88\xc3\xa9\xff01af"[..],
    );
    prop_oneof![
        prop::collection::vec(odd, 0..12),
        prop::collection::vec(1..=255_u8, 0..40),
        prop::sample::select(vec![
            "$(touch x)",
            "a b\nc",
            "-n",
            "s/x/y/;w /tmp/x",
            "x\ndnsmasq_lease_192.168.1.2=0 02:aa:00:00:00:02 192.168.1.2 evil *",
            "%n%s",
            "*",
        ])
        .prop_map(Vec::from),
    ]
}

/// A valid value, hostile bytes instead of it, or hostile bytes inside it.
fn mostly(right: &'static str) -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        3 => Just(right.as_bytes().to_vec()),
        1 => bytes(),
        1 => (bytes(), 0..=right.len()).prop_map(move |(bytes, at)| {
            [&right.as_bytes()[..at], &bytes, &right.as_bytes()[at..]].concat()
        }),
    ]
}

#[derive(Clone, Debug)]
struct Event {
    action: &'static str,
    mac: Vec<u8>,
    address: Vec<u8>,
    host: Vec<u8>,
    client_id: Vec<u8>,
    expiry: Vec<u8>,
    iaid: Vec<u8>,
    server: Vec<u8>,
    slack: Vec<u8>,
}

fn event() -> impl Strategy<Value = Event> {
    (
        prop::sample::select(vec!["add", "add", "old", "del"]),
        mostly("02:aa:00:00:00:01"),
        prop_oneof![mostly("192.168.1.1"), mostly("fd77::1f2e")],
        mostly("laptop"),
        mostly("01:02:aa"),
        mostly("1700000000"),
        mostly("T77"),
        mostly("00:01:02"),
        mostly("900"),
    )
        .prop_map(|(action, mac, address, host, client_id, expiry, iaid, server, slack)| {
            Event { action, mac, address, host, client_id, expiry, iaid, server, slack }
        })
}

/// The variables in NVRAM before the call.
fn stored() -> impl Strategy<Value = Vec<(Vec<u8>, Vec<u8>)>> {
    let name = prop_oneof![
        mostly("192.168.1.1"),
        mostly("192.168.1.7"),
        mostly("fd77::1f2e"),
        mostly("fd77::5"),
        mostly("duid"),
    ];
    let value = prop_oneof![
        mostly("1700000500 02:aa:00:00:00:01 192.168.1.1 laptop 01:02:aa"),
        mostly("0 18- 192.168.1.7 * *"),
        mostly("1700000500 T77 fd77::1f2e * 02:aa:00:00:00:01"),
        mostly("1700000500 0 fd77::5 * 00"),
        mostly("duid 00:01:02"),
    ];
    prop::collection::vec((name, value), 0..5).prop_map(|pairs| {
        let mut variables: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
        for (name, value) in pairs {
            let name = [b"dnsmasq_lease_".as_slice(), &name].concat();
            // A name without `=` or line break, once each.
            let name: Vec<u8> = name.into_iter().filter(|c| !b"=\n".contains(c)).collect();
            if variables.iter().all(|(known, _)| *known != name) {
                variables.push((name, value));
            }
        }
        variables
    })
}

type Observed = (u8, Vec<u8>, Vec<u8>, Vec<(Vec<u8>, Vec<u8>)>, Vec<String>);

fn play(on: Implementation, stored: &[(Vec<u8>, Vec<u8>)], event: &Event) -> [Observed; 2] {
    let mut tool = SimpleTool::new(FreeSpaceReport::Show, 20000);
    tool.ram = stored.to_vec();
    tool.ram.push((b"neighbour".to_vec(), b"mine".to_vec()));
    tool.flash.clone_from(&tool.ram);
    let mut session = Session::new(on, tool);
    let calls = [
        test_call([event.action.as_bytes(), &event.mac, &event.address, &event.host])
            .with("DNSMASQ_LEASE_EXPIRES", &event.expiry)
            .with("DNSMASQ_CLIENT_ID", &event.client_id)
            .with("DNSMASQ_IAID", &event.iaid)
            .with("DNSMASQ_SERVER_DUID", &event.server)
            .with("LEASE_SLACK", &event.slack),
        test_call(["init"]),
    ];
    calls.map(|call| {
        let outcome = session.call_without_transcript(&call);
        (
            outcome.exit,
            outcome.stdout,
            outcome.stderr,
            session.ram(),
            session.router.commands.clone(),
        )
    })
}

/// The grammar of printed lines, implemented independently.
fn is_line(line: &str) -> bool {
    let hex = |text: &str| {
        !text.is_empty()
            && text.split(':').all(|pair| {
                pair.len() == 2
                    && pair.chars().all(|c| c.is_ascii_hexdigit() && !c.is_ascii_uppercase())
            })
    };
    let number =
        |text: &str| (text == "0" || !text.starts_with('0')) && text.parse::<u64>().is_ok();
    match line.split(' ').collect::<Vec<_>>()[..] {
        ["duid", duid] => hex(duid),
        [time, second, address, host, last] => {
            let client = if let Ok(address6) = address.parse::<std::net::Ipv6Addr>() {
                address6.to_string() == address
                    && second.strip_prefix('T').unwrap_or(second).parse::<u32>().is_ok()
                    && hex(last)
            } else {
                let bare = if second.get(2..3) == Some("-") { &second[3..] } else { second };
                address
                    .parse::<std::net::Ipv4Addr>()
                    .is_ok_and(|address4| address4.to_string() == address)
                    && (hex(bare) || bare.is_empty() && second.len() == 3)
                    && (last == "*" || hex(last))
            };
            number(time) && time.len() <= 10 && (1..=255).contains(&host.len()) && client
        }
        _ => false,
    }
}

fn check(
    stored: &[(Vec<u8>, Vec<u8>)],
    event: &Event,
    others: &[Implementation],
) -> Result<(), TestCaseError> {
    let seen = play(Implementation::Library, stored, event);
    let [(_, stdout, stderr, ram, _), (init_exit, init_stdout, init_stderr, ..)] = &seen;
    prop_assert_eq!(stdout, b"");
    prop_assert_eq!(*init_exit, 0);
    for line in String::from_utf8_lossy(init_stdout).lines() {
        prop_assert!(is_line(line), "{}", line);
    }
    for text in [stderr, init_stderr] {
        prop_assert!(
            text.iter().all(|c| *c == b'\n' || (b' '..=b'~').contains(c)),
            "{}",
            text.escape_ascii()
        );
    }
    // New values only under the address of the call or the DUID; no other variable is changed.
    prop_assert!(ram.contains(&(b"neighbour".to_vec(), b"mine".to_vec())));
    for (name, value) in ram {
        if !stored.contains(&(name.clone(), value.clone())) && name != b"neighbour" {
            let suffix = name.strip_prefix(b"dnsmasq_lease_");
            prop_assert!(suffix.is_some_and(|suffix| suffix == event.address || suffix == b"duid"));
            prop_assert!(is_line(&String::from_utf8_lossy(value)), "{}", value.escape_ascii());
        }
    }
    for other in others {
        prop_assert_eq!(&play(*other, stored, event), &seen, "{:?}", other);
    }
    Ok(())
}

/// The number of cases: `short`, or `long` with `LEASELAB_LONG_TESTS` in the environment.
fn cases_of(short: u32, long: u32) -> u32 {
    if std::env::var_os("LEASELAB_LONG_TESTS").is_some() { long } else { short }
}

fn run(cases: u32, others: &'static [Implementation]) {
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    TestRunner::new(config)
        .run(&(stored(), event()), |(stored, event)| check(&stored, &event, others))
        .unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn hostile_bytes_change_no_other_variable() {
    run(cases_of(500, 2000), &[]);
}

#[test]
fn implementations_agree_on_hostile_bytes() {
    run(
        cases_of(20, 60),
        &[
            Implementation::Executable,
            Implementation::Ash,
            Implementation::Dash,
            Implementation::Bash,
        ],
    );
}
