//! The tokens of lease.c `read_leases`: fscanf() with a maximum width.

/// Splits a text into tokens like fscanf's `%Ns`, which skips white space and then reads at most N other bytes.
pub(crate) struct Tokens<'a> {
    rest: &'a [u8],
}

impl<'a> Tokens<'a> {
    pub(crate) fn new(text: &'a [u8]) -> Self {
        Self { rest: text }
    }

    /// Returns the text that has not been read yet.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub(crate) fn skip_whitespace(&mut self) {
        self.rest = &self.rest[self.rest.iter().take_while(|b| is_space(**b)).count()..];
    }

    pub(crate) fn next(&mut self, width: usize) -> Option<&'a [u8]> {
        let start = self.rest.iter().position(|b| !is_space(*b))?;
        let rest = &self.rest[start..];
        let longest = &rest[..rest.len().min(width)];
        let end = longest.iter().position(|b| is_space(*b)).unwrap_or(longest.len());
        let (token, rest) = rest.split_at(end);
        self.rest = rest;
        Some(token)
    }

    /// Reads a number like fscanf's `%lu`, after white space. Returns `None` if there is none.
    pub(crate) fn next_number(&mut self) -> Option<&'a [u8]> {
        let start = self.rest.iter().position(|b| !is_space(*b))?;
        let rest = &self.rest[start..];
        let sign = usize::from(matches!(rest.first(), Some(b'-' | b'+')));
        let digits = rest[sign..].iter().take_while(|b| b.is_ascii_digit()).count();
        let (token, rest) = rest.split_at(sign + digits);
        self.rest = rest;
        (digits != 0).then_some(token)
    }
}

/// Returns whether C's `isspace` returns true.
fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_longer_than_their_field_are_split() {
        let mut tokens = Tokens::new(b"abcdef g");
        assert_eq!(tokens.next(4), Some(&b"abcd"[..]));
        assert_eq!(tokens.next(4), Some(&b"ef"[..]));
        assert_eq!(tokens.next(4), Some(&b"g"[..]));
        assert_eq!(tokens.next(4), None);
    }
}
