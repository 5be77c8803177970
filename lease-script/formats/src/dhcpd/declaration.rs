//! The declarations of a lease file as dhcpd 4.4 reads them (server/confpars.c), its recovery from
//! errors included: `lease_file_subparse` and what it calls.

use std::collections::{HashMap, HashSet};
use std::io::Read;
use std::net::Ipv4Addr;
use std::sync::Arc;

use super::config::{Config, IaKind};
use super::diagnostic::{Consequence, Diagnostic};
use super::history::{Declaration, Declared, History};
use super::ia::{Ia, IaAddress, IaTable};
use super::input::Location;
use super::keyword::Keyword;
use super::lease::{BindingState, Date, Lease, SetValue};
use super::lexer::{CLOSE, Lexer, OPEN, SEMICOLON, Token, put_string};
use super::non_lease::NonLeases;
use super::parser::atoi;
use super::table::LeaseTable;

/// Which protocol a file is of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Family {
    /// DHCPv4: `lease` declarations.
    #[default]
    V4,
    /// DHCPv6: `ia-na`, `ia-ta` and `ia-pd` declarations.
    V6,
}

/// The byte order of the server that wrote a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ByteOrder {
    /// `little-endian`, as nearly all servers are.
    Little,
    /// `big-endian`.
    Big,
}

/// A failover peer's state as the file has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PeerState {
    pub(crate) mine: Keyword,
    pub(crate) since: Date,
    pub(crate) mclt: Option<i64>,
}

/// Counts of one reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Declarations of leases that were entered.
    pub declarations: u64,
    /// Declarations that were dropped.
    pub rejected: u64,
    /// Times that something unknown stood at top level.
    pub corrupt: u64,
    /// Hosts, groups, classes, failover states.
    pub non_leases: u64,
}

impl Counts {
    pub(crate) fn add(&mut self, more: Self) {
        self.declarations += more.declarations;
        self.rejected += more.rejected;
        self.corrupt += more.corrupt;
        self.non_leases += more.non_leases;
    }
}

/// Everything that reading a file gathers.
#[derive(Debug)]
pub(crate) struct Gathered {
    pub(crate) leases: LeaseTable,
    pub(crate) ias: IaTable,
    pub(crate) counts: Counts,
    pub(crate) server_duid: Option<Vec<u8>>,
    pub(crate) byte_order: Option<ByteOrder>,
    /// By the name of the peer.
    pub(crate) peers: Vec<(Vec<u8>, PeerState)>,
    /// What [`Rules::history`] asks for.
    pub(crate) history: Vec<Declaration>,
    /// Hosts, groups, classes, failover states.
    pub(crate) non_leases: NonLeases,
    /// What the last declaration of a record goes without: how many values and statements.
    pub(crate) lost_statements: HashMap<Subject, u32>,
    /// The same of declarations that are no records.
    pub(crate) lost_outside_records: u64,
}

/// A record.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Subject {
    Lease(Ipv4Addr),
    Association(IaKind, Vec<u8>),
}

impl Gathered {
    /// Notes what the declaration of a record entered last goes without.
    pub(crate) fn record_lost_statements(&mut self, lost: u32, subject: impl FnOnce() -> Subject) {
        if lost > 0 {
            self.lost_statements.insert(subject(), lost);
        } else if !self.lost_statements.is_empty() {
            self.lost_statements.remove(&subject());
        }
    }
}

/// How declarations are entered.
#[derive(Debug, Clone)]
pub(crate) struct Rules {
    pub(crate) family: Family,
    pub(crate) now: i64,
    /// The configuration against which addresses are checked, in the server's reading.
    pub(crate) config: Option<Arc<Config>>,
    /// True to enter only what a pool of the configuration holds.
    pub(crate) pools: bool,
    /// True to read over `on` blocks brace by brace: their statements do not matter for the text.
    pub(crate) loose_blocks: bool,
    /// Which declarations to keep beside the last one of each address.
    pub(crate) history: Option<History>,
}

/// Why reading stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    End,
    /// The server would exit here.
    Fatal,
    /// A file read as DHCPv4 holds DHCPv6 declarations.
    OtherFamily,
}

