//! What to look at first when a case fails, in words.

use backend::{CallEnd, NvramCommand};
use runner::{CallRecord, Evidence, Finding, FindingKind};
use scenario::Invariant;

const INTERRUPTED: &str = "an interrupted call must leave each lease as it was before or as it is after: write a record with one `nvram set`, and \
     commit once, after all of them; with a file, sync the new one before it replaces the old one";

/// The hint for a finding, if one is known.
pub(super) fn hint(finding: &Finding) -> Option<String> {
    let call = finding.evidence.call.as_deref();
    match finding.kind {
        FindingKind::Broken(Invariant::Durability) if returned_early(finding) => Some(
            "dnsmasq considers a call done when it returns 0, and makes the next one: `wait` for what the script has started \
             in the background, or start nothing there"
                .to_owned(),
        ),
        FindingKind::Broken(Invariant::NoRedundantWrites) => Some(redundant_write(call)),
        FindingKind::Broken(Invariant::Durability | Invariant::Agreement)
            if call.is_some_and(was_interrupted) =>
        {
            Some(INTERRUPTED.to_owned())
        }
        FindingKind::Broken(Invariant::Durability | Invariant::Agreement) => {
            let ignored = call.filter(|record| is_acknowledged(record)).and_then(ignored_failure);
            ignored
                .or_else(|| call.and_then(uncommitted))
                .or_else(|| difference(&finding.evidence))
        }
        FindingKind::Broken(Invariant::Atomicity)
            if finding.text.ends_with("changed other leases")
                || finding.text.ends_with("changed leases") =>
        {
            Some(
                "a call may change only the lease of its own address, and a call with an unknown action must change none: \
                 leave all other records unchanged and printable"
                    .to_owned(),
            )
        }
        FindingKind::Broken(Invariant::Atomicity) => Some(INTERRUPTED.to_owned()),
        FindingKind::Broken(Invariant::Parsability) => Some(start_up(finding)),
        FindingKind::Broken(Invariant::Neighbours) => Some(
            call.and_then(ignored_failure).unwrap_or_else(|| {
                "the variables of other programs must stay as they are: set and unset only names with a prefix of \
                 your own, and never set anything that does not fit"
                    .to_owned()
            }),
        ),
        FindingKind::Anomaly if timed_out(call) => Some(
            "the call did not end in time and was killed: a lock that an interrupted call left behind, or a command \
             that waits for input, is the usual reason (--timeout changes the limit)"
                .to_owned(),
        ),
        FindingKind::Mispredicted => Some(
            "the real dnsmasq and the model differ: this is about leaselab or this dnsmasq, not about the script"
                .to_owned(),
        ),
        FindingKind::Unmet if finding.text.starts_with("dnsmasq's exit code") => Some(
            "dnsmasq did not start: `init` must exit with 0, and print only lines that dnsmasq can read".to_owned(),
        ),
        FindingKind::Unmet => unmet(finding).or_else(|| call.and_then(ignored_failure)),
        FindingKind::Anomaly | FindingKind::Processes => call.and_then(ignored_failure),
        FindingKind::Signals => Some(
            "dnsmasq calls its script for every lease at each start and at SIGHUP: signal it only in calls that have \
             changed something, or not at all"
                .to_owned(),
        ),
    }
}

/// A hint for an expectation about the cost or the messages of a script.
fn unmet(finding: &Finding) -> Option<String> {
    let begins_with = |begins: &[&str]| begins.iter().any(|begin| finding.text.starts_with(begin));
    if begins_with(&["flash operations", "commits", "erases", "bytes programmed"]) {
        let call = finding.evidence.call.as_deref();
        return Some(redundant_write(call));
    }
    begins_with(&["stderr lacks", "nvram commands", "exit code"]).then(|| {
        "this scenario expects what the script of this project does: the command `check` has only expectations that \
         hold for any script"
            .to_owned()
    })
}

/// Whether the finding is that a call returned before it had stored the lease.
fn returned_early(finding: &Finding) -> bool {
    let Evidence { call, expected, found, .. } = &finding.evidence;
    let is_late = call.as_deref().is_some_and(|record| record.result.stored_late);
    is_late && expected.is_empty() && found.is_empty()
}

/// Whether a fault has interrupted the call.
fn was_interrupted(record: &CallRecord) -> bool {
    match record.result.end {
        CallEnd::PowerLost => true,
        CallEnd::Killed(_) => record.disturbance.is_some(),
        CallEnd::Exited(_) | CallEnd::TimedOut => false,
    }
}

fn timed_out(call: Option<&CallRecord>) -> bool {
    call.is_some_and(|record| record.result.end == CallEnd::TimedOut)
}

