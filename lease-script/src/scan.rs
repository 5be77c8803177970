//! What `show` tells.
//!
//! Its lines are hints, no more: a value may hold line breaks, and what follows one lookups like a variable.

use memchr::{memchr, memmem};

use crate::record::Stored;
use crate::script::{Script, ScriptResult};

/// How many suspicious names are looked at in one call.
const MAX_LOOKUPS: usize = 100;

/// The output of `show`, taken apart.
#[derive(Default)]
pub(crate) struct Show {
    /// Standard output without its last line break.
    pub(crate) text: Vec<u8>,
    /// The length of standard output.
    pub(crate) bytes: usize,
    /// Standard error.
    pub(crate) errors: Vec<u8>,
    /// Exit code.
    pub(crate) code: i32,
}

/// What a writer must know before it writes.
pub(crate) struct Scan {
    pub(crate) show: Show,
    /// Names under the prefix that hold no lease: they go with the next write.
    pub(crate) invalid: Vec<Vec<u8>>,
    /// The room that they take.
    pub(crate) invalid_bytes: usize,
    lookups: usize,
}

impl Show {
    /// Lines that are not empty.
    pub(crate) fn lines(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = self.text.as_slice();
        let line = move || {
            let end = memchr(b'\n', rest);
            let (line, after) = rest.split_at(end.unwrap_or(rest.len()));
            rest = after.get(1..).unwrap_or_default();
            (end.is_some() || !line.is_empty()).then_some(line)
        };
        std::iter::from_fn(line).filter(|line| !line.is_empty())
    }

    /// The same from the end.
    pub(crate) fn last_lines(&self) -> impl Iterator<Item = &[u8]> {
        self.text.rsplit(|c| *c == b'\n').filter(|line| !line.is_empty())
    }

    /// Lines that begin with `prefix`, which holds no line break.
    pub(crate) fn lines_with(&self, prefix: &[u8]) -> impl Iterator<Item = &[u8]> {
        let text = self.text.as_slice();
        let starts = memmem::find_iter(text, prefix);
        starts.filter(|at| *at == 0 || text[at - 1] == b'\n').map(|at| {
            let line = &text[at..];
            &line[..memchr(b'\n', line).unwrap_or(line.len())]
        })
    }

    /// The name that a line claims, if it begins with `prefix`.
    pub(crate) fn claim<'a>(line: &'a [u8], prefix: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
        line.starts_with(prefix).then(|| split_once(line, b'=')).flatten()
    }

    /// Is there an empty line behind a line that reads `line`?
    fn has_gap_after(&self, line: &[u8]) -> bool {
        let text = [b"\n", self.text.as_slice(), b"\n"].concat();
        let gap = [b"\n", line, b"\n\n"].concat();
        memmem::find(&text, &gap).is_some()
    }
}

impl Script<'_> {
    pub(crate) fn show(&mut self) -> ScriptResult<Show> {
        let mut output = self.command(&[b"show"])?;
        let bytes = output.stdout.len();
        if output.stdout.last() == Some(&b'\n') {
            output.stdout.pop();
        }
        Ok(Show { text: output.stdout, bytes, errors: output.stderr, code: output.code })
    }

    /// Looks for invalid, but not under the names in `busy`, which this call writes anyway.
    pub(crate) fn scan(&mut self, busy: &[&[u8]]) -> ScriptResult<Scan> {
        let show = self.show()?;
        if show.code != 0 {
            return self.fail("cannot read NVRAM");
        }
        let mut scan =
            Scan { show: Show::default(), invalid: Vec::new(), invalid_bytes: 0, lookups: 0 };
        let gaps = show.text.last() == Some(&b'\n') || memmem::find(&show.text, b"\n\n").is_some();
        // The record of the line before: what follows it may belong to its value.
        let mut held: Option<&[u8]> = None;
        for line in show.lines() {
            if let Some((name, value)) = Show::claim(line, &self.config.prefix) {
                held = None;
                if busy.contains(&name) {
                    continue;
                }
                if !self.is_good(name, value) {
                    self.discard(&mut scan, name)?;
                    continue;
                }
                held = Some(name);
                if gaps && show.has_gap_after(line) {
                    self.discard(&mut scan, name)?;
                }
            } else if let Some(before) = held.take()
                && !is_plain(line)
            {
                self.discard(&mut scan, before)?;
            }
        }
        scan.show = show;
        Ok(scan)
    }

    fn is_good(&self, name: &[u8], value: &[u8]) -> bool {
        Stored::parse(&name[self.config.prefix.len()..], value).is_ok()
    }

    /// Looks at the whole value behind a suspicious line.
    fn discard(&mut self, scan: &mut Scan, name: &[u8]) -> ScriptResult {
        if scan.lookups == MAX_LOOKUPS {
            return Ok(());
        }
        scan.lookups += 1;
        if scan.invalid.iter().any(|known| known == name) {
            return Ok(());
        }
        if let Some(value) = self.get(name)?
            && !self.is_good(name, &value)
        {
            scan.invalid_bytes += name.len() + value.len() + 2;
            scan.invalid.push(name.to_vec());
        }
        Ok(())
    }
}

/// Does a line look like a variable of its own?
fn is_plain(line: &[u8]) -> bool {
    let word = |c: &u8| c.is_ascii_alphanumeric() || *c == b'_';
    split_once(line, b'=').is_some_and(|(name, _)| {
        name.first().is_some_and(word)
            && name.iter().all(|c| word(c) || matches!(c, b'.' | b'/' | b':' | b'-'))
    })
}

fn split_once(text: &[u8], at: u8) -> Option<(&[u8], &[u8])> {
    let i = memchr(at, text)?;
    Some((&text[..i], &text[i + 1..]))
}