pub(crate) struct Declarations<R> {
    pub(crate) lexer: Lexer<R>,
    pub(crate) rules: Rules,
    pub(crate) gathered: Gathered,
    /// Classes declared in the lease file itself.
    classes: HashSet<Vec<u8>>,
    /// True until the family is certain: see [`Stop::OtherFamily`].
    pub(crate) guess_family: bool,
    /// True once the lease being read named its binding state.
    named_state: bool,
    /// Where the declaration being read starts.
    pub(crate) started: Location,
}

/// Bits of dhcpd's `seenmask`.
mod seen {
    pub(super) const NEXT: u32 = 128;
    pub(super) const BINDING: u32 = 256;
    pub(super) const REWIND: u32 = 512;
    pub(super) const TSTP: u32 = 65536;
    pub(super) const EXPIRY: u32 = 16384;
    pub(super) const RELEASE: u32 = 32768;
}

/// The longest word that dhcpd repeats in a message about a statement.
const WORD: usize = 31;

/// The lexer's rule for a declared state word; `None` when it is none.
fn state_word(token: Token) -> Option<BindingState> {
    let Token::Keyword(keyword) = token else { return None };
    Some(match keyword {
        Keyword::Abandoned => BindingState::Abandoned,
        Keyword::Free => BindingState::Free,
        Keyword::Active => BindingState::Active,
        Keyword::Expired => BindingState::Expired,
        Keyword::Released => BindingState::Released,
        Keyword::Reset => BindingState::Reset,
        Keyword::Backup => BindingState::Backup,
        _ => return None,
    })
}

/// The kind of association that a keyword declares, and its names.
fn ia_names(keyword: Keyword) -> (IaKind, &'static str, &'static str) {
    match keyword {
        Keyword::IaTa => (IaKind::Temporary, "ia-ta", "IA_TA"),
        Keyword::IaPd => (IaKind::Prefix, "ia-pd", "IA_PD"),
        _ => (IaKind::NonTemporary, "ia-na", "IA_NA"),
    }
}

/// Sets a variable, over an earlier value of it; names are compared as dhcpd does.
pub(crate) fn set_variable(set: &mut Vec<(String, SetValue)>, name: &[u8], value: SetValue) {
    match set.iter_mut().find(|(held, _)| held.as_bytes().eq_ignore_ascii_case(name)) {
        Some((_, held)) => *held = value,
        None => set.push((String::from_utf8_lossy(name).into_owned(), value)),
    }
}

/// What a lease says that is billed to a class, or to a subclass by its key.
pub(crate) fn billed(class: &[u8], key: Option<&[u8]>) -> Vec<u8> {
    let mut text = if key.is_some() { b"subclass ".to_vec() } else { b"class ".to_vec() };
    put_string(&mut text, class);
    if let Some(key) = key {
        text.push(b' ');
        put_string(&mut text, key);
    }
    text
}

