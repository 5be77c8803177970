//! Integration tests of `nvram-emu`.

mod backup;
mod codec;
mod contract;
mod cost;
mod device;
mod fast_get;
mod fuzz_image;
mod golden;
mod golden_executable;
mod golden_machine;
mod load_cache;
mod scratch;
mod system_call_faults;
mod vendor;
