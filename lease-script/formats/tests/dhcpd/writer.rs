//! Written declarations are read back exactly by the reader.

use std::net::{Ipv4Addr, Ipv6Addr};

use lease_formats::dhcpd::{
    BindingState, Date, Family, Hardware, Ia, IaAddress, IaKind, Lease, Options, Reading, SetValue,
    View, ia_to_json, keeps_hostname, lease_to_json, read_bytes, write_header, write_ia,
    write_lease,
};
use proptest::collection::vec;
use proptest::prelude::*;
use rstest::rstest;

use super::recordings::{cases, data, read};

const EARLY: i64 = 1;

fn states() -> impl Strategy<Value = BindingState> {
    prop::sample::select(vec![
        BindingState::Free,
        BindingState::Active,
        BindingState::Expired,
        BindingState::Released,
        BindingState::Abandoned,
        BindingState::Reset,
        BindingState::Backup,
    ])
}

fn dates() -> impl Strategy<Value = Date> {
    prop_oneof![
        Just(Date::ABSENT),
        Just(Date::NEVER),
        (1..i64::from(i32::MAX)).prop_map(Date),
        (2_145_916_790..2_145_916_810_i64).prop_map(Date),
        (0x7fff_fff0..0x7fff_ffff_i64).prop_map(Date),
    ]
}

fn bytes(max: usize) -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        vec(any::<u8>(), 0..max),
        vec(prop::sample::select(b"\"\\\0\xff\n{};# a7".to_vec()), 0..max),
        vec(Just(0xff), max - 1..max),
    ]
}

fn variables() -> impl Strategy<Value = Vec<(String, SetValue)>> {
    let value = prop_oneof![
        bytes(40).prop_map(SetValue::Data),
        vec(any::<u8>(), 1490..1500).prop_map(SetValue::Data),
        any::<i32>().prop_map(|number| SetValue::Number(i64::from(number))),
        any::<bool>().prop_map(SetValue::Boolean),
    ];
    prop_oneof![
        Just(Vec::new()),
        value.clone().prop_map(|value| vec![("ddns-fwd-name".to_owned(), value)]),
        (value.clone(), value).prop_map(|(a, b)| vec![
            ("vendor-class-identifier".to_owned(), a),
            ("b2".to_owned(), b)
        ]),
    ]
}

fn agent() -> impl Strategy<Value = Vec<(u8, Vec<u8>)>> {
    let option = prop_oneof![
        (prop::sample::select(vec![1, 2, 6, 9, 151]), vec(any::<u8>(), 1..60)),
        (3u8..=5, vec(any::<u8>(), 4..=4)),
    ];
    vec(option, 0..3)
}

prop_compose! {
    fn leases()(
        address in any::<u32>(),
        dates in [dates(), dates(), dates(), dates(), dates(), dates()],
        states in [states(), states(), states()],
        hardware in prop::option::of((any::<u8>(), vec(any::<u8>(), 0..=20))),
        uid in bytes(300),
        hostname in prop::option::of(bytes(60)),
        flags in any::<[bool; 2]>(),
        set in variables(),
        agent in agent(),
        on in prop::option::of(bytes(20)),
    ) -> Lease {
        let mut lease = Lease::new(Ipv4Addr::from(address));
        [lease.starts, lease.ends, lease.tstp, lease.tsfp, lease.atsfp, lease.cltt] = dates;
        lease.state = states[0];
        lease.next_state = Some(states[1]);
        lease.rewind_state = Some(states[2]);
        lease.hardware = hardware.map(|(kind, bytes)| Hardware { kind, bytes });
        lease.uid = uid;
        lease.hostname = hostname.map(|mut name| { name.retain(|c| *c != 0); name });
        [lease.reserved, lease.bootp] = flags;
        lease.set = set;
        lease.agent = agent;
        lease.on_expiry = on.map(|value| {
            let mut text = b"set gone = \"".to_vec();
            for byte in value {
                text.extend(match byte {
                    b'"' | b'\\' => vec![b'\\', byte],
                    b' '..=b'~' => vec![byte],
                    _ => format!("\\{byte:03o}").into_bytes(),
                });
            }
            text.extend(b"\" ;");
            text
        });
        lease
    }
}

