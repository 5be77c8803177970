//! `leaselab wear --list-routers`.

use crate::console;
use crate::exit::Exit;
use scenario::Bytes;
use wear::RouterPreset;

/// Prints the well-known routers, each with its source.
pub(super) fn run() -> Exit {
    let width = console::width();
    for router in RouterPreset::all() {
        let RouterPreset { name, model, firmware, dialect, chip, space, source } = router;
        let (block, space) = (Bytes(u64::from(chip.erase_block)), Bytes(u64::from(*space)));
        outln!("{name:<12} {model}, {firmware}");
        let facts = format!(
            "dialect {dialect}, {} in blocks of {block}, {space} of NVRAM. {source}",
            chip.name
        );
        let options =
            textwrap::Options::new(width).initial_indent("    ").subsequent_indent("    ");
        for line in textwrap::wrap(&facts, options) {
            outln!("{line}");
        }
    }
    Exit::Passed
}
