//! The packages of ci/packages, and the scripts in them. ci/qemu installs them in guests.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use flate2::bufread::{GzDecoder, MultiGzDecoder};
use rstest::rstest;
use sha2::{Digest as _, Sha256};

/// A file in an archive.
#[derive(Debug)]
struct Entry {
    mode: u32,
    contents: Vec<u8>,
    /// The fields of its extended header.
    extended: BTreeMap<String, String>,
}

impl Entry {
    fn text(&self) -> &str {
        std::str::from_utf8(&self.contents).expect("UTF-8")
    }
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Builds both packages with a stand-in for the program, and returns them: the .ipk, then the .apk.
fn build() -> [Vec<u8>; 2] {
    let folder = tempfile::tempdir().expect("a folder");
    let program = folder.path().join("program");
    fs::write(&program, "the program").expect("a file");
    let output = Command::new(repository().join("ci/packages"))
        .arg("mipsel_24kc")
        .arg(&program)
        .arg(folder.path().join("out"))
        .assert()
        .success();
    let paths = String::from_utf8_lossy(&output.get_output().stdout).into_owned();
    let mut paths = paths.lines();
    let package = paths.next().expect("the path of the .ipk");
    assert!(package.ends_with("/lease-update_0.1.0-1_mipsel_24kc.ipk"), "{package}");
    let packages = [package, paths.next().expect("the path of the .apk")];
    packages.map(|path| fs::read(path).expect("a package"))
}

fn entries(archive: &[u8]) -> BTreeMap<String, Entry> {
    let mut archive = tar::Archive::new(archive);
    let mut entries = BTreeMap::new();
    for entry in archive.entries().expect("an archive") {
        let mut entry = entry.expect("an entry");
        let header = entry.header();
        assert_eq!((header.uid().ok(), header.gid().ok()), (Some(0), Some(0)));
        assert_eq!(header.mtime().ok(), Some(0));
        if !header.entry_type().is_file() {
            continue;
        }
        let mode = header.mode().expect("a mode");
        let path = entry.path().expect("a path").display().to_string();
        let fields = entry.pax_extensions().expect("an extended header").into_iter().flatten();
        let extended = fields.flatten().map(|field| {
            (
                field.key().unwrap_or_default().to_owned(),
                field.value().unwrap_or_default().to_owned(),
            )
        });
        let extended = extended.collect();
        let mut contents = Vec::new();
        entry.read_to_end(&mut contents).expect("contents");
        let path = path.trim_start_matches("./").to_owned();
        entries.insert(path, Entry { mode, contents, extended });
    }
    entries
}

fn unzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    MultiGzDecoder::new(bytes).read_to_end(&mut out).expect("gzip");
    out
}

/// The files of the package: path, mode, source in the repository.
const FILES: &[(&str, u32, &str)] = &[
    ("etc/config/lease-update", 0o644, "lease-script/openwrt/files/lease-update.config"),
    ("etc/init.d/lease-update", 0o755, "lease-script/openwrt/files/lease-update.init"),
    ("etc/uci-defaults/90-lease-update", 0o755, "lease-script/openwrt/files/lease-update.defaults"),
    ("usr/lib/lease-update/dhcp-script", 0o755, "lease-script/openwrt/files/dhcp-script"),
    ("usr/lib/lease-update/jail", 0o644, "lease-script/openwrt/files/jail"),
    ("usr/lib/lease-update/setup", 0o755, "lease-script/openwrt/files/setup"),
    ("usr/sbin/lease_update.sh", 0o755, "lease-script/lease_update.sh"),
];

fn check_files(data: &BTreeMap<String, Entry>) {
    for (path, mode, source) in FILES {
        let expected = fs::read(repository().join(source)).expect("a source");
        let entry = data.get(*path).unwrap_or_else(|| panic!("no {path}"));
        assert_eq!((entry.mode, &entry.contents), (*mode, &expected), "{path}");
    }
    assert_eq!(data["usr/sbin/lease-update"].contents, b"the program");
    assert_eq!(data.len(), FILES.len() + 1);
}

#[test]
fn a_program_that_is_too_large_for_a_router_is_not_packed() {
    const LIMIT: u64 = 256_000;
    let folder = tempfile::tempdir().expect("a folder");
    let program = folder.path().join("program");
    let file = fs::File::create(&program).expect("a file");
    file.set_len(LIMIT + 1).expect("a long file");
    let out = folder.path().join("out");
    Command::new(repository().join("ci/packages"))
        .arg("mipsel_24kc")
        .args([&program, &out])
        .assert()
        .code(1)
        .stderr(predicates::str::contains(format!("{} bytes: more than {LIMIT}", LIMIT + 1)));
    assert!(!out.exists());
}

