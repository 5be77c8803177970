//! All recordings of the real tools, replayed on the machine in memory.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::Arc;

use nvram_emu::device::{Chip, Flash, OpKind};
use nvram_emu::dialect::{ProcMtd, Ram};
use nvram_emu::{Dialect, Exit, Machine};
use rstest::rstest;

use crate::golden::{Images, Recordings, Scenario, Seen, Step, Stores, differences};

struct Replay<'a> {
    machine: Machine,
    kernel: bool,
    images: &'a Images,
}

impl<'a> Replay<'a> {
    fn new(dialect: Dialect, scenario: &Scenario, images: &'a Images) -> Self {
        let bytes = scenario.image.as_deref().map_or_else(Vec::new, |name| images.get(name));
        let flash = Flash::from_bytes(&bytes, scenario.erase, Chip::SPI_NOR).expect("a geometry");
        let procmtd = match scenario.procmtd.as_deref() {
            Some("") => ProcMtd::Missing,
            Some(text) => ProcMtd::Text(text.as_bytes().into()),
            None => ProcMtd::Text(
                format!("mtd0: {:08x} {:08x} \"nvram\"\n", scenario.size, scenario.erase)
                    .into_bytes()
                    .into(),
            ),
        };
        let machine = Machine::new(dialect, flash, scenario.space).with_proc_mtd(procmtd);
        Self { machine, kernel: scenario.space.is_some(), images }
    }

    fn stores(&self) -> Stores {
        let staging = if self.kernel { None } else { self.machine.ram_bytes() };
        Stores {
            flash: Some(self.machine.flash_bytes().into_owned()),
            staging: staging.map(Cow::into_owned),
        }
    }

    fn event(&mut self, step: &Step) {
        let on_flash = step.what.as_deref() == Some("flash");
        let board = self.machine.board_mut();
        match step.ev.as_deref() {
            Some("reboot") => self.machine.reboot(),
            Some("cut") => self.machine.arm_cut(step.op, step.bytes),
            Some("staging") => {
                let image = self.images.get(step.image.as_deref().expect("an image"));
                board.ram = Ram::File(Arc::new(image));
            }
            Some("flash") => {
                let image = self.images.get(step.image.as_deref().expect("an image"));
                board.flash.overwrite(0, &image);
            }
            Some("truncate") if !on_flash => {
                if let Ram::File(file) = &mut board.ram {
                    Arc::make_mut(file).truncate(step.len);
                }
            }
            Some("poke") if on_flash => board.flash.overwrite(step.at as u32, &step.poke()),
            Some("poke") => {
                if let Ram::File(file) = &mut board.ram {
                    let bytes = step.poke();
                    Arc::make_mut(file)[step.at..step.at + bytes.len()].copy_from_slice(&bytes);
                }
            }
            other => panic!("unknown event {other:?}"),
        }
    }

    fn command(&mut self, args: &[Vec<u8>]) -> Seen {
        let args: Vec<&[u8]> = args.iter().map(Vec::as_slice).collect();
        self.machine.take_ops();
        let outcome = self.machine.run(&args);
        let after = self.stores();
        let ops = self.machine.take_ops();
        if outcome.exit == Exit::PowerLost {
            self.machine.reboot();
        }
        Seen {
            rc: match outcome.exit {
                Exit::Code(code) => code.into(),
                Exit::PowerLost => "cut".into(),
            },
            stdout: outcome.stdout,
            stderr: outcome.stderr,
            after,
            ops: ops
                .iter()
                .map(|op| (if op.kind == OpKind::Erase { 'E' } else { 'P' }, op.offset, op.len))
                .collect(),
            erase: self.machine.flash().geometry().erase_block,
        }
    }
}

#[rstest]
#[case::openwrt(Dialect::OpenWrt, Recordings::openwrt("mips"), None, 3760)]
#[case::openwrt_arm(Dialect::OpenWrtArm, Recordings::openwrt("arm"), Some("arm"), 3508)]
#[case::openwrt_hardened(Dialect::OpenWrtHardened, Recordings::openwrt("hardened"), None, 3760)]
#[case::broadcom(Dialect::Broadcom, Recordings::of("broadcom", "broadcom", "r"), None, 1456)]
#[case::broadcom_stock(
    Dialect::BroadcomStock,
    Recordings::of("broadcom", "broadcom-stock", "r"),
    None,
    4574
)]
#[case::ddwrt(Dialect::DdWrt, Recordings::of("others", "ddwrt", "r"), None, 4719)]
#[case::tomato(Dialect::Tomato, Recordings::of("broadcom", "tomato", "r"), None, 9987)]
#[case::tomato_classic(
    Dialect::TomatoClassic,
    Recordings::of("broadcom", "tomato", "classic"),
    None,
    9987
)]
#[case::freshtomato_arm(
    Dialect::FreshTomatoArm,
    Recordings::of("arm", "freshtomato-arm", "r"),
    None,
    6002
)]
#[case::freshtomato_arm_2023(
    Dialect::FreshTomatoArm2023,
    Recordings::of("arm", "freshtomato-arm", "old"),
    None,
    6002
)]
#[case::merlin(Dialect::Merlin, Recordings::of("arm", "merlin", "r"), None, 5777)]
#[case::padavan(Dialect::Padavan, Recordings::of("others", "padavan", "r"), None, 5222)]
#[case::padavan_ng(Dialect::PadavanNg, Recordings::of("others", "padavan", "ng"), None, 5222)]
#[case::seed2006(Dialect::Seed2006, Recordings::of("broadcom", "seed2006", "r"), None, 4554)]
#[case::wrt54gl(Dialect::Wrt54gl, Recordings::of("broadcom", "wrt54gl", "r"), None, 4386)]
fn every_recorded_command_has_the_recorded_effects(
    #[case] dialect: Dialect,
    #[case] recordings: Recordings,
    #[case] skip_ub: Option<&str>,
    #[case] commands: usize,
) {
    let (mut seen, mut report, mut differing) = (0, String::new(), 0);
    let images = recordings.images();
    for scenario in recordings.scenarios(skip_ub) {
        let mut replay = Replay::new(dialect, &scenario, &images);
        for (at, step) in scenario.steps.iter().enumerate() {
            let Some(args) = step.args() else {
                replay.event(step);
                continue;
            };
            let before = replay.stores();
            let got = replay.command(&args);
            seen += 1;
            let text = differences(&step.expected(recordings.variant), &before, &got);
            if !text.is_empty() {
                differing += 1;
                if differing <= 10 {
                    let words = format!("{:?}", step.argv);
                    let _ = write!(report, "\n{} step {at} {words:.300}{text:.1500}", scenario.id);
                }
            }
        }
    }
    assert_eq!(differing, 0, "of {seen} commands:{report}");
    assert_eq!(seen, commands);
}

/// `every_recorded_command_has_the_recorded_effects` also replays the scenarios in which the real tool crashed.
#[test]
fn the_real_openwrt_tool_did_not_crash_in_3606_recorded_commands() {
    let scenarios = Recordings::openwrt("mips").scenarios(Some("mips"));
    let commands = scenarios.iter().flat_map(|scenario| &scenario.steps);
    assert_eq!(commands.filter(|step| step.argv.is_some()).count(), 3606);
}

/// A new dialect needs a case above, or `DialectInfo::verified` says that it is not verified.
#[test]
fn every_verified_dialect_says_what_was_not_run() {
    for dialect in Dialect::ALL {
        let verified = dialect.info().verified.expect("all dialects are verified");
        assert!(!verified.against.is_empty() && !verified.not_run.is_empty(), "{dialect}");
    }
}
