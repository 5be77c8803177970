//! A heat map of the erases of each block.

use plotters::prelude::*;

use super::canvas::{Area, ChartError, LEGEND, SIZE, TITLE, label, title};
use crate::study::StudyRow;

/// Draws a heat map of the erases of each block, a line for each row.
pub(super) fn blocks(
    area: &Area<'_>,
    rows: &[&StudyRow],
    subtitle: &str,
    several_routers: bool,
) -> Result<(), ChartError> {
    let area = title(area, "Erases of each block", subtitle)?;
    let number = rows.iter().map(|row| row.wear.erases.len()).max().unwrap_or(1).max(1);
    let most = rows.iter().map(|row| row.wear.max_erases()).max().unwrap_or(0).max(1);
    let (left, top) = (LEGEND, 10);
    let (width, height) = (SIZE.0 as i32 - left - 20, SIZE.1 as i32 - TITLE - top - 56);
    let line_height = (height / rows.len().max(1) as i32).min(60);
    for (line, row) in rows.iter().enumerate() {
        let y = top + line as i32 * line_height;
        area.draw(&Text::new(
            label(row, several_routers),
            (14, y + line_height / 2 - 7),
            ("sans-serif", 14),
        ))?;
        for (block, erases) in row.wear.erases.iter().enumerate() {
            let edge = |block: usize| left + (width as usize * block / number) as i32;
            let corners = [(edge(block), y), (edge(block + 1), y + line_height - 3)];
            // The square root makes low counts visible.
            let heat = (*erases as f64 / most as f64).sqrt();
            let fade = |full: u8| (255.0 - heat * f64::from(255 - full)) as u8;
            let fill = RGBColor(fade(178), fade(24), fade(30));
            area.draw(&Rectangle::new(corners, fill.filled()))?;
            area.draw(&Rectangle::new(corners, RGBColor(190, 190, 190)))?;
            if number <= 8 {
                let ink = if heat > 0.6 { &WHITE } else { &BLACK };
                let style = ("sans-serif", 14).into_font().color(ink);
                area.draw(&Text::new(
                    erases.to_string(),
                    (edge(block) + 8, y + line_height / 2 - 7),
                    style,
                ))?;
            }
        }
    }
    let bottom = top + rows.len() as i32 * line_height + 14;
    let text = match number {
        1 => "one block, 0".to_owned(),
        _ => format!("blocks 0 to {} from left to right", number - 1),
    };
    let text = format!("{text}; colour: white is none, the darkest {most} erases");
    area.draw(&Text::new(text, (left, bottom), ("sans-serif", 14)))?;
    Ok(())
}
