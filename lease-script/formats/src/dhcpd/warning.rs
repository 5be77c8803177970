//! The warnings of dhcpd's parser (`parse_warn` of common/conflex.c).

use std::fmt;

use super::ia_kind::IaKind;

/// A message of the parser. Warnings that concern only one statement are variants of their own, because a trial of the lexer
/// continues after them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Warning {
    /// An option in a lease that does not belong to the space `agent`.
    NotAgentOption,
    /// An unknown option of the space `agent`.
    UnknownAgentOption(String),
    /// `billing class` with a class that is not declared.
    UnknownClass(String),
    /// A subclass of a class that is not declared.
    NoSuchClass(String),
    /// The state of a failover peer that is not configured.
    UnknownFailoverPeer(String),
    /// An unknown word for the state of a failover peer.
    UnknownFailoverState,
    /// A statement that is not allowed in an address of an identity association.
    UnexpectedIaContents {
        /// The kind of the identity association.
        kind: IaKind,
        /// The word found instead.
        word: String,
    },
    /// A hardware address of more than 20 bytes.
    HardwareTooLong,
    /// Any other warning, in dhcpd's words.
    Other(String),
}

impl Warning {
    /// Returns whether only the affected statement is lost.
    pub(crate) fn concerns_one_statement(&self) -> bool {
        !matches!(self, Self::Other(_))
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAgentOption => f.write_str("agent option expected."),
            Self::UnknownAgentOption(name) => write!(f, "no option named {name} in space agent"),
            Self::UnknownClass(name) => write!(f, "unknown class {name}"),
            Self::NoSuchClass(name) => write!(f, "no class named {name}"),
            Self::UnknownFailoverPeer(name) => write!(f, "unknown failover peer: {name}"),
            Self::UnknownFailoverState => f.write_str("unknown failover state"),
            Self::UnexpectedIaContents { kind, word } => {
                write!(
                    f,
                    "corrupt lease file; expecting {} contents, got '{word}'",
                    kind.message_name()
                )
            }
            Self::HardwareTooLong => f.write_str("hardware address too long"),
            Self::Other(message) => f.write_str(message),
        }
    }
}

impl From<&str> for Warning {
    fn from(message: &str) -> Self {
        Self::Other(message.to_owned())
    }
}

impl From<String> for Warning {
    fn from(message: String) -> Self {
        Self::Other(message)
    }
}
