//! `leaselab leases stats`.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::net::Ipv4Addr;
use std::path::PathBuf;

use lease_formats::dhcpd::{BindingState, Date, Declaration, Declared, History};
use lease_formats::exchange::Database;

use super::clock;
use super::filter::written;
use super::input_options::InputOptions;
use super::print::print;
use crate::error::CommandError;
use crate::exit::Exit;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The lease file
    file: PathBuf,
    #[command(flatten)]
    input: InputOptions,
}

/// Rows of the table of leases over time.
const ROWS: i64 = 24;
/// Characters of its longest bar.
const BAR: usize = 50;

pub(super) fn run(args: &Args) -> Result<Exit, CommandError> {
    let mut loaded = args.input.load_with(&args.file, Some(History::All))?;
    loaded.explain();
    let database = loaded.take_database().unwrap_or_default();
    let pools = args.input.options()?.config.map(|config| config.pools()).unwrap_or_default();
    print(|out| {
        states(&database, out)?;
        by_pool(&database, &pools, out)?;
        match loaded.declarations() {
            Some(declarations) => over_time(
                declarations.into_iter().map(|entry| entry.declaration),
                args.input.now(),
                out,
            ),
            None => Ok(()),
        }
    })?;
    Ok(Exit::Passed)
}

fn states(database: &Database, out: &mut dyn Write) -> io::Result<()> {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    let four = database.leases.iter().map(|lease| lease.state);
    for state in four.chain(database.bindings.iter().map(|binding| binding.held.state)) {
        *counts.entry(state.name()).or_default() += 1;
    }
    for (state, count) in counts {
        writeln!(out, "{state:<12} {count:>8}")?;
    }
    Ok(())
}

/// Counts by the ranges of the configuration, or without one by networks of 256 addresses.
fn by_pool(
    database: &Database,
    pools: &[(Ipv4Addr, Ipv4Addr)],
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut counts: BTreeMap<(u32, u32), (u64, u64)> =
        pools.iter().map(|(low, high)| ((u32::from(*low), u32::from(*high)), (0, 0))).collect();
    for lease in &database.leases {
        let address = u32::from(lease.address);
        let pool = if pools.is_empty() {
            Some((address & !255, address | 255))
        } else {
            counts.keys().copied().find(|(low, high)| (*low..=*high).contains(&address))
        };
        let Some(pool) = pool else { continue };
        let count = counts.entry(pool).or_default();
        count.0 += 1;
        count.1 += u64::from(lease.state == BindingState::Active);
    }
    if !counts.is_empty() {
        writeln!(out, "\n{:<33} {:>9} {:>8} {:>8}", "POOL", "ADDRESSES", "RECORDS", "ACTIVE")?;
    }
    for ((low, high), (records, active)) in counts {
        let pool = format!("{} - {}", Ipv4Addr::from(low), Ipv4Addr::from(high));
        let size = u64::from(high - low) + 1;
        writeln!(out, "{pool:<33} {size:>9} {records:>8} {active:>8}")?;
    }
    Ok(())
}

/// Prints the number of active leases over time, from the times in the declarations.
fn over_time<'a>(
    declarations: impl Iterator<Item = &'a Declaration>,
    now: i64,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut changes: Vec<(i64, usize, bool, i64)> = Vec::new();
    let mut places: BTreeMap<Vec<u8>, usize> = BTreeMap::new();
    let mut record = |key: Vec<u8>, time: i64, active: bool, ends: Date| {
        let next = places.len();
        let place = *places.entry(key).or_insert(next);
        if time > 0 {
            changes.push((time, place, active, if ends.is_never() { i64::MAX } else { ends.0 }));
        }
    };
    for declaration in declarations {
        match &declaration.what {
            Declared::Lease(lease) => {
                let active = lease.state == BindingState::Active;
                record(lease.address.octets().to_vec(), written(lease), active, lease.ends);
            }
            Declared::Ia(ia) => {
                for held in &ia.addresses {
                    let key = held.address.octets().to_vec();
                    record(key, ia.cltt.0, held.state == BindingState::Active, held.ends);
                }
            }
            Declared::ServerDuid => {}
        }
    }
    // A client or server whose clock was wrong would stretch the table over decades.
    if changes.iter().any(|(time, ..)| *time <= now) {
        changes.retain(|(time, ..)| *time <= now);
    }
    // Records of the same second stay in the order of the file.
    changes.sort_by_key(|(time, ..)| *time);
    let (Some(first), Some(last)) = (changes.first(), changes.last()) else { return Ok(()) };
    let (first, last) = (first.0, last.0);
    let step = ((last - first) / ROWS).max(60);
    writeln!(out, "\n{:<20} {:>8}", "TIME", "ACTIVE")?;
    let mut held: Vec<Option<i64>> = vec![None; places.len()];
    let mut rows = Vec::new();
    let mut next = changes.iter().peekable();
    let mut time = first;
    while time <= last {
        while let Some((_, place, active, ends)) = next.next_if(|change| change.0 <= time) {
            held[*place] = active.then_some(*ends);
        }
        rows.push((time, held.iter().flatten().filter(|ends| **ends > time).count()));
        time += step;
    }
    let most = rows.iter().map(|(_, count)| *count).max().unwrap_or(1).max(1);
    for (time, count) in rows {
        let bar = "#".repeat(count * BAR / most);
        writeln!(out, "{:<20} {count:>8} {bar}", clock::shown(Date(time)))?;
    }
    Ok(())
}
