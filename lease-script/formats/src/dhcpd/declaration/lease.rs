//! `lease` declarations (`parse_lease_declaration` of server/confpars.c).

use std::io::Read;
use std::net::Ipv4Addr;

use super::class::billed;
use super::declarations::{Declarations, ParseRules};
use super::value::state_word;
use crate::dhcpd::diagnostic::Consequence;
use crate::dhcpd::keyword::Keyword;
use crate::dhcpd::lease::{BindingState, Lease};
use crate::dhcpd::lexer::{CLOSE, SEMICOLON, Token};
use crate::dhcpd::warning::Warning;

/// Bits of dhcpd's `seenmask`.
mod seen {
    pub(super) const NEXT: u32 = 128;
    pub(super) const BINDING: u32 = 256;
    pub(super) const REWIND: u32 = 512;
    pub(super) const TSTP: u32 = 65536;
    pub(super) const EXPIRY: u32 = 16384;
    pub(super) const RELEASE: u32 = 32768;
}

/// The length to which dhcpd truncates a word in a message.
const WORD: usize = 31;

impl<R: Read> Declarations<R> {
    /// Reads the rest of a lease. Returns `None` if dhcpd drops it.
    pub(crate) fn lease(&mut self) -> Option<Lease> {
        let bytes = self.lexer.aggregate(4, b'.', 10)?;
        if !self.lexer.open_brace() {
            return None;
        }
        let address = Ipv4Addr::from(<[u8; 4]>::try_from(bytes).ok()?);
        self.lexer.subject = Some(format!("lease {address}"));
        let mut lease = Lease::new(address);
        let mut seen = 0u32;
        self.named_state = false;
        loop {
            let token = self.lexer.next();
            if token == CLOSE {
                break;
            }
            if token == Token::End {
                self.lexer.warn("unexpected end of file", Consequence::PartialRecordKept);
                break;
            }
            let text = self.lexer.c_text();
            let word = String::from_utf8_lossy(&text[..text.len().min(WORD)]).into_owned();
            let bit = self.lease_statement(token, &mut lease, seen)?;
            if seen & bit != 0 {
                self.lexer.warn(
                    format!("Too many {word} parameters in lease {address}"),
                    Consequence::ValueChanged,
                );
            } else {
                seen |= bit;
            }
        }
        if seen & seen::BINDING == 0 {
            Self::derive_state(&self.rules, &mut lease);
        } else if !self.named_state {
            lease.state = BindingState::Bogus;
        }
        if seen & seen::NEXT != 0 && lease.next_state.is_none() {
            lease.next_state = Some(BindingState::Bogus);
        }
        if seen & seen::TSTP == 0 {
            lease.tstp = lease.ends;
        }
        Some(lease)
    }

    /// Sets the state of a lease in the old format, which has no states. dhcpd derives the state from its clock.
    pub(crate) fn derive_state(rules: &ParseRules, lease: &mut Lease) {
        let active =
            lease.ends.0 > rules.now || lease.on_expiry.is_some() || lease.on_release.is_some();
        lease.state = if active { BindingState::Active } else { BindingState::Free };
        lease.next_state = Some(BindingState::Free);
        lease.rewind_state = Some(lease.state);
    }

    /// Reads one statement. Returns its bit in `seenmask`, or `None` if the lease is dropped.
    #[expect(clippy::too_many_lines, reason = "the cases of a switch in parse_lease_declaration")]
    pub(crate) fn lease_statement(
        &mut self,
        token: Token,
        lease: &mut Lease,
        seen: u32,
    ) -> Option<u32> {
        let Token::Keyword(keyword) = token else {
            return self.other_statement(lease);
        };
        Some(match keyword {
            Keyword::Starts => {
                lease.starts = self.lexer.date();
                1
            }
            Keyword::Ends => {
                lease.ends = self.lexer.date();
                2
            }
            Keyword::Tstp => {
                lease.tstp = self.lexer.date();
                seen::TSTP
            }
            Keyword::Tsfp => {
                lease.tsfp = self.lexer.date();
                131_072
            }
            Keyword::Atsfp => {
                lease.atsfp = self.lexer.date();
                262_144
            }
            Keyword::Cltt => {
                lease.cltt = self.lexer.date();
                524_288
            }
            Keyword::Uid => {
                if self.lexer.peek() == Token::String {
                    self.lexer.next();
                    lease.uid = self.lexer.text().to_vec();
                } else {
                    lease.uid = self.lexer.aggregate(0, b':', 16)?;
                }
                self.lexer.semi();
                8
            }
            Keyword::Class => {
                let token = self.lexer.next();
                if !token.is_identifier() {
                    if token != SEMICOLON {
                        self.lexer.skip_to_rbrace(1);
                    }
                    return None;
                }
                self.lexer.semi();
                32
            }
            Keyword::Hardware => {
                let previous = lease.hardware.take();
                lease.hardware = self.lexer.hardware(previous);
                64
            }
            Keyword::Reserved => {
                lease.reserved = true;
                self.lexer.semi();
                0
            }
            Keyword::DynamicBootp => {
                lease.bootp = true;
                self.lexer.semi();
                0
            }
            Keyword::Abandoned => {
                self.named_state = true;
                lease.state = BindingState::Abandoned;
                lease.next_state = Some(BindingState::Abandoned);
                self.lexer.semi();
                seen::BINDING
            }
            Keyword::Next | Keyword::Rewind => {
                let bit = if keyword == Keyword::Next { seen::NEXT } else { seen::REWIND };
                if self.lexer.next() != Token::Keyword(Keyword::Binding) {
                    self.lexer.warn("expecting 'binding'", Consequence::StatementLost);
                    self.lexer.skip_to_semi();
                    return Some(bit);
                }
                return self.binding(lease, bit, seen);
            }
            Keyword::Binding => return self.binding(lease, seen::BINDING, seen),
            Keyword::ClientHostname => {
                self.client_hostname(lease)?;
                1024
            }
            Keyword::Billing => {
                self.billing(lease);
                2048
            }
            Keyword::On => self.on(lease)?,
            Keyword::Option | Keyword::Supersede => {
                self.agent_option(lease);
                0
            }
            Keyword::Set => {
                let token = self.lexer.next();
                if token != Token::Name && token != Token::NumberOrName {
                    let word = self.lexer.shown();
                    self.lexer
                        .warn(format!("{word} can't be a variable name"), Consequence::RecordLost);
                    self.lexer.skip_to_semi();
                    return None;
                }
                let name = self.lexer.c_text().to_vec();
                self.set(lease, &name, true)?;
                0
            }
            _ => return self.other_statement(lease),
        })
    }

