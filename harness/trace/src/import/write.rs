//! Writes a log as a recording: `meta.json`, `stimuli.jsonl` (reboots only) and `calls.jsonl`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

use super::record_log::{Log, LoggedCall};
use crate::recorder_store::{InitOrder, RecorderStore, StoreMode};
use dnsmasq_model::ScriptCall;

/// The error of writing a recording. No partial recording is left behind.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {error}")]
pub struct WriteError {
    /// The file or folder that could not be written.
    pub path: PathBuf,
    /// The error of the file system.
    pub error: io::Error,
}

/// A summary of the written recording.
#[derive(Clone, Debug, PartialEq)]
pub struct Imported {
    /// `rtc` or `no-rtc`.
    pub build: &'static str,
    /// Calls by action.
    pub by_action: BTreeMap<String, u64>,
    /// Seconds from the first call to the last.
    pub seconds: f64,
    /// Number of reboots of the router between the calls.
    pub reboots: usize,
}

/// Writes the recording of `log` into the new folder `out`.
///
/// # Errors
/// If the folder exists or cannot be written.
pub fn write(log: &Log, name: &str, out: &Path) -> Result<Imported, WriteError> {
    let fail = |path: &Path| {
        let path = path.to_owned();
        move |error| WriteError { path, error }
    };
    if out.symlink_metadata().is_ok() {
        let error = io::Error::new(
            io::ErrorKind::AlreadyExists,
            "exists already; choose another folder with --out",
        );
        return Err(fail(out)(error));
    }
    let parent = match out.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let times = CallTimes::new(&log.calls);
    let (calls, by_action, stored) = calls(&log.calls, &times);
    let lengths = log.calls.iter().any(|call| call.env.contains_key("DNSMASQ_LEASE_LENGTH"));
    let build = if lengths { "no-rtc" } else { "rtc" };
    let meta = meta(name, build, log, &times, &by_action, &stored);
    let stimuli = stimuli(&log.calls, &times);
    let folder = tempfile::Builder::new()
        .prefix(".leaselab-import")
        .tempdir_in(parent)
        .map_err(fail(parent))?;
    for (file, text) in [("meta.json", &meta), ("stimuli.jsonl", &stimuli), ("calls.jsonl", &calls)]
    {
        let path = folder.path().join(file);
        std::fs::write(&path, text).map_err(fail(&path))?;
    }
    set_default_permissions(folder.path())
        .and_then(|()| std::fs::rename(folder.path(), out))
        .map_err(fail(out))?;
    // The folder has been renamed, so there is nothing to remove.
    let _ = folder.keep();
    let seconds = times.t.last().copied().unwrap_or_default();
    Ok(Imported { build, by_action, seconds, reboots: times.boots.len() })
}

/// Sets the permissions of a temporary folder to those of a regular new folder.
fn set_default_permissions(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let umask = rustix::process::umask(rustix::fs::Mode::empty());
    rustix::process::umask(umask);
    let mode = 0o777 & !umask.bits();
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(mode))
}

/// The times of the calls.
struct CallTimes {
    /// Seconds since the first call, in ascending order.
    t: Vec<f64>,
    /// The index of the first call after each reboot.
    boots: Vec<usize>,
}

impl CallTimes {
    fn new(calls: &[LoggedCall]) -> Self {
        let (mut t, mut now, mut boots) = (Vec::new(), 0.0, Vec::new());
        let mut last: Option<&LoggedCall> = None;
        for call in calls {
            if let Some(last) = last {
                let up = last.up.zip(call.up).map(|(before, after)| after.checked_sub(before));
                if up == Some(None) {
                    boots.push(t.len());
                }
                now += match (up, last.wall.zip(call.wall)) {
                    (Some(Some(hundredths)), _) => hundredths as f64 / 100.0,
                    (_, Some((before, after))) => after.saturating_sub(before) as f64,
                    _ => 0.0,
                };
            }
            t.push(now);
            last = Some(call);
        }
        Self { t, boots }
    }
}

/// Returns the stimuli: the reboots that can be inferred from the clocks. No other stimuli are known.
fn stimuli(logged: &[LoggedCall], times: &CallTimes) -> String {
    let Some(first) = times.boots.first() else { return String::new() };
    let mut text = format!(
        "{{\"i\":0,\"t\":0,\"wall\":0,\"mono\":0,\"do\":\"pause\",\"calls\":[0,{first}]}}\n"
    );
    for (number, boot) in times.boots.iter().enumerate() {
        let end = times.boots.get(number + 1).map_or(logged.len(), |next| *next);
        let (i, t) = (number + 1, times.t[*boot]);
        let wall = logged[*boot].wall.unwrap_or_default();
        let _ = writeln!(
            text,
            "{{\"i\":{i},\"t\":{t},\"wall\":{wall},\"mono\":0,\"do\":\"reboot\",\"calls\":[{boot},{end}]}}"
        );
    }
    text
}

