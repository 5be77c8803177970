//! dhcpd's lexer (common/conflex.c of 4.4), including its bugs.
//!
//! The lexer reads characters as signed: byte 0xFF counts as the end of the file, and is consumed. A NUL is token 0, which
//! is lost when it is peeked. After a malformed escape sequence, a string contains a byte of the token read before it.

use std::io::Read;

use super::date_range::DateRange;
use super::diagnostic::{Consequence, Diagnostic, Diagnostics};
use super::input::{Input, Location};
use super::keyword::{Keyword, keyword};
use super::lease::Date;
use super::warning::Warning;

/// The size of dhcpd's token buffer. Strings are at least one byte shorter.
const BUFFER: usize = 1500;

/// The return value of [`Lexer::get`] at the end of the file.
const END: i16 = -1;

/// A token. [`Lexer::text`] returns its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Token {
    End,
    Nul,
    String,
    Number,
    /// A word with only hexadecimal digits after the first character.
    NumberOrName,
    Name,
    Keyword(Keyword),
    Char(u8),
    Space,
}

impl Token {
    /// Returns whether this is an identifier (`is_identifier` of includes/dhctoken.h).
    pub(crate) fn is_identifier(self) -> bool {
        matches!(self, Self::NumberOrName | Self::Name | Self::Keyword(_))
    }
}

pub(crate) const SEMICOLON: Token = Token::Char(b';');
pub(crate) const OPEN: Token = Token::Char(b'{');
pub(crate) const CLOSE: Token = Token::Char(b'}');

/// Returns whether a byte is white space for C's `isspace`.
pub(crate) const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

/// Appends a string constant. Escapes all bytes except printable ASCII.
pub fn put_string(out: &mut Vec<u8>, bytes: &[u8]) {
    out.push(b'"');
    for &byte in bytes {
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            b' '..=b'~' => out.push(byte),
            _ => out.extend_from_slice(&[
                b'\\',
                b'0' + (byte >> 6),
                b'0' + (byte >> 3 & 7),
                b'0' + (byte & 7),
            ]),
        }
    }
    out.push(b'"');
}

#[derive(Debug)]
pub(crate) struct Lexer<R> {
    pub(crate) input: Input<R>,
    pub(crate) diagnostics: Diagnostics,
    pub(crate) date_range: DateRange,
    /// The record that is being read, for the diagnostics.
    pub(crate) subject: Option<String>,
    /// Whether white space overflowed dhcpd's buffer, at which dhcpd exits.
    pub(crate) fatal: bool,
    peeked: Option<Token>,
    buffer: [u8; BUFFER],
    length: usize,
    /// The text of a one-byte token, which does not use the buffer.
    single: Option<[u8; 1]>,
    /// The locations of the last token lexed and of the last token consumed.
    lexed_at: Location,
    at: Location,
    /// Whether a token is being lexed. Warnings then point to it.
    lexing: bool,
    /// The tokens consumed since [`Lexer::record`], as text.
    recorded: Option<Vec<u8>>,
    /// Whether white space or a comment precedes the last token lexed.
    spaced: bool,
    /// The number of values and statements lost since the last [`Self::take_lost_statements`].
    lost: u32,
    trial: Trial,
}

/// Whether a declaration is read as a trial. A trial ends at the first loss.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trial {
    Off,
    /// The trial started at this offset.
    Running(u64),
    /// Something was lost. Every further token is the end of the file.
    Failed,
}

/// The number of bytes after which a trial stops skipping.
const TRIAL: u64 = 64 * 1024;

/// Returns whether a trial continues after this warning, because at most the affected statement is lost.
fn is_harmless(warning: &Warning, consequence: Consequence) -> bool {
    match consequence {
        Consequence::Nothing | Consequence::ValueChanged | Consequence::Unconfigured => true,
        Consequence::StatementLost | Consequence::ValueAbsent => warning.concerns_one_statement(),
        _ => false,
    }
}

impl<R: Read> Lexer<R> {
    pub(crate) fn new(input: Input<R>) -> Self {
        Self {
            input,
            diagnostics: Diagnostics::default(),
            date_range: DateRange::default(),
            subject: None,
            fatal: false,
            peeked: None,
            buffer: [0; BUFFER],
            length: 0,
            single: None,
            lexed_at: Location { offset: 0, line: 1, column: 1 },
            at: Location { offset: 0, line: 1, column: 1 },
            lexing: false,
            recorded: None,
            spaced: false,
            lost: 0,
            trial: Trial::Off,
        }
    }

