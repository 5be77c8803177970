//! The report as a table.

use std::fmt::Write as _;

use super::limits::Limits;
use super::study::{Method, RowResult, Study, StudyRow};
use super::yearly_wear::format_years;
use scenario::Seconds;

/// The report as text.
pub fn table(study: &Study, results: &[RowResult]) -> String {
    let mut out = if study.source.is_none() { describe_household(study) } else { String::new() };
    describe_router(&mut out, study);
    let several_routers = study.routers.len() > 1;
    out.push('\n');
    if several_routers {
        let _ = write!(out, "{:<16} {:<12} ", "dialect", "chip");
    }
    let _ = writeln!(
        out,
        "{:<6} {:<16} {:>10} {:>11} {:>10} {:>10} {:>9} {:>8} {:>9} {:>9} {:>10}",
        "rtc",
        "script",
        "calls/y",
        "nvram/y",
        "commits/y",
        "erases/y",
        "MB/y",
        "amplify",
        "busy s/y",
        "fatal s/y",
        "life"
    );
    let mut last_workload = None;
    for row in results.iter().flatten() {
        if let Some(workload) = row.workload.as_ref().filter(|label| last_workload != Some(*label))
        {
            let (length, every) = (Seconds(row.wear.seconds), Seconds(row.every));
            let _ = writeln!(out, "{workload}: {length}, repeated every {every}");
            last_workload = Some(workload);
        }
        if several_routers {
            let _ = write!(out, "{:<16} {:<12} ", row.dialect, row.chip);
        }
        let yearly = &row.yearly;
        let _ = writeln!(
            out,
            "{:<6} {:<16} {:>10.0} {:>11.0} {:>10.0} {:>10.0} {:>9.1} {:>8.0} {:>9.1} {:>9.1} {:>10}{}",
            row.rtc,
            row.script,
            yearly.calls,
            yearly.commands,
            yearly.commits,
            yearly.erases,
            yearly.programmed / 1e6,
            yearly.amplification,
            yearly.busy,
            yearly.fatal,
            format_years(yearly.years),
            remarks(row),
        );
    }
    for router in results.iter().filter_map(|result| result.as_ref().err()) {
        let _ = writeln!(out, "{:<16} {:<12} {}", router.dialect, router.chip, router.error);
    }
    write_limits(&mut out, results, several_routers);
    out.push_str(&notes(results));
    out
}

/// The remarks after the columns of a row.
fn remarks(row: &StudyRow) -> String {
    let mut out = String::new();
    if row.nvram_full {
        out.push_str("  NVRAM full");
    }
    if row.wear.failed > 0 {
        let _ = write!(out, "  {} of {} calls refused", row.wear.failed, row.wear.calls);
    }
    if row.wear.lost > 0 {
        let _ = write!(out, "  {} other settings lost", row.wear.lost);
    }
    out
}

fn describe_household(study: &Study) -> String {
    let h = &study.household;
    let time = |seconds: u32| Seconds(u64::from(seconds)).to_string();
    let mut out = format!(
        "household  {} clients, {} phones ({} here, {} away), {} guests a month ({}); leases of {}, renewed at half \
         that, give or take {}.{} %\n",
        h.clients,
        h.phones,
        time(h.phone_home),
        time(h.phone_away),
        h.guests,
        time(h.guest_stay),
        time(h.lease_time),
        h.jitter / 10,
        h.jitter % 10,
    );
    let _ = writeln!(
        out,
        "           {} reboots and {} SIGHUPs a month, {} power cuts a year, off for {}",
        h.reboots,
        h.sighups,
        h.power_cuts,
        time(h.off)
    );
    let _ = writeln!(
        out,
        "simulated  {} of it, seed {}{}",
        Seconds(study.seconds),
        study.seed,
        if study.method == Method::Execute { ", every call executed" } else { "" }
    );
    out
}

fn describe_router(out: &mut String, study: &Study) {
    if let [only] = &study.routers[..] {
        let _ = writeln!(
            out,
            "flash      {} on {}: {} ({} bytes of NVRAM)",
            only.dialect, only.chip.name, only.chip.source, only.space
        );
    }
}

fn write_limits(out: &mut String, results: &[RowResult], several_routers: bool) {
    let rows: Vec<(&StudyRow, Limits)> =
        results.iter().flatten().filter_map(|row| Some((row, row.limits?))).collect();
    if rows.is_empty() {
        return;
    }
    out.push_str("\nlife is less than 10 or 5 years from this number of clients on, or with lease times up to\n");
    if several_routers {
        let _ = write!(out, "{:<16} {:<12} ", "dialect", "chip");
    }
    let _ = writeln!(
        out,
        "{:<6} {:<16} {:>11} {:>11} {:>11} {:>11}",
        "rtc", "script", "10: clients", "5: clients", "10: lease", "5: lease"
    );
    let clients = |n: Option<u32>| n.map_or_else(|| "-".to_owned(), |n| n.to_string());
    let lease =
        |n: Option<u32>| n.map_or_else(|| "-".to_owned(), |n| Seconds(u64::from(n)).to_string());
    for (row, limits) in rows {
        if several_routers {
            let _ = write!(out, "{:<16} {:<12} ", row.dialect, row.chip);
        }
        let _ = writeln!(
            out,
            "{:<6} {:<16} {:>11} {:>11} {:>11} {:>11}",
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

fn notes(results: &[RowResult]) -> String {
    let mut out = String::from(
        "\nlife: until the block with the most erases reaches the chip's rating, if nothing else erases it. fatal: a power \
         cut in\nthese seconds loses all settings. Times are typical values of the data sheet; a month has 30 days, a year \
         365.\n",
    );
    if results.iter().flatten().any(|row| row.nvram_full) {
        out.push_str(
            "NVRAM full: there was more to store than fits, so every call was executed; see also `leaselab run \
             scenarios/full`.\n",
        );
    }
    out
}
