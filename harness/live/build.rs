//! Builds the shared library with the simulated clock, which is preloaded into a live dnsmasq.

use std::path::PathBuf;
use std::{env, process};

const SOURCE: &str = "src/clock.c";

fn main() {
    println!("cargo::rerun-if-changed={SOURCE}");
    let folder = env::var_os("OUT_DIR").expect("cargo sets OUT_DIR");
    let library = PathBuf::from(folder).join("clock.so");
    let status = cc::Build::new()
        .opt_level(2)
        .get_compiler()
        .to_command()
        .args(["-shared", "-fPIC", "-Wall", "-Wextra", "-o"])
        .arg(&library)
        .arg(SOURCE)
        .status();
    if !status.as_ref().is_ok_and(process::ExitStatus::success) {
        println!("cargo::error=the C compiler cannot compile {SOURCE}: {status:?}");
    }
}
