//! Where life gets short: how many clients, which lease time.

use serde::Serialize;

use super::cost_model::CostModel;
use super::household::{DAY, Household};
use super::life::Life;
use super::router::Script;
use super::study::{WearError, count_unlimited};
use dnsmasq_model::Build;

/// Life is judged by so much of it.
const SAMPLE: u64 = 30 * DAY;
/// Most clients that are tried.
const MOST_CLIENTS: u32 = 1000;
/// Lease times that are tried, minutes: dnsmasq's shortest to a week.
const MINUTES: (u32, u32) = (2, 7 * 24 * 60);

/// The households at which a flash no longer lasts. None: not within what was tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Limits {
    /// Fewest clients with which it lasts less than ten years.
    pub clients_under_10: Option<u32>,
    /// … less than five years.
    pub clients_under_5: Option<u32>,
    /// Longest lease time with which it lasts less than ten years, seconds.
    pub lease_under_10: Option<u32>,
    /// … less than five years.
    pub lease_under_5: Option<u32>,
}

/// Finds them by halving, with 30 days of the household each; all else stays as it is.
///
/// # Errors
/// A household that cannot be counted.
pub(super) fn limits(
    cost_model: &CostModel,
    household: &Household,
    build: Build,
    script: Script,
    seed: u64,
    endurance: u32,
) -> Result<Limits, WearError> {
    let lasts = |household: Household| -> Result<f64, WearError> {
        let (wear, _) = count_unlimited(cost_model, &household, build, script, seed, SAMPLE)?;
        Ok(Life::of(&wear, endurance, SAMPLE).years.unwrap_or(f64::INFINITY))
    };
    let clients = |years: f64| {
        first((0, MOST_CLIENTS), |clients| {
            if clients == 0 && household.phones == 0 && household.guests == 0 {
                return Ok::<bool, WearError>(false);
            }
            Ok(lasts(Household { clients, ..household.clone() })? < years)
        })
    };
    let lease = |years: f64| {
        // Longer leases wear less: the search runs backwards.
        let (shortest, longest) = MINUTES;
        let found = first((0, longest - shortest), |less| {
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

/// The first number for which something holds that holds for all later ones.
fn first<E>(
    (mut low, mut high): (u32, u32),
    mut holds: impl FnMut(u32) -> Result<bool, E>,
) -> Result<Option<u32>, E> {
    if !holds(high)? {
        return Ok(None);
    }
    while low < high {
        let middle = u32::midpoint(low, high);
        if holds(middle)? { high = middle } else { low = middle + 1 }
    }
    Ok(Some(high))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halving_finds_the_edge() {
        let edge = |at: u32| first::<()>((0, 1000), |n| Ok(n >= at));
        assert_eq!(edge(0), Ok(Some(0)));
        assert_eq!(edge(731), Ok(Some(731)));
        assert_eq!(edge(1000), Ok(Some(1000)));
        assert_eq!(edge(1001), Ok(None));
    }
}
