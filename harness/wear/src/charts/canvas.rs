//! The size, the colours, the title and the legend of all charts.

use plotters::coord::Shift;
use plotters::prelude::*;

use crate::study::StudyRow;

/// Maximum number of lines in a chart: the number of distinguishable colours.
pub const MAX_LINES: usize = 12;
/// Size of one chart, in pixels.
pub(super) const SIZE: (u32, u32) = (1000, 440);
/// Width of the legend, in pixels.
pub(super) const LEGEND: i32 = 230;
/// Height of the title with its second line, in pixels.
pub(super) const TITLE: i32 = 62;
/// The stroke width of all lines that show a count.
const LINE_WIDTH: u32 = 3;

/// The error for a chart that cannot be drawn.
#[derive(Debug, thiserror::Error)]
#[error("cannot draw a chart: {0}")]
pub struct ChartError(String);

impl<E: std::error::Error + Send + Sync> From<DrawingAreaErrorKind<E>> for ChartError {
    fn from(error: DrawingAreaErrorKind<E>) -> Self {
        Self(error.to_string())
    }
}

pub(super) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// Returns the name of a row in a chart.
pub(super) fn label(row: &StudyRow, several_routers: bool) -> String {
    let name = format!("{}, {} clock", row.script, row.rtc);
    if several_routers { format!("{name}, {} {}", row.dialect, row.chip) } else { name }
}

/// Draws the title and, below it, the household and the flash. Returns the rest of the area.
pub(super) fn title<'a>(
    area: &Area<'a>,
    title: &str,
    subtitle: &str,
) -> Result<Area<'a>, ChartError> {
    let (head, rest) = area.split_vertically(TITLE);
    head.draw(&Text::new(title.to_owned(), (14, 10), ("sans-serif", 22)))?;
    head.draw(&Text::new(subtitle.to_owned(), (14, 38), ("sans-serif", 14)))?;
    Ok(rest)
}

/// Returns the style of a line. All lines have the same width.
pub(super) fn stroke(at: usize) -> ShapeStyle {
    colour(at).stroke_width(LINE_WIDTH)
}

/// Returns whether a line is dashed. Every second line is dashed, so that overlapping lines remain visible.
pub(super) fn is_dashed(at: usize) -> bool {
    at % 2 == 1
}

/// Returns the colour of a line.
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
        let y = 20 + 24 * at as i32;
        let ends = if is_dashed(at) { vec![(6, 14), (22, 30)] } else { vec![(6, 30)] };
        for (from, to) in ends {
            area.draw(&PathElement::new(vec![(from, y + 7), (to, y + 7)], stroke(at)))?;
        }
        area.draw(&Text::new(label.clone(), (38, y), ("sans-serif", 14)))?;
    }
    Ok(())
}
