//! Backups: the commands that write and read them, the readers of `leaselab device create --from`, and arbitrary bytes.

use std::fs;

use assert_cmd::Command;
use nvram_emu::backup::{self, SourceFormat};
use nvram_emu::device::{Chip, Flash};
use nvram_emu::flsh::blank_image;
use nvram_emu::{Dialect, Machine};
use rstest::rstest;
use tempfile::TempDir;

use crate::scratch::tmpfs;

/// A device with files, since commands such as `save` need a file system.
struct Device {
    dir: TempDir,
    dialect: &'static str,
}

impl Device {
    fn new(dialect: &'static str) -> Self {
        let dir = tmpfs();
        let mut flash = vec![0xFF; 0x8000];
        flash[..24].copy_from_slice(&blank_image());
        fs::write(dir.path().join("flash"), flash).expect("a flash file");
        Self { dir, dialect }
    }

    fn nvram(&self, args: &[&str]) -> assert_cmd::assert::Assert {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin!("nvram"));
        command.env_clear().env("NVRAM_EMU_DIALECT", self.dialect).current_dir(self.dir.path());
        command.env("NVRAM_EMU_FLASH", "flash").env("NVRAM_EMU_STAGING", "staging");
        command.args(args).assert()
    }

    fn get(&self, name: &str) -> String {
        let output = self.nvram(&["get", name]).get_output().clone();
        String::from_utf8(output.stdout).expect("UTF-8")
    }

    fn file(&self, name: &str) -> Vec<u8> {
        fs::read(self.dir.path().join(name)).expect("a file")
    }
}

/// A backup contains the variables, restores them, and is recognised by its contents.
#[rstest]
#[case::tomato("tomato", &["backup", "f"], &["restore", "f"], SourceFormat::Tomato)]
#[case::tomato_all("tomato", &["backup", "f"], &["restore", "f", "--forceall"], SourceFormat::Tomato)]
#[case::classic("tomato-classic", &["backup", "f"], &["restore", "f"], SourceFormat::Tomato)]
#[case::freshtomato_arm("freshtomato-arm", &["save", "f"], &["restore", "f"], SourceFormat::Saved)]
#[case::freshtomato_arm_2023("freshtomato-arm-2023", &["save", "f"], &["restore", "f"], SourceFormat::Saved)]
#[case::ddwrt("ddwrt", &["backup", "f"], &["restore", "f"], SourceFormat::DdWrt)]
fn a_backup_restores_the_variables(
    #[case] dialect: &'static str,
    #[case] save: &[&str],
    #[case] restore: &[&str],
    #[case] format: SourceFormat,
) {
    let device = Device::new(dialect);
    device.nvram(&["set", "lan_ipaddr=10.0.0.1"]).success();
    device.nvram(&["set", "odd=a=b \t\u{e9}"]).success();
    device.nvram(save).success();
    let read = backup::read(&device.file("f")).expect("a backup");
    assert_eq!(read.format, format);
    assert!(read.variables.contains(&(b"lan_ipaddr".to_vec(), b"10.0.0.1".to_vec())));
    assert!(read.variables.contains(&(b"odd".to_vec(), "a=b \t\u{e9}".as_bytes().to_vec())));
    device.nvram(&["set", "lan_ipaddr=10.0.0.2"]).success();
    device.nvram(&["unset", "odd"]).success();
    device.nvram(restore).success();
    assert_eq!(device.get("lan_ipaddr"), "10.0.0.1\n");
    assert_eq!(device.get("odd"), "a=b \t\u{e9}\n");
}

#[rstest]
#[case::merlin("merlin")]
#[case::padavan("padavan")]
#[case::broadcom("broadcom")]
fn saved_files_of_asus_tools_can_be_read(#[case] dialect: &'static str) {
    let device = Device::new(dialect);
    device.nvram(&["set", "a=1"]).success();
    device.nvram(&["save", "f"]).success();
    let read = backup::read(&device.file("f")).expect("a saved file");
    assert_eq!(read.format, SourceFormat::Saved);
    assert!(read.variables.contains(&(b"a".to_vec(), b"1".to_vec())));
}

