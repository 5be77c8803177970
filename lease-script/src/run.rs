//! The script as a function.

use crate::call::{Call, Outcome};
use crate::config::Config;
use crate::intent_log::IntentLog;
use crate::nvram::Nvram;
use crate::script::{Output, Script};

/// Executes one call of the script with NVRAM.
pub fn run(
    call: &Call,
    config: &Config,
    nvram: &mut dyn Nvram,
    intent_log: &mut dyn IntentLog,
) -> Outcome {
    let output = Output::default();
    let mut script = Script { config, nvram, intent_log, output, is_tool_missing: false };
    let end = match call.arg(0) {
        b"init" => script.init(),
        b"add" | b"old" | b"del" => script.update(call),
        _ => script.output.other_action(call),
    };
    script.output.outcome(end)
}