    /// Begins a trial. After the first loss, every further token is the end of the file.
    pub(crate) fn begin_trial(&mut self) {
        self.trial = Trial::Running(self.input.offset());
    }

    /// Ends the trial. Returns whether nothing was lost.
    pub(crate) fn end_trial(&mut self) -> bool {
        let failed = self.has_failed();
        self.trial = Trial::Off;
        let fatal = std::mem::take(&mut self.fatal);
        !failed && !fatal
    }

    /// Makes a trial fail if skipping reaches the next record or exceeds the limit. Returns whether the trial has failed.
    pub(crate) fn stop_runaway_skip(&mut self, token: Token) -> bool {
        let is_record = matches!(
            token,
            Token::Keyword(Keyword::Lease | Keyword::IaNa | Keyword::IaTa | Keyword::IaPd)
        );
        if let Trial::Running(from) = self.trial
            && (is_record || self.input.offset() > from + TRIAL)
        {
            self.fail_trial();
        }
        self.has_failed()
    }

    fn has_failed(&self) -> bool {
        self.trial == Trial::Failed
    }

    /// Returns the number of values and statements lost since the last call.
    pub(crate) fn take_lost_statements(&mut self) -> u32 {
        std::mem::take(&mut self.lost)
    }

    /// Makes the trial fail, if there is one.
    pub(crate) fn fail_trial(&mut self) {
        if matches!(self.trial, Trial::Running(_)) {
            self.trial = Trial::Failed;
        }
    }

    /// Starts recording the tokens that are consumed.
    pub(crate) fn record(&mut self) {
        self.recorded = Some(Vec::new());
    }

    /// Starts recording with the last token consumed.
    pub(crate) fn record_from(&mut self, token: Token) {
        self.record();
        self.record_token(token);
    }

    /// Returns the tokens consumed since [`Self::record`], as text that is lexed as the same tokens.
    pub(crate) fn recorded(&mut self) -> Vec<u8> {
        self.recorded.take().unwrap_or_default()
    }

    fn record_token(&mut self, token: Token) {
        let Some(recorded) = &mut self.recorded else { return };
        if std::mem::take(&mut self.spaced) && !recorded.is_empty() {
            recorded.push(b' ');
        }
        let text = match &self.single {
            Some(byte) => &byte[..],
            None => &self.buffer[..self.length],
        };
        match token {
            Token::String => put_string(recorded, text),
            Token::End | Token::Nul | Token::Space => {}
            _ => recorded.extend_from_slice(text),
        }
    }

    /// Returns the text of the last token lexed.
    pub(crate) fn text(&self) -> &[u8] {
        match &self.single {
            Some(byte) => byte,
            None => &self.buffer[..self.length],
        }
    }

    /// Returns the text up to the first NUL, as C functions see it.
    pub(crate) fn c_text(&self) -> &[u8] {
        let text = self.text();
        &text[..memchr::memchr(0, text).unwrap_or(text.len())]
    }

    /// Returns the text for a message.
    pub(crate) fn shown(&self) -> String {
        String::from_utf8_lossy(self.c_text()).into_owned()
    }

    /// Returns the location of the last token consumed.
    pub(crate) fn location(&self) -> Location {
        self.at
    }

    /// Returns whether no token is peeked. The next token then starts at the position of the input.
    pub(crate) fn is_at_token_boundary(&self) -> bool {
        self.peeked.is_none()
    }

    /// Sets the location of the last token consumed to the byte before the position. Called after the fast path.
    pub(crate) fn skipped(&mut self) {
        self.lexed_at = self.input.location(1);
        self.at = self.lexed_at;
    }

    /// Drops a peeked token, after a jump or a rewind of the input.
    pub(crate) fn reset(&mut self) {
        self.peeked = None;
    }

    /// Reports a date that dhcpd reads as a different one without a line in its log.
    pub(crate) fn note_far_date(&mut self, read: Date) {
        let what = if read.is_never() { "never" } else { "another date" };
        self.diagnostics.push(Diagnostic {
            location: self.at,
            message: format!("a date after 2038, which dhcpd reads as {what}"),
            consequence: Consequence::ValueChanged,
            subject: self.subject.clone(),
            logged: false,
        });
    }

    pub(crate) fn warn(&mut self, warning: impl Into<Warning>, consequence: Consequence) {
        let location = if self.lexing { self.lexed_at } else { self.at };
        let warning = warning.into();
        if self.lexing || !is_harmless(&warning, consequence) {
            self.fail_trial();
        }
        self.lost +=
            u32::from(matches!(consequence, Consequence::ValueAbsent | Consequence::StatementLost));
        self.diagnostics.push(Diagnostic {
            location,
            message: warning.to_string(),
            consequence,
            subject: self.subject.clone(),
            logged: true,
        });
    }

