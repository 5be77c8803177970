//! `ia-na`, `ia-ta` and `ia-pd` declarations (`parse_ia_na_declaration` and similar functions of server/confpars.c).

use std::collections::HashMap;
use std::io::Read;
use std::net::Ipv6Addr;

use super::contents::{ByteOrder, Family, Subject};
use super::declarations::Declarations;
use super::value::state_word;
use crate::dhcpd::diagnostic::Consequence;
use crate::dhcpd::history::Declared;
use crate::dhcpd::ia::{Ia, IaAddress};
use crate::dhcpd::ia_kind::IaKind;
use crate::dhcpd::keyword::Keyword;
use crate::dhcpd::lease::{BindingState, Date};
use crate::dhcpd::lexer::{CLOSE, OPEN, SEMICOLON, Token};
use crate::dhcpd::parser::atoi;
use crate::dhcpd::warning::Warning;

/// Returns the kind of association that a keyword declares.
fn kind_of(keyword: Keyword) -> IaKind {
    match keyword {
        Keyword::IaTa => IaKind::Temporary,
        Keyword::IaPd => IaKind::Prefix,
        _ => IaKind::NonTemporary,
    }
}

impl<R: Read> Declarations<R> {
    /// Reads the rest of an identity association without entering it.
    pub(crate) fn trial_ia(&mut self, keyword: Keyword) -> Option<Ia> {
        let kind = kind_of(keyword);
        self.lexer.subject = Some(kind.declaration_word().to_owned());
        self.ia(kind)
    }

    pub(super) fn any_ia(&mut self, keyword: Keyword) {
        let kind = kind_of(keyword);
        if self.rules.family == Family::V4 {
            self.lexer.warn(
                format!("{} is only supported in DHCPv6 mode.", kind.option_name()),
                Consequence::RecordLost,
            );
            self.lexer.skip_to_semi();
            return;
        }
        self.lexer.subject = Some(kind.declaration_word().to_owned());
        match self.ia(kind) {
            Some(ia) => self.enter_ia(ia),
            None => self.contents.counts.rejected += 1,
        }
    }

    pub(crate) fn enter_ia(&mut self, ia: Ia) {
        self.contents.counts.declarations += 1;
        if self.rules.history.is_some_and(|history| history.wants_ia(&ia)) {
            self.record_history(Declared::Ia(Box::new(ia.clone())));
        }
        let lost = self.lexer.take_lost_statements();
        self.contents.record_lost_statements(lost, || Subject::Association(ia.kind, ia.id.clone()));
        if ia.addresses.is_empty() {
            self.contents.ias.remove(ia.kind, &ia.id);
            return;
        }
        let kind = ia.kind;
        let held: Vec<_> =
            ia.addresses.iter().map(|held| (held.address, self.pool6(kind, held))).collect();
        self.contents.ias.put(ia);
        for (address, pool) in held {
            self.contents.ias.add_holder(kind, address, pool.flatten());
        }
    }

    /// Returns the pool of an address: `None` if no pool contains it, `Some(None)` without a configuration.
    #[expect(clippy::option_option, reason = "no pool and no pools are different")]
    fn pool6(&self, kind: IaKind, held: &IaAddress) -> Option<Option<usize>> {
        let Some(config) = self.rules.config.as_ref().filter(|_| self.rules.pools) else {
            return Some(None);
        };
        config.network(kind, held.address, u32::from(held.prefix_length)).map(Some)
    }

    fn corrupt_ia(&mut self, message: &str) {
        self.lexer.warn(format!("corrupt lease file; {message}"), Consequence::RecordLost);
        self.lexer.skip_to_semi();
    }

