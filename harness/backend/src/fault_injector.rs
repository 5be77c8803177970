//! Which `nvram` command of a script call a fault affects, by the same rules for every back end.

use std::ops::Range;

use nvram_emu::device::{Cut, Op, OpKind};

use scenario::{Disturbance, Point, Side};

/// The effect of a [`Disturbance`] on one `nvram` command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultAction {
    /// No effect.
    None,
    /// The script is killed in this call of the tool, after so many of its arguments: 0 before the call, all of them
    /// after it.
    Kill(usize),
    /// Power is lost in a flash operation of the command.
    During(Cut),
    /// The command after so many arguments fails, without an effect on NVRAM and the commands after it.
    Fail(usize),
}

/// Decides for each `nvram` command of a script call whether a fault affects it. At most one command is affected, unless the
/// disturbance makes commands fail.
#[derive(Clone, Debug)]
pub struct FaultInjector<'a> {
    disturbance: Option<&'a Disturbance>,
    /// Number of commands so far.
    count: u32,
    /// Whether the fault has been injected.
    done: bool,
}

impl<'a> FaultInjector<'a> {
    /// An injector for a call of which `count` commands have been run.
    pub fn new(disturbance: Option<&'a Disturbance>, count: u32) -> Self {
        Self { disturbance, count, done: false }
    }

    /// The effect on the next command. `operations` predicts its flash operations; it is called only if they matter.
    pub fn next(
        &mut self,
        arguments: &[&[u8]],
        operations: impl FnOnce() -> Vec<Op>,
    ) -> FaultAction {
        self.count += 1;
        let point = match self.disturbance {
            Some(Disturbance::Fail(word)) => {
                let command = find_command(arguments, word.as_bytes());
                return command
                    .map_or(FaultAction::None, |command| FaultAction::Fail(command.start));
            }
            None => return FaultAction::None,
            Some(Disturbance::Cut(point) | Disturbance::Kill(point)) => point,
        };
        if self.done {
            return FaultAction::None;
        }
        let fault = match point {
            Point::Subcommand(side, name) => {
                find_command(arguments, name.as_bytes()).map(|command| kill(*side, command))
            }
            Point::Command(side, nth) if *nth == self.count => {
                Some(kill(*side, 0..arguments.len()))
            }
            Point::Within { nth, op, byte } if *nth == self.count => {
                Some(FaultAction::During(Cut { op: u64::from(*op), byte: *byte }))
            }
            Point::Command(..) | Point::Within { .. } | Point::FileChange { .. } => None,
            Point::Erase => middle_of_longest(&operations(), OpKind::Erase),
            Point::Program => middle_of_longest(&operations(), OpKind::Program),
            Point::Operation { op, byte } => operations().get(*op as usize).map(|_| {
                FaultAction::During(Cut {
                    op: u64::from(*op),
                    byte: (*byte).try_into().unwrap_or(u32::MAX),
                })
            }),
        };
        self.done = fault.is_some();
        fault.unwrap_or(FaultAction::None)
    }
}

fn kill(side: Side, command: Range<usize>) -> FaultAction {
    FaultAction::Kill(match side {
        Side::Before => command.start,
        Side::After => command.end,
    })
}

/// The arguments of the first command with this word: most tools take several commands in one call.
fn find_command(arguments: &[&[u8]], word: &[u8]) -> Option<Range<usize>> {
    let mut start = 0;
    while start < arguments.len() {
        let takes_name = matches!(arguments[start], b"get" | b"set" | b"unset" | b"settmp");
        let end = (start + 1 + usize::from(takes_name)).min(arguments.len());
        if arguments[start] == word {
            return Some(start..end);
        }
        start = end;
    }
    None
}

/// A power loss in the middle of a command's longest operation of one kind. Its other operations write only a few bytes of
/// the header.
fn middle_of_longest(operations: &[Op], kind: OpKind) -> Option<FaultAction> {
    let (index, operation) = operations
        .iter()
        .enumerate()
        .filter(|(_, operation)| operation.kind == kind)
        .max_by_key(|(index, operation)| (operation.len, std::cmp::Reverse(*index)))?;
    Some(FaultAction::During(Cut { op: index as u64, byte: operation.len / 2 }))
}
