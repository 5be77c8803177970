//! What remains of a command that a signal ends: no process, no scratch folder.

use std::fs;
use std::io::Read as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use rstest::rstest;
use rustix::process::{Pid, Signal, kill_process};

use crate::lab::Lab;

const STORY: &str = "title = \"x\"\n[[step]]\nboot = {}\n[[step]]\njoin = { client = \"pc\" }\n";

const RECORDING: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../scenarios/traces/init_numbers.rtc");

/// A script that never ends. Both of its processes have its name among their arguments.
const HANGING: &str = "#!/bin/sh\nsh -c 'tail -f /dev/null; :' \"$0\"\n:\n";

/// An apt-get whose update ends if the folder has a file `updated`.
const HANGING_APT_GET: &str = "#!/bin/sh\ncase \"$*\" in *update*) [ -e updated ] && exit;; esac\n\
    sh -c 'tail -f /dev/null; :' \"$0\"\n:\n";

/// What apt-cache says about the kernel.
const APT_CACHE: &str =
    "#!/bin/sh\necho '  Depends: linux-image-6.1.0-9-amd64'\necho 'Version: 6.1.27-1'\n";

/// A command of leaselab in the middle of a call of a program that never ends.
struct Hanging {
    leaselab: Child,
    /// What the names of the programs that never end contain.
    name: String,
    lab: Lab,
}

impl Hanging {
    fn start(command: &str) -> Self {
        Self::start_in(Lab::new(), command)
    }

    fn start_in(lab: Lab, command: &str) -> Self {
        let name = lab.path().file_name().expect("a name").to_string_lossy().replace('.', "");
        let script = format!("hanging-{name}.sh");
        lab.write("story.toml", STORY).write(&script, HANGING);
        // The name of its folder is among the arguments.
        lab.write("bin/qemu-system-x86_64", HANGING);
        lab.write("kernel", "").write("machine.toml", "arch = \"x86_64\"\n");
        lab.write("bin/apt-get", HANGING_APT_GET).write("bin/apt-cache", APT_CACHE);
        lab.write("program", [&b"\x7fELF\x02"[..], &[0; 13], &[62, 0]].concat());
        let path = std::env::var("PATH").unwrap_or_default();
        let leaselab = Command::new(env!("CARGO_BIN_EXE_leaselab"))
            .args(command.split(' ').map(|word| match word {
                "SCRIPT" => &script,
                "RECORDING" => RECORDING,
                word => word,
            }))
            .current_dir(lab.path())
            .env("PATH", format!("{}/bin:{path}", lab.path().display()))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("leaselab starts");
        let mut hanging = Self { leaselab, name, lab };
        while hanging.script_processes().len() < 2 {
            let ended = hanging.leaselab.try_wait().expect("a child").is_some();
            assert!(!ended, "{command}: ended too early: {}", hanging.stderr());
            std::thread::yield_now();
        }
        hanging
    }

    fn id(&self) -> u32 {
        self.leaselab.id()
    }

    /// The processes of the script.
    fn script_processes(&self) -> Vec<u32> {
        let own = [self.id(), std::process::id()];
        let processes = fs::read_dir("/proc").expect("processes").flatten();
        let ids = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        ids.filter(|id| !own.contains(id))
            .filter(|id| {
                let arguments = fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
                arguments.windows(self.name.len()).any(|part| part == self.name.as_bytes())
            })
            .collect()
    }

    fn signal(&mut self, signal: Signal) -> ExitStatus {
        let leaselab = Pid::from_child(&self.leaselab);
        kill_process(leaselab, signal).expect("a running process");
        self.leaselab.wait().expect("a child")
    }

    /// A process that was killed is listed until the kernel has removed it.
    fn wait_for_the_end_of_the_script(&self) {
        while !self.script_processes().is_empty() {
            std::thread::yield_now();
        }
    }

    /// What was written to stderr. Waits until no process can write to it any more, which includes the agent.
    fn stderr(&mut self) -> String {
        let mut text = String::new();
        let mut stderr = self.leaselab.stderr.take().expect("a pipe");
        stderr.read_to_string(&mut text).expect("text");
        text
    }
}

/// The scratch folders of a process.
fn scratch_folders(owner: u32) -> Vec<PathBuf> {
    let places = [Path::new("/dev/shm"), Path::new("/var/tmp"), &std::env::temp_dir()];
    let folders = places.iter().flat_map(|place| fs::read_dir(place).into_iter().flatten());
    let folders = folders.flatten().map(|entry| entry.path());
    let is_own = |folder: &PathBuf| {
        fs::read_to_string(folder.join("owner")).is_ok_and(|id| id.trim() == owner.to_string())
    };
    folders.filter(is_own).collect()
}

