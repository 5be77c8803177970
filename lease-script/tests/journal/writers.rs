//! Several writers at once, some of them killed.

use std::process::Child;

use rand::{RngExt as _, SeedableRng as _};
use rand_pcg::Pcg64Mcg;

use super::support::{JournalFolder, expect_success, line};

const ENDS: &str = "1700003600";

#[test]
fn concurrent_writers_lose_no_leases() {
    let folder = JournalFolder::new();
    expect_success(&mut folder.command(&["init"]));
    for round in 0..10u8 {
        let start = |last: u8| {
            let mut add = folder.add(last, ENDS);
            add.env("LEASE_REWRITE_SIZE", "400").spawn().expect("started")
        };
        let writers: Vec<Child> = (0..4).map(|at| start(10 + round * 4 + at)).collect();
        for mut writer in writers {
            assert!(writer.wait().expect("ended").success());
        }
    }
    let wanted: String = (10..50).map(|last| line(last, ENDS)).collect();
    assert_eq!(folder.init(), wanted);
}

/// After a writer is killed, all acknowledged leases are stored, and no others except the one being written.
#[test]
fn killed_writers_lose_no_acknowledged_lease() {
    let mut random = Pcg64Mcg::seed_from_u64(7);
    let folder = JournalFolder::new();
    expect_success(&mut folder.command(&["init"]));
    let mut acknowledged = 1_700_000_000u64;
    let mut killed = 0;
    for turn in 1..=120u64 {
        let ends = 1_700_000_000 + turn;
        let mut add = folder.add(11, &ends.to_string());
        let mut writer = add.env("LEASE_REWRITE_SIZE", "600").spawn().expect("started");
        for _ in 0..random.random_range(0..60_000u32) {
            std::hint::spin_loop();
        }
        let _ = writer.kill();
        let status = writer.wait().expect("ended");
        killed += u64::from(status.code().is_none());
        let found = folder.init();
        let choices = [acknowledged, ends].map(|ends| line(11, &ends.to_string()));
        if status.success() {
            assert_eq!(found, choices[1]);
        }
        if found == choices[1] {
            acknowledged = ends;
        } else {
            assert!(
                found == choices[0] || (acknowledged == 1_700_000_000 && found.is_empty()),
                "{found}"
            );
        }
    }
    assert!(killed > 0, "no writer was killed in time");
}