prop_compose! {
    fn associations()(
        kind in prop::sample::select(vec![IaKind::NonTemporary, IaKind::Temporary, IaKind::Prefix]),
        id in vec(any::<u8>(), 6..=132),
        cltt in dates(),
        held in vec((any::<u64>(), states(), any::<[u32; 2]>(), dates(), variables()), 0..3),
    ) -> Ia {
        let addresses = held.into_iter().map(|(at, state, [preferred, max], ends, set)| {
            let state = match state {
                BindingState::Reset | BindingState::Backup => BindingState::Active,
                other => other,
            };
            let prefix = kind == IaKind::Prefix;
            let address = u128::from(at) << 64 | if prefix { 0 } else { 5 };
            IaAddress {
                address: Ipv6Addr::from(address),
                prefix_length: if prefix { 64 } else { 0 },
                state, preferred, max, ends, set,
                on: vec![(vec!["expiry", "release"], b"set a = \"\\\"\" ;".to_vec())],
            }
        }).collect();
        Ia { kind, id, cltt, addresses }
    }
}

fn reading(file: &[u8], view: View, family: Family) -> Reading {
    let mut options = Options::new(view, EARLY);
    options.family = Some(family);
    read_bytes(file, &options)
}

/// Reads with the fast path.
fn read_fast(file: &[u8]) -> Reading {
    let mut options = Options::new(View::Text, EARLY);
    options.fast_path_from = 0;
    read_bytes(file, &options)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_lease_reads_back_as_it_was_written(lease in leases()) {
        let mut file = Vec::new();
        write_header(&mut file, None).expect("no DUID");
        write_lease(&mut file, &lease).expect("all of it can be written");
        let salvaged = reading(&file, View::Salvage, Family::V4);
        for one in [&salvaged, &reading(&file, View::Text, Family::V4), &read_fast(&file)] {
            prop_assert!(one.diagnostics.is_empty(), "{:?}", one.diagnostics.iter().next());
            let read: Vec<Lease> = one.leases().collect();
            prop_assert_eq!(&read, std::slice::from_ref(&lease));
        }
        let server = reading(&file, View::Dhcpd, Family::V4);
        prop_assert!(server.diagnostics.is_empty());
        prop_assert_eq!(server.table.get(lease.address), Some(lease));
    }

    #[test]
    fn an_association_reads_back_as_it_was_written(ia in associations()) {
        let mut file = Vec::new();
        write_header(&mut file, Some(b"\0\x01\xff\"")).expect("a DUID");
        write_ia(&mut file, &ia).expect("all of it can be written");
        for view in [View::Salvage, View::Text] {
            let one = reading(&file, view, Family::V6);
            prop_assert!(one.diagnostics.is_empty(), "{:?}", one.diagnostics.iter().next());
            prop_assert_eq!(one.server_duid.as_deref(), Some(&b"\0\x01\xff\""[..]));
            // An association without addresses removes the earlier one.
            let read: Vec<Ia> = one.ias().cloned().collect();
            prop_assert_eq!(&read[..], if ia.addresses.is_empty() { &[][..] } else { std::slice::from_ref(&ia) });
        }
    }
}

fn lease(change: impl FnOnce(&mut Lease)) -> Lease {
    let mut lease = Lease::new(Ipv4Addr::new(10, 0, 0, 1));
    lease.ends = Date(1_700_000_000);
    lease.state = BindingState::Active;
    change(&mut lease);
    lease
}

#[rstest]
#[case::before_1970(|l: &mut Lease| l.starts = Date(-1), "starts before 1970")]
#[case::long_value(|l: &mut Lease| l.set.push(("x".into(), SetValue::Data(vec![b'a'; 1500]))), "1500 bytes")]
#[case::long_uid(|l: &mut Lease| l.uid = vec![1; 1500], "1500 bytes")]
#[case::keyword(|l: &mut Lease| l.set.push(("State".into(), SetValue::Boolean(true))), "keyword")]
#[case::no_name(|l: &mut Lease| l.set.push(("a b".into(), SetValue::Boolean(true))), "not a valid name")]
#[case::injected(|l: &mut Lease| l.set.push(("a = 1; } lease".into(), SetValue::Number(1))), "not a valid name")]
#[case::nul_in_a_name(|l: &mut Lease| l.hostname = Some(b"a\0b".to_vec()), "different declaration")]
#[case::long_hardware(|l: &mut Lease| l.hardware = Some(Hardware { kind: 1, bytes: vec![0; 21] }), "too long")]
#[case::open_block(|l: &mut Lease| l.on_expiry = Some(b"set a = \"".to_vec()), "dhcpd would")]
#[case::closed_block(|l: &mut Lease| l.on_expiry = Some(b"set a = \"b\" ; } reserved".to_vec()), "dhcpd would")]
#[case::dhcpds_own_quotes(|l: &mut Lease| l.on_expiry = Some(b"set a = \"b \"c\" d\" ;".to_vec()), "dhcpd would")]
#[case::agent_address(|l: &mut Lease| l.agent.push((5, vec![1, 2, 3])), "link-selection of 3 bytes")]
#[case::agent_empty(|l: &mut Lease| l.agent.push((1, Vec::new())), "different declaration")]
fn declarations_that_dhcpd_would_not_read_are_refused(
    #[case] change: fn(&mut Lease),
    #[case] reason: &str,
) {
    let mut out = b"before".to_vec();
    let refused = write_lease(&mut out, &lease(change)).expect_err("refused");
    assert!(refused.to_string().contains(reason), "{refused}");
    assert!(refused.to_string().starts_with("lease 10.0.0.1: "), "{refused}");
    assert_eq!(out, b"before");
}

