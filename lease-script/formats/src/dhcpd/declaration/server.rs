//! `server-duid` and `authoring-byte-order` statements.

use std::io::Read;

use super::contents::ByteOrder;
use super::declarations::Declarations;
use crate::dhcpd::diagnostic::Consequence;
use crate::dhcpd::history::{Declared, History};
use crate::dhcpd::keyword::Keyword;
use crate::dhcpd::lexer::{SEMICOLON, Token};

impl<R: Read> Declarations<R> {
    pub(super) fn server_duid(&mut self) {
        /// Maximum length of a DUID.
        const LONGEST: usize = 128;
        let duid = self.lexer.string_or_hex(LONGEST);
        if duid.len() <= 2 {
            self.lexer.warn("Invalid duid contents", Consequence::Skipped);
            self.lexer.skip_to_semi();
            return;
        }
        self.contents.server_duid = Some(duid);
        self.lexer.semi();
        if self.rules.history == Some(History::All) {
            self.record_history(Declared::ServerDuid);
        }
    }

    pub(super) fn byte_order(&mut self) {
        if let Some(known) = self.contents.byte_order {
            let same = match known {
                ByteOrder::Little => self.lexer.peek_is(Keyword::LittleEndian),
                ByteOrder::Big => self.lexer.peek_is(Keyword::BigEndian),
            };
            let consequence = if same { Consequence::Nothing } else { Consequence::ValueChanged };
            self.lexer.warn("authoring-byte-order specified too late.", consequence);
            self.lexer.skip_to_semi();
            return;
        }
        let order = match self.lexer.next() {
            Token::Keyword(Keyword::LittleEndian) => ByteOrder::Little,
            Token::Keyword(Keyword::BigEndian) => ByteOrder::Big,
            _ => {
                self.lexer.warn(
                    "authoring-byte-order is invalid:  it must be big-endian or little-endian.",
                    Consequence::StatementLost,
                );
                self.lexer.skip_to_semi();
                return;
            }
        };
        self.contents.byte_order = Some(order);
        if order == ByteOrder::Big {
            self.lexer.warn(
                "WARNING: Lease file authored using different byte order, will attempt to convert",
                Consequence::Nothing,
            );
        }
        if self.lexer.next() != SEMICOLON {
            self.lexer.warn("corrupt lease file; expecting a semicolon", Consequence::Skipped);
            self.lexer.skip_to_semi();
        }
    }
}
