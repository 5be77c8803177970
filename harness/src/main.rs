//! Entry point of `leaselab`, which answers to several names: `nvram` and `lease-update` are the small
//! executables of the same names, so that one build is all that a run needs.

use std::path::PathBuf;
use std::process::ExitCode;

use backend::process::{AGENT_NAME, agent, shim};
use leaselab::allocator::Allocator;
use live::script_proxy;

#[global_allocator]
static ALLOCATOR: Allocator = Allocator;

fn main() -> ExitCode {
    if let Some(socket) = std::env::var_os(script_proxy::GATE) {
        return script_proxy::main(socket);
    }
    let called: PathBuf = std::env::args_os().next().unwrap_or_default().into();
    match called.file_name().and_then(|name| name.to_str()) {
        Some("nvram") => shim::main(),
        Some("lease-update") => {
            lease_script::main(std::env::args_os().skip(1), std::env::vars_os()).into()
        }
        Some(AGENT_NAME) => agent::main(),
        _ => leaselab::cli::main().into(),
    }
}
