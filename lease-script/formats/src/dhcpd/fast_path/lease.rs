//! Reading one well-formed declaration.

use super::scan::{HEX, RUN, STRING, blank, block, digit, hex_list, is_word, state, string, value};
use crate::dhcpd::date_range::seconds;
use crate::dhcpd::declaration::{ParseRules, billed};
use crate::dhcpd::input::Input;
use crate::dhcpd::keyword::keyword;
use crate::dhcpd::lease::Date;
use crate::dhcpd::lexer::{Lexer, Token};
use crate::dhcpd::parser::{atoi, atol};
use crate::dhcpd::table::{BOOTP, Fixed, RESERVED, Tag, begin_item, finish_item};

/// A bit for each kind of statement, to detect repeated ones.
mod seen {
    pub(super) const NEXT: u32 = 1 << 6;
    pub(super) const BINDING: u32 = 1 << 7;
    pub(super) const REWIND: u32 = 1 << 8;
    pub(super) const HARDWARE: u32 = 1 << 9;
    pub(super) const UID: u32 = 1 << 10;
    pub(super) const HOSTNAME: u32 = 1 << 11;
    pub(super) const BILLING: u32 = 1 << 12;
    pub(super) const EXPIRY: u32 = 1 << 13;
    pub(super) const RELEASE: u32 = 1 << 14;
}

/// The index of `ends`, which is also the default of `tstp`.
const ENDS: usize = 1;

const TSTP: usize = 2;

/// The maximum number of variables in a record.
const NAMES: usize = 12;

/// The current record, and caches of parts of earlier records.
pub(crate) struct FastPath {
    pub(super) strict_blocks: bool,
    pub(super) address: u32,
    pub(super) fixed: Fixed,
    pub(super) items: Vec<u8>,
    /// The day read last, as text, and its first second.
    day: [u8; 10],
    midnight: i64,
    /// The last dates of each kind, as text and parsed: `cltt` usually equals `starts`.
    last: [([u8; 22], i64); 2],
    /// Names known not to be keywords.
    names: Vec<Vec<u8>>,
    /// `on` blocks: the original text, and the text that is kept.
    blocks: Vec<(Vec<u8>, Vec<u8>)>,
    pub(super) server_duid: Option<Vec<u8>>,
}

pub(super) enum Step {
    Lease(usize),
    Other(usize),
}

impl FastPath {
    pub(super) fn new(rules: &ParseRules) -> Self {
        Self {
            strict_blocks: !rules.loose_blocks,
            address: 0,
            fixed: Fixed::default(),
            items: Vec::with_capacity(4096),
            day: *b"1970/01/01",
            midnight: 0,
            last: [(*b"4 1970/01/01 00:00:00;", 0); 2],
            names: Vec::new(),
            blocks: Vec::new(),
            server_duid: None,
        }
    }

    /// Reads one declaration at the start of `w`; returns its length.
    #[inline]
    pub(super) fn step(&mut self, w: &[u8], rules: &ParseRules) -> Option<Step> {
        let at = blank(w, 0)?;
        if let Some(rest) = w[at..].strip_prefix(b"lease ") {
            let used = self.lease(rest, rules)?;
            return Some(Step::Lease(at + 6 + used));
        }
        let rest = w[at..].strip_prefix(b"server-duid ")?;
        let mut duid = Vec::new();
        let used = value(rest, &mut duid, 128)?;
        if duid.len() <= 2 || rest.get(used) != Some(&b';') {
            return None;
        }
        self.server_duid = Some(duid);
        Some(Step::Other(at + 12 + used + 1))
    }

