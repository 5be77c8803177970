//! Erases over time.

use plotters::prelude::*;

use super::canvas::{Area, ChartError, LEGEND, SIZE, colour, label, legend, line_width};
use crate::durations::{DAY, HOUR};
use crate::study::StudyRow;

/// Draws the sum of erases over time.
pub(super) fn erases(area: &Area<'_>, rows: &[&StudyRow]) -> Result<(), ChartError> {
    let (plot, side) = area.split_horizontally(SIZE.0 as i32 - LEGEND);
    legend(&side, &rows.iter().map(|row| label(row)).collect::<Vec<_>>())?;
    let seconds = rows.iter().map(|row| row.wear.seconds).max().unwrap_or(1).max(1);
    let (unit, length) = if seconds >= 2 * DAY { ("days", DAY) } else { ("hours", HOUR) };
    let end_of_bin = |bin: usize, row: &StudyRow| {
        row.wear.seconds as f64 * (bin + 1) as f64 / row.wear.bins.len() as f64 / length as f64
    };
    let sums = |row: &StudyRow| -> Vec<u64> {
        let mut sum = 0;
        row.wear
            .bins
            .iter()
            .map(|bin| {
                sum += bin;
                sum
            })
            .collect()
    };
    let most = rows.iter().map(|row| row.wear.bins.iter().sum::<u64>()).max().unwrap_or(0).max(1);
    let mut chart = ChartBuilder::on(&plot)
        .caption("Erases over time", ("sans-serif", 22))
        .margin(12)
        .x_label_area_size(44)
        .y_label_area_size(90)
        .build_cartesian_2d(0.0..seconds as f64 / length as f64, 0.0..most as f64 * 1.05)?;
    chart
        .configure_mesh()
        .axis_desc_style(("sans-serif", 15))
        .light_line_style(WHITE)
        .x_desc(unit)
        .y_desc("erases so far")
        .y_label_formatter(&|count| format!("{count:.0}"))
        .x_label_formatter(&|time| format!("{time:.0}"))
        .draw()?;
    for (at, row) in rows.iter().enumerate() {
        let points = sums(row).into_iter().enumerate();
        let line = std::iter::once((0.0, 0.0))
            .chain(points.map(|(bin, sum)| (end_of_bin(bin, row), sum as f64)));
        chart.draw_series(LineSeries::new(
            line,
            colour(at).stroke_width(line_width(at, rows.len())),
        ))?;
    }
    Ok(())
}
