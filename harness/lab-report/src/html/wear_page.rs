//! The page of `wear`.

use askama::Template;

use super::durations::length;
use super::head::Head;
use super::heat::{self, HeatCell};
use super::wear_chart::{self, Chart};
use crate::wear::{WearReport, WearRow};

#[derive(Template)]
#[template(path = "wear.html")]
pub(super) struct WearPage<'a> {
    head: Head<'a>,
    sentence: String,
    /// The workload that the rows count, in words.
    counted: String,
    report: &'a WearReport,
    rows: Vec<RowView>,
    chart: Option<Chart>,
}

struct RowView {
    name: String,
    class: &'static str,
    /// The length of the bar, as a percentage.
    percent: f64,
    years: String,
    commits: String,
    erases: String,
    endurance: u32,
    heat: Vec<HeatCell>,
    heat_text: String,
}

impl<'a> WearPage<'a> {
    pub(super) fn new(head: Head<'a>, report: &'a WearReport) -> Self {
        let shortest = report
            .rows
            .iter()
            .filter_map(|row| Some((row.life.years?, row)))
            .min_by(|a, b| a.0.total_cmp(&b.0));
        let sentence = match shortest {
            None => "Nothing is erased".to_owned(),
            Some((years, row)) if report.rows.len() == 1 => {
                format!("The flash lasts {} with the script {}", years_text(years), row.script)
            }
            Some((years, row)) => {
                format!("The flash lasts at least {}: {}", years_text(years), row_name(row))
            }
        };
        Self {
            head,
            sentence,
            counted: counted(report),
            report,
            rows: report.rows.iter().map(row_view).collect(),
            chart: wear_chart::chart(report, row_name),
        }
    }
}

fn counted(report: &WearReport) -> String {
    if report.rows.iter().any(|row| row.workload.is_some()) {
        return "One run of each recording or scenario, which is repeated for ever.".to_owned();
    }
    let seconds = i64::try_from(report.seconds()).unwrap_or(i64::MAX);
    format!("Simulated: {}.", length(seconds))
}

fn row_view(row: &WearRow) -> RowView {
    let heat = heat::cells(&row.wear.erases);
    let (class, percent, years) = match row.life.years {
        None => ("", 100.0, "nothing is erased".to_owned()),
        Some(years) => {
            let class = match years {
                ..5.0 => "short",
                ..10.0 => "middle",
                _ => "",
            };
            // A logarithmic scale from a month to 1000 years.
            let percent = ((years * 12.0).log10() / 12_000_f64.log10()).clamp(0.0, 1.0) * 100.0;
            (class, (percent * 10.0).round() / 10.0, years_text(years))
        }
    };
    RowView {
        name: row_name(row),
        class,
        percent,
        years,
        commits: format!("{:.0}", row.life.commits),
        erases: format!("{:.0}", row.life.erases),
        endurance: row.endurance,
        heat_text: heat::description(&heat),
        heat,
    }
}

fn row_name(row: &WearRow) -> String {
    let WearRow { dialect, chip, script, rtc, .. } = row;
    let workload = row.workload.as_deref().map_or(String::new(), |name| format!("{name}, "));
    format!("{workload}{dialect}, {chip}, {script}, clock {rtc}")
}

fn years_text(years: f64) -> String {
    match years {
        ..0.2 => format!("{:.0} days", years * 365.0),
        ..2.0 => format!("{:.0} months", years * 12.0),
        ..20.0 => format!("{years:.1} years"),
        ..1e6 => format!("{years:.0} years"),
        _ => "more than a million years".to_owned(),
    }
}
