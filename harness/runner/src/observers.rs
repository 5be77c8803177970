//! The observers of a run, beside the judge.

use super::lenient_log::LenientLog;
use super::recorder::Recorder;

/// Observers of a run. They do not influence it, except that a lenient log makes it skip steps that cannot be carried
/// out.
#[derive(Debug, Default)]
pub struct Observers<'a> {
    /// Keeps snapshots, calls and client actions.
    pub recorder: Option<&'a mut Recorder>,
    /// Notes which steps had an effect; steps that cannot be carried out are skipped.
    pub lenient_log: Option<&'a mut LenientLog>,
}
