//! The group to which each observation belongs.
//!
//! One mistake shows in many stories: when an orderly restart loses the leases, so do a power cut, a full NVRAM and a clock
//! that jumps. It counts once, in the group that it is about, so that the other groups tell something new or nothing.

use std::collections::BTreeSet;

use super::cause::Cause;
use super::observation::Observation;
use scenario::{Group, Rtc};

/// The group of each observation, in their order.
pub(super) fn attribute(observations: &[Observation]) -> Vec<Group> {
    let known = |include: &dyn Fn(&Observation) -> bool| -> BTreeSet<(Cause, bool)> {
        let included = observations.iter().filter(|observation| include(observation));
        included.map(|observation| (observation.cause, observation.rtc == Rtc::Good)).collect()
    };
    let basic = known(&|observation| observation.is_basic);
    let survives = known(&|observation| observation.found_in == Group::Survives);
    let at_home = known(&|observation| observation.found_in == observation.cause.home());
    let group = |observation: &Observation| {
        let key = (observation.cause, observation.rtc == Rtc::Good);
        match observation.cause {
            Cause::RedundantWrite => Group::WriteEconomy,
            cause if basic.contains(&key) => cause.home(),
            Cause::Lease(_) | Cause::Expectation | Cause::Hangs if survives.contains(&key) => {
                Group::Survives
            }
            cause @ (Cause::UnreadableOutput | Cause::OtherSettings) if at_home.contains(&key) => {
                cause.home()
            }
            _ => observation.found_in,
        }
    };
    observations.iter().map(group).collect()
}

#[cfg(test)]
mod tests {
    use super::super::lease_fault::LeaseFault;
    use super::*;
    use crate::words::Words;
    use runner::Severity;

    fn observation(cause: Cause, found_in: Group, is_basic: bool, rtc: Rtc) -> Observation {
        Observation {
            cause,
            severity: Severity::Bug,
            found_in,
            is_basic,
            rtc,
            case: String::new(),
            title: String::new(),
            text: String::new(),
            command: Words::default(),
        }
    }

    const MISSING: Cause = Cause::Lease(LeaseFault::Missing);
    const NEVER_ENDS: Cause = Cause::Lease(LeaseFault::NeverEnds);

    #[test]
    fn what_an_orderly_restart_shows_belongs_to_its_own_group_everywhere() {
        let observations = [
            observation(Cause::UnreadableOutput, Group::Survives, true, Rtc::Good),
            observation(Cause::UnreadableOutput, Group::FullNvram, false, Rtc::Good),
            observation(NEVER_ENDS, Group::Survives, true, Rtc::Broken),
            observation(NEVER_ENDS, Group::Dhcpv6, false, Rtc::Broken),
        ];
        assert_eq!(
            attribute(&observations),
            [Group::StartUpOutput, Group::StartUpOutput, Group::ClockJumps, Group::ClockJumps]
        );
    }

    #[test]
    fn what_only_a_special_story_shows_belongs_to_the_group_of_the_story() {
        let observations = [
            observation(Cause::OtherSettings, Group::FullNvram, false, Rtc::Good),
            observation(Cause::UnreadableOutput, Group::Dhcpv6, false, Rtc::Good),
            observation(MISSING, Group::ClockJumps, false, Rtc::Good),
        ];
        assert_eq!(attribute(&observations), [Group::FullNvram, Group::Dhcpv6, Group::ClockJumps]);
    }

    #[test]
    fn leases_that_are_lost_in_ordinary_stories_do_not_count_against_other_groups() {
        let observations = [
            observation(MISSING, Group::Survives, false, Rtc::Good),
            observation(MISSING, Group::HostileNames, false, Rtc::Good),
            observation(MISSING, Group::HostileNames, false, Rtc::Broken),
        ];
        assert_eq!(
            attribute(&observations),
            [Group::Survives, Group::Survives, Group::HostileNames]
        );
    }

    #[test]
    fn redundant_writes_always_belong_to_write_economy() {
        let observations = [observation(Cause::RedundantWrite, Group::Survives, true, Rtc::Good)];
        assert_eq!(attribute(&observations), [Group::WriteEconomy]);
    }
}
