//! `leaselab leases show`.

use std::path::PathBuf;

use lease_formats::dhcpd::{History, View};
use lease_formats::exchange::{Database, Format};

use super::filter::{LeaseFilter, as_of, expire};
use super::input_options::InputOptions;
use super::json_writer;
use super::loaded::{Content, Loaded};
use super::print::print;
use super::table::{self, Column};
use crate::error::CommandError;
use crate::exit::Exit;
use crate::shown::Shown as _;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The lease file, a folder with memfiles of Kea, or - for standard input
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
    /// Columns of the table or of the CSV: address, state, starts, ends, cltt, hardware, client-id, iaid, hostname, or
    /// the name of a field of one format, such as kea.subnet_id
    #[arg(long, value_name = "COLUMN", value_delimiter = ',', conflicts_with = "json")]
    columns: Vec<Column>,
}

pub(super) fn run(args: &Args) -> Result<Exit, CommandError> {
    let history = args.filter.at.map(|_| History::All);
    // Whether a lease without a state was active depends on the time.
    let input = InputOptions { now: args.filter.at.or(args.input.now), ..args.input.clone() };
    let mut loaded = input.load_with(&args.file, history)?;
    loaded.explain();
    if let (Content::Journal(reading), true, true) =
        (&loaded.content, args.json, args.filter.is_all())
        && reading.view != View::Salvage
    {
        print(|mut out| reading.write_json(&mut out))?;
        return Ok(Exit::Passed);
    }
    let verdict = match &loaded.content {
        Content::Journal(reading) => Some(reading.verdict.to_string()),
        Content::Other(_) => None,
    };
    // A lease that was held at the time of --at had not ended then.
    let now = (!args.filter.as_recorded && args.filter.at.is_none()).then(|| args.input.now());
    let database = match args.filter.at {
        Some(at) => Some(database_at(&args.file, &mut loaded, at)?),
        None => loaded.take_database(),
    };
    let database = database.map(|mut database| {
        if let Some(now) = now.filter(|_| !args.json) {
            expire(&mut database, now);
        }
        args.filter.retain(&mut database);
        database
    });
    print(|out| match &database {
        _ if args.json => json_writer::write(database.as_ref(), verdict.as_deref(), now, out),
        None => writeln!(out, "dhcpd {}", verdict.unwrap_or_default()),
        Some(database) if args.csv => table::csv(database, &args.columns, out),
        Some(database) if args.columns.is_empty() => table::by_protocol(database, out),
        Some(database) => table::of_columns(database, &args.columns, out),
    })?;
    Ok(Exit::Passed)
}

/// The leases that were held at a time. A file that is not a journal has only its last state.
fn database_at(
    path: &std::path::Path,
    loaded: &mut Loaded,
    at: i64,
) -> Result<Database, CommandError> {
    match loaded.declarations() {
        Some(declarations) => {
            let whole_associations = loaded.format == Format::Dhcpd;
            Ok(as_of(declarations, at, whole_associations))
        }
        None => loaded.take_database().ok_or_else(|| {
            CommandError::Usage(format!("{}: no lease would be kept", path.shown()))
        }),
    }
}
