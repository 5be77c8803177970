//! Relay agent options in a lease (`parse_option_decl` of common/parse.c).

use std::io::Read;

use super::declarations::Declarations;
use crate::dhcpd::diagnostic::Consequence;
use crate::dhcpd::lease::Lease;
use crate::dhcpd::lexer::{CLOSE, OPEN, SEMICOLON, Token};
use crate::dhcpd::parser::atoi;
use crate::dhcpd::warning::Warning;

/// Parses a number whose prefix determines its base (`convert_num` of common/parse.c with base 0).
fn number(text: &[u8]) -> u32 {
    let (digits, base) = match text {
        [b'0', b'x', rest @ ..] => (rest, 16),
        [b'0', rest @ ..] if rest.first().is_some_and(u8::is_ascii_digit) => (rest, 8),
        _ => return atoi(text) as u32,
    };
    let digits = digits.iter().map_while(|digit| char::from(*digit).to_digit(base));
    digits.fold(0, |value: u32, digit| value.wrapping_mul(base).wrapping_add(digit))
}

impl<R: Read> Declarations<R> {
    /// Parses an option statement. Keeps only relay agent options.
    pub(super) fn agent_option(&mut self, lease: &mut Lease) {
        let token = self.lexer.next();
        if !token.is_identifier() {
            self.lexer
                .warn("expecting identifier after option keyword.", Consequence::StatementLost);
            if token != SEMICOLON {
                self.lexer.skip_to_semi();
            }
            return;
        }
        let space = self.lexer.c_text().to_vec();
        if self.lexer.peek() != Token::Char(b'.') {
            self.foreign_option();
            return;
        }
        self.lexer.next();
        let token = self.lexer.next();
        if !token.is_identifier() {
            self.lexer.warn("expecting identifier after '.'", Consequence::StatementLost);
            if token != SEMICOLON {
                self.lexer.skip_to_semi();
            }
            return;
        }
        if !space.eq_ignore_ascii_case(b"agent") {
            self.foreign_option();
            return;
        }
        let name = self.lexer.c_text().to_vec();
        let lower = name.to_ascii_lowercase();
        let code = match &lower[..] {
            b"circuit-id" => 1,
            b"remote-id" => 2,
            b"agent-id" => 3,
            b"docsis-device-class" => 4,
            b"link-selection" => 5,
            b"relay-port" => 19,
            other => match other.strip_prefix(b"unknown-") {
                Some(number) => atoi(number),
                None => -1,
            },
        };
        if code == 0 || (code == -1 && !lower.starts_with(b"unknown-")) {
            let name = String::from_utf8_lossy(&name).into_owned();
            self.lexer.warn(Warning::UnknownAgentOption(name), Consequence::StatementLost);
            self.lexer.skip_to_semi();
            return;
        }
        // Options with invalid codes are parsed but not kept.
        let code = u8::try_from(code).ok().filter(|code| (1..=254).contains(code));
        if let Some(value) = self.agent_value(code.unwrap_or(255))
            && !value.is_empty()
            && let Some(code) = code
        {
            lease.agent.push((code, value));
        }
    }

    fn agent_value(&mut self, code: u8) -> Option<Vec<u8>> {
        /// The size of dhcpd's buffer for the value of an option.
        const HUNK: usize = 1024;
        let value = match code {
            3 | 5 => self.lexer.aggregate(4, b'.', 10)?,
            4 => {
                let token = self.lexer.next();
                if token != Token::Number && token != Token::NumberOrName {
                    self.lexer.warn("expecting number.", Consequence::StatementLost);
                    if token != SEMICOLON {
                        self.lexer.skip_to_semi();
                    }
                    return None;
                }
                number(self.lexer.c_text()).to_be_bytes().to_vec()
            }
            19 => {
                if self.lexer.peek() != SEMICOLON {
                    self.lexer.warn("semicolon expected.", Consequence::StatementLost);
                    self.lexer.skip_to_semi();
                    return None;
                }
                Vec::new()
            }
            _ => self.lexer.string_or_hex(HUNK),
        };
        if self.lexer.next() == SEMICOLON {
            return Some(value);
        }
        self.lexer.warn("semicolon expected.", Consequence::Skipped);
        self.lexer.skip_to_semi();
        None
    }

    fn foreign_option(&mut self) {
        while !matches!(self.lexer.peek(), SEMICOLON | Token::End | OPEN | CLOSE) {
            self.lexer.next();
        }
        self.lexer.semi();
        self.lexer.warn(Warning::NotAgentOption, Consequence::StatementLost);
    }
}
