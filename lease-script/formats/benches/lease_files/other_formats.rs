//! Reads a memfile of Kea and a lease file of dnsmasq.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::hint::black_box;
use std::io::BufReader;
use std::path::Path;

use lease_formats::exchange::dnsmasq::{self, Times};
use lease_formats::exchange::kea::{Memfile, Release};

use super::{best, peers, report};

/// The number of rows of the memfile, which is a journal.
const ROWS: u32 = 1_000_000;

/// The number of addresses. Each is renewed several times in the memfile.
const ADDRESSES: u32 = 60_000;

const HEADER: &str = "address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state,user_context\n";

/// Returns the parts of a lease that both formats have: hardware address and address.
fn client(number: u32) -> (String, String) {
    let [_, a, b, c] = number.to_be_bytes();
    (format!("02:00:5e:{a:02x}:{b:02x}:{c:02x}"), format!("10.{a}.{b}.{c}"))
}

fn memfile() -> String {
    let mut text = HEADER.to_owned();
    for row in 0..ROWS {
        let (hardware, address) = client(row % ADDRESSES);
        let expire = 1_795_136_400 + row;
        let _ = writeln!(
            text,
            "{address},{hardware},01:{hardware},3600,{expire},7,0,0,host-{row}.example.org,0,"
        );
    }
    text
}

fn lease_file() -> String {
    let mut text = String::new();
    for line in 0..ADDRESSES {
        let (hardware, address) = client(line);
        let expire = 1_795_136_400 + line;
        let _ = writeln!(text, "{expire} {hardware} {address} host-{line} 01:{hardware}");
    }
    text
}

/// Reads both formats from files in a folder.
pub(super) fn run(folder: &Path) {
    let path = folder.join("kea-leases4.csv");
    let text = memfile();
    fs::write(&path, &text).expect("room");
    let bytes = text.len() as u64;
    let open = |path: &Path| {
        BufReader::with_capacity(256 * 1024, File::open(path).expect("the file is there"))
    };
    println!("a memfile of {bytes} bytes, {ROWS} rows of {ADDRESSES} addresses");
    let time = best(|| {
        let mut memfile = Memfile::new(Release::default(), None);
        memfile.load(open(&path)).expect("readable");
        assert_eq!(memfile.len(), ADDRESSES as usize);
        black_box(memfile);
    });
    report("memfile", bytes, time);
    let program = "import csv, sys\nfor row in csv.reader(open(sys.argv[1], newline='')): pass";
    if let Some(time) = peers::python(3, program, &path) {
        report("python csv", bytes, time);
    }
    let path = folder.join("dnsmasq.leases");
    let text = lease_file();
    fs::write(&path, &text).expect("room");
    let bytes = text.len() as u64;
    println!("a lease file of {bytes} bytes, {ADDRESSES} leases");
    let time = best(|| {
        let read = dnsmasq::read(open(&path), Times::Absolute).expect("readable");
        assert_eq!(read.database.leases.len(), ADDRESSES as usize);
        black_box(read);
    });
    report("lease file of dnsmasq", bytes, time);
}
