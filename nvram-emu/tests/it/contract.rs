//! The interface of the executable: environment variables, files, lock, power cuts, device folders.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;

use assert_cmd::Command;
use nvram_emu::Dialect;
use nvram_emu::device::Chip;
use nvram_emu::emu::{DeviceConfig, DeviceFolder};
use predicates::prelude::*;
use rstest::rstest;
use tempfile::TempDir;

use crate::golden::Recordings;
use crate::scratch::tmpfs;

const OPENWRT_SPACE: usize = 32768;

/// The image of a new device, with a few variables.
fn fresh_image(recordings: Recordings, id: &str) -> Vec<u8> {
    let scenarios = recordings.scenarios(None);
    let scenario = scenarios.iter().find(|scenario| scenario.id == id).expect("the scenario");
    recordings.images().get(scenario.image.as_deref().expect("an image"))
}

struct Router {
    dir: TempDir,
}

impl Router {
    fn openwrt() -> Self {
        let dir = tmpfs();
        let bytes = fresh_image(Recordings::openwrt("mips"), "get-basic");
        assert_eq!(bytes.len(), OPENWRT_SPACE);
        fs::write(dir.path().join("flash"), bytes).expect("a flash file");
        Self { dir }
    }

    fn file(&self, name: &str) -> std::path::PathBuf {
        self.dir.path().join(name)
    }

    fn raw(&self) -> std::process::Command {
        let mut command = std::process::Command::new(assert_cmd::cargo::cargo_bin!("nvram"));
        command.env_clear();
        command
            .env("NVRAM_EMU_FLASH", self.file("flash"))
            .env("NVRAM_EMU_STAGING", self.file("staging"));
        command.env("NVRAM_EMU_LOG", self.file("log"));
        command
    }

    fn nvram(&self, args: &[&str]) -> Command {
        let mut command = Command::from_std(self.raw());
        command.args(args);
        command
    }

    fn log(&self) -> String {
        fs::read_to_string(self.file("log")).unwrap_or_default()
    }
}

/// Stdout, stderr and exit status as one text.
fn transcript(command: &mut Command) -> String {
    let output = command.output().expect("an executable");
    let (out, err) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    format!("{out}--- stderr\n{err}--- {}", output.status)
}

#[test]
fn without_variables_the_error_explains_how_to_create_a_device() {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("nvram"));
    insta::assert_snapshot!(transcript(command.env_clear().arg("show")), @r"
    --- stderr
    nvram: no device: set NVRAM_EMU to a device folder (create one with 'leaselab device create DIR'), or NVRAM_EMU_FLASH and NVRAM_EMU_STAGING to two files
    --- exit status: 1
    ");
}

#[rstest]
#[case(
    "NVRAM_EMU_DIALECT",
    "openwort",
    "unknown dialect 'openwort': expected one of openwrt, openwrt-arm"
)]
#[case("NVRAM_EMU_ERASE", "64k", "NVRAM_EMU_ERASE: expected a positive decimal number of bytes")]
#[case("NVRAM_EMU_ERASE", "0", "NVRAM_EMU_ERASE: expected a positive decimal number of bytes")]
#[case("NVRAM_EMU_CUT", "3", "NVRAM_EMU_CUT: expected OPERATION:BYTES")]
#[case("NVRAM_EMU_CUT_SCOPE", "all", "NVRAM_EMU_CUT_SCOPE: expected `process` or `group`")]
#[case("NVRAM_EMU_RACE", "yes", "NVRAM_EMU_RACE: expected 0 or 1")]
#[case("NVRAM_EMU_STAGING", "", "NVRAM_EMU_STAGING: not set although NVRAM_EMU_FLASH is")]
fn an_invalid_variable_is_named(#[case] name: &str, #[case] value: &str, #[case] message: &str) {
    let router = Router::openwrt();
    router
        .nvram(&["show"])
        .env(name, value)
        .assert()
        .code(1)
        .stdout("")
        .stderr(predicate::str::contains(message));
}

