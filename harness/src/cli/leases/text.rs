//! Addresses and unknown bytes as readable text.

use lease_formats::exchange::Binding;

/// Text of unknown bytes, safe for a terminal.
pub(super) fn safe(text: Option<&Vec<u8>>) -> String {
    text.map(|text| text.escape_ascii().to_string()).unwrap_or_default()
}

/// The address, with the length of a prefix.
pub(super) fn prefixed(binding: &Binding) -> String {
    match binding.held.prefix_length {
        0 => binding.held.address.to_string(),
        length => format!("{}/{length}", binding.held.address),
    }
}