    fn ia(&mut self, kind: IaKind) -> Option<Ia> {
        /// Maximum length of an IAID and a DUID together.
        const LONGEST: usize = 132;
        let mut id = self.lexer.string_or_hex(LONGEST);
        if id.len() <= 5 {
            self.corrupt_ia("iaid+ia_xx string too short");
            return None;
        }
        self.order_iaid(&mut id);
        let mut ia = Ia { kind, id, cltt: Date::ABSENT, addresses: Vec::new() };
        // For each address that is no longer in use, the number of addresses before it in the list.
        let mut released: HashMap<Ipv6Addr, usize> = HashMap::new();
        if self.lexer.next() != OPEN {
            self.corrupt_ia("expecting left brace");
            return None;
        }
        loop {
            let wanted = if kind == IaKind::Prefix { Keyword::Iaprefix } else { Keyword::Iaaddr };
            match self.lexer.next() {
                CLOSE => {
                    let mut places = 0..;
                    ia.addresses.retain(|held| {
                        let place = places.next();
                        released.get(&held.address).is_none_or(|end| place >= Some(*end))
                    });
                    return Some(ia);
                }
                Token::Keyword(Keyword::Cltt) => ia.cltt = self.lexer.date(),
                Token::Keyword(keyword) if keyword == wanted => {
                    let address = self.ia_address(kind)?;
                    let Some(pool) = self.pool6(kind, &address) else {
                        self.no_pool6(kind, &address);
                        continue;
                    };
                    let (id, at) = (&ia.id, address.address);
                    let lives =
                        matches!(address.state, BindingState::Active | BindingState::Abandoned);
                    if self.rules.pools && !lives {
                        self.contents.ias.release(kind, id, at);
                        released.insert(at, ia.addresses.len());
                        continue;
                    }
                    if self.rules.pools && self.contents.ias.take_from_other(kind, id, at, pool) {
                        let name = kind.short_name();
                        self.lexer.warn(
                            format!("duplicate {name} lease for address {at}"),
                            Consequence::ValueChanged,
                        );
                    }
                    ia.addresses.push(address);
                }
                _ => {
                    self.corrupt_ia(if kind == IaKind::Prefix {
                        "expecting IAPREFIX or right brace"
                    } else {
                        "expecting IAADDR or right brace"
                    });
                    return None;
                }
            }
        }
    }

    fn no_pool6(&mut self, kind: IaKind, address: &IaAddress) {
        let at = address.address;
        let message = match kind {
            IaKind::Prefix => {
                format!("No pool found for prefix {at}/{}", address.prefix_length)
            }
            _ => format!("No pool found for {} address {at}", kind.option_name()),
        };
        self.lexer.warn(message, Consequence::Unconfigured);
    }

    /// Converts a big-endian IAID to little-endian byte order (`parse_byte_order_uint32`).
    fn order_iaid(&mut self, id: &mut [u8]) {
        match self.contents.byte_order {
            None => {
                self.lexer.warn(
                    "WARNING: authoring-byte-order not in the lease file.",
                    Consequence::Nothing,
                );
                self.contents.byte_order = Some(ByteOrder::Little);
            }
            Some(ByteOrder::Big) => id[..4].reverse(),
            Some(ByteOrder::Little) => {}
        }
    }

    fn ia_address(&mut self, kind: IaKind) -> Option<IaAddress> {
        let Some((address, prefix_length)) = self.ia_target(kind) else {
            self.corrupt_ia(if kind == IaKind::Prefix {
                "expecting IPv6 prefix"
            } else {
                "expecting IPv6 address"
            });
            return None;
        };
        self.lexer.subject = Some(format!("address {address}"));
        if self.lexer.next() != OPEN {
            self.corrupt_ia("expecting left brace");
            return None;
        }
        let mut held = IaAddress {
            address,
            prefix_length,
            state: BindingState::Free,
            preferred: 0,
            max: 0,
            ends: Date::ABSENT,
            set: Vec::new(),
            on: Vec::new(),
        };
        let (mut state, mut ends) = (None, None);
        loop {
            match self.lexer.next() {
                CLOSE => break,
                Token::End => {
                    self.lexer.warn(
                        "corrupt lease file; unexpected end of file",
                        Consequence::RecordLost,
                    );
                    return None;
                }
                Token::Keyword(Keyword::Binding) => state = Some(self.ia_state()?),
                Token::Keyword(Keyword::PreferredLife) => {
                    if let Some(life) = self.life("preferred") {
                        held.preferred = life;
                    }
                }
                Token::Keyword(Keyword::MaxLife) => {
                    if let Some(life) = self.life("max") {
                        held.max = life;
                    }
                }
                Token::Keyword(Keyword::Ends) => ends = Some(self.lexer.date()),
                Token::Keyword(Keyword::Set) => self.ia_set(&mut held)?,
                Token::Keyword(Keyword::On) => self.ia_on(&mut held)?,
                _ => {
                    let word = self.lexer.shown();
                    self.lexer.warn(
                        Warning::UnexpectedIaContents { kind, word },
                        Consequence::StatementLost,
                    );
                    self.lexer.skip_to_semi();
                }
            }
        }
        let part = kind.member_word();
        let Some(state) = state else {
            self.lexer.warn(
                format!("corrupt lease file; missing state in {part}"),
                Consequence::RecordLost,
            );
            return None;
        };
        let Some(ends) = ends.filter(|ends| ends.0 != -1) else {
            self.lexer.warn(
                format!("corrupt lease file; missing end time in {part}"),
                Consequence::RecordLost,
            );
            return None;
        };
        (held.state, held.ends) = (state, ends);
        Some(held)
    }

