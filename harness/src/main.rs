//! Entry point of `leaselab`. The executable also serves as `nvram`, `lease-update` and other programs of a run, so
//! that one build is enough.

use std::process::ExitCode;

use backend::process::{agent, shim};
use leaselab::allocator::Allocator;
use leaselab::process_role::ProcessRole;
use live::script_proxy;

#[global_allocator]
static ALLOCATOR: Allocator = Allocator;

fn main() -> ExitCode {
    let result = match ProcessRole::of_this_process() {
        ProcessRole::Leaselab => Ok(leaselab::cli::main().into()),
        ProcessRole::Nvram => shim::main().map_err(|error| format!("nvram: {error}")),
        ProcessRole::LeaseUpdate => {
            Ok(lease_script::main(std::env::args_os().skip(1), std::env::vars_os()).into())
        }
        ProcessRole::Agent => agent::main()
            .map(|()| ExitCode::SUCCESS)
            .map_err(|error| format!("leaselab agent: {error}")),
        ProcessRole::ScriptProxy => {
            script_proxy::main(std::env::var_os(script_proxy::SOCKET_VARIABLE).unwrap_or_default())
                .map_err(|error| {
                    format!("leaselab: script proxy: no answer from the harness: {error}")
                })
        }
    };
    result.unwrap_or_else(|error| {
        eprintln!("{error}");
        ExitCode::FAILURE
    })
}
