//! The `dhcp-script` for dnsmasq as an executable, for routers and guests.

use std::process::ExitCode;

fn main() -> ExitCode {
    lease_script::main(std::env::args_os().skip(1), std::env::vars_os()).into()
}
