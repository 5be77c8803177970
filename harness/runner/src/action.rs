//! The messages that a client can send.

/// The message or exchange of messages that a client starts.
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
    /// DHCPv4 INFORM, of which no script call follows; ignored by DHCPv6 clients.
    Inform,
    /// RELEASE of its address.
    Release,
    /// DECLINE of its address, because another host uses it.
    Decline,
}

impl ClientAction {
    /// The name of the message, as in scenario files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ask => "request",
            Self::Renew => "renew",
            Self::Rebind => "rebind",
            Self::InitReboot => "init-reboot",
            Self::Inform => "inform",
            Self::Release => "release",
            Self::Decline => "decline",
        }
    }
}
