//! What `show` tells.
//!
//! Its lines are hints, no more: a value may hold line breaks, and what follows one looks like a variable.

use memchr::{memchr, memmem};

use crate::record::Stored;
use crate::script::{Script, Step};

/// How many suspicious names are looked at in one call.
const LOOKS: usize = 100;

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
pub(crate) struct Survey {
    pub(crate) show: Show,
    /// Names under the prefix that hold no lease: they go with the next write.
    pub(crate) waste: Vec<Vec<u8>>,
    /// The room that they take.
    pub(crate) waste_bytes: usize,
    looks: usize,
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
    pub(crate) fn show(&mut self) -> Step<Show> {
        let mut output = self.command(&[b"show"])?;
        let bytes = output.stdout.len();
        if output.stdout.last() == Some(&b'\n') {
            output.stdout.pop();
        }
        Ok(Show { text: output.stdout, bytes, errors: output.stderr, code: output.code })
    }

    /// Looks for waste, but not under the names in `busy`, which this call writes anyway.
    pub(crate) fn survey(&mut self, busy: &[&[u8]]) -> Step<Survey> {
        let show = self.show()?;
        if show.code != 0 {
            return self.fail("cannot read NVRAM");
        }
        let mut survey =
            Survey { show: Show::default(), waste: Vec::new(), waste_bytes: 0, looks: 0 };
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
                    self.discard(&mut survey, name)?;
                    continue;
                }
                held = Some(name);
                if gaps && show.has_gap_after(line) {
                    self.discard(&mut survey, name)?;
                }
            } else if let Some(before) = held.take()
                && !is_plain(line)
            {
                self.discard(&mut survey, before)?;
            }
        }
        survey.show = show;
        Ok(survey)
    }

    fn is_good(&self, name: &[u8], value: &[u8]) -> bool {
        Stored::parse(&name[self.config.prefix.len()..], value).is_ok()
    }

    /// Looks at the whole value behind a suspicious line.
    fn discard(&mut self, survey: &mut Survey, name: &[u8]) -> Step {
        if survey.looks == LOOKS {
            return Ok(());
        }
        survey.looks += 1;
        if survey.waste.iter().any(|known| known == name) {
            return Ok(());
        }
        if let Some(value) = self.get(name)?
            && !self.is_good(name, &value)
        {
            survey.waste_bytes += name.len() + value.len() + 2;
            survey.waste.push(name.to_vec());
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