fn calls(
    logged: &[LoggedCall],
    times: &CallTimes,
) -> (String, BTreeMap<String, u64>, Vec<Vec<u8>>) {
    let (mut text, mut by_action) = (String::new(), BTreeMap::<String, u64>::new());
    let mut store = RecorderStore::new(StoreMode::V6Aware, InitOrder::Insert);
    let mut begun = false;
    for (seq, (call, t)) in logged.iter().zip(&times.t).enumerate() {
        let script = ScriptCall {
            argv: call.argv.clone(),
            env: call.env.iter().map(|(name, value)| (name.clone(), value.clone())).collect(),
        };
        let action = String::from_utf8_lossy(call.argv.get(1).map_or(&[][..], Vec::as_slice));
        *by_action.entry(action.into_owned()).or_default() += 1;
        let is_init = call.argv.get(1).is_some_and(|word| word == b"init");
        if is_init && !begun {
            store.replace(&variables(&call.out));
        }
        begun = true;
        let wall = call.wall.unwrap_or_default();
        let mono = call.up.map_or(*t, |up| up as f64 / 100.0);
        let argv: Vec<String> = call.argv.iter().map(|word| string(word)).collect();
        let env: Vec<String> =
            call.env.iter().map(|(name, value)| format!("\"{name}\":{}", string(value))).collect();
        let _ = write!(
            text,
            "{{\"seq\":{seq},\"t\":{t},\"wall\":{wall},\"mono\":{mono},\"argv\":[{}],\"env\":{{{}}}",
            argv.join(","),
            env.join(",")
        );
        if is_init {
            let _ = write!(text, ",\"out\":{}", string(&call.out));
        } else {
            let _ = write!(text, ",\"chg\":{}", u8::from(store.apply(&script)));
        }
        let _ = writeln!(text, ",\"rc\":{}}}", call.code);
    }
    (text, by_action, store.lines())
}

/// Returns the variables that `init` printed as lines of `name=value`.
fn variables(out: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    for line in out.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let field = |n: usize| line.split(|byte| *byte == b' ').nth(n);
        let name = if line.starts_with(b"duid ") {
            b"dnsmasq_duid".to_vec()
        } else {
            [b"dnsmasq_lease_", field(2).unwrap_or_default()].concat()
        };
        text.extend_from_slice(&[&name, b"=".as_slice(), line, b"\n"].concat());
    }
    text
}

fn meta(
    name: &str,
    build: &str,
    log: &Log,
    times: &CallTimes,
    by_action: &BTreeMap<String, u64>,
    stored: &[Vec<u8>],
) -> String {
    let first = log.calls.first();
    let script = first.and_then(|call| call.argv.first()).map_or(&[][..], Vec::as_slice);
    let script = [b"--dhcp-script=", script].concat();
    let stored: Vec<String> = stored.iter().map(|line| string(line)).collect();
    let counts = serde_json::to_string(by_action).unwrap_or_default();
    format!(
        "{{\n \"name\": {},\n \"build\": \"{build}\",\n \"cmdline\": [\"dnsmasq\", \"--leasefile-ro\", {}],\n \
         \"clock\": \"real\",\n \"wall0\": {},\n \"mono0\": {},\n \"store_mode\": \"v6aware\",\n \
         \"init_order\": \"insert\",\n \"racy\": \"recorded on a router: its calls, without what caused them\",\n \
         \"stimuli\": {},\n \"calls\": {},\n \"by_action\": {counts},\n \"store_final\": [{}],\n \
         \"reboots\": {},\n \"torn\": {},\n \"missing\": {}\n}}\n",
        string(name.as_bytes()),
        string(&script),
        first.and_then(|call| call.wall).unwrap_or_default(),
        first.and_then(|call| call.up).map_or(0.0, |up| up as f64 / 100.0),
        if times.boots.is_empty() { 0 } else { times.boots.len() + 1 },
        log.calls.len(),
        stored.join(", "),
        times.boots.len(),
        log.gaps.torn,
        log.gaps.missing,
    )
}

/// Returns a byte string as a JSON string. Bytes that are not valid UTF-8 become lone surrogates U+DC80 to U+DCFF.
fn string(bytes: &[u8]) -> String {
    let mut text = String::from("\"");
    for chunk in bytes.utf8_chunks() {
        let quoted = serde_json::to_string(chunk.valid()).unwrap_or_default();
        text.push_str(quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default());
        for byte in chunk.invalid() {
            let _ = write!(text, "\\udc{byte:02x}");
        }
    }
    text.push('"');
    text
}
