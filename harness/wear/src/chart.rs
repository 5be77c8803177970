//! The charts: erases over time, block heat map, life against lease time.

use plotters::coord::Shift;
use plotters::prelude::*;
use rayon::prelude::*;

use super::cost_model::CostModel;
use super::household::{DAY, HOUR, Household};
use super::life::Life;
use super::study::{Row, Study, WearError, count_unlimited};
use dnsmasq_model::Build;

/// More lines than these nobody tells apart.
pub const MOST_LINES: usize = 12;
/// Size of one chart, pixels.
const SIZE: (u32, u32) = (1000, 420);
/// Width of the legend beside it.
const LEGEND: i32 = 230;
/// Lease times of the third chart, seconds.
const LEASE_TIMES: [u32; 11] =
    [120, 300, 900, 1800, 3600, 7200, 14_400, 43_200, 86_400, 259_200, 604_800];
/// Life is judged by so many days of it.
const SAMPLE: u64 = 30 * DAY;
/// Bounds of the third chart, years.
const YEARS: (f64, f64) = (0.01, 10_000.0);

/// A chart that cannot be drawn.
#[derive(Debug, thiserror::Error)]
#[error("a chart: {0}")]
pub struct NoChart(String);

impl<E: std::error::Error + Send + Sync> From<DrawingAreaErrorKind<E>> for NoChart {
    fn from(error: DrawingAreaErrorKind<E>) -> Self {
        Self(error.to_string())
    }
}

/// A line of the third chart.
#[derive(Clone, Debug)]
pub struct Curve {
    /// Build and script.
    pub label: String,
    /// Hours of a lease, and years; none: for ever.
    pub points: Vec<(f64, Option<f64>)>,
}

/// The charts, by name, each an SVG of its own.
///
/// # Errors
/// What the drawing library has against it.
pub fn charts(rows: &[&Row], curves: &[Curve]) -> Result<Vec<(&'static str, String)>, NoChart> {
    let mut all = vec![
        ("erases", alone(|area| erases(area, rows))?),
        ("blocks", alone(|area| blocks(area, rows))?),
    ];
    if !curves.is_empty() {
        all.push(("life", alone(|area| life(area, curves))?));
    }
    Ok(all)
}

/// All charts in one SVG, below each other.
///
/// # Errors
/// As [`charts`].
pub fn one_chart(rows: &[&Row], curves: &[Curve]) -> Result<String, NoChart> {
    let number = if curves.is_empty() { 2 } else { 3 };
    let mut text = String::new();
    {
        let root =
            SVGBackend::with_string(&mut text, (SIZE.0, SIZE.1 * number)).into_drawing_area();
        root.fill(&WHITE)?;
        let parts = root.split_evenly((number as usize, 1));
        erases(&parts[0], rows)?;
        blocks(&parts[1], rows)?;
        if let Some(area) = parts.get(2) {
            life(area, curves)?;
        }
        root.present()?;
    }
    Ok(text)
}

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

