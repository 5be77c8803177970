//! Limits on what a file can make its reader keep in memory.

use std::io;

/// The maximum number of addresses, associations and other declarations of a file.
pub(crate) const MAX_LEASES: usize = 1 << 21;

/// The maximum number of earlier declarations of a file that are kept.
pub(crate) const MAX_HISTORY: usize = 1 << 22;

/// The maximum number of earlier rows of a memfile that are kept. It is lower, because the columns are kept as well.
const MAX_ROWS: usize = 1 << 20;

/// The maximum number of lines of a file in which each line is a part of a lease.
const MAX_LINES: u64 = 1 << 23;

/// The maximum size in bytes of a file that is read into memory as one JSON value. The value needs twenty times as much
/// memory.
pub const MAX_JSON_BYTES: u64 = 64 << 20;

/// Checks the number of leases, associations and other declarations that were read up to a line.
pub(crate) fn check_leases(count: usize, line: u64) -> io::Result<()> {
    check(count, MAX_LEASES, "leases and other declarations", line)
}

/// Checks the number of earlier declarations that were read up to a line.
pub(crate) fn check_history(count: usize, line: u64) -> io::Result<()> {
    check(count, MAX_HISTORY, "records kept for their history", line)
}

/// Checks the number of earlier rows of a memfile that were read up to a line.
pub(crate) fn check_rows(count: usize, line: u64) -> io::Result<()> {
    check(count, MAX_ROWS, "rows kept for their history", line)
}

/// Checks the number of a line.
pub(crate) fn check_line(line: u64) -> io::Result<()> {
    if line <= MAX_LINES {
        return Ok(());
    }
    Err(io::Error::other(format!("more than {MAX_LINES} lines")))
}

fn check(count: usize, limit: usize, what: &str, line: u64) -> io::Result<()> {
    if count <= limit {
        return Ok(());
    }
    Err(io::Error::other(format!("line {line}: more than {limit} {what}")))
}

/// Reads JSON text into memory.
///
/// # Errors
/// If the source cannot be read, or has more than [`MAX_JSON_BYTES`].
pub fn read_json(source: impl io::Read) -> io::Result<Vec<u8>> {
    use io::Read as _;
    let mut text = Vec::new();
    source.take(MAX_JSON_BYTES + 1).read_to_end(&mut text)?;
    if text.len() as u64 > MAX_JSON_BYTES {
        let why = format!("more than {} MiB of JSON", MAX_JSON_BYTES >> 20);
        return Err(io::Error::other(why));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::{MAX_HISTORY, MAX_JSON_BYTES, MAX_LEASES, check_history, check_leases, read_json};

    #[test]
    fn the_first_record_beyond_a_limit_is_named_by_its_line() {
        assert!(check_leases(MAX_LEASES, 7).is_ok());
        let error = check_leases(MAX_LEASES + 1, 7).expect_err("too many");
        assert_eq!(error.to_string(), "line 7: more than 2097152 leases and other declarations");
        assert!(check_history(MAX_HISTORY, 7).is_ok());
        assert!(check_history(MAX_HISTORY + 1, 7).is_err());
    }

    #[test]
    fn endless_json_is_rejected() {
        let error = read_json(std::io::repeat(b' ')).expect_err("no end");
        assert_eq!(error.to_string(), format!("more than {} MiB of JSON", MAX_JSON_BYTES >> 20));
    }
}
