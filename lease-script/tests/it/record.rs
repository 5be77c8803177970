//! `record.sh`: what it passes through, what it logs, and which errors it tolerates.

use std::fs;
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use rstest::rstest;
use tempfile::TempDir;

use crate::support::{on_path, shells};

/// A directory with `record.sh`, a lease script and the log.
struct Router {
    folder: TempDir,
    /// An index into [`shells`].
    shell: usize,
}

impl Router {
    fn new(shell: usize, script: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("lease_update.sh");
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("a script");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("its mode");
        let record = concat!(env!("CARGO_MANIFEST_DIR"), "/record.sh");
        fs::copy(record, folder.path().join("record.sh")).expect("the wrapper");
        Self { folder, shell }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, arguments: &[&[u8]]) -> Command {
        let [ash, dash, bash] = shells();
        let mut command = match self.shell {
            0 => ash,
            1 => dash,
            _ => bash,
        };
        command.arg(self.path("record.sh"));
        command.args(arguments.iter().map(|word| std::ffi::OsStr::from_bytes(word)));
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("RECORD_LOG", self.path("log"));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn call(&self, arguments: &[&[u8]], env: &[(&str, &[u8])]) -> Output {
        let mut command = self.command(arguments);
        for (name, value) in env {
            command.env(name, std::ffi::OsStr::from_bytes(value));
        }
        run(command, b"")
    }

    /// The log without its times.
    fn log(&self) -> String {
        let text: Vec<u8> = ["log/log.0", "log/log.1"]
            .iter()
            .flat_map(|name| fs::read(self.path(name)).unwrap_or_default())
            .collect();
        let text = String::from_utf8(text).expect("plain ASCII");
        let words = |line: &str, count| line.split(' ').take(count).collect::<Vec<_>>().join(" ");
        text.lines()
            .map(|line| match line.split(' ').next() {
                Some("call") => words(line, 2) + "\n",
                Some("end") => words(line, 3) + "\n",
                _ => line.replace(self.folder.path().to_str().expect("a path"), "DIR") + "\n",
            })
            .collect()
    }
}

fn run(mut command: Command, stdin: &[u8]) -> Output {
    let mut child = command.spawn().expect("a shell");
    // A script that does not read may have ended already.
    let _ = child.stdin.take().expect("a pipe").write_all(stdin);
    child.wait_with_output().expect("an end")
}

#[rstest]
fn input_output_errors_and_exit_code_pass_through(#[values(0, 1, 2)] shell: usize) {
    let script = "read line; printf 'out %s %s\\0\\377' \"$line\" \"$2\"; echo err >&2; exit 7";
    let router = Router::new(shell, script);
    let output = run(router.command(&[b"old", b"02:aa b", b"192.168.1.5"]), b"hello\n");
    assert_eq!(output.stdout, b"out hello 02:aa b\0\xFF");
    assert_eq!(output.stderr, b"err\n");
    assert_eq!(output.status.code(), Some(7));
}

#[rstest]
fn the_output_of_init_passes_through_unchanged(#[values(0, 1, 2)] shell: usize) {
    for (printed, code) in [("one\\ntwo\\n\\n", 0), ("", 1), ("no end", 3), ("caf\\351 \\n", 0)] {
        let router = Router::new(shell, &format!("printf '{printed}'; exit {code}"));
        let output = router.call(&[b"init"], &[]);
        let expected = Command::new("printf").arg(printed).output().expect("printf").stdout;
        assert_eq!(output.stdout, expected);
        assert_eq!(output.status.code(), Some(code));
        assert!(output.stderr.is_empty());
    }
}

#[test]
fn every_shell_writes_the_same_log() {
    let logs = [0, 1, 2].map(|shell| {
        let script = "[ \"$1\" != init ] || printf '0 02:aa 192.168.1.5 * *\\ncaf\\351  x\\n y'";
        let router = Router::new(shell, script);
        router.call(&[b"init"], &[]);
        let all: Vec<u8> = (1..=255).collect();
        let env: [(&str, &[u8]); 7] = [
            ("DNSMASQ_CLIENT_ID", b"01:02:aa:00:00:00:0a"),
            ("DNSMASQ_SUPPLIED_HOSTNAME", &all),
            ("DNSMASQ_VENDOR_CLASS", b"x\nexport DNSMASQ_FORGED='1'\nDNSMASQ_OTHER=2"),
            ("DNSMASQ_EMPTY", b""),
            ("DNSMASQ_TAGS", b" two  blanks "),
            ("DNSMASQ_$(reboot)", b"no name"),
            ("PRIVATE", b"not ours"),
        ];
        router.call(&[b"add", b"02:aa:00:00:00:0a", b"192.168.1.5", b"\xC3\xA9 \\ *\n"], &env);
        router.call(&[b"del", b""], &[]);
        let mut lines: Vec<String> = router.log().lines().map(str::to_owned).collect();
        // Each shell lists the environment in its own order.
        lines.sort_by_key(|line| line.starts_with("env ").then(|| line.clone()));
        lines.join("\n")
    });
    assert_eq!(logs[0], logs[1]);
    assert_eq!(logs[1], logs[2]);
    insta::with_settings!({omit_expression => true, prepend_module_to_snapshot => false}, {
        insta::assert_snapshot!("record_log", logs[0]);
    });
}

#[rstest]
fn the_log_stays_within_its_limit_and_keeps_the_latest_calls(#[values(0, 1, 2)] shell: usize) {
    let router = Router::new(shell, "exit 0");
    for call in 0..120 {
        let name = format!("host{call}");
        let mut command =
            router.command(&[b"add", b"02:aa:00:00:00:01", b"192.168.1.5", name.as_bytes()]);
        command.env("RECORD_MAX", "8192");
        assert_eq!(run(command, b"").status.code(), Some(0));
        let size = |name| fs::metadata(router.path(name)).map_or(0, |data| data.len());
        assert!(size("log/log.0") + size("log/log.1") <= 8192, "call {call}");
    }
    let log = router.log();
    assert!(log.contains("arg host119\n") && !log.contains("arg host0\n"));
    // There are no gaps.
    let calls = log.lines().filter(|line| line.starts_with("call ")).count();
    let oldest = (0..120).find(|call| log.contains(&format!("arg host{call}\n"))).expect("a call");
    assert_eq!(calls, 120 - oldest);
}

#[rstest]
fn leading_zeros_of_the_limit_are_ignored(#[values(0, 1, 2)] shell: usize) {
    for max in ["08192", "0009000", "00", "0"] {
        let router = Router::new(shell, "exit 0");
        let mut command = router.command(&[b"add", b"02:aa:00:00:00:01", b"192.168.1.5"]);
        command.env("RECORD_MAX", max);
        assert_eq!(run(command, b"").status.code(), Some(0));
        assert!(router.log().contains("arg 192.168.1.5\n"), "{max}");
    }
}

#[rstest]
fn of_a_large_call_only_the_size_is_logged(#[values(0, 1, 2)] shell: usize) {
    let router = Router::new(
        shell,
        "i=0; while [ $i -lt 300 ]; do echo \"0 02:aa 192.168.1.$i * *\"; i=$((i + 1)); done",
    );
    let mut command = router.command(&[b"init"]);
    command.env("RECORD_MAX", "8192");
    assert_eq!(run(command, b"").stdout.iter().filter(|byte| **byte == b'\n').count(), 300);
    let log = router.log();
    assert!(log.contains("call 1\nlarge ") && log.contains("end 1 0"), "{log}");
}

/// The script is called even if the log cannot be written. Nothing is written through a link, or to a folder of
/// somebody else, who could put links into it.
#[rstest]
fn a_log_that_cannot_be_written_is_ignored(
    #[values(0, 1, 2)] shell: usize,
    #[values(
        "missing/log",
        "file",
        "link",
        "dangling",
        "foreign",
        "/proc/log",
        "/dev/null/x",
        "trailing/"
    )]
    log: &str,
) {
    let router = Router::new(shell, "printf 'one\\n'; exit 5");
    for folder in ["target", "foreign"] {
        fs::create_dir(router.path(folder)).expect("a folder");
    }
    if rustix::process::geteuid().is_root() {
        std::os::unix::fs::chown(router.path("foreign"), Some(65534), None).expect("root");
    } else {
        fs::set_permissions(router.path("foreign"), fs::Permissions::from_mode(0o000))
            .expect("ours");
    }
    fs::write(router.path("file"), "as it was").expect("a file");
    for (name, target) in [("link", "target"), ("dangling", "nothing")] {
        std::os::unix::fs::symlink(router.path(target), router.path(name)).expect("a link");
    }
    for action in [&b"init"[..], b"add"] {
        let mut command = router.command(&[action, b"x"]);
        command.env("RECORD_LOG", router.path(log)).env("RECORD_MAX", "a lot");
        let output = run(command, b"");
        assert_eq!(output.stdout, b"one\n");
        assert_eq!(output.status.code(), Some(5));
        assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    assert_eq!(fs::read(router.path("file")).expect("the file"), b"as it was");
    assert_eq!(fs::read_dir(router.path("target")).expect("a folder").count(), 0);
    assert!(!router.path("nothing").exists());
    if rustix::process::geteuid().is_root() {
        assert_eq!(fs::read_dir(router.path("foreign")).expect("a folder").count(), 0);
    }
}

/// Links in a folder to which only its owner can write are those of its owner.
#[test]
fn only_the_owner_can_write_to_the_folder() {
    let router = Router::new(0, "exit 0");
    router.call(&[b"add", b"x"], &[]);
    let mode = |name: &str| fs::metadata(router.path(name)).expect(name).permissions().mode();
    assert_eq!(mode("log") & 0o777, 0o700);
    assert_eq!(mode("log/state") & 0o777, 0o600);
}

#[rstest]
fn without_awk_nothing_is_logged(#[values(1, 2)] shell: usize) {
    let router = Router::new(shell, "exit 3");
    let mut command = router.command(&[b"add", b"a b"]);
    command.env("PATH", "/nonexistent");
    let output = run(command, b"");
    assert_eq!((output.status.code(), output.stderr), (Some(3), Vec::new()));
    assert_eq!(router.log(), "");
}

/// The awk of each system: that of busybox, and the one on the PATH.
#[rstest]
fn the_log_is_the_same_with_every_awk(#[values("busybox", "")] awk: &str) {
    let router = Router::new(0, "printf 'caf\\351  x\\n\\n y'");
    let mut command = router.command(&[b"init", b"a=b", b"-f", b"\xC3\xA9 \\n*"]);
    if !awk.is_empty() {
        let tools = router.path("tools");
        fs::create_dir(&tools).expect("a folder");
        std::os::unix::fs::symlink(on_path("busybox"), tools.join("awk")).expect("a link");
        let path = std::env::var("PATH").expect("a path");
        command.env("PATH", format!("{}:{path}", tools.display()));
    }
    run(command, b"");
    let wanted = "leaselab-record 1\n\ncall 1\narg DIR/record.sh\narg init\narg a=b\narg -f\narg \\303\\251\\040\\134n*\n\
                  out caf\\351  x\nout \nout  y\ncut\nend 1 0\n";
    assert_eq!(router.log(), wanted);
}

#[rstest]
fn a_missing_script_fails_as_without_the_wrapper(#[values(0, 1, 2)] shell: usize) {
    let router = Router::new(shell, "exit 0");
    for (script, code) in [("/nonexistent", 127), ("/", 126)] {
        let mut command = router.command(&[b"init"]);
        command.env("RECORD_SCRIPT", script);
        assert_eq!(run(command, b"").status.code(), Some(code));
    }
}

#[rstest]
fn a_full_tmpfs_loses_only_the_log(#[values(0, 1, 2)] shell: usize) {
    let router = Router::new(1, "printf 'lease\\n'; exit 4");
    let small = router.path("small");
    fs::create_dir(&small).expect("a folder");
    // The file system is filled after some calls, then emptied; each call must return 4.
    let command = &shells()[shell];
    let words = [command.get_program()].into_iter().chain(command.get_args());
    let shell = words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ");
    let commands = format!(
        "mount -t tmpfs -o size=16k none {small} || exit 99\n\
         export RECORD_LOG={small}/log RECORD_SCRIPT={script}\n\
         call() {{ [ \"$({shell} {record} init)\" = lease ] || exit 98; {shell} {record} add x; [ $? -eq 4 ] || exit 97; }}\n\
         call; call; dd if=/dev/zero of={small}/fill 2>/dev/null; call; call\n\
         n=0; while [ $n -lt 60 ]; do call; n=$((n + 1)); done; rm {small}/fill; call\n\
         cat {small}/log/log.?",
        small = small.display(),
        script = router.path("lease_update.sh").display(),
        record = router.path("record.sh").display(),
    );
    let mut command = Command::new("unshare");
    command.args(["-rm", "sh", "-c", &commands]);
    let output = command.output().expect("unshare");
    let log = String::from_utf8(output.stdout).expect("plain ASCII");
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let last = log.trim_end().lines().last().expect("a line");
    assert!(last.starts_with("end 130 4 ") || log.contains("\nend 130 4 "), "{log}");
}

#[test]
fn shellcheck_reports_nothing_about_record() {
    let record = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/record.sh"));
    let output = Command::new(on_path("shellcheck"))
        .args(["--shell=sh", "--severity=style"])
        .arg(record)
        .output()
        .expect("shellcheck");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}
