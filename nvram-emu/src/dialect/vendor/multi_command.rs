//! Tools that take any number of commands in one call and run them from left to right.
//!
//! All descend from Broadcom's main.c of 2001: a loop over argv, in which a command takes its argument from the
//! next element.

use super::user_lib::UserLib;
use crate::dialect::kernel::CommitResult;
use crate::dialect::state::{Board, Driver, Halt, Loaded, OutputBuffers};
use crate::dialect::tool::Tool;
use crate::flsh::HEADER_LEN;

/// How an argument is compared with the name of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Match {
    /// `strncmp`: the argument starts with the name.
    Prefix,
    /// `strcmp`.
    Exact,
}

/// The effect of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Get,
    Set,
    Unset,
    Commit,
    /// Prints the variables on stdout and the size line on stderr.
    Show,
    /// Prints the variables on stdout.
    Dump,
    /// Removes all variables from RAM.
    Clear,
    /// Unsets the variables that a reset does not keep, and commits (DD-WRT).
    Reset,
    /// A command of the real tool without an effect on the modelled state.
    NoEffect,
    /// A command of the real tool that is not modelled: one line on stderr, exit code 1.
    Unsupported,
}

/// One row of a tool's chain of comparisons; the first match wins.
pub(super) type Command = (&'static str, Match, Action);

/// The reaction of a tool to a command that it does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum UnknownCommand {
    /// Continues with the next argument.
    Skip,
    /// Prints the usage and stops.
    ///
    /// Such a tool also prints its usage when the last command lacks its argument: its loop continues beyond the end of
    /// argv into the environment, which contains no known command.
    PrintUsage,
}

/// A tool of this family.
pub(super) struct MultiCommandTool {
    /// Name of the dialect, for the message of unsupported commands.
    pub name: &'static str,
    /// Usage text, printed on stderr.
    pub usage: &'static str,
    /// Exit code after the usage text.
    pub usage_code: u8,
    /// Reaction to an unknown command.
    pub unknown: UnknownCommand,
    /// Whether `get` of an empty value prints an empty line.
    pub prints_empty_values: bool,
    /// The chain of comparisons for each argument.
    pub commands: &'static [Command],
    /// The user library between the tool and its driver.
    pub user_lib: UserLib,
    /// The kernel driver below the tool.
    pub driver: &'static Driver,
}

/// Why the loop over the commands ends early.
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
        if let Some(code) = self.user_lib.open_failure(board, out) {
            return Ok(code);
        }
        // The driver loads its table at boot, before any command.
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

    fn action(&self, argument: &[u8]) -> Option<Action> {
        let matches = |(name, comparison, _): &&Command| match comparison {
            Match::Prefix => argument.starts_with(name.as_bytes()),
            Match::Exact => argument == name.as_bytes(),
        };
        self.commands.iter().find(matches).map(|(_, _, action)| *action)
    }

    fn run_commands(
        &self,
        board: &mut Board,
        args: &[&[u8]],
        out: &mut OutputBuffers,
    ) -> Result<(), Stop> {
        let mut args = args.iter();
        while let Some(command) = args.next() {
            match self.action(command) {
                Some(Action::Get) => {
                    let name = self.argument(&mut args, out)?;
                    self.get(board, name, out);
                }
                Some(Action::Set) => {
                    let pair = self.argument(&mut args, out)?;
                    self.user_lib.set(self.driver, board, pair, out);
                }
                Some(Action::Unset) => {
                    let name = self.argument(&mut args, out)?;
                    self.user_lib.unset(self.driver, board, name, out);
                }
                Some(Action::Commit) => self.commit(board, out)?,
                Some(Action::Show) => self.show(board, out),
                Some(Action::Dump) => {
                    self.dump(board, out);
                }
                Some(Action::Clear) => self.driver.clear(board),
                Some(Action::Reset) => {
                    self.user_lib.reset(self.driver, board, out);
                    self.commit(board, out)?;
                }
                Some(Action::Unsupported) => {
                    let name = self.name.as_bytes();
                    out.err_line(&[
                        b"nvram: the emulated ",
                        name,
                        b" does not support '",
                        command,
                        b"'",
                    ]);
                    return Err(Stop::Exit(1));
                }
                None if self.unknown == UnknownCommand::PrintUsage => {
                    return Err(Stop::Exit(self.print_usage(out)));
                }
                Some(Action::NoEffect) | None => {}
            }
        }
        Ok(())
    }

    fn argument<'a>(
        &self,
        args: &mut impl Iterator<Item = &'a &'a [u8]>,
        out: &mut OutputBuffers,
    ) -> Result<&'a [u8], Stop> {
        args.next().copied().ok_or_else(|| {
            Stop::Exit(match self.unknown {
                UnknownCommand::Skip => 0,
                UnknownCommand::PrintUsage => self.print_usage(out),
            })
        })
    }

    fn get(&self, board: &mut Board, name: &[u8], out: &mut OutputBuffers) {
        if !self.user_lib.accepts_get(name, out) {
            return;
        }
        if let Some(value) = self.driver.ram(board).table.get(name)
            && (self.prints_empty_values || !value.is_empty())
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
            (committed, self.user_lib.reports_commit_errors())
        {
            out.perror(errno);
        }
        Ok(())
    }

    /// `nvram_getall` and a loop of `puts`. Returns the size of the header and of every entry with its NUL.
    fn dump(&self, board: &mut Board, out: &mut OutputBuffers) -> usize {
        let space = board.space as usize;
        let table = &self.driver.ram(board).table;
        out.stdout.reserve(table.printed_len());
        HEADER_LEN + Driver::getall(table, space, |entry| out.entry(entry))
    }

    fn show(&self, board: &mut Board, out: &mut OutputBuffers) {
        let size = self.dump(board, out);
        let left = i64::from(board.space) - size as i64;
        out.err_line(&[format!("size: {size} bytes ({left} left)").as_bytes()]);
    }
}
