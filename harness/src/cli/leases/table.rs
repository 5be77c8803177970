//! Leases as a table or as CSV.

use std::io::{self, Write};
use std::str::FromStr;

use dnsmasq_model::hex_text;
use lease_formats::dhcpd::{Date, Lease};
use lease_formats::exchange::{Binding, Database};

use super::clock;
use super::text::{prefixed, safe};

/// A column of the output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Column {
    Address,
    State,
    Starts,
    Ends,
    Cltt,
    Hardware,
    /// The client identifier, or the DUID of a DHCPv6 client.
    ClientId,
    Iaid,
    HostName,
    /// A field that only one format has, with the name of the format: `kea.subnet_id`.
    Further(String),
}

/// The columns of CSV if none are named.
const ALL: [Column; 9] = [
    Column::Address,
    Column::State,
    Column::Starts,
    Column::Ends,
    Column::Cltt,
    Column::Hardware,
    Column::ClientId,
    Column::Iaid,
    Column::HostName,
];

impl Column {
    /// The name in the first line of CSV.
    fn name(&self) -> &str {
        match self {
            Self::Address => "address",
            Self::State => "state",
            Self::Starts => "starts",
            Self::Ends => "ends",
            Self::Cltt => "cltt",
            Self::Hardware => "hardware",
            Self::ClientId => "client_id",
            Self::Iaid => "iaid",
            Self::HostName => "hostname",
            Self::Further(name) => name,
        }
    }
}

impl FromStr for Column {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let plain = text.replace('-', "_");
        if plain == "duid" {
            return Ok(Self::ClientId);
        }
        if text.contains('.') {
            return Ok(Self::Further(text.to_owned()));
        }
        let names: Vec<&str> = ALL.iter().map(Column::name).collect();
        ALL.iter().find(|column| column.name() == plain).cloned().ok_or_else(|| {
            format!(
                "expected {}, duid, or a field of a format, such as kea.subnet_id",
                names.join(", ")
            )
        })
    }
}

/// A lease of either protocol.
#[derive(Clone, Copy)]
enum Row<'a> {
    Four(&'a Lease),
    Six(&'a Binding),
}

fn rows(database: &Database) -> impl Iterator<Item = Row<'_>> {
    let four = database.leases.iter().map(Row::Four);
    four.chain(database.bindings.iter().map(Row::Six))
}

impl Row<'_> {
    /// The text of a column; `date` formats dates.
    fn text(self, column: &Column, database: &Database, date: fn(Date) -> String) -> String {
        match (column, self) {
            (Column::Address, Self::Four(lease)) => lease.address.to_string(),
            (Column::Address, Self::Six(binding)) => prefixed(binding),
            (Column::State, Self::Four(lease)) => lease.state.to_string(),
            (Column::State, Self::Six(binding)) => binding.held.state.to_string(),
            (Column::Starts, Self::Four(lease)) => date(lease.starts),
            (Column::Starts, Self::Six(_)) | (Column::Iaid, Self::Four(_)) => String::new(),
            (Column::Ends, Self::Four(lease)) => date(lease.ends),
            (Column::Ends, Self::Six(binding)) => date(binding.held.ends),
            (Column::Cltt, Self::Four(lease)) => date(lease.cltt),
            (Column::Cltt, Self::Six(binding)) => date(binding.cltt),
            (
                Column::Hardware,
                Self::Four(Lease { hardware, .. }) | Self::Six(Binding { hardware, .. }),
            ) => hardware.as_ref().map(ToString::to_string).unwrap_or_default(),
            (Column::ClientId, Self::Four(lease)) => hex_text(&lease.uid),
            (Column::ClientId, Self::Six(binding)) => hex_text(&binding.duid),
            (Column::Iaid, Self::Six(binding)) => binding.iaid.to_string(),
            (
                Column::HostName,
                Self::Four(Lease { hostname, .. }) | Self::Six(Binding { hostname, .. }),
            ) => safe(hostname.as_ref()),
            (Column::Further(name), _) => {
                let address = match self {
                    Self::Four(lease) => lease.address.into(),
                    Self::Six(binding) => binding.held.address.into(),
                };
                let value = database.further.get(address, name);
                value.map(|value| value.escape_ascii().to_string()).unwrap_or_default()
            }
        }
    }
}

/// A table for each protocol, with the most important columns.
pub(super) fn by_protocol(database: &Database, out: &mut dyn Write) -> io::Result<()> {
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

/// A table of the given columns.
pub(super) fn of_columns(
    database: &Database,
    columns: &[Column],
    out: &mut dyn Write,
) -> io::Result<()> {
    let head = columns.iter().map(|column| column.name().to_uppercase()).collect();
    let cell = |row: Row<'_>, column| match row.text(column, database, clock::shown) {
        text if text.is_empty() => "-".to_owned(),
        text => text,
    };
    let body = rows(database).map(|row| columns.iter().map(|column| cell(row, column)).collect());
    let lines: Vec<Vec<String>> = std::iter::once(head).chain(body).collect();
    let width = |at: usize| lines.iter().map(|line| line[at].len()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns.len()).map(width).collect();
    for line in &lines {
        let cells = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        writeln!(out, "{}", cells.collect::<Vec<_>>().join(" ").trim_end())?;
    }
    Ok(())
}

/// CSV of the given columns, or of all.
pub(super) fn csv(database: &Database, columns: &[Column], out: &mut dyn Write) -> io::Result<()> {
    let columns = if columns.is_empty() { &ALL[..] } else { columns };
    let date = |date: Date| match date {
        date if date.is_absent() => String::new(),
        date if date.is_never() => "never".to_owned(),
        date => date.0.to_string(),
    };
    let mut table = csv::Writer::from_writer(out);
    // A closed pipe must stay recognizable.
    let kept = |error: csv::Error| match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    };
    table.write_record(columns.iter().map(Column::name)).map_err(kept)?;
    for row in rows(database) {
        let cells = columns.iter().map(|column| row.text(column, database, date));
        table.write_record(cells).map_err(kept)?;
    }
    table.flush()
}
