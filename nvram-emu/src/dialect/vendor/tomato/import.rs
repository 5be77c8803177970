//! `import --forceall`: import_main.

use memchr::memchr;

use super::variables::{get, set};
use crate::dialect::state::{Board, OutputBuffers};

/// Maximum size of a file.
const LIMIT: usize = 4 << 20;
/// `fgets` reads at most this many bytes of a line.
const LINE: usize = 10239;

/// Reads lines `"NAME=VALUE"` as `export --quote` writes them.
pub(super) fn run(board: &mut Board, path: &[u8], out: &mut OutputBuffers) -> u8 {
    let Ok(file) = board.files.read(path, LIMIT) else {
        out.line(&[b"Error opening file."]);
        return 1;
    };
    let (mut same, mut sets) = (0, 0);
    let lines = file.bytes.split(|byte| *byte == b'\n').flat_map(|line| line.chunks(LINE));
    for line in lines {
        let Some(pair) = quoted(line) else { continue };
        let Some(eq) = memchr(b'=', pair) else { continue };
        let (name, value) = (&pair[..eq], &pair[eq + 1..]);
        let Some(value) = unescape(value) else {
            // The real tool prints what is left of its buffer.
            out.line(&[b"Error unescaping ", name, b"=", value]);
            return 1;
        };
        if get(board, name).unwrap_or_default() == value {
            same += 1;
        } else {
            sets += 1;
            let pair = [name, b"=", &value].concat();
            out.line(&[&pair]);
            set(board, &pair, out);
        }
    }
    out.line(&[b"---"]);
    out.line(&[format!("0 skipped, {same} same, {sets} set").as_bytes()]);
    0
}

/// What is between the first and the last quote, with nothing but white space around them.
fn quoted(line: &[u8]) -> Option<&[u8]> {
    let text = line.trim_ascii();
    let inner = text.strip_prefix(b"\"")?;
    inner.strip_suffix(b"\"").filter(|_| text.len() > 1)
}

/// `\r` becomes a line feed, as in the real tool.
fn unescape(text: &[u8]) -> Option<Vec<u8>> {
    let mut value = Vec::new();
    let mut bytes = text.iter();
    while let Some(&byte) = bytes.next() {
        value.push(match byte {
            b'\\' => match bytes.next()? {
                b't' => b'\t',
                b'r' | b'n' => b'\n',
                escaped @ (b'\\' | b'"') => *escaped,
                _ => return None,
            },
            byte => byte,
        });
    }
    Some(value)
}
