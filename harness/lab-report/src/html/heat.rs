//! A heat map of the erases of flash blocks.

use crate::event::{Event, EventKind, FlashShape, Operation, OperationKind};

/// Maximum number of blocks that are shown.
const MAX_BLOCKS: usize = 1024;

/// A cell of the heat map, which stands for a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct HeatCell {
    pub(super) block: usize,
    pub(super) erases: u64,
    /// The erases as a percentage of those of the block with the most erases.
    pub(super) percent: u64,
}

/// Returns the cells of a flash whose blocks have these numbers of erases.
pub(super) fn cells(erases: &[u64]) -> Vec<HeatCell> {
    let most = erases.iter().copied().max().unwrap_or(0).max(1);
    let cell = |(block, erases): (usize, &u64)| HeatCell {
        block,
        erases: *erases,
        percent: erases * 100 / most,
    };
    erases.iter().take(MAX_BLOCKS).enumerate().map(cell).collect()
}

/// Describes the cells in words.
pub(super) fn description(cells: &[HeatCell]) -> String {
    let block = |cell: &HeatCell| format!("block {}: {} erases", cell.block, cell.erases);
    cells.iter().map(block).collect::<Vec<String>>().join(", ")
}

/// Returns the number of erases of each block in a case.
pub(super) fn erases<'a>(events: impl Iterator<Item = &'a Event>, flash: FlashShape) -> Vec<u64> {
    let blocks = flash.size.div_ceil(flash.erase_block.max(1)) as usize;
    let mut erases = vec![0; blocks.min(MAX_BLOCKS)];
    for operation in events.flat_map(|event| operations(&event.kind)) {
        let block = (operation.offset / flash.erase_block.max(1)) as usize;
        if operation.kind == OperationKind::Erase
            && let Some(count) = erases.get_mut(block)
        {
            *count += 1;
        }
    }
    erases
}

fn operations(kind: &EventKind) -> &[Operation] {
    match kind {
        EventKind::Call(call) => &call.operations,
        EventKind::OtherProgram { operations, .. } => operations,
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn erases_are_counted_by_block_and_programming_is_not() {
        let operation = |kind, offset| Operation { kind, offset, length: 64 };
        let operations = vec![
            operation(OperationKind::Erase, 0),
            operation(OperationKind::Erase, 64),
            operation(OperationKind::Program, 64),
            operation(OperationKind::Erase, 64),
        ];
        let command = crate::Command { arguments: "commit".to_owned(), code: Some(0) };
        let kind = EventKind::OtherProgram { command, operations };
        let events = [Event { seconds: 0, kind }];
        let erases = erases(events.iter(), FlashShape { size: 192, erase_block: 64 });
        assert_eq!(erases, [1, 2, 0]);
        assert_eq!(
            cells(&erases).iter().map(|cell| cell.percent).collect::<Vec<u64>>(),
            [50, 100, 0]
        );
    }
}
