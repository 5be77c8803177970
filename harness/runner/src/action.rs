//! The messages that a client can send.

/// What a client does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientAction {
    /// DISCOVER and REQUEST, or BOOTREQUEST, or SOLICIT and REQUEST.
    Ask,
    /// Unicast REQUEST, or RENEW.
    Renew,
    /// Broadcast REQUEST, or REBIND.
    Rebind,
    /// REQUEST of a remembered address, or CONFIRM.
    InitReboot,
    /// INFORM.
    Inform,
    /// RELEASE.
    Release,
    /// DECLINE.
    Decline,
}
