//! The report for people.

use std::fmt::Write as _;

use super::limits::Limits;
use super::study::{Entry, Row, Study};
use scenario::Seconds;

/// The whole report.
pub fn table(study: &Study, entries: &[Entry]) -> String {
    let mut out = if study.source.is_none() { household(study) } else { String::new() };
    router(&mut out, study);
    let several = study.routers.len() > 1;
    out.push('\n');
    if several {
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
    let mut shown = None;
    for row in entries.iter().flatten() {
        if let Some(workload) = row.workload.as_ref().filter(|label| shown != Some(*label)) {
            let (lasts, every) = (Seconds(row.wear.seconds), Seconds(row.every));
            let _ = writeln!(out, "{workload}: {lasts}, and the same again every {every}");
            shown = Some(workload);
        }
        if several {
            let _ = write!(out, "{:<16} {:<12} ", row.dialect, row.chip);
        }
        let life = &row.life;
        let _ = writeln!(
            out,
            "{:<6} {:<16} {:>10.0} {:>11.0} {:>10.0} {:>10.0} {:>9.1} {:>8.0} {:>9.1} {:>9.1} {:>10}{}",
            row.rtc,
            row.script,
            life.calls,
            life.commands,
            life.commits,
            life.erases,
            life.programmed / 1e6,
            life.amplification,
            life.busy,
            life.fatal,
            years(life.years),
            remarks(row),
        );
    }
    for nothing in entries.iter().filter_map(|entry| entry.as_ref().err()) {
        let _ = writeln!(out, "{:<16} {:<12} {}", nothing.dialect, nothing.chip, nothing.why);
    }
    limits(&mut out, entries, several);
    out.push_str(&notes(entries));
    out
}

/// What else there is to say of a row.
fn remarks(row: &Row) -> String {
    let mut out = String::new();
    if row.full {
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

fn household(study: &Study) -> String {
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
        if study.rendered { ", every call carried out" } else { "" }
    );
    out
}

fn router(out: &mut String, study: &Study) {
    if let [only] = &study.routers[..] {
        let _ = writeln!(
            out,
            "flash      {} on {}: {} ({} bytes of NVRAM)",
            only.dialect, only.chip.name, only.chip.source, only.space
        );
    }
}

/// `12.3 years`, `41 days`, or `never`.
pub fn years(years: Option<f64>) -> String {
    match years {
        None => "for ever".to_owned(),
        Some(years) if years >= 10_000.0 => "> 10000 y".to_owned(),
        Some(years) if years >= 100.0 => format!("{years:.0} y"),
        Some(years) if years >= 1.0 => format!("{years:.1} y"),
        Some(years) => format!("{:.0} days", years * 365.0),
    }
}

fn limits(out: &mut String, entries: &[Entry], several: bool) {
    let rows: Vec<(&Row, Limits)> =
        entries.iter().flatten().filter_map(|row| Some((row, row.limits?))).collect();
    if rows.is_empty() {
        return;
    }
    out.push_str("\nlife drops under … years from so many clients on, or at lease times up to\n");
    if several {
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
        if several {
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
    out.push_str("-: neither with 1000 clients, nor between 2 minutes and a week\n");
}

fn notes(entries: &[Entry]) -> String {
    let mut out = String::from(
        "\nLife: the busiest block's erases against what the chip is rated for, nothing else erasing it. Fatal: a power \
         cut in\nthese seconds takes all settings along. Typical times of the data sheet; months of 30, years of 365 \
         days.\n",
    );
    if entries.iter().flatten().any(|row| row.full) {
        out.push_str(
            "NVRAM full: there was more to store than fits. Counted as if it did; `leaselab run scenarios/full` tells \
             what happens.\n",
        );
    }
    out
}
