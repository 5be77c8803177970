//! Fuzz targets: the reader of dhcpd.leases in all views, the readers of other lease files, and conversions.

use lease_formats::dhcpd::{Family, Options, Reading, View, ia_to_json, lease_to_json, read_bytes};
use lease_formats::exchange::dnsmasq::Times;
use lease_formats::exchange::{
    Database, Losses, bootpd, detect_format, dnsmasq, kea, libvirt, odhcpd,
};

/// Pieces of journals, with which random input gets past the first word.
const PIECES: [&[u8]; 43] = [
    b"lease 10.0.0.1 {\n",
    b"lease 10.0.0.2 {",
    b"}\n",
    b"{",
    b"}",
    b";",
    b"  starts 4 2024/01/04 10:00:00;\n",
    b"  ends never;\n",
    b"  ends epoch 1704362400;\n",
    b"  binding state active;\n",
    b"  binding state ",
    b"free",
    b"  hardware ethernet 02:aa:00:00:00:01;\n",
    b"  uid \"\\001\\002\\252\";\n",
    b"  client-hostname \"pc\";\n",
    b"\"",
    b"\\",
    b"on expiry { if 1 = 1 { ",
    b"set x = \"y\";",
    b"server-duid \"\\000\\001\";\n",
    b"ia-na \"\\001\\000\\000\\000\\001\" {\n",
    b"iaaddr fd00::1 {\n",
    b"iaprefix fd00::/56 {\n",
    b"preferred-life 10;\n",
    b"failover peer \"a\" state {\n",
    b"host x {\n",
    b"dynamic;\n",
    b"deleted;\n",
    b"# comment\n",
    b"/* ",
    b"//",
    b"authoring-byte-order little-endian;\n",
    b"abandoned",
    b"1970/01/01",
    b"\xff\xfe",
    b"\0",
    b"class \"c\" {\n",
    b"group g {\n",
    b"subclass \"c\" 1:2;\n",
    b"billing subclass \"c\" 1:2;\n",
    b"billing class \"c\";\n",
    b"my state normal;\n",
    b"ia_pd \"\\001\\000\\000\\000\\001\\002\" {\n",
];

fn journal(bytes: &[u8]) -> Vec<u8> {
    let piece = |byte: &u8| match PIECES.get(usize::from(*byte) % 64) {
        Some(piece) => piece.to_vec(),
        None => vec![*byte],
    };
    bytes.iter().flat_map(piece).collect()
}

/// Both paths read byte 0xFF at the end of a file, where it changes nothing, and before more text, which is lost.
#[test]
fn both_paths_agree_on_byte_0xff() {
    for text in [&b"\xff"[..], b"\n\xff", b"\xff\n", b"lease 10.0.0.1 {\n\xff", b"\xff\xff"] {
        agree_on(text);
    }
}

#[test]
fn fuzz_the_journal_reader() {
    fuzz_inputs::check!(250, |bytes: &[u8]| agree_on(&journal(bytes)));
}

/// Checks that the fast path does not change the result.
fn agree_on(journal: &[u8]) {
    for view in [View::Text, View::Salvage, View::Dhcpd] {
        let mut options = Options::new(view, 1_704_362_400);
        let plain = read_bytes(journal, &options);
        options.fast_path_from = 0;
        let short = read_bytes(journal, &options);
        let mut texts = [Vec::new(), Vec::new()];
        plain.write_json(&mut texts[0]).expect("memory does not fail");
        short.write_json(&mut texts[1]).expect("memory does not fail");
        assert_eq!(texts[0], texts[1], "{view:?}: {}", journal.escape_ascii());
        assert!(plain.leases().count() <= journal.len());
    }
}

/// Returns the declarations of a reading as text.
fn declarations(reading: &Reading) -> Vec<String> {
    let lease = |lease| format!("{} {:?}", lease_to_json(&lease), (lease.billing, lease.on_expiry));
    let other = |other: &lease_formats::dhcpd::NonLease| other.text.escape_ascii().to_string();
    let mut all: Vec<String> = match reading.family {
        Family::V4 => reading.leases().map(lease).collect(),
        Family::V6 => reading.ias().map(ia_to_json).collect(),
    };
    all.extend(reading.non_leases.iter().map(other));
    all.sort();
    all
}

/// Inputs that a coverage-guided fuzzer found.
#[test]
fn inputs_found_by_fuzzing_keep_the_properties() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/fuzz");
    let mut inputs = 0;
    for entry in std::fs::read_dir(folder).expect("recorded") {
        let bytes = std::fs::read(entry.expect("readable").path()).expect("readable");
        for journal in [journal(&bytes), bytes] {
            agree_on(&journal);
            convert(&journal);
        }
        inputs += 1;
    }
    assert_eq!(inputs, 19);
}

#[test]
fn fuzz_the_conversions() {
    fuzz_inputs::check!(250, |bytes: &[u8]| convert(&journal(bytes)));
}

