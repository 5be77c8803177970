//! Failover peer states (`parse_failover_state_declaration` of server/confpars.c).

use std::io::Read;

use super::contents::PeerState;
use super::declarations::Declarations;
use crate::dhcpd::config::Role;
use crate::dhcpd::diagnostic::Consequence;
use crate::dhcpd::keyword::Keyword;
use crate::dhcpd::lease::Date;
use crate::dhcpd::lexer::{CLOSE, OPEN, SEMICOLON, Token};
use crate::dhcpd::parser::atoi;
use crate::dhcpd::warning::Warning;

impl<R: Read> Declarations<R> {
    pub(super) fn failover(&mut self) -> bool {
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
            self.lexer.warn(Warning::UnknownFailoverPeer(name), Consequence::StatementLost);
            self.lexer.skip_to_semi();
            return false;
        }
        for (wanted, message) in
            [(Token::Keyword(Keyword::State), "expecting 'state'"), (OPEN, "expecting left brace")]
        {
            let token = self.lexer.next();
            if token != wanted {
                self.lexer.warn(message, Consequence::Skipped);
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

    fn bad_failover(&mut self, message: &str) -> bool {
        self.lexer.warn(message, Consequence::Skipped);
        self.lexer.skip_to_rbrace(1);
        false
    }

    fn is_primary(&self, name: &[u8]) -> bool {
        self.rules.config.as_ref().is_some_and(|config| {
            config.peers.iter().any(|peer| peer.name == name && peer.role == Role::Primary)
        })
    }

    fn peer(&mut self, name: &[u8]) -> &mut PeerState {
        let state = PeerState { mine: Keyword::Recover, since: Date(self.rules.now), mclt: None };
        self.contents.peers.entry(name.to_vec()).or_insert(state)
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
            self.lexer.warn(Warning::UnknownFailoverState, Consequence::StatementLost);
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