#[test]
fn tomato_keeps_files_in_variables() {
    let device = Device::new("tomato");
    let contents = [b'a', 0, 0xFF, b'~', b'\\', b'\n'];
    fs::write(device.dir.path().join("in"), contents).expect("a file");
    device.nvram(&["setfile", "v", "in"]).success();
    device.nvram(&["getfile", "v", "out"]).success();
    assert_eq!(device.file("out"), contents);
    device.nvram(&["setfb64", "w", "in"]).success();
    assert_eq!(device.get("w"), "YQD/flwK\n");
    device.nvram(&["getfb64", "w", "out64"]).success();
    assert_eq!(device.file("out64"), contents);
    device.nvram(&["getfile", "w", "out"]).code(255);
    device.nvram(&["getfile", "missing", "out"]).code(1).stdout("Key does not exist: missing\n");
}

#[test]
fn tomato_imports_what_it_exports() {
    let device = Device::new("tomato");
    device.nvram(&["set", "a=1 \"2\" \\ \t"]).success();
    let exported = device.nvram(&["export", "--quote"]).success().get_output().stdout.clone();
    fs::write(device.dir.path().join("f"), exported).expect("a file");
    device.nvram(&["unset", "a"]).success();
    let imported = device.nvram(&["import", "--forceall", "f"]).success();
    imported.stdout("a=1 \"2\" \\ \t\n---\n0 skipped, 4 same, 1 set\n");
    assert_eq!(device.get("a"), "1 \"2\" \\ \t\n");
}

#[test]
fn tomato_erases_the_partition_and_exits_with_1() {
    let device = Device::new("tomato");
    device.nvram(&["set", "a=1"]).success();
    device
        .nvram(&["erase"])
        .code(1)
        .stdout("Erasing nvram...\nErasing 0x0 - 0xffff\n\"nvram\" successfully erased.\n");
    assert!(device.file("flash").iter().all(|byte| *byte == 0xFF));
    assert_eq!(device.get("a"), "1\n", "RAM is kept");
}

/// Basic regular expressions as `grep` reads them.
#[rstest]
#[case("^a", "a.b=1\nab=2\n")]
#[case("a.b=", "a.b=1\n")]
#[case(r"a\.b", "a.b=1\n")]
#[case("[.]b", "a.b=1\n")]
#[case("[^.]b=", "ab=2\n")]
#[case("=*2$", "ab=2\n")]
#[case(r"\(b=2\|x=3\)", "ab=2\nx=3\n")]
#[case("*", "")]
#[case("[[:digit:]]$", "a.b=1\nab=2\nx=3\n")]
fn tomato_finds_with_basic_regular_expressions(#[case] pattern: &str, #[case] expected: &str) {
    let device = Device::new("tomato");
    for pair in ["a.b=1", "ab=2", "x=3"] {
        device.nvram(&["set", pair]).success();
    }
    let found = device.nvram(&["find", pattern]).get_output().clone();
    let stdout = String::from_utf8(found.stdout).expect("UTF-8");
    let ours: String =
        stdout.split_inclusive('\n').filter(|line| !line.starts_with("sdram_")).collect();
    assert_eq!(ours, expected);
}

#[rstest]
#[case::broadcom("a=1\nb=x\ny\nsize: 30 bytes (1 left)\n")]
#[case::padavan("a=1\nb=x\ny\n\nsize: 30 bytes (1 left)\n")]
#[case::tomato("a=1\nb=x\ny\n---\n2 entries, 30 bytes used, 1 bytes free.\n")]
#[case::dos("a=1\r\nb=x\r\ny\r\n")]
fn the_text_of_show_is_read_with_values_of_several_lines(#[case] text: &str) {
    let read = backup::read(text.as_bytes()).expect("variables");
    assert_eq!(read.format, SourceFormat::Text);
    let expected = [(b"a".to_vec(), b"1".to_vec()), (b"b".to_vec(), b"x\ny".to_vec())];
    assert_eq!(read.variables, expected);
}

