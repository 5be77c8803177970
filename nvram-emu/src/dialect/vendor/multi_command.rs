//! Tools that take any number of commands in one call and run them from left to right.
//!
//! All descend from Broadcom's main.c of 2001: a loop over argv, in which a command takes its argument from the
//! next element.

use super::command::{Action, Command, Match};
use super::user_lib::UserLib;
use super::{ddwrt_backup, saved};
use crate::dialect::kernel::CommitResult;
use crate::dialect::state::{Board, Driver, Halt, Loaded, OutputBuffers};
use crate::dialect::tool::{ImageLayout, Tool};
use crate::flsh::HEADER_LEN;

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

/// What a tool does after a command that reports or saves: `commit`, `show`, `save` and the like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AfterReport {
    /// Continues with the next argument.
    Continue,
    /// Ignores the rest of the line (Padavan).
    End,
}

/// An output of the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// A tool of this family.
pub(super) struct MultiCommandTool {
    /// Name of the dialect, for the message of unsupported commands.
    pub name: &'static str,
    /// Usage text.
    pub usage: &'static str,
    /// Where the usage text and the size line go. The size line on stdout follows an empty line.
    pub reports: Stream,
    /// Exit code after the usage text.
    pub usage_code: u8,
    /// Reaction to an unknown command.
    pub unknown: UnknownCommand,
    /// What follows a command that reports or saves.
    pub after_report: AfterReport,
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

fn exit_if_failed(worked: bool) -> Result<(), Stop> {
    if worked { Ok(()) } else { Err(Stop::Exit(1)) }
}

impl Tool for MultiCommandTool {
    fn run(&self, board: &mut Board, args: &[&[u8]], out: &mut OutputBuffers) -> Result<u8, Halt> {
        if let Some(code) = self.user_lib.open_failure(board, out) {
            return Ok(code);
        }
        // The driver loads its table at boot, before any command.
        self.driver.boot(board)?;
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

    fn layout(&self) -> ImageLayout {
        ImageLayout::of(self.driver)
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
        let stream = match self.reports {
            Stream::Stdout => &mut out.stdout,
            Stream::Stderr => &mut out.stderr,
        };
        stream.extend_from_slice(self.usage.as_bytes());
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
            let action = self.action(command);
            match action {
                Some(Action::Get) => {
                    let name = self.argument(&mut args, out)?;
                    self.get(board, name, out);
                }
                Some(Action::Set) => {
                    let pair = self.argument(&mut args, out)?;
                    self.user_lib.set(self.driver, board, pair, out);
                }
                Some(Action::SetTemporary) => {
                    let pair = self.argument(&mut args, out)?;
                    self.user_lib.set_temporary(self.driver, board, pair, out);
                }
                Some(Action::Unset) => {
                    let name = self.argument(&mut args, out)?;
                    self.user_lib.unset(self.driver, board, name, out);
                }
                Some(Action::Commit) => self.commit(board, out)?,
                Some(Action::Show) => self.show(board, out),
                Some(Action::ShowAll) => {
                    let space = board.space as usize * 2;
                    Driver::getall(&self.driver.ram(board).table, space, |entry| out.entry(entry));
                }
                Some(Action::Dump) => {
                    self.dump(board, out);
                }
                Some(Action::Clear) => self.driver.clear(board),
                Some(Action::Reset) => {
                    self.user_lib.reset(self.driver, board, out);
                    self.commit(board, out)?;
                }
                Some(Action::Save) => {
                    let path = self.argument(&mut args, out)?;
                    exit_if_failed(saved::save(&self.entries(board), board, path, out))?;
                }
                Some(Action::Restore) => {
                    let path = self.argument(&mut args, out)?;
                    exit_if_failed(saved::restore(self, board, path, out))?;
                }
                Some(Action::Convert) => {
                    let from = self.argument(&mut args, out)?;
                    let to = self.argument(&mut args, out)?;
                    exit_if_failed(saved::convert(board, from, to, out))?;
                }
                Some(Action::Backup) => {
                    let path = self.argument(&mut args, out)?;
                    exit_if_failed(ddwrt_backup::backup(self, board, path, out))?;
                }
                Some(Action::RestoreBackup) => {
                    let path = self.argument(&mut args, out)?;
                    exit_if_failed(ddwrt_backup::restore(self, board, path, out))?;
                    self.commit(board, out)?;
                }
                Some(Action::NeedsNames) => {
                    self.argument(&mut args, out)?;
                    return Err(self.unsupported(
                        command,
                        "the names that it treats specially are compiled into the real tool",
                        out,
                    ));
                }
                Some(Action::Unsupported) => {
                    return Err(self.unsupported(command, "it starts another program", out));
                }
                None if self.unknown == UnknownCommand::PrintUsage => {
                    return Err(Stop::Exit(self.print_usage(out)));
                }
                Some(Action::NoEffect) | None => {}
            }
            if self.after_report == AfterReport::End && action.is_some_and(Action::reports) {
                return Ok(());
            }
        }
        Ok(())
    }

    /// One line for a command that the emulator cannot run.
    fn unsupported(&self, command: &[u8], reason: &str, out: &mut OutputBuffers) -> Stop {
        out.err_line(&[
            b"nvram: the emulated ",
            self.name.as_bytes(),
            b" cannot run '",
            command,
            b"': ",
            reason.as_bytes(),
        ]);
        Stop::Exit(1)
    }

    /// The entries that `show` prints, each with its NUL.
    pub(super) fn entries(&self, board: &mut Board) -> Vec<u8> {
        let space = board.space as usize;
        let mut entries = Vec::new();
        let table = self.driver.ram(board).permanent().into_owned();
        Driver::getall(&table, space, |entry| entries.extend_from_slice(entry));
        entries
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
        let ram = self.driver.ram(board);
        let table = ram.permanent();
        out.stdout.reserve(table.printed_len());
        HEADER_LEN + Driver::getall(&table, space, |entry| out.entry(entry))
    }

    fn show(&self, board: &mut Board, out: &mut OutputBuffers) {
        let size = self.dump(board, out);
        let left = i64::from(board.space) - size as i64;
        let line = format!("size: {size} bytes ({left} left)");
        match self.reports {
            Stream::Stdout => out.line(&[b"\n", line.as_bytes()]),
            Stream::Stderr => out.err_line(&[line.as_bytes()]),
        }
    }
}
