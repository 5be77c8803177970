//! Reads the lease database like lease.c `read_leases`: as tokens of limited width, not as lines.

use std::net::IpAddr;
use std::sync::Arc;

use super::c_numbers::{atol, inet_addr, strtoul};
use super::clock::Build;
use super::config::ServerConfig;
use super::db::LeaseDb;
use super::hw_addr::{CHADDR_MAX, ETHER, HwAddr};
use super::ia_kind::IaKind;
use super::init::StartFailure;
use super::lease::{Flags, LeaseKind};
use super::names::c_string;
use super::parse_hex::{TypePrefix, parse_stored_hex};
use super::rules::{InitParser, StoredLeaseLimit};
use super::stale_buffers::StalePacket;
use super::tokens::Tokens;

/// The results of `read_leases` besides the leases.
#[derive(Debug)]
pub(crate) struct ReadResult {
    /// The server's DUID, if the text has a `duid` line.
    pub(crate) duid: Option<Vec<u8>>,
    /// The contents of the packet buffer.
    pub(crate) packet: StalePacket,
    /// The contents of the buffer that holds the last name, or the command if no name was read.
    pub(crate) name: Vec<u8>,
}

/// The tokens of one lease.
struct StoredLease<'a> {
    hardware: &'a [u8],
    addr: IpAddr,
    name: &'a [u8],
    id: &'a [u8],
    /// The first field as a number.
    time: i64,
}

/// Reads the output of `init` or a lease file into an empty database.
///
/// # Errors
/// Returns an error if there are too many leases (exit or crash), or a hardware address is not hexadecimal (crash).
pub(crate) fn read_leases(
    db: &mut LeaseDb,
    build: Build,
    config: &ServerConfig,
    text: &[u8],
    now: i64,
) -> Result<ReadResult, StartFailure> {
    let rules = *db.rules();
    let mut read = ReadResult {
        duid: None,
        packet: StalePacket::Raw(Arc::from(&b""[..])),
        name: [&config.script[..], b" init"].concat(),
    };
    let mut tokens = Tokens::new(text);
    if rules.init_parser == InitParser::Scanf {
        while let Some(time) = tokens.next_number()
            && let (Some(hardware), Some(addr), Some(name), Some(id)) =
                (tokens.next(255), tokens.next(16), tokens.next(255), tokens.next(764))
        {
            // `%lu` saturates at 2^64 - 1, which is -1 as time_t.
            let expires = strtoul(time) as i64;
            let addr = IpAddr::V4(inet_addr(c_string(addr)));
            let stored = StoredLease { hardware, addr, name, id, time: expires };
            add_lease(db, build, config, &mut read, &stored, now)?;
        }
        return Ok(read);
    }
    while let (Some(time), Some(hardware)) = (tokens.next(255), tokens.next(255)) {
        if c_string(time) == b"duid" {
            let mut hex = hardware.to_vec();
            let parsed = parse_stored_hex(&mut hex, 130, TypePrefix::Rejected, rules.hex_syntax);
            let Some(parsed) = parsed else { break };
            hex.truncate(parsed.len);
            read.duid = Some(hex);
            read.packet = StalePacket::Raw(Arc::from(&b""[..]));
            continue;
        }
        if rules.reads_leasequery_lines && matches!(c_string(time), b"vendorclass" | b"agent-info")
        {
            tokens.next(764);
            continue;
        }
        let (Some(addr), Some(name), Some(id)) =
            (tokens.next(64), tokens.next(255), tokens.next(764))
        else {
            break;
        };
        read.packet = StalePacket::Raw(Arc::from(c_string(id)));
        let text = String::from_utf8_lossy(c_string(addr)).into_owned();
        let addr = match text.parse::<IpAddr>() {
            Ok(IpAddr::V4(_)) if limit_ends_reading(db) => break,
            Ok(addr) => addr,
            // "ignoring invalid line in lease database, bad address"
            Err(_) if rules.init_parser == InitParser::Tokens => continue,
            Err(_) => break,
        };
        let stored = StoredLease { hardware, addr, name, id, time: atol(c_string(time)) };
        add_lease(db, build, config, &mut read, &stored, now)?;
    }
    Ok(read)
}

/// Returns whether `lease4_allocate` returns NULL, which `lease_init` treats like an invalid address.
fn limit_ends_reading(db: &LeaseDb) -> bool {
    db.leases_left() == 0 && db.rules().stored_lease_limit == StoredLeaseLimit::EndsReading
}

/// Adds one lease to the database.
fn add_lease(
    db: &mut LeaseDb,
    build: Build,
    config: &ServerConfig,
    read: &mut ReadResult,
    stored: &StoredLease<'_>,
    now: i64,
) -> Result<(), StartFailure> {
    let rules = *db.rules();
    let (addr, expires) = (stored.addr, stored.time);
    let mut id = c_string(stored.id).to_vec();
    let mut hardware = c_string(stored.hardware).to_vec();
    let too_many = || match rules.stored_lease_limit {
        StoredLeaseLimit::Crashes => StartFailure::SEGMENTATION_FAULT,
        StoredLeaseLimit::Exits | StoredLeaseLimit::EndsReading => {
            StartFailure::exit(&rules, 5, "too many stored leases".to_owned())
        }
    };
    let (slot, hw) = match addr {
        IpAddr::V4(_) => {
            let slot = db.allocate(addr, LeaseKind::V4);
            let parsed =
                parse_stored_hex(&mut hardware, CHADDR_MAX, TypePrefix::Allowed, rules.hex_syntax);
            let Some(hex) = parsed else {
                return Err(slot.map_or_else(too_many, |_| StartFailure::ABORT));
            };
            let kind = if hex.kind == 0 && hex.len != 0 { ETHER } else { hex.kind };
            (slot, HwAddr::new(kind, &hardware[..hex.len]))
        }
        IpAddr::V6(_) => {
            let (kind, iaid) = IaKind::split_iaid(&hardware);
            let slot = db.allocate(addr, LeaseKind::V6(kind));
            if let Some(slot) = slot {
                db.set_iaid(slot, strtoul(iaid) as u32);
            }
            (slot, HwAddr::new(0, &[]))
        }
    };
    let slot = slot.ok_or_else(too_many)?;
    let mut clid = None;
    let mut bad_id = false;
    if id != b"*" {
        match parse_stored_hex(&mut id, 255, TypePrefix::Rejected, rules.hex_syntax) {
            Some(hex) => clid = Some(Arc::from(&id[..hex.len])),
            // Length -1: the flag is set, then the allocation fails and the client identifier is dropped.
            None => bad_id = true,
        }
        read.packet = StalePacket::Raw(Arc::from(&id[..]));
    }
    db.set_hwaddr(slot, &hw, clid.as_ref());
    if bad_id {
        db.flag(slot, Flags::AUX_CHANGED);
    }
    let name = c_string(stored.name);
    read.name = name.to_vec();
    if name != b"*" {
        let mut name = name.to_vec();
        if rules.stored_star_is_space {
            name.iter_mut().filter(|byte| **byte == b'*').for_each(|byte| *byte = b' ');
        }
        let domain = config.domain_of(addr).filter(|_| rules.domains_while_reading);
        db.set_hostname(slot, &name, false, domain);
    }
    match build {
        Build::NoRtc => {
            db.put_expires(slot, if expires == 0 { 0 } else { expires.wrapping_add(now) });
            db.get_mut(slot).length = expires as u32;
        }
        Build::Rtc => db.put_expires(slot, expires),
    }
    db.clear_read_flags(slot);
    Ok(())
}
