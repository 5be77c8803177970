//! Router images and guests: a real kernel, shell and dnsmasq, and NOR flash as QEMU emulates it.
//!
//! [`image`] builds images from Debian's packages; a [`machine_file`] describes any other image. A [`router::Router`] is one
//! guest as a back end for scenarios, across its boots and power cuts; [`erase_audit`] compares the erases of its flash
//! chip with those that leaselab counts.

mod agent_connection;
pub mod arch;
pub mod erase_audit;
mod erase_trace;
pub mod error;
mod events;
mod fit;
mod guest;
mod guest_channel;
pub mod guest_config;
mod guest_file;
mod guest_files;
pub mod guest_pool;
pub mod image;
mod interface;
pub mod kvm_probe;
mod link_thread;
pub mod machine_file;
mod power_cut_on_erase;
mod power_switch;
pub mod router;
mod shell_quote;
mod timeouts;
mod tools;

pub use agent_connection::CommandOutput;
pub use fit::Unfit;

/// The maximum size in bytes of a file that goes into a guest or an image.
pub const MAX_INPUT_BYTES: u64 = 256 << 20;
