//! The kinds of identity associations (RFC 8415).

/// The kind of an identity association of DHCPv6, or of a pool for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum IaKind {
    /// Addresses (IA_NA).
    NonTemporary,
    /// Temporary addresses (IA_TA).
    Temporary,
    /// Prefixes (IA_PD).
    Prefix,
}

impl IaKind {
    /// Returns the kind whose [`IaKind::short_name`] is `name`.
    pub fn from_short_name(name: &str) -> Option<Self> {
        [Self::NonTemporary, Self::Temporary, Self::Prefix]
            .into_iter()
            .find(|kind| kind.short_name() == name)
    }

    /// Returns `na`, `ta` or `pd`.
    pub const fn short_name(self) -> &'static str {
        match self {
            Self::NonTemporary => "na",
            Self::Temporary => "ta",
            Self::Prefix => "pd",
        }
    }

    /// Returns the name of the DHCPv6 option: `IA_NA`, `IA_TA` or `IA_PD`.
    pub const fn option_name(self) -> &'static str {
        match self {
            Self::NonTemporary => "IA_NA",
            Self::Temporary => "IA_TA",
            Self::Prefix => "IA_PD",
        }
    }

    /// Returns the keyword of a declaration in dhcpd.leases: `ia-na`, `ia-ta` or `ia-pd`.
    pub const fn declaration_word(self) -> &'static str {
        match self {
            Self::NonTemporary => "ia-na",
            Self::Temporary => "ia-ta",
            Self::Prefix => "ia-pd",
        }
    }

    /// Returns the keyword of an address or prefix in such a declaration.
    pub(crate) const fn member_word(self) -> &'static str {
        match self {
            Self::NonTemporary | Self::Temporary => "iaaddr",
            Self::Prefix => "iaprefix",
        }
    }

    /// Returns the name of the option in dhcpd's messages about lease files: `ia_na`, `ia_ta` or `ia_pd`.
    pub(crate) const fn message_name(self) -> &'static str {
        match self {
            Self::NonTemporary => "ia_na",
            Self::Temporary => "ia_ta",
            Self::Prefix => "ia_pd",
        }
    }
}
