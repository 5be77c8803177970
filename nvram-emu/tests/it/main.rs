//! Integration tests of `nvram-emu`.

mod codec;
mod contract;
mod device;
mod golden;
mod golden_executable;
mod golden_machine;
mod scratch;
mod vendor;
