//! Router images made of Debian's packages: `kernel`, `initrd` and a manifest of their contents.

mod applets;
mod build;
pub(crate) mod cpio;
mod executables;
mod initrd;
mod kernel;
mod manifest;
mod openwrt;
mod options;
mod packages;
mod sha256;

pub use build::build;
pub use manifest::{File, Image, Manifest};
pub use options::Options;
pub use packages::Package;
