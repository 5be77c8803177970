//! How long the flash lives with a script: its calls for a few days of a household, extrapolated.

use backend::process::{ScriptCommand, Settings};
use dnsmasq_model::Build;
use nvram_emu::Dialect;
use nvram_emu::device::Chip;
use runner::NamePattern;
use wear::{
    BINS, Calls, CrossCheckSpec, DAY, Household, Method, RouterSpec, Script, Simulation, Study,
    WearCounts, WearError, YEAR,
};

/// Parts of the simulated time that are not counted, because all clients join in it.
const WARM_UP: usize = BINS / 3;

/// How long the flash lives.
#[derive(Clone, Debug, PartialEq)]
pub struct FlashLife {
    /// Years; `None` if the script never erases a block.
    pub years: Option<f64>,
    /// Years with the project's own script.
    pub ours: Option<f64>,
    /// The chip.
    pub chip: &'static str,
    /// Erases that one of its blocks endures.
    pub endurance: u32,
    /// The household in words.
    pub household: String,
    /// Number of script calls.
    pub calls: u64,
}

/// A measurement of the flash's life, or why there is none.
#[derive(Clone, Debug, PartialEq)]
pub enum LifeEstimate {
    /// The flash lives as long.
    Measured(FlashLife),
    /// Why it was not measured.
    NotMeasured(String),
}

/// A typical router with the firmware of a dialect.
pub fn typical_router(dialect: Dialect) -> RouterSpec {
    RouterSpec::new(dialect, chip_of(dialect))
}

/// Measures how long the flash of a router lives.
///
/// # Errors
/// When the script cannot be run.
pub fn measure(
    (command, owns): (ScriptCommand, Vec<NamePattern>),
    settings: Settings,
    (router, build): (RouterSpec, Build),
    days: u64,
) -> Result<FlashLife, WearError> {
    let household = Household::default();
    let chip = router.chip;
    let simulation = Simulation {
        household: household.clone(),
        seed: 1,
        seconds: days * DAY,
        method: Method::Count,
        limits: false,
    };
    let study = Study {
        calls: Calls::Simulated(simulation),
        builds: vec![build],
        routers: vec![router],
        model: None,
        scripts: vec![Script::Ours { slack: 0 }],
        endurance: None,
    };
    let label = "script".to_owned();
    let spec = CrossCheckSpec { command, label, settings, owns, seconds: days * DAY };
    let check = study.cross_check(&spec)?.into_iter().next();
    let years = |wear: &WearCounts| years(wear, chip.endurance);
    let Household { clients, phones, .. } = household;
    Ok(FlashLife {
        years: check.as_ref().and_then(|check| years(&check.wear)),
        ours: check.as_ref().and_then(|check| years(&check.in_process.first()?.wear)),
        chip: chip.name,
        endurance: chip.endurance,
        household: format!("{clients} devices and {phones} phones"),
        calls: check.map_or(0, |check| check.wear.calls),
    })
}

/// The life of the block with the most erases, from the counts after the warm-up.
fn years(wear: &WearCounts, endurance: u32) -> Option<f64> {
    let later: u64 = wear.bins.iter().skip(WARM_UP).sum();
    let total = wear.total_erases();
    if later == 0 || total == 0 {
        return None;
    }
    let of_worst_block = later as f64 * wear.max_erases() as f64 / total as f64;
    let seconds = wear.seconds as f64 * (BINS - WARM_UP) as f64 / BINS as f64;
    let yearly = of_worst_block * YEAR as f64 / seconds;
    Some(f64::from(endurance) / yearly)
}

/// The flash chip of a typical router with this firmware.
fn chip_of(dialect: Dialect) -> Chip {
    let name = match dialect.name() {
        "broadcom" | "broadcom-stock" | "ddwrt" | "tomato" | "tomato-classic" | "seed2006"
        | "wrt54gl" => "parallel-nor",
        _ => "spi-nor",
    };
    Chip::by_name(name).unwrap_or(Chip::ALL[0])
}
