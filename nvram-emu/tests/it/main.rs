//! Integration tests of `nvram-emu`.

mod codec;
mod contract;
mod cost;
mod device;
mod fuzz_image;
mod golden;
mod golden_executable;
mod golden_machine;
mod known_loads;
mod quick_get;
mod scratch;
mod vendor;
