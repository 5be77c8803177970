//! The group to which each observation belongs.
//!
//! One mistake shows in many stories: when an orderly restart loses the leases, so do a power cut, a full NVRAM and a clock
//! that jumps. It counts once, in the group that it is about, so that the other groups tell something new or nothing.

use std::collections::BTreeSet;

use super::cause::Cause;
use super::lease_fault::LeaseFault;
use super::observation::Observation;
use scenario::Group;

/// The group of each observation, in their order.
pub(super) fn attribute(observations: &[Observation]) -> Vec<Group> {
    let known = |include: &dyn Fn(&Observation) -> bool| -> BTreeSet<Cause> {
        let included = observations.iter().filter(|observation| include(observation));
        included.map(|observation| observation.cause).collect()
    };
    let basic = known(&|observation| observation.is_basic);
    let survives = known(&|observation| observation.found_in == Group::Survives);
    let at_home = known(&|observation| observation.found_in == observation.cause.home());
    let keeps_nothing = basic.contains(&Cause::Lease(LeaseFault::Missing));
    let group = |observation: &Observation| match observation.cause {
        Cause::RedundantWrite => Group::WriteEconomy,
        Cause::Lease(_) | Cause::Expectation if keeps_nothing => Group::Survives,
        cause if basic.contains(&cause) => cause.home(),
        cause @ (Cause::Lease(_) | Cause::Expectation | Cause::Hangs)
            if survives.contains(&cause) =>
        {
            Group::Survives
        }
        cause @ (Cause::UnreadableOutput | Cause::OtherSettings) if at_home.contains(&cause) => {
            cause.home()
        }
        _ => observation.found_in,
    };
    observations.iter().map(group).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::Words;
    use runner::Severity;

    fn observation(cause: Cause, found_in: Group, is_basic: bool) -> Observation {
        Observation {
            cause,
            severity: Severity::Bug,
            found_in,
            is_basic,
            case: String::new(),
            title: String::new(),
            text: String::new(),
            lines: (None, None),
            command: Words::default(),
        }
    }

    const MISSING: Cause = Cause::Lease(LeaseFault::Missing);
    const NEVER_ENDS: Cause = Cause::Lease(LeaseFault::NeverEnds);

    #[test]
    fn what_an_orderly_restart_shows_belongs_to_its_own_group_everywhere() {
        let observations = [
            observation(Cause::UnreadableOutput, Group::Survives, true),
            observation(Cause::UnreadableOutput, Group::FullNvram, false),
            observation(NEVER_ENDS, Group::Survives, true),
            observation(NEVER_ENDS, Group::Dhcpv6, false),
        ];
        assert_eq!(
            attribute(&observations),
            [Group::StartUpOutput, Group::StartUpOutput, Group::ClockJumps, Group::ClockJumps]
        );
    }

    #[test]
    fn what_only_a_special_story_shows_belongs_to_the_group_of_the_story() {
        let observations = [
            observation(Cause::OtherSettings, Group::FullNvram, false),
            observation(Cause::UnreadableOutput, Group::Dhcpv6, false),
            observation(MISSING, Group::ClockJumps, false),
        ];
        assert_eq!(attribute(&observations), [Group::FullNvram, Group::Dhcpv6, Group::ClockJumps]);
    }

    #[test]
    fn leases_that_are_lost_in_ordinary_stories_do_not_count_against_other_groups() {
        let observations = [
            observation(MISSING, Group::Survives, false),
            observation(MISSING, Group::HostileNames, false),
        ];
        assert_eq!(attribute(&observations), [Group::Survives, Group::Survives]);
    }

    #[test]
    fn a_script_that_keeps_nothing_is_not_blamed_for_what_it_keeps_of_it() {
        let observations = [
            observation(MISSING, Group::Survives, true),
            observation(Cause::Lease(LeaseFault::EndsTooEarly), Group::SharedNvram, false),
        ];
        assert_eq!(attribute(&observations), [Group::Survives, Group::Survives]);
    }

    #[test]
    fn redundant_writes_always_belong_to_write_economy() {
        let observations = [observation(Cause::RedundantWrite, Group::Survives, true)];
        assert_eq!(attribute(&observations), [Group::WriteEconomy]);
    }
}