#[rstest]
#[case::run("run story.toml --timeout 9999 --script SCRIPT", Signal::INT)]
#[case::run_without_a_sandbox(
    "run story.toml --timeout 9999 --script SCRIPT --no-sandbox",
    Signal::TERM
)]
#[case::check("check SCRIPT --timeout 9999 --quick", Signal::INT)]
#[case::crash("crash story.toml --timeout 9999 --script SCRIPT", Signal::TERM)]
#[case::fuzz("fuzz --cases 2 --timeout 9999 --script SCRIPT", Signal::INT)]
#[case::live("live story.toml --timeout 9999 --script SCRIPT", Signal::HUP)]
#[case::trace("trace replay RECORDING --timeout 9999 --script SCRIPT", Signal::TERM)]
#[case::wear("wear --clients 2 --for 1d --timeout 9999 --script SCRIPT", Signal::INT)]
#[case::qemu("qemu run --image kernel --machine machine.toml story.toml", Signal::TERM)]
fn a_signal_ends_every_process_and_leaves_no_folder(#[case] command: &str, #[case] signal: Signal) {
    let mut hanging = Hanging::start(command);
    assert_ne!(scratch_folders(hanging.id()), [] as [PathBuf; 0], "{command}");
    let status = hanging.signal(signal);
    assert_eq!(status.signal(), Some(signal.as_raw()), "{command}");
    hanging.wait_for_the_end_of_the_script();
    assert_eq!(scratch_folders(hanging.id()), [] as [PathBuf; 0], "{command}");
    assert_eq!(hanging.stderr(), "", "{command}");
}

/// The scratch folder of a build lies in its cache, since it is large.
#[rstest]
#[case::update(None, Signal::TERM)]
#[case::download(Some("updated"), Signal::INT)]
fn a_signal_ends_the_build_of_an_image(#[case] file: Option<&str>, #[case] signal: Signal) {
    const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";
    // Without Debian's keys, nothing is downloaded.
    if !Path::new(KEYRING).exists() {
        return;
    }
    let lab = Lab::new();
    if let Some(file) = file {
        lab.write(file, "");
    }
    let build = "qemu build --cache cache --nvram program --lease-update program";
    let mut hanging = Hanging::start_in(lab, build);
    let left = |hanging: &Hanging| {
        let entries = fs::read_dir(hanging.lab.path().join("cache/debs")).expect("a folder");
        let names = entries.flatten().map(|entry| entry.file_name());
        names.filter(|name| name.to_string_lossy().contains("leaselab-")).count()
    };
    assert_eq!(left(&hanging), usize::from(file.is_some()));
    let status = hanging.signal(signal);
    assert_eq!(status.signal(), Some(signal.as_raw()));
    hanging.wait_for_the_end_of_the_script();
    assert_eq!(left(&hanging), 0);
}

#[rstest]
#[case::with_a_sandbox("run story.toml --script SCRIPT")]
#[case::without_a_sandbox("run story.toml --script SCRIPT --no-sandbox")]
fn when_leaselab_is_killed_its_processes_end_and_the_next_run_removes_its_folder(
    #[case] command: &str,
) {
    let mut hanging = Hanging::start(command);
    hanging.signal(Signal::KILL);
    // Waits for the end of the agent.
    hanging.stderr();
    hanging.wait_for_the_end_of_the_script();
    let lab = Lab::new();
    lab.write("story.toml", STORY);
    lab.command(&["run", "story.toml", "--target", "in-process"]).assert().success();
    assert_eq!(scratch_folders(hanging.id()), [] as [PathBuf; 0]);
}

#[test]
fn verbose_names_the_folders_of_killed_runs() {
    let lab = Lab::new();
    lab.write("story.toml", STORY).write("tmp/leaselab-killed/owner", "1\n");
    let mut command = lab.command(&["run", "story.toml", "--target", "in-process", "--verbose"]);
    let tmp = lab.path().join("tmp");
    let assert = command.env("TMPDIR", &tmp).assert().success();
    let message = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
    assert!(
        message.contains("tmp/leaselab-killed, left behind by a run that was killed"),
        "{message}"
    );
    assert!(!tmp.join("leaselab-killed").exists());
}

/// Commands that are not waiting for a program.
#[rstest]
#[case::races("races --trials 1000000")]
#[case::crash("crash story.toml --target process --depth 2")]
fn a_signal_between_two_commands_leaves_no_folder(#[case] command: &str) {
    let lab = Lab::new();
    lab.write("story.toml", STORY);
    let mut leaselab = Command::new(env!("CARGO_BIN_EXE_leaselab"))
        .args(command.split(' '))
        .current_dir(lab.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .expect("leaselab starts");
    while scratch_folders(leaselab.id()).is_empty() {
        assert!(leaselab.try_wait().expect("a child").is_none(), "{command}: ended too early");
        std::thread::yield_now();
    }
    kill_process(Pid::from_child(&leaselab), Signal::TERM).expect("a running process");
    let status = leaselab.wait().expect("a child");
    assert_eq!(status.signal(), Some(Signal::TERM.as_raw()), "{command}");
    assert_eq!(scratch_folders(leaselab.id()), [] as [PathBuf; 0], "{command}");
}
