//! The `dhcp-script` of dnsmasq as an executable of its own, for routers and guests.

use std::process::ExitCode;

fn main() -> ExitCode {
    lease_script::main(std::env::args_os().skip(1), std::env::vars_os()).into()
}
