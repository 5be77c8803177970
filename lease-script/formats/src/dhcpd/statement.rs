//! The statements inside `on` blocks (common/parse.c), as far as they matter for a lease: `set`,
//! `unset` and `if` are kept, the others are only read over.

use std::io::Read;

use super::diagnostic::Consequence;
use super::keyword::Keyword;
use super::lexer::{CLOSE, Lexer, OPEN, SEMICOLON, Token};
use super::parser::atoi;

/// Statements and expressions nested deeper than this are taken for damage; dhcpd itself
/// recurses until its stack is gone.
const DEPTH: u32 = 100;

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Statement {
    Set(Vec<u8>, Expression),
    Unset(Vec<u8>),
    If(Expression, Vec<Self>, Vec<Self>),
    Other,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Expression {
    Data(Vec<u8>),
    Number(i64),
    Variable(Vec<u8>),
    Call(Keyword, Vec<Self>),
    Binary(Operator, Box<Self>, Box<Self>),
    Not(Box<Self>),
    /// Data that needs a packet or a host: nothing there when a lease expires.
    Unknown,
    /// A number of that kind.
    UnknownNumber,
    /// A truth value of that kind.
    UnknownTruth,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Equal,
    NotEqual,
    And,
    Or,
    Arithmetic(u8),
    Match,
}

/// The events of an `on` statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Events {
    pub(crate) expiry: bool,
    pub(crate) release: bool,
}

/// An `on` statement: its events and statements, and the text of the statements.
#[derive(Debug)]
pub(crate) struct OnBlock {
    pub(crate) events: Events,
    pub(crate) is_empty: bool,
    pub(crate) text: Vec<u8>,
}

/// What became of a statement.
enum Parsed {
    One(Statement),
    /// Not a statement, or a broken one; true when the whole block is lost.
    Stop(bool),
}

/// dhcpd's `*lose` after a failed expression.
type Lost = bool;

/// What the value of a parameter of the server looks like.
#[derive(Clone, Copy)]
enum Value {
    Number,
    Flag,
    Text,
    Any,
}

/// The parameters that an `on` block may set (`server_options` of server/stables.c).
fn parameter(name: &[u8]) -> Option<Value> {
    const NUMBERS: &str = " default-lease-time max-lease-time min-lease-time dynamic-bootp-lease-length min-secs omapi-port \
         local-port remote-port ddns-ttl ping-timeout adaptive-lease-time-threshold preferred-lifetime limit-addrs-per-ia \
         limit-prefs-per-ia delayed-ack max-ack-delay dhcp-cache-threshold log-threshold-low log-threshold-high \
         abandon-lease-time ping-cltt-secs ping-timeout-ms ";
    const FLAGS: &str = " one-lease-per-client get-lease-hostnames use-host-decl-names \
         use-lease-addr-for-default-route always-reply-rfc1048 always-broadcast ddns-updates stash-agent-options \
         update-optimization ping-check update-static-leases do-forward-updates infinite-is-reserved leasequery \
         do-reverse-updates dont-use-fsync ignore-client-uids echo-client-id server-id-check dhcpv6-set-tee-times use-eui-64 \
         check-secs-byte-order persist-eui-64-leases ddns-dual-stack-mixed-mode ddns-guard-id-must-match \
         ddns-other-guard-is-dynamic release-on-roam bind-local-address6 update-conflict-detection ";
    const TEXTS: &str = " filename server-name ddns-domainname ddns-hostname ddns-rev-domainname lease-file-name \
         pid-file-name dhcpv6-lease-file-name dhcpv6-pid-file-name ";
    const OTHERS: &str = " next-server dynamic-bootp-lease-cutoff vendor-option-space site-option-space \
         limited-broadcast-address local-address local-address6 omapi-key ddns-update-style log-facility fqdn-reply \
         ddns-local-address4 ddns-local-address6 prefix-length-mode ";
    let name = format!(" {} ", std::str::from_utf8(name).ok()?.to_ascii_lowercase());
    let kinds = [
        (NUMBERS, Value::Number),
        (FLAGS, Value::Flag),
        (TEXTS, Value::Text),
        (OTHERS, Value::Any),
    ];
    kinds.into_iter().find(|(names, _)| names.contains(&name)).map(|(_, value)| value)
}

