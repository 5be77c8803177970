//! What strikes a script call, and when: the same rules for every target.

use nvram_emu::device::{Cut, Op, OpKind};

use scenario::{Disturbance, Point, Side};

/// What a [`Disturbance`] does to one `nvram` command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultAction {
    /// Nothing.
    None,
    /// Everything ends before the command.
    Before,
    /// Everything ends after the command.
    After,
    /// Power goes in a flash operation of the command.
    During(Cut),
    /// The command fails without doing anything.
    Fail,
}

/// Follows the `nvram` commands of one script call, and says which is struck.
#[derive(Clone, Debug)]
pub struct FaultInjector<'a> {
    disturbance: Option<&'a Disturbance>,
    /// Commands seen so far.
    count: u32,
    /// Whether the one strike has been made.
    struck: bool,
}

impl<'a> FaultInjector<'a> {
    /// Begins a call, of which `count` commands have been seen.
    pub fn new(disturbance: Option<&'a Disturbance>, count: u32) -> Self {
        Self { disturbance, count, struck: false }
    }

    /// What happens to the next command. `operations` foretells its flash operations; it is asked only
    /// where they matter.
    pub fn next(
        &mut self,
        arguments: &[&[u8]],
        operations: impl FnOnce() -> Vec<Op>,
    ) -> FaultAction {
        self.count += 1;
        let first = arguments.first().copied().unwrap_or_default();
        let point = match self.disturbance {
            Some(Disturbance::Fail(word)) if word.as_bytes() == first => return FaultAction::Fail,
            None | Some(Disturbance::Fail(_)) => return FaultAction::None,
            Some(Disturbance::Cut(point) | Disturbance::Kill(point)) => point,
        };
        if self.struck {
            return FaultAction::None;
        }
        let strike = match point {
            Point::Word(side, word) if word.as_bytes() == first => Some(beside(*side)),
            Point::Command(side, nth) if *nth == self.count => Some(beside(*side)),
            Point::Within { nth, op, byte } if *nth == self.count => {
                Some(FaultAction::During(Cut { op: u64::from(*op), byte: *byte }))
            }
            Point::Word(..) | Point::Command(..) | Point::Within { .. } => None,
            Point::Erase => half_way(&operations(), OpKind::Erase),
            Point::Program => half_way(&operations(), OpKind::Program),
            Point::Operation { op, byte } => operations().get(*op as usize).map(|_| {
                FaultAction::During(Cut {
                    op: u64::from(*op),
                    byte: (*byte).try_into().unwrap_or(u32::MAX),
                })
            }),
        };
        self.struck = strike.is_some();
        strike.unwrap_or(FaultAction::None)
    }
}

fn beside(side: Side) -> FaultAction {
    match side {
        Side::Before => FaultAction::Before,
        Side::After => FaultAction::After,
    }
}

/// The middle of the longest of a command's operations of one kind: headers of a few bytes have no middle.
fn half_way(operations: &[Op], kind: OpKind) -> Option<FaultAction> {
    let (index, operation) = operations
        .iter()
        .enumerate()
        .filter(|(_, operation)| operation.kind == kind)
        .max_by_key(|(index, operation)| (operation.len, std::cmp::Reverse(*index)))?;
    Some(FaultAction::During(Cut { op: index as u64, byte: operation.len / 2 }))
}
