//! What determines a random household.

use nvram_emu::Dialect;

use dnsmasq_model::Release;
use scenario::Rtc;

/// What determines a random household. The text form is `f1:CHECKSUM:SEED:CASE:EVENTS:DIALECT:RTC:SCRIPT`, and
/// `:RELEASE` after it unless that is the newest one; SCRIPT ends with `+files` if there are faults at changes of files. The checksum
/// is that of the household's scenario, so that an id from a leaselab that generates other households is rejected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HouseholdId {
    /// The seed of the session.
    pub seed: u64,
    /// The number of the case, from 0.
    pub case: u64,
    /// The number of events.
    pub events: u32,
    /// The dialect of the `nvram` tool.
    pub dialect: Dialect,
    /// The build of dnsmasq.
    pub rtc: Rtc,
    /// The release of dnsmasq.
    pub release: Release,
    /// `[script] use`: `shell` or `naive`.
    pub script: String,
    /// Whether power is also cut, and the script killed, at changes of persistent files. The project's own scripts change
    /// none.
    pub file_faults: bool,
}
