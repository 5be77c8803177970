//! Invalid values in the stimuli of a recording.

use dnsmasq_model::ConfigError;

/// Why a stimulus is not a valid input of the engine.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StimulusError {
    /// The stimulus is not known.
    #[error("unknown stimulus `{0}`")]
    Unknown(String),
    /// A field that is required for stimuli of this kind is missing.
    #[error("the stimulus `{kind}` needs `{field}`")]
    Missing {
        /// The kind of stimulus.
        kind: String,
        /// The field.
        field: &'static str,
    },
    /// The text is not a sequence of bytes in hexadecimal.
    #[error("invalid hexadecimal text `{0}`: expected for example 02:aa:0b")]
    Hexadecimal(String),
    /// The text is not an IPv4 address.
    #[error("invalid IPv4 address `{0}`")]
    Ipv4Address(String),
    /// The text is not an IPv6 address.
    #[error("invalid IPv6 address `{0}`")]
    Ipv6Address(String),
    /// The text is not an address with a prefix length.
    #[error("invalid address `{0}`: expected for example 10.77.0.9/24")]
    InterfaceAddress(String),
    /// The operation is neither an addition nor a removal.
    #[error("invalid `op` `{0}`: expected `add` or `del`")]
    Operation(String),
    /// The identity association is neither IA_NA nor IA_TA.
    #[error("invalid type of association `{0}`: expected na or ta")]
    Association(String),
    /// The DHCPv4 message is not a reply.
    #[error("unknown DHCPv4 reply `{0}`")]
    Dhcp4Reply(String),
    /// The DHCPv6 message is not a reply.
    #[error("unknown DHCPv6 reply `{0}`")]
    Dhcp6Reply(String),
    /// The exit code that the recorder is told to return is not a number.
    #[error("invalid exit code `{0}`")]
    ExitCode(String),
    /// The command line of a `start` is invalid.
    #[error(transparent)]
    CommandLine(#[from] ConfigError),
}
