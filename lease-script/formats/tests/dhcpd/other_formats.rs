//! Tests of the readers for odhcpd, bootpd and libvirt, and of the times in dnsmasq's file.

use lease_formats::dhcpd::{BindingState, Date, Family, IaKind};
use lease_formats::exchange::dnsmasq::{self, Times};
use lease_formats::exchange::{
    Detected, Format, Losses, bootpd, detect_format, kea, libvirt, odhcpd,
};
use lease_formats::hex;
use proptest::prelude::*;

#[test]
fn odhcpd_lists_a_lease_in_each_comment() {
    let text = "2001:db8::6f9\tlaptop.lan\tlaptop\n\
        # br-lan 000100012d08fb4602005e002317 1a2c6dc1 laptop 1913258035 6f9 128 2001:db8::6f9/128 fd00::6f9/128\n\
        # br-lan 0003000602005e0094e4 12345678 - -1 10 62 2001:db8:0:10::/62\n\
        # br-lan 02005e000001 ipv4 broken\\x20phone 1913258215 0 32 192.0.2.77/32\n\
        # br-lan 02005e000002 ipv4 - 0 0 32 192.0.2.78/32\n\
        # br-lan zz ipv4 - 0 0 32 192.0.2.79/32\n";
    let read = odhcpd::read(text.as_bytes()).expect("memory");
    assert_eq!(read.problems.iter().map(|problem| problem.line).collect::<Vec<_>>(), [6]);
    let [phone, ended] = &read.database.leases[..] else { panic!("{:?}", read.database) };
    assert_eq!(phone.hostname.as_deref(), Some(&b"phone"[..]));
    assert_eq!(
        phone.hardware.as_ref().map(ToString::to_string).as_deref(),
        Some("ethernet 02:00:5e:00:00:01")
    );
    assert_eq!((phone.state, phone.ends), (BindingState::Active, Date(1_913_258_215)));
    assert_eq!((ended.state, ended.ends), (BindingState::Expired, Date::ABSENT));
    let [one, two, prefix] = &read.database.bindings[..] else { panic!("{:?}", read.database) };
    assert_eq!((one.iaid, two.iaid, prefix.iaid), (0x1a2c_6dc1, 0x1a2c_6dc1, 0x1234_5678));
    assert_eq!((prefix.kind, prefix.held.prefix_length), (IaKind::Prefix, 62));
    assert!(prefix.held.ends.is_never());
    let further = &read.database.further;
    assert_eq!(further.get(phone.address.into(), "odhcpd.interface"), Some(&b"br-lan"[..]));
    assert!(further.get(phone.address.into(), "odhcpd.broken_hostname").is_some());
}

/// The text is as `statefiles_write_state4` and `statefiles_escape_hostname` of its statefiles.c write it.
#[test]
fn odhcpd_of_2026_writes_colons_and_escapes_names() {
    let text = "# br-lan 2:0:5e:0:0:1 ipv4 broken\\x20my\\x20pc\\x 1913258215 c000024d 32 192.0.2.77/32\n\
        # br-lan 0003000602005e0094e4 12345678 - -1 10 62\n";
    assert_eq!(detect_format(text.as_bytes()), Detected::Known(Format::Odhcpd));
    let read = odhcpd::read(text.as_bytes()).expect("memory");
    let [lease] = &read.database.leases[..] else { panic!("{:?}", read.database) };
    assert_eq!(lease.hostname.as_deref(), Some(&b"my pc\\x"[..]));
    let hardware = lease.hardware.as_ref().map(ToString::to_string);
    assert_eq!(hardware.as_deref(), Some("ethernet 02:00:5e:00:00:01"));
    // A prefix that is not currently delegated has no address.
    assert_eq!((read.left_out, read.problems[0].line), (1, 2));
}

/// Release 2.92 adds lines after the leases.
#[test]
fn dnsmasq_keeps_relay_information_and_vendor_classes() {
    let text = "1913258215 02:00:00:00:00:01 192.0.2.1 pc *\n1913258215 02:00:00:00:00:02 192.0.2.2 * *\n\
        agent-info 192.0.2.1 01:02:0a\nvendorclass 192.0.2.1 61:62\n";
    let read = dnsmasq::read(text.as_bytes(), Times::Absolute).expect("memory");
    assert!(read.problems.is_empty(), "{:?}", read.problems);
    let mut losses = Losses::default();
    let written = dnsmasq::write(&read.database, 0, &mut losses);
    assert_eq!((String::from_utf8_lossy(&written), losses.total()), (text.into(), 0));
    read.database.to_dhcpd(Family::V4, &mut losses);
    assert!(losses.to_string().contains("192.0.2.1: dnsmasq.agent-info"), "{losses}");
    let text = "vendorclass 192.0.2.1\nagent-info x 01\nagent-info 192.0.2.1 zz\n";
    let read = dnsmasq::read(text.as_bytes(), Times::Absolute).expect("memory");
    assert_eq!(read.left_out, 3);
}

/// Unlike journals, these files have one record for each address.
#[test]
fn different_leases_of_an_address_are_counted() {
    let line = |name: &str| format!("1913258215 02:00:00:00:00:01 192.0.2.1 {name} *\n");
    let read = |text: &str| dnsmasq::read(text.as_bytes(), Times::Absolute).expect("memory");
    assert_eq!(read(&line("a").repeat(2)).left_out, 0);
    let read = read(&[line("a"), line("b"), line("b")].concat());
    assert_eq!((read.left_out, read.database.leases.len()), (1, 1));
    assert!(read.notes[0].contains("different leases of 192.0.2.1:"), "{:?}", read.notes);
}

