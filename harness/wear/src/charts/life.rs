//! The life of the busiest block against the lease time.

use plotters::prelude::*;

use super::canvas::{Area, ChartError, LEGEND, SIZE, colour, is_dashed, legend, stroke, title};
use super::curves::Curve;

/// The range of lifetimes that the chart shows, in years.
const YEARS: (f64, f64) = (0.01, 10_000.0);
/// The range of lease times that the chart shows, in seconds.
const SECONDS: (f64, f64) = (100.0, 800_000.0);
/// Lease times with a label, in seconds.
const TIMES: [(f64, &str); 10] = [
    (120.0, "2 min"),
    (600.0, "10 min"),
    (1800.0, "30 min"),
    (3600.0, "1 h"),
    (7200.0, "2 h"),
    (21_600.0, "6 h"),
    (43_200.0, "12 h"),
    (86_400.0, "1 d"),
    (259_200.0, "3 d"),
    (604_800.0, "1 w"),
];
/// Lifetimes with a label, in years.
const LIVES: [(f64, &str); 9] = [
    (7.0 / 365.0, "1 week"),
    (30.0 / 365.0, "1 month"),
    (0.5, "6 months"),
    (1.0, "1 year"),
    (5.0, "5 years"),
    (10.0, "10 years"),
    (100.0, "100 years"),
    (1000.0, "1000 years"),
    (10_000.0, "10000 years"),
];

/// Draws the life against the lease time, both on a logarithmic scale.
pub(super) fn life(area: &Area<'_>, curves: &[Curve], subtitle: &str) -> Result<(), ChartError> {
    let area = title(area, "Life of the busiest block against lease time", subtitle)?;
    let (plot, side) = area.split_horizontally(SIZE.0 as i32 - LEGEND);
    legend(&side, &curves.iter().map(|curve| curve.label.clone()).collect::<Vec<_>>())?;
    let times = (SECONDS.0..SECONDS.1).log_scale().with_key_points(places(&TIMES));
    let lives = (YEARS.0..YEARS.1).log_scale().with_key_points(places(&LIVES));
    let mut chart = ChartBuilder::on(&plot)
        .margin(12)
        .margin_top(0)
        .x_label_area_size(44)
        .y_label_area_size(100)
        .build_cartesian_2d(times, lives)?;
    chart
        .configure_mesh()
        .axis_desc_style(("sans-serif", 15))
        .light_line_style(WHITE)
        .x_labels(TIMES.len())
        .y_labels(LIVES.len())
        .x_desc("lease time")
        .y_desc("life")
        .x_label_formatter(&|time| name(&TIMES, *time))
        .y_label_formatter(&|life| name(&LIVES, *life))
        .draw()?;
    for mark in [5.0, 10.0] {
        let line = [(SECONDS.0, mark), (SECONDS.1, mark)];
        chart.draw_series(LineSeries::new(line, BLACK.stroke_width(1)))?;
    }
    for (at, curve) in curves.iter().enumerate() {
        let points: Vec<(f64, f64)> = curve
            .points
            .iter()
            .map(|(time, life)| (*time, life.unwrap_or(YEARS.1).clamp(YEARS.0, YEARS.1)))
            .collect();
        if is_dashed(at) {
            chart.draw_series(DashedLineSeries::new(points.clone(), 16, 8, stroke(at)))?;
        } else {
            chart.draw_series(LineSeries::new(points.clone(), stroke(at)))?;
        }
        let dots = points.into_iter().map(|point| Circle::new(point, 4, colour(at).filled()));
        chart.draw_series(dots)?;
    }
    Ok(())
}

fn places(names: &[(f64, &str)]) -> Vec<f64> {
    names.iter().map(|(place, _)| *place).collect()
}

fn name(names: &[(f64, &str)], place: f64) -> String {
    let found = names.iter().find(|(known, _)| (known - place).abs() <= known * 1e-6);
    found.map_or_else(String::new, |(_, name)| (*name).to_owned())
}
