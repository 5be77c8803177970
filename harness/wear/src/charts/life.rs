//! Life against lease time.

use plotters::prelude::*;

use super::canvas::{Area, ChartError, LEGEND, SIZE, colour, legend, line_width};
use super::curves::Curve;

/// Lifetimes that the chart shows, in years.
const YEARS: (f64, f64) = (0.01, 10_000.0);

/// Draws life against lease time, both on a logarithmic scale.
pub(super) fn life(area: &Area<'_>, curves: &[Curve]) -> Result<(), ChartError> {
    let (plot, side) = area.split_horizontally(SIZE.0 as i32 - LEGEND);
    legend(&side, &curves.iter().map(|curve| curve.label.clone()).collect::<Vec<_>>())?;
    let hours = (0.03_f64, 200.0_f64);
    let mut chart = ChartBuilder::on(&plot)
        .caption("Life of the busiest block against lease time", ("sans-serif", 22))
        .margin(12)
        .x_label_area_size(44)
        .y_label_area_size(90)
        .build_cartesian_2d((hours.0..hours.1).log_scale(), (YEARS.0..YEARS.1).log_scale())?;
    chart
        .configure_mesh()
        .axis_desc_style(("sans-serif", 15))
        .light_line_style(WHITE)
        .x_desc("lease time")
        .y_desc("life, years (10 and 5 marked)")
        .x_label_formatter(&|hours| {
            if *hours >= 1.0 { format!("{hours:.0}h") } else { format!("{:.0}m", hours * 60.0) }
        })
        .y_label_formatter(&ToString::to_string)
        .draw()?;
    for mark in [5.0, 10.0] {
        let line = [(hours.0, mark), (hours.1, mark)];
        chart.draw_series(LineSeries::new(line, BLACK.stroke_width(1)))?;
    }
    for (at, curve) in curves.iter().enumerate() {
        let points: Vec<(f64, f64)> = curve
            .points
            .iter()
            .map(|(hours, life)| (*hours, life.unwrap_or(YEARS.1).clamp(YEARS.0, YEARS.1)))
            .collect();
        let stroke = colour(at).stroke_width(line_width(at, curves.len()));
        chart.draw_series(LineSeries::new(points.clone(), stroke))?;
        let dots = points.into_iter().map(|point| Circle::new(point, 3, colour(at).filled()));
        chart.draw_series(dots)?;
    }
    Ok(())
}
