//! Damaged and hostile files do not cause a panic, give the same result on every path, and are not reread without limit.

use lease_formats::dhcpd::{
    Family, Options, Reading, Verdict, View, lease_to_json, read_bytes, read_file,
};
use rand::{Rng as _, RngExt as _, SeedableRng as _};
use rand_pcg::Pcg64Mcg;

use super::recordings::{cases, cases_of, data, read};

const VIEWS: [View; 3] = [View::Text, View::Salvage, View::Dhcpd];

fn options(view: View) -> Options {
    let mut options = Options::new(view, 978_307_200);
    options.fast_path_from = 0;
    options
}

fn leases(reading: &Reading) -> Vec<String> {
    reading.leases().map(|lease| format!("{} {}", lease.address, lease_to_json(&lease))).collect()
}

#[test]
fn damage_of_every_kind_is_read_without_panic() {
    let mut random = Pcg64Mcg::seed_from_u64(4);
    let files: Vec<Vec<u8>> =
        cases().into_iter().map(|(_, file, _)| file).filter(|file| file.len() < 4096).collect();
    for round in 0..cases_of(200, 600) {
        let mut file = files[round % files.len()].clone();
        for _ in 0..random.random_range(1..6) {
            if file.is_empty() {
                break;
            }
            let at = random.random_range(0..file.len());
            match random.random_range(0..5) {
                0 => file[at] = random.next_u32() as u8,
                1 => file.truncate(at),
                2 => {
                    file.remove(at);
                }
                3 => {
                    let other = &files[random.random_range(0..files.len())];
                    let from = random.random_range(0..=other.len());
                    file.splice(at..at, other[from..].iter().copied());
                }
                _ => file[at] = [0, 0xff, b'"', b'{', b'}', b';', b'\\'][round % 7],
            }
        }
        for view in VIEWS {
            let reading = read_bytes(&file, &options(view));
            assert!(leases(&reading).len() <= file.len());
            for family in [Family::V4, Family::V6] {
                let mut options = options(view);
                options.family = Some(family);
                let mut out = Vec::new();
                read_bytes(&file, &options).write_json(&mut out).expect("memory does not fail");
                serde_json::from_slice::<serde_json::Value>(&out).expect("JSON");
            }
        }
    }
}

/// Keywords in capitals are valid, but the fast path does not accept them. Both paths must agree.
#[test]
fn the_fast_path_agrees_with_the_parser() {
    let mut random = Pcg64Mcg::seed_from_u64(5);
    for (name, file, expected) in cases() {
        if expected["family"] != "v4" || file.len() > 200_000 {
            continue;
        }
        for round in 0..cases_of(3, 8) {
            let mut file = file.clone();
            if round > 0 && !file.is_empty() {
                let at = random.random_range(0..file.len());
                file[at] = random.next_u32() as u8;
            }
            // The file keeps its length and meaning, and therefore its locations.
            let mut capitals = file.clone();
            for at in 0..capitals.len().saturating_sub(7) {
                if file[at..].starts_with(b"\nlease ") {
                    capitals[at + 1] = b'L';
                }
            }
            for view in [View::Text, View::Dhcpd] {
                let short = read_bytes(&file, &options(view));
                let long = read_bytes(&capitals, &options(view));
                // A malformed escape sequence exposes what was read before it.
                if short.diagnostics.iter().any(|one| one.message.starts_with("invalid ")) {
                    continue;
                }
                assert_eq!(leases(&short), leases(&long), "{name} round {round} {view:?}");
                assert_eq!(short.counts, long.counts, "{name} round {round} {view:?}");
                assert_eq!(short.verdict, long.verdict, "{name} round {round} {view:?}");
            }
        }
    }
}

#[test]
fn reading_with_threads_gives_the_same_result() {
    let journal = read(&data("dhcpd-journals/big/dhcpd.leases.journal"));
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    let mut whole = journal.clone();
    whole.extend_from_slice(b"foo bar;\n");
    whole.extend_from_slice(&journal);
    std::fs::write(file.path(), &whole).expect("space on the disk");
    for view in VIEWS {
        let alone = read_file(file.path(), &options(view)).expect("readable");
        for threads in [2, 3, 5] {
            let mut options = options(view);
            options.threads = threads;
            let together = read_file(file.path(), &options).expect("readable");
            assert_eq!(alone.counts, together.counts, "{view:?}");
            assert_eq!(leases(&alone), leases(&together), "{view:?}");
            let places = |reading: &Reading| {
                reading.diagnostics.iter().map(|one| one.location).collect::<Vec<_>>()
            };
            assert_eq!(places(&alone), places(&together), "{view:?}");
        }
    }
}

#[test]
fn repeated_reading_grows_no_faster_than_the_file() {
    let files: [(&str, &[u8]); 11] = [
        ("braces", b"{"),
        ("closed", b"}"),
        ("quotes", b"\""),
        ("headers", b"lease 10.0.0.1 {\n"),
        ("torn", b"lease 10.0.0.1 {\n  starts 4 2024/01/0"),
        ("unknown", b"lease 10.0.0.1 { foo { bar; }\n"),
        ("blocks", b"lease 10.0.0.1 { on expiry { if 1 = 1 { "),
        ("hosts", b"host x {\n"),
        ("mixed", b"host x {\nlease 10.0.0.1 { on expiry {\n"),
        ("zeros", b"\0"),
        ("ends", b"\xff"),
    ];
    for (name, piece) in files {
        let file: Vec<u8> = piece.iter().copied().cycle().take(200_000).collect();
        for view in VIEWS {
            let reading = read_bytes(&file, &options(view));
            assert!(reading.leases().count() <= 1, "{name} {view:?}");
            // Quadratic reading would reread the file 100,000 times.
            let times = reading.reread / file.len() as u64;
            assert!(times < 10, "{name} {view:?}: read {times} times");
        }
    }
}

