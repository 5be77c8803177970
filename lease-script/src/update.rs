//! `add`, `old`, `del`: compare, then set and commit with one command.

use crate::address::Address;
use crate::call::Call;
use crate::config::Config;
use crate::init::trim;
use crate::intent_log::Lock;
use crate::record::{
    Record, Stored, is_client_id, is_duid_line, is_hardware, is_host, is_iaid, time,
};
use crate::script::{Output, Script, ScriptResult};
use crate::show::{check_space, free_bytes, has_line, invalid_lines, lines, variable};

/// The greatest time that a record can contain.
const LAST_TIME: u64 = 9_999_999_999;

/// The variables that a call is about.
struct Target {
    /// The variable of the lease.
    record: Vec<u8>,
    /// The record that must be stored; `None` if the lease is removed.
    want: Option<Vec<u8>>,
    /// The variable and the line of the server's DUID, if they must be stored.
    server: Option<(Vec<u8>, Vec<u8>)>,
    /// Whether the tool takes one command per call.
    one_command: bool,
}

/// What [`Script::read_all`] has read.
struct Reading {
    /// The record twice, the DUID of the server twice, and the output of `show` and `info`; messages included.
    text: Vec<u8>,
    /// The record; empty if there is none.
    old: Vec<u8>,
}

impl Target {
    /// The text that `read_all` begins with when everything is stored.
    fn is_stored(&self, reading: &Reading) -> bool {
        let Some(want) = &self.want else { return reading.old.is_empty() };
        let mut expected = [want.as_slice(), want].join(&b'\n');
        if let Some((_, line)) = &self.server {
            expected = [expected.as_slice(), line, line].join(&b'\n');
        }
        expected.push(b'\n');
        [reading.text.as_slice(), b"\n"].concat().starts_with(&expected)
    }

    /// The number of bytes by which the variables grow.
    fn growth(&self, reading: &Reading) -> i64 {
        let len = |text: &[u8]| text.len() as i64;
        let mut growth = self.want.as_deref().map_or(0, len) - len(&reading.old);
        if self.want.is_none() {
            growth -= len(&self.record) + 2;
        } else if reading.old.is_empty() {
            growth += len(&self.record) + 2;
        }
        let server = self.server.as_ref().map(|(name, line)| assignment(name, line));
        growth + server.filter(|line| !has_line(&reading.text, line)).map_or(0, |l| len(&l) + 1)
    }

    /// The commands that store everything.
    fn commands(&self) -> Vec<Vec<u8>> {
        let mut commands = match &self.want {
            Some(want) => vec![b"set".to_vec(), assignment(&self.record, want)],
            None => vec![b"unset".to_vec(), self.record.clone()],
        };
        if let Some((name, line)) = &self.server {
            commands.extend([b"set".to_vec(), assignment(name, line)]);
        }
        commands
    }
}

fn assignment(name: &[u8], value: &[u8]) -> Vec<u8> {
    [name, b"=", value].concat()
}

/// Why a change is not stored.
enum NotStored {
    /// NVRAM does not contain it.
    Missing,
    /// NVRAM contains it in RAM only.
    Uncommitted,
}

