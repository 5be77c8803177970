//! The report as a table.

use std::fmt::Write as _;

use super::limits::Limits;
use super::study::{Calls, Method, RowResult, Simulation, Study, StudyRow};
use super::yearly_wear::{YearlyWear, format_years};
use scenario::{Bytes, Seconds, quantity};

/// The width of the names before the columns of numbers, in characters.
const NAMES: usize = 24;

/// A column of the table of rates.
struct Column {
    title: &'static str,
    width: usize,
    /// Whether the column is omitted on a narrow terminal.
    is_detail: bool,
    cell: fn(&YearlyWear) -> String,
}

const COLUMNS: [Column; 9] = [
    Column { title: "calls/y", width: 9, is_detail: true, cell: |y| format!("{:.0}", y.calls) },
    Column { title: "nvram/y", width: 10, is_detail: true, cell: |y| format!("{:.0}", y.commands) },
    Column {
        title: "commits/y",
        width: 10,
        is_detail: false,
        cell: |y| format!("{:.0}", y.commits),
    },
    Column { title: "erases/y", width: 10, is_detail: false, cell: |y| format!("{:.0}", y.erases) },
    Column {
        title: "MB/y",
        width: 9,
        is_detail: false,
        cell: |y| format!("{:.1}", y.programmed / 1e6),
    },
    Column {
        title: "amplify",
        width: 8,
        is_detail: true,
        cell: |y| format!("{:.0}", y.amplification),
    },
    Column { title: "busy s/y", width: 9, is_detail: true, cell: |y| format!("{:.1}", y.busy) },
    Column { title: "fatal s/y", width: 10, is_detail: false, cell: |y| format!("{:.1}", y.fatal) },
    Column { title: "life", width: 11, is_detail: false, cell: |y| format_years(y.years) },
];

/// Returns the report as text whose lines have at most `width` characters. A smaller `width` than 80 counts as 80. A
/// wide table has more columns.
pub fn table(study: &Study, results: &[RowResult], width: usize) -> String {
    let width = width.max(80);
    let mut out = String::new();
    if let Calls::Simulated(simulation) = &study.calls {
        describe_household(&mut out, simulation);
    }
    describe_router(&mut out, study, width);
    write_rates(&mut out, study, results, width);
    write_limits(&mut out, results, study.routers.len() > 1);
    write_notes(&mut out, results, width);
    out
}

fn write_rates(out: &mut String, study: &Study, results: &[RowResult], width: usize) {
    let all: usize = NAMES + COLUMNS.iter().map(|column| column.width).sum::<usize>();
    let columns: Vec<&Column> =
        COLUMNS.iter().filter(|column| all <= width || !column.is_detail).collect();
    let _ = write!(out, "\n{:<6} {:<17}", "rtc", "script");
    for column in &columns {
        let _ = write!(out, "{:>1$}", column.title, column.width);
    }
    out.push('\n');
    let several_routers = study.routers.len() > 1;
    let (mut last_workload, mut last_router) = (None, None);
    for row in results.iter().flatten() {
        if several_routers && last_router != Some((row.dialect, row.chip)) {
            let _ = writeln!(out, "{} on {}", row.dialect, row.chip);
            last_router = Some((row.dialect, row.chip));
            last_workload = None;
        }
        if let Some(workload) = row.workload.as_ref().filter(|label| last_workload != Some(*label))
        {
            let (length, every) = (Seconds(row.wear.seconds), Seconds(row.every));
            let _ = writeln!(out, "{workload}: {length}, repeated every {every}");
            last_workload = Some(workload);
        }
        let _ = write!(out, "{:<6} {:<17}", row.rtc, row.script);
        for column in &columns {
            let _ = write!(out, "{:>1$}", (column.cell)(&row.yearly), column.width);
        }
        out.push('\n');
        for remark in remarks(row) {
            let _ = writeln!(out, "       {remark}");
        }
    }
    for router in results.iter().filter_map(|result| result.as_ref().err()) {
        let text = format!("{} on {}: {}", router.dialect, router.chip, router.error);
        push_wrapped(out, "", &text, width);
    }
}

/// Returns the remarks below a row.
fn remarks(row: &StudyRow) -> Vec<String> {
    let wear = &row.wear;
    let mut remarks = Vec::new();
    if row.nvram_full {
        remarks.push("NVRAM full".to_owned());
    }
    if wear.failed > 0 {
        remarks.push(format!("{} of {} refused", wear.failed, quantity(wear.calls, "call")));
    }
    if wear.lost > 0 {
        remarks.push(format!("{} lost", quantity(wear.lost, "other setting")));
    }
    if wear.unserved > 0 {
        let requests = quantity(wear.unserved, "request");
        remarks.push(format!("{requests} without an address: all of them are leased"));
    }
    remarks
}

