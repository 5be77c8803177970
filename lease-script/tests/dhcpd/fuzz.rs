//! Fuzz target: any bytes to the reader of dhcpd.leases, in all its views. Longer with
//! `BOLERO_RANDOM_ITERATIONS=100000`.

use lease_script::dhcpd::{Options, View, read_bytes};

/// Pieces of journals, so that chance comes further than the first word.
const PIECES: [&[u8]; 36] = [
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
];

fn journal(bytes: &[u8]) -> Vec<u8> {
    let piece = |byte: &u8| match PIECES.get(usize::from(*byte) % 64) {
        Some(piece) => piece.to_vec(),
        None => vec![*byte],
    };
    bytes.iter().flat_map(piece).collect()
}

#[test]
fn fuzz_the_journal_reader() {
    bolero::check!().with_iterations(250).for_each(|bytes: &[u8]| {
        let journal = journal(bytes);
        for view in [View::Text, View::Careful, View::Dhcpd] {
            let mut options = Options::new(view, 1_704_362_400);
            let plain = read_bytes(&journal, &options);
            // The short cut for well-formed leases must not change what is read.
            options.short_cut_from = 0;
            let short = read_bytes(&journal, &options);
            let mut texts = [Vec::new(), Vec::new()];
            plain.write_json(&mut texts[0]).expect("memory does not fail");
            short.write_json(&mut texts[1]).expect("memory does not fail");
            assert_eq!(texts[0], texts[1], "{view:?}: {}", journal.escape_ascii());
            assert!(plain.leases().count() <= journal.len());
        }
    });
}
