//! Router images and what is played in them: a real kernel, a real shell, a real dnsmasq, real NOR flash
//! as QEMU has it.
//!
//! [`image`] makes guests out of Debian's packages; [`foreign`] takes anybody's. A [`router::Router`] is one guest
//! as a target of scenarios, over its boots and power cuts; [`wear`] holds what its flash chip saw against what
//! the lab counts.

pub mod arch;
mod cable;
mod console;
pub mod error;
mod events;
pub mod foreign;
mod guest;
pub mod guest_pool;
pub mod image;
pub mod lab;
mod patience;
mod payload;
mod probe;
pub mod router;
mod strike;
mod tools;
pub mod wear;
