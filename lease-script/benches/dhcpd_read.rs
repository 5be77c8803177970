//! How fast a lease journal of 100 MB is read, beside what bare byte searches cost.
//!
//! The journal is made of a real one (15 k leases) with its addresses, hardware addresses, identifiers
//! and dates renumbered. Best of several runs from the page cache, the table of leases built.
//! `cargo bench -p lease-script --bench dhcpd_read [-- FILE]`.

use std::fs;
use std::hint::black_box;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use lease_script::dhcpd::{Options, View, read_file};

/// Bytes of the made journal.
const SIZE: usize = 100_000_000;

/// Runs of each reader; the best one counts.
const RUNS: usize = 5;

/// Copies the real journal over and over, each copy in a network of its own.
fn make(path: &Path) {
    let packed = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/dhcpd-journals/big/dhcpd.leases.journal.xz");
    let mut journal = Vec::new();
    let packed = fs::read(packed).expect("the recording is there");
    lzma_rs::xz_decompress(&mut &packed[..], &mut journal).expect("the recording is whole");
    let mut out = Vec::with_capacity(SIZE);
    let mut copy = 0u8;
    while out.len() < SIZE {
        for line in journal.split_inclusive(|byte| *byte == b'\n') {
            let mut line = line.to_vec();
            if line.starts_with(b"lease 10.20.") {
                let rest = line.split_off(b"lease 10.20.".len());
                line = format!("lease 10.{}.", 20 + u32::from(copy)).into_bytes();
                line.extend_from_slice(&rest);
            } else if line.starts_with(b"  hardware ethernet 00:0c:01:") {
                line[26..28].copy_from_slice(format!("{:02x}", 1 + copy).as_bytes());
            } else if line.starts_with(b"  uid \"\\001\\000\\014\\001") {
                line[20..23].copy_from_slice(format!("{:03o}", 1 + copy).as_bytes());
            } else if copy > 0 && (line.starts_with(b"authoring") || line.starts_with(b"#")) {
                continue;
            }
            out.extend_from_slice(&line);
            if out.len() >= SIZE && line == b"}\n" {
                break;
            }
        }
        copy += 1;
    }
    fs::write(path, out).expect("room for the journal");
}

fn best(run: impl Fn()) -> Duration {
    (0..RUNS)
        .map(|_| {
            let start = Instant::now();
            run();
            start.elapsed()
        })
        .min()
        .expect("at least one run")
}

fn report(name: &str, bytes: u64, time: Duration) {
    let speed = bytes as f64 / 1e6 / time.as_secs_f64();
    println!("{name:<34} {speed:>8.0} MB/s  {:>7.1} ms", time.as_secs_f64() * 1e3);
}

fn main() {
    let given = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = given.map_or_else(
        || {
            let path = folder.path().join("dhcpd.leases");
            make(&path);
            path
        },
        PathBuf::from,
    );
    let bytes = fs::metadata(&path).expect("the journal is there").len();
    let text = fs::read(&path).expect("the journal is readable");
    println!("{} of {bytes} bytes", path.display());
    report(
        "memchr '}' in memory",
        bytes,
        best(|| {
            black_box(memchr::memchr_iter(b'}', &text).count());
        }),
    );
    report(
        "memchr '\\n' in memory",
        bytes,
        best(|| {
            black_box(memchr::memchr_iter(b'\n', &text).count());
        }),
    );
    drop(text);
    report(
        "read() alone",
        bytes,
        best(|| {
            let mut file = fs::File::open(&path).expect("the journal is there");
            let mut buffer = vec![0; 256 * 1024];
            while file.read(&mut buffer).expect("readable") > 0 {
                black_box(&buffer);
            }
        }),
    );
    for view in [View::Text, View::Careful, View::Dhcpd] {
        for threads in [1, 2] {
            let mut options = Options::new(view, 978_307_200);
            options.threads = threads;
            let reading = read_file(&path, &options).expect("readable");
            let name = format!("{view:?}, {threads} thread(s)");
            let time = best(|| {
                black_box(read_file(&path, &options).expect("readable"));
            });
            report(&name, bytes, time);
            if threads == 1 {
                println!(
                    "  {} declarations, {} addresses, {} diagnostics",
                    reading.counts.declarations,
                    reading.table.len(),
                    reading.diagnostics.total()
                );
            }
        }
    }
}