/// A number whose base is told by its beginning (`convert_num` of common/parse.c with base 0).
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
    pub(crate) fn new(lexer: Lexer<R>, rules: Rules, guess_family: bool) -> Self {
        Self {
            lexer,
            rules,
            gathered: Gathered {
                leases: LeaseTable::default(),
                ias: IaTable::default(),
                counts: Counts::default(),
                server_duid: None,
                byte_order: None,
                peers: Vec::new(),
                history: Vec::new(),
                non_leases: NonLeases::default(),
                lost_statements: HashMap::new(),
                lost_outside_records: 0,
            },
            classes: HashSet::new(),
            guess_family,
            named_state: false,
            started: Location::default(),
        }
    }

    /// Reads one declaration; `Some` when there is nothing more to read.
    pub(crate) fn declaration(&mut self) -> Option<Stop> {
        self.lexer.subject = None;
        self.lexer.take_lost_statements();
        let token = self.lexer.next();
        if self.lexer.fatal {
            return Some(Stop::Fatal);
        }
        self.started = self.lexer.location();
        match token {
            Token::End => return Some(Stop::End),
            Token::Keyword(Keyword::Lease) => {
                if let Some(lease) = self.lease() {
                    self.lexer.subject = None;
                    self.enter(&lease);
                } else {
                    self.gathered.counts.rejected += 1;
                    self.lexer.warn("possibly corrupt lease file", Consequence::RecordLost);
                }
            }
            Token::Keyword(keyword @ (Keyword::IaNa | Keyword::IaTa | Keyword::IaPd)) => {
                if self.guess_family {
                    return Some(Stop::OtherFamily);
                }
                self.any_ia(keyword);
            }
            _ => self.other(token),
        }
        self.lexer.fatal.then_some(Stop::Fatal)
    }

    /// A declaration that is no lease.
    pub(crate) fn other(&mut self, token: Token) {
        match token {
            Token::Keyword(
                keyword @ (Keyword::Class
                | Keyword::Subclass
                | Keyword::Host
                | Keyword::Group
                | Keyword::Failover),
            ) => {
                self.gathered.counts.non_leases += 1;
                self.lexer.record_from(token);
                let whole = match keyword {
                    Keyword::Class | Keyword::Subclass => {
                        self.class(keyword == Keyword::Subclass).is_some()
                    }
                    Keyword::Host => self.host(),
                    Keyword::Group => self.group(),
                    _ => self.failover(),
                };
                let text = self.lexer.recorded();
                if whole {
                    self.gathered.non_leases.put(keyword, text);
                }
            }
            Token::Keyword(Keyword::ServerDuid) => self.server_duid(),
            Token::Keyword(Keyword::AuthoringByteOrder) => self.byte_order(),
            _ => {
                self.gathered.counts.corrupt += 1;
                self.lexer.warn("Corrupt lease file - possible data loss!", Consequence::Skipped);
                self.lexer.skip_to_semi();
            }
        }
        self.gathered.lost_outside_records += u64::from(self.lexer.take_lost_statements());
    }

    /// True when a pool may keep the address; says so when none does.
    fn has_pool(&mut self, address: Ipv4Addr) -> bool {
        if !self.rules.pools {
            return true;
        }
        let known = self.rules.family == Family::V4
            && self
                .rules
                .config
                .as_ref()
                .is_none_or(|config| config.pool(u32::from(address)).is_some());
        if !known {
            let location = self.lexer.location();
            self.lexer.diagnostics.push(Diagnostic {
                location,
                message: format!("lease {address}: no subnet."),
                consequence: Consequence::Unconfigured,
                subject: None,
                logged: true,
            });
        }
        known
    }

    /// `enter_lease` of server/mdb.c.
    pub(crate) fn enter(&mut self, lease: &Lease) {
        self.gathered.counts.declarations += 1;
        if self.rules.history.is_some_and(|history| history.wants_lease(lease)) {
            self.remember(Declared::Lease(Box::new(lease.clone())));
        }
        let lost = self.lexer.take_lost_statements();
        if self.has_pool(lease.address) {
            self.gathered.leases.put(lease);
            self.gathered.record_lost_statements(lost, || Subject::Lease(lease.address));
        }
    }

    fn remember(&mut self, what: Declared) {
        let end = self.lexer.input.offset();
        self.gathered.history.push(Declaration { location: self.started, end, what });
    }

    /// True when billing to the class is possible: without a configuration, always.
    pub(crate) fn knows_class(&self, name: &[u8]) -> bool {
        self.classes.contains(name)
            || self.rules.config.as_ref().is_none_or(|config| config.classes.contains(name))
    }

    /// What follows `lease`; `None` when dhcpd drops it.
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
                self.lexer.warn("unexpected end of file", Consequence::HalfRecordKept);
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
            Self::make_up_state(&self.rules, &mut lease);
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

    /// The old dialect names no state: dhcpd makes one up from its clock.
    pub(crate) fn make_up_state(rules: &Rules, lease: &mut Lease) {
        let active =
            lease.ends.0 > rules.now || lease.on_expiry.is_some() || lease.on_release.is_some();
        lease.state = if active { BindingState::Active } else { BindingState::Free };
        lease.next_state = Some(BindingState::Free);
        lease.rewind_state = Some(lease.state);
    }

    /// One statement; the bit under which dhcpd counts it, `None` when the lease is dropped.
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
                    self.lexer.warn(format!("unknown class {name}"), Consequence::StatementLost);
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
        set_variable(&mut lease.set, name, value);
        self.lexer.semi();
        Some(())
    }

    /// An option statement: only relay agent options are kept (`parse_option_decl`).
    fn agent_option(&mut self, lease: &mut Lease) {
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
            self.lexer
                .warn(format!("no option named {name} in space agent"), Consequence::StatementLost);
            self.lexer.skip_to_semi();
            return;
        }
        // Codes that no option can have are read, and forgotten.
        let code = u8::try_from(code).ok().filter(|code| (1..=254).contains(code));
        if let Some(value) = self.agent_value(code.unwrap_or(255))
            && !value.is_empty()
            && let Some(code) = code
        {
            lease.agent.push((code, value));
        }
    }

    fn agent_value(&mut self, code: u8) -> Option<Vec<u8>> {
        /// dhcpd's buffer for the value of one option.
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
        self.lexer.warn("agent option expected.", Consequence::StatementLost);
    }

    /// What follows `ia-na` and the like, not entered yet.
    pub(crate) fn trial_ia(&mut self, keyword: Keyword) -> Option<Ia> {
        let (kind, name, _) = ia_names(keyword);
        self.lexer.subject = Some(name.to_owned());
        self.ia(kind)
    }

    fn any_ia(&mut self, keyword: Keyword) {
        let (kind, name, upper) = ia_names(keyword);
        if self.rules.family == Family::V4 {
            self.lexer.warn(
                format!("{upper} is only supported in DHCPv6 mode."),
                Consequence::RecordLost,
            );
            self.lexer.skip_to_semi();
            return;
        }
        self.lexer.subject = Some(name.to_owned());
        match self.ia(kind) {
            Some(ia) => self.enter_ia(ia),
            None => self.gathered.counts.rejected += 1,
        }
    }

    pub(crate) fn enter_ia(&mut self, ia: Ia) {
        self.gathered.counts.declarations += 1;
        if self.rules.history.is_some_and(|history| history.wants_ia(&ia)) {
            self.remember(Declared::Ia(Box::new(ia.clone())));
        }
        let lost = self.lexer.take_lost_statements();
        self.gathered.record_lost_statements(lost, || Subject::Association(ia.kind, ia.id.clone()));
        if ia.addresses.is_empty() {
            self.gathered.ias.remove(ia.kind, &ia.id);
            return;
        }
        let kind = ia.kind;
        let held: Vec<_> =
            ia.addresses.iter().map(|held| (held.address, self.pool6(kind, held))).collect();
        self.gathered.ias.put(ia);
        for (address, pool) in held {
            self.gathered.ias.hold(kind, address, pool.flatten());
        }
    }

    /// The pool of an address: `None` when no pool holds it, `Some(None)` without configuration.
    #[expect(clippy::option_option, reason = "no pool and no pools are different")]
    fn pool6(&self, kind: IaKind, held: &IaAddress) -> Option<Option<usize>> {
        let Some(config) = self.rules.config.as_ref().filter(|_| self.rules.pools) else {
            return Some(None);
        };
        config.network(kind, held.address, u32::from(held.prefix_length)).map(Some)
    }

    fn corrupt_ia(&mut self, complaint: &str) {
        self.lexer.warn(format!("corrupt lease file; {complaint}"), Consequence::RecordLost);
        self.lexer.skip_to_semi();
    }

    fn ia(&mut self, kind: IaKind) -> Option<Ia> {
        /// IAID and DUID at their longest.
        const LONGEST: usize = 132;
        let mut id = self.lexer.string_or_hex(LONGEST);
        if id.len() <= 5 {
            self.corrupt_ia("iaid+ia_xx string too short");
            return None;
        }
        self.order_iaid(&mut id);
        let mut ia = Ia { kind, id, cltt: Date::ABSENT, addresses: Vec::new() };
        if self.lexer.next() != OPEN {
            self.corrupt_ia("expecting left brace");
            return None;
        }
        loop {
            let wanted = if kind == IaKind::Prefix { Keyword::Iaprefix } else { Keyword::Iaaddr };
            match self.lexer.next() {
                CLOSE => return Some(ia),
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
                        self.gathered.ias.release(kind, id, at);
                        ia.addresses.retain(|held| held.address != at);
                        continue;
                    }
                    if self.rules.pools && self.gathered.ias.take_from_other(kind, id, at, pool) {
                        let name = match kind {
                            IaKind::NonTemporary => "na",
                            IaKind::Temporary => "ta",
                            IaKind::Prefix => "pd",
                        };
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
            IaKind::NonTemporary => format!("No pool found for IA_NA address {at}"),
            IaKind::Temporary => format!("No pool found for IA_TA address {at}"),
            IaKind::Prefix => {
                format!("No pool found for prefix {at}/{}", address.prefix_length)
            }
        };
        self.lexer.warn(message, Consequence::Unconfigured);
    }

    /// The IAID is kept in the byte order of this machine (`parse_byte_order_uint32`).
    fn order_iaid(&mut self, id: &mut [u8]) {
        match self.gathered.byte_order {
            None => {
                self.lexer.warn(
                    "WARNING: authoring-byte-order not in the lease file.",
                    Consequence::Nothing,
                );
                self.gathered.byte_order = Some(ByteOrder::Little);
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
                    let name = match kind {
                        IaKind::NonTemporary => "ia_na",
                        IaKind::Temporary => "ia_ta",
                        IaKind::Prefix => "ia_pd",
                    };
                    self.lexer.warn(
                        format!("corrupt lease file; expecting {name} contents, got '{word}'"),
                        Consequence::StatementLost,
                    );
                    self.lexer.skip_to_semi();
                }
            }
        }
        let part = if kind == IaKind::Prefix { "iaprefix" } else { "iaaddr" };
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

    fn ia_target(&mut self, kind: IaKind) -> Option<(std::net::Ipv6Addr, u8)> {
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

    fn bad_prefix<T>(&mut self, token: Token, complaint: &str) -> Option<T> {
        self.lexer.warn(complaint, Consequence::RecordLost);
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
        set_variable(&mut held.set, &name, value);
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
            // The latest block for an event replaces an earlier one.
            for (earlier, _) in &mut held.on {
                earlier.retain(|name| !names.contains(name));
            }
            held.on.retain(|(earlier, _)| !earlier.is_empty());
            held.on.push((names, block.text));
            // Written with expiry before release, whatever the order was.
            held.on.sort();
        }
        Some(())
    }

    fn server_duid(&mut self) {
        /// A DUID at its longest.
        const LONGEST: usize = 128;
        let duid = self.lexer.string_or_hex(LONGEST);
        if duid.len() <= 2 {
            self.lexer.warn("Invalid duid contents", Consequence::Skipped);
            self.lexer.skip_to_semi();
            return;
        }
        self.gathered.server_duid = Some(duid);
        self.lexer.semi();
        if self.rules.history == Some(History::All) {
            self.remember(Declared::ServerDuid);
        }
    }

    fn byte_order(&mut self) {
        if let Some(known) = self.gathered.byte_order {
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
        self.gathered.byte_order = Some(order);
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

    /// A class, or a subclass with its key; both with or without a body. What a lease that is billed to it says.
    fn class(&mut self, subclass: bool) -> Option<Vec<u8>> {
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
                self.lexer.warn(format!("no class named {name}"), Consequence::StatementLost);
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

    /// Statements of a host, a group or a class, up to the closing brace.
    fn body(&mut self) -> bool {
        loop {
            match self.lexer.peek() {
                CLOSE => {
                    self.lexer.next();
                    return true;
                }
                Token::End => {
                    self.lexer.next();
                    self.lexer.warn("unexpected end of file", Consequence::HalfRecordKept);
                    return false;
                }
                Token::Keyword(Keyword::Lease) => {
                    // `lease limit 4;`, or the next record.
                    self.lexer.next();
                    if self.lexer.peek() == Token::Number {
                        self.lexer.give_up();
                    }
                    self.lexer.skip_to_semi();
                }
                _ => self.lexer.skip_to_semi(),
            }
        }
    }

    fn host(&mut self) -> bool {
        if self.lexer.host_name().is_none() {
            self.lexer.warn("expecting a name for host declaration.", Consequence::Skipped);
            self.lexer.skip_to_semi();
            return false;
        }
        self.lexer.open_brace() && self.body()
    }

    fn group(&mut self) -> bool {
        let token = self.lexer.peek();
        if token.is_identifier() || token == Token::String {
            self.lexer.next();
        }
        self.lexer.open_brace() && self.body()
    }

    fn failover(&mut self) -> bool {
        if self.lexer.next() != Token::Keyword(Keyword::Peer) {
            self.lexer.warn("expecting \"peer\"", Consequence::Skipped);
            self.lexer.skip_to_semi();
            return false;
        }
        let token = self.lexer.next();
        if !token.is_identifier() && token != Token::String {
            self.lexer.warn("expecting failover peer name.", Consequence::Skipped);
            self.lexer.skip_to_semi();
            return false;
        }
        let name = self.lexer.c_text().to_vec();
        let unknown = self
            .rules
            .config
            .as_ref()
            .is_some_and(|config| !config.peers.iter().any(|peer| peer.name == name));
        if unknown {
            let name = self.lexer.shown();
            self.lexer.warn(format!("unknown failover peer: {name}"), Consequence::StatementLost);
            self.lexer.skip_to_semi();
            return false;
        }
        for (wanted, complaint) in
            [(Token::Keyword(Keyword::State), "expecting 'state'"), (OPEN, "expecting left brace")]
        {
            let token = self.lexer.next();
            if token != wanted {
                self.lexer.warn(complaint, Consequence::Skipped);
                if token != SEMICOLON {
                    self.lexer.skip_to_semi();
                }
                return false;
            }
        }
        self.failover_states(&name)
    }

    fn failover_states(&mut self, name: &[u8]) -> bool {
        loop {
            match self.lexer.next() {
                CLOSE => return true,
                Token::Keyword(keyword @ (Keyword::My | Keyword::Partner)) => {
                    if self.lexer.next() != Token::Keyword(Keyword::State) {
                        return self.bad_failover("expecting 'state'");
                    }
                    if let Some((mine, since)) = self.failover_state()
                        && keyword == Keyword::My
                    {
                        let state = self.peer(name);
                        (state.mine, state.since) = (mine, since);
                    }
                }
                Token::Keyword(Keyword::Mclt) => {
                    if self.is_primary(name) {
                        return self.bad_failover("mclt not valid for primary");
                    }
                    if self.lexer.next() != Token::Number {
                        return self.bad_failover("expecting a number.");
                    }
                    let mclt = i64::from(atoi(self.lexer.c_text()));
                    self.peer(name).mclt = Some(mclt);
                    self.lexer.semi();
                }
                _ => return self.bad_failover("expecting state setting."),
            }
        }
    }

    fn bad_failover(&mut self, complaint: &str) -> bool {
        self.lexer.warn(complaint, Consequence::Skipped);
        self.lexer.skip_to_rbrace(1);
        false
    }

    fn is_primary(&self, name: &[u8]) -> bool {
        self.rules.config.as_ref().is_some_and(|config| {
            config
                .peers
                .iter()
                .any(|peer| peer.name == name && peer.role == super::config::Role::Primary)
        })
    }

    fn peer(&mut self, name: &[u8]) -> &mut PeerState {
        let peers = &mut self.gathered.peers;
        let at = peers.iter().position(|(held, _)| held == name).unwrap_or_else(|| {
            let state =
                PeerState { mine: Keyword::Recover, since: Date(self.rules.now), mclt: None };
            peers.push((name.to_vec(), state));
            peers.len() - 1
        });
        &mut peers[at].1
    }

    fn failover_state(&mut self) -> Option<(Keyword, Date)> {
        let Token::Keyword(
            state @ (Keyword::UnknownState
            | Keyword::PartnerDown
            | Keyword::Normal
            | Keyword::CommunicationsInterrupted
            | Keyword::ConflictDone
            | Keyword::ResolutionInterrupted
            | Keyword::PotentialConflict
            | Keyword::Recover
            | Keyword::RecoverWait
            | Keyword::RecoverDone
            | Keyword::Shutdown
            | Keyword::Paused
            | Keyword::Startup),
        ) = self.lexer.next()
        else {
            self.lexer.warn("unknown failover state", Consequence::StatementLost);
            self.lexer.skip_to_semi();
            return None;
        };
        let token = self.lexer.next();
        if token == SEMICOLON {
            return Some((state, Date(self.rules.now)));
        }
        if token != Token::Keyword(Keyword::At) {
            self.lexer.warn("expecting \"at\"", Consequence::StatementLost);
            self.lexer.skip_to_semi();
            return None;
        }
        let since = self.lexer.date();
        (!since.is_absent()).then_some((state, since))
    }
}
