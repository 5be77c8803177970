//! The chart of erases over the simulated time.

use std::fmt::Write as _;

use super::durations::length;
use crate::wear::{WearReport, WearRow};

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 260.0;
const LEFT: f64 = 72.0;
const RIGHT: f64 = 725.0;
const TOP: f64 = 14.0;
const BOTTOM: f64 = 228.0;
/// Maximum number of ticks on the time axis.
const MAX_TIMES: u64 = 6;
/// Maximum number of lines, which is the number of distinguishable styles.
const MAX_LINES: usize = 8;

/// A chart with a line for each row.
pub(super) struct Chart {
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) left: f64,
    pub(super) right: f64,
    pub(super) ticks: Vec<Tick>,
    pub(super) times: Vec<TimeTick>,
    pub(super) lines: Vec<Line>,
}

pub(super) struct Tick {
    pub(super) y: f64,
    pub(super) text: String,
}

pub(super) struct TimeTick {
    pub(super) x: f64,
    pub(super) text: String,
}

pub(super) struct Line {
    pub(super) class: String,
    pub(super) name: String,
    pub(super) path: String,
}

/// Returns the chart of the first [`MAX_LINES`] rows, or `None` if nothing is erased.
pub(super) fn chart(report: &WearReport, name: impl Fn(&WearRow) -> String) -> Option<Chart> {
    let rows: Vec<&WearRow> = report.rows.iter().take(MAX_LINES).collect();
    let most =
        rows.iter().map(|row| row.wear.bins.iter().sum::<u64>()).max().filter(|most| *most > 0)?;
    let top = round_up(most);
    let y = |erases: u64| BOTTOM - (BOTTOM - TOP) * erases as f64 / top as f64;
    let ticks = (0..=4)
        .map(|quarter| Tick { y: y(top * quarter / 4), text: (top * quarter / 4).to_string() });
    let seconds = report.seconds().max(1);
    let x = |at: f64| LEFT + (RIGHT - LEFT) * at / seconds as f64;
    let step = time_step(seconds);
    let times = (0..=seconds / step).map(|tick| TimeTick {
        x: x((tick * step) as f64),
        text: length(i64::try_from(tick * step).unwrap_or(i64::MAX)),
    });
    let line = |(index, row): (usize, &&WearRow)| {
        let mut sum = 0;
        let mut path = format!("M{LEFT} {BOTTOM}");
        for (bin, erases) in row.wear.bins.iter().enumerate() {
            sum += erases;
            let part = (bin + 1) as f64 / row.wear.bins.len() as f64;
            let _ = write!(path, " L{:.1} {:.1}", x(row.wear.seconds as f64 * part), y(sum));
        }
        Line { class: format!("c{index}"), name: name(row), path }
    };
    Some(Chart {
        width: WIDTH,
        height: HEIGHT,
        left: LEFT,
        right: RIGHT,
        ticks: ticks.collect(),
        times: times.collect(),
        lines: rows.iter().enumerate().map(line).collect(),
    })
}

/// Returns the distance between the ticks on the time axis, in seconds.
fn time_step(seconds: u64) -> u64 {
    const HOUR: u64 = 3600;
    const DAY: u64 = 24 * HOUR;
    const YEAR: u64 = 365 * DAY;
    let steps = [HOUR, 2 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 7 * DAY, 30 * DAY, 90 * DAY];
    let steps = steps.into_iter().chain([YEAR, 10 * YEAR, 100 * YEAR, 1000 * YEAR]);
    steps.into_iter().find(|step| seconds / step <= MAX_TIMES).unwrap_or(10_000 * YEAR)
}

/// Rounds up to four times a number with one significant digit.
fn round_up(number: u64) -> u64 {
    let mut unit = 4;
    while unit * 10 < number {
        unit *= 10;
    }
    number.div_ceil(unit) * unit
}

#[cfg(test)]
mod tests {
    use super::{round_up, time_step};

    #[test]
    fn the_scale_ends_above_the_largest_number_and_has_whole_quarters() {
        for (number, expected) in [(1, 4), (4, 4), (5, 8), (41, 80), (4000, 4000), (12_345, 16_000)]
        {
            assert_eq!(round_up(number), expected);
        }
    }

    #[test]
    fn time_ticks_are_at_familiar_intervals() {
        let hours = |seconds: u64| time_step(seconds) / 3600;
        assert_eq!(
            [4, 12, 72, 24 * 30, 24 * 365].map(|time| hours(time * 3600)),
            [1, 2, 12, 168, 2160]
        );
    }
}
