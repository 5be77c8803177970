//! The number of clients and the lease time at which the flash lasts less than 10 and 5 years.

use serde::Serialize;

use super::cost_model::CostModel;
use super::count::{HouseholdWear, count_unlimited};
use super::durations::DAY;
use super::error::WearError;
use super::household::Household;
use super::household_run::HouseholdRun;
use super::script::Script;
use super::yearly_wear::YearlyWear;

/// Simulated time of each household, in seconds.
const SAMPLE: u64 = 30 * DAY;
/// Largest number of clients that is tried.
const MAX_CLIENTS: u32 = 1000;
/// The range of lease times that are tried, in minutes: from dnsmasq's shortest lease time to a week.
const LEASE_MINUTES: (u32, u32) = (2, 7 * 24 * 60);

/// The limits at which the life of the flash becomes short. A limit that was not reached in the range that was tried is
/// `None`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Limits {
    /// Smallest number of clients with which the flash lasts less than 10 years.
    pub clients_under_10: Option<u32>,
    /// Smallest number of clients with which the flash lasts less than 5 years.
    pub clients_under_5: Option<u32>,
    /// Longest lease time with which the flash lasts less than 10 years, in seconds.
    pub lease_under_10: Option<u32>,
    /// Longest lease time with which the flash lasts less than 5 years, in seconds.
    pub lease_under_5: Option<u32>,
}

/// Finds the limits by bisection, changing only the number of clients or the lease time of the household.
///
/// # Errors
/// Returns an error if a household cannot be counted.
pub(super) fn find_limits(
    cost_model: &CostModel,
    run: HouseholdRun<'_>,
    script: Script,
    endurance: u32,
) -> Result<Limits, WearError> {
    let household = run.household;
    let lasts = |household: Household| -> Result<f64, WearError> {
        let run = HouseholdRun { household: &household, seconds: SAMPLE, ..run };
        let HouseholdWear { wear, .. } = count_unlimited(cost_model, run, script)?;
        Ok(YearlyWear::of(&wear, endurance, SAMPLE).years.unwrap_or(f64::INFINITY))
    };
    let clients = |years: f64| {
        first_true((0, MAX_CLIENTS), |clients| {
            if clients == 0 && household.phones == 0 && household.guests == 0 {
                return Ok::<bool, WearError>(false);
            }
            Ok(lasts(Household { clients, ..household.clone() })? < years)
        })
    };
    let lease = |years: f64| {
        // Longer leases wear the flash less, so the search runs from long to short.
        let (shortest, longest) = LEASE_MINUTES;
        let found = first_true((0, longest - shortest), |less| {
            let lease_time = (longest - less) * 60;
            Ok::<bool, WearError>(lasts(Household { lease_time, ..household.clone() })? < years)
        })?;
        Ok::<_, WearError>(found.map(|less| (longest - less) * 60))
    };
    Ok(Limits {
        clients_under_10: clients(10.0)?,
        clients_under_5: clients(5.0)?,
        lease_under_10: lease(10.0)?,
        lease_under_5: lease(5.0)?,
    })
}

/// Returns the first number of a range for which a monotonic predicate is true.
fn first_true<E>(
    (mut low, mut high): (u32, u32),
    mut predicate: impl FnMut(u32) -> Result<bool, E>,
) -> Result<Option<u32>, E> {
    if !predicate(high)? {
        return Ok(None);
    }
    while low < high {
        let middle = u32::midpoint(low, high);
        if predicate(middle)? { high = middle } else { low = middle + 1 }
    }
    Ok(Some(high))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bisection_finds_the_first_true_number() {
        let first = |at: u32| first_true::<()>((0, 1000), |n| Ok(n >= at));
        assert_eq!(first(0), Ok(Some(0)));
        assert_eq!(first(731), Ok(Some(731)));
        assert_eq!(first(1000), Ok(Some(1000)));
        assert_eq!(first(1001), Ok(None));
    }
}
