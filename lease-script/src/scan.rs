//! Scanning the output of `show` for invalid variables.
//!
//! A value may contain line breaks, and the text after one may look like another variable. So lines of `show` are only hints:
//! suspicious variables are read with `get`.

use memchr::{memchr, memmem};

use crate::record::Stored;
use crate::script::{Script, ScriptResult};

/// The maximum number of suspicious variables that one call reads.
const MAX_LOOKUPS: usize = 100;

/// The output of `show`.
#[derive(Default)]
pub(crate) struct Show {
    /// Standard output without the final line break.
    pub(crate) text: Vec<u8>,
    /// The length of standard output, including the final line break.
    pub(crate) bytes: usize,
    /// Standard error.
    pub(crate) errors: Vec<u8>,
    /// Exit code.
    pub(crate) code: i32,
}

/// The result of a scan.
pub(crate) struct Scan {
    pub(crate) show: Show,
    /// The names of variables under the prefix without a valid lease, which the next write removes.
    pub(crate) invalid: Vec<Vec<u8>>,
    /// The number of bytes that they use.
    pub(crate) invalid_bytes: usize,
    lookups: usize,
}

impl Show {
    /// The lines that are not empty.
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

    /// The lines that are not empty, from the last to the first.
    pub(crate) fn last_lines(&self) -> impl Iterator<Item = &[u8]> {
        self.text.rsplit(|c| *c == b'\n').filter(|line| !line.is_empty())
    }

    /// The lines that begin with `prefix`, which contains no line break.
    pub(crate) fn lines_with(&self, prefix: &[u8]) -> impl Iterator<Item = &[u8]> {
        let text = self.text.as_slice();
        let starts = memmem::find_iter(text, prefix);
        starts.filter(|at| *at == 0 || text[at - 1] == b'\n').map(|at| {
            let line = &text[at..];
            &line[..memchr(b'\n', line).unwrap_or(line.len())]
        })
    }

    /// The name and the value in a line that begins with `prefix`.
    pub(crate) fn parse_line<'a>(line: &'a [u8], prefix: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
        line.starts_with(prefix).then(|| split_once(line, b'=')).flatten()
    }

    /// Whether an empty line follows a line equal to `line`.
    fn is_followed_by_empty_line(&self, line: &[u8]) -> bool {
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

    /// Finds invalid variables, except those in `written`, which this call writes.
    pub(crate) fn scan(&mut self, written: &[&[u8]]) -> ScriptResult<Scan> {
        let show = self.show()?;
        if show.code != 0 {
            return self.fail("cannot read NVRAM");
        }
        let mut scan =
            Scan { show: Show::default(), invalid: Vec::new(), invalid_bytes: 0, lookups: 0 };
        let has_empty_lines =
            show.text.last() == Some(&b'\n') || memmem::find(&show.text, b"\n\n").is_some();
        // The variable in the preceding line, whose value may continue in this line.
        let mut previous: Option<&[u8]> = None;
        for line in show.lines() {
            if let Some((name, value)) = Show::parse_line(line, &self.config.prefix) {
                previous = None;
                if written.contains(&name) {
                    continue;
                }
                if !self.is_valid(name, value) {
                    self.check(&mut scan, name)?;
                    continue;
                }
                previous = Some(name);
                if has_empty_lines && show.is_followed_by_empty_line(line) {
                    self.check(&mut scan, name)?;
                }
            } else if let Some(before) = previous.take()
                && !is_plain(line)
            {
                self.check(&mut scan, before)?;
            }
        }
        scan.show = show;
        Ok(scan)
    }

    fn is_valid(&self, name: &[u8], value: &[u8]) -> bool {
        Stored::parse(&name[self.config.prefix.len()..], value).is_ok()
    }

    /// Reads the complete value of a suspicious variable.
    fn check(&mut self, scan: &mut Scan, name: &[u8]) -> ScriptResult {
        if scan.lookups == MAX_LOOKUPS {
            return Ok(());
        }
        scan.lookups += 1;
        if scan.invalid.iter().any(|known| known == name) {
            return Ok(());
        }
        if let Some(value) = self.get(name)?
            && !self.is_valid(name, &value)
        {
            scan.invalid_bytes += name.len() + value.len() + 2;
            scan.invalid.push(name.to_vec());
        }
        Ok(())
    }
}

/// Whether a line looks like a variable.
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