impl Script<'_> {
    pub(crate) fn update(&mut self, call: &Call) -> ScriptResult {
        let text = call.arg(2);
        if text.is_empty() || !text.iter().all(|c| b"0123456789abcdef.:".contains(c)) {
            return self.fail("no address: refused");
        }
        let removed = call.arg(0) == b"del";
        let server = reported_duid(call).filter(|_| !removed && text.contains(&b':'));
        let mut target = Target {
            record: self.name(text),
            want: None,
            server: server.map(|line| (self.name(b"duid"), line)),
            one_command: false,
        };
        // dnsmasq calls `old` for every lease when it starts, usually without a change. The first change after a boot makes a
        // folder, and no change starts more than four processes.
        let is_short = call.arg(0) == b"old" && Self::logged(self.intent_log.has_folder(), false)?;
        let mut reading = self.read_all(&mut target, !is_short)?;
        if !removed {
            target.want = Some(self.want(call, text, &reading.old));
        }
        let mut invalid = Vec::new();
        if target.is_stored(&reading) {
            if !Self::logged(self.intent_log.has_entries(), false)? {
                return Ok(());
            }
        } else {
            if is_short {
                reading = self.read_all(&mut target, true)?;
            }
            self.check(text, &target, &reading)?;
            invalid = invalid_lines(&reading.text, &self.config.prefix);
        }

        let mut is_uncommitted = false;
        let locked = match Self::logged(self.intent_log.lock(), Lock::Unusable)? {
            Lock::Busy(pid) => {
                return self.fail(format_args!("process {pid} writes to NVRAM"));
            }
            Lock::Unusable => {
                let folder = self.config.run_folder();
                let folder = folder.display();
                self.warn(format_args!("no lock in RAM: {folder} is not ours"));
                false
            }
            Lock::Acquired { uncommitted, waited } => {
                if waited {
                    reading = self.read_all(&mut target, true)?;
                }
                is_uncommitted = uncommitted;
                true
            }
        };
        let mut commands = Vec::new();
        if !target.is_stored(&reading) {
            for line in invalid {
                if let Some((name, _)) = variable(&line, &self.config.prefix)
                    && occurrences(&reading.text, name) < 2
                {
                    commands.extend([b"unset".to_vec(), name.to_vec()]);
                }
            }
            commands.extend(target.commands());
        }
        if !commands.is_empty() || is_uncommitted {
            // Tried again if necessary: OpenWrt's tool has no lock, and another program may have written at the same time.
            let mut written = self.write(&mut target, &commands)?;
            if written.is_err() {
                written = self.write(&mut target, &commands)?;
            }
            match written {
                Ok(()) => {}
                Err(NotStored::Missing) => {
                    let record = String::from_utf8_lossy(&target.record);
                    return self.fail(format_args!("NVRAM did not take {record}"));
                }
                Err(NotStored::Uncommitted) => {
                    return self.fail("NVRAM commit failed");
                }
            }
        }
        if locked { Self::logged(self.intent_log.clear(), ()) } else { Ok(()) }
    }

    /// Reads the record twice and the DUID of the server twice, so that a single copy reveals a tool that takes one
    /// command per call. With `show`, it also reads the output of `show` and `info`.
    fn read_all(&mut self, target: &mut Target, show: bool) -> ScriptResult<Reading> {
        let mut names = vec![target.record.clone()];
        names.extend(target.server.iter().map(|(name, _)| name.clone()));
        let mut text = Vec::new();
        if !target.one_command {
            let mut words: Vec<&[u8]> =
                names.iter().flat_map(|name| [b"get".as_slice(), name, b"get", name]).collect();
            if show {
                words.extend([b"show".as_slice(), b"info"]);
            }
            let output = self.command(&words)?;
            if !(0..=1).contains(&output.code) {
                return self.fail(self.unreadable());
            }
            text = trim(&[output.stdout, output.stderr].concat()).to_vec();
            target.one_command = text.starts_with(b"NVRAM Utility")
                || !text.is_empty() && !text.contains(&b'\n') && !text.starts_with(b"size: ");
        }
        if target.one_command {
            text.clear();
            for name in &names {
                let value = trim(&self.get(name)?.0).to_vec();
                if !value.is_empty() {
                    text.extend_from_slice(&[&value, b"\n".as_slice(), &value, b"\n"].concat());
                }
            }
            if show {
                let output = self.command(&[b"show"])?;
                if output.code != 0 {
                    return self.fail(self.unreadable());
                }
                let show = [output.stdout, output.stderr].concat();
                text.extend_from_slice(trim(&show));
            }
        }
        let mut first = text.split(|c| *c == b'\n');
        let old = first.next().unwrap_or_default().to_vec();
        let is_record = first.next() == Some(&old) && !old.starts_with(b"duid ");
        Ok(Reading { old: if is_record { old } else { Vec::new() }, text })
    }

    /// Ends the call if dnsmasq could not read the record, or if there is no space for it.
    fn check(&mut self, text: &[u8], target: &Target, reading: &Reading) -> ScriptResult {
        let is_valid = match &target.want {
            None => true,
            Some(want) => Stored::parse(text, want).is_ok(),
        };
        if !is_valid {
            return self.fail("no valid lease: refused");
        }
        let free = free_bytes(&reading.text).or_else(|| self.config.free_bytes());
        if let Some(free) = free
            && let Err(need) = check_space(target.growth(reading), free)
        {
            let address = String::from_utf8_lossy(text);
            return self.fail(format_args!(
                "no room in NVRAM: {need} bytes needed for {address}, {free} left"
            ));
        }
        Ok(())
    }

    /// Runs commands and commits.
    fn write(
        &mut self,
        target: &mut Target,
        commands: &[Vec<u8>],
    ) -> ScriptResult<Result<(), NotStored>> {
        let one_command = target.one_command;
        let mut words: Vec<&[u8]> = commands.iter().map(Vec::as_slice).collect();
        if one_command {
            for command in words.chunks(2) {
                if self.command(command)?.code != 0 {
                    return Ok(Err(NotStored::Missing));
                }
            }
            words.clear();
        }
        words.push(b"commit");
        let mut code = self.command(&words)?.code;
        let reading = self.read_all(target, false)?;
        if !target.is_stored(&reading) {
            return Ok(Err(NotStored::Missing));
        }
        if target.one_command != one_command {
            // The tool did the first command only.
            code = self.command(&[b"commit"])?.code;
        }
        Ok(if code == 0 { Ok(()) } else { Err(NotStored::Uncommitted) })
    }

    /// The record for the lease that dnsmasq reports, which may be invalid.
    fn want(&mut self, call: &Call, text: &[u8], old: &[u8]) -> Vec<u8> {
        let length = call.env.get("DNSMASQ_LEASE_LENGTH");
        let reported = length.or_else(|| call.env.get("DNSMASQ_LEASE_EXPIRES")).unwrap_or_default();
        // Until 2.51 a blank follows the number.
        let reported = reported.strip_suffix(b" ").unwrap_or(reported);
        let host = Some(call.arg(3)).filter(|host| is_host(host)).unwrap_or(b"*");
        let (second, id) = if text.contains(&b':') {
            (call.env.get("DNSMASQ_IAID").unwrap_or_default(), call.arg(1))
        } else {
            let id = call.env.get("DNSMASQ_CLIENT_ID").filter(|id| is_client_id(id));
            (call.arg(1), id.unwrap_or(b"*"))
        };
        let mut expiry = reported.to_vec();
        let slack = slack(&mut self.output, self.config);
        if length.is_none()
            && let Some(reported) = time(reported)
        {
            let stored = old.split(|c| *c == b' ').next().and_then(time);
            expiry = add_slack(slack, reported, stored).to_string().into_bytes();
        }
        [&expiry, second, text, host, id].join(&b' ')
    }
}