    fn other_statement(&mut self, lease: &mut Lease) -> Option<u32> {
        let name = self.lexer.c_text().to_vec();
        for (known, bit) in [(&b"ddns-fwd-name"[..], 4096), (b"ddns-rev-name", 8192)] {
            if name.eq_ignore_ascii_case(known) {
                self.set(lease, &name, false)?;
                return Some(bit);
            }
        }
        self.lexer.warn("Unexpected configuration directive.", Consequence::RecordLost);
        self.lexer.skip_to_semi();
        None
    }

    fn binding(&mut self, lease: &mut Lease, bit: u32, seen: u32) -> Option<u32> {
        if self.lexer.next() != Token::Keyword(Keyword::State) {
            self.lexer.warn("expecting 'state'", Consequence::StatementLost);
            self.lexer.skip_to_semi();
            return Some(bit);
        }
        let token = self.lexer.next();
        let state = match token {
            Token::Keyword(Keyword::Reserved) => {
                lease.reserved = true;
                BindingState::Active
            }
            Token::Keyword(Keyword::Bootp) => {
                lease.bootp = true;
                BindingState::Active
            }
            _ => {
                let Some(state) = state_word(token) else {
                    let word = self.lexer.shown();
                    self.lexer.warn(
                        format!("{word}: expecting a binding state."),
                        Consequence::RecordLost,
                    );
                    self.lexer.skip_to_semi();
                    return None;
                };
                state
            }
        };
        match bit {
            seen::NEXT => lease.next_state = Some(state),
            seen::REWIND => lease.rewind_state = Some(state),
            _ => {
                lease.state = state;
                self.named_state = true;
                if seen & seen::NEXT == 0 {
                    lease.next_state = Some(state);
                }
                if seen & seen::REWIND == 0 {
                    lease.rewind_state = Some(state);
                }
            }
        }
        self.lexer.semi();
        Some(bit)
    }

    fn client_hostname(&mut self, lease: &mut Lease) -> Option<()> {
        if self.lexer.peek() == Token::String {
            self.lexer.next();
            let name = self.lexer.c_text().to_vec();
            if !self.lexer.semi() {
                return None;
            }
            lease.hostname = Some(name);
        } else {
            let Some(name) = self.lexer.host_name() else {
                self.lexer.warn("expecting a hostname.", Consequence::RecordLost);
                self.lexer.skip_to_semi();
                return None;
            };
            lease.hostname = Some(name);
            self.lexer.semi();
        }
        Some(())
    }

    fn billing(&mut self, lease: &mut Lease) {
        match self.lexer.next() {
            Token::Keyword(Keyword::Class) => {
                let token = self.lexer.next();
                if token != Token::String {
                    self.lexer.warn("expecting string", Consequence::StatementLost);
                    if token != SEMICOLON {
                        self.lexer.skip_to_semi();
                    }
                    return;
                }
                let name = self.lexer.c_text().to_vec();
                if self.knows_class(&name) {
                    lease.billing = Some(billed(&name, None));
                } else {
                    let name = self.lexer.shown();
                    self.lexer.warn(Warning::UnknownClass(name), Consequence::StatementLost);
                }
                self.lexer.semi();
            }
            Token::Keyword(Keyword::Subclass) => {
                if let Some(class) = self.class(true) {
                    lease.billing = Some(class);
                }
            }
            token => {
                self.lexer.warn("expecting \"class\"", Consequence::StatementLost);
                if token != SEMICOLON {
                    self.lexer.skip_to_semi();
                }
            }
        }
    }

    fn on(&mut self, lease: &mut Lease) -> Option<u32> {
        let Some(block) = self.lexer.on_statement(0, self.rules.loose_blocks) else {
            self.lexer.skip_to_rbrace(1);
            return None;
        };
        let mut bit = 0;
        if block.is_empty {
            return Some(bit);
        }
        if block.events.expiry {
            bit |= seen::EXPIRY;
            lease.on_expiry = Some(block.text.clone());
        }
        if block.events.release {
            bit |= seen::RELEASE;
            lease.on_release = Some(block.text);
        }
        Some(bit)
    }

    fn set(&mut self, lease: &mut Lease, name: &[u8], equal: bool) -> Option<()> {
        if equal && self.lexer.next() != Token::Char(b'=') {
            self.lexer.warn("expecting '=' in set statement.", Consequence::RecordLost);
            self.lexer.skip_to_semi();
            return None;
        }
        let value = self.lexer.set_value()?;
        self.variables.set(&mut lease.set, name, value);
        self.lexer.semi();
        Some(())
    }
}
