//! The user libraries between a tool and its driver: what they refuse, change or add on the way.

use super::super::kernel::{Driver, NoMemory};
use super::super::{Board, OutputBuffers};
use super::reset::keeps;
use crate::flsh::{Table, find};

/// Which library.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum UserLib {
    /// Broadcom's nvram_linux.c: `name=value` in one `write()`, split again by the driver.
    Write,
    /// FreshTomato on ARM: the same, the tool's buffer keeps its last byte for the NUL (`strlcpy`).
    WriteTerminated,
    /// DD-WRT (src/router/nvram/nvram_linux.c): carriage returns are dropped, a name of more than 64 bytes is
    /// refused in silence, `et0macaddr_safe` is written once, no commit while `flash_active` is 1.
    DdWrt,
    /// Asuswrt-Merlin (release/src/router/nvram/nvram_linux.c): no commit while `asus_stop_commit` exists.
    Merlin,
    /// Padavan (libnvram's ioctl interface): name and value apart, names of 1 to 63 bytes.
    Ioctl,
}

/// Longest name that DD-WRT's `_nvram_set` passes on.
const DDWRT_NAME: usize = 64;
/// `NVRAM_MAX_PARAM_LEN - 1` of Padavan's driver.
const IOCTL_NAME: usize = 63;
/// `NVRAM_MAX_VALUE_LEN - 1` of Padavan's driver.
const IOCTL_VALUE: usize = 4095;
/// Bytes of a `set` argument that Padavan's tool copies.
const IOCTL_ARGUMENT: usize = 1023;

const TOO_LONG: &str = "Value too large for defined data type";
const INVALID: &str = "Invalid argument";

impl UserLib {
    /// DD-WRT asks for the space before anything else; its driver does not come up on a partition smaller than
    /// the NVRAM. The exit code then.
    pub(super) fn fails_to_open(self, board: &Board, out: &mut OutputBuffers) -> Option<u8> {
        if self != Self::DdWrt || board.space <= board.flash.geometry().size {
            return None;
        }
        out.err_line(&[b"cannot open /dev/nvram"]);
        out.err_line(&[b"error in nvram driver"]);
        Some(255)
    }

    /// `set ARGUMENT`: the tool splits at the first `=`, and unsets where there is none.
    pub(super) fn set(
        self,
        driver: &Driver,
        board: &mut Board,
        argument: &[u8],
        out: &mut OutputBuffers,
    ) {
        let room = match self {
            Self::Write | Self::DdWrt | Self::Merlin => board.space as usize,
            Self::WriteTerminated => (board.space as usize).saturating_sub(1),
            Self::Ioctl => IOCTL_ARGUMENT,
        };
        let argument = &argument[..argument.len().min(room)];
        let name = &argument[..find(argument, b'=').unwrap_or(argument.len())];
        match self {
            Self::Write | Self::WriteTerminated | Self::Merlin => {
                write(driver, board, argument, out);
            }
            Self::DdWrt => {
                let written_once = b"et0macaddr_safe";
                if name != written_once || driver.ram(board).table.get(written_once).is_none() {
                    write_ddwrt(driver, board, name, argument, out);
                }
            }
            Self::Ioctl => ioctl(driver, board, name, argument.get(name.len() + 1..), out),
        }
    }

    /// `unset ARGUMENT`. Where the driver splits at `=`, an argument that has one is set.
    pub(super) fn unset(
        self,
        driver: &Driver,
        board: &mut Board,
        argument: &[u8],
        out: &mut OutputBuffers,
    ) {
        match self {
            Self::Write | Self::WriteTerminated | Self::Merlin => {
                write(driver, board, argument, out);
            }
            Self::DdWrt => write_ddwrt(driver, board, argument, argument, out),
            Self::Ioctl => ioctl(driver, board, argument, None, out),
        }
    }

    /// `nvram_clear`: unsets everything shown by `show` but what [`keeps`] names.
    pub(super) fn reset(self, driver: &Driver, board: &mut Board, out: &mut OutputBuffers) {
        let mut names = Vec::new();
        let space = board.space as usize;
        Driver::getall(&driver.ram(board).table, space, |text| {
            names.push(text[..find(text, b'=').unwrap_or(text.len())].to_vec());
        });
        for name in names.iter().filter(|name| !keeps(name)) {
            self.unset(driver, board, name, out);
        }
    }

    /// Whether a `get` of `name` reaches the table. An empty name asks the driver for all variables, an
    /// answer that every library takes for none.
    pub(super) fn may_get(self, name: &[u8], out: &mut OutputBuffers) -> bool {
        match (self, name.len()) {
            (Self::Ioctl, 0) => out.perror(TOO_LONG),
            (Self::Ioctl, len) if len > IOCTL_NAME => out.perror(INVALID),
            (_, len) => return len > 0,
        }
        false
    }

    /// Whether a variable stands in the way of a commit.
    pub(super) fn refuses_commit(self, table: &Table, out: &mut OutputBuffers) -> bool {
        match self {
            Self::DdWrt if table.get(b"flash_active") == Some(b"1") => {
                out.stderr.extend_from_slice(b"not allowed, flash process in progress");
                true
            }
            // Its message goes to /dev/console, "commit: ..." to /var/log/commit_ret.
            Self::Merlin => table.get(b"asus_stop_commit").is_some(),
            Self::DdWrt | Self::Write | Self::WriteTerminated | Self::Ioctl => false,
        }
    }

    /// Whether the driver's commit returns what went wrong; DD-WRT's `dev_nvram_ioctl` returns 0.
    pub(super) fn tells_of_failed_commits(self) -> bool {
        self != Self::DdWrt
    }
}

/// `dev_nvram_write`: split at the first `=`, set, or unset without one.
pub(super) fn write(driver: &Driver, board: &mut Board, text: &[u8], out: &mut OutputBuffers) {
    let Some(eq) = find(text, b'=') else {
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

/// `user_nvram_set`.
fn ioctl(
    driver: &Driver,
    board: &mut Board,
    name: &[u8],
    value: Option<&[u8]>,
    out: &mut OutputBuffers,
) {
    if name.len() > IOCTL_NAME {
        out.perror(TOO_LONG);
    } else if name.is_empty() {
        out.perror(INVALID);
    } else if let Some(value) = value {
        if value.len() > IOCTL_VALUE {
            out.perror(TOO_LONG);
        } else {
            set(driver, board, name, value, out);
        }
    } else {
        driver.unset(board, name);
    }
}

fn set(driver: &Driver, board: &mut Board, name: &[u8], value: &[u8], out: &mut OutputBuffers) {
    if let Err(NoMemory) = driver.set(board, name, value) {
        out.perror(driver.full);
    }
}
