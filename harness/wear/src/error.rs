//! Why a workload cannot be counted.

use runner::CaseError;

use super::cost_model::CostModelError;
use super::image_builder::ImagesUnsupported;
use super::lease_store::SimulationError;

/// Why a workload cannot be counted.
#[derive(Debug, thiserror::Error)]
pub enum WearError {
    /// A router whose costs cannot be measured.
    #[error(transparent)]
    CostModel(#[from] CostModelError),
    /// A simulation that ended early.
    #[error(transparent)]
    Simulation(#[from] SimulationError),
    /// A scenario that cannot be run.
    #[error(transparent)]
    Scenario(#[from] CaseError),
    /// A dialect whose images cannot be built.
    #[error(transparent)]
    Images(#[from] ImagesUnsupported),
    /// Images were to be built of an NVRAM that has no space for the leases.
    #[error("the NVRAM is full: count without --images")]
    ImagesOfFullNvram,
}