impl<R: Read> Lexer<R> {
    /// What follows `on`. `None`: an error, reported.
    /// A `loose` block may hold anything with balanced braces.
    pub(crate) fn on_statement(&mut self, depth: u32, loose: bool) -> Option<OnBlock> {
        let mut events = Events::default();
        let mut token;
        loop {
            match self.next() {
                Token::Keyword(Keyword::Expiry) => events.expiry = true,
                Token::Keyword(Keyword::Release) => events.release = true,
                Token::Keyword(Keyword::Commit | Keyword::Transmission) => {}
                _ => {
                    self.warn("expecting a lease event type", Consequence::RecordLost);
                    self.skip_to_semi();
                    return None;
                }
            }
            token = self.next();
            if token != Token::Keyword(Keyword::Or) {
                break;
            }
        }
        if token == SEMICOLON {
            return Some(OnBlock { events, is_empty: true, text: Vec::new() });
        }
        if token != OPEN {
            self.warn("left brace expected.", Consequence::RecordLost);
            self.skip_to_semi();
            return None;
        }
        if loose {
            self.record();
            self.skip_to_rbrace(1);
            let mut text = self.recorded();
            text.truncate(
                text.trim_ascii_end().strip_suffix(b"}").unwrap_or(&text).trim_ascii_end().len(),
            );
            return Some(OnBlock { events, is_empty: text.is_empty(), text });
        }
        self.record();
        let statements = self.statements(depth);
        let mut text = self.recorded();
        let Some(statements) = statements else {
            self.skip_past_close();
            return None;
        };
        if self.next() != CLOSE {
            self.warn("right brace expected.", Consequence::RecordLost);
            self.skip_to_semi();
            return None;
        }
        text.truncate(text.trim_ascii_end().len());
        Some(OnBlock { events, is_empty: statements.is_empty(), text })
    }

    /// "Try to even things up."
    fn skip_past_close(&mut self) {
        loop {
            let token = self.next();
            if token == Token::End || token == CLOSE {
                return;
            }
        }
    }

    /// Statements up to something that is none. `None`: they are lost.
    pub(crate) fn statements(&mut self, depth: u32) -> Option<Vec<Statement>> {
        let mut statements = Vec::new();
        loop {
            match self.statement(depth) {
                Parsed::One(statement) => statements.push(statement),
                Parsed::Stop(true) => return None,
                Parsed::Stop(false) => return Some(statements),
            }
        }
    }

    fn statement(&mut self, depth: u32) -> Parsed {
        let token = self.peek();
        if depth >= DEPTH {
            self.warn("nested too deeply", Consequence::RecordLost);
            return Parsed::Stop(true);
        }
        if token.is_identifier()
            && let Some(value) = parameter(self.c_text())
        {
            return self.parameter_statement(value);
        }
        match token {
            Token::Keyword(keyword) => self.keyword_statement(keyword, depth),
            Token::Name | Token::NumberOrName => {
                if let Ok(Some(_)) = self.expression(depth) {
                    return Parsed::from_semi(self.semi(), Statement::Other);
                }
                self.warn("expecting function call.", Consequence::RecordLost);
                self.skip_to_semi();
                Parsed::Stop(true)
            }
            _ => Parsed::Stop(false),
        }
    }

    /// `max-lease-time 60;`: its value has no bearing on the lease; a wrong one is complained about.
    fn parameter_statement(&mut self, value: Value) -> Parsed {
        self.next();
        let token = self.peek();
        let word = self.c_text().to_ascii_lowercase();
        let (fits, complaint) = match value {
            Value::Number => (token == Token::Number, "expecting number."),
            Value::Flag => {
                let flags = [&b"true"[..], b"false", b"on", b"off"];
                (token.is_identifier() && flags.contains(&&word[..]), "expecting boolean.")
            }
            Value::Text => (token == Token::String || token.is_identifier(), "expecting string."),
            Value::Any => (true, ""),
        };
        if !fits {
            self.next();
            self.warn(complaint, Consequence::Nothing);
        }
        self.skip_to_semi();
        Parsed::One(Statement::Other)
    }

