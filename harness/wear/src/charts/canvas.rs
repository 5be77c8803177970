//! The size, the colours and the legend of all charts.

use plotters::coord::Shift;
use plotters::prelude::*;

use crate::study::StudyRow;

/// Maximum number of lines in a chart, which is the number of distinguishable colours.
pub const MAX_LINES: usize = 12;
/// Size of one chart, in pixels.
pub(super) const SIZE: (u32, u32) = (1000, 420);
/// Width of the legend, in pixels.
pub(super) const LEGEND: i32 = 230;

/// A chart that cannot be drawn.
#[derive(Debug, thiserror::Error)]
#[error("cannot draw a chart: {0}")]
pub struct ChartError(String);

impl<E: std::error::Error + Send + Sync> From<DrawingAreaErrorKind<E>> for ChartError {
    fn from(error: DrawingAreaErrorKind<E>) -> Self {
        Self(error.to_string())
    }
}

pub(super) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// The name of a row's line.
pub(super) fn label(row: &StudyRow) -> String {
    format!("{}, {} clock", row.script, row.rtc)
}

/// The stroke width of a line. The first lines are the thickest, so that lines at the same place are all visible.
pub(super) fn line_width(at: usize, lines: usize) -> u32 {
    2 + 2 * (lines - at).saturating_sub(1).min(4) as u32
}

/// The colour of a line.
pub(super) fn colour(at: usize) -> RGBColor {
    const COLOURS: [RGBColor; MAX_LINES] = [
        RGBColor(213, 94, 0),
        RGBColor(0, 114, 178),
        RGBColor(0, 158, 115),
        RGBColor(204, 121, 167),
        RGBColor(86, 180, 233),
        RGBColor(150, 140, 0),
        RGBColor(90, 90, 90),
        RGBColor(230, 159, 0),
        RGBColor(120, 60, 160),
        RGBColor(160, 82, 45),
        RGBColor(0, 90, 60),
        RGBColor(220, 20, 60),
    ];
    COLOURS[at % MAX_LINES]
}

pub(super) fn legend(area: &Area<'_>, labels: &[String]) -> Result<(), ChartError> {
    for (at, label) in labels.iter().enumerate() {
        let y = 60 + 24 * at as i32;
        let line = vec![(6, y + 7), (30, y + 7)];
        area.draw(&PathElement::new(line, colour(at).stroke_width(3)))?;
        area.draw(&Text::new(label.clone(), (38, y), ("sans-serif", 14)))?;
    }
    Ok(())
}
