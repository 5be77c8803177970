//! Derives pseudonyms for byte strings, words and numbers from a secret key.

use std::collections::HashMap;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// A secret key, and the permutations derived from it.
pub(super) struct Pseudonyms {
    key: Vec<u8>,
    permutations: HashMap<(String, u32, u32), Vec<u32>>,
}

impl Pseudonyms {
    pub(super) fn new(key: &[u8]) -> Self {
        Self { key: key.to_vec(), permutations: HashMap::new() }
    }

    /// Returns a pseudonym of `length` bytes for `text`, which can only be computed with the key. Different purposes
    /// give different pseudonyms.
    pub(super) fn bytes(&self, purpose: &str, text: &[u8], length: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(length + 32);
        let mut part = 0_u32;
        while bytes.len() < length {
            let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.key) else { break };
            mac.update(&part.to_be_bytes());
            mac.update(purpose.as_bytes());
            mac.update(&[0]);
            mac.update(text);
            bytes.extend_from_slice(&mac.finalize().into_bytes());
            part += 1;
        }
        bytes.truncate(length);
        bytes
    }

    /// Returns a nearly uniformly distributed number below `limit`.
    fn below(&self, purpose: &str, text: &[u8], limit: u64) -> u64 {
        let bytes = self.bytes(purpose, text, 8);
        let number = bytes.iter().fold(0, |sum: u64, byte| sum << 8 | u64::from(*byte));
        ((u128::from(number) * u128::from(limit)) >> 64) as u64
    }

    /// Returns the image of `number` under a permutation of the numbers from `low` to `high`.
    pub(super) fn permuted(&mut self, purpose: &str, low: u32, high: u32, number: u32) -> u32 {
        let key = (purpose.to_owned(), low, high);
        if !self.permutations.contains_key(&key) {
            let mut all: Vec<u32> = (low..=high).collect();
            // A Fisher-Yates shuffle.
            for at in (1..all.len()).rev() {
                let draw = format!("{low} {high} {at}");
                let with = self.below(purpose, draw.as_bytes(), at as u64 + 1) as usize;
                all.swap(at, with);
            }
            self.permutations.insert(key.clone(), all);
        }
        let at = number.wrapping_sub(low) as usize;
        self.permutations.get(&key).and_then(|all| all.get(at)).copied().unwrap_or(number)
    }

    /// Returns a number of at most `max` with as many decimal digits as `text`.
    pub(super) fn number(&self, purpose: &str, text: &[u8], max: u64) -> u64 {
        let digits = text.len().clamp(1, 19) as u32;
        let low = if digits == 1 { 0 } else { 10_u64.pow(digits - 1) };
        let high = max.min(10_u64.pow(digits) - 1);
        low + self.below(purpose, text, high.saturating_sub(low) + 1)
    }

    /// Returns a word of the same length. Letters are replaced with letters and digits with digits. Other ASCII bytes
    /// are kept, and every non-ASCII byte is replaced with the same byte. Words that differ only in case get pseudonyms
    /// that differ only in case.
    pub(super) fn word(&self, word: &[u8]) -> Vec<u8> {
        let drawn = self.bytes("word", &word.to_ascii_lowercase(), word.len());
        let replace = |(byte, drawn): (&u8, u8)| match byte {
            b'a'..=b'z' => b'a' + drawn % 26,
            b'A'..=b'Z' => b'A' + drawn % 26,
            b'0'..=b'9' => b'0' + drawn % 10,
            0x80.. => 0xE9,
            other => *other,
        };
        word.iter().zip(drawn).map(replace).collect()
    }

    /// Returns a name with each of its words replaced. The separators are kept.
    pub(super) fn words(&self, text: &[u8]) -> Vec<u8> {
        let is_separator = |byte: &u8| matches!(byte, b'.' | b' ' | b'/' | b',' | b':');
        let mut out = Vec::with_capacity(text.len());
        for part in text.split_inclusive(is_separator) {
            let (word, separator) = match part.split_last() {
                Some((last, word)) if is_separator(last) => (word, Some(*last)),
                _ => (part, None),
            };
            out.extend(self.word(word));
            out.extend(separator);
        }
        out
    }

    /// Returns a pseudonym of a hardware address. The group bit and the local bit are kept.
    pub(super) fn hardware(&self, address: &[u8]) -> Vec<u8> {
        let mut drawn = self.bytes("hardware", address, address.len());
        if let (Some(to), Some(from)) = (drawn.first_mut(), address.first()) {
            *to = *to & !3 | from & 3;
        }
        // The null address and the broadcast address are kept.
        if address.iter().all(|byte| *byte == 0) || address.iter().all(|byte| *byte == 0xFF) {
            return address.to_vec();
        }
        drawn
    }
}