#[rstest]
#[case(b"hello\n", "1:1: expected NAME=VALUE")]
#[case(b"a=1\nb=\0\n", "2:3: a NUL byte: expected the text of `nvram show`")]
#[case(b"HDR2\x00\x04\x00\x05abc", "offset 0xb: the file ends before its 1024 bytes of contents")]
#[case(b"HDR1\x00\x00\x00\x00", "offset 0x4: invalid length 0: expected 1 to 1048575")]
#[case(b"DD-WRT\x01\x00\x05ab", "offset 0x9: the file ends inside a variable")]
#[case(b"TCF1\0\0\0\0a=1\0bc\0\0", "offset 0xc: a variable without `=`")]
#[case(b"\x1f\x8b\x08garbage", "offset 0x0: invalid gzip data: ")]
fn a_damaged_backup_is_refused_with_its_place(#[case] file: &[u8], #[case] expected: &str) {
    let error = backup::read(file).expect_err("damage").to_string();
    assert!(error.starts_with(expected), "{error}");
}

/// Embedded defaults at 4 KiB of a boot loader; in a whole flash, the settings at the end win.
#[test]
fn images_are_found_in_boot_loaders_and_flash_dumps() {
    let machine = |value: &str| {
        let flash =
            Flash::from_bytes(&vec![0xFF; 0x8000], 0x1_0000, Chip::SPI_NOR).expect("a geometry");
        let variables = [(b"a".to_vec(), value.as_bytes().to_vec())];
        Machine::new(Dialect::Wrt54gl, flash, None).with_variables(&variables).expect("room")
    };
    let mut loader = vec![0xFF; 0x1_0000];
    loader[0x1000..0x9000].copy_from_slice(&machine("default").flash_bytes());
    let value = |bytes: &[u8]| {
        let read = backup::read(bytes).expect("an image");
        let (_, value) = read.variables.into_iter().find(|(name, _)| name == b"a").expect("a");
        (read.format, String::from_utf8(value).expect("UTF-8"))
    };
    assert_eq!(value(&loader), (SourceFormat::Image { offset: 0x1000 }, "default".into()));
    loader.extend_from_slice(&machine("mine").flash_bytes());
    assert_eq!(value(&loader), (SourceFormat::Image { offset: 0x1_0000 }, "mine".into()));
}

/// Every dialect boots an image that is built from variables, and reports it as valid.
#[test]
fn every_dialect_boots_with_given_variables() {
    for dialect in Dialect::ALL {
        for (size, erase, space) in [(0x1_0000, 0x1_0000, 0x8000), (0x4_0000, 0x2_0000, 0x1_0000)] {
            let flash =
                Flash::from_bytes(&vec![0xFF; size], erase, Chip::SPI_NOR).expect("a flash");
            let space = dialect.info().driver_sets_size.then_some(space);
            let variables = [(b"a".to_vec(), b"1".to_vec())];
            let blank = Machine::new(*dialect, flash, space);
            let mut machine = blank.with_variables(&variables).expect("room");
            assert_eq!(machine.run(&[b"get", b"a"]).stdout, b"1\n", "{dialect}");
            let report = nvram_emu::judge::judge(&machine).expect("an image");
            for (loader, verdict) in report.verdicts {
                // DD-WRT computes the CRC from another byte on, and its kernel does not check it.
                assert_eq!(verdict, nvram_emu::judge::Verdict::Loads, "{dialect} {loader:?}");
            }
            let full = [(b"a".to_vec(), vec![b'x'; size])];
            assert!(blank.with_variables(&full).is_err(), "{dialect}");
        }
    }
}

/// Fuzz target: arbitrary bytes as a backup, with the beginning of each format.
#[test]
fn fuzz_the_readers_of_backups() {
    fuzz_inputs::check!(300, |bytes: &[u8]| {
        let _ = backup::read(bytes);
        for start in [&b"HDR1"[..], b"HDR2", b"DD-WRT", b"TCF1", b"\x1f\x8b\x08\0", b"FLSH", b"a="]
        {
            let file = [start, bytes].concat();
            if let Ok(read) = backup::read(&file) {
                let size: usize = read.variables.iter().map(|(n, v)| n.len() + v.len()).sum();
                assert!(size <= 2 * backup::MAX_VARIABLES);
            }
        }
    });
}
