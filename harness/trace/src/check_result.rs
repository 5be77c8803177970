//! The result of checking a recording.

use super::diff::Mismatch;
use dnsmasq_model::{Build, Release};

/// The fields of a recording that are inputs of the engine, each with the reason. All other fields are compared.
pub const ENGINE_INPUTS: &[(&str, &str)] = &[
    (
        "calls.jsonl: out of an init call",
        "the output of the script is the lease database that dnsmasq reads",
    ),
    (
        "calls.jsonl: rc of an init call",
        "the exit code of the script decides whether dnsmasq starts",
    ),
    (
        "stimuli.jsonl: res of DHCP messages",
        "the engine takes over the decision of the server: address, lease time, refusal or no reply; IA_TA addresses are random",
    ),
];

/// How strictly the calls of a recording are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strictness {
    /// Every call must match, in order.
    Exact,
    /// Every call must match, but consecutive `arp-*` calls are compared as sets, because the order in the kernel's
    /// table is not known.
    ArpSets,
    /// Differences are reported without failing the check, because the recording depends on timing.
    ReportOnly,
}

/// The result of checking one recording.
#[derive(Debug, Clone)]
pub struct CheckResult {
    /// The name of the folder.
    pub label: String,
    /// The release of dnsmasq, if a release was recorded.
    pub release: Option<Release>,
    /// The build of dnsmasq.
    pub build: Build,
    /// The reason why two recordings of the same stimuli may differ, or `None` if they must not differ.
    pub racy: Option<String>,
    /// How strictly the calls were compared.
    pub strictness: Strictness,
    /// Number of recorded calls that were compared.
    pub calls: usize,
    /// Number of `init` outputs that were inputs of the engine.
    pub inits: usize,
    /// Number of DHCP replies that were inputs of the engine.
    pub answers: usize,
    /// Number of DHCPv4 messages that [`Server`](dnsmasq_model::Server) would have answered as recorded.
    pub predicted: usize,
    /// The DHCPv4 messages that it would have answered differently, one line each.
    pub mispredicted: Vec<String>,
    /// The differences between recorded and modelled calls.
    pub mismatches: Vec<Mismatch>,
    /// Options of dnsmasq that are not modelled.
    pub unmodelled: Vec<String>,
}

impl CheckResult {
    /// Returns whether there are differences that fail the check.
    #[must_use]
    pub fn failed(&self) -> bool {
        self.strictness != Strictness::ReportOnly && !self.mismatches.is_empty()
    }
}