    #[expect(clippy::too_many_lines, reason = "the grammar of a lease")]
    #[inline]
    fn lease(&mut self, w: &[u8], rules: &ParseRules) -> Option<usize> {
        let mut at = 0;
        let mut address = 0u32;
        for part in 0..4 {
            let mut number = u32::from(digit(*w.get(at)?)?);
            at += 1;
            while let Some(next) = digit(*w.get(at)?) {
                number = number * 10 + u32::from(next);
                at += 1;
                if number > 255 {
                    return None;
                }
            }
            address = address << 8 | number;
            let separator = if part < 3 { b'.' } else { b' ' };
            if *w.get(at)? != separator {
                return None;
            }
            at += 1;
        }
        if *w.get(at)? != b'{' {
            return None;
        }
        at += 1;
        self.address = address;
        self.fixed = Fixed::default();
        self.items.clear();
        let mut seen = 0u32;
        let mut names = [(0usize, 0usize); NAMES];
        let mut count = 0;
        loop {
            at = blank(w, at)?;
            let rest = &w[at..];
            let (bit, used) = match *rest.first()? {
                b'}' => {
                    if seen & seen::BINDING == 0 {
                        return None;
                    }
                    if seen & (1 << TSTP) == 0 {
                        self.fixed.dates[TSTP] = self.fixed.dates[ENDS];
                    }
                    return Some(at + 1);
                }
                b's' if rest.starts_with(b"starts ") => (1, self.date(rest, 7, 0)?),
                b's' if rest.starts_with(b"set ") => {
                    let (name, used) = self.set(rest)?;
                    let this = &rest[4..4 + name];
                    let twice = names[..count]
                        .iter()
                        .any(|&(at, length)| w[at..at + length].eq_ignore_ascii_case(this));
                    if twice || count == NAMES {
                        return None;
                    }
                    names[count] = (at + 4, name);
                    count += 1;
                    (0, used)
                }
                b'e' if rest.starts_with(b"ends ") => (2, self.date(rest, 5, ENDS)?),
                b't' if rest.starts_with(b"tstp ") => (4, self.date(rest, 5, TSTP)?),
                b't' if rest.starts_with(b"tsfp ") => (8, self.date(rest, 5, 3)?),
                b'a' if rest.starts_with(b"atsfp ") => (16, self.date(rest, 6, 4)?),
                b'c' if rest.starts_with(b"cltt ") => (32, self.date(rest, 5, 5)?),
                b'c' if rest.starts_with(b"client-hostname ") => {
                    (seen::HOSTNAME, self.hostname(rest)?)
                }
                b'b' if rest.starts_with(b"binding state ") => {
                    let (state, used) = state(&rest[14..])?;
                    self.fixed.states[0] = state as u8;
                    for (place, bit) in [(1, seen::NEXT), (2, seen::REWIND)] {
                        if seen & bit == 0 {
                            self.fixed.states[place] = state as u8;
                        }
                    }
                    (seen::BINDING, 14 + used)
                }
                b'n' if rest.starts_with(b"next binding state ") => {
                    let (state, used) = state(&rest[19..])?;
                    self.fixed.states[1] = state as u8;
                    (seen::NEXT, 19 + used)
                }
                b'r' if rest.starts_with(b"rewind binding state ") => {
                    let (state, used) = state(&rest[21..])?;
                    self.fixed.states[2] = state as u8;
                    (seen::REWIND, 21 + used)
                }
                b'h' if rest.starts_with(b"hardware ") => (seen::HARDWARE, self.hardware(rest)?),
                b'u' if rest.starts_with(b"uid ") => (seen::UID, self.uid(rest)?),
                b'r' if rest.starts_with(b"reserved;") => {
                    self.fixed.flags |= RESERVED;
                    (0, 9)
                }
                b'd' if rest.starts_with(b"dynamic-bootp;") => {
                    self.fixed.flags |= BOOTP;
                    (0, 14)
                }
                b'o' if rest.starts_with(b"option agent.") => (0, self.agent(rest)?),
                b'o' if rest.starts_with(b"on ") => self.on(rest)?,
                b'b' if rest.starts_with(b"billing ") => {
                    (seen::BILLING, self.billing(rest, rules)?)
                }
                _ => return None,
            };
            if seen & bit != 0 {
                return None;
            }
            seen |= bit;
            at += used;
        }
    }

    /// Reads a date after a keyword of `skip` bytes, and its semicolon.
    #[inline]
    fn date(&mut self, rest: &[u8], skip: usize, place: usize) -> Option<usize> {
        let Some(text) = rest.get(skip..).and_then(<[u8]>::first_chunk::<22>) else {
            return self.other_date(rest, skip, place);
        };
        let memory = usize::from(matches!(place, ENDS | TSTP));
        if *text == self.last[memory].0 {
            self.fixed.dates[place] = self.last[memory].1;
            return Some(skip + 22);
        }
        let separators = [text[1], text[12], text[15], text[18], text[21]];
        if separators != *b"  ::;" || digit(text[0]).is_none() {
            return self.other_date(rest, skip, place);
        }
        let day = text[2..12].first_chunk::<10>()?;
        if *day != self.day {
            if day[4] != b'/' || day[7] != b'/' {
                return None;
            }
            let number = |from: usize, to: usize| {
                day[from..to].iter().try_fold(0i32, |sum, &c| Some(sum * 10 + i32::from(digit(c)?)))
            };
            let (year, month, day_of_month) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
            if !(1..=12).contains(&month) || !(1901..2038).contains(&year) {
                return None;
            }
            self.midnight = i64::from(seconds(year, month, day_of_month, [0; 3], 0));
            self.day = *day;
        }
        let two =
            |at: usize| Some(i64::from(digit(text[at])?) * 10 + i64::from(digit(text[at + 1])?));
        let clock = (two(13)? * 60 + two(16)?) * 60 + two(19)?;
        let date = self.midnight + clock;
        self.fixed.dates[place] = date;
        self.last[memory] = (*text, date);
        Some(skip + 22)
    }

