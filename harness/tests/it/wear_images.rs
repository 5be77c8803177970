//! Images built during a count are equal to those of the tool, whether built in full or incrementally.

use std::net::Ipv4Addr;

use dnsmasq_model::{Build, HwAddr, hex_text};
use nvram_emu::Dialect;
use nvram_emu::device::Chip;
use proptest::prelude::*;
use wear::{
    CostModel, DAY, HOUR, Household, HouseholdRun, ImageBuilder, ImageMode, RecordFields,
    RouterSpec, Script, count, count_images,
};

use crate::wear::short_or_long;

fn cost_model() -> CostModel {
    let spec = RouterSpec { neighbours: 3000, ..RouterSpec::new(Dialect::OpenWrt, Chip::SPI_NOR) };
    CostModel::new(&spec).expect("a router")
}

/// `nvram set` or `nvram unset` of one record.
#[derive(Clone, Debug)]
struct Command {
    addr: Ipv4Addr,
    stored: Option<(u64, Option<String>)>,
}

fn command() -> impl Strategy<Value = Command> {
    let record = (0_u64..20_000_000_000, proptest::option::of("[a-z]{1,12}"));
    let stored = prop_oneof![
        3 => record.prop_map(Some),
        2 => (1_700_000_000_u64..1_800_000_000).prop_map(|time| Some((time, Some("pc".to_owned())))),
        1 => Just(None),
    ];
    (50_u8..60, stored)
        .prop_map(|(last, stored)| Command { addr: Ipv4Addr::new(192, 168, 1, last), stored })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: short_or_long(48, 1000), ..ProptestConfig::default() })]

    #[test]
    fn incremental_and_full_images_equal_those_of_the_tool(
        commands in proptest::collection::vec(command(), 1..40),
    ) {
        let cost_model = cost_model();
        let mut machine = cost_model.machine().clone();
        let offset = cost_model.image(0).start as usize;
        let mut full = ImageBuilder::new(&cost_model, ImageMode::Full).expect("images");
        let mut incremental = ImageBuilder::new(&cost_model, ImageMode::Incremental).expect("images");
        for Command { addr, stored } in commands {
            let hw = HwAddr::ethernet([2, 0, 0, 0, 0, addr.octets()[3]]);
            let clid = [1, 2, 3];
            let variable = format!("dnsmasq_lease_{addr}");
            match &stored {
                Some((time, name)) => {
                    let fields =
                        RecordFields { time: *time, hw: &hw, name: name.as_deref().map(str::as_bytes), clid: Some(&clid) };
                    full.set(addr, fields);
                    incremental.set(addr, fields);
                    let name = name.as_deref().unwrap_or("*");
                    let pair = format!("{variable}={time} {} {addr} {name} {}", hw.text(), hex_text(&clid));
                    machine.run(&[b"set", pair.as_bytes()]);
                }
                None => {
                    full.unset(addr);
                    incremental.unset(addr);
                    machine.run(&[b"unset", variable.as_bytes()]);
                }
            }
            machine.run(&[b"commit"]);
            full.build();
            incremental.build();
            prop_assert!(full.bytes() == &machine.flash_bytes()[offset..], "full, after {addr}");
            prop_assert!(incremental.bytes() == full.bytes(), "incremental, after {addr}");
        }
    }
}

#[test]
fn building_images_changes_no_count() {
    let cost_model = cost_model();
    let household = Household { clients: 6, lease_time: HOUR as u32, ..Household::default() };
    for (build, script) in [(Build::Rtc, Script::Naive), (Build::NoRtc, Script::Ours { slack: 0 })]
    {
        let run = HouseholdRun { household: &household, build, seed: 5, seconds: 3 * DAY };
        let counted = count(&cost_model, run, script).expect("counts").wear;
        let built = |mode| count_images(&cost_model, run, script, mode).expect("images");
        let (wear, full) = built(ImageMode::Full);
        let (_, incremental) = built(ImageMode::Incremental);
        assert_eq!(wear, counted);
        assert_eq!(full.built(), counted.commits);
        assert!(full.bytes() == incremental.bytes());
    }
}
