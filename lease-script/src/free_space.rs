//! Free space in NVRAM as reported by the tool.
//!
//! | tool | where it is reported | can a value forge it? |
//! |---|---|---|
//! | Broadcom and derived tools | standard error of `show`: `size: N bytes (M left)` | no |
//! | OpenWrt | last line of `info`: `N bytes used / M bytes available` | no |
//! | Padavan | last line of `show`: `size: N bytes (M left)` | no, it comes last |
//! | Tomato | last line of `show`: `…, M bytes free.` after `---` | no, it comes last |
//! | others | `LEASE_NVRAM_FREE`, otherwise unknown | |

use memchr::memmem;

use crate::scan::Show;
use crate::script::{Script, ScriptResult};

/// The size of the four `sdram_*` variables that some tools add at the first write.
const SDRAM: i64 = 84;
/// Padding, and the last bytes, which would make OpenWrt's tool refuse all writes (`len` must be below the space).
const MARGIN: i64 = 8;
/// The size of the image header (`struct nvram_header`).
const HEADER: i64 = 20;

/// The free space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FreeSpace {
    /// The tool does not report it.
    Unknown,
    /// The number of free bytes.
    Left(i64),
    /// The numbers of free and used bytes, where the tool reports both.
    Image { used: i64, left: i64 },
}

impl Script<'_> {
    pub(crate) fn free_space(&mut self, show: &Show) -> ScriptResult<FreeSpace> {
        if has_in_order(&show.errors, &["size: ", " bytes (", " left)"]) {
            return Ok(FreeSpace::left(before(after_last(&show.errors, " bytes ("), " left)")));
        }
        let mut info = self.command(&[b"info"])?.stdout;
        while info.last() == Some(&b'\n') {
            info.pop();
        }
        let last = after_last(&info, "\n");
        if has_in_order(last, &[" bytes used / ", " bytes available ("]) {
            let left = before(after(last, " / "), " bytes");
            return Ok(match (number(before(last, " bytes used")), FreeSpace::left(left)) {
                (Some(used), FreeSpace::Left(left)) => FreeSpace::Image { used, left },
                (_, free) => free,
            });
        }
        let mut lines = show.last_lines();
        let last = lines.next().unwrap_or_default();
        if lines.next() == Some(b"---")
            && has_in_order(last, &[" entries, ", " bytes used, ", " bytes free."])
            && last.ends_with(b" bytes free.")
        {
            return Ok(FreeSpace::left(before(after_last(last, ", "), " bytes")));
        }
        if last.starts_with(b"size: ")
            && has_in_order(last, &["size: ", " bytes (", " left)"])
            && last.ends_with(b" left)")
        {
            return Ok(FreeSpace::left(before(after_last(last, " bytes ("), " left)")));
        }
        Ok(self.config.free.as_deref().map_or(FreeSpace::Unknown, FreeSpace::left))
    }
}

impl FreeSpace {
    /// Parses the number of free bytes; text that is not a number counts as 0. The number
    /// is negative if the variables in RAM do not fit into flash.
    fn left(text: &[u8]) -> Self {
        let digits = text.strip_prefix(b"-").unwrap_or(text);
        let left = if text.len() > 9 { None } else { number(digits) };
        match left {
            _ if text.is_empty() => Self::Unknown,
            Some(left) if digits.len() < text.len() => Self::Left(-left),
            left => Self::Left(left.unwrap_or(0)),
        }
    }

    /// Checks whether the image can grow by `growth` bytes; `bytes` is the length of the output of `show`.
    ///
    /// # Errors
    /// The numbers of bytes needed and of bytes left.
    pub(crate) fn check(self, growth: i64, bytes: usize) -> Result<(), (i64, i64)> {
        let (left, need) = match self {
            Self::Unknown => return Ok(()),
            Self::Left(left) => (left, growth + MARGIN),
            // The image that the tool will write: header, entries, end, rounded up. Variables that the tool adds are
            // already in `show`; the numbers of `info` may be older.
            Self::Image { used, left } => {
                (left, (HEADER + bytes as i64 + 1 + growth + 4) / 4 * 4 + 1 - used)
            }
        };
        let need = if growth > 0 { need.max(growth + SDRAM + MARGIN) } else { need };
        if need <= left { Ok(()) } else { Err((need, left)) }
    }
}

/// A number of at most nine digits, which every shell can compute with.
fn number(text: &[u8]) -> Option<i64> {
    let digits = (1..=9).contains(&text.len()) && text.iter().all(u8::is_ascii_digit);
    digits.then(|| text.iter().fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0')))
}

fn find(text: &[u8], part: &str) -> Option<usize> {
    memmem::find(text, part.as_bytes())
}

fn has_in_order(mut text: &[u8], parts: &[&str]) -> bool {
    parts.iter().all(|part| {
        find(text, part).is_some_and(|at| {
            text = &text[at + part.len()..];
            true
        })
    })
}

fn before<'a>(text: &'a [u8], part: &str) -> &'a [u8] {
    find(text, part).map_or(text, |at| &text[..at])
}

fn after<'a>(text: &'a [u8], part: &str) -> &'a [u8] {
    find(text, part).map_or(text, |at| &text[at + part.len()..])
}

fn after_last<'a>(text: &'a [u8], part: &str) -> &'a [u8] {
    let at = memmem::rfind(text, part.as_bytes());
    at.map_or(text, |at| &text[at + part.len()..])
}
