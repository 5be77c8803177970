//! A sample of the recordings of the real tools, replayed on the `nvram` executable.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Output;

use assert_cmd::Command;
use rstest::rstest;

use crate::golden::{Images, Recordings, Scenario, Seen, Step, Stores, differences};
use crate::scratch::tmpfs;

/// One scenario in this many is replayed, since a process takes about 2 ms per command. `golden_machine` replays all.
const SAMPLE: usize = 12;

struct Replay<'a> {
    dir: PathBuf,
    dialect: &'a str,
    scenario: &'a Scenario,
    images: &'a Images,
    cut: Option<String>,
}

impl<'a> Replay<'a> {
    fn new(dir: PathBuf, dialect: &'a str, scenario: &'a Scenario, images: &'a Images) -> Self {
        if let Some(name) = &scenario.image {
            fs::write(dir.join("flash"), images.get(name)).expect("a flash file");
        }
        let text = scenario.procmtd.clone().unwrap_or_else(|| {
            format!(
                "dev:    size   erasesize  name\nmtd0: {:08x} {:08x} \"nvram\"\n",
                scenario.size, scenario.erase
            )
        });
        if !text.is_empty() {
            fs::write(dir.join("procmtd"), text).expect("a /proc/mtd");
        }
        Self { dir, dialect, scenario, images, cut: None }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    fn stores(&self) -> Stores {
        let staging =
            self.scenario.space.is_none().then(|| fs::read(self.file("staging")).ok()).flatten();
        Stores { flash: fs::read(self.file("flash")).ok(), staging }
    }

    fn event(&mut self, step: &Step) {
        let file =
            self.file(if step.what.as_deref() == Some("flash") { "flash" } else { "staging" });
        match step.ev.as_deref() {
            Some("reboot") => drop(fs::remove_file(self.file("staging"))),
            Some("cut") => self.cut = Some(format!("{}:{}", step.op, step.bytes)),
            Some(what @ ("staging" | "flash")) => {
                let bytes = self.images.get(step.image.as_deref().expect("an image"));
                fs::write(self.file(what), bytes).expect("a file");
            }
            Some("truncate") => edit(&file, |bytes| bytes.resize(step.len, 0)),
            Some("poke") => edit(&file, |bytes| {
                let poke = step.poke();
                bytes[step.at..step.at + poke.len()].copy_from_slice(&poke);
            }),
            other => panic!("unknown event {other:?}"),
        }
    }

    fn command(&mut self, args: &[Vec<u8>]) -> Seen {
        let log = self.file("log");
        let _ = fs::remove_file(&log);
        let mut command = Command::new(assert_cmd::cargo::cargo_bin!("nvram"));
        command.env_clear().env("NVRAM_EMU_DIALECT", self.dialect);
        command
            .env("NVRAM_EMU_FLASH", self.file("flash"))
            .env("NVRAM_EMU_STAGING", self.file("staging"));
        command.env("NVRAM_EMU_ERASE", self.scenario.erase.to_string()).env("NVRAM_EMU_LOG", &log);
        match self.scenario.space {
            Some(space) => command.env("NVRAM_EMU_SPACE", space.to_string()),
            None => command.env("NVRAM_EMU_PROC_MTD", self.file("procmtd")),
        };
        if let Some(cut) = self.cut.take() {
            command.env("NVRAM_EMU_CUT", cut);
        }
        for arg in args {
            command.arg(<std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(arg));
        }
        let Output { status, stdout, stderr } = command.output().expect("an executable");
        Seen {
            rc: match status.signal() {
                Some(9) => "cut".into(),
                Some(signal) => (-signal).into(),
                None => status.code().into(),
            },
            stdout,
            stderr,
            after: self.stores(),
            ops: fs::read_to_string(&log).unwrap_or_default().lines().map(op).collect(),
            erase: self.scenario.erase,
        }
    }
}

fn edit(file: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    if let Ok(mut bytes) = fs::read(file) {
        change(&mut bytes);
        fs::write(file, bytes).expect("a file");
    }
}

fn op(line: &str) -> (char, u32, u32) {
    let words: Vec<&str> = line.split(' ').collect();
    let [kind, offset, len] = words[..] else { panic!("a log line: {line}") };
    (
        kind.chars().next().expect("a kind"),
        offset.parse().expect("an offset"),
        len.parse().expect("a length"),
    )
}

#[rstest]
#[case::openwrt("openwrt", Recordings::openwrt("mips"), Some("mips"))]
#[case::openwrt_arm("openwrt-arm", Recordings::openwrt("arm"), Some("arm"))]
#[case::openwrt_hardened("openwrt-hardened", Recordings::openwrt("hardened"), None)]
#[case::broadcom("broadcom", Recordings::of("broadcom", "broadcom", "r"), None)]
#[case::broadcom_stock("broadcom-stock", Recordings::of("broadcom", "broadcom-stock", "r"), None)]
#[case::ddwrt("ddwrt", Recordings::of("others", "ddwrt", "r"), None)]
#[case::tomato("tomato", Recordings::of("broadcom", "tomato", "r"), None)]
#[case::tomato_classic("tomato-classic", Recordings::of("broadcom", "tomato", "classic"), None)]
#[case::freshtomato_arm("freshtomato-arm", Recordings::of("arm", "freshtomato-arm", "r"), None)]
#[case::freshtomato_arm_2023(
    "freshtomato-arm-2023",
    Recordings::of("arm", "freshtomato-arm", "old"),
    None
)]
#[case::merlin("merlin", Recordings::of("arm", "merlin", "r"), None)]
#[case::padavan("padavan", Recordings::of("others", "padavan", "r"), None)]
#[case::padavan_ng("padavan-ng", Recordings::of("others", "padavan", "ng"), None)]
#[case::seed2006("seed2006", Recordings::of("broadcom", "seed2006", "r"), None)]
#[case::wrt54gl("wrt54gl", Recordings::of("broadcom", "wrt54gl", "r"), None)]
fn sampled_commands_have_the_recorded_effects(
    #[case] dialect: &str,
    #[case] recordings: Recordings,
    #[case] skip_ub: Option<&str>,
) {
    let (mut seen, mut report) = (0, String::new());
    let images = recordings.images();
    let scenarios = recordings.scenarios(skip_ub);
    let sample = if recordings.dialect == Some("broadcom") { 4 } else { SAMPLE };
    for scenario in scenarios.iter().step_by(sample) {
        let scratch = tmpfs();
        let mut replay = Replay::new(scratch.path().to_path_buf(), dialect, scenario, &images);
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
                let words = format!("{:?}", step.argv);
                let _ = write!(report, "\n{} step {at} {words:.300}{text:.1500}", scenario.id);
            }
        }
    }
    assert!(report.is_empty(), "of {seen} commands:{report:.9000}");
    assert!(seen > 200, "only {seen} commands");
}