/// How often a variable occurs in `show`: more than once if one of its lines is part of another value.
fn occurrences(show: &[u8], name: &[u8]) -> usize {
    let start = [name, b"="].concat();
    lines(show).filter(|line| line.starts_with(&start)).count()
}

/// The record for the lease that dnsmasq reports.
pub(crate) fn compose(
    output: &mut Output,
    config: &Config,
    call: &Call,
    address: Address,
    stored: Option<&[u8]>,
) -> ScriptResult<Vec<u8>> {
    let length = call.env.get("DNSMASQ_LEASE_LENGTH");
    let reported = length.or_else(|| call.env.get("DNSMASQ_LEASE_EXPIRES"));
    // Until 2.51 a blank follows the number.
    let number = reported.map(|text| text.strip_suffix(b" ").unwrap_or(text));
    let Some(mut expiry) = number.and_then(time) else {
        return output.fail("no lease time: refused");
    };
    let host = Some(call.arg(3)).filter(|host| is_host(host)).unwrap_or(b"*");
    let (second, id) = match address {
        Address::V4(_) => {
            if !is_hardware(call.arg(1)) {
                return output.fail("hardware address is not hexadecimal: refused");
            }
            let id = call.env.get("DNSMASQ_CLIENT_ID").filter(|id| is_client_id(id));
            (call.arg(1), id.unwrap_or(b"*"))
        }
        Address::V6(_) => {
            if !is_client_id(call.arg(1)) {
                return output.fail("DUID is not hexadecimal: refused");
            }
            let Some(iaid) = call.env.get("DNSMASQ_IAID").filter(|iaid| is_iaid(iaid)) else {
                return output.fail("IAID is no 32-bit number: refused");
            };
            (iaid, call.arg(1))
        }
    };
    if length.is_none() {
        let stored = stored.and_then(|value| Record::parse(address, call.arg(2), value).ok());
        expiry = add_slack(slack(output, config), expiry, stored.map(|record| record.time));
    }
    Ok([expiry.to_string().as_bytes(), second, call.arg(2), host, id].join(&b' '))
}

/// The value of `LEASE_SLACK`.
fn slack(output: &mut Output, config: &Config) -> u64 {
    config.slack.unwrap_or_else(|| {
        output.warn("LEASE_SLACK is no number: 0 taken");
        0
    })
}

/// The time to store for an expiry: the stored time if it is in [expiry, expiry + slack], otherwise expiry + slack.
fn add_slack(slack: u64, expiry: u64, stored: Option<u64>) -> u64 {
    if expiry == 0 || slack == 0 {
        return expiry;
    }
    let latest = LAST_TIME.min(expiry + slack);
    stored.filter(|stored| (expiry..=latest).contains(stored)).unwrap_or(latest)
}

/// The line with the DUID of the server, which dnsmasq reports with a DHCPv6 lease.
pub(crate) fn server_duid(call: &Call, address: Address) -> Option<Vec<u8>> {
    matches!(address, Address::V6(_)).then(|| reported_duid(call)).flatten()
}

fn reported_duid(call: &Call) -> Option<Vec<u8>> {
    let line = [b"duid ", call.env.get("DNSMASQ_SERVER_DUID")?].concat();
    is_duid_line(&line).then_some(line)
}