    fn keyword_statement(&mut self, keyword: Keyword, depth: u32) -> Parsed {
        match keyword {
            Keyword::If => {
                self.next();
                self.if_statement(depth).map_or(Parsed::Stop(true), Parsed::One)
            }
            Keyword::Set | Keyword::Define => {
                self.next();
                self.set_statement(depth)
            }
            Keyword::Unset => {
                self.next();
                let token = self.next();
                if token != Token::Name && token != Token::NumberOrName {
                    return self
                        .bad_statement(&format!("{} can't be a variable name", self.shown()));
                }
                let name = self.c_text().to_vec();
                Parsed::from_semi(self.semi(), Statement::Unset(name))
            }
            Keyword::On => {
                self.next();
                self.on_statement(depth + 1, false)
                    .map_or(Parsed::Stop(true), |_| Parsed::One(Statement::Other))
            }
            Keyword::Break | Keyword::ParseVendorOption => {
                self.next();
                Parsed::from_semi(self.semi(), Statement::Other)
            }
            Keyword::Eval | Keyword::Return => {
                self.next();
                match self.expression(depth) {
                    Ok(Some(_)) => Parsed::from_semi(self.semi(), Statement::Other),
                    Ok(None) => {
                        self.warn("expecting data expression.", Consequence::RecordLost);
                        self.skip_to_semi();
                        Parsed::Stop(false)
                    }
                    Err(_) => {
                        self.skip_to_semi();
                        Parsed::Stop(true)
                    }
                }
            }
            Keyword::Log => {
                self.next();
                self.log_statement(depth)
            }
            Keyword::Execute => {
                self.next();
                self.call_statement(depth)
            }
            // Options and the like: their values have no bearing on the lease.
            Keyword::Send
            | Keyword::Supersede
            | Keyword::Option
            | Keyword::Default
            | Keyword::Prepend
            | Keyword::Append
            | Keyword::Allow
            | Keyword::Deny
            | Keyword::Ignore
            | Keyword::Add
            | Keyword::DbTimeFormat => {
                self.next();
                self.skip_to_semi();
                Parsed::One(Statement::Other)
            }
            Keyword::Switch | Keyword::Zone | Keyword::Key => {
                self.next();
                self.skip_to_rbrace(0);
                Parsed::One(Statement::Other)
            }
            _ => Parsed::Stop(false),
        }
    }

    fn bad_statement(&mut self, complaint: &str) -> Parsed {
        self.warn(complaint, Consequence::RecordLost);
        self.skip_to_semi();
        Parsed::Stop(true)
    }

    fn set_statement(&mut self, depth: u32) -> Parsed {
        let token = self.next();
        if token != Token::Name && token != Token::NumberOrName {
            return self.bad_statement(&format!("{} can't be a variable name", self.shown()));
        }
        let name = self.c_text().to_vec();
        let token = self.next();
        if token == Token::Char(b'(') {
            // A function definition: its body is read over.
            self.skip_to_rbrace(0);
            return Parsed::One(Statement::Other);
        }
        if token != Token::Char(b'=') {
            return self.bad_statement("expecting '=' in set statement.");
        }
        match self.expression(depth) {
            Ok(Some(expression)) => {
                Parsed::from_semi(self.semi(), Statement::Set(name, expression))
            }
            Ok(None) => {
                self.warn("expecting expression.", Consequence::RecordLost);
                self.skip_to_semi();
                Parsed::Stop(false)
            }
            Err(_) => {
                self.skip_to_semi();
                Parsed::Stop(true)
            }
        }
    }

