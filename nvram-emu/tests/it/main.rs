//! Integration tests of `nvram-emu`.

mod golden;
mod golden_machine;
mod vendor;