/// Kea derives the start from the lifetime.
#[test]
fn a_lifetime_that_does_not_fit_into_a_memfile_is_counted() {
    let mut read =
        dnsmasq::read(&b"9999999999 02:00:00:00:00:08 10.20.1.8 * *\n"[..], Times::Absolute)
            .expect("memory");
    read.database.leases[0].starts = Date(1);
    let mut losses = Losses::default();
    kea::write(&read.database, Family::V4, 1, 0, &mut losses);
    assert_eq!(losses.to_string(), "10.20.1.8: its start: Kea's lifetimes have 32 bits\n");
}

#[test]
fn bootpd_lists_a_lease_in_each_block() {
    let text = "{\n\tname=phone\n\tip_address=192.168.2.2\n\thw_address=1,2:0:5e:0:0:1\n\tidentifier=1,2:0:5e:0:0:1\n\
        \tlease=0x6903c794\n}\n{\n\tip_address=192.168.2.3\n\thw_address=ff,f1:f5:dd:7f:0:2:0:0:ab:11:4e:82:c4:9c:66:b1:7:61:2b:2c:3\n\
        \tidentifier=ff,f1:f5\n\tlease=0x6903c794\n\tcolour=blue\n}\n{\n\tip_address=192.168.2.2\n\tlease=0x1\n";
    let read = bootpd::read(text.as_bytes()).expect("memory");
    assert_eq!(read.problems.iter().map(|problem| problem.line).collect::<Vec<_>>(), [15]);
    let [phone, other] = &read.database.leases[..] else { panic!("{:?}", read.database) };
    assert_eq!((phone.ends, phone.uid.len()), (Date(0x6903_c794), 0));
    assert_eq!(phone.hostname.as_deref(), Some(&b"phone"[..]));
    assert_eq!((other.hardware.as_ref(), &other.uid[..]), (None, &b"\xff\xf1\xf5"[..]));
    let further = &read.database.further;
    assert_eq!(further.get(other.address.into(), "bootpd.colour"), Some(&b"blue"[..]));
}

#[test]
fn libvirt_lists_a_lease_in_each_object() {
    let text = r#"[
      {"ip-address": "192.0.2.133", "mac-address": "52:54:00:5e:00:b7", "hostname": "vm", "client-id": "01:02",
       "expiry-time": 2200000000},
      {"ip-address": "fd00::1", "iaid": "5", "client-id": "00:01:02", "server-duid": "00:01", "expiry-time": 0,
       "interface": "virbr0"},
      {"ip-address": "x"},
      {"ip-address": "192.0.2.2", "hostname": 5}
    ]"#;
    let read = libvirt::read(text.as_bytes()).expect("memory");
    assert_eq!((read.total, read.left_out), (2, 2));
    let [lease] = &read.database.leases[..] else { panic!("{:?}", read.database) };
    assert_eq!((lease.ends, &lease.uid[..]), (Date(2_200_000_000), &[1, 2][..]));
    let [binding] = &read.database.bindings[..] else { panic!("{:?}", read.database) };
    assert_eq!((binding.iaid, binding.held.ends), (5, Date::NEVER));
    assert_eq!(read.database.server_duid.as_deref(), Some(&[0, 1][..]));
    assert_eq!(read.database.further.iter().count(), 1);
    let torn = libvirt::read(&text.as_bytes()[..100]).expect("memory");
    assert_eq!((torn.problems.len(), torn.database.leases.len()), (1, 0));
}

#[test]
fn dnsmasq_has_times_of_any_length_and_lengths() {
    let text = "9999999999 02:00:00:00:00:08 10.20.1.8 * *\n";
    let read = dnsmasq::read(text.as_bytes(), Times::Detect(1_795_136_400)).expect("memory");
    assert_eq!(read.database.leases[0].ends, Date(9_999_999_999));
    assert_eq!(dnsmasq::write(&read.database, 0, &mut Losses::default()), text.as_bytes());
    let lengths = "3600 02:00:00:00:00:08 10.20.1.8 * *\n0 02:00:00:00:00:09 10.20.1.9 * *\n";
    let read = dnsmasq::read(lengths.as_bytes(), Times::Detect(1_795_136_400)).expect("memory");
    assert_eq!(read.database.leases[0].ends, Date(1_795_140_000));
    assert!(read.database.leases[1].ends.is_never());
    assert!(read.notes[0].contains("HAVE_BROKEN_RTC"), "{:?}", read.notes);
    let read = dnsmasq::read(lengths.as_bytes(), Times::Absolute).expect("memory");
    assert_eq!(dnsmasq::write(&read.database, 0, &mut Losses::default()), lengths.as_bytes());
}

proptest! {
    #[test]
    fn any_text_is_read_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        odhcpd::read(&[b"# lan 00 ipv4 - ", &bytes[..]].concat()[..]).expect("memory");
        bootpd::read(&[b"{\nip_address=10.0.0.1\n", &bytes[..], b"\n}\n"].concat()[..]).expect("memory");
        libvirt::read(&[b"[{\"ip-address\": \"10.0.0.1\",", &bytes[..]].concat()[..]).expect("memory");
        hex::decode(&bytes);
    }
}
