//! Measures the speed of reading lease databases: a 100 MB journal of dhcpd, compared with byte searches, a memfile of Kea,
//! and a lease file of dnsmasq.
//!
//! The journal is a recording with 15,000 leases that is repeated with other addresses, hardware addresses, identifiers and
//! dates. Each number is the best of several runs from the page cache, and includes building the table of leases. Times are
//! CPU times divided by the number of threads. Other programs read the same files if they are installed: `dhcpd-pools`, the
//! Python module `isc_dhcp_leases`, and Python's `csv`. Run it with `cargo bench -p lease-formats --bench lease_files [--
//! FILE]`.

mod other_formats;
mod peers;

use std::fmt::Write as _;
use std::fs;
use std::hint::black_box;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use lease_formats::dhcpd::{Options, View, read_file};
use lzma_rust2::XzReader;
use rustix::time::{ClockId, clock_gettime};

/// The size of the journal in bytes.
const SIZE: usize = 100_000_000;

/// The number of runs of each reader.
const RUNS: usize = 5;

/// Writes repeated copies of the recorded journal, each in its own network.
fn make(path: &Path) {
    let packed = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/dhcpd-journals/big/dhcpd.leases.journal.xz");
    let mut journal = Vec::new();
    let packed = fs::read(packed).expect("the recording is there");
    XzReader::new(&packed[..], true).read_to_end(&mut journal).expect("the recording is whole");
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

/// Returns the CPU time of all threads of this process.
fn spent() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

fn best(run: impl Fn()) -> Duration {
    (0..RUNS)
        .map(|_| {
            let start = spent();
            run();
            spent().saturating_sub(start)
        })
        .min()
        .expect("at least one run")
}

/// Returns the CPU time of `dhcpd-pools`, if it is installed.
fn pools(journal: &Path, folder: &Path) -> Option<Duration> {
    let conf = folder.join("dhcpd.conf");
    let mut networks = String::new();
    for net in 20..60 {
        let _ = writeln!(
            networks,
            "subnet 10.{net}.0.0 netmask 255.255.0.0 {{ range 10.{net}.1.0 10.{net}.79.255; }}"
        );
    }
    fs::write(&conf, networks).expect("room");
    peers::best_of(RUNS, || {
        let mut command = Command::new("dhcpd-pools");
        command.args(["-c".as_ref(), conf.as_os_str(), "-l".as_ref(), journal.as_os_str()]);
        command
    })
}

/// Returns the peak memory use of this process.
fn peak_memory() -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.unwrap_or("unknown").trim().to_owned()
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
    // Reset the peak memory use, so that only the memory of the reader counts.
    let _ = fs::write("/proc/self/clear_refs", "5");
    match pools(&path, folder.path()) {
        Some(time) => report("dhcpd-pools", bytes, time),
        None => println!("dhcpd-pools is not installed"),
    }
    let program = "import sys, isc_dhcp_leases; isc_dhcp_leases.IscDhcpLeases(sys.argv[1]).get()";
    match peers::python(1, program, &path) {
        Some(time) => report("python isc_dhcp_leases, one run", bytes, time),
        None => println!("the Python module isc_dhcp_leases is not installed"),
    }
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
    let mut options = Options::new(View::Text, 978_307_200);
    options.fast_path_from = u64::MAX;
    let time = best(|| {
        black_box(read_file(&path, &options).expect("readable"));
    });
    report("Text, without the fast path", bytes, time);
    for view in [View::Text, View::Salvage, View::Dhcpd] {
        for threads in [1, 2] {
            let mut options = Options::new(view, 978_307_200);
            options.threads = threads;
            let reading = read_file(&path, &options).expect("readable");
            let name = format!("{view:?}, {threads} thread(s)");
            let time = best(|| {
                black_box(read_file(&path, &options).expect("readable"));
            });
            // CPU time divided by the number of threads.
            report(&name, bytes, time / threads as u32);
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
    other_formats::run(folder.path());
    println!("peak memory use of this process: {}", peak_memory());
}
