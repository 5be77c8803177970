//! The wear of the busiest block over time, up to the end of its life.

use plotters::prelude::*;

use super::canvas::{Area, ChartError, LEGEND, SIZE, is_dashed, label, legend, stroke, title};
use crate::durations::{DAY, HOUR, YEAR};
use crate::study::StudyRow;

/// The longest time that the chart shows, in seconds.
const LONGEST: f64 = 25.0 * YEAR as f64;
/// The ratio of the chart's height to the erases at the end of life.
const HEADROOM: f64 = 1.08;
/// The ratio of the length of the time axis to the shortest life.
const AFTER_FIRST_DEATH: f64 = 1.3;

/// Draws the erases of the busiest block over time, extrapolated at the same rate after the simulated time.
pub(super) fn erases(
    area: &Area<'_>,
    rows: &[&StudyRow],
    subtitle: &str,
    several_routers: bool,
) -> Result<(), ChartError> {
    let area = title(area, "Wear of the busiest block over time", subtitle)?;
    let (plot, side) = area.split_horizontally(SIZE.0 as i32 - LEGEND);
    legend(&side, &rows.iter().map(|row| label(row, several_routers)).collect::<Vec<_>>())?;
    let end = horizon(rows);
    let (unit, length) = unit_of(end);
    let endurance = rows.iter().map(|row| row.endurance).max().unwrap_or(1);
    let top = f64::from(endurance) * HEADROOM;
    let mut chart = ChartBuilder::on(&plot)
        .margin(12)
        .margin_top(0)
        .x_label_area_size(44)
        .y_label_area_size(90)
        .build_cartesian_2d(0.0..end / length, 0.0..top)?;
    chart
        .configure_mesh()
        .axis_desc_style(("sans-serif", 15))
        .light_line_style(WHITE)
        .x_desc(unit)
        .y_desc("erases so far")
        .y_label_formatter(&|count| format!("{count:.0}"))
        .x_label_formatter(&|time| format!("{time}"))
        .draw()?;
    let mut ends: Vec<u32> = rows.iter().map(|row| row.endurance).collect();
    ends.sort_unstable();
    ends.dedup();
    for erases in ends {
        let height = f64::from(erases);
        let line = [(0.0, height), (end / length, height)];
        chart.draw_series(LineSeries::new(line, BLACK.stroke_width(1)))?;
        let text = format!("end of life: {erases} erases");
        let place = (end / length * 0.01, height * 0.985);
        chart.draw_series([Text::new(text, place, ("sans-serif", 14))])?;
    }
    for (at, row) in rows.iter().enumerate() {
        let points = curve(row, end, top).into_iter().map(|(time, erases)| (time / length, erases));
        if is_dashed(at) {
            chart.draw_series(DashedLineSeries::new(points, 16, 8, stroke(at)))?;
        } else {
            chart.draw_series(LineSeries::new(points, stroke(at)))?;
        }
    }
    Ok(())
}

/// Returns the end of the time axis, in seconds. It lies after the end of the shortest life, or is the simulated time
/// if nothing is erased.
fn horizon(rows: &[&StudyRow]) -> f64 {
    let simulated = rows.iter().map(|row| row.every).max().unwrap_or(1).max(1) as f64;
    let shortest = rows.iter().filter_map(|row| row.yearly.years).reduce(f64::min);
    shortest.map_or(simulated, |years| (years * YEAR as f64 * AFTER_FIRST_DEATH).min(LONGEST))
}

/// Returns the name and the length in seconds of the unit of a time axis.
fn unit_of(seconds: f64) -> (&'static str, f64) {
    match seconds {
        s if s >= 2.0 * YEAR as f64 => ("years", YEAR as f64),
        s if s >= 2.0 * DAY as f64 => ("days", DAY as f64),
        _ => ("hours", HOUR as f64),
    }
}

/// Returns points of times in seconds and erases of the busiest block, up to the time `end` or to `top` erases.
fn curve(row: &StudyRow, end: f64, top: f64) -> Vec<(f64, f64)> {
    let share = row.wear.max_erases() as f64 / row.wear.total_erases().max(1) as f64;
    let bin = row.wear.seconds as f64 / row.wear.bins.len() as f64;
    let mut points = vec![(0.0, 0.0)];
    let mut sum = 0.0;
    for (number, erases) in (1..).zip(&row.wear.bins) {
        sum += *erases as f64 * share;
        points.push((bin * f64::from(number), sum));
    }
    // The workload starts again after `every` seconds.
    let rate = sum / row.every.max(1) as f64;
    points.push((end.max(row.every as f64), rate * end.max(row.every as f64)));
    cut(points, end, top)
}

/// Returns the part of a rising line up to `end` on the x axis and `top` on the y axis.
fn cut(points: Vec<(f64, f64)>, end: f64, top: f64) -> Vec<(f64, f64)> {
    let mut kept: Vec<(f64, f64)> = Vec::new();
    for (x, y) in points {
        if x <= end && y <= top {
            kept.push((x, y));
            continue;
        }
        let Some((from_x, from_y)) = kept.last().copied() else { break };
        let part = |limit: f64, from: f64, to: f64| {
            if to > limit { (limit - from) / (to - from) } else { 1.0 }
        };
        let part = part(end, from_x, x).min(part(top, from_y, y));
        kept.push((from_x + part * (x - from_x), from_y + part * (y - from_y)));
        break;
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::cut;

    #[test]
    fn a_line_ends_at_the_edge_of_the_chart() {
        let line = vec![(0.0, 0.0), (10.0, 10.0), (20.0, 30.0)];
        assert_eq!(cut(line.clone(), 100.0, 100.0), line);
        assert_eq!(cut(line.clone(), 5.0, 100.0), [(0.0, 0.0), (5.0, 5.0)]);
        assert_eq!(cut(line, 100.0, 20.0), [(0.0, 0.0), (10.0, 10.0), (15.0, 20.0)]);
    }
}