    pub(crate) fn next(&mut self) -> Token {
        if self.has_failed() {
            return Token::End;
        }
        let mut token = match self.peeked.take() {
            Some(token) => token,
            None => self.lex(),
        };
        while token == Token::Space {
            token = self.lex();
        }
        self.at = self.lexed_at;
        self.record_token(token);
        token
    }

    pub(crate) fn peek(&mut self) -> Token {
        if self.has_failed() {
            return Token::End;
        }
        if let Some(token) = self.peeked
            && token != Token::Space
        {
            return token;
        }
        loop {
            let token = self.lex();
            if token != Token::Space {
                return self.keep(token);
            }
        }
    }

    /// Like [`Self::next`], but returns white space as a token.
    pub(crate) fn next_raw(&mut self) -> Token {
        let token = match self.peeked.take() {
            Some(token) => token,
            None => self.lex(),
        };
        self.at = self.lexed_at;
        token
    }

    pub(crate) fn peek_raw(&mut self) -> Token {
        if let Some(token) = self.peeked {
            return token;
        }
        let token = self.lex();
        self.keep(token)
    }

    /// Stores a peeked token. Token 0 cannot be peeked: dhcpd reads the next token instead.
    fn keep(&mut self, token: Token) -> Token {
        self.peeked = (token != Token::Nul).then_some(token);
        token
    }

    /// Reads a byte. Returns [`END`] at the end of the file and for byte 0xFF.
    #[inline]
    fn get(&mut self) -> i16 {
        match self.input.take() {
            Some(0xff) => {
                self.fail_trial();
                // The last byte of a file changes nothing. Whether this is the last byte is known only after reading on.
                if !self.input.window().is_empty() || self.input.extend() {
                    let location = self.input.location(1);
                    self.diagnostics.push(Diagnostic {
                        location,
                        message: "byte 0xFF".to_owned(),
                        consequence: Consequence::RestLost,
                        subject: self.subject.clone(),
                        logged: false,
                    });
                }
                END
            }
            Some(byte) => i16::from(byte),
            None => END,
        }
    }

    /// Puts a byte back. [`END`] stays consumed.
    #[inline]
    fn unget(&mut self, c: i16) {
        if c != END {
            self.input.step_back();
        }
    }

    fn lex(&mut self) -> Token {
        if self.has_failed() {
            return Token::End;
        }
        self.lexing = true;
        let token = self.lex_raw();
        self.lexing = false;
        token
    }

    fn lex_raw(&mut self) -> Token {
        if self.fatal {
            return Token::End;
        }
        loop {
            let c = self.get();
            let Ok(byte) = u8::try_from(c) else {
                return Token::End;
            };
            if is_space(byte) {
                self.spaced = true;
                return self.white_space(byte);
            }
            if byte == b'#' {
                self.spaced = true;
                self.comment();
                continue;
            }
            self.lexed_at = self.input.location(1);
            return match byte {
                b'"' => self.string(),
                b'0'..=b'9' | b'-' => self.number(byte),
                b'a'..=b'z' | b'A'..=b'Z' => self.word(byte),
                _ => {
                    self.single = Some([byte]);
                    if byte == 0 {
                        self.fail_trial();
                        Token::Nul
                    } else {
                        Token::Char(byte)
                    }
                }
            };
        }
    }

    fn comment(&mut self) {
        loop {
            let c = self.get();
            if c == END || c == i16::from(b'\n') {
                return;
            }
        }
    }

    fn white_space(&mut self, first: u8) -> Token {
        self.single = None;
        let mut length = 0;
        let mut byte = first;
        loop {
            if length >= BUFFER - 1 {
                self.warn("whitespace too long, buffer overflow.", Consequence::Refused);
                self.fatal = true;
                return Token::End;
            }
            self.buffer[length] = byte;
            length += 1;
            let c = self.get();
            let Ok(next) = u8::try_from(c) else {
                return Token::End;
            };
            if !is_space(next) {
                self.unget(c);
                // A later malformed escape sequence may expose this NUL.
                self.buffer[length] = 0;
                self.length = length;
                return Token::Space;
            }
            byte = next;
        }
    }