fn alone(draw: impl FnOnce(&Area<'_>) -> Result<(), NoChart>) -> Result<String, NoChart> {
    let mut text = String::new();
    {
        let root = SVGBackend::with_string(&mut text, SIZE).into_drawing_area();
        root.fill(&WHITE)?;
        draw(&root)?;
        root.present()?;
    }
    Ok(text)
}

fn label(row: &Row) -> String {
    format!("{}, {} clock", row.script, row.rtc)
}

/// The first lines are the thickest: where lines are one, all their colours show.
fn thick(at: usize, lines: usize) -> u32 {
    2 + 2 * (lines - at).saturating_sub(1).min(4) as u32
}

/// A colour for each line.
fn colour(at: usize) -> RGBColor {
    const COLOURS: [RGBColor; MOST_LINES] = [
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
    COLOURS[at % MOST_LINES]
}

fn legend(area: &Area<'_>, labels: &[String]) -> Result<(), NoChart> {
    for (at, label) in labels.iter().enumerate() {
        let y = 60 + 24 * at as i32;
        let line = vec![(6, y + 7), (30, y + 7)];
        area.draw(&PathElement::new(line, colour(at).stroke_width(3)))?;
        area.draw(&Text::new(label.clone(), (38, y), ("sans-serif", 14)))?;
    }
    Ok(())
}

/// Erases of each part of the time.
fn erases(area: &Area<'_>, rows: &[&Row]) -> Result<(), NoChart> {
    let (plot, side) = area.split_horizontally(SIZE.0 as i32 - LEGEND);
    legend(&side, &rows.iter().map(|row| label(row)).collect::<Vec<_>>())?;
    let seconds = rows.iter().map(|row| row.wear.seconds).max().unwrap_or(1).max(1);
    let (unit, length) = if seconds >= 2 * DAY { ("days", DAY) } else { ("hours", HOUR) };
    let scale = |part: usize, row: &Row| {
        row.wear.seconds as f64 * part as f64 / row.wear.bins.len() as f64 / length as f64
    };
    let summed = |row: &Row| -> Vec<u64> {
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
        let points = summed(row).into_iter().enumerate();
        let line = std::iter::once((0.0, 0.0))
            .chain(points.map(|(part, sum)| (scale(part + 1, row), sum as f64)));
        chart.draw_series(LineSeries::new(line, colour(at).stroke_width(thick(at, rows.len()))))?;
    }
    Ok(())
}

/// Erases of each block, a row for each script.
fn blocks(area: &Area<'_>, rows: &[&Row]) -> Result<(), NoChart> {
    let number = rows.iter().map(|row| row.wear.erases.len()).max().unwrap_or(1).max(1);
    let most = rows.iter().map(|row| row.wear.busiest()).max().unwrap_or(0).max(1);
    area.draw(&Text::new("Erases of each block", (340, 14), ("sans-serif", 22)))?;
    let (left, top) = (LEGEND, 54);
    let (width, height) = (SIZE.0 as i32 - left - 20, SIZE.1 as i32 - top - 56);
    let tall = (height / rows.len().max(1) as i32).min(60);
    for (line, row) in rows.iter().enumerate() {
        let y = top + line as i32 * tall;
        area.draw(&Text::new(label(row), (14, y + tall / 2 - 7), ("sans-serif", 14)))?;
        for (block, erases) in row.wear.erases.iter().enumerate() {
            let edge = |block: usize| left + (width as usize * block / number) as i32;
            let corners = [(edge(block), y), (edge(block + 1), y + tall - 3)];
            // The root tells little wear from none.
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
                    (edge(block) + 8, y + tall / 2 - 7),
                    style,
                ))?;
            }
        }
    }
    let foot = top + rows.len() as i32 * tall + 14;
    let text = match number {
        1 => "one block, 0".to_owned(),
        _ => format!("blocks 0 to {} from left to right", number - 1),
    };
    let text = format!("{text}; colour: white is none, the darkest {most} erases");
    area.draw(&Text::new(text, (left, foot), ("sans-serif", 14)))?;
    Ok(())
}

/// Life against lease time, both logarithmic.
fn life(area: &Area<'_>, curves: &[Curve]) -> Result<(), NoChart> {
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
        let stroke = colour(at).stroke_width(thick(at, curves.len()));
        chart.draw_series(LineSeries::new(points.clone(), stroke))?;
        let dots = points.into_iter().map(|point| Circle::new(point, 3, colour(at).filled()));
        chart.draw_series(dots)?;
    }
    Ok(())
}

impl Study {
    /// Life at other lease times, all else the same; of the first router.
    ///
    /// # Errors
    /// As [`super::count`].
    pub fn curves(&self) -> Result<Vec<Curve>, WearError> {
        let Some(spec) = self.routers.first().filter(|_| self.source.is_none()) else {
            return Ok(Vec::new());
        };
        let cost_model = CostModel::new(spec)?;
        let endurance = self.endurance.unwrap_or(spec.chip.endurance);
        let pairs: Vec<_> = self
            .builds
            .iter()
            .flat_map(|build| self.scripts.iter().map(|script| (*build, *script)))
            .collect();
        pairs
            .par_iter()
            .map(|(build, script)| {
                let point = |lease_time: &u32| -> Result<_, WearError> {
                    let household = Household { lease_time: *lease_time, ..self.household.clone() };
                    let (wear, _) = count_unlimited(
                        &cost_model,
                        &household,
                        *build,
                        *script,
                        self.seed,
                        SAMPLE,
                    )?;
                    let life = Life::of(&wear, endurance, SAMPLE);
                    Ok((f64::from(*lease_time) / HOUR as f64, life.years))
                };
                let points = LEASE_TIMES.par_iter().map(point).collect::<Result<_, _>>()?;
                let clock = match build {
                    Build::Rtc => "good",
                    Build::NoRtc => "broken",
                };
                Ok(Curve { label: format!("{}, {clock} clock", script.name()), points })
            })
            .collect()
    }
}