    #[cold]
    fn other_date(&mut self, rest: &[u8], skip: usize, place: usize) -> Option<usize> {
        let text = &rest[skip..];
        if text.starts_with(b"never;") {
            self.fixed.dates[place] = Date::NEVER.0;
            return Some(skip + 6);
        }
        let number = text.strip_prefix(b"epoch ")?;
        let length = number.iter().position(|c| digit(*c).is_none())?;
        let date = Date(atol(&number[..length]));
        if !(1..=10).contains(&length) || number[length] != b';' || !date.fits_dhcpd() {
            return None;
        }
        self.fixed.dates[place] = date.0;
        Some(skip + 6 + length + 1)
    }

    #[inline]
    fn hardware(&mut self, rest: &[u8]) -> Option<usize> {
        if let Some(text) = rest.get(9..).and_then(<[u8]>::first_chunk::<27>)
            && text.starts_with(b"ethernet ")
            && text[26] == b';'
        {
            let mut bytes = [0u8; 6];
            let mut wrong = 0;
            for (at, byte) in bytes.iter_mut().enumerate() {
                let high = HEX[text[9 + 3 * at] as usize];
                let low = HEX[text[10 + 3 * at] as usize];
                wrong |= (high | low) & 0xf0;
                if at < 5 && text[11 + 3 * at] != b':' {
                    wrong = 0xf0;
                }
                *byte = high << 4 | low;
            }
            if wrong == 0 {
                self.items.extend_from_slice(&[Tag::Hardware as u8, 7, 0, 0, 0, 1]);
                self.items.extend_from_slice(&bytes);
                return Some(9 + 27);
            }
        }
        let text = &rest[9..];
        let blank = text.iter().take(16).position(|c| *c == b' ')?;
        let kind = match &text[..blank] {
            b"ethernet" => 1,
            b"token-ring" => 6,
            b"fddi" => 8,
            b"infiniband" => 32,
            other => {
                let number = other.strip_prefix(b"unknown-")?;
                if number.is_empty() || number.len() > 3 || !number.iter().all(u8::is_ascii_digit) {
                    return None;
                }
                atoi(number) as u8
            }
        };
        let start = begin_item(&mut self.items, Tag::Hardware);
        self.items.push(kind);
        let mut at = blank + 1;
        if *text.get(at)? != b';' {
            at += hex_list(&text[at..], &mut self.items, 20)?;
        }
        if *text.get(at)? != b';' {
            return None;
        }
        finish_item(&mut self.items, start);
        Some(9 + at + 1)
    }

    #[inline]
    fn uid(&mut self, rest: &[u8]) -> Option<usize> {
        let start = begin_item(&mut self.items, Tag::Uid);
        let used = value(&rest[4..], &mut self.items, RUN)?;
        if *rest.get(4 + used)? != b';' {
            return None;
        }
        if self.items.len() == start {
            self.items.truncate(start - 5);
        } else {
            finish_item(&mut self.items, start);
        }
        Some(4 + used + 1)
    }

    #[inline]
    fn hostname(&mut self, rest: &[u8]) -> Option<usize> {
        let start = begin_item(&mut self.items, Tag::Hostname);
        if rest.get(16)? != &b'"' {
            return None;
        }
        let used = string(&rest[16..], &mut self.items)?;
        if *rest.get(16 + used)? != b';' || self.items[start..].contains(&0) {
            return None;
        }
        finish_item(&mut self.items, start);
        Some(16 + used + 1)
    }

