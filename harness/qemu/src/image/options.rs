//! Options of building an image.

use std::path::PathBuf;

/// How an image is built.
#[derive(Clone, Debug)]
pub struct Options {
    /// The folder of packages, toolchains and build results.
    pub cache: PathBuf,
    /// leaselab's sources.
    pub source: PathBuf,
    /// The statically linked emulated nvram, instead of building it. Goes together with `lease_update`.
    pub nvram: Option<PathBuf>,
    /// The statically linked lease-update, instead of building it.
    pub lease_update: Option<PathBuf>,
}