    fn ia_target(&mut self, kind: IaKind) -> Option<(Ipv6Addr, u8)> {
        let address = self.lexer.ip6()?;
        if kind != IaKind::Prefix {
            return Some((address, 0));
        }
        let token = self.lexer.next();
        if token != Token::Char(b'/') {
            return self.bad_prefix(token, "Slash expected.");
        }
        let token = self.lexer.next();
        if token != Token::Number {
            return self.bad_prefix(token, "Number expected.");
        }
        let Ok(length @ 0..=128) = u8::try_from(atoi(self.lexer.c_text())) else {
            return self.bad_prefix(Token::Number, "Invalid IPv6 prefix length.");
        };
        if length < 128 && u128::from(address) << length != 0 {
            return self.bad_prefix(Token::Number, "network mask too short.");
        }
        Some((address, length))
    }

    fn bad_prefix<T>(&mut self, token: Token, message: &str) -> Option<T> {
        self.lexer.warn(message, Consequence::RecordLost);
        if token != SEMICOLON {
            self.lexer.skip_to_semi();
        }
        None
    }

    fn ia_state(&mut self) -> Option<BindingState> {
        if self.lexer.next() != Token::Keyword(Keyword::State) {
            self.corrupt_ia("expecting state");
            return None;
        }
        let state = state_word(self.lexer.next())
            .filter(|state| !matches!(state, BindingState::Reset | BindingState::Backup));
        let Some(state) = state else {
            self.corrupt_ia("expecting a binding state.");
            return None;
        };
        if self.lexer.next() != SEMICOLON {
            self.lexer.warn("corrupt lease file; expecting semicolon.", Consequence::ValueChanged);
        }
        Some(state)
    }

    fn life(&mut self, what: &str) -> Option<u32> {
        if self.lexer.next() != Token::Number {
            let word = self.lexer.shown();
            self.lexer
                .warn(format!("{word} is not a valid {what} time"), Consequence::StatementLost);
            self.lexer.skip_to_semi();
            return None;
        }
        let life = atoi(self.lexer.c_text()) as u32;
        if self.lexer.peek() == SEMICOLON {
            self.lexer.next();
        } else {
            self.lexer.warn("corrupt lease file; expecting semicolon.", Consequence::Nothing);
        }
        Some(life)
    }

    fn ia_set(&mut self, held: &mut IaAddress) -> Option<()> {
        let token = self.lexer.next();
        if token != Token::Name && token != Token::NumberOrName {
            let word = self.lexer.shown();
            self.lexer
                .warn(format!("{word} is not a valid variable name"), Consequence::StatementLost);
            self.lexer.skip_to_semi();
            return Some(());
        }
        let name = self.lexer.c_text().to_vec();
        if self.lexer.next() != Token::Char(b'=') {
            self.lexer.warn("expecting '=' in set statement.", Consequence::RecordLost);
            return None;
        }
        let value = self.lexer.set_value()?;
        self.variables.set(&mut held.set, &name, value);
        self.lexer.semi();
        Some(())
    }

    fn ia_on(&mut self, held: &mut IaAddress) -> Option<()> {
        let Some(block) = self.lexer.on_statement(0, self.rules.loose_blocks) else {
            self.lexer.warn("corrupt lease file; bad ON statement", Consequence::RecordLost);
            self.lexer.skip_to_rbrace(1);
            return None;
        };
        let names: Vec<&'static str> =
            [("expiry", block.events.expiry), ("release", block.events.release)]
                .into_iter()
                .filter_map(|(name, there)| there.then_some(name))
                .collect();
        if !block.is_empty && !names.is_empty() {
            // A later block for the same event replaces an earlier one.
            for (earlier, _) in &mut held.on {
                earlier.retain(|name| !names.contains(name));
            }
            held.on.retain(|(earlier, _)| !earlier.is_empty());
            held.on.push((names, block.text));
            // dhcpd writes expiry before release.
            held.on.sort();
        }
        Some(())
    }
}
