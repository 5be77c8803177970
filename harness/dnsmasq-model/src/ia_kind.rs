//! The kinds of identity associations of DHCPv6 that dnsmasq serves.

/// The kind of an identity association, which an IAID identifies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum IaKind {
    /// IA_NA: a non-temporary address.
    Na,
    /// IA_TA: a temporary address.
    Ta,
}

impl IaKind {
    /// Returns `na` or `ta`, the name in recordings and scenarios.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            IaKind::Na => "na",
            IaKind::Ta => "ta",
        }
    }

    /// Returns the kind with this [`IaKind::name`].
    #[must_use]
    pub fn from_name(name: &str) -> Option<IaKind> {
        [IaKind::Na, IaKind::Ta].into_iter().find(|kind| kind.name() == name)
    }

    /// Formats an IAID as dnsmasq writes it in `DNSMASQ_IAID` and in its lease file: decimal, with the prefix `T` for a
    /// temporary address (helper.c `create_helper`, lease.c `lease_update_file`).
    #[must_use]
    pub fn iaid_text(self, iaid: u32) -> String {
        match self {
            IaKind::Na => iaid.to_string(),
            IaKind::Ta => format!("T{iaid}"),
        }
    }

    /// Splits the output of [`IaKind::iaid_text`] into the kind and the decimal number (lease.c `read_leases`).
    #[must_use]
    pub(crate) fn split_iaid(text: &[u8]) -> (IaKind, &[u8]) {
        match text.strip_prefix(b"T") {
            Some(number) => (IaKind::Ta, number),
            None => (IaKind::Na, text),
        }
    }
}
