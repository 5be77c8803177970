//! The user libraries between a tool and its driver, which refuse, change or add commands.

use memchr::memchr;

use super::linksys::mirrors;
use super::reset::keeps;
use crate::dialect::state::{Board, Driver, NoMemory, OutputBuffers};
use crate::flsh::Table;

/// The user library of a tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum UserLib {
    /// Broadcom's nvram_linux.c: `name=value` in one `write()`, split again by the driver.
    Write,
    /// Linksys' WRT54GL 4.30.11: as [`UserLib::Write`], and mirrored names.
    Linksys,
    /// FreshTomato on ARM: as [`UserLib::Write`], but the tool's buffer reserves its last byte for the NUL
    /// (`strlcpy`).
    WriteTerminated,
    /// DD-WRT (src/router/nvram/nvram_linux.c): carriage returns are dropped, a name of more than 64 bytes is
    /// silently refused, `et0macaddr_safe` is written once, no commit while `flash_active` is 1.
    DdWrt,
    /// Asuswrt-Merlin (release/src/router/nvram/nvram_linux.c): no commit while `asus_stop_commit` exists.
    Merlin,
    /// Padavan (libnvram's ioctl interface): separate name and value, names of 1 to 63 bytes. The tool copies
    /// `argument` bytes of what follows `set`; the real one then reads on into its stack.
    Ioctl {
        /// Size of the tool's buffer, less one.
        argument: usize,
    },
}

/// Maximum length of a name in DD-WRT's `_nvram_set`.
const DDWRT_NAME: usize = 64;
/// `NVRAM_MAX_PARAM_LEN - 1` of Padavan's driver.
const IOCTL_NAME: usize = 63;
/// `NVRAM_MAX_VALUE_LEN - 1` of Padavan's driver.
const IOCTL_VALUE: usize = 4095;

const TOO_LONG: &str = "Value too large for defined data type";
const INVALID: &str = "Invalid argument";

impl UserLib {
    /// Exit code of a tool whose library fails before any command. DD-WRT first asks for the space, and its
    /// driver does not start on a partition that is smaller than the NVRAM.
    pub(super) fn open_failure(self, board: &Board, out: &mut OutputBuffers) -> Option<u8> {
        if self != Self::DdWrt || board.space <= board.flash.geometry().size {
            return None;
        }
        out.err_line(&[b"cannot open /dev/nvram"]);
        out.err_line(&[b"error in nvram driver"]);
        Some(255)
    }

    /// `set ARGUMENT`: splits at the first `=`, and unsets if there is none.
    pub(super) fn set(
        self,
        driver: &Driver,
        board: &mut Board,
        argument: &[u8],
        out: &mut OutputBuffers,
    ) {
        let argument = &argument[..argument.len().min(self.argument_capacity(board))];
        let (name, value) = split(argument);
        match self {
            Self::Write | Self::WriteTerminated | Self::Merlin => {
                write(driver, board, argument, out);
            }
            Self::Linksys => {
                write(driver, board, argument, out);
                for other in mirrors(name) {
                    let mirrored = [other.as_bytes(), &argument[name.len()..]].concat();
                    write(driver, board, &mirrored, out);
                }
            }
            Self::DdWrt => {
                let written_once = b"et0macaddr_safe";
                if name != written_once || driver.ram(board).table.get(written_once).is_none() {
                    write_ddwrt(driver, board, name, argument, out);
                }
            }
            Self::Ioctl { .. } => {
                if ioctl(driver, board, name, value, out) {
                    driver.mark_temporary(board, name, false);
                }
            }
        }
    }

    /// `settmp ARGUMENT` of Padavan's tool.
    pub(super) fn set_temporary(
        self,
        driver: &Driver,
        board: &mut Board,
        argument: &[u8],
        out: &mut OutputBuffers,
    ) {
        let argument = &argument[..argument.len().min(self.argument_capacity(board))];
        let (name, value) = split(argument);
        if ioctl(driver, board, name, value, out) {
            driver.mark_temporary(board, name, value.is_some());
        }
    }

    /// How many bytes of an argument of `set` the tool copies.
    fn argument_capacity(self, board: &Board) -> usize {
        match self {
            Self::Write | Self::Linksys | Self::DdWrt | Self::Merlin => board.space as usize,
            Self::WriteTerminated => (board.space as usize).saturating_sub(1),
            Self::Ioctl { argument } => argument,
        }
    }

