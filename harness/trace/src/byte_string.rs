//! Byte strings in the JSON of recordings.

use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, Visitor};

/// A byte string in a recording. In JSON it is text, in which bytes that are not valid UTF-8 are lone surrogates U+DC80
/// to U+DCFF (the `surrogateescape` error handler of Python).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct ByteString(pub Vec<u8>);

impl fmt::Debug for ByteString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", String::from_utf8_lossy(&self.0))
    }
}

impl<'de> Deserialize<'de> for ByteString {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<ByteString, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = ByteString;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<ByteString, E> {
                Ok(ByteString(text.as_bytes().to_vec()))
            }
            fn visit_bytes<E: de::Error>(self, text: &[u8]) -> Result<ByteString, E> {
                Ok(ByteString(unescape(text)))
            }
        }
        deserializer.deserialize_bytes(Text)
    }
}

/// Decodes lone surrogates U+DC80 to U+DCFF, which `serde_json` encodes as ED B2 80 to ED B3 BF, to single bytes.
fn unescape(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&first, tail)) = rest.split_first() {
        if let [0xed, b @ (0xb2 | 0xb3), c @ 0x80..=0xbf, ..] = rest {
            out.push(((b - 0xb0) << 6) | (c & 0x3f));
            rest = &rest[3..];
        } else {
            out.push(first);
            rest = tail;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_not_utf8_are_decoded() {
        let read = |text: &str| serde_json::from_str::<ByteString>(text).expect("a string").0;
        assert_eq!(read(r#""caf\u00e9""#), "café".as_bytes());
        assert_eq!(read(r#""caf\udce9""#), b"caf\xe9");
        assert_eq!(read(r#""a\u0000b""#), b"a\0b");
    }
}
