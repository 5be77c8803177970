//! Charts as SVG.

mod blocks;
mod canvas;
mod curves;
mod erases;
mod life;
mod svg;

pub use canvas::{ChartError, MAX_LINES};
pub use curves::Curve;
pub use svg::Charts;
