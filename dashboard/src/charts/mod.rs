//! Charts over time. charts-rs draws them on the server, with colours that are the page's custom
//! properties: one drawing serves the light and the dark theme. The browser lays a crosshair over
//! it, whose geometry comes from the same [`geometry`].

#[cfg(feature = "ssr")]
mod draw;
mod figure;
pub mod geometry;
mod hover;
mod kind;
mod legend;
mod table;

#[cfg(feature = "ssr")]
pub use draw::{draw, draw_all};
pub use figure::ChartFigure;
pub use kind::{ChartKind, SeriesKind};

use serde::{Deserialize, Serialize};

/// One chart as SVG, in the sizes of [`geometry::Size`].
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq)]
pub struct Drawing {
    pub wide: String,
    pub narrow: String,
}