#[test]
fn a_commit_erases_and_programs_once_and_removes_the_private_staging_file() {
    let router = Router::openwrt();
    router.nvram(&["set", "a=1"]).assert().success().stdout("").stderr("");
    let mode = fs::metadata(router.file("staging")).expect("a staging file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(router.log(), "");
    router.nvram(&["commit"]).assert().success();
    assert!(!router.file("staging").exists());
    assert_eq!(router.log(), "E 0 32768\nP 0 32768\n");
    router.nvram(&["get", "a"]).assert().success().stdout("1\n");
}

#[rstest]
#[case("0:0", "E 0 0\n")]
#[case("0:100", "E 0 100\n")]
#[case("1:0", "E 0 32768\nP 0 0\n")]
#[case("1:100", "E 0 32768\nP 0 100\n")]
fn a_power_cut_kills_the_process_logs_the_operation_and_clears_ram(
    #[case] cut: &str,
    #[case] log: &str,
) {
    let router = Router::openwrt();
    router.nvram(&["set", "a=1"]).assert().success();
    let before = fs::read(router.file("flash")).expect("a flash file");
    let output =
        router.nvram(&["commit"]).env("NVRAM_EMU_CUT", cut).output().expect("an executable");
    assert_eq!(output.status.signal(), Some(9));
    assert_eq!(router.log(), log);
    assert!(!router.file("staging").exists());
    let after = fs::read(router.file("flash")).expect("a flash file");
    let erased =
        if log.starts_with("E 0 32768") { before.len() } else { cut[2..].parse().expect("bytes") };
    let programmed = if erased == before.len() { cut[2..].parse().expect("bytes") } else { 0 };
    assert!(after[programmed..erased].iter().all(|byte| *byte == 0xFF));
    assert_eq!(after[erased..], before[erased..]);
}

#[test]
fn a_cut_after_the_last_operation_does_not_occur() {
    let router = Router::openwrt();
    router.nvram(&["set", "a=1", "commit"]).env("NVRAM_EMU_CUT", "2:0").assert().success();
    router.nvram(&["get", "a"]).assert().success().stdout("1\n");
}

#[test]
fn a_cut_with_scope_group_kills_the_script_too() {
    let router = Router::openwrt();
    let nvram = assert_cmd::cargo::cargo_bin!("nvram");
    let script = format!(
        "'{}' set a=1 commit; echo survived > '{}'",
        nvram.display(),
        router.file("mark").display()
    );
    for (scope, survives) in [("process", true), ("group", false)] {
        let mut shell = std::process::Command::new("/bin/sh");
        shell.args(["-c", &script]).env_clear().process_group(0);
        shell
            .env("NVRAM_EMU_FLASH", router.file("flash"))
            .env("NVRAM_EMU_STAGING", router.file("staging"));
        shell.env("NVRAM_EMU_CUT", "1:7").env("NVRAM_EMU_CUT_SCOPE", scope);
        let status = shell.stderr(std::process::Stdio::null()).status().expect("a shell");
        assert_eq!(router.file("mark").exists(), survives, "{scope}: {status}");
        let _ = fs::remove_file(router.file("mark"));
        fs::write(router.file("flash"), fresh_image(Recordings::openwrt("mips"), "get-basic"))
            .expect("a flash file");
    }
}

#[test]
fn damage_that_crashes_the_real_tool_is_reported_with_the_exit_code_of_a_crash() {
    let router = Router::openwrt();
    let mut bytes = vec![0xFF; OPENWRT_SPACE];
    bytes[..4].copy_from_slice(b"FLSH");
    fs::write(router.file("flash"), bytes).expect("a flash file");
    for args in [&["show"][..], &["get", "a"], &["info"]] {
        insta::allow_duplicates! {
            insta::assert_snapshot!(transcript(&mut router.nvram(args)), @r"
            --- stderr
            nvram: the variables run off the end of the mapping (the real tool reads or writes outside its memory here)
            --- exit status: 139
            ");
        }
    }
    router.nvram(&["show"]).env("NVRAM_EMU_DIALECT", "openwrt-hardened").assert().success();
}

#[test]
fn a_crash_while_loading_for_a_write_leaves_a_readable_staging_file() {
    let router = Router::openwrt();
    let mut bytes = vec![0xFF; OPENWRT_SPACE];
    bytes[..20].copy_from_slice(b"FLSH\x08\x01\0\0\0\x01\x19\x04\0\0\x40\x80\0\0\0\0");
    bytes[20..31].copy_from_slice(b"good=1\0bad=");
    fs::write(router.file("flash"), bytes).expect("a flash file");
    router.nvram(&["get", "good"]).assert().code(139);
    router.nvram(&["set", "a=1"]).assert().code(139);
    router.nvram(&["get", "good"]).assert().success().stdout("1\n");
    router.nvram(&["get", "bad"]).assert().code(1).stdout("").stderr("");
}

#[test]
fn without_a_flash_file_the_tool_cannot_open_its_store() {
    let router = Router::openwrt();
    fs::remove_file(router.file("flash")).expect("a flash file");
    let refused = predicate::str::starts_with("Could not open nvram! Possible reasons are:\n");
    router.nvram(&["get", "a"]).assert().code(1).stderr(refused.clone());
    router.nvram(&["set", "a=1"]).assert().code(1).stderr(refused);
    assert!(!router.file("staging").exists());
}

#[test]
fn the_first_broadcom_command_loads_ram_into_the_staging_file() {
    let dir = tmpfs();
    fs::write(
        dir.path().join("flash"),
        fresh_image(Recordings::of("broadcom", "broadcom", "r"), "bcm-get"),
    )
    .expect("a flash file");
    let router = Router { dir };
    let nvram = |args: &[&str]| {
        let mut command = router.nvram(args);
        command.env("NVRAM_EMU_DIALECT", "broadcom").env("NVRAM_EMU_SPACE", "32768");
        command
    };
    nvram(&["get", "lan_ipaddr"]).assert().success().stdout("192.168.1.1\n");
    assert!(router.file("staging").exists());
    nvram(&["set", "lan_ipaddr=10.0.0.1"]).assert().success();
    nvram(&["get", "lan_ipaddr"]).assert().success().stdout("10.0.0.1\n");
    nvram(&["get", "missing"]).assert().success().stdout("");
    fs::remove_file(router.file("staging")).expect("a reboot");
    nvram(&["get", "lan_ipaddr"]).assert().success().stdout("192.168.1.1\n");
    fs::write(router.file("staging"), "no RAM").expect("a file");
    nvram(&["get", "lan_ipaddr"])
        .assert()
        .code(1)
        .stderr(predicate::str::contains("is not a staging file of this dialect"));
}

/// Runs eight `set` commands at the same time, and returns how many of the names exist afterwards.
fn in_parallel(router: &Router, race: &str) -> usize {
    let mut children: Vec<_> = (0..8)
        .map(|n| {
            let mut command = router.raw();
            command.args(["set", &format!("parallel_{n}={n}")]).env("NVRAM_EMU_RACE", race);
            command.stderr(std::process::Stdio::null()).spawn().expect("an executable")
        })
        .collect();
    for child in &mut children {
        child.wait().expect("an end");
    }
    let shown = router.nvram(&["show"]).output().expect("an executable").stdout;
    String::from_utf8_lossy(&shown).lines().filter(|line| line.starts_with("parallel_")).count()
}

#[test]
fn parallel_commands_lose_no_variables_with_the_lock() {
    for _ in 0..5 {
        let router = Router::openwrt();
        assert_eq!(in_parallel(&router, "0"), 8);
        router.nvram(&["get", "lan_ipaddr"]).assert().success().stdout("192.168.1.1\n");
    }
}

#[test]
fn a_single_command_gives_the_same_result_without_the_lock() {
    let (router, racing) = (Router::openwrt(), Router::openwrt());
    for args in [
        &["set", "a=1"][..],
        &["get", "a"],
        &["set", "b"],
        &["bogus"],
        &["info"],
        &["commit"],
        &["get", "x", "commit"],
    ] {
        let raced = transcript(racing.nvram(args).env("NVRAM_EMU_RACE", "1"));
        assert_eq!(raced, transcript(&mut router.nvram(args)), "{args:?}");
        let file = |router: &Router, name| fs::read(router.file(name)).ok();
        for name in ["flash", "staging", "log"] {
            assert!(file(&router, name) == file(&racing, name), "{name} after {args:?}");
        }
    }
}

#[test]
fn a_device_folder_keeps_wear_and_loses_ram_at_a_reboot() {
    let dir = tmpfs();
    let folder = dir.path().join("router");
    let config = DeviceConfig { erase: 16384, chip: Chip::PARALLEL_NOR, ..DeviceConfig::default() };
    let flash = fresh_image(Recordings::openwrt("mips"), "get-basic");
    let device = DeviceFolder::create(&folder, config, &flash).expect("a device");
    assert!(
        DeviceFolder::create(&folder, config, &flash).is_err(),
        "an existing device is not replaced"
    );
    let nvram = |args: &[&str]| {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin!("nvram"));
        command.env_clear().env("NVRAM_EMU", &folder).args(args);
        command
    };
    nvram(&["set", "a=1"]).assert().success();
    device.reboot().expect("a reboot");
    nvram(&["get", "a"]).assert().code(1).stdout("");
    nvram(&["set", "a=2", "commit"]).assert().success();
    nvram(&["set", "a=3", "commit"]).assert().success();
    let info = DeviceFolder::open(&folder).expect("the device").info().expect("a summary");
    assert_eq!((info.erases, info.bytes_programmed), (vec![2, 2], 65536));
    assert!(!info.booted);
    let variables = info.flash_variables.expect("a valid image");
    assert!(variables.contains(&(b"a".to_vec(), b"3".to_vec())));
    assert_eq!(fs::read_to_string(folder.join("ops.log")).expect("a log").lines().count(), 8);
    device.load(&flash).expect("a load");
    assert_eq!(device.dump().expect("a dump"), flash);
}

#[rstest]
#[case("dialect = openwrt\n", "device.toml:1: expected a string in double quotes")]
#[case("# a router\nerase = 65536\nerase = 4096\n", "device.toml:3: duplicate key 'erase'")]
#[case("chip = \"floppy\"\n", "device.toml:1: unknown chip 'floppy'")]
#[case("[device]\n", "device.toml:1: expected `KEY = VALUE`")]
#[case("colour = 1\n", "device.toml:1: unknown key 'colour'")]
fn an_invalid_device_file_is_reported_with_its_line(#[case] text: &str, #[case] message: &str) {
    let dir = tmpfs();
    fs::write(dir.path().join("device.toml"), text).expect("a file");
    fs::write(dir.path().join("flash.bin"), [0xFF; 100]).expect("a file");
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("nvram"));
    command.env_clear().env("NVRAM_EMU", dir.path()).arg("show");
    command.assert().code(1).stderr(predicate::str::contains(message));
}

