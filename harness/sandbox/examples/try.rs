//! Runs a command in a sandbox.
#![allow(missing_docs, clippy::pedantic)]
use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

use sandbox::clock::{Supervision, Time, start};
use sandbox::{FileTree, Isolation, PERSISTENT_FOLDERS, Root, enter, fresh_ram};

fn main() {
    let scratch = PathBuf::from(format!("/dev/shm/sandbox-try-{}", std::process::id()));
    std::fs::create_dir_all(scratch.join("bin")).unwrap();
    std::fs::create_dir_all(scratch.join("ram")).unwrap();
    std::fs::write(scratch.join("bin/leaselab"), "").unwrap();
    let folders = || PERSISTENT_FOLDERS.into_iter();
    fresh_ram(folders()).write(&scratch.join("ram")).unwrap();
    let root = Root {
        scratch: scratch.clone(),
        leaselab: "/bin/true".into(),
        persistent: folders().map(str::to_owned).collect(),
        size: Some(1 << 16),
        script: None,
    };
    let began = Instant::now();
    enter(Isolation::Full, &root).unwrap();
    let mut first = FileTree::default();
    first.graft("etc", sandbox::first_files("/etc"));
    for f in folders() { for p in sandbox::parents(f) { first.0.entry(sandbox::Octets(p.into())).or_insert(sandbox::Node::folder()); } }
    first.write(&Root::persistent_folder()).unwrap();
    eprintln!("entered in {:?}", began.elapsed());
    let supervise = std::env::var_os("NO_CLOCK").is_none();
    let s = supervise.then(|| start(if std::env::var_os("FILES").is_some() { Supervision::ClockAndFiles } else {Supervision::Clock}).unwrap());
    if let Some(s) = &s {
        s.clock.set(Some(Time { wall: 1_767_614_400, mono: 30 }));
        s.clock.write_uptime(&PathBuf::from("/.leaselab/uptime"));
        if std::env::var_os("FILES").is_some() { s.watch(Root::persistent_folder(), "/.leaselab/commands".into()).unwrap(); }
    }
    let args: Vec<_> = std::env::args_os().skip(1).collect();
    let n: u32 = std::env::var("N").ok().and_then(|n| n.parse().ok()).unwrap_or(1);
    let began = Instant::now();
    for _ in 0..n {
        let mut child = Command::new(&args[0]).args(&args[1..]).current_dir("/").spawn().unwrap();
        use std::os::fd::AsFd;
        let fd = rustix::process::pidfd_open(rustix::process::Pid::from_child(&child), rustix::process::PidfdFlags::empty()).unwrap();
        rustix::event::poll(&mut [rustix::event::PollFd::from_borrowed_fd(fd.as_fd(), rustix::event::PollFlags::IN)], None).unwrap();
        let s = child.wait().unwrap();
        if n == 1 { eprintln!("{s:?}"); }
    }
    eprintln!("{:?} each", began.elapsed() / n);
    if let Some(s) = &s { for c in s.take_changes() { eprintln!("{c:?}"); } }
}
