//! The output of a command while it runs.

/// The bytes that a tool has printed so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OutputBuffers {
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error.
    pub stderr: Vec<u8>,
}

impl OutputBuffers {
    /// Appends the concatenated `parts` and a newline to stdout.
    pub fn line(&mut self, parts: &[&[u8]]) {
        push_line(&mut self.stdout, parts);
    }

    /// Appends an entry `name=value` to stdout, with a newline in place of its final NUL.
    pub fn entry(&mut self, entry: &[u8]) {
        self.stdout.extend_from_slice(entry);
        if let Some(end) = self.stdout.last_mut() {
            *end = b'\n';
        }
    }

    /// Appends the concatenated `parts` and a newline to stderr.
    pub fn err_line(&mut self, parts: &[&[u8]]) {
        push_line(&mut self.stderr, parts);
    }

    /// Appends `/dev/nvram: MESSAGE` to stderr, as `perror` does.
    pub fn perror(&mut self, message: &str) {
        self.err_line(&[b"/dev/nvram: ", message.as_bytes()]);
    }
}

fn push_line(buffer: &mut Vec<u8>, parts: &[&[u8]]) {
    for part in parts {
        buffer.extend_from_slice(part);
    }
    buffer.push(b'\n');
}
