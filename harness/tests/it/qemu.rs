//! Error messages of `leaselab qemu`. ci/qemu runs guests.

use std::fs;
use std::path::Path;

use assert_cmd::Command;
use predicates::prelude::*;
use rstest::rstest;

const MACHINE: &str = "arch = \"x86_64\"\n";

fn leaselab() -> Command {
    Command::new(env!("CARGO_BIN_EXE_leaselab"))
}

fn write(folder: &Path, name: &str, text: &[u8]) {
    fs::write(folder.join(name), text).expect("a scratch file");
}

/// Writes an image that is accepted until QEMU starts.
fn image(folder: &Path, arch: &str) {
    write(folder, "kernel", b"no kernel");
    write(folder, "initrd", b"");
    let manifest = format!(
        r#"{{"arch": "{arch}", "kernel": "6.1", "executables": "given", "files": [], "packages": [], "tools": []}}"#
    );
    write(folder, "manifest.json", manifest.as_bytes());
}

#[test]
fn a_missing_image_names_the_command_that_builds_it() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    leaselab()
        .args(["qemu", "run", "--cache"])
        .arg(folder.path())
        .assert()
        .code(2)
        .stderr(predicate::str::contains("leaselab qemu build --arch x86_64"));
}

#[test]
fn an_image_of_another_architecture_is_rejected() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    image(folder.path(), "mipsel");
    leaselab().args(["qemu", "run", "--built"]).arg(folder.path()).assert().code(2).stderr(
        predicate::str::contains(
            "contains an image for mipsel, not x86_64: name its architecture with --arch",
        ),
    );
}

#[test]
fn an_image_whose_files_were_changed_is_rejected() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    image(folder.path(), "x86_64");
    let manifest = fs::read_to_string(folder.path().join("manifest.json")).expect("just written");
    let file = r#""files": [{"name": "kernel", "sha256": "00", "bytes": 9}]"#;
    write(folder.path(), "manifest.json", manifest.replace(r#""files": []"#, file).as_bytes());
    leaselab().args(["qemu", "run", "--built"]).arg(folder.path()).assert().code(2).stderr(
        predicate::str::contains(
            "kernel was changed after the image was built: build the image again",
        ),
    );
}

#[rstest]
#[case("x86_64", "qemu-system-x86_64", "qemu-system-x86")]
#[case("mipsel", "qemu-system-mipsel", "qemu-system-mips")]
fn without_qemu_its_package_is_named(
    #[case] arch: &str,
    #[case] program: &str,
    #[case] package: &str,
) {
    let folder = tempfile::tempdir().expect("a scratch folder");
    image(folder.path(), arch);
    let expected = format!("{program} not found: install Debian's package {package} ");
    leaselab()
        .args(["qemu", "run", "--arch", arch, "--built"])
        .arg(folder.path())
        .env("PATH", "")
        .assert()
        .code(3)
        .stderr(predicate::str::contains(expected));
}

#[rstest]
#[case(b"#!/bin/sh\n", "not an ELF executable")]
#[case(
    b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\xb7\0",
    "an executable for another architecture than x86_64"
)]
fn executables_must_be_for_the_guest(#[case] bytes: &[u8], #[case] why: &str) {
    let folder = tempfile::tempdir().expect("a scratch folder");
    write(folder.path(), "nvram", bytes);
    leaselab()
        .args(["qemu", "build", "--nvram", "nvram", "--lease-update", "nvram", "--cache", "cache"])
        .current_dir(folder.path())
        .assert()
        .code(2)
        .stderr(predicate::str::contains(format!("nvram: {why}")));
}

#[test]
fn missing_sources_are_an_environment_error() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    leaselab()
        .args(["qemu", "build", "--source", ".", "--cache", "cache"])
        .current_dir(folder.path())
        .assert()
        .code(3)
        .stderr(predicate::str::contains(
            "name the executables with --nvram and --lease-update, or the sources with --source",
        ));
}

#[rstest]
#[case("missing", MACHINE, "missing: No such file or directory")]
#[case(
    "kernel,initrd,disk,more",
    MACHINE,
    "invalid --image \"kernel,initrd,disk,more\": expected KERNEL[,INITRD][,DISK]"
)]
#[case(",initrd", MACHINE, "invalid --image \",initrd\": the first file must be a kernel")]
#[case("kernel,,initrd", MACHINE, "set files = \"disk\" in the machine file")]
#[case("kernel", "arch = \"sparc\"\n", "machine.toml")]
#[case("mips", MACHINE, "mips: kernel for mipsel, but `arch` in the machine file is x86_64")]
#[case("kernel", "arch = \"x86_64\"\nmemroy = 1\n", "memroy")]
fn another_image_is_checked_before_it_is_booted(
    #[case] files: &str,
    #[case] machine: &str,
    #[case] why: &str,
) {
    let folder = tempfile::tempdir().expect("a scratch folder");
    for name in ["kernel", "initrd"] {
        write(folder.path(), name, b"");
    }
    write(folder.path(), "mips", b"\x7fELF\x01\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\x08\0");
    write(folder.path(), "machine.toml", machine.as_bytes());
    leaselab()
        .args(["qemu", "run", "--image", files, "--machine", "machine.toml"])
        .current_dir(folder.path())
        .assert()
        .code(2)
        .stderr(predicate::str::contains(why));
}

#[test]
fn an_unknown_architecture_names_the_known_ones() {
    leaselab()
        .args(["qemu", "build", "--arch", "sparc"])
        .assert()
        .code(2)
        .stderr(predicate::str::contains("[possible values: x86_64, mipsel]"));
}

#[rstest]
#[case("missing.sh", "missing.sh: No such file")]
#[case(
    "script.sh",
    "script.sh: not executable: make it executable with chmod +x, or name what runs it with --shell"
)]
fn a_script_that_cannot_be_executed_is_named(#[case] script: &str, #[case] why: &str) {
    let folder = tempfile::tempdir().expect("a scratch folder");
    write(folder.path(), "script.sh", b"exit 0\n");
    leaselab()
        .args(["qemu", "run", "--cache", "none", "--script", script])
        .current_dir(folder.path())
        .assert()
        .code(2)
        .stderr(predicate::str::contains(why));
}
