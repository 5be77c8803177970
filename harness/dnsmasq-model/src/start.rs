//! The start of dnsmasq (lease.c `lease_init`, and dnsmasq.c `main` before its loop).

use std::sync::Arc;

use super::clock::Build;
use super::config::ServerConfig;
use super::db::LeaseDb;
use super::init::{InitResult, InitStatus, StartFailure};
use super::network::Network;
use super::pending_call::CallContext;
use super::process::Process;
use super::read::read_leases;
use super::rules::{InterfaceKnowledge, Rules};
use super::stale_buffers::StaleBuffers;

/// `EC_INIT_OFFSET` of config.h, which is added to the exit code of `init`.
const INIT_OFFSET: u8 = 10;
/// 2000-01-01 in seconds since 1970: the epoch of a DUID-LLT (RFC 8415, section 11.2).
const DUID_EPOCH: i64 = 946_684_800;

/// Starts dnsmasq with the leases in the output of `init` or in the lease file.
///
/// # Errors
/// Returns an error if dnsmasq exits with code 1, 3, 5 or 10 + r, or crashes.
pub(crate) fn start(
    build: Build,
    config: Arc<ServerConfig>,
    network: &Network,
    lease_file: &[u8],
    init: &InitResult,
    now: i64,
) -> Result<Process, StartFailure> {
    config.check_after_init()?;
    let rules = Rules::of(config.release);
    let mut db = LeaseDb::new(build, rules, config.fqdn, config.lease_max);
    let by_script = config.lease_ro;
    let text = match (by_script, config.script.is_empty()) {
        (true, true) => &[][..],
        (true, false) => &init.stdout[..],
        (false, _) => lease_file,
    };
    let read = read_leases(&mut db, build, &config, text, now)?;
    if by_script && !config.script.is_empty() {
        check_init(init.status, &config, &rules)?;
    }
    db.dirty = false;
    db.prune_expired(now);
    let mut duid = read.duid;
    let duid_was_stored = duid.is_some();
    if duid.is_none() && !config.ranges6.is_empty() {
        db.dirty = true;
        duid = Some(make_duid(build, &config, network, now));
    }
    if !rules.domains_while_reading {
        db.calc_fqdns(|addr| config.domain_of(addr));
    }
    let context = CallContext {
        build,
        rules,
        script: config.script_name().to_vec(),
        interfaces: (0..=network.others.len() as u8)
            .map(|number| network.name(number, &config.interface).to_vec())
            .collect(),
        server_duid: duid.unwrap_or_default(),
        duid_was_stored,
        log_dhcp: config.log_dhcp,
    };
    let stale = StaleBuffers { packet: read.packet, argument: read.name };
    let mut process = Process::new(config, db, context, stale);
    if rules.interface == InterfaceKnowledge::AtStart {
        process.find_interfaces(network);
    }
    Ok(process)
}

/// Handles the status of pclose() (lease.c `lease_init`).
fn check_init(
    status: InitStatus,
    config: &ServerConfig,
    rules: &Rules,
) -> Result<(), StartFailure> {
    let script = String::from_utf8_lossy(&config.script);
    let cannot = |why: &str| {
        let message = format!("cannot run lease-init script {script}: {why}");
        Err(StartFailure::exit(rules, 3, message))
    };
    match status {
        // WEXITSTATUS of a shell that was killed by a signal is 0.
        InitStatus::Code(0) | InitStatus::Signal(_) => Ok(()),
        InitStatus::Code(126) => cannot("Permission denied"),
        InitStatus::Code(127) => cannot("No such file or directory"),
        InitStatus::Code(code) => Err(StartFailure::exit(
            rules,
            code.wrapping_add(INIT_OFFSET),
            format!("lease-init script returned exit code {code}"),
        )),
    }
}

/// Generates the server's DUID (dhcp6.c `make_duid`): link-layer address plus time, or only the address if there is no
/// real-time clock or no stored database.
fn make_duid(build: Build, config: &ServerConfig, network: &Network, now: i64) -> Vec<u8> {
    let persistent = build == Build::Rtc && (!config.lease_ro || !config.script.is_empty());
    let time = if persistent { now.wrapping_sub(DUID_EPOCH) } else { 0 };
    let mut duid = if time == 0 { vec![0, 3, 0, 1] } else { vec![0, 1, 0, 1] };
    if time != 0 {
        duid.extend_from_slice(&(time as u32).to_be_bytes());
    }
    duid.extend_from_slice(&network.mac);
    duid
}
