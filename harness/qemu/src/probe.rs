//! Whether KVM brings a guest up, tried with the guest itself.

use std::time::Duration;

use super::guest::{Entrance, Guest};
use super::lab::Lab;
use super::patience::Patience;

/// A guest that has not said anything by then never will: with KVM it takes a few seconds.
const LIMIT: Duration = Duration::from_secs(40);

/// Whether a guest of this lab comes up.
pub(super) fn boots(lab: &Lab) -> bool {
    let Ok(work) = tempfile::Builder::new().prefix("leaselab-probe-").tempdir() else {
        return false;
    };
    // The guest's own flash is of no interest here.
    let Lab { flash, .. } = lab;
    if std::fs::write(work.path().join("flash.bin"), vec![0xFF; flash.size]).is_err() {
        return false;
    }
    let mut patience = Patience::new(Some(LIMIT));
    let options = lab.options(work.path(), lab.initrd.as_deref(), 0);
    let entrance: &Entrance = &lab.entrance;
    Guest::boot(&lab.qemu, &options, work.path(), entrance, &mut patience).is_ok()
}
