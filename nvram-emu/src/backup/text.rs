//! The output of `nvram show`.

use super::error::BackupError;
use super::{MAX_VARIABLES, Variable};

/// Reads lines `NAME=VALUE`. A line that is not one continues the value of the line before, since values may contain line
/// breaks. The size line at the end, and Tomato's `---`, are skipped.
///
/// # Errors
/// A first line without a name, or a NUL byte.
pub(super) fn read(text: &[u8]) -> Result<Vec<Variable>, BackupError> {
    if text.len() > 2 * MAX_VARIABLES {
        return Err(BackupError::TooLarge { limit: 2 * MAX_VARIABLES });
    }
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    let lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
    let lines = without_statistics(&lines);
    let mut variables: Vec<Variable> = Vec::new();
    for (number, line) in lines.iter().enumerate() {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let error = |column: usize, problem| BackupError::Line {
            line: number + 1,
            column: column + 1,
            problem,
        };
        if let Some(column) = line.iter().position(|byte| *byte == 0) {
            return Err(error(column, "a NUL byte: expected the text of `nvram show`"));
        }
        match (name_len(line), variables.last_mut()) {
            (Some(len), _) => variables.push((line[..len].to_vec(), line[len + 1..].to_vec())),
            (None, Some((_, value))) => {
                value.push(b'\n');
                value.extend_from_slice(line);
            }
            (None, None) => return Err(error(0, "expected NAME=VALUE")),
        }
    }
    Ok(variables)
}

/// The length of the name, if the line begins with a name and `=`.
fn name_len(line: &[u8]) -> Option<usize> {
    let len = line.iter().position(|byte| *byte == b'=')?;
    let in_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-./:+".contains(byte);
    (len > 0 && line[..len].iter().all(in_name)).then_some(len)
}

fn without_statistics<'a, 'b>(lines: &'a [&'b [u8]]) -> &'a [&'b [u8]] {
    let is_size = |line: &[u8]| line.starts_with(b"size: ") && line.ends_with(b" left)");
    match lines {
        [before @ .., b"", last] | [before @ .., last] if is_size(last) => before,
        [before @ .., b"---", last] if last.ends_with(b" bytes free.") => before,
        [b""] => &[],
        all => all,
    }
}
