//! Reads declarations one after the other (`lease_file_subparse` of server/confpars.c).

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::net::Ipv4Addr;
use std::sync::Arc;

use super::contents::{Contents, Counts, Family, Subject};
use super::value::VariableIndex;
use crate::dhcpd::config::Config;
use crate::dhcpd::date_range::DateRange;
use crate::dhcpd::diagnostic::{Consequence, Diagnostic};
use crate::dhcpd::history::{Declaration, Declared, History};
use crate::dhcpd::ia::IaTable;
use crate::dhcpd::input::Location;
use crate::dhcpd::keyword::Keyword;
use crate::dhcpd::lease::Lease;
use crate::dhcpd::lexer::{Lexer, Token};
use crate::dhcpd::non_lease::NonLeases;
use crate::dhcpd::table::LeaseTable;

/// How to read declarations.
#[derive(Debug, Clone)]
pub(crate) struct ParseRules {
    pub(crate) family: Family,
    pub(crate) now: i64,
    /// The configuration of the server, for addresses, classes and peers.
    pub(crate) config: Option<Arc<Config>>,
    /// Whether to keep only addresses that are in a pool of the configuration.
    pub(crate) pools: bool,
    /// Whether to skip `on` blocks by their braces instead of parsing their statements.
    pub(crate) loose_blocks: bool,
    pub(crate) date_range: DateRange,
    /// Which declarations to keep in addition to the last one of each address.
    pub(crate) history: Option<History>,
}

/// Why reading stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReadEnd {
    End,
    /// dhcpd would exit here.
    Fatal,
    /// A file that is read as DHCPv4 contains DHCPv6 declarations.
    OtherFamily,
}

pub(crate) struct Declarations<R> {
    pub(crate) lexer: Lexer<R>,
    pub(crate) rules: ParseRules,
    pub(crate) contents: Contents,
    /// The classes declared in the lease file.
    pub(super) classes: BTreeSet<Vec<u8>>,
    /// Whether to report [`ReadEnd::OtherFamily`] at a DHCPv6 declaration.
    pub(crate) guess_family: bool,
    /// Whether the current lease has a readable binding state.
    pub(super) named_state: bool,
    /// The start of the current declaration.
    pub(crate) started: Location,
    pub(super) variables: VariableIndex,
}

impl<R: Read> Declarations<R> {
    pub(crate) fn new(mut lexer: Lexer<R>, rules: ParseRules, guess_family: bool) -> Self {
        lexer.date_range = rules.date_range;
        Self {
            lexer,
            rules,
            contents: Contents {
                leases: LeaseTable::default(),
                ias: IaTable::default(),
                counts: Counts::default(),
                server_duid: None,
                byte_order: None,
                peers: BTreeMap::new(),
                history: Vec::new(),
                non_leases: NonLeases::default(),
                lost_statements: BTreeMap::new(),
                lost_outside_records: 0,
            },
            classes: BTreeSet::new(),
            guess_family,
            named_state: false,
            started: Location::default(),
            variables: VariableIndex::default(),
        }
    }

    /// Reads one declaration. Returns `Some` when reading ends.
    pub(crate) fn declaration(&mut self) -> Option<ReadEnd> {
        self.lexer.subject = None;
        self.lexer.take_lost_statements();
        let token = self.lexer.next();
        if self.lexer.fatal {
            return Some(ReadEnd::Fatal);
        }
        self.started = self.lexer.location();
        match token {
            Token::End => return Some(ReadEnd::End),
            Token::Keyword(Keyword::Lease) => {
                if let Some(lease) = self.lease() {
                    self.lexer.subject = None;
                    self.enter(&lease);
                } else {
                    self.contents.counts.rejected += 1;
                    self.lexer.warn("possibly corrupt lease file", Consequence::RecordLost);
                }
            }
            Token::Keyword(keyword @ (Keyword::IaNa | Keyword::IaTa | Keyword::IaPd)) => {
                if self.guess_family {
                    return Some(ReadEnd::OtherFamily);
                }
                self.any_ia(keyword);
            }
            _ => self.other(token),
        }
        self.lexer.fatal.then_some(ReadEnd::Fatal)
    }

    /// Reads a declaration other than a lease.
    pub(crate) fn other(&mut self, token: Token) {
        match token {
            Token::Keyword(
                keyword @ (Keyword::Class
                | Keyword::Subclass
                | Keyword::Host
                | Keyword::Group
                | Keyword::Failover),
            ) => {
                self.contents.counts.non_leases += 1;
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
                    self.contents.non_leases.put(keyword, text);
                }
            }
            Token::Keyword(Keyword::ServerDuid) => self.server_duid(),
            Token::Keyword(Keyword::AuthoringByteOrder) => self.byte_order(),
            _ => {
                self.contents.counts.corrupt += 1;
                self.lexer.warn("Corrupt lease file - possible data loss!", Consequence::Skipped);
                self.lexer.skip_to_semi();
            }
        }
        self.contents.lost_outside_records += u64::from(self.lexer.take_lost_statements());
    }

    /// Returns whether a pool contains the address. Reports a diagnostic otherwise.
    pub(super) fn has_pool(&mut self, address: Ipv4Addr) -> bool {
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

    /// Enters a lease (`enter_lease` of server/mdb.c).
    pub(crate) fn enter(&mut self, lease: &Lease) {
        self.contents.counts.declarations += 1;
        if self.rules.history.is_some_and(|history| history.wants_lease(lease)) {
            self.record_history(Declared::Lease(Box::new(lease.clone())));
        }
        let lost = self.lexer.take_lost_statements();
        if self.has_pool(lease.address) {
            self.contents.leases.put(lease);
            self.contents.record_lost_statements(lost, || Subject::Lease(lease.address));
        }
    }

    pub(super) fn record_history(&mut self, what: Declared) {
        let end = self.lexer.input.offset();
        self.contents.history.push(Declaration { location: self.started, end, what });
    }

    /// Returns whether leases can be billed to the class. Without a configuration, every class is known.
    pub(crate) fn knows_class(&self, name: &[u8]) -> bool {
        self.classes.contains(name)
            || self.rules.config.as_ref().is_none_or(|config| config.classes.contains(name))
    }
}
