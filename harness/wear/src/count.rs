//! Counts one workload on one router.

use super::cost_model::CostModel;
use super::counting_store::CountingStore;
use super::dhcp::AddressRange;
use super::error::WearError;
use super::executing_store::ExecutingStore;
use super::fan_out::FanOut;
use super::household_run::HouseholdRun;
use super::image_builder::{ImageBuilder, ImageMode};
use super::script::Script;
use super::simulate::simulate;
use super::wear_counts::WearCounts;
use super::workload::play;
use backend::InProcess;
use dnsmasq_model::Build;
use trace::Workload;

/// The counts of a household, and whether its leases fit into the NVRAM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HouseholdWear {
    /// The counts.
    pub wear: WearCounts,
    /// Whether the leases ever exceeded the NVRAM.
    pub nvram_full: bool,
}

/// Counts a household on one router.
///
/// If the leases ever exceed the NVRAM, every call is executed instead ([`count_executed`]), because the result then
/// depends on the dialect's tool.
///
/// # Errors
/// Returns an error if the simulation ends early or the script fails.
pub fn count(
    cost_model: &CostModel,
    run: HouseholdRun<'_>,
    script: Script,
) -> Result<HouseholdWear, WearError> {
    let counted = count_unlimited(cost_model, run, script)?;
    if !counted.nvram_full {
        return Ok(counted);
    }
    let wear = count_executed(cost_model, run, script)?;
    Ok(HouseholdWear { wear, nvram_full: true })
}

/// Counts a household with several scripts. Scripts that store the same leases share one simulation.
///
/// # Errors
/// Returns an error in the cases of [`count`].
pub fn count_each(
    cost_model: &CostModel,
    run: HouseholdRun<'_>,
    scripts: &[Script],
) -> Result<Vec<HouseholdWear>, WearError> {
    let mut counted: Vec<Option<HouseholdWear>> = scripts.iter().map(|_| None).collect();
    while let Some(next) = counted.iter().position(Option::is_none) {
        let is_alike = |at: &usize| {
            counted[*at].is_none() && scripts[*at].stores_like(scripts[next], run.build)
        };
        let group: Vec<usize> = (next..scripts.len()).filter(is_alike).collect();
        if let [only] = group[..] {
            counted[only] = Some(count(cost_model, run, scripts[only])?);
            continue;
        }
        let new_store = |at: &usize| new_store(cost_model, run, scripts[*at]);
        let mut fan_out = FanOut(group.iter().map(new_store).collect::<Result<_, _>>()?);
        let unserved = simulate(run, &mut fan_out)?;
        for (at, store) in group.into_iter().zip(fan_out.0) {
            let nvram_full = store.is_full();
            let wear = if nvram_full {
                count_executed(cost_model, run, scripts[at])?
            } else {
                WearCounts { unserved, ..store.finish() }
            };
            counted[at] = Some(HouseholdWear { wear, nvram_full });
        }
    }
    Ok(counted.into_iter().flatten().collect())
}

fn new_store<'a>(
    cost_model: &'a CostModel,
    run: HouseholdRun<'_>,
    script: Script,
) -> Result<CountingStore<'a>, WearError> {
    let AddressRange { first, count } = AddressRange::of(run.household);
    Ok(CountingStore::new(cost_model, script, run.build, run.seconds, first, count)?)
}

/// Counts a household as if the NVRAM were large enough for all leases.
///
/// # Errors
/// Returns an error in the cases of [`count`].
pub(super) fn count_unlimited(
    cost_model: &CostModel,
    run: HouseholdRun<'_>,
    script: Script,
) -> Result<HouseholdWear, WearError> {
    let mut store = new_store(cost_model, run, script)?;
    let unserved = simulate(run, &mut store)?;
    let nvram_full = store.is_full();
    Ok(HouseholdWear { wear: WearCounts { unserved, ..store.finish() }, nvram_full })
}

/// Counts a household and builds the flash image of every commit.
///
/// # Errors
/// Returns an error in the cases of [`count`], if the images of the dialect cannot be built, or if the leases exceed
/// the NVRAM.
pub fn count_images(
    cost_model: &CostModel,
    run: HouseholdRun<'_>,
    script: Script,
    mode: ImageMode,
) -> Result<(WearCounts, ImageBuilder), WearError> {
    let mut images = ImageBuilder::new(cost_model, mode)?;
    let mut store = new_store(cost_model, run, script)?;
    store.build_images(&mut images);
    let unserved = simulate(run, &mut store)?;
    if store.is_full() {
        return Err(WearError::ImagesOfFullNvram);
    }
    let wear = WearCounts { unserved, ..store.finish() };
    Ok((wear, images))
}

/// Counts a household by executing every call on a machine in memory.
///
/// # Errors
/// Returns an error in the cases of [`count`].
pub fn count_executed(
    cost_model: &CostModel,
    run: HouseholdRun<'_>,
    script: Script,
) -> Result<WearCounts, WearError> {
    let mut backend = InProcess::new(cost_model.machine().clone(), script.function());
    let mut store = ExecutingStore::new(cost_model, &mut backend, run.seconds);
    let unserved = simulate(run, &mut store)?;
    Ok(WearCounts { unserved, ..store.finish()? })
}

/// Counts a list of events by executing every call on a machine in memory.
///
/// # Errors
/// Returns an error in the cases of [`count`].
pub fn count_workload(
    cost_model: &CostModel,
    workload: &Workload,
    build: Build,
    script: Script,
) -> Result<WearCounts, WearError> {
    let mut backend = InProcess::new(cost_model.machine().clone(), script.function());
    let mut store = ExecutingStore::new(cost_model, &mut backend, workload.seconds);
    play(workload, build, &mut store)?;
    Ok(store.finish()?)
}
