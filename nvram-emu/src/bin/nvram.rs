//! The emulated `nvram` executable.

fn main() -> std::process::ExitCode {
    nvram_emu::emu::main(std::env::args_os().skip(1), &|name| std::env::var_os(name))
}