    /// `log ([PRIORITY,] DATA);`
    fn log_statement(&mut self, depth: u32) -> Parsed {
        if self.next() != Token::Char(b'(') {
            return self.bad_statement("left parenthesis expected.");
        }
        if let Token::Keyword(Keyword::Fatal | Keyword::Error | Keyword::Debug | Keyword::Info) =
            self.peek()
        {
            self.next();
            if self.next() != Token::Char(b',') {
                return self.bad_statement("comma expected.");
            }
        }
        match self.expression(depth) {
            Ok(Some(expression)) if expression.may_be_data() => {}
            Ok(Some(_)) => return self.bad_statement("Expecting a data expression."),
            _ => {
                self.skip_to_semi();
                return Parsed::Stop(true);
            }
        }
        if self.next() != Token::Char(b')') {
            return self.bad_statement("right parenthesis expected.");
        }
        if self.next() != SEMICOLON {
            return self.bad_statement("semicolon expected.");
        }
        Parsed::One(Statement::Other)
    }

    fn call_statement(&mut self, depth: u32) -> Parsed {
        if self.next() != Token::Char(b'(') {
            return self.bad_statement("left parenthesis expected.");
        }
        loop {
            if !matches!(self.expression(depth), Ok(Some(_))) {
                self.skip_to_semi();
                return Parsed::Stop(true);
            }
            match self.next() {
                Token::Char(b',') => {}
                Token::Char(b')') => break,
                _ => return self.bad_statement("right parenthesis expected."),
            }
        }
        if self.next() != SEMICOLON {
            return self.bad_statement("semicolon expected.");
        }
        Parsed::One(Statement::Other)
    }

    fn if_statement(&mut self, depth: u32) -> Option<Statement> {
        let parenthesis = self.peek() == Token::Char(b'(');
        if parenthesis {
            self.next();
        }
        let condition = match self.expression(depth) {
            Ok(Some(condition)) => condition,
            Ok(None) => {
                self.warn("boolean expression expected.", Consequence::RecordLost);
                return None;
            }
            Err(_) => return None,
        };
        if parenthesis && self.next() != Token::Char(b')') {
            self.warn("expecting right paren.", Consequence::RecordLost);
            return None;
        }
        let yes = self.block(depth)?;
        let mut no = Vec::new();
        if self.peek_is(Keyword::Else) {
            self.next();
            if self.peek_is(Keyword::If) {
                self.next();
                no.push(self.nested_if(depth)?);
            } else {
                no = self.block(depth)?;
            }
        } else if self.peek_is(Keyword::Elsif) {
            self.next();
            no.push(self.nested_if(depth)?);
        }
        Some(Statement::If(condition, yes, no))
    }

    fn nested_if(&mut self, depth: u32) -> Option<Statement> {
        if depth + 1 >= DEPTH {
            self.warn("nested too deeply", Consequence::RecordLost);
            return None;
        }
        self.if_statement(depth + 1)
    }

    fn block(&mut self, depth: u32) -> Option<Vec<Statement>> {
        if self.next() != OPEN {
            self.warn("left brace expected.", Consequence::RecordLost);
            self.skip_to_semi();
            return None;
        }
        let Some(statements) = self.statements(depth + 1) else {
            self.skip_past_close();
            return None;
        };
        if self.next() != CLOSE {
            self.warn("right brace expected.", Consequence::RecordLost);
            self.skip_to_semi();
            return None;
        }
        Some(statements)
    }

