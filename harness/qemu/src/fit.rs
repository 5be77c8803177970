//! Which cases can run in a guest.

use super::guest_config::GuestConfig;
use super::interface;
use scenario::{Action, Bytes, Case, Disturbance, Expect, Memory, Moment, Rtc, Step};

/// The last second of a 32-bit clock.
const LAST_SECOND: i64 = i32::MAX as i64;

/// Why a case cannot run in a guest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// The dialect is that of a tool whose NVRAM is in the kernel.
    #[error("`{0}` has its nvram in the kernel: only the openwrt dialects run in a guest")]
    Dialect(String),
    /// It needs the other build of dnsmasq.
    #[error("Debian's dnsmasq is not built with HAVE_BROKEN_RTC")]
    BrokenRtc,
    /// It has clients with DHCPv6.
    #[error("clients of a guest do not support DHCPv6")]
    Dhcpv6,
    /// It begins with a flash image.
    #[error("its flash image has another size than the guest's")]
    Image,
    /// Its NVRAM is larger than the guest's, which has this number of bytes.
    #[error("its nvram is larger than the guest's, {0} bytes")]
    Space(u64),
    /// It has a date after the end of the guest's clock.
    #[error("the guest's 32-bit clock ends in 2038")]
    Date,
    /// It has steps of a web page.
    #[error("`web-page` is not supported in a guest")]
    WebPage,
    /// It damages the flash or the RAM of a running router.
    #[error("the flash and RAM of a running guest cannot be damaged from outside")]
    Damage,
    /// It has a fault at a change of a file.
    #[error("changes of files in a guest cannot be interrupted")]
    FileChange,
    /// It counts erases of blocks of another size.
    #[error(
        "it counts erases of blocks of {own} bytes, but the guest's flash has blocks of {guest}"
    )]
    EraseBlock {
        /// The size of the scenario's blocks, in bytes.
        own: u64,
        /// The size of the guest's blocks, in bytes.
        guest: u64,
    },
}

/// The case with the guest's flash geometry in place of the scenario's.
pub(super) fn fit(config: &GuestConfig, case: &Case) -> Result<Case, Unfit> {
    let router = &case.scenario.router;
    let dialect = router.dialect.get_ref();
    if !dialect.starts_with("openwrt") {
        return Err(Unfit::Dialect(dialect.clone()));
    }
    let steps: Vec<&Step> = case
        .scenario
        .steps
        .iter()
        .map(toml::Spanned::get_ref)
        .filter(|step| case.matches(&step.when))
        .collect();
    let boots_broken =
        |step: &&Step| matches!(&step.action, Action::Boot(boot) if boot.rtc == Some(Rtc::Broken));
    if router.rtc == Rtc::Broken || steps.iter().any(boots_broken) {
        return Err(Unfit::BrokenRtc);
    }
    let joins_v6 = |step: &&Step| matches!(&step.action, Action::Join(join) if join.v6.is_some());
    if case.scenario.server.range6.is_some() || steps.iter().any(joins_v6) {
        return Err(Unfit::Dhcpv6);
    }
    if router.image.is_some() {
        return Err(Unfit::Image);
    }
    let partition = config.partition() as u64;
    if router.space.0 > partition || router.partition.is_some_and(|own| own.0 > partition) {
        return Err(Unfit::Space(partition));
    }
    let later = |moment: &Moment| matches!(moment, Moment::At(second) if *second > LAST_SECOND);
    let dates = steps.iter().filter_map(|step| match &step.action {
        Action::SetClock(moment) => Some(moment),
        _ => None,
    });
    if config.has_32_bit_clock() && dates.chain([&router.date]).any(later) {
        return Err(Unfit::Date);
    }
    let blocks = (router.erase.0, u64::from(config.erase_block()));
    let mut is_on = false;
    for step in &steps {
        check_step(step, is_on, blocks)?;
        is_on = is_on_after(step, is_on);
    }
    let mut case = case.clone();
    case.scenario.router.partition = Some(Bytes(partition));
    case.scenario.router.erase = Bytes(u64::from(config.erase_block()));
    interface::rename(&mut case.scenario, &config.interface);
    Ok(case)
}

/// Checks a step of a router that is on or off. `own` and `guest` are the sizes of erase blocks.
fn check_step(step: &Step, is_on: bool, (own, guest): (u64, u64)) -> Result<(), Unfit> {
    if step.web_page {
        return Err(Unfit::WebPage);
    }
    if let Action::Damage(damage) = &step.action
        && (is_on || damage.memory == Memory::Ram)
    {
        return Err(Unfit::Damage);
    }
    if step.disturbance.as_ref().is_some_and(|it| it.disturbance.is_at_file_change()) {
        return Err(Unfit::FileChange);
    }
    let counts = |expect: &Expect| {
        [expect.erases, expect.total_erases, expect.programmed, expect.flash_operations]
            .into_iter()
            .flatten()
            .any(|count| count > 0)
    };
    if own != guest && step.expect.iter().any(counts) {
        return Err(Unfit::EraseBlock { own, guest });
    }
    Ok(())
}

/// Whether the router is on after a step.
fn is_on_after(step: &Step, is_on: bool) -> bool {
    let is_cut =
        matches!(&step.disturbance, Some(it) if matches!(it.disturbance, Disturbance::Cut(_)));
    match step.action {
        Action::Boot(_) => true,
        Action::Shutdown | Action::PowerCut => false,
        _ => is_on && !is_cut,
    }
}