    /// `unset ARGUMENT`. Drivers that split at `=` set an argument that contains one.
    pub(super) fn unset(
        self,
        driver: &Driver,
        board: &mut Board,
        argument: &[u8],
        out: &mut OutputBuffers,
    ) {
        match self {
            Self::Write | Self::Linksys | Self::WriteTerminated | Self::Merlin => {
                write(driver, board, argument, out);
            }
            Self::DdWrt => write_ddwrt(driver, board, argument, argument, out),
            Self::Ioctl { .. } => {
                ioctl(driver, board, argument, None, out);
            }
        }
    }

    /// `nvram_clear`: unsets everything that `show` prints, except for the names that [`keeps`] accepts.
    pub(super) fn reset(self, driver: &Driver, board: &mut Board, out: &mut OutputBuffers) {
        let mut names = Vec::new();
        let space = board.space as usize;
        Driver::getall(&driver.ram(board).table, space, |entry| {
            names.push(entry[..memchr(b'=', entry).unwrap_or(entry.len())].to_vec());
        });
        for name in names.iter().filter(|name| !keeps(name)) {
            self.unset(driver, board, name, out);
        }
    }

    /// Whether a `get` of `name` reaches the table. With an empty name the driver returns all variables,
    /// which every library treats as no value.
    pub(super) fn accepts_get(self, name: &[u8], out: &mut OutputBuffers) -> bool {
        match (self, name.len()) {
            (Self::Ioctl { .. }, 0) => out.perror(TOO_LONG),
            (Self::Ioctl { .. }, len) if len > IOCTL_NAME => out.perror(INVALID),
            (_, len) => return len > 0,
        }
        false
    }

    /// Whether a variable prevents the commit.
    pub(super) fn refuses_commit(self, table: &Table, out: &mut OutputBuffers) -> bool {
        match self {
            Self::DdWrt if table.get(b"flash_active") == Some(b"1") => {
                out.stderr.extend_from_slice(b"not allowed, flash process in progress");
                true
            }
            // Its message goes to /dev/console, "commit: ..." to /var/log/commit_ret.
            Self::Merlin => table.get(b"asus_stop_commit").is_some(),
            _ => false,
        }
    }

    /// Whether a failed commit is reported; DD-WRT's `dev_nvram_ioctl` always returns 0.
    pub(super) fn reports_commit_errors(self) -> bool {
        self != Self::DdWrt
    }
}

/// `dev_nvram_write`: splits at the first `=` and sets, or unsets if there is none.
pub(super) fn write(driver: &Driver, board: &mut Board, text: &[u8], out: &mut OutputBuffers) {
    let Some(eq) = memchr(b'=', text) else {
        return driver.unset(board, text);
    };
    set(driver, board, &text[..eq], &text[eq + 1..], out);
}

fn write_ddwrt(
    driver: &Driver,
    board: &mut Board,
    name: &[u8],
    text: &[u8],
    out: &mut OutputBuffers,
) {
    if name.len() <= DDWRT_NAME {
        let text: Vec<u8> = text.iter().copied().filter(|byte| *byte != b'\r').collect();
        write(driver, board, &text, out);
    }
}

/// The name, and the value if there is a `=`.
fn split(argument: &[u8]) -> (&[u8], Option<&[u8]>) {
    match memchr(b'=', argument) {
        Some(eq) => (&argument[..eq], Some(&argument[eq + 1..])),
        None => (argument, None),
    }
}

/// `user_nvram_set`. Returns whether the driver has set or unset the variable.
fn ioctl(
    driver: &Driver,
    board: &mut Board,
    name: &[u8],
    value: Option<&[u8]>,
    out: &mut OutputBuffers,
) -> bool {
    if name.len() > IOCTL_NAME {
        out.perror(TOO_LONG);
    } else if name.is_empty() {
        out.perror(INVALID);
    } else if let Some(value) = value {
        if value.len() <= IOCTL_VALUE {
            return set(driver, board, name, value, out);
        }
        out.perror(TOO_LONG);
    } else {
        driver.unset(board, name);
        return true;
    }
    false
}

/// Returns whether there was memory.
fn set(
    driver: &Driver,
    board: &mut Board,
    name: &[u8],
    value: &[u8],
    out: &mut OutputBuffers,
) -> bool {
    let result = driver.set(board, name, value);
    if let Err(NoMemory) = result {
        out.perror(driver.full_errno);
    }
    result.is_ok()
}
