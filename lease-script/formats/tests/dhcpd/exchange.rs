//! Written databases of dnsmasq and Kea are read back, and no field breaks a line.

use std::net::Ipv4Addr;

use lease_formats::dhcpd::{
    BindingState, Date, Family, Hardware, Lease, Options, View, read_bytes,
};
use lease_formats::exchange::dnsmasq::Times;
use lease_formats::exchange::{Database, Detected, Format, Losses, detect_format, dnsmasq, kea};
use proptest::prelude::*;

const NOW: i64 = 1_795_136_400;

fn lease() -> impl Strategy<Value = Lease> {
    let name = prop_oneof![
        2 => Just(None),
        3 => prop::collection::vec(any::<u8>(), 1..20).prop_map(Some),
        3 => "[a-z,&#x ]{1,12}".prop_map(|name| Some(name.into_bytes())),
    ];
    (
        any::<u32>(),
        prop_oneof![Just(Date::NEVER), (1..100_000i64).prop_map(|after| Date(NOW + after))],
        prop::collection::vec(any::<u8>(), 6),
        prop::collection::vec(any::<u8>(), 0..9),
        name,
    )
        .prop_map(|(address, ends, bytes, uid, hostname)| {
            let mut lease = Lease::new(Ipv4Addr::from(address));
            lease.state = BindingState::Active;
            lease.next_state = Some(BindingState::Free);
            lease.rewind_state = Some(BindingState::Free);
            (lease.ends, lease.tstp) = (ends, ends);
            lease.hardware = Some(Hardware { kind: 1, bytes });
            (lease.uid, lease.hostname) = (uid, hostname);
            lease
        })
}

fn fits(name: &[u8]) -> bool {
    name != b"*" && !name.iter().any(|c| *c <= b' ' || *c == 127)
}

proptest! {
    #[test]
    fn dnsmasq_lines_are_read_back(lease in lease()) {
        let database = Database { leases: vec![lease.clone()], ..Database::default() };
        let mut losses = Losses::default();
        let out = dnsmasq::write(&database, NOW, &mut losses);
        prop_assert_eq!(out.iter().filter(|byte| **byte == b'\n').count(), 1);
        let read = dnsmasq::read(&out[..], Times::Absolute).expect("memory");
        prop_assert!(read.problems.is_empty(), "{:?}", read.problems);
        let mut wanted = lease;
        wanted.hostname = wanted.hostname.filter(|name| fits(name));
        prop_assert_eq!(&read.database.leases, &vec![wanted]);
    }

    #[test]
    fn kea_rows_are_read_back(mut lease in lease()) {
        (lease.starts, lease.cltt) = (Date(NOW), Date(NOW));
        let database = Database { leases: vec![lease.clone()], ..Database::default() };
        let mut losses = Losses::default();
        let out = kea::write(&database, Family::V4, 1, NOW, &mut losses);
        prop_assert_eq!(out.iter().filter(|byte| **byte == b'\n').count(), 2);
        let read = kea::read(&out[..]).expect("memory");
        prop_assert!(read.problems.is_empty(), "{:?}", read.problems);
        let mut wanted = lease;
        wanted.hostname =
            wanted.hostname.filter(|name| !name.iter().any(|c| matches!(c, b'\n' | b'\r' | 0)));
        if wanted.uid.len() == 1 {
            wanted.uid.clear();
        }
        prop_assert_eq!(&read.database.leases, &vec![wanted]);
    }

    #[test]
    fn leases_of_dnsmasq_can_be_written_for_dhcpd(lease in lease()) {
        let database = Database { leases: vec![lease.clone()], ..Database::default() };
        let mut losses = Losses::default();
        let out = database.to_dhcpd(Family::V4, &mut losses);
        let mut options = Options::new(View::Dhcpd, NOW);
        options.fast_path_from = 0;
        let reading = read_bytes(&out, &options);
        prop_assert!(reading.diagnostics.is_empty());
        // Leases that dhcpd could not read back are reported and not written.
        let kept = reading.table.get(lease.address);
        let named = lease.hostname.as_ref().is_some_and(|name| name.contains(&0));
        prop_assert!(kept == Some(lease) || kept.is_none() && named && !losses.is_empty());
    }

    #[test]
    fn any_bytes_are_read_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        detect_format(&bytes);
        dnsmasq::read(&bytes[..], Times::Absolute).expect("memory");
        kea::read(&bytes[..]).expect("memory");
        let header = b"address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,\
                       hostname,state,user_context\n10.0.0.1,02:00:00:00:00:01,";
        kea::read(&[&header[..], &bytes].concat()[..]).expect("memory");
        dnsmasq::read(&[b"1795136400 02:00:00:00:00:01 10.0.0.1 ", &bytes[..]].concat()[..], Times::Absolute)
            .expect("memory");
    }
}

