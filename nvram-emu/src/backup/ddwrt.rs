//! DD-WRT's `backup`: `DD-WRT`, a count of 16 bits, then for each variable the length of its name (8 bits), the name, the
//! length of its value (16 bits) and the value. From backup.c of mirror/dd-wrt at c1330ebb1b.

use super::error::BackupError;
use super::{MAX_VARIABLES, Variable};

pub(super) const SIGNATURE: &[u8] = b"DD-WRT";

/// Reads the variables.
///
/// # Errors
/// Another signature, or a file that ends early.
pub fn read(file: &[u8]) -> Result<Vec<Variable>, BackupError> {
    if !file.starts_with(SIGNATURE) {
        return Err(BackupError::at(0, "expected DD-WRT"));
    }
    let mut reader = Reader { file, at: SIGNATURE.len() };
    let count = reader.u16()?;
    let mut variables = Vec::new();
    let mut size = 0;
    for _ in 0..count {
        if reader.at == file.len() {
            break;
        }
        let name_len = usize::from(reader.take(1)?[0]);
        let name = reader.take(name_len)?.to_vec();
        let value_len = reader.u16()?;
        let value = reader.take(usize::from(value_len))?.to_vec();
        size += name.len() + value.len();
        if size > MAX_VARIABLES {
            return Err(BackupError::TooLarge { limit: MAX_VARIABLES });
        }
        variables.push((name, value));
    }
    Ok(variables)
}

/// Writes a backup: variables whose name begins with `wl_` come first.
pub fn write(variables: &[(&[u8], &[u8])]) -> Vec<u8> {
    let mut file = SIGNATURE.to_vec();
    file.extend_from_slice(&(variables.len() as u16).to_le_bytes());
    for first in [true, false] {
        for (name, value) in variables {
            // `save` skips by the entry's length, name and value together.
            let long = name.len() + 1 + value.len() > 2;
            if long && name.starts_with(b"wl_") != first {
                continue;
            }
            file.push(name.len() as u8);
            file.extend_from_slice(name);
            file.extend_from_slice(&(value.len() as u16).to_le_bytes());
            file.extend_from_slice(value);
        }
    }
    file
}

struct Reader<'a> {
    file: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, len: usize) -> Result<&'a [u8], BackupError> {
        let bytes = self
            .file
            .get(self.at..self.at + len)
            .ok_or_else(|| BackupError::at(self.at, "the file ends inside a variable"))?;
        self.at += len;
        Ok(bytes)
    }

    fn u16(&mut self) -> Result<u16, BackupError> {
        let bytes = self.take(2)?;
        Ok(u16::from_le_bytes([bytes[0], bytes[1]]))
    }
}
