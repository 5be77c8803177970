//! Invalid values in the stimuli of a recording.

use dnsmasq_model::ConfigError;

/// Why a stimulus is no input of the engine.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StimulusError {
    /// The stimulus is not known.
    #[error("unknown stimulus `{0}`")]
    Unknown(String),
    /// A field is missing that stimuli of this kind need.
    #[error("the stimulus `{kind}` needs `{field}`")]
    Missing {
        /// The kind of stimulus.
        kind: String,
        /// The field.
        field: &'static str,
    },
    /// A text that should be bytes in hexadecimal.
    #[error("invalid hexadecimal text `{0}`: expected for example 02:aa:0b")]
    Hexadecimal(String),
    /// No IPv4 address.
    #[error("invalid IPv4 address `{0}`")]
    Ipv4Address(String),
    /// No IPv6 address.
    #[error("invalid IPv6 address `{0}`")]
    Ipv6Address(String),
    /// No address with a prefix length.
    #[error("invalid address `{0}`: expected for example 10.77.0.9/24")]
    InterfaceAddress(String),
    /// Neither an addition nor a removal.
    #[error("invalid `op` `{0}`: expected `add` or `del`")]
    Operation(String),
    /// An identity association that is neither IA_NA nor IA_TA.
    #[error("invalid type of association `{0}`: expected na or ta")]
    Association(String),
    /// A DHCPv4 message that is no reply.
    #[error("unknown DHCPv4 reply `{0}`")]
    Dhcp4Reply(String),
    /// A DHCPv6 message that is no reply.
    #[error("unknown DHCPv6 reply `{0}`")]
    Dhcp6Reply(String),
    /// The exit code that the recorder is told to return is no number.
    #[error("invalid exit code `{0}`")]
    ExitCode(String),
    /// The command line of a `start` is invalid.
    #[error(transparent)]
    CommandLine(#[from] ConfigError),
}
