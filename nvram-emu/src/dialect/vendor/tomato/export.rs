//! `export`.

use memchr::memchr;

use super::variables::DRIVER;
use crate::dialect::state::{Board, Driver, OutputBuffers};

/// The formats of `export`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// `--dump`: lines.
    Dump,
    /// `--dump0`: each entry with its NUL.
    Dump0,
    /// `--quote`: `"NAME=VALUE"`.
    Quote,
    /// `--c`: `{ "NAME", "VALUE" },`.
    C,
    /// `--set`: `nvram set NAME="VALUE"`.
    Set,
    /// `--tab`: NAME, a tab, VALUE.
    Tab,
}

impl Format {
    pub(super) fn parse(option: &[u8]) -> Option<Self> {
        Some(match option {
            b"--dump" => Self::Dump,
            b"--dump0" => Self::Dump0,
            b"--quote" => Self::Quote,
            b"--c" => Self::C,
            b"--set" => Self::Set,
            b"--tab" => Self::Tab,
            _ => return None,
        })
    }
}

/// `export_main`, without `--nodefaults`.
pub(super) fn run(format: Format, board: &mut Board, out: &mut OutputBuffers) {
    let space = board.space as usize;
    Driver::getall(&DRIVER.ram(board).table, space, |entry| {
        let pair = &entry[..entry.len() - 1];
        let stdout = &mut out.stdout;
        match format {
            Format::Dump => out.entry(entry),
            Format::Dump0 => stdout.extend_from_slice(entry),
            Format::Quote => quoted(stdout, format, b"\"", pair, b"\"\n"),
            Format::C => pair_of(stdout, format, [b"{ \"", b"\", \"", b"\" },\n"], pair),
            Format::Set => pair_of(stdout, format, [b"nvram set ", b"=\"", b"\"\n"], pair),
            Format::Tab => pair_of(stdout, format, [b"", b"\t", b"\n"], pair),
        }
    });
}

/// An entry with something else in place of its first `=`.
fn pair_of(
    stdout: &mut Vec<u8>,
    format: Format,
    [before, between, after]: [&[u8]; 3],
    pair: &[u8],
) {
    let eq = memchr(b'=', pair).unwrap_or(pair.len());
    quoted(stdout, format, before, &pair[..eq], between);
    quoted(stdout, format, b"", pair.get(eq + 1..).unwrap_or_default(), after);
}

fn quoted(stdout: &mut Vec<u8>, format: Format, before: &[u8], text: &[u8], after: &[u8]) {
    stdout.extend_from_slice(before);
    let is_set = format == Format::Set;
    for &byte in text {
        match byte {
            b'\t' if !is_set => stdout.extend_from_slice(b"\\t"),
            b'\r' if !is_set => stdout.extend_from_slice(b"\\r"),
            b'\n' if !is_set => stdout.extend_from_slice(b"\\n"),
            b'"' | b'\\' => stdout.extend_from_slice(&[b'\\', byte]),
            b'$' | b'`' if is_set => stdout.extend_from_slice(&[b'\\', byte]),
            b'\t' | b'\r' | b'\n' | b' '..=b'~' => stdout.push(byte),
            // `printf("\\x%02x", *p)` of a signed char.
            _ => {
                let number = i32::from(byte as i8);
                stdout.extend_from_slice(format!("\\x{number:02x}").as_bytes());
            }
        }
    }
    stdout.extend_from_slice(after);
}
