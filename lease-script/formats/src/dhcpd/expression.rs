//! Expressions in the statements of `on` blocks (common/parse.c).

use std::io::Read;

use super::diagnostic::Consequence;
use super::keyword::Keyword;
use super::lexer::{Lexer, Token};
use super::parser::atoi;

/// Maximum nesting depth of statements and expressions. Deeper nesting counts as damage, while dhcpd recurses until its
/// stack overflows.
pub(super) const MAX_DEPTH: u32 = 100;

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Expression {
    Data(Vec<u8>),
    Number(i64),
    Variable(Vec<u8>),
    Call(Keyword, Vec<Self>),
    Binary(Operator, Box<Self>, Box<Self>),
    Not(Box<Self>),
    /// Data from a packet or a host, which is absent when a lease expires.
    Unknown,
    /// A number from a packet or a host.
    UnknownNumber,
    /// A truth value from a packet or a host.
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

/// The value of dhcpd's `*lose` after an invalid expression.
pub(super) type Lost = bool;

impl<R: Read> Lexer<R> {
    /// Parses an expression. Returns `Ok(None)` if there is none, and an error if an invalid one was reported.
    pub(super) fn expression(&mut self, depth: u32) -> Result<Option<Expression>, Lost> {
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

    /// Parses an operand with an optional comparison, which binds more tightly than `and` and `or`.
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

    /// Parses `=` or `!=`, except for its last character.
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

    fn bad_expression<T>(&mut self, message: &str) -> Result<T, Lost> {
        self.warn(message, Consequence::RecordLost);
        self.skip_to_semi();
        Err(true)
    }

    fn operand(&mut self, depth: u32) -> Result<Option<Expression>, Lost> {
        if depth >= MAX_DEPTH {
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
    /// Returns whether this is a data expression (`is_data_expression` of common/tree.c), or an expression whose type is
    /// known only when it is evaluated.
    pub(super) fn may_be_data(&self) -> bool {
        match self {
            // A number that is used as data is a list of one byte.
            Self::Data(_) | Self::Variable(_) | Self::Unknown | Self::Number(_) => true,
            Self::Call(keyword, _) => !matches!(keyword, Keyword::Defined | Keyword::ExtractInt),
            Self::Binary(..) | Self::Not(_) | Self::UnknownNumber | Self::UnknownTruth => false,
        }
    }
}