/// Checks that what is written after a salvage is read again without a problem.
fn convert(journal: &[u8]) {
    for family in [Family::V4, Family::V6] {
        let mut options = Options::new(View::Salvage, 1_704_362_400);
        options.family = Some(family);
        let reading = read_bytes(journal, &options);
        let database = Database::from_dhcpd(&reading);
        let mut losses = Losses::default();
        let written = database.to_dhcpd(family, &mut losses);
        let again = read_bytes(&written, &options);
        let shown = || format!("{}\n{}", journal.escape_ascii(), written.escape_ascii());
        assert!(again.diagnostics.is_empty(), "{:?} {}", again.diagnostics.iter().next(), shown());
        let (first, second) = (declarations(&reading), declarations(&again));
        assert!(second.iter().all(|one| first.contains(one)), "{first:?}\n{second:?}\n{}", shown());
        assert!(
            second.len() as u64 + losses.unwritten() >= first.len() as u64,
            "{first:?}\n{second:?}\n{}",
            shown()
        );
        write_as_other_formats(&database, family, journal);
    }
}

/// Checks that written lines of dnsmasq and rows of Kea are read again without a problem.
fn write_as_other_formats(database: &Database, family: Family, source: &[u8]) {
    let mut losses = Losses::default();
    let lines = dnsmasq::write(database, 0, &mut losses);
    let read = dnsmasq::read(&lines[..], Times::Absolute).expect("memory does not fail");
    assert!(read.problems.is_empty(), "{:?} {}", read.problems, source.escape_ascii());
    let rows = kea::write(database, family, 1, 0, &mut losses);
    let read = kea::read(&rows[..]).expect("memory does not fail");
    assert!(read.problems.is_empty(), "{:?} {}", read.problems, source.escape_ascii());
}

/// Pieces of lease files of dnsmasq, Kea, odhcpd, bootpd and libvirt.
const OTHER_PIECES: [&[u8]; 45] = [
    b"1795140000",
    b"0",
    b"-1",
    b" ",
    b"\n",
    b",",
    b"=",
    b"*",
    b"02:aa:00:00:00:01",
    b"10.0.0.1",
    b"fd00::1",
    b"fd00::/56",
    b"pc",
    b"01:02",
    b"duid 00:01:00:01\n",
    b"T5 ",
    b"address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state,user_context,pool_id\n",
    b"address,duid,valid_lifetime,expire,subnet_id,pref_lifetime,lease_type,iaid,prefix_len,fqdn_fwd,fqdn_rev,hostname,hwaddr,state,user_context,hwtype,hwaddr_source,pool_id\n",
    b"10.0.0.1,02:aa:00:00:00:01,01:02,3600,1795140000,1,0,0,pc,0,,0\n",
    b"fd00::1,00:01:02,3600,1795140000,1,1800,0,5,128,0,0,pc,,0,,,,0\n",
    b"&#x2c",
    b"{ \"a\": 1 }",
    b"# br-lan ",
    b"000100012d08fb4602005e002317 ",
    b"02005e000001 ipv4 ",
    b"1a2c6dc1 ",
    b"6f9 128 ",
    b"/128",
    b"\\x20",
    b"{\n",
    b"}\n",
    b"\tname=",
    b"\tip_address=",
    b"\thw_address=1,2:0:5e:0:0:1\n",
    b"\tidentifier=ff,f1:f5\n",
    b"\tlease=0x6903c794\n",
    b"[{",
    b"}]",
    b"\"ip-address\": \"10.0.0.1\",",
    b"\"ip-address\": \"fd00::1\", \"iaid\": \"5\",",
    b"\"mac-address\": \"52:54:00:5e:00:b7\",",
    b"\"client-id\": \"01:02\",",
    b"\"hostname\": \"vm\",",
    b"\"expiry-time\": 2200000000",
    b"\xff",
];

/// Lease files of other programs are read without a panic, and what is read can be written in each format.
#[test]
fn fuzz_the_readers_of_other_lease_files() {
    fuzz_inputs::check!(400, |bytes: &[u8]| {
        let Some((format, bytes)) = bytes.split_first() else { return };
        let piece = |byte: &u8| match OTHER_PIECES.get(usize::from(*byte) % 128) {
            Some(piece) => piece.to_vec(),
            None => vec![*byte],
        };
        let text: Vec<u8> = bytes.iter().flat_map(piece).collect();
        detect_format(&text);
        let read = match format % 6 {
            0 => dnsmasq::read(&text[..], Times::Absolute),
            1 => dnsmasq::read(&text[..], Times::Detect(1_795_136_400)),
            2 => kea::read(&text[..]),
            3 => odhcpd::read(&text[..]),
            4 => bootpd::read(&text[..]),
            _ => libvirt::read(&text[..]),
        };
        let read = read.expect("memory does not fail");
        for family in [Family::V4, Family::V6] {
            let journal = read.database.to_dhcpd(family, &mut Losses::default());
            let mut options = Options::new(View::Salvage, 1_704_362_400);
            options.family = Some(family);
            let again = read_bytes(&journal, &options);
            let first = again.diagnostics.iter().next();
            assert!(
                first.is_none(),
                "{first:?} {}\n{}",
                text.escape_ascii(),
                journal.escape_ascii()
            );
            write_as_other_formats(&read.database, family, &text);
        }
    });
}
