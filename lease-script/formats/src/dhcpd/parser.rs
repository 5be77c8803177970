//! Parses parts of declarations (common/parse.c of dhcpd 4.4), with dhcpd's recovery from errors.

use std::io::Read;

use super::date_range::DateRange;
use super::diagnostic::Consequence;
use super::keyword::Keyword;
use super::lease::{Date, Hardware, SetValue};
use super::lexer::{CLOSE, Lexer, OPEN, SEMICOLON, Token};
use super::warning::Warning;

/// Converts text to a number like C's `atoi` in glibc, with a 64-bit `strtol`.
pub(crate) fn atoi(text: &[u8]) -> i32 {
    atol(text) as i32
}

/// Converts text to a number like C's `atol` where `long` has 64 bits.
pub(crate) fn atol(text: &[u8]) -> i64 {
    let mut digits = text.trim_ascii_start();
    let negative = digits.first() == Some(&b'-');
    if negative || digits.first() == Some(&b'+') {
        digits = &digits[1..];
    }
    let mut value = 0i64;
    for digit in digits.iter().take_while(|byte| byte.is_ascii_digit()) {
        let digit = i64::from(digit - b'0');
        value = if negative {
            value.saturating_mul(10).saturating_sub(digit)
        } else {
            value.saturating_mul(10).saturating_add(digit)
        };
    }
    value
}

impl<R: Read> Lexer<R> {
    /// Skips to the end of the statement, or over one balanced block.
    pub(crate) fn skip_to_semi(&mut self) {
        self.skip_to_rbrace(0);
    }