#[test]
fn a_device_file_is_parsed_as_it_was_written() {
    for dialect in Dialect::ALL {
        let config =
            DeviceConfig { dialect: *dialect, space: Some(0xF000), ..DeviceConfig::default() };
        assert_eq!(DeviceConfig::parse(&config.to_string()), Ok(config));
    }
    insta::assert_snapshot!(DeviceConfig::default(), @r#"
    dialect = "openwrt"
    chip = "spi-nor"
    erase = 65536
    "#);
}

#[test]
fn a_symbolic_link_to_the_flash_stays_a_link() {
    let router = Router::openwrt();
    fs::rename(router.file("flash"), router.file("real")).expect("a rename");
    std::os::unix::fs::symlink("real", router.file("flash")).expect("a link");
    router.nvram(&["set", "a=1", "commit"]).assert().success();
    assert!(fs::symlink_metadata(router.file("flash")).expect("a link").is_symlink());
    assert_eq!(names_of_files(router.dir.path()), ["flash", "log", "real"]);
}

fn names_of_files(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).expect("a folder");
    let mut names: Vec<_> = entries
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8"))
        .collect();
    names.sort();
    names
}

#[test]
fn the_page_of_dialects_is_the_table_of_the_code() {
    let page = include_str!("../../../docs/dialects.md");
    let table = nvram_emu::dialect::markdown_table();
    assert!(page.ends_with(&table), "run: leaselab device dialects --markdown > docs/dialects.md");
}

#[test]
fn the_documentation_names_every_dialect_with_its_free_space() {
    let text = include_str!("../../src/lib.rs");
    let rows: Vec<&str> = text.lines().filter(|line| line.starts_with("//! | `")).collect();
    for dialect in Dialect::ALL {
        let info = dialect.info();
        let row = rows.iter().find(|row| row.contains(&format!("`{dialect}`")));
        let row = row.unwrap_or_else(|| panic!("{dialect} is not in the table"));
        assert!(row.ends_with(&format!("| {} |", info.free_space.describe())), "{row}");
        assert_eq!(row.contains("against recordings"), info.verified.is_some(), "{row}");
    }
}
