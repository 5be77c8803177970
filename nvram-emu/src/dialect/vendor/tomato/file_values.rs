//! Values that hold a file: `setfile`, `getfile`, `setfile2nvram`, `setfb64`, `getfb64`.

use super::variables::{get, set};
use crate::dialect::state::{Board, OutputBuffers};

/// Size of a value's file and of its header (`MAX_FS`, nvram_linux.c).
const MAX_FILE: usize = 4096;
const HEADER: usize = 8;
/// `MAGICNUM`.
const MAGIC: u32 = 0x1216_1770;
/// Maximum size of a file, or of a value, for `setfb64` and `getfb64`.
const MAX_BASE64: usize = 10240;

/// `nvram_file2nvram`: mode and magic, then the file; unprintable bytes as `\XX`, NUL as `~`.
pub(super) fn set_file(board: &mut Board, name: &[u8], path: &[u8], out: &mut OutputBuffers) -> u8 {
    let Ok(file) = board.files.read(path, MAX_FILE - HEADER + 1) else {
        out.err_line(&[b"No such file or directory"]);
        return 1;
    };
    if file.bytes.len() > MAX_FILE - HEADER {
        out.err_line(&[b"File too big."]);
        return 1;
    }
    let mut pair = [name, b"="].concat();
    let header = [file.mode.to_le_bytes(), MAGIC.to_le_bytes()].concat();
    for &byte in header.iter().chain(&file.bytes) {
        match byte {
            0 => pair.push(b'~'),
            b'\\' | b'~' => pair.extend_from_slice(format!("\\{byte:02X}").as_bytes()),
            b' '..=b'~' => pair.push(byte),
            _ => pair.extend_from_slice(format!("\\{byte:02X}").as_bytes()),
        }
    }
    set(board, &pair, out);
    0
}

/// `nvram_nvram2file`. Folders of the path are not created.
pub(super) fn get_file(board: &mut Board, name: &[u8], path: &[u8], out: &mut OutputBuffers) -> u8 {
    let Some(value) = get(board, name) else {
        out.line(&[b"Key does not exist: ", name]);
        return 1;
    };
    let mut file = Vec::new();
    let mut rest = &value[..];
    while let Some((&first, tail)) = rest.split_first().filter(|_| file.len() < MAX_FILE - 3) {
        rest = tail;
        match first {
            b'\\' => {
                let digits = &tail[..tail.len().min(2)];
                let text = String::from_utf8_lossy(digits);
                file.push(u8::from_str_radix(&text, 16).unwrap_or(0));
                rest = &tail[digits.len()..];
            }
            b'~' => file.push(0),
            byte => file.push(byte),
        }
    }
    if file.is_empty() {
        return 0;
    }
    let header = file.split_first_chunk::<HEADER>();
    let Some((header, contents)) = header.filter(|(header, _)| header[4..] == MAGIC.to_le_bytes())
    else {
        out.line(&[b"Error: '", name, b"' not created by nvram setfile."]);
        return 255;
    };
    let mode = u32::from_le_bytes([header[0], header[1], header[2], header[3]]) & 0o7777;
    if board.files.write(path, contents, mode).is_err() {
        out.err_line(&[path, b": cannot be written"]);
        return 255;
    }
    0
}

/// `nvram_set_file`.
pub(super) fn set_base64(
    board: &mut Board,
    name: &[u8],
    path: &[u8],
    out: &mut OutputBuffers,
) -> u8 {
    match board.files.read(path, MAX_BASE64 + 1) {
        Ok(file) if !file.bytes.is_empty() && file.bytes.len() <= MAX_BASE64 => {
            set(board, &[name, b"=", &encode(&file.bytes)].concat(), out);
            0
        }
        _ => {
            out.err_line(&[b"Unable to set ", name, b" or read ", path]);
            1
        }
    }
}

/// `nvram_get_file`.
pub(super) fn get_base64(
    board: &mut Board,
    name: &[u8],
    path: &[u8],
    out: &mut OutputBuffers,
) -> u8 {
    let file = get(board, name).filter(|value| value.len() <= MAX_BASE64).map(|text| decode(&text));
    match file {
        Some(file) if !file.is_empty() && board.files.write(path, &file, 0o644).is_ok() => 0,
        _ => {
            out.err_line(&[b"Unable to get ", name, b" or write ", path]);
            1
        }
    }
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn encode(bytes: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    for chunk in bytes.chunks(3) {
        let byte = |at: usize| u32::from(chunk.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for at in 0..4 {
            let digit = ALPHABET[(bits >> (18 - 6 * at)) as usize & 63];
            text.push(if at > chunk.len() { b'=' } else { digit });
        }
    }
    text
}

/// Stops at `=`, and ignores bytes that are not in the alphabet (base64_decode, shared/base64.c).
fn decode(text: &[u8]) -> Vec<u8> {
    let digits: Vec<u32> = text
        .iter()
        .take_while(|byte| **byte != b'=')
        .filter_map(|byte| ALPHABET.iter().position(|digit| digit == byte))
        .map(|digit| digit as u32)
        .collect();
    let mut bytes = Vec::new();
    for chunk in digits.chunks(4).filter(|chunk| chunk.len() > 1) {
        let bits = chunk.iter().fold(0, |bits, digit| bits << 6 | digit) << (6 * (4 - chunk.len()));
        bytes.extend_from_slice(&bits.to_be_bytes()[1..chunk.len()]);
    }
    bytes
}