#[test]
fn host_names_that_dhcpd_does_not_write_are_recognized() {
    for (name, kept) in [
        (&b"laptop"[..], true),
        (b"with blank", true),
        (b"q\"", false),
        (b"b\\", false),
        (b"\xe9", false),
    ] {
        assert_eq!(keeps_hostname(name), kept, "{}", name.escape_ascii());
    }
}

/// All declarations of the corpus, except those in the snapshot, can be written and are read back unchanged.
#[test]
fn the_corpus_reads_the_same_when_written_again() {
    let mut written = 0;
    let mut refused = Vec::new();
    for (name, file, expected) in cases() {
        let family = if expected["family"] == "v6" { Family::V6 } else { Family::V4 };
        let first = reading(&file, View::Salvage, family);
        let mut again = Vec::new();
        write_header(&mut again, first.server_duid.as_deref()).expect("as read");
        let mut kept = Vec::new();
        for lease in first.leases() {
            match write_lease(&mut again, &lease) {
                Ok(()) => kept.push(lease_to_json(&lease)),
                Err(reason) => refused.push(format!("{name}: {reason}")),
            }
        }
        for ia in first.ias() {
            write_ia(&mut again, ia).unwrap_or_else(|reason| panic!("{name}: {reason}"));
            kept.push(ia_to_json(ia));
        }
        let second = reading(&again, View::Salvage, family);
        assert!(second.diagnostics.is_empty(), "{name}: {:?}", second.diagnostics.iter().next());
        let read: Vec<_> = second
            .leases()
            .map(|l| lease_to_json(&l))
            .chain(second.ias().map(ia_to_json))
            .collect();
        assert_eq!(read, kept, "{name}");
        written += kept.len();
    }
    assert!(written > 1000, "{written}");
    insta::assert_debug_snapshot!(refused);
}

#[test]
fn the_format_is_that_of_the_server() {
    let file = read(&data("dhcpd-journals/small/dhcpd.leases"));
    let text = String::from_utf8(file.clone()).expect("text");
    // The server also omits `tstp` in a lease that it has not read yet. It defaults to `ends`.
    let text: String = text
        .lines()
        .filter(|line| !line.contains("  tstp "))
        .flat_map(|line| [line, "\n"])
        .collect();
    let mut out = Vec::new();
    for lease in reading(&file, View::Text, Family::V4).leases() {
        out.clear();
        write_lease(&mut out, &lease).expect("as read");
        let record = String::from_utf8(out.clone()).expect("ASCII");
        assert!(text.contains(&record), "not in the server's file:\n{record}");
    }
}

/// Only the salvage view has dates that dhcpd cannot represent. They are written unchanged.
#[rstest]
#[case::the_last_of_dhcpd(0x7fff_ffff)]
#[case::unsigned(1 << 32)]
#[case::ten_digits(9_999_999_999)]
#[case::year_10000(253_402_300_800)]
#[case::leap_day(2_466_979_199)]
fn dates_after_2038_are_read_back_as_they_were_written(#[case] seconds: i64) {
    let mut lease = Lease::new(Ipv4Addr::new(10, 20, 1, 1));
    lease.state = BindingState::Active;
    (lease.ends, lease.tstp, lease.cltt) = (Date(seconds), Date(seconds), Date(seconds + 86_399));
    let mut file = Vec::new();
    write_lease(&mut file, &lease).expect("a lease");
    let read = reading(&file, View::Salvage, Family::V4).table.get(lease.address).expect("a lease");
    assert_eq!((read.ends, read.cltt), (lease.ends, lease.cltt));
    let server = reading(&file, View::Text, Family::V4).table.get(lease.address).expect("a lease");
    assert!(server.ends.is_never() || !server.ends.fits_dhcpd() || server.ends.0 < 0);
}
