//! The counts of `leaselab wear` are those of real calls.

use leaselab::dnsmasq::Build;
use leaselab::target::process::{Process, Settings};
use leaselab::wear::{
    DAY, HOUR, Household, Market, Rendered, RouterSpec, Script, builtin_script, count,
    count_rendered, live,
};
use nvram_emu::Dialect;
use nvram_emu::device::Chip;
use rstest::rstest;

/// Everything that can happen, often.
fn busy() -> Household {
    Household {
        clients: 5,
        phones: 4,
        phone_home: 5 * HOUR as u32,
        phone_away: 3 * HOUR as u32,
        guests: 60,
        guest_stay: HOUR as u32,
        lease_time: 4 * HOUR as u32,
        reboots: 10,
        sighups: 12,
        power_cuts: 60,
        ..Household::default()
    }
}

fn market(dialect: Dialect, chip: Chip) -> Market {
    let spec = RouterSpec { space: 0x8000, neighbours: 4000, ..RouterSpec::new(dialect, chip) };
    Market::new(&spec).expect("a router")
}

#[rstest]
fn counting_equals_carrying_out_over_thirty_days(
    #[values(Dialect::OpenWrt, Dialect::Broadcom, Dialect::Padavan, Dialect::Tomato)]
    dialect: Dialect,
    #[values(Build::Rtc, Build::NoRtc)] build: Build,
    #[values(Script::Naive, Script::Ours { slack: 0 }, Script::Ours { slack: 14_400 })]
    script: Script,
) {
    let market = market(dialect, Chip::SPI_NOR);
    let (counted, full) = count(&market, &busy(), build, script, 7, 30 * DAY).expect("counts");
    let carried = count_rendered(&market, &busy(), build, script, 7, 30 * DAY).expect("calls");
    assert_eq!(counted, carried);
    assert!(!full && counted.calls > 500, "{counted:?}");
}

#[rstest]
fn counting_equals_processes(
    #[values(Build::Rtc, Build::NoRtc)] build: Build,
    #[values(Script::Naive, Script::Ours { slack: 3600 })] script: Script,
) {
    let market = market(Dialect::OpenWrt, Chip::SPI_NOR);
    let household = Household { reboots: 30, sighups: 30, power_cuts: 365, ..busy() };
    let seconds = 2 * DAY;
    let settings = Settings {
        leaselab: env!("CARGO_BIN_EXE_leaselab").into(),
        limit_ms: 20_000,
        private_root: false,
    };
    let mut target = Process::new(market.machine().clone(), &builtin_script(script), &settings)
        .expect("a process target");
    let mut store = Rendered::new(&market, &mut target, seconds);
    live(&household, build, 3, seconds, &mut store).expect("lives");
    let carried = store.finish().expect("calls");
    let (counted, _) = count(&market, &household, build, script, 3, seconds).expect("counts");
    assert_eq!(counted, carried);
}
