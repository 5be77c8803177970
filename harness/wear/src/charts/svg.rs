//! Draws all charts of a study.

use plotters::prelude::*;

use super::blocks::blocks;
use super::canvas::{Area, ChartError, SIZE};
use super::curves::Curve;
use super::erases::erases;
use super::life::life;
use crate::study::{Calls, Study, StudyRow};

/// The charts of a study.
#[derive(Clone, Copy, Debug)]
pub struct Charts<'a> {
    study: &'a Study,
    rows: &'a [&'a StudyRow],
    curves: &'a [Curve],
}

/// One of the charts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Chart {
    Erases,
    Blocks,
    Life,
}

impl Chart {
    fn name(self) -> &'static str {
        match self {
            Self::Erases => "erases",
            Self::Blocks => "blocks",
            Self::Life => "life",
        }
    }
}

impl<'a> Charts<'a> {
    /// Creates the charts of these results. Without curves, there is no chart of life against lease time.
    pub fn new(study: &'a Study, rows: &'a [&'a StudyRow], curves: &'a [Curve]) -> Self {
        Self { study, rows, curves }
    }

    fn all(&self) -> &'static [Chart] {
        if self.curves.is_empty() {
            &[Chart::Erases, Chart::Blocks]
        } else {
            &[Chart::Erases, Chart::Blocks, Chart::Life]
        }
    }

    /// Returns the charts as separate SVGs, each with its name.
    ///
    /// # Errors
    /// Returns an error if the drawing library fails.
    pub fn separate(&self) -> Result<Vec<(&'static str, String)>, ChartError> {
        self.all().iter().map(|chart| Ok((chart.name(), self.svg(&[*chart])?))).collect()
    }

    /// Returns all charts in one SVG, one below the other.
    ///
    /// # Errors
    /// Returns an error if the drawing library fails.
    pub fn combined(&self) -> Result<String, ChartError> {
        self.svg(self.all())
    }

    fn svg(&self, charts: &[Chart]) -> Result<String, ChartError> {
        let mut text = String::new();
        {
            let size = (SIZE.0, SIZE.1 * charts.len() as u32);
            let root = SVGBackend::with_string(&mut text, size).into_drawing_area();
            root.fill(&WHITE)?;
            for (chart, area) in charts.iter().zip(root.split_evenly((charts.len(), 1))) {
                self.draw(*chart, &area)?;
            }
            root.present()?;
        }
        Ok(text)
    }

    fn draw(&self, chart: Chart, area: &Area<'_>) -> Result<(), ChartError> {
        let several_routers = self.study.routers.len() > 1;
        let subtitle = self.study.subtitle();
        match chart {
            Chart::Erases => erases(area, self.rows, &subtitle, several_routers),
            Chart::Blocks => blocks(area, self.rows, &subtitle, several_routers),
            Chart::Life => life(area, self.curves, &subtitle),
        }
    }
}

impl Study {
    /// Describes the flash and the household, for the second line of a title.
    fn subtitle(&self) -> String {
        let flash = match &self.routers[..] {
            [only] => {
                let model =
                    self.model.as_ref().map_or_else(String::new, |model| format!("{model}: "));
                format!("{model}{} on {}", only.dialect, only.chip.name)
            }
            routers => scenario::quantity(routers.len(), "router"),
        };
        let cause = match &self.calls {
            Calls::Simulated(simulation) => simulation.household.in_words(),
            Calls::Repeated { source, .. } => source.labels().join(", "),
        };
        format!("{flash}; {cause}")
    }
}