    /// Reads `set NAME = "VALUE";`; returns the length of the name and of the statement.
    #[inline]
    fn set(&mut self, rest: &[u8]) -> Option<(usize, usize)> {
        let name = rest[4..].iter().position(|c| !is_word(*c))?;
        let text = &rest[4..4 + name];
        if !rest[4 + name..].starts_with(b" = \"") {
            return None;
        }
        if !self.names.iter().any(|known| known == text) {
            if !text.first()?.is_ascii_alphabetic() || name > 255 || keyword(text).is_some() {
                return None;
            }
            if self.names.len() < NAMES {
                self.names.push(text.to_vec());
            }
        }
        let start = begin_item(&mut self.items, Tag::SetData);
        self.items.extend_from_slice(&(name as u16).to_le_bytes());
        self.items.extend_from_slice(text);
        let at = 4 + name + 3;
        let used = string(&rest[at..], &mut self.items)?;
        if *rest.get(at + used)? != b';' {
            return None;
        }
        finish_item(&mut self.items, start);
        Some((name, at + used + 1))
    }

    fn agent(&mut self, rest: &[u8]) -> Option<usize> {
        let (code, skip) = if rest[13..].starts_with(b"circuit-id ") {
            (1, 13 + 11)
        } else if rest[13..].starts_with(b"remote-id ") {
            (2, 13 + 10)
        } else {
            return None;
        };
        let start = begin_item(&mut self.items, Tag::Agent);
        self.items.push(code);
        let used = value(&rest[skip..], &mut self.items, 1000)?;
        if *rest.get(skip + used)? != b';' || self.items.len() == start + 1 {
            return None;
        }
        finish_item(&mut self.items, start);
        Some(skip + used + 1)
    }

    fn on(&mut self, rest: &[u8]) -> Option<(u32, usize)> {
        let (bits, skip) = if rest.starts_with(b"on expiry {") {
            (seen::EXPIRY, 11)
        } else if rest.starts_with(b"on release {") {
            (seen::RELEASE, 12)
        } else if rest.starts_with(b"on expiry or release {") {
            (seen::EXPIRY | seen::RELEASE, 22)
        } else {
            return None;
        };
        let length = block(&rest[skip..])?;
        let at = self.valid_block(rest[skip..skip + length].trim_ascii())?;
        for (bit, tag) in [(seen::EXPIRY, Tag::OnExpiry), (seen::RELEASE, Tag::OnRelease)] {
            if bits & bit != 0 {
                let start = begin_item(&mut self.items, tag);
                self.items.extend_from_slice(&self.blocks[at].1);
                finish_item(&mut self.items, start);
            }
        }
        Some((bits, skip + length + 1))
    }

    /// The index of the block in the cache, if dhcpd's parser reads all of its statements without a warning.
    fn valid_block(&mut self, text: &[u8]) -> Option<usize> {
        /// The maximum number of blocks in the cache.
        const BLOCKS: usize = 16;
        if let Some(at) = self.blocks.iter().position(|(known, _)| known == text) {
            return Some(at);
        }
        let mut lexer = Lexer::new(Input::small(text));
        lexer.record();
        if self.strict_blocks {
            let statements = lexer.statements(0);
            if statements.is_none_or(|statements| statements.is_empty())
                || lexer.next() != Token::End
            {
                return None;
            }
        } else {
            while lexer.next() != Token::End {}
        }
        let kept = lexer.recorded();
        if !lexer.diagnostics.is_empty() || kept.is_empty() {
            return None;
        }
        if self.blocks.len() == BLOCKS {
            self.blocks.pop();
        }
        self.blocks.push((text.to_vec(), kept));
        Some(self.blocks.len() - 1)
    }

    fn billing(&mut self, rest: &[u8], rules: &ParseRules) -> Option<usize> {
        let (subclass, skip) = if rest.starts_with(b"billing class \"") {
            (false, 14)
        } else if rest.starts_with(b"billing subclass \"") {
            (true, 17)
        } else {
            return None;
        };
        let (mut name, mut key) = (Vec::new(), None);
        let mut at = skip + string(&rest[skip..], &mut name)?;
        if name.contains(&0)
            || rules.config.as_ref().is_some_and(|config| !config.classes.contains(&name))
        {
            return None;
        }
        if subclass {
            if *rest.get(at)? != b' ' {
                return None;
            }
            let mut bytes = Vec::new();
            at += 1 + value(&rest[at + 1..], &mut bytes, STRING)?;
            key = Some(bytes);
        }
        if *rest.get(at)? != b';' {
            return None;
        }
        let start = begin_item(&mut self.items, Tag::Billing);
        self.items.extend_from_slice(&billed(&name, key.as_deref()));
        finish_item(&mut self.items, start);
        Some(at + 1)
    }
}
