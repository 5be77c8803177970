//! The group to which each observation belongs.
//!
//! One mistake shows in many scenarios: when an orderly restart loses the leases, so do a power cut, a full NVRAM and a
//! clock that jumps. It counts once, so that the other groups report only problems of their own. The first rule that
//! applies decides:
//!
//! 1. A redundant write, a file that was not synced, a variable that `--owns` does not name, and a signal to dnsmasq belong
//!    to the home of their cause ([`Cause::home`]).
//! 2. What a power cut shows in a case that passes without one belongs to the group of the cut.
//! 3. If an orderly restart loses leases, all that is wrong with leases belongs to `survives`.
//! 4. A cause that an orderly restart shows belongs to its home.
//! 5. What is wrong with leases in an ordinary scenario of `survives` belongs there.
//! 6. A cause that its home shows, too, belongs there: output that cannot be read, and settings of other programs.
//! 7. Everything else belongs to the group of the scenario that shows it.

use std::collections::BTreeSet;

use super::cause::Cause;
use super::lease_fault::LeaseFault;
use super::observation::{Observation, Origin};
use scenario::Group;

/// The group of each observation, in their order.
pub(super) fn attribute(observations: &[Observation]) -> Vec<Group> {
    let known = |include: &dyn Fn(&Observation) -> bool| -> BTreeSet<Cause> {
        let included = observations.iter().filter(|observation| include(observation));
        included.map(|observation| observation.cause).collect()
    };
    let basic = known(&|observation| observation.origin == Origin::OrderlyRestart);
    let is_ordinary = |observation: &Observation| {
        observation.found_in == Group::Survives && observation.origin != Origin::Fault
    };
    let survives = known(&is_ordinary);
    let at_home = known(&|observation| observation.found_in == observation.cause.home());
    let keeps_nothing = basic.contains(&Cause::Lease(LeaseFault::Missing));
    let group = |observation: &Observation| match observation.cause {
        cause @ (Cause::RedundantWrite
        | Cause::NotSynced
        | Cause::UnknownVariables
        | Cause::SignalsDnsmasq) => cause.home(),
        _ if observation.origin == Origin::Fault => observation.found_in,
        Cause::Lease(_) | Cause::Expectation if keeps_nothing => Group::Survives,
        cause if basic.contains(&cause) => cause.home(),
        cause @ (Cause::Lease(_) | Cause::Expectation | Cause::Hangs | Cause::ReturnsEarly)
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

    fn observation(cause: Cause, found_in: Group, origin: Origin) -> Observation {
        Observation {
            cause,
            severity: Severity::Bug,
            found_in,
            origin,
            case: String::new(),
            title: String::new(),
            text: String::new(),
            lines: (None, None),
            stderr: Vec::new(),
            command: Words::default(),
        }
    }

    const MISSING: Cause = Cause::Lease(LeaseFault::Missing);
    const NEVER_ENDS: Cause = Cause::Lease(LeaseFault::NeverEnds);

    #[test]
    fn what_an_orderly_restart_shows_belongs_to_its_own_group_everywhere() {
        let observations = [
            observation(Cause::UnreadableOutput, Group::Survives, Origin::OrderlyRestart),
            observation(Cause::UnreadableOutput, Group::FullNvram, Origin::Scenario),
            observation(NEVER_ENDS, Group::Survives, Origin::OrderlyRestart),
            observation(NEVER_ENDS, Group::Dhcpv6, Origin::Scenario),
        ];
        assert_eq!(
            attribute(&observations),
            [Group::StartUpOutput, Group::StartUpOutput, Group::ClockJumps, Group::ClockJumps]
        );
    }

    #[test]
    fn what_only_a_special_scenario_shows_belongs_to_the_group_of_the_scenario() {
        let observations = [
            observation(Cause::OtherSettings, Group::FullNvram, Origin::Scenario),
            observation(Cause::UnreadableOutput, Group::Dhcpv6, Origin::Scenario),
            observation(MISSING, Group::ClockJumps, Origin::Scenario),
        ];
        assert_eq!(attribute(&observations), [Group::FullNvram, Group::Dhcpv6, Group::ClockJumps]);
    }

    #[test]
    fn leases_that_are_lost_in_ordinary_scenarios_do_not_count_against_other_groups() {
        let observations = [
            observation(MISSING, Group::Survives, Origin::Scenario),
            observation(MISSING, Group::HostileNames, Origin::Scenario),
        ];
        assert_eq!(attribute(&observations), [Group::Survives, Group::Survives]);
    }

    #[test]
    fn a_script_that_keeps_nothing_is_not_blamed_for_what_it_keeps_of_it() {
        let observations = [
            observation(MISSING, Group::Survives, Origin::OrderlyRestart),
            observation(
                Cause::Lease(LeaseFault::EndsTooEarly),
                Group::SharedNvram,
                Origin::Scenario,
            ),
        ];
        assert_eq!(attribute(&observations), [Group::Survives, Group::Survives]);
    }

    #[test]
    fn what_a_power_cut_shows_in_a_case_that_passes_is_not_hidden_by_another_case() {
        let observations = [
            observation(MISSING, Group::Survives, Origin::Scenario),
            observation(MISSING, Group::Atomic, Origin::Fault),
        ];
        assert_eq!(attribute(&observations), [Group::Survives, Group::Atomic]);
    }

    #[test]
    fn a_file_that_is_not_synced_counts_once() {
        let observations = [
            observation(Cause::NotSynced, Group::Atomic, Origin::Fault),
            observation(Cause::NotSynced, Group::Survives, Origin::Fault),
        ];
        assert_eq!(attribute(&observations), [Group::Survives, Group::Survives]);
    }

    #[test]
    fn redundant_writes_always_belong_to_write_economy() {
        let observations =
            [observation(Cause::RedundantWrite, Group::Survives, Origin::OrderlyRestart)];
        assert_eq!(attribute(&observations), [Group::WriteEconomy]);
    }
}