fn describe_household(out: &mut String, simulation: &Simulation) {
    let h = &simulation.household;
    let time = |seconds: u32| Seconds(u64::from(seconds)).to_string();
    let _ = writeln!(
        out,
        "household  {}, {} ({} here, {} away), {} a month ({})",
        quantity(h.clients, "client"),
        quantity(h.phones, "phone"),
        time(h.phone_home),
        time(h.phone_away),
        quantity(h.guests, "guest"),
        time(h.guest_stay),
    );
    if h.random_macs {
        out.push_str("           phones return with a new random hardware address\n");
    }
    let _ = writeln!(
        out,
        "           leases of {}, renewed at half that, give or take {}.{} %",
        time(h.lease_time),
        h.jitter / 10,
        h.jitter % 10,
    );
    if h.pool.is_some() || h.lease_max.is_some() {
        let number = |n: Option<u32>| n.map_or_else(|| "enough".to_owned(), |n| n.to_string());
        let _ = writeln!(
            out,
            "           addresses: {}; dhcp-lease-max: {}",
            number(h.pool),
            number(h.lease_max)
        );
    }
    let _ = writeln!(
        out,
        "           {} and {} a month, {} a year, off for {}",
        quantity(h.reboots, "reboot"),
        quantity(h.sighups, "SIGHUP"),
        quantity(h.power_cuts, "power cut"),
        time(h.off)
    );
    let _ = writeln!(
        out,
        "simulated  {} of it, seed {}{}",
        Seconds(simulation.seconds),
        simulation.seed,
        if simulation.method == Method::Execute { ", every call executed" } else { "" }
    );
}

fn describe_router(out: &mut String, study: &Study, width: usize) {
    if let [only] = &study.routers[..] {
        let space = Bytes(u64::from(only.space));
        let text = format!(
            "{} on {}, {space} of NVRAM; {}",
            only.dialect, only.chip.name, only.chip.source
        );
        push_wrapped(out, "flash      ", &text, width);
    }
}

fn write_limits(out: &mut String, results: &[RowResult], several_routers: bool) {
    let rows: Vec<(&StudyRow, Limits)> =
        results.iter().flatten().filter_map(|row| Some((row, row.limits?))).collect();
    if rows.is_empty() {
        return;
    }
    out.push_str("\nlife is less than 10 or 5 years from this number of clients on, or with lease\ntimes up to\n");
    let _ = writeln!(
        out,
        "{:<6} {:<17} {:>11} {:>11} {:>12} {:>12}",
        "rtc", "script", "10: clients", "5: clients", "10: lease", "5: lease"
    );
    let clients = |n: Option<u32>| n.map_or_else(|| "-".to_owned(), |n| n.to_string());
    let lease =
        |n: Option<u32>| n.map_or_else(|| "-".to_owned(), |n| Seconds(u64::from(n)).to_string());
    let mut last_router = None;
    for (row, limits) in rows {
        if several_routers && last_router != Some((row.dialect, row.chip)) {
            let _ = writeln!(out, "{} on {}", row.dialect, row.chip);
            last_router = Some((row.dialect, row.chip));
        }
        let _ = writeln!(
            out,
            "{:<6} {:<17} {:>11} {:>11} {:>12} {:>12}",
            row.rtc,
            row.script,
            clients(limits.clients_under_10),
            clients(limits.clients_under_5),
            lease(limits.lease_under_10),
            lease(limits.lease_under_5),
        );
    }
    out.push_str(
        "-: not with up to 1000 clients, or not with lease times of 2 minutes to a week\n",
    );
}

fn write_notes(out: &mut String, results: &[RowResult], width: usize) {
    out.push('\n');
    push_wrapped(
        out,
        "",
        "life: until the block with the most erases reaches the chip's rating, if nothing else erases it. fatal: a \
         power cut in these seconds loses all settings. Times are typical values of the data sheet; a month has 30 \
         days, a year 365.",
        width,
    );
    if results.iter().flatten().any(|row| row.nvram_full) {
        push_wrapped(
            out,
            "",
            "NVRAM full: there was more to store than fits, so every call was executed; see also `leaselab run \
             scenarios/full`.",
            width,
        );
    }
}

/// Appends `text` in lines of at most `width` characters. The first line begins with `name`; the others are indented by
/// the same width.
fn push_wrapped(out: &mut String, name: &str, text: &str, width: usize) {
    let indent = " ".repeat(name.len());
    let options = textwrap::Options::new(width).initial_indent(name).subsequent_indent(&indent);
    for line in textwrap::wrap(text, options) {
        let _ = writeln!(out, "{line}");
    }
}
