//! `show`, and the list of variables that `find` searches.

use crate::dialect::state::{Board, Driver, OutputBuffers};
use crate::flsh::{HEADER_LEN, Table};

/// Whether the list is sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// As by `sort` in the C locale.
    Sorted,
    /// The order of the driver.
    Unsorted,
}

/// The options of `show`.
pub(super) struct Show {
    order: Order,
    statistics: bool,
}

impl Show {
    /// `None` for an unknown option.
    pub(super) fn parse(options: &[&[u8]]) -> Option<Self> {
        let mut show = Self { order: Order::Sorted, statistics: true };
        for option in options {
            match *option {
                b"--nosort" => show.order = Order::Unsorted,
                b"--nostat" => show.statistics = false,
                _ => return None,
            }
        }
        Some(show)
    }

    /// `show_main`.
    pub(super) fn run(&self, driver: &Driver, board: &mut Board, out: &mut OutputBuffers) {
        let space = board.space as usize;
        let table = &driver.ram(board).table;
        out.stdout.reserve(table.printed_len());
        let lines = lines(table, space, self.order);
        for line in &lines {
            out.line(&[line]);
        }
        if self.statistics {
            let used = HEADER_LEN + lines.iter().map(|line| line.len() + 1).sum::<usize>();
            let (count, free) = (lines.len(), space as i64 - used as i64);
            out.line(&[b"---"]);
            let line = format!("{count} entries, {used} bytes used, {free} bytes free.");
            out.line(&[line.as_bytes()]);
        }
    }
}

/// One line `name=value` for each variable, with spaces for unprintable bytes.
pub(super) fn lines(table: &Table, space: usize, order: Order) -> Vec<Vec<u8>> {
    let mut lines = Vec::with_capacity(table.len());
    Driver::getall(table, space, |entry| {
        let printable = |byte: &u8| if matches!(byte, b' '..=b'~') { *byte } else { b' ' };
        lines.push(entry[..entry.len() - 1].iter().map(printable).collect());
    });
    if order == Order::Sorted {
        lines.sort_unstable();
    }
    lines
}
