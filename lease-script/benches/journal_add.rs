//! The time of `lease-update add` with 10 and with 10,000 leases in the journal, alternately, in one run:
//! `cargo bench -p lease-script --bench journal_add`. Fails if the ratio of the medians is above 2.

use std::fs;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// Calls per journal.
const CALLS: usize = 201;

struct Journal {
    folder: TempDir,
    times: Vec<Duration>,
}

impl Journal {
    fn new(leases: u32) -> Self {
        let memory = std::path::Path::new("/dev/shm");
        let parent = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        let folder = tempfile::tempdir_in(parent).expect("a folder");
        let record = |number: u32| {
            let [_, a, b, c] = number.to_be_bytes();
            format!(
                "lease 10.{a}.{b}.{c} {{\n  starts 2 2023/11/14 22:13:20;\n  ends 2 2023/11/14 23:13:20;\n  binding state \
                 active;\n  hardware ethernet 02:aa:00:{a:02x}:{b:02x}:{c:02x};\n  client-hostname \"host-{number}\";\n}}\n"
            )
        };
        let text: String = (0..leases).map(record).collect();
        fs::write(folder.path().join("dhcpd.leases"), text).expect("space");
        Self { folder, times: Vec::new() }
    }

    fn add(&mut self, ends: usize) {
        let path = self.folder.path();
        let mut add = Command::new(env!("CARGO_BIN_EXE_lease-update"));
        add.args(["add", "02:aa:00:00:00:07", "10.0.0.7", "pc"])
            .env("LEASE_STORE", format!("journal:{}", path.join("dhcpd.leases").display()))
            .env("LEASE_RUN", path)
            .env("LEASE_REWRITE_SIZE", "0")
            .env("DNSMASQ_LEASE_EXPIRES", (1_700_000_000 + ends).to_string());
        let before = Instant::now();
        let status = add.status().expect("lease-update starts");
        self.times.push(before.elapsed());
        assert!(status.success());
    }

    fn median(&mut self) -> Duration {
        self.times.sort();
        self.times[self.times.len() / 2]
    }
}

fn main() -> ExitCode {
    let mut journals = [10, 10_000].map(Journal::new);
    for call in 0..CALLS {
        for journal in &mut journals {
            journal.add(call);
        }
    }
    let first = journals[1].times[0];
    let [few, many] = journals.each_mut().map(Journal::median);
    let ratio = many.as_secs_f64() / few.as_secs_f64();
    println!("add with     10 leases: {few:?}");
    println!("add with 10,000 leases: {many:?} (the first one, which makes the index: {first:?})");
    println!("ratio: {ratio:.2}");
    if ratio <= 2.0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