    /// An expression: `Ok(None)` when there is none, an error when a broken one was reported.
    fn expression(&mut self, depth: u32) -> Result<Option<Expression>, Lost> {
        let Some(mut left) = self.operand(depth + 1)? else { return Ok(None) };
        loop {
            let operator = match self.peek() {
                Token::Char(b'=' | b'!') => self.equality()?,
                Token::Char(b'~') => {
                    self.next();
                    if !matches!(self.peek(), Token::Char(b'~' | b'=')) {
                        return self.bad_expression("expecting ~= or ~~ operator");
                    }
                    Operator::Match
                }
                Token::Keyword(Keyword::And) => Operator::And,
                Token::Keyword(Keyword::Or) => Operator::Or,
                Token::Char(sign @ (b'+' | b'/' | b'*' | b'%' | b'&' | b'|' | b'^')) => {
                    Operator::Arithmetic(sign)
                }
                _ => return Ok(Some(left)),
            };
            self.next();
            let right = if matches!(operator, Operator::And | Operator::Or) {
                self.comparison(depth)?
            } else {
                self.operand(depth + 1)?
            };
            let Some(right) = right else {
                return self.bad_expression("expecting right-hand side.");
            };
            left = Expression::Binary(operator, Box::new(left), Box::new(right));
        }
    }

    /// An operand with the comparison that binds closer than `and` and `or`.
    fn comparison(&mut self, depth: u32) -> Result<Option<Expression>, Lost> {
        let Some(left) = self.operand(depth + 1)? else { return Ok(None) };
        if !matches!(self.peek(), Token::Char(b'=' | b'!')) {
            return Ok(Some(left));
        }
        let operator = self.equality()?;
        self.next();
        match self.operand(depth + 1)? {
            Some(right) => Ok(Some(Expression::Binary(operator, Box::new(left), Box::new(right)))),
            None => self.bad_expression("expecting right-hand side."),
        }
    }

    /// `=` or `!=`, up to its last character.
    fn equality(&mut self) -> Result<Operator, Lost> {
        if self.peek() == Token::Char(b'=') {
            return Ok(Operator::Equal);
        }
        self.next();
        if self.peek() == Token::Char(b'=') {
            return Ok(Operator::NotEqual);
        }
        self.bad_expression("! in boolean context without =")
    }

    fn bad_expression<T>(&mut self, complaint: &str) -> Result<T, Lost> {
        self.warn(complaint, Consequence::RecordLost);
        self.skip_to_semi();
        Err(true)
    }

    fn operand(&mut self, depth: u32) -> Result<Option<Expression>, Lost> {
        if depth >= DEPTH {
            return self.bad_expression("nested too deeply");
        }
        let token = self.peek();
        match token {
            Token::String => {
                self.next();
                Ok(Some(Expression::Data(self.text().to_vec())))
            }
            Token::Number => {
                self.next();
                let text = self.c_text().to_vec();
                if self.peek() != Token::Char(b':') {
                    return Ok(Some(Expression::Number(i64::from(atoi(&text)))));
                }
                self.next();
                let rest = self.hex_list().ok_or(false)?;
                let first = u8::from_str_radix(&String::from_utf8_lossy(&text), 16).unwrap_or(0);
                Ok(Some(Expression::Data([&[first][..], &rest].concat())))
            }
            Token::NumberOrName => Ok(Some(Expression::Data(self.hex_list().ok_or(false)?))),
            Token::Char(b'(') => {
                self.next();
                match self.expression(depth)? {
                    None => self.bad_expression("expression expected"),
                    inner if self.next() == Token::Char(b')') => Ok(inner),
                    _ => self.bad_expression("right paren expected"),
                }
            }
            Token::Name => {
                self.next();
                let name = self.c_text().to_vec();
                if self.peek() != Token::Char(b'(') {
                    return Ok(Some(Expression::Variable(name)));
                }
                self.arguments(depth)?;
                Ok(Some(Expression::Unknown))
            }
            Token::Keyword(keyword) => self.keyword_operand(keyword, depth),
            _ => Ok(None),
        }
    }

