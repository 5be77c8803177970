//! Fuzz test with journals in which bytes were changed, removed, inserted or copied. A change to one lease must not lose
//! another lease that `init` printed, and must leave a journal without damage.

use std::ffi::OsStr;

use disk_model::{Disk, WriteOrdering};
use lease_script::{Call, Config, Environment, Outcome, journal};

const LIVE: &str = "dhcpd.leases";

fn call(disk: &mut Disk, words: &[&str]) -> Outcome {
    let environment: Environment = [("DNSMASQ_LEASE_EXPIRES", "1700003600")].into_iter().collect();
    let call = Call::new(words.iter().map(|word| word.as_bytes()), environment);
    let outcome = journal::run(&call, &Config::default(), OsStr::new(LIVE), disk, 1_700_000_000);
    disk.close_all();
    outcome
}

fn add(disk: &mut Disk, last: u8) -> Outcome {
    call(disk, &["add", &format!("02:aa:00:00:00:{last:02x}"), &format!("192.168.1.{last}"), "pc"])
}

fn lines(disk: &mut Disk) -> (Vec<String>, String) {
    let outcome = call(disk, &["init"]);
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    (text(&outcome.stdout).lines().map(str::to_owned).collect(), text(&outcome.stderr))
}

/// Returns an undamaged journal with records of dhcpd and of lease-update.
fn whole_journal() -> Vec<u8> {
    let foreign = "authoring-byte-order little-endian;\nserver-duid \"\\000\\001ab\";\nfailover peer \"a\" state {\n  my state \
                   normal at 4 2026/11/20 01:00:00;\n}\nhost printer {\n  dynamic;\n}\nlease 192.168.1.1 {\n  starts 2 2023/11/14 \
                   22:13:20;\n  ends 2 2033/11/14 23:13:20;\n  binding state active;\n  hardware ethernet \
                   02:aa:00:00:00:01;\n  uid \"\\001\\002\";\n  set a = \"b\";\n  on expiry {\n    set c = \"d\";\n  }\n}\n";
    let mut disk = Disk::new(WriteOrdering::Ordered);
    disk.create_synced(LIVE, foreign.as_bytes());
    for last in [2, 3, 2, 4] {
        assert_eq!(add(&mut disk, last).exit, 0);
    }
    disk.contents(OsStr::new(LIVE)).expect("a journal").to_vec()
}

/// Damages a text. Each change is described by four bytes of `changes`.
fn damaged(mut text: Vec<u8>, changes: &[u8]) -> Vec<u8> {
    for change in changes.as_chunks::<4>().0.iter().take(12) {
        let [action, high, low, value] = change.map(usize::from);
        let at = (high << 8 | low) % text.len().max(1);
        let end = text.len().min(at + value % 64);
        match action % 6 {
            0 if at < text.len() => text[at] = value as u8,
            1 => drop(text.drain(at..end)),
            2 => text.insert(at, value as u8),
            3 => text.truncate(text.len() - value % 8),
            4 => text[at..end].fill(if value % 2 == 0 { 0 } else { 0xff }),
            _ => {
                let copy = text[at..text.len().min(at + 4 * value)].to_vec();
                let to = (low << 8 | high) % text.len().max(1);
                text.splice(to..to, copy);
            }
        }
    }
    text
}

#[test]
fn fuzz_changes_of_damaged_journals() {
    let whole = whole_journal();
    fuzz_inputs::check!(300, |changes: &[u8]| {
        let text = damaged(whole.clone(), changes);
        let shown = text.escape_ascii().to_string();
        let mut disk = Disk::new(WriteOrdering::Ordered);
        disk.create_synced(LIVE, &text);
        let (mut wanted, _) = lines(&mut disk);
        let outcome = add(&mut disk, 200);
        let said = String::from_utf8_lossy(&outcome.stderr);
        assert!(!said.contains("would not be read back"), "{said}{shown}");
        let (found, stderr) = lines(&mut disk);
        if outcome.exit == 0 {
            wanted.push("1700003600 02:aa:00:00:00:c8 192.168.1.200 pc *".to_owned());
            assert!(!stderr.contains("damaged:"), "{stderr}{shown}");
        }
        wanted.sort();
        wanted.dedup();
        let sorted = |mut lines: Vec<String>| {
            lines.sort();
            lines
        };
        assert_eq!(sorted(found), wanted, "{shown}");
    });
}
