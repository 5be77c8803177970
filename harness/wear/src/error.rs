//! The errors of counting a workload.

use runner::CaseError;

use super::cost_model::CostModelError;
use super::image_builder::ImagesUnsupported;
use super::lease_store::SimulationError;

/// Why a workload cannot be counted.
#[derive(Debug, thiserror::Error)]
pub enum WearError {
    /// The costs of commits cannot be measured on the router.
    #[error(transparent)]
    CostModel(#[from] CostModelError),
    /// The simulation ended early.
    #[error(transparent)]
    Simulation(#[from] SimulationError),
    /// The scenario cannot be run.
    #[error(transparent)]
    Scenario(#[from] CaseError),
    /// The images of the dialect cannot be built.
    #[error(transparent)]
    Images(#[from] ImagesUnsupported),
    /// Images were requested, but the leases exceed the NVRAM.
    #[error("the NVRAM is full: count without --images")]
    ImagesOfFullNvram,
}