    fn keyword_operand(
        &mut self,
        keyword: Keyword,
        depth: u32,
    ) -> Result<Option<Expression>, Lost> {
        match keyword {
            Keyword::Not => {
                self.next();
                match self.operand(depth + 1)? {
                    Some(inner) => Ok(Some(Expression::Not(Box::new(inner)))),
                    None => self.bad_expression("expression expected"),
                }
            }
            Keyword::Substring
            | Keyword::Suffix
            | Keyword::Lcase
            | Keyword::Ucase
            | Keyword::Concat
            | Keyword::BinaryToAscii
            | Keyword::Reverse
            | Keyword::Pick
            | Keyword::PickFirstValue
            | Keyword::ExtractInt
            | Keyword::EncodeInt
            | Keyword::Packet
            | Keyword::V6relay
            | Keyword::Defined
            | Keyword::Gethostname
            | Keyword::Gethostbyname => {
                self.next();
                let arguments = self.arguments(depth)?;
                Ok(Some(Expression::Call(keyword, arguments)))
            }
            Keyword::Option | Keyword::ConfigOption | Keyword::Exists => {
                self.next();
                let found = match keyword {
                    Keyword::Exists => Expression::UnknownTruth,
                    _ => Expression::Unknown,
                };
                if !self.next().is_identifier() {
                    return self.bad_expression("expecting identifier after option keyword.");
                }
                if self.peek() == Token::Char(b'.') {
                    self.next();
                    if !self.next().is_identifier() {
                        return self.bad_expression("expecting identifier after '.'");
                    }
                }
                Ok(Some(found))
            }
            Keyword::Check => {
                self.next();
                self.next();
                Ok(Some(Expression::UnknownTruth))
            }
            Keyword::LeasedAddress | Keyword::Hardware => {
                self.next();
                Ok(Some(Expression::Call(keyword, Vec::new())))
            }
            Keyword::Static | Keyword::Known => {
                self.next();
                Ok(Some(Expression::UnknownTruth))
            }
            Keyword::Filename | Keyword::ServerName | Keyword::Null | Keyword::HostDeclName => {
                self.next();
                Ok(Some(Expression::Unknown))
            }
            Keyword::LeaseTime
            | Keyword::ClientState
            | Keyword::Formerr
            | Keyword::Noerror
            | Keyword::Notauth
            | Keyword::Notimp
            | Keyword::Notzone
            | Keyword::Nxdomain
            | Keyword::Nxrrset
            | Keyword::Refused
            | Keyword::Servfail
            | Keyword::Yxdomain
            | Keyword::Yxrrset
            | Keyword::Booting
            | Keyword::Reboot
            | Keyword::Select
            | Keyword::Request
            | Keyword::Bound
            | Keyword::Renew
            | Keyword::Rebind => {
                self.next();
                Ok(Some(Expression::UnknownNumber))
            }
            _ => Ok(None),
        }
    }

    fn arguments(&mut self, depth: u32) -> Result<Vec<Expression>, Lost> {
        if self.next() != Token::Char(b'(') {
            self.warn("left parenthesis expected.", Consequence::RecordLost);
            return Err(true);
        }
        let mut arguments = Vec::new();
        if self.peek() == Token::Char(b')') {
            self.next();
            return Ok(arguments);
        }
        loop {
            let Some(argument) = self.expression(depth + 1)? else {
                self.warn("expecting expression.", Consequence::RecordLost);
                self.skip_to_semi();
                return Err(true);
            };
            arguments.push(argument);
            match self.next() {
                Token::Char(b',') => {}
                Token::Char(b')') => return Ok(arguments),
                _ => {
                    self.warn("right parenthesis expected.", Consequence::RecordLost);
                    return Err(true);
                }
            }
        }
    }
}

impl Expression {
    /// `is_data_expression` of common/tree.c, or something whose type shows only when it is used.
    fn may_be_data(&self) -> bool {
        match self {
            // A number where data is wanted is a list of one byte.
            Self::Data(_) | Self::Variable(_) | Self::Unknown | Self::Number(_) => true,
            Self::Call(keyword, _) => !matches!(keyword, Keyword::Defined | Keyword::ExtractInt),
            Self::Binary(..) | Self::Not(_) | Self::UnknownNumber | Self::UnknownTruth => false,
        }
    }
}

impl Parsed {
    fn from_semi(complete: bool, statement: Statement) -> Self {
        if complete { Self::One(statement) } else { Self::Stop(true) }
    }
}
