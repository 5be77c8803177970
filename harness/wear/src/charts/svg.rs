//! Draws all charts of a study.

use plotters::prelude::*;

use super::blocks::blocks;
use super::canvas::{Area, ChartError, SIZE};
use super::curves::Curve;
use super::erases::erases;
use super::life::life;
use crate::study::StudyRow;

/// The charts as separate SVGs, each with its name.
///
/// # Errors
/// A failure of the drawing library.
pub fn charts(
    rows: &[&StudyRow],
    curves: &[Curve],
) -> Result<Vec<(&'static str, String)>, ChartError> {
    let mut all = vec![
        ("erases", single(|area| erases(area, rows))?),
        ("blocks", single(|area| blocks(area, rows))?),
    ];
    if !curves.is_empty() {
        all.push(("life", single(|area| life(area, curves))?));
    }
    Ok(all)
}

/// All charts in one SVG, one below the other.
///
/// # Errors
/// As [`charts`].
pub fn combined_chart(rows: &[&StudyRow], curves: &[Curve]) -> Result<String, ChartError> {
    let number = if curves.is_empty() { 2 } else { 3 };
    let mut text = String::new();
    {
        let root =
            SVGBackend::with_string(&mut text, (SIZE.0, SIZE.1 * number)).into_drawing_area();
        root.fill(&WHITE)?;
        let areas = root.split_evenly((number as usize, 1));
        erases(&areas[0], rows)?;
        blocks(&areas[1], rows)?;
        if let Some(area) = areas.get(2) {
            life(area, curves)?;
        }
        root.present()?;
    }
    Ok(text)
}

fn single(draw: impl FnOnce(&Area<'_>) -> Result<(), ChartError>) -> Result<String, ChartError> {
    let mut text = String::new();
    {
        let root = SVGBackend::with_string(&mut text, SIZE).into_drawing_area();
        root.fill(&WHITE)?;
        draw(&root)?;
        root.present()?;
    }
    Ok(text)
}