    pub(crate) fn skip_to_rbrace(&mut self, mut depth: u64) {
        loop {
            let token = self.peek();
            if self.stop_runaway_skip(token) {
                return;
            }
            if token == CLOSE {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    self.next();
                    return;
                }
            } else if token == OPEN {
                depth += 1;
            } else if token == SEMICOLON && depth == 0 {
                self.next();
                return;
            }
            if self.next() == Token::End {
                return;
            }
        }
    }

    pub(crate) fn semi(&mut self) -> bool {
        if self.next() == SEMICOLON {
            return true;
        }
        self.warn("semicolon expected.", Consequence::Skipped);
        self.skip_to_semi();
        false
    }

    pub(crate) fn open_brace(&mut self) -> bool {
        if self.next() == OPEN {
            return true;
        }
        self.warn("expecting left brace.", Consequence::Skipped);
        self.skip_to_semi();
        false
    }

    pub(crate) fn peek_is(&mut self, keyword: Keyword) -> bool {
        self.peek() == Token::Keyword(keyword)
    }

    /// Converts one number of eight bits (`convert_num`).
    fn convert(&mut self, text: &[u8], base: u32) -> u8 {
        let negative = text.first() == Some(&b'-');
        let digits = if negative { &text[1..] } else { text };
        let shown = String::from_utf8_lossy(text).into_owned();
        let mut value = 0u32;
        // Without digits, the C loop examines the terminating NUL.
        let digits = if digits.is_empty() { &[0][..] } else { digits };
        for &byte in digits {
            let digit = match byte {
                b'a'.. => u32::from(byte - b'a') + 10,
                b'A'.. => u32::from(byte - b'A') + 10,
                b'0'.. => u32::from(byte - b'0'),
                _ => {
                    self.warn(format!("Bogus number: {shown}."), Consequence::ValueChanged);
                    break;
                }
            };
            if digit >= base {
                self.warn(
                    format!("Bogus number {shown}: digit {digit} not in base {base}"),
                    Consequence::ValueChanged,
                );
                break;
            }
            value = value.wrapping_mul(base).wrapping_add(digit);
        }
        let max = if negative { 128 } else { 255 };
        if value > max {
            let sign = if negative { "-" } else { "" };
            let number = if base == 16 { format!("{value:x}") } else { value.to_string() };
            self.warn(
                format!("{sign}{number} exceeds max ({max}) for precision."),
                Consequence::ValueChanged,
            );
        }
        if negative { (value as u8).wrapping_neg() } else { value as u8 }
    }

    /// Parses numbers with a separator between them: exactly `max` numbers, or any number of them if `max` is 0.
    pub(crate) fn aggregate(&mut self, max: usize, separator: u8, base: u32) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        let mut waiting: Vec<Vec<u8>> = Vec::new();
        let mut count = 0;
        loop {
            if count > 0 {
                let token = self.peek();
                if token != Token::Char(separator) {
                    if max == 0 {
                        break;
                    }
                    let token = if token == OPEN || token == CLOSE { token } else { self.next() };
                    self.warn("too few numbers.", Consequence::RecordLost);
                    if token != SEMICOLON {
                        self.skip_to_semi();
                    }
                    return None;
                }
                self.next();
            }
            let token = self.next();
            if token == Token::End {
                self.warn("unexpected end of file", Consequence::ValueChanged);
                break;
            }
            if token != Token::Number && (base != 16 || token != Token::NumberOrName) {
                self.warn("expecting numeric value.", Consequence::Skipped);
                self.skip_to_semi();
                return None;
            }
            let text = self.c_text().to_vec();
            if max == 0 {
                waiting.push(text);
            } else {
                bytes.push(self.convert(&text, base));
            }
            count += 1;
            if count == max {
                break;
            }
        }
        if max == 0 {
            // dhcpd converts the numbers, and warns about them, from the last to the first.
            bytes = waiting.iter().rev().map(|text| self.convert(text, base)).collect();
            bytes.reverse();
            return (!bytes.is_empty()).then_some(bytes);
        }
        Some(bytes)
    }

    /// Parses a list of hexadecimal bytes (`parse_cshl`).
    pub(crate) fn hex_list(&mut self) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        loop {
            let token = self.next();
            if token != Token::Number && token != Token::NumberOrName {
                self.warn("expecting hexadecimal number.", Consequence::Skipped);
                self.skip_to_semi();
                return None;
            }
            let text = self.c_text().to_vec();
            bytes.push(self.convert(&text, 16));
            if self.peek() != Token::Char(b':') {
                return Some(bytes);
            }
            self.next();
        }
    }

    /// Parses a string or hexadecimal bytes for a buffer of `max` bytes (`parse_X`). Returns no bytes after an error.
    pub(crate) fn string_or_hex(&mut self, max: usize) -> Vec<u8> {
        let token = self.peek();
        if token == Token::NumberOrName || token == Token::Number {
            let mut bytes = Vec::new();
            loop {
                let token = self.next();
                if token != Token::Number && token != Token::NumberOrName {
                    self.warn("expecting hexadecimal constant.", Consequence::Skipped);
                    self.skip_to_semi();
                    return Vec::new();
                }
                let text = self.c_text().to_vec();
                bytes.push(self.convert(&text, 16));
                if bytes.len() > max + 1 {
                    self.warn("hexadecimal constant too long.", Consequence::Skipped);
                    self.skip_to_semi();
                    return Vec::new();
                }
                if self.peek() != Token::Char(b':') {
                    return bytes;
                }
                self.next();
            }
        } else if token == Token::String {
            self.next();
            if self.text().len() + 1 > max {
                self.warn("string constant too long.", Consequence::Skipped);
                self.skip_to_semi();
                return Vec::new();
            }
            self.text().to_vec()
        } else {
            self.warn("expecting string or hexadecimal data", Consequence::Skipped);
            self.skip_to_semi();
            Vec::new()
        }
    }

    pub(crate) fn date(&mut self) -> Date {
        let date = self.date_core();
        if self.semi() { date } else { Date::ABSENT }
    }

    fn date_core(&mut self) -> Date {
        let token = self.peek();
        if token == Token::Keyword(Keyword::Never) {
            self.next();
            return Date::NEVER;
        }
        if token == Token::Keyword(Keyword::Epoch) {
            self.next();
            let number = self.date_number("Seconds since epoch expected.");
            let full = number.map_or(Date::ABSENT, |_| Date(atol(self.c_text())));
            return self.in_range(self.date_range.epoch(full.0), full);
        }
        self.calendar_date().unwrap_or(Date::ABSENT)
    }

    fn calendar_date(&mut self) -> Option<Date> {
        self.date_number("numeric day of week expected.")?;
        let year = self.date_number("numeric year expected.")?;
        self.date_separator(b'/', "expected slash separating year from month.")?;
        let month = self.date_number("numeric month expected.")?;
        self.date_separator(b'/', "expected slash separating month from day.")?;
        let day = self.date_number("numeric day of month expected.")?;
        let hour = self.date_number("numeric hour expected.")?;
        self.date_separator(b':', "expected colon separating hour from minute.")?;
        let minute = self.date_number("numeric minute expected.")?;
        self.date_separator(b':', "expected colon separating minute from second.")?;
        let second = self.date_number("numeric second expected.")?;
        let token = self.peek();
        let mut offset = 0;
        if token == Token::Number {
            self.next();
            offset = atoi(self.c_text());
        } else if self.date_range == DateRange::Full && token != SEMICOLON && self.peek_is_utc() {
            // OpenBSD's dhcpd writes the zone (`write_lease` of its db.c).
            self.next();
        } else if token != SEMICOLON {
            self.next();
            self.warn("Time zone offset or semicolon expected.", Consequence::ValueAbsent);
            return None;
        }
        let date =
            |range: DateRange| range.calendar(year, [month, day], [hour, minute, second], offset);
        Some(self.in_range(date(self.date_range), date(DateRange::Full)))
    }

    /// Reports a date that dhcpd cannot represent.
    fn in_range(&mut self, read: Date, written: Date) -> Date {
        if read != written && written.0 > 0 {
            self.note_far_date(read);
        }
        read
    }

    /// Returns whether the peeked token is the word `UTC` or `GMT`.
    fn peek_is_utc(&self) -> bool {
        let text = self.c_text();
        text.eq_ignore_ascii_case(b"utc") || text.eq_ignore_ascii_case(b"gmt")
    }

    fn date_number(&mut self, message: &str) -> Option<i32> {
        self.date_token(Token::Number, message)?;
        Some(atoi(self.c_text()))
    }

    fn date_separator(&mut self, separator: u8, message: &str) -> Option<()> {
        self.date_token(Token::Char(separator), message)
    }

    fn date_token(&mut self, wanted: Token, message: &str) -> Option<()> {
        let token = self.peek();
        if token == wanted {
            self.next();
            return Some(());
        }
        if token != SEMICOLON {
            self.next();
        }
        self.warn(message, Consequence::ValueAbsent);
        None
    }

    /// Parses a name that may contain dots (`parse_host_name`).
    pub(crate) fn host_name(&mut self) -> Option<Vec<u8>> {
        let mut name = Vec::new();
        loop {
            let token = self.peek();
            if !token.is_identifier() && token != Token::Number {
                break;
            }
            self.next();
            name.extend_from_slice(self.c_text());
            if self.peek() != Token::Char(b'.') {
                break;
            }
            self.next();
            name.push(b'.');
        }
        (!name.is_empty()).then_some(name)
    }

    /// Parses the rest of a `hardware` statement. `previous` is the value of an earlier statement.
    pub(crate) fn hardware(&mut self, previous: Option<Hardware>) -> Option<Hardware> {
        let kind = match self.next() {
            Token::Keyword(Keyword::Ethernet) => 1,
            Token::Keyword(Keyword::TokenRing) => 6,
            Token::Keyword(Keyword::Fddi) => 8,
            Token::Keyword(Keyword::Infiniband) => 32,
            _ => {
                let Some(number) = self.c_text().strip_prefix(b"unknown-") else {
                    self.warn("expecting a network hardware type", Consequence::StatementLost);
                    self.skip_to_semi();
                    return previous;
                };
                atoi(number) as u8
            }
        };
        let mut hardware = Some(Hardware { kind, bytes: Vec::new() });
        if self.peek() != SEMICOLON {
            let Some(bytes) = self.aggregate(0, b':', 16) else {
                return hardware;
            };
            if bytes.len() > Hardware::MAX {
                self.warn(Warning::HardwareTooLong, Consequence::ValueAbsent);
                hardware = previous.map(|previous| Hardware { kind, ..previous });
            } else {
                hardware = Some(Hardware { kind, bytes });
            }
        }
        if self.next() != SEMICOLON {
            self.warn("expecting semicolon.", Consequence::Skipped);
            self.skip_to_semi();
        }
        hardware
    }

    /// Parses the right side of `set NAME =` (`parse_binding_value` of server/confpars.c).
    pub(crate) fn set_value(&mut self) -> Option<SetValue> {
        let token = self.peek();
        match token {
            Token::String => {
                self.next();
                Some(SetValue::Data(self.text().to_vec()))
            }
            Token::NumberOrName => {
                let bytes = self.aggregate(0, b':', 16);
                if bytes.is_none() {
                    self.skip_to_semi();
                }
                bytes.map(SetValue::Data)
            }
            Token::Char(b'%') => {
                self.next();
                let token = self.next();
                if token == Token::Number {
                    return Some(SetValue::Number(atol(self.c_text())));
                }
                self.bad_value(token, "expecting decimal number.")
            }
            Token::Name => {
                let token = self.next();
                if self.c_text().eq_ignore_ascii_case(b"true") {
                    Some(SetValue::Boolean(true))
                } else if self.c_text().eq_ignore_ascii_case(b"false") {
                    Some(SetValue::Boolean(false))
                } else {
                    self.bad_value(token, "expecting true or false")
                }
            }
            _ => self.bad_value(token, "expecting a constant value."),
        }
    }

    fn bad_value(&mut self, token: Token, message: &str) -> Option<SetValue> {
        self.warn(message, Consequence::RecordLost);
        if token != SEMICOLON {
            self.skip_to_semi();
        }
        None
    }

    /// Parses an IPv6 address: tokens without white space between them, which dhcpd passes to `inet_pton`.
    pub(crate) fn ip6(&mut self) -> Option<std::net::Ipv6Addr> {
        const LONGEST: usize = 45;
        let mut text = Vec::new();
        let mut token = self.peek();
        loop {
            let fits = match token {
                Token::Name | Token::NumberOrName => {
                    self.c_text().iter().all(u8::is_ascii_hexdigit)
                }
                Token::Number | Token::Keyword(Keyword::Add) | Token::Char(b'.' | b':') => true,
                _ => false,
            };
            if !fits {
                break;
            }
            self.next_raw();
            if text.len() + self.c_text().len() > LONGEST {
                text.clear();
                break;
            }
            text.extend_from_slice(self.c_text());
            token = self.peek_raw();
        }
        let address = std::str::from_utf8(&text).ok().and_then(|text| text.parse().ok());
        if address.is_none() {
            self.warn("Invalid IPv6 address.", Consequence::RecordLost);
            self.skip_to_semi();
        }
        address
    }
}
