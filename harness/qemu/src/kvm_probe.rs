//! Finds out whether KVM works, by booting a guest with it.

use std::fs;
use std::time::Duration;

use super::guest::Guest;
use super::guest_config::GuestConfig;
use super::timeouts::Timeouts;

/// With KVM a guest boots in a few seconds, if it boots at all.
const LIMIT: Duration = Duration::from_secs(40);

/// This configuration, with TCG instead of KVM if no guest boots with KVM. The existence of `/dev/kvm` does not suffice: it
/// can create a virtual machine that never runs.
#[must_use]
pub fn with_working_accelerator(config: GuestConfig) -> GuestConfig {
    if boots(&config) { config } else { config.without_kvm() }
}

fn boots(config: &GuestConfig) -> bool {
    let Ok(work) = scratch::Folder::for_large_files() else {
        return false;
    };
    if fs::write(work.path().join("flash.bin"), vec![0xFF; config.flash.size]).is_err() {
        return false;
    }
    let mut timeouts = Timeouts::new(Some(LIMIT));
    let options = config.options(work.path(), config.initrd.as_deref(), 0);
    Guest::boot(&config.qemu, &options, work.path(), &config.channel, &mut timeouts).is_ok()
}
