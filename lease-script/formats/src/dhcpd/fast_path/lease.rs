//! Reads one well-formed lease.

use super::scan::{blank, block, date, hex_list, is_word, octet, state, string, value};
use crate::dhcpd::input::Input;
use crate::dhcpd::keyword::keyword;
use crate::dhcpd::lexer::{Lexer, Token};
use crate::dhcpd::table::{BOOTP, Fixed, RESERVED, Tag, begin_item, finish_item};

/// dhcpd's limit for the length of a client identifier.
const LONGEST_UID: usize = 1400;

/// The statements with dates, in the order of the dates in [`Fixed`].
const DATES: [&[u8]; 6] = [b"starts", b"ends", b"tstp", b"tsfp", b"atsfp", b"cltt"];
const ENDS: usize = 1;
const TSTP: usize = 2;

/// The bits of statements without dates, to detect repeated statements.
const BINDING: u32 = 1 << 6;
const NEXT: u32 = 1 << 7;
const REWIND: u32 = 1 << 8;
const HARDWARE: u32 = 1 << 9;
const UID: u32 = 1 << 10;
const HOSTNAME: u32 = 1 << 11;
const EXPIRY: u32 = 1 << 12;
const RELEASE: u32 = 1 << 13;

/// The current record.
#[derive(Default)]
pub(crate) struct Record {
    pub(super) address: u32,
    pub(super) fixed: Fixed,
    pub(super) items: Vec<u8>,
    /// The last `on` block, as written and as kept. Many leases have the same block.
    block: Option<(Vec<u8>, Vec<u8>)>,
}

impl Record {
    /// Reads the lease at the start of `w`. Returns its length, or `None` if it is not well-formed.
    pub(super) fn read(&mut self, w: &[u8]) -> Option<usize> {
        let mut at = blank(w, 0)?;
        at += w[at..].starts_with(b"lease ").then_some(6)?;
        self.address = 0;
        for separator in *b"... " {
            let (number, length) = octet(&w[at..])?;
            self.address = self.address << 8 | u32::from(number);
            at += length;
            at += (*w.get(at)? == separator).then_some(1)?;
        }
        at += (*w.get(at)? == b'{').then_some(1)?;
        self.fixed = Fixed::default();
        self.items.clear();
        let mut seen = 0;
        let mut names = Vec::new();
        loop {
            at = blank(w, at)?;
            let rest = &w[at..];
            if rest[0] == b'}' {
                if seen & 1 << TSTP == 0 {
                    self.fixed.dates[TSTP] = self.fixed.dates[ENDS];
                }
                return (seen & BINDING != 0).then_some(at + 1);
            }
            let word = &rest[..rest.iter().position(|c| matches!(c, b' ' | b';'))?];
            let (bit, used) = self.statement(word, rest, &mut names)?;
            if seen & bit != 0 {
                return None;
            }
            seen |= bit;
            if seen & BINDING != 0 {
                for (place, bit) in [(1, NEXT), (2, REWIND)] {
                    if seen & bit == 0 {
                        self.fixed.states[place] = self.fixed.states[0];
                    }
                }
            }
            at += used;
            let end = if word == b"on" { b'}' } else { b';' };
            at += (*w.get(at)? == end).then_some(1)?;
        }
    }