    fn string(&mut self) -> Token {
        self.single = None;
        let mut length = 0;
        // 0: plain text; 1: after a backslash; 2, 3: after the first or second digit of a numeric escape.
        let mut escape = 0u8;
        let mut hex = false;
        let mut value = 0u32;
        'bytes: while length < BUFFER {
            loop {
                let c = self.get();
                let Ok(byte) = u8::try_from(c) else {
                    self.warn("eof in string constant", Consequence::ValueChanged);
                    break 'bytes;
                };
                match (escape, byte) {
                    (0, b'\\') => {
                        escape = 1;
                        continue;
                    }
                    (0, b'"') => break 'bytes,
                    (0, _) => self.buffer[length] = byte,
                    (1, b'0'..=b'3') => {
                        hex = false;
                        value = u32::from(byte - b'0');
                        escape = 2;
                        continue;
                    }
                    (1, b'x') => {
                        hex = true;
                        value = 0;
                        escape = 2;
                        continue;
                    }
                    (1, _) => {
                        self.buffer[length] = match byte {
                            b't' => b'\t',
                            b'r' => b'\r',
                            b'n' => b'\n',
                            b'b' => 8,
                            other => other,
                        };
                        escape = 0;
                    }
                    (_, _) if hex => {
                        let Some(digit) = (byte as char).to_digit(16) else {
                            self.warn(
                                format!("invalid hex digit: {byte:x}"),
                                Consequence::ValueChanged,
                            );
                            escape = 0;
                            break;
                        };
                        value = value * 16 + digit;
                        escape += 1;
                        if escape < 4 {
                            continue;
                        }
                        self.buffer[length] = value as u8;
                        escape = 0;
                    }
                    (_, _) => {
                        if let b'0'..=b'7' = byte {
                            value = value * 8 + u32::from(byte - b'0');
                        } else if value != 0 {
                            self.warn(
                                format!("invalid octal digit {byte:x}"),
                                Consequence::ValueChanged,
                            );
                            break;
                        } else {
                            self.buffer[length] = 0;
                            escape = 0;
                        }
                        escape += 1;
                        if escape < 4 {
                            continue;
                        }
                        self.buffer[length] = value as u8;
                        escape = 0;
                    }
                }
                break;
            }
            length += 1;
        }
        if length == BUFFER {
            self.warn("string constant larger than internal buffer", Consequence::ValueChanged);
            length -= 1;
        }
        self.buffer[length] = 0;
        self.length = length;
        Token::String
    }

    fn number(&mut self, first: u8) -> Token {
        #[derive(PartialEq, PartialOrd)]
        enum Class {
            Number,
            NumberOrName,
            Name,
        }
        self.single = None;
        self.buffer[0] = first;
        let mut length = 1;
        let mut class = Class::Number;
        while length < BUFFER {
            let c = self.get();
            let byte = u8::try_from(c).ok().filter(u8::is_ascii);
            let Some(byte) = byte else {
                self.unget(c);
                return self.finish_number(length, class == Class::Name, class == Class::Number);
            };
            if class == Class::Number && byte.is_ascii_digit() {
            } else if byte.is_ascii_hexdigit()
                && (class < Class::Name
                    || (length == 2
                        && self.buffer[0] == b'0'
                        && matches!(self.buffer[1], b'x' | b'X')))
            {
                class = Class::NumberOrName;
            } else if byte == b'-' || byte == b'_' || byte.is_ascii_alphanumeric() {
                class = Class::Name;
            } else {
                self.unget(c);
                return self.finish_number(length, class == Class::Name, class == Class::Number);
            }
            self.buffer[length] = byte;
            length += 1;
        }
        self.warn("numeric token larger than internal buffer", Consequence::ValueChanged);
        self.finish_number(length - 1, class == Class::Name, class == Class::Number)
    }

    fn finish_number(&mut self, length: usize, name: bool, number: bool) -> Token {
        self.buffer[length] = 0;
        self.length = length;
        if number {
            Token::Number
        } else if name {
            Token::Name
        } else {
            Token::NumberOrName
        }
    }

    fn word(&mut self, first: u8) -> Token {
        self.single = None;
        self.buffer[0] = first;
        let mut length = 1;
        let mut token = Token::NumberOrName;
        loop {
            if length == BUFFER {
                self.warn("token larger than internal buffer", Consequence::ValueChanged);
                length -= 1;
                break;
            }
            let c = self.get();
            let byte = u8::try_from(c).ok();
            let Some(byte) =
                byte.filter(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
            else {
                self.unget(c);
                break;
            };
            if !byte.is_ascii_hexdigit() {
                token = Token::Name;
            }
            self.buffer[length] = byte;
            length += 1;
        }
        self.buffer[length] = 0;
        self.length = length;
        keyword(&self.buffer[..length]).map_or(token, Token::Keyword)
    }
}