fn is_acknowledged(record: &CallRecord) -> bool {
    record.result.end == CallEnd::Exited(0)
}

fn redundant_write(call: Option<&CallRecord>) -> String {
    if call.is_some_and(|record| record.call.action() == b"init") {
        return "`init` only has to print the leases: it must not write anything".to_owned();
    }
    "a record is written again although it is stored already: compare it with `nvram get` first, and run `nvram set` \
     and `nvram commit` only if it differs"
        .to_owned()
}

/// A command of a call that failed, although the call exited with 0.
fn ignored_failure(record: &CallRecord) -> Option<String> {
    let failed = |command: &&NvramCommand| {
        (command.is("set") || command.is("commit")) && command.code.is_some_and(|code| code != 0)
    };
    let command = record.result.commands.iter().find(failed)?;
    if !is_acknowledged(record) {
        return None;
    }
    let name = if command.is("set") { "set" } else { "commit" };
    Some(format!(
        "`nvram {name}` failed with exit code {}, but the script exited with 0: check the exit code of each command, and \
         exit with another number so that the failure is seen",
        command.code.unwrap_or_default()
    ))
}

/// A call that was acknowledged although it did not commit what it had set.
fn uncommitted(record: &CallRecord) -> Option<String> {
    if !matches!(record.call.action(), b"add" | b"old" | b"del") || !is_acknowledged(record) {
        return None;
    }
    let commands = &record.result.commands;
    let last_write = commands.iter().rposition(|command| command.is("set") || command.is("unset"));
    let last_commit = commands.iter().rposition(|command| command.is("commit"));
    let text = match (last_write, last_commit) {
        _ if commands.is_empty() => {
            "the script exited with 0 without any `nvram` command: if it keeps leases in a file, write a new file, `sync` \
             it, and rename it over the old one, so that kills and power cuts leave a whole file"
        }
        (Some(_), None) => {
            "the script exited with 0 without `nvram commit`: what only RAM holds is lost with the power"
        }
        (Some(write), Some(commit)) if commit < write => {
            "`nvram commit` came before the last `nvram set`: what only RAM holds is lost with the power"
        }
        _ => return None,
    };
    Some(text.to_owned())
}

/// How the lines differ.
fn difference(evidence: &Evidence) -> Option<String> {
    match (evidence.expected.as_slice(), evidence.found.as_slice()) {
        ([_, ..], []) => Some(
            "a call returned 0 for this lease, but `init` does not print it: look at what the call above wrote, and whether \
             a later call or a full NVRAM removed it"
                .to_owned(),
        ),
        ([], [_, ..]) if evidence.call.as_deref().is_none_or(|call| call.call.action() != b"del") => Some(
            "no call stored this lease: a value of another variable can contain lines that look like records, so take \
             names from the beginnings of lines only, and read each record with `nvram get`"
                .to_owned(),
        ),
        ([], [_, ..]) => Some(
            "the lease has ended, but `init` still prints it: `del` has to remove the record and commit".to_owned(),
        ),
        ([expected, ..], [found, ..]) => Some(differing_field(expected, found)),
        ([], []) => None,
    }
}

/// The first field in which two lease lines differ.
fn differing_field(expected: &[u8], found: &[u8]) -> String {
    let words = |line: &[u8]| -> Vec<Vec<u8>> {
        line.split(|byte| *byte == b' ').map(<[u8]>::to_vec).collect()
    };
    let (expected, found) = (words(expected), words(found));
    let at = expected.iter().zip(&found).position(|(a, b)| a != b);
    let text = match at {
        Some(0) => {
            "the time differs: store DNSMASQ_LEASE_EXPIRES, or DNSMASQ_LEASE_LENGTH where dnsmasq passes that, as it is"
        }
        Some(1) => {
            "the hardware address differs: store the first argument after the action as it is"
        }
        Some(3) => {
            "the host name differs: store the third argument after the action as it is, or `*` without one"
        }
        Some(4) => "the client-id differs: store DNSMASQ_CLIENT_ID as it is, or `*` without one",
        _ => {
            "the lines have different numbers of words: a blank in a host name or a missing `*` shifts the others"
        }
    };
    text.to_owned()
}

fn start_up(finding: &Finding) -> String {
    let failed = finding.text.starts_with("init ended") || finding.text.starts_with("init exited");
    if failed {
        "dnsmasq does not start if `init` fails: exit with 0, and print nothing if there is nothing to print"
    } else {
        "dnsmasq reads every line that `init` prints as a lease: print only `TIME MAC ADDRESS NAME CLIENT-ID`, send \
         everything else to stderr, and leave damaged records out"
    }
    .to_owned()
}
