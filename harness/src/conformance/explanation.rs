//! Findings in words, and what to do about them.

use super::cause::Cause;
use super::lease_fault::LeaseFault;
use super::observation::Observation;
use scenario::Group;

/// What was found, in one sentence without a full stop.
pub(super) fn in_words(observation: &Observation) -> String {
    let Observation { cause, text, lines, .. } = observation;
    let lease = |line: &Option<Vec<u8>>| line.as_deref().and_then(lease_of);
    let (wanted, found) = (lease(&lines.0), lease(&lines.1));
    let about = match (&wanted, &found) {
        (Some(lease), _) | (None, Some(lease)) => Some(lease.name()),
        (None, None) => None,
    };
    let of = |what: &str| match &about {
        Some(about) => format!("the lease of {about} {what}"),
        None => format!("a lease {what}: {text}"),
    };
    match cause {
        Cause::Hangs => format!("a call does not end in time: {text}"),
        Cause::LeavesProcesses | Cause::SignalsDnsmasq => text.clone(),
        Cause::ReturnsEarly => format!("a call returns before the lease is stored: {text}"),
        Cause::NotSynced => of("is lost on a file system that writes later, such as UBIFS"),
        Cause::UnreadableOutput => {
            format!("dnsmasq cannot read the output of `init` correctly: {text}")
        }
        Cause::Lease(LeaseFault::Missing) => of("is lost"),
        Cause::Lease(LeaseFault::Unexpected) => of("is stored, but no client holds it"),
        Cause::Lease(LeaseFault::EndsTooEarly) => of("ends too early"),
        Cause::Lease(LeaseFault::EndsTooLate) => of("ends too late"),
        Cause::Lease(LeaseFault::NeverEnds) => of("never ends"),
        Cause::Lease(LeaseFault::Different) => match (&wanted, &found) {
            (Some(wanted), Some(found)) => {
                let [wanted, found] = [wanted, found].map(Lease::identity);
                format!("{} is stored as {found} instead of {wanted}", of("").trim_end())
            }
            _ => format!("a lease is not stored as dnsmasq reported it: {text}"),
        },
        Cause::Expectation => format!("the router does not behave as it should: {text}"),
        Cause::OtherSettings => format!("another program's setting was not preserved: {text}"),
        Cause::UnknownVariables => format!("the script adds a setting: {text}"),
        Cause::RedundantWrite => format!("the flash is written without need: {text}"),
    }
}

/// A line of dnsmasq's lease file.
struct Lease {
    hardware: String,
    address: String,
    host: String,
    id: String,
}

impl Lease {
    fn name(&self) -> String {
        match self.host.as_str() {
            "*" => self.address.clone(),
            host => format!("{} ({host})", self.address),
        }
    }

    fn identity(&self) -> String {
        format!("`{} {} {}`", self.hardware, self.host, self.id)
    }
}

fn lease_of(line: &[u8]) -> Option<Lease> {
    let text = line.escape_ascii().to_string();
    let words: Vec<&str> = text.split(' ').collect();
    let [_, hardware, address, host, id] = words.as_slice() else { return None };
    let [hardware, address, host, id] =
        [hardware, address, host, id].map(|word| (*word).to_owned());
    Some(Lease { hardware, address, host, id })
}

/// What to do about a cause in a group, in one sentence.
pub(super) fn remedy(cause: Cause, group: Group) -> &'static str {
    match (cause, group) {
        (Cause::Hangs, _) => {
            "make sure that every call ends: dnsmasq waits for `init`, and makes one call at a time"
        }
        (Cause::LeavesProcesses, _) => {
            "make sure that everything that a call starts in the background ends or sleeps: otherwise each call makes \
             the router slower"
        }
        (Cause::SignalsDnsmasq, _) => {
            "neither signal nor restart dnsmasq from its own script, least of all on `old`: dnsmasq calls the script again for \
             every lease"
        }
        (Cause::ReturnsEarly, _) => {
            "`wait` for what the script starts in the background: dnsmasq considers a call done \
             when it returns 0"
        }
        (Cause::NotSynced, _) => {
            "write to a second file, run `sync`, rename it over the first one, and run `sync` again before the call ends; \
             on JFFS2 nothing is lost"
        }
        (Cause::UnreadableOutput, Group::Dhcpv6) => {
            "for an address with a colon, store $DNSMASQ_IAID and the DUID in $2, and print `duid $DNSMASQ_SERVER_DUID` \
             before the first such lease"
        }
        (Cause::UnreadableOutput, Group::HostileNames) => {
            "let `init` print only what the script itself has stored, and check each line before printing it"
        }
        (Cause::UnreadableOutput, _) => {
            "let `init` end with exit code 0 and print nothing on standard output but lines of five words: time, hardware \
             address, address, name or *, client-id or *"
        }
        (Cause::Lease(_) | Cause::Expectation, Group::Dhcpv6) => {
            "store DHCPv6 leases as well, with $DNSMASQ_IAID, the DUID in $2 and $DNSMASQ_SERVER_DUID; on a router without \
             DHCPv6, use --allow dhcpv6"
        }
        (Cause::Lease(_), Group::FullNvram) => {
            "replace what is stored only when the new state is complete: check the free space before `nvram set`, and \
             the exit code of every command that writes a file"
        }
        (Cause::OtherSettings, Group::FullNvram) => {
            "check the free space before `nvram set` (`nvram info`, or the size line of `nvram show`), and set nothing that \
             does not fit: the tool makes room by dropping other variables, with exit code 0"
        }
        (Cause::Lease(_), Group::Atomic) => {
            "exit with 0 only when the lease is in the flash, and let the next call finish what an interrupted one has begun"
        }
        (
            Cause::Lease(
                LeaseFault::EndsTooEarly | LeaseFault::EndsTooLate | LeaseFault::NeverEnds,
            ),
            _,
        ) => {
            "store $DNSMASQ_LEASE_LENGTH where it is set, otherwise $DNSMASQ_LEASE_EXPIRES, and print it unchanged: do not \
             calculate with `date`"
        }
        (Cause::Lease(LeaseFault::Unexpected), _) => {
            "remove a lease on `del`, and let `init` print only what the script itself has stored"
        }
        (Cause::Lease(LeaseFault::Missing) | Cause::Expectation, _) => {
            "store each lease on `add` and on `old`, commit before the call ends, and print it in `init`"
        }
        (Cause::Lease(LeaseFault::Different), _) => {
            "store the name and $DNSMASQ_CLIENT_ID as each call reports them, also on `old`"
        }
        (Cause::OtherSettings, _) => "change no variable of another program",
        (Cause::UnknownVariables, _) => {
            "name the script's own variables with --owns; all others count as settings of other programs"
        }
        (Cause::RedundantWrite, _) => {
            "compare with what is stored, and neither set nor commit when nothing has changed: dnsmasq reports every \
             lease again at each start"
        }
    }
}

/// The order in which to fix causes: the one with the smallest number first.
pub(super) fn urgency(cause: Cause, group: Group) -> u8 {
    match (cause, group) {
        (Cause::Hangs | Cause::LeavesProcesses, _) => 0,
        (Cause::UnreadableOutput, Group::StartUpOutput) => 1,
        (_, Group::Survives) => 2,
        (Cause::OtherSettings, Group::OtherSettings) => 3,
        (_, Group::Atomic) => 4,
        (_, Group::FullNvram) => 5,
        (_, Group::ClockJumps) => 6,
        (_, Group::HostileNames) => 7,
        (_, Group::SharedNvram) => 8,
        (_, Group::Dhcpv6) => 9,
        _ => 10,
    }
}
