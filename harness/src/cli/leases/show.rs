//! `leaselab leases show`.

use dnsmasq_model::hex_text;
use std::io::{self, Write};
use std::path::PathBuf;

use lease_formats::dhcpd::{History, Lease};
use lease_formats::exchange::{Binding, Database};

use super::filter::{LeaseFilter, as_of};
use super::load::{Content, InputOptions};
use super::print::print;
use super::{clock, json};
use crate::error::CommandError;
use crate::exit::Exit;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The lease file
    file: PathBuf,
    #[command(flatten)]
    input: InputOptions,
    #[command(flatten)]
    filter: LeaseFilter,
    /// Print one JSON object: verdict, leases, ias
    #[arg(long, conflicts_with = "csv")]
    json: bool,
    /// Print CSV
    #[arg(long)]
    csv: bool,
}

pub(super) fn run(args: &Args) -> Result<Exit, CommandError> {
    let history = args.filter.at.map(|_| History::All);
    let loaded = args.input.load_with(&args.file, history)?;
    loaded.explain();
    if let (Content::Journal(reading), true, true) =
        (&loaded.content, args.json, args.filter.is_all())
    {
        print(|mut out| reading.write_json(&mut out))?;
        return Ok(Exit::Passed);
    }
    let verdict = match &loaded.content {
        Content::Journal(reading) => Some(reading.verdict.to_string()),
        Content::Other(_) => None,
    };
    let database = match (&loaded.content, args.filter.at) {
        (Content::Journal(reading), Some(at)) => Some(as_of(reading, at)),
        _ => loaded.database(),
    };
    let database = database.map(|mut database| {
        args.filter.retain(&mut database);
        database
    });
    print(|out| match &database {
        _ if args.json => json::write(database.as_ref(), verdict.as_deref(), out),
        None => writeln!(out, "dhcpd {}", verdict.unwrap_or_default()),
        Some(database) if args.csv => csv(database, out),
        Some(database) => table(database, out),
    })?;
    Ok(Exit::Passed)
}

/// Text of unknown bytes, safe for a terminal.
pub(super) fn safe(text: Option<&Vec<u8>>) -> String {
    text.map(|text| text.escape_ascii().to_string()).unwrap_or_default()
}

fn table(database: &Database, out: &mut dyn Write) -> io::Result<()> {
    if !database.leases.is_empty() {
        let heads = ["ADDRESS", "STATE", "ENDS", "HARDWARE", "NAME"];
        writeln!(
            out,
            "{:<15} {:<9} {:<20} {:<26} {}",
            heads[0], heads[1], heads[2], heads[3], heads[4]
        )?;
    }
    for lease in &database.leases {
        let hardware = lease.hardware.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string);
        let (address, ends) = (lease.address.to_string(), clock::shown(lease.ends));
        let (state, name) = (lease.state.name(), safe(lease.hostname.as_ref()));
        let line = format!("{address:<15} {state:<9} {ends:<20} {hardware:<26} {name}");
        writeln!(out, "{}", line.trim_end())?;
    }
    if !database.bindings.is_empty() {
        let heads = ["ADDRESS", "STATE", "ENDS", "IAID", "DUID"];
        writeln!(
            out,
            "{:<43} {:<9} {:<20} {:<10} {}",
            heads[0], heads[1], heads[2], heads[3], heads[4]
        )?;
    }
    for binding in &database.bindings {
        let ends = clock::shown(binding.held.ends);
        let (state, duid) = (binding.held.state.name(), hex_text(&binding.duid));
        let name = safe(binding.hostname.as_ref());
        let line = format!(
            "{:<43} {state:<9} {ends:<20} {:<10} {duid} {name}",
            prefixed(binding),
            binding.iaid
        );
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

/// The address, with the length of a prefix.
pub(super) fn prefixed(binding: &Binding) -> String {
    match binding.held.prefix_length {
        0 => binding.held.address.to_string(),
        length => format!("{}/{length}", binding.held.address),
    }
}

fn csv(database: &Database, out: &mut dyn Write) -> io::Result<()> {
    let mut table = csv::Writer::from_writer(out);
    table.write_record([
        "address",
        "state",
        "starts",
        "ends",
        "cltt",
        "hardware",
        "client_id",
        "iaid",
        "hostname",
    ])?;
    let time = |date: lease_formats::dhcpd::Date| match date {
        date if date.is_absent() => String::new(),
        date if date.is_never() => "never".to_owned(),
        date => date.0.to_string(),
    };
    for lease in &database.leases {
        let Lease { address, state, starts, ends, cltt, hardware, uid, hostname, .. } = lease;
        let hardware = hardware.as_ref().map(ToString::to_string).unwrap_or_default();
        table.write_record([
            address.to_string(),
            state.to_string(),
            time(*starts),
            time(*ends),
            time(*cltt),
            hardware,
            hex_text(uid),
            String::new(),
            safe(hostname.as_ref()),
        ])?;
    }
    for binding in &database.bindings {
        let hardware = binding.hardware.as_ref().map(ToString::to_string).unwrap_or_default();
        table.write_record([
            prefixed(binding),
            binding.held.state.to_string(),
            String::new(),
            time(binding.held.ends),
            time(binding.cltt),
            hardware,
            hex_text(&binding.duid),
            binding.iaid.to_string(),
            safe(binding.hostname.as_ref()),
        ])?;
    }
    table.flush()
}
