//! The signals of a script that dnsmasq has not handled yet.

use backend::DnsmasqSignal;

/// The signals that dnsmasq has got from its script.
#[derive(Debug, Default)]
pub(super) struct PendingSignals {
    /// The signal that dnsmasq has not handled yet. Several count as one.
    pub(super) waiting: Option<DnsmasqSignal>,
    /// How many signals in a row were sent by calls that the previous signal caused.
    pub(super) in_a_row: u32,
    /// Whether they would never end, so that further ones are ignored.
    pub(super) are_endless: bool,
}