/// As in dhcpd, each address moves from a large association to another one. If an address is declared several times in one
/// association, the declarations after its release count. The time is proportional to the number of addresses.
#[test]
fn addresses_leave_a_large_association_one_by_one() {
    const ADDRESSES: u16 = 40_000;
    let held = |number: u16, state: &str| {
        format!("  iaaddr fd00::{number:x} {{ binding state {state}; max-life 9; ends never; }}\n")
    };
    let id = |number: u16| {
        let [high, low] = number.to_be_bytes();
        format!("ia-na \"\\001\\000\\000\\000\\{high:03o}\\{low:03o}\" {{\n")
    };
    let mut text = String::from("authoring-byte-order little-endian;\n") + &id(0);
    for number in 1..=ADDRESSES {
        text += &[held(number, "active"), held(number, "free"), held(number, "active")].concat();
    }
    text += &(held(1, "free") + "}\n");
    for number in 2..ADDRESSES {
        text += &(id(number) + &held(number, "active") + "}\n");
    }
    let mut options = options(View::Dhcpd);
    options.family = Some(Family::V6);
    let reading = read_bytes(text.as_bytes(), &options);
    let addresses: Vec<u16> = reading
        .ia_table
        .iter()
        .flat_map(|ia| ia.addresses.iter().map(|held| held.address.segments()[7]))
        .collect();
    assert_eq!(addresses[0], ADDRESSES);
    assert_eq!(addresses[1..], (2..ADDRESSES).collect::<Vec<_>>());
}

#[test]
fn files_of_2_gib_are_refused_as_by_dhcpd() {
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    file.as_file().set_len(1 << 31).expect("sparse files");
    let reading = read_file(file.path(), &options(View::Dhcpd)).expect("opened");
    assert_eq!(reading.verdict, Verdict::Refuses);
    assert_eq!(reading.diagnostics.total(), 1);
}

#[test]
fn an_empty_file_is_an_empty_database() {
    for view in VIEWS {
        let reading = read_bytes(b"", &options(view));
        assert_eq!((reading.verdict, leases(&reading).len()), (Verdict::Clean, 0));
    }
}

#[test]
fn a_date_before_1970_makes_the_rewrite_fail() {
    let file = b"lease 10.0.0.1 {\n  starts 4 1969/01/01 00:00:00;\n  ends never;\n  \
                 binding state active;\n  hardware ethernet 02:00:00:00:00:01;\n}\n";
    let reading = read_bytes(file, &options(View::Dhcpd));
    assert_eq!(reading.verdict, Verdict::RewriteFails);
    let mut out = Vec::new();
    reading.write_json(&mut out).expect("memory does not fail");
    let json: serde_json::Value = serde_json::from_slice(&out).expect("JSON");
    assert!(json["leases"].is_null() && json["ias"].is_null());
}

/// The verdicts were recorded from dhcpd 4.4.3-P1. None of these statements loses the lease, but some cause a warning.
#[test]
fn server_parameters_and_unusual_agent_option_codes_do_not_lose_the_lease() {
    let record = |statement: &str| {
        format!(
            "authoring-byte-order little-endian;\nlease 10.20.1.2 {{\n  ends never;\n  binding state active;\n  \
             hardware ethernet 02:00:00:00:00:02;\n  {statement}\n}}\nlease 10.20.1.3 {{\n  ends never;\n  binding \
             state active;\n  hardware ethernet 02:00:00:00:00:03;\n}}\n"
        )
    };
    for (statement, verdict, agent) in [
        ("on expiry { max-lease-time 5; }", Verdict::Clean, "{}"),
        ("on expiry { max-lease-time five; }", Verdict::Warns, "{}"),
        ("on release { default-lease-time 100; set a = \"b\"; }", Verdict::Clean, "{}"),
        ("on expiry { server-name \"x\"; }", Verdict::Clean, "{}"),
        ("on expiry { ping-check true; }", Verdict::Clean, "{}"),
        ("on expiry { ping-check maybe; }", Verdict::Warns, "{}"),
        ("on expiry { next-server 1.2.3.4; }", Verdict::Clean, "{}"),
        ("option agent.unknown-254 \"a\";", Verdict::Clean, "{\"unknown-254\": \"61\"}"),
        ("option agent.unknown-255 \"a\";", Verdict::Clean, "{}"),
        ("option agent.unknown-300 01:02;", Verdict::Clean, "{}"),
        ("option agent.unknown-0 \"a\";", Verdict::Warns, "{}"),
        ("option agent.unknown-x \"a\";", Verdict::Warns, "{}"),
        (
            "option agent.DOCSIS-device-class 0x10;",
            Verdict::Clean,
            "{\"DOCSIS-device-class\": \"00000010\"}",
        ),
    ] {
        let reading = read_bytes(record(statement).as_bytes(), &options(View::Dhcpd));
        let kept = leases(&reading);
        assert_eq!(kept.len(), 2, "{statement}: {kept:?}");
        assert_eq!(reading.verdict, verdict, "{statement}");
        assert!(kept[0].contains(&format!("\"agent\": {agent}")), "{statement}: {kept:?}");
    }
}
