//! A simple `nvram` tool with variables in RAM and in flash, for tests that do not depend on a dialect.

use lease_script::NvramOutput;

use super::router::Tool;

/// Where the tool reports its free space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FreeSpaceReport {
    /// On standard error of `show`, as Broadcom's tool and those derived from it do.
    Show,
    /// In the output of `info`, as OpenWrt's tool does.
    Info,
    /// In the last line of `show`, as Tomato's tool does.
    LastLine,
    /// Nowhere.
    None,
}

#[derive(Clone, Debug)]
pub(crate) struct SimpleTool {
    pub(crate) ram: Vec<(Vec<u8>, Vec<u8>)>,
    pub(crate) flash: Vec<(Vec<u8>, Vec<u8>)>,
    pub(crate) report: FreeSpaceReport,
    pub(crate) left: i64,
    pub(crate) commits: usize,
    /// A `set` without enough space silently drops the first variables.
    pub(crate) drops_variables: bool,
    /// `set` silently does nothing.
    pub(crate) ignores_set: bool,
}

impl SimpleTool {
    pub(crate) fn new(report: FreeSpaceReport, left: i64) -> Self {
        Self {
            ram: Vec::new(),
            flash: Vec::new(),
            report,
            left,
            commits: 0,
            drops_variables: false,
            ignores_set: false,
        }
    }

    fn find(&self, name: &[u8]) -> Option<&[u8]> {
        self.ram.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_slice())
    }

    fn put(&mut self, name: &[u8], value: Option<&[u8]>) {
        let size = |name: &[u8], value: &[u8]| (name.len() + value.len() + 2) as i64;
        if let Some(at) = self.ram.iter().position(|(known, _)| known == name) {
            let (name, old) = &mut self.ram[at];
            self.left += size(name, old);
            match value {
                Some(value) => {
                    self.left -= size(name, value);
                    *old = value.to_vec();
                }
                None => {
                    self.ram.remove(at);
                }
            }
        } else if let Some(value) = value {
            self.left -= size(name, value);
            self.ram.push((name.to_vec(), value.to_vec()));
        }
        while self.drops_variables && self.left < 0 {
            let (name, value) = self.ram.remove(0);
            self.left += size(&name, &value);
        }
    }
}

impl SimpleTool {
    /// Runs the first command of `args`, and returns the others.
    fn run_first<'a>(&mut self, args: &'a [&'a [u8]], out: &mut NvramOutput) -> &'a [&'a [u8]] {
        out.code = 0;
        match args {
            [b"get", name, ..] => match self.find(name) {
                Some(value) => out.stdout.extend_from_slice(&[value, b"\n"].concat()),
                None => out.code = i32::from(self.report != FreeSpaceReport::Show),
            },
            [b"set", pair, ..] => {
                let at = pair.iter().position(|c| *c == b'=').expect("set NAME=VALUE");
                if !self.ignores_set {
                    self.put(&pair[..at], Some(&pair[at + 1..]));
                }
            }
            [b"unset", name, ..] => self.put(name, None),
            [b"show", ..] => {
                for (name, value) in &self.ram {
                    out.stdout.extend_from_slice(&[name.as_slice(), b"=", value, b"\n"].concat());
                }
                let (count, left) = (self.ram.len(), self.left);
                match self.report {
                    FreeSpaceReport::Show => {
                        let line = format!("size: {count} bytes ({left} left)\n");
                        out.stderr.extend_from_slice(line.as_bytes());
                    }
                    FreeSpaceReport::LastLine => {
                        let line =
                            format!("---\n{count} entries, 1 bytes used, {left} bytes free.\n");
                        out.stdout.extend_from_slice(line.as_bytes());
                    }
                    FreeSpaceReport::Info | FreeSpaceReport::None => {}
                }
            }
            [b"info", ..] if self.report == FreeSpaceReport::Info => {
                // The length of the image that the tool would write.
                let data: usize =
                    self.ram.iter().map(|(name, value)| name.len() + value.len() + 2).sum();
                let used = (20 + data + 4) / 4 * 4;
                let text = format!(
                    "Magic: 0x48534C46\n\n{used} bytes used / {} bytes available (1.00%)\n",
                    self.left
                );
                out.stdout.extend_from_slice(text.as_bytes());
            }
            // Unknown commands are skipped.
            [b"info", ..] => {}
            [b"commit", ..] => {
                self.commits += 1;
                self.flash.clone_from(&self.ram);
            }
            _ => {
                *out =
                    NvramOutput { stderr: b"usage\n".to_vec(), code: 1, ..NvramOutput::default() }
            }
        }
        match args {
            [b"get" | b"set" | b"unset", _, rest @ ..]
            | [b"show" | b"info" | b"commit", rest @ ..] => rest,
            _ => &[],
        }
    }
}

impl Tool for SimpleTool {
    fn run(&mut self, args: &[&[u8]]) -> NvramOutput {
        let mut out = NvramOutput::default();
        let mut rest = self.run_first(args, &mut out);
        while !rest.is_empty() {
            rest = self.run_first(rest, &mut out);
        }
        out
    }

    fn variables(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        self.ram.clone()
    }

    fn flash_variables(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        self.flash.clone()
    }

    fn flash_ops(&self) -> usize {
        self.commits
    }

    fn reboot(&mut self) {
        self.ram.clone_from(&self.flash);
    }
}
