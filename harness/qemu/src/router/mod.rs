//! A router in a guest as a back end: dnsmasq in the guest makes the script calls, the flash chip of QEMU keeps what is
//! committed, and a power cut kills QEMU.

mod calls;
mod dnsmasq;
#[cfg(test)]
mod fake_guest;
mod lifecycle;
mod polling;
mod shell;
mod target;
#[cfg(test)]
mod tests;

pub use lifecycle::Router;
