//! Classes, subclasses, hosts and groups.

use std::io::Read;

use super::declarations::Declarations;
use crate::dhcpd::diagnostic::Consequence;
use crate::dhcpd::keyword::Keyword;
use crate::dhcpd::lexer::{CLOSE, SEMICOLON, Token, put_string};
use crate::dhcpd::warning::Warning;

/// Returns the text of a `billing` statement for a class, or for a subclass if there is a key.
pub(crate) fn billed(class: &[u8], key: Option<&[u8]>) -> Vec<u8> {
    let mut text = if key.is_some() { b"subclass ".to_vec() } else { b"class ".to_vec() };
    put_string(&mut text, class);
    if let Some(key) = key {
        text.push(b' ');
        put_string(&mut text, key);
    }
    text
}

impl<R: Read> Declarations<R> {
    /// Parses a class, or a subclass with its key, with or without a body. Returns the text of a `billing` statement for it.
    pub(super) fn class(&mut self, subclass: bool) -> Option<Vec<u8>> {
        if self.lexer.next() != Token::String {
            self.lexer.warn("Expecting class name", Consequence::Skipped);
            self.lexer.skip_to_semi();
            return None;
        }
        let name = self.lexer.c_text().to_vec();
        let mut key = None;
        if subclass {
            if !self.knows_class(&name) {
                let name = self.lexer.shown();
                self.lexer.warn(Warning::NoSuchClass(name), Consequence::StatementLost);
                self.lexer.skip_to_semi();
                return None;
            }
            key = Some(match self.lexer.peek() {
                Token::String => {
                    self.lexer.next();
                    self.lexer.text().to_vec()
                }
                Token::Number | Token::NumberOrName => self.lexer.hex_list()?,
                _ => {
                    self.lexer.warn("Expecting string or hex list.", Consequence::Skipped);
                    return None;
                }
            });
            if self.lexer.peek() == SEMICOLON {
                self.lexer.next();
                return Some(billed(&name, key.as_deref()));
            }
        }
        if !self.lexer.open_brace() {
            return None;
        }
        let whole = self.body();
        let billed = billed(&name, key.as_deref());
        if !subclass {
            self.classes.insert(name);
        }
        whole.then_some(billed)
    }

    /// Skips the statements of a host, group or class up to the closing brace. Returns false if there is none.
    fn body(&mut self) -> bool {
        loop {
            match self.lexer.peek() {
                CLOSE => {
                    self.lexer.next();
                    return true;
                }
                Token::End => {
                    self.lexer.next();
                    self.lexer.warn("unexpected end of file", Consequence::PartialRecordKept);
                    return false;
                }
                Token::Keyword(Keyword::Lease) => {
                    // `lease limit 4;`, or a record after a missing brace.
                    self.lexer.next();
                    if self.lexer.peek() == Token::Number {
                        self.lexer.fail_trial();
                    }
                    self.lexer.skip_to_semi();
                }
                _ => self.lexer.skip_to_semi(),
            }
        }
    }

    pub(super) fn host(&mut self) -> bool {
        if self.lexer.host_name().is_none() {
            self.lexer.warn("expecting a name for host declaration.", Consequence::Skipped);
            self.lexer.skip_to_semi();
            return false;
        }
        self.lexer.open_brace() && self.body()
    }

    pub(super) fn group(&mut self) -> bool {
        let token = self.lexer.peek();
        if token.is_identifier() || token == Token::String {
            self.lexer.next();
        }
        self.lexer.open_brace() && self.body()
    }
}