    /// Reads a statement that begins with `word`. Returns its bit, and its length before the semicolon or closing brace.
    fn statement<'a>(
        &mut self,
        word: &[u8],
        rest: &'a [u8],
        names: &mut Vec<&'a [u8]>,
    ) -> Option<(u32, usize)> {
        if let Some(place) = DATES.iter().position(|name| *name == word) {
            let (date, used) = date(&rest[word.len() + 1..])?;
            self.fixed.dates[place] = date;
            return Some((1 << place, word.len() + 1 + used));
        }
        match word {
            b"binding" => self.state(rest, b"binding state ", 0, BINDING),
            b"next" => self.state(rest, b"next binding state ", 1, NEXT),
            b"rewind" => self.state(rest, b"rewind binding state ", 2, REWIND),
            b"hardware" => {
                let text = rest.strip_prefix(b"hardware ethernet ")?;
                let start = begin_item(&mut self.items, Tag::Hardware);
                self.items.push(1);
                let used = hex_list(text, &mut self.items, 20)?;
                finish_item(&mut self.items, start);
                Some((HARDWARE, rest.len() - text.len() + used))
            }
            b"uid" => {
                let start = begin_item(&mut self.items, Tag::Uid);
                let used = value(&rest[4..], &mut self.items, LONGEST_UID)?;
                let is_empty = self.items.len() == start;
                finish_item(&mut self.items, start);
                (!is_empty).then_some((UID, 4 + used))
            }
            b"client-hostname" => {
                let start = begin_item(&mut self.items, Tag::Hostname);
                let used = string(&rest[16..], &mut self.items)?;
                finish_item(&mut self.items, start);
                (!self.items[start..].contains(&0)).then_some((HOSTNAME, 16 + used))
            }
            b"set" => {
                let name = rest[4..].split(|c| !is_word(*c)).next()?;
                let is_name = name.first()?.is_ascii_alphabetic() && name.len() <= 255;
                let is_known = names.iter().any(|known| known.eq_ignore_ascii_case(name));
                if !is_name || is_known || keyword(name).is_some() {
                    return None;
                }
                names.push(name);
                let start = begin_item(&mut self.items, Tag::SetData);
                self.items.extend_from_slice(&(name.len() as u16).to_le_bytes());
                self.items.extend_from_slice(name);
                let text = rest[4 + name.len()..].strip_prefix(b" = ")?;
                let used = string(text, &mut self.items)?;
                finish_item(&mut self.items, start);
                Some((0, rest.len() - text.len() + used))
            }
            b"option" => {
                let text = rest.strip_prefix(b"option agent.")?;
                let circuit = text.strip_prefix(b"circuit-id ").map(|text| (1, text));
                let remote = || text.strip_prefix(b"remote-id ").map(|text| (2, text));
                let (code, text) = circuit.or_else(remote)?;
                let start = begin_item(&mut self.items, Tag::Agent);
                self.items.push(code);
                let used = value(text, &mut self.items, 1000)?;
                let is_empty = self.items.len() == start + 1;
                finish_item(&mut self.items, start);
                (!is_empty).then_some((0, rest.len() - text.len() + used))
            }
            b"on" => {
                let kinds = [
                    (&b"on expiry {"[..], EXPIRY),
                    (b"on release {", RELEASE),
                    (b"on expiry or release {", EXPIRY | RELEASE),
                ];
                let begins = |(words, bits)| Some((rest.strip_prefix(words)?, bits));
                let (text, bits) = kinds.into_iter().find_map(begins)?;
                let length = block(text)?;
                self.keep_block(text[..length].trim_ascii())?;
                let (_, kept) = self.block.as_ref()?;
                for (bit, tag) in [(EXPIRY, Tag::OnExpiry), (RELEASE, Tag::OnRelease)] {
                    if bits & bit != 0 {
                        let start = begin_item(&mut self.items, tag);
                        self.items.extend_from_slice(kept);
                        finish_item(&mut self.items, start);
                    }
                }
                Some((bits, rest.len() - text.len() + length))
            }
            b"reserved" => {
                self.fixed.flags |= RESERVED;
                Some((0, word.len()))
            }
            b"dynamic-bootp" => {
                self.fixed.flags |= BOOTP;
                Some((0, word.len()))
            }
            _ => None,
        }
    }

    fn state(&mut self, rest: &[u8], words: &[u8], place: usize, bit: u32) -> Option<(u32, usize)> {
        let (state, used) = state(rest.strip_prefix(words)?)?;
        self.fixed.states[place] = state as u8;
        Some((bit, words.len() + used))
    }

    /// Keeps a block if dhcpd's parser reads all its statements without a warning.
    fn keep_block(&mut self, text: &[u8]) -> Option<()> {
        if self.block.as_ref().is_some_and(|(known, _)| known == text) {
            return Some(());
        }
        let mut lexer = Lexer::new(Input::small(text));
        lexer.record();
        let statements = lexer.statements(0).filter(|statements| !statements.is_empty())?;
        drop(statements);
        let is_whole = lexer.next() == Token::End;
        let kept = lexer.recorded();
        if !is_whole || !lexer.diagnostics.is_empty() || kept.is_empty() {
            return None;
        }
        self.block = Some((text.to_vec(), kept));
        Some(())
    }
}