#[test]
fn overlong_lines_are_skipped() {
    let mut text = vec![b'x'; 3_000_000];
    text.extend_from_slice(b"\n0 02:00:00:00:00:08 10.20.1.8 * *\n");
    let read = dnsmasq::read(&text[..], Times::Absolute).expect("memory");
    assert_eq!((read.database.leases.len(), read.problems.len()), (1, 1));
}

#[test]
fn formats_are_detected_by_their_first_bytes() {
    for (text, format) in [
        (&b""[..], Format::Dhcpd),
        (b" \n\n", Format::Dhcpd),
        (b"# comment\nlease 10.0.0.1 {", Format::Dhcpd),
        (b"lease 10.0.0.1 {\n}", Format::Dhcpd),
        (b"lease 10 . 0 . 0 . 1 {\n}", Format::Dhcpd),
        (b"\xff\xff\0\0}\nlease 10.0.0.1 {\n}", Format::Dhcpd),
        (b"# This lease file was written by isc-dhcp-V3.0.5\n", Format::Dhcpd),
        (b"\xef\xbb\xbflease 10.0.0.1 {", Format::Dhcpd),
        (b"server-duid \"abc\";", Format::Dhcpd),
        (b"host printer {\n  dynamic;\n}", Format::Dhcpd),
        (b"ia-na \"abcdefgh\" {", Format::Dhcpd),
        (b"0 02:00:00:00:00:08 10.20.1.8 * *\n", Format::Dnsmasq),
        (b"damaged\n0 02:00:00:00:00:08 10.20.1.8 * *\n", Format::Dnsmasq),
        (b"duid 00:01:02:03\n", Format::Dnsmasq),
        (b"1795136400 16777217 fd00::1 host 00:01", Format::Dnsmasq),
        (b"address,hwaddr,client_id", Format::KeaCsv),
        (b"address,duid,valid_lifetime", Format::KeaCsv),
        (b"{\n\"verdict\": \"clean\"", Format::Json),
        (b"[\n  {\n    \"ip-address\": \"192.0.2.1\"", Format::Libvirt),
        (b"[]\n", Format::Libvirt),
        (b"{\n\tname=a\n\tip_address=192.168.2.2", Format::Bootpd),
        (b"# br-lan 0001 ipv4 - 1795136400 0 32 10.0.0.1/32", Format::Odhcpd),
        (b"# br-lan 2:0:5e:0:0:1 ipv4 - 1795136400 0 32 10.0.0.1/32", Format::Odhcpd),
        (b"[{\"iaid\": \"5\", \"ip-address\": \"fd00::1\"}]", Format::Libvirt),
        (b"fd00::1\tx.lan\tx\n# lan 0001aa 1a2c x -1 6f9 128 fd00::1/128", Format::Odhcpd),
    ] {
        assert_eq!(detect_format(text), Detected::Known(format), "{}", text.escape_ascii());
    }
    for text in [
        &b"12345\n"[..],
        b"\xff\xff\xff\xff",
        b"\0\0\0\0",
        b"root:x:0:0:root:/root:/bin/bash\n",
        b"{\"name\": 1}",
        b"[1, 2]",
        b"[{\"arguments\": {\"leases\": [{\"ip-address\": \"192.0.2.1\"}]}}]",
        b"address,name,city\n",
        b"a,b,c\n",
        b"#!/bin/sh\necho lease\n",
        b"127.0.0.1 localhost\n",
        b"lease {\n  interface \"eth0\";\n  fixed-address 10.0.0.1;\n}\n",
        b"# This is private data. Do not parse.\nADDRESS=10.0.0.1\n",
    ] {
        assert!(matches!(detect_format(text), Detected::Unknown(_)), "{}", text.escape_ascii());
    }
}

#[test]
fn a_row_of_kea_with_lifetime_0_removes_the_lease() {
    let text = b"address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state,\
                 user_context\n10.0.0.1,02:00:00:00:00:01,,3600,1795140000,1,0,0,,0,\n\
                 10.0.0.2,02:00:00:00:00:02,,3600,1795140000,1,0,0,a&#x2cb,0,\n\
                 10.0.0.1,02:00:00:00:00:01,,0,1795136400,1,0,0,,0,\n";
    let read = kea::read(&text[..]).expect("memory");
    let [lease] = &read.database.leases[..] else { panic!("{:?}", read.database) };
    assert_eq!(lease.hostname.as_deref(), Some(&b"a,b"[..]));
}
