//! The signals of a script that dnsmasq has not handled yet.

use backend::DnsmasqSignal;

/// What a script has asked of dnsmasq.
#[derive(Debug, Default)]
pub(super) struct PendingSignals {
    /// The signal that dnsmasq has not handled yet. Several count as one.
    pub(super) waiting: Option<DnsmasqSignal>,
    /// How many signals have followed from each other.
    pub(super) in_a_row: u32,
    /// Whether they have no end, so that further ones are ignored.
    pub(super) are_endless: bool,
}