#[test]
fn both_packages_have_the_files_descriptions_and_scripts_that_their_managers_expect() {
    let [ipk, apk] = build();

    let outer = entries(&unzip(&ipk));
    let names: Vec<&str> = outer.keys().map(String::as_str).collect();
    assert_eq!(names, ["control.tar.gz", "data.tar.gz", "debian-binary"]);
    assert_eq!(outer["debian-binary"].contents, b"2.0\n");
    let control = entries(&unzip(&outer["control.tar.gz"].contents));
    let description = control["control"].text();
    for line in ["Package: lease-update\n", "Version: 0.1.0-1\n", "Architecture: mipsel_24kc\n"] {
        assert!(description.contains(line), "{description}");
    }
    assert_eq!(control["conffiles"].text(), "/etc/config/lease-update\n");
    assert_eq!((control["postinst"].mode, control["prerm"].mode), (0o755, 0o755));
    check_files(&entries(&unzip(&outer["data.tar.gz"].contents)));

    // The first part has no end mark, so that both parts together are one archive, too.
    let mut first = GzDecoder::new(&apk[..]);
    let mut control = Vec::new();
    first.read_to_end(&mut control).expect("gzip");
    let rest = first.into_inner();
    let control = entries(&control);
    let names: Vec<&str> = control.keys().map(String::as_str).collect();
    assert_eq!(names, [".PKGINFO", ".post-install", ".post-upgrade", ".pre-deinstall"]);
    let description = control[".PKGINFO"].text();
    let digits: Vec<String> =
        Sha256::digest(rest).iter().map(|byte| format!("{byte:02x}")).collect();
    let hash = format!("datahash = {}\n", digits.concat());
    for line in ["pkgname = lease-update\n", "pkgver = 0.1.0-r1\n", "arch = mipsel_24kc\n", &hash] {
        assert!(description.contains(line), "{line}: {description}");
    }
    let data = entries(&unzip(rest));
    check_files(&data);
    for (path, entry) in &data {
        let sum = entry.extended.get("APK-TOOLS.checksum.SHA1");
        assert_eq!(sum.map(String::len), Some(40), "{path}");
    }
    assert_eq!(entries(&unzip(&apk)).len(), control.len() + data.len());
}

#[test]
fn equal_inputs_give_equal_packages() {
    assert!(build() == build());
}

#[test]
fn the_feed_installs_the_same_files() {
    let makefile =
        fs::read_to_string(repository().join("lease-script/openwrt/Makefile")).expect("a Makefile");
    for (path, _, source) in FILES {
        let source = source.rsplit('/').next().unwrap_or_default();
        assert!(makefile.contains(source), "{source}");
        let (folder, _) = path.rsplit_once('/').expect("a folder");
        assert!(makefile.contains(&format!("$(1)/{folder}")), "{folder}");
    }
}

/// Calls dhcp-script in a wrapper that sources it and then runs `after`, as OpenWrt's wrapper does, with `program` in place of
/// the lease script. Returns what it prints, and what dnsmasq's lease file in RAM contains then.
fn sourced(
    (program, after): (&str, &str),
    before: Option<&str>,
    arguments: &[&str],
    environment: &[(&str, &str)],
) -> (String, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).display().to_string();
    let script = fs::read_to_string(repository().join("lease-script/openwrt/files/dhcp-script"));
    let script = script.expect("a script").replace("/var/etc/lease-update.env", &path("settings"));
    fs::write(path("script"), script).expect("a file");
    let settings = format!("export LEASE_PROGRAM={program} LEASE_RAM_FILE='{}'\n", path("leases"));
    fs::write(path("settings"), settings).expect("a file");
    if let Some(before) = before {
        fs::write(path("leases"), before).expect("a file");
    }
    let wrapper = format!("script=$1; shift; . \"$script\"; {after}");
    fs::write(path("wrapper"), wrapper).expect("a file");
    let output = Command::new("sh")
        .arg(path("wrapper"))
        .arg(path("script"))
        .args(arguments)
        .envs(environment.iter().copied())
        .assert()
        .success();
    let printed = String::from_utf8(output.get_output().stdout.clone()).expect("UTF-8");
    (printed, fs::read_to_string(path("leases")).expect("the lease file"))
}

const EXPIRES: (&str, &str) = ("DNSMASQ_LEASE_EXPIRES", "1700000000");

#[rstest]
#[case("", &["add", "02:aa:00:00:00:01", "192.168.1.9"], &[EXPIRES],
    "1700000000 02:aa:00:00:00:01 192.168.1.9 * *\n")]
#[case("1 02:aa:00:00:00:01 192.168.1.9 pc *\n2 02:aa:00:00:00:02 192.168.1.91 * *\n",
    &["old", "02:aa:00:00:00:01", "192.168.1.9", "pc"], &[EXPIRES, ("DNSMASQ_CLIENT_ID", "01:02")],
    "1700000000 02:aa:00:00:00:01 192.168.1.9 pc 01:02\n2 02:aa:00:00:00:02 192.168.1.91 * *\n")]
#[case("1 02:aa:00:00:00:01 192.168.1.9 pc *\n2 02:aa:00:00:00:02 192.168.1.91 * *\n",
    &["del", "02:aa:00:00:00:01", "192.168.1.9", "pc"], &[],
    "2 02:aa:00:00:00:02 192.168.1.91 * *\n")]
#[case("1 02:aa:00:00:00:01 192.168.1.9 pc *\n", &["add", "00:01", "fd00::9", "pc"],
    &[EXPIRES, ("DNSMASQ_IAID", "77"), ("DNSMASQ_SERVER_DUID", "00:03")],
    "1 02:aa:00:00:00:01 192.168.1.9 pc *\nduid 00:03\n1700000000 77 fd00::9 pc 00:01\n")]
fn dnsmasqs_lease_file_in_ram_is_kept_even_if_the_store_fails(
    #[case] before: &str,
    #[case] arguments: &[&str],
    #[case] environment: &[(&str, &str)],
    #[case] expected: &str,
) {
    // A store that is full makes the lease script fail.
    let (printed, leases) =
        sourced(("false", "echo $? told"), Some(before), arguments, environment);
    assert_eq!((&*printed, &*leases), ("1 told\n", expected));
}

/// In OpenWrt 19.07 and later the wrapper ends with exit code 1 after `init`, and dnsmasq does not start.
#[test]
fn the_wrapper_that_sources_the_script_ends_init_with_0() {
    let (printed, leases) = sourced(("echo", "echo more; false"), None, &["init"], &[]);
    assert_eq!((&*printed, &*leases), ("init\nmore\n", "init\n"));
}
