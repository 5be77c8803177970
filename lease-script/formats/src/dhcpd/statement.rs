//! The statements inside `on` blocks (common/parse.c), as far as they matter for a lease. `set`, `unset` and `if` are kept.
//! All others are only skipped.

use std::io::Read;

use super::diagnostic::Consequence;
use super::expression::{Expression, MAX_DEPTH};
use super::keyword::Keyword;
use super::lexer::{CLOSE, Lexer, OPEN, SEMICOLON, Token};
use super::parameter::{Value, parameter};

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Statement {
    Set(Vec<u8>, Expression),
    Unset(Vec<u8>),
    If(Expression, Vec<Self>, Vec<Self>),
    Other,
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

/// The result of parsing a statement.
enum Parsed {
    One(Statement),
    /// Not a statement, or an invalid one. The value is true if the whole block is lost.
    Stop(bool),
}

impl<R: Read> Lexer<R> {
    /// Parses the rest of an `on` statement. Returns `None` after an error, which was reported. A `loose` block may contain
    /// any text with balanced braces.
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
        self.expect_close()?;
        text.truncate(text.trim_ascii_end().len());
        Some(OnBlock { events, is_empty: statements.is_empty(), text })
    }

    /// Skips to the end of the block, as dhcpd does after an error.
    fn skip_past_close(&mut self) {
        loop {
            let token = self.next();
            if token == Token::End || token == CLOSE {
                return;
            }
        }
    }

    /// Parses statements. Returns `None` if they are lost.
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
        if depth >= MAX_DEPTH {
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

    /// Parses a statement such as `max-lease-time 60;`. The value does not affect the lease, but an invalid one causes a
    /// warning.
    fn parameter_statement(&mut self, value: Value) -> Parsed {
        self.next();
        let token = self.peek();
        let word = self.c_text().to_ascii_lowercase();
        let (fits, message) = match value {
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
            self.warn(message, Consequence::Nothing);
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
            // The values of options and similar statements do not affect the lease.
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

    fn bad_statement(&mut self, message: &str) -> Parsed {
        self.warn(message, Consequence::RecordLost);
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
            // The body of a function definition is skipped.
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

    /// Parses the rest of `log ([PRIORITY,] DATA);`.
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
        if depth + 1 >= MAX_DEPTH {
            self.warn("nested too deeply", Consequence::RecordLost);
            return None;
        }
        self.if_statement(depth + 1)
    }

    /// Skips the closing brace of a block. Returns `None` if it is missing.
    fn expect_close(&mut self) -> Option<()> {
        if self.next() == CLOSE {
            return Some(());
        }
        self.warn("right brace expected.", Consequence::RecordLost);
        self.skip_to_semi();
        None
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
        self.expect_close()?;
        Some(statements)
    }
}

impl Parsed {
    fn from_semi(complete: bool, statement: Statement) -> Self {
        if complete { Self::One(statement) } else { Self::Stop(true) }
    }
}
