//! The tools that take any number of words a call and do them left to right.
//!
//! All descend from Broadcom's main.c of 2001: a loop over argv, a word's argument taken from the next one.

use super::super::kernel::{CommitResult, Driver};
use super::super::{Board, Halt, Loaded, OutputBuffers, Tool};
use super::user_lib::UserLib;
use crate::flsh::HEADER_LEN;

/// How much of a word is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Match {
    /// `strncmp`: whatever starts like it.
    Prefix,
    /// `strcmp`.
    Exact,
}

/// What a word does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Get,
    Set,
    Unset,
    Commit,
    /// Variables on stdout, the size line on stderr.
    Show,
    /// Variables only.
    Dump,
    /// Empties RAM.
    Clear,
    /// Unsets what a reset does not keep, and commits (DD-WRT).
    Reset,
    /// A word of the real tool that changes nothing that is modelled.
    Nothing,
    /// A word of the real tool that is not modelled: one line on stderr, exit code 1.
    Unsupported,
}

/// One row of a tool's chain of comparisons; the first that fits counts.
pub(super) type Command = (&'static str, Match, Action);

/// One such tool.
pub(super) struct MultiCommandTool {
    /// Name of the dialect, for words left out.
    pub name: &'static str,
    /// Printed on stderr.
    pub usage: &'static str,
    /// Exit code behind the usage.
    pub usage_code: u8,
    /// An unknown word prints the usage and ends the call; else it is skipped.
    ///
    /// Such a tool also prints its usage behind a last word that lacks its argument: its loop steps over the end
    /// of argv, and the environment that follows there holds no word it knows.
    pub unknown_is_usage: bool,
    /// `get` of an empty value prints an empty line.
    pub prints_empty: bool,
    /// The chain of comparisons.
    pub commands: &'static [Command],
    /// The user library between the tool and its driver.
    pub user_lib: UserLib,
    /// The driver.
    pub driver: &'static Driver,
}

/// Why the loop over the words ends early.
enum Stop {
    Exit(u8),
    Halt(Halt),
}

impl From<Halt> for Stop {
    fn from(halt: Halt) -> Self {
        Self::Halt(halt)
    }
}

impl Tool for MultiCommandTool {
    fn run(&self, board: &mut Board, args: &[&[u8]], out: &mut OutputBuffers) -> Result<u8, Halt> {
        if let Some(code) = self.user_lib.fails_to_open(board, out) {
            return Ok(code);
        }
        // The driver has loaded its table at boot, whatever the command.
        self.driver.ram(board);
        if args.is_empty() {
            return Ok(self.print_usage(out));
        }
        match self.run_commands(board, args, out) {
            Ok(()) => Ok(0),
            Err(Stop::Exit(code)) => Ok(code),
            Err(Stop::Halt(halt)) => Err(halt),
        }
    }

    fn driver(&self) -> Option<&'static Driver> {
        Some(self.driver)
    }

    fn load_ram(&self, board: &Board) -> Option<Loaded> {
        Some(Loaded::Kernel(self.driver.peek(board)))
    }

    fn load_flash(&self, board: &Board) -> Option<Loaded> {
        self.driver.load_flash(board).map(Loaded::Kernel)
    }
}

impl MultiCommandTool {
    fn print_usage(&self, out: &mut OutputBuffers) -> u8 {
        out.stderr.extend_from_slice(self.usage.as_bytes());
        self.usage_code
    }

    fn action(&self, word: &[u8]) -> Option<Action> {
        let fits = |(known, how, _): &&Command| match how {
            Match::Prefix => word.starts_with(known.as_bytes()),
            Match::Exact => word == known.as_bytes(),
        };
        self.commands.iter().find(fits).map(|(_, _, action)| *action)
    }

    fn run_commands(
        &self,
        board: &mut Board,
        args: &[&[u8]],
        out: &mut OutputBuffers,
    ) -> Result<(), Stop> {
        let mut words = args.iter();
        while let Some(word) = words.next() {
            match self.action(word) {
                Some(Action::Get) => {
                    let name = self.argument(&mut words, out)?;
                    self.get(board, name, out);
                }
                Some(Action::Set) => {
                    let pair = self.argument(&mut words, out)?;
                    self.user_lib.set(self.driver, board, pair, out);
                }
                Some(Action::Unset) => {
                    let name = self.argument(&mut words, out)?;
                    self.user_lib.unset(self.driver, board, name, out);
                }
                Some(Action::Commit) => self.commit(board, out)?,
                Some(Action::Show) => self.show(board, out, true),
                Some(Action::Dump) => self.show(board, out, false),
                Some(Action::Clear) => self.driver.clear(board),
                Some(Action::Reset) => {
                    self.user_lib.reset(self.driver, board, out);
                    self.commit(board, out)?;
                }
                Some(Action::Unsupported) => {
                    let name = self.name.as_bytes();
                    out.err_line(&[b"nvram: the emulated ", name, b" leaves out '", word, b"'"]);
                    return Err(Stop::Exit(1));
                }
                None if self.unknown_is_usage => return Err(Stop::Exit(self.print_usage(out))),
                Some(Action::Nothing) | None => {}
            }
        }
        Ok(())
    }

    fn argument<'a>(
        &self,
        words: &mut impl Iterator<Item = &'a &'a [u8]>,
        out: &mut OutputBuffers,
    ) -> Result<&'a [u8], Stop> {
        words.next().copied().ok_or_else(|| {
            Stop::Exit(if self.unknown_is_usage { self.print_usage(out) } else { 0 })
        })
    }

    fn get(&self, board: &mut Board, name: &[u8], out: &mut OutputBuffers) {
        if !self.user_lib.may_get(name, out) {
            return;
        }
        if let Some(value) = self.driver.ram(board).table.get(name)
            && (self.prints_empty || !value.is_empty())
        {
            out.line(&[value]);
        }
    }

    fn commit(&self, board: &mut Board, out: &mut OutputBuffers) -> Result<(), Halt> {
        if self.user_lib.refuses_commit(&self.driver.ram(board).table, out) {
            return Ok(());
        }
        let committed = self.driver.commit(board)?;
        if let (CommitResult::Failed(errno), true) =
            (committed, self.user_lib.tells_of_failed_commits())
        {
            out.perror(errno);
        }
        Ok(())
    }

    /// `nvram_getall` and a loop of `puts`; the numbers count the header and every entry with its NUL.
    fn show(&self, board: &mut Board, out: &mut OutputBuffers, size_line: bool) {
        let space = board.space as usize;
        let table = &self.driver.ram(board).table;
        out.stdout.reserve(table.printed_len());
        let size = HEADER_LEN + Driver::getall(table, space, |text| out.text(text));
        if size_line {
            let left = space as i64 - size as i64;
            out.err_line(&[format!("size: {size} bytes ({left} left)").as_bytes()]);
        }
    }
}
