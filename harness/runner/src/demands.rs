//! What the judge may demand, with one type for each independent condition.

/// What the judge may demand of the leases in flash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FlashState {
    /// Every acknowledged change is demanded, by every `init`.
    Intact,
    /// The flash was damaged while the power was off, or the first commit after a torn write has just rewritten it.
    /// Nothing is demanded of the next `init`: what it prints is demanded from then on.
    Damaged,
    /// Power was lost inside a write, and no commit has succeeded since. Nothing is demanded of any `init`, nor of other
    /// programs' variables: a tool that reads beyond a torn image may find other contents with each command.
    Torn,
}

/// What the judge may demand of the leases that dnsmasq's next start reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NextStart {
    /// The acknowledged changes.
    Expected,
    /// Another program changed the leases: what the next start reads is demanded from then on.
    Unknown,
}

/// Whether the judge may demand that dnsmasq and the store hold the same leases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Agreement {
    /// Demanded after every step.
    Required,
    /// A call failed, was interrupted, or did not come from dnsmasq: they may differ until dnsmasq starts again.
    SuspendedUntilStart,
}

/// Whether the judge may demand that a call that changes nothing leaves the flash alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LastCall {
    /// Demanded.
    Completed,
    /// A call failed or was killed, and none has succeeded since: with `forgive = ["repeated-commit"]`, the next call
    /// may commit without a change.
    Interrupted,
}

/// How the judge last read the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// Something may have changed since the store was read: it is read again at the end of the step.
    Stale,
    /// Nothing has changed since the judge decoded the records in NVRAM.
    Decoded,
    /// Nothing has changed since `init` was called.
    Printed,
}

/// How the judge reads what is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ReadMethod {
    /// The judge may decode the records in NVRAM.
    Records,
    /// The judge must call `init`.
    Init,
}
