//! `leaselab live`.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::{Exit, Failure, run};
use crate::run_case::Backend;
use dnsmasq_model::Build;
use live::{self, Binaries, LiveSettings};
use runner::TargetKind;

/// The arguments of `leaselab live`.
#[derive(Debug, clap::Args)]
#[group(id = "live")]
pub(super) struct Args {
    #[command(flatten)]
    run: run::Args,
    /// The dnsmasq to run; default: the system's
    #[arg(long, value_name = "PATH")]
    dnsmasq: Option<PathBuf>,
    /// A dnsmasq built with `HAVE_BROKEN_RTC`, for the scenarios that need one
    #[arg(long, value_name = "PATH", env = "LEASELAB_DNSMASQ_NO_RTC")]
    dnsmasq_no_rtc: Option<PathBuf>,
}

pub(super) fn run(args: &Args) -> Result<Exit, Failure> {
    let common = &args.run.common;
    if common.target.is_some() || common.no_private_root {
        let why = "`live` has a target of its own: leave out --target and --no-private-root";
        return Err(Failure::Input(why.to_owned()));
    }
    if args.run.store == Some(run::StoreChoice::Journal) {
        let why = "`live` keeps leases in NVRAM: leave out --store journal";
        return Err(Failure::Input(why.to_owned()));
    }
    if let Some(script) = &common.script {
        check_script(script, common.shell.is_empty()).map_err(Failure::Environment)?;
    }
    let binaries = args.binaries().map_err(Failure::Environment)?;
    let mut options = args.run.options()?;
    let cases = args.run.cases()?;
    let (TargetKind::Process(process) | TargetKind::Both(process)) = &options.target else {
        return Err(Failure::Input("`live` runs scripts in processes".to_owned()));
    };
    for (name, path) in [("--dnsmasq", &args.dnsmasq), ("--dnsmasq-no-rtc", &args.dnsmasq_no_rtc)] {
        if let Some(path) = path {
            options.arguments.extend([name.to_owned(), path.to_string_lossy().into_owned()]);
        }
    }
    options.command = &["live"];
    let backend = Backend::Live(LiveSettings { process: process.clone(), binaries });
    // Before there are threads.
    live::enter().map_err(Failure::Environment)?;
    run::run_cases(&args.run, &cases, &options, &backend)
}

impl Args {
    fn binaries(&self) -> Result<Binaries, String> {
        let mut binaries = Binaries::default();
        match &self.dnsmasq {
            Some(path) => binaries.add(live::examine(path)?),
            None => match live::find() {
                Ok(path) => binaries.add(live::examine(&path)?),
                Err(_) if self.dnsmasq_no_rtc.is_some() => {}
                Err(why) => return Err(why),
            },
        }
        if let Some(path) = &self.dnsmasq_no_rtc {
            let binary = live::examine(path)?;
            if binary.build != Build::NoRtc {
                return Err(format!(
                    "{}: not built with HAVE_BROKEN_RTC (its --version lacks no-RTC)",
                    path.display()
                ));
            }
            binaries.add(binary);
        }
        Ok(binaries)
    }
}

/// dnsmasq would end at once where it cannot run its script.
pub(super) fn check_script(path: &Path, by_itself: bool) -> Result<(), String> {
    let refuse = |why: &str| Err(format!("--script {}: {why}", path.display()));
    match fs::metadata(path) {
        Err(error) => refuse(&error.to_string()),
        Ok(data) if !data.is_file() => refuse("not a file"),
        Ok(data) if by_itself && data.permissions().mode() & 0o111 == 0 => {
            refuse("not executable: chmod +x it, or say with --shell what runs it")
        }
        Ok(_) => Ok(()),
    }
}
