//! Entry point of `leaselab`.

use std::process::ExitCode;

fn main() -> ExitCode {
    leaselab::cli::main().into()
}
