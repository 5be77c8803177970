//! Reading declarations one after the other (`lease_file_subparse` of server/confpars.c).

use std::collections::{HashMap, HashSet};
use std::io::Read;
use std::net::Ipv4Addr;
use std::sync::Arc;

use super::contents::{Contents, Counts, Family, Subject};
use crate::dhcpd::config::Config;
use crate::dhcpd::diagnostic::{Consequence, Diagnostic};
use crate::dhcpd::history::{Declaration, Declared, History};
use crate::dhcpd::ia::IaTable;
use crate::dhcpd::input::Location;
use crate::dhcpd::keyword::Keyword;
use crate::dhcpd::lease::Lease;
use crate::dhcpd::lexer::{Lexer, Token};
use crate::dhcpd::non_lease::NonLeases;
use crate::dhcpd::table::LeaseTable;

/// How declarations are entered.
#[derive(Debug, Clone)]
pub(crate) struct ParseRules {
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
pub(crate) enum ReadEnd {
    End,
    /// The server would exit here.
    Fatal,
    /// A file read as DHCPv4 holds DHCPv6 declarations.
    OtherFamily,
}

pub(crate) struct Declarations<R> {
    pub(crate) lexer: Lexer<R>,
    pub(crate) rules: ParseRules,
    pub(crate) contents: Contents,
    /// Classes declared in the lease file itself.
    pub(super) classes: HashSet<Vec<u8>>,
    /// True until the family is certain: see [`ReadEnd::OtherFamily`].
    pub(crate) guess_family: bool,
    /// True once the lease being read named its binding state.
    pub(super) named_state: bool,
    /// Where the declaration being read starts.
    pub(crate) started: Location,
}

impl<R: Read> Declarations<R> {
    pub(crate) fn new(lexer: Lexer<R>, rules: ParseRules, guess_family: bool) -> Self {
        Self {
            lexer,
            rules,
            contents: Contents {
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

    /// True when a pool may keep the address; says so when none does.
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

    /// `enter_lease` of server/mdb.c.
    pub(crate) fn enter(&mut self, lease: &Lease) {
        self.contents.counts.declarations += 1;
        if self.rules.history.is_some_and(|history| history.wants_lease(lease)) {
            self.remember(Declared::Lease(Box::new(lease.clone())));
        }
        let lost = self.lexer.take_lost_statements();
        if self.has_pool(lease.address) {
            self.contents.leases.put(lease);
            self.contents.record_lost_statements(lost, || Subject::Lease(lease.address));
        }
    }

    pub(super) fn remember(&mut self, what: Declared) {
        let end = self.lexer.input.offset();
        self.contents.history.push(Declaration { location: self.started, end, what });
    }

    /// True when billing to the class is possible: without a configuration, always.
    pub(crate) fn knows_class(&self, name: &[u8]) -> bool {
        self.classes.contains(name)
            || self.rules.config.as_ref().is_none_or(|config| config.classes.contains(name))
    }
}
