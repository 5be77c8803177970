//! The library between the tool and the driver (nvram_linux.c), and `ren`.

use memchr::memchr;

use super::super::user_lib::write;
use crate::dialect::kernel;
use crate::dialect::state::{Board, Driver, OutputBuffers};

pub(super) const DRIVER: &Driver = &kernel::BROADCOM;

/// Names of at least this length are not mirrored (`nvram_set`, nvram_linux.c).
const MIRRORED_NAME_LIMIT: usize = 32;

/// `nvram_get`: for an empty name the driver returns all variables, which the library treats as no value.
pub(super) fn get(board: &mut Board, name: &[u8]) -> Option<Vec<u8>> {
    if name.is_empty() {
        return None;
    }
    DRIVER.ram(board).table.get(name).map(<[u8]>::to_vec)
}

/// `nvram_set` of `NAME=VALUE`: `wl0_ifname` also sets `wl_ifname`, and `wl_NAME` also sets `wl0_NAME`, each before the
/// name itself.
pub(super) fn set(board: &mut Board, pair: &[u8], out: &mut OutputBuffers) {
    let name = &pair[..memchr(b'=', pair).unwrap_or(pair.len())];
    if name == b"wl0_ifname" {
        write(DRIVER, board, &[b"wl_ifname", &pair[name.len()..]].concat(), out);
    }
    if let Some(rest) = pair.strip_prefix(b"wl_")
        && name.len() >= 3
        && name.len() < MIRRORED_NAME_LIMIT
    {
        write(DRIVER, board, &[b"wl0_", rest].concat(), out);
    }
    write(DRIVER, board, pair, out);
}

/// `nvram_unset`.
pub(super) fn unset(board: &mut Board, name: &[u8], out: &mut OutputBuffers) {
    write(DRIVER, board, name, out);
}

/// `ren_main`.
pub(super) fn rename(board: &mut Board, from: &[u8], to: &[u8], out: &mut OutputBuffers) -> u8 {
    let Some(value) = get(board, from) else {
        out.err_line(&[b"Unable to find ", from]);
        return 1;
    };
    if from != to {
        set(board, &[to, b"=", &value].concat(), out);
        unset(board, from, out);
    }
    0
}
