//! Draws a chart with charts-rs.
//!
//! The library knows colours, not custom properties: it draws with placeholders, which are then
//! replaced. It measures text with a font of its own, so the chart leaves to it only what does not
//! depend on that: the plot's edges are fixed, the legend is HTML.

use charts_rs::{
    AxisType, BarChart, Box as Edges, ChartBase, Color, FontConfig, LineChart, Series, Symbol,
    TextConfig, YAxisConfig,
};
use shared::analytics::Overview;

use super::geometry::{Scale, Size};
use super::{ChartKind, Drawing};

/// Every chart of an overview, in the order of [`ChartKind::ALL`].
pub fn draw_all(overview: &Overview) -> Vec<Drawing> {
    ChartKind::ALL
        .into_iter()
        .map(|kind| Drawing {
            wide: draw(kind, overview, Size::WIDE),
            narrow: draw(kind, overview, Size::NARROW),
        })
        .collect()
}

/// One chart as an SVG element, without text for screen readers: the figure around it has a label
/// and a table.
pub fn draw(kind: ChartKind, overview: &Overview, size: Size) -> String {
    let scale = Scale::of(kind, &overview.series);
    let mut palette = Palette::default();
    let series = series(kind, overview, &mut palette);
    let colors = palette.series.clone();
    let mut frame = frame(kind, overview, size, scale, &mut palette);
    frame.y_axis_configs = vec![y_axis(scale)];
    let bars = if kind.is_stacked() {
        bars(series, colors, overview, size, scale)
    } else {
        let lone = series.iter().map(|line| Series {
            symbol: Some(Symbol::Circle(2.0, None)),
            ..Series::new_nullable(line.name.clone(), lone_points(&line.data))
        });
        frame.series_list = lone.chain(series.iter().cloned()).collect();
        frame.series.colors = [colors.clone(), colors].concat();
        String::new()
    };
    // Drawing fails only where a number cannot be written.
    let drawn = frame.svg().unwrap_or_default();
    let (width, height) = (size.width, size.height);
    palette.resolve(&format!(
        r#"<svg viewBox="0 0 {width} {height}" aria-hidden="true" focusable="false">{}{bars}</svg>"#,
        body(&drawn),
    ))
}

/// The bars alone, as an element that fills the plot. The library leaves ten pixels between bars,
/// whatever their number: they are drawn on a canvas on which that is a quarter of a bar's room.
fn bars(
    series: Vec<Series>,
    colors: Vec<Color>,
    overview: &Overview,
    size: Size,
    scale: Scale,
) -> String {
    const ROOM: f32 = 40.0;
    let width = overview.series.len() as f32 * ROOM;
    let height = size.plot_height() * width / size.plot_width();
    let mut chart = BarChart::new(series, Vec::new());
    plain(&mut chart.base, overview, width, height);
    chart.series.colors = colors;
    chart.x_axis.hidden = true;
    chart.grid.stroke_width = 0.0;
    chart.grid.stroke_color = Color::transparent();
    chart.y_axis_configs = vec![y_axis(scale)];
    let drawn = chart.svg().unwrap_or_default();
    format!(
        r#"<svg x="{}" y="{}" width="{}" height="{}" viewBox="0 0 {width} {height}" preserveAspectRatio="none">{}</svg>"#,
        size.left,
        size.top,
        size.plot_width(),
        size.plot_height(),
        body(&without_data(&drawn)),
    )
}

fn series(kind: ChartKind, overview: &Overview, palette: &mut Palette) -> Vec<Series> {
    kind.series()
        .iter()
        .map(|series| {
            let values = overview
                .series
                .iter()
                .map(|bucket| (series.value)(&bucket.totals).map(|value| value as f32))
                .collect();
            palette.series.push(palette_color(palette.names.len()));
            palette.names.push(series.color);
            Series {
                stack: kind.is_stacked().then(|| "all".to_owned()),
                stroke_dash_array: series.dashed.then(|| "4 3".to_owned()),
                ..Series::new_nullable(series.name.to_owned(), values)
            }
        })
        .collect()
}

/// Points without a neighbour, which a line cannot show.
fn lone_points(values: &[Option<f32>]) -> Vec<Option<f32>> {
    let missing = |index: Option<usize>| index.and_then(|i| *values.get(i)?).is_none();
    values
        .iter()
        .enumerate()
        .map(|(i, value)| value.filter(|_| missing(i.checked_sub(1)) && missing(i.checked_add(1))))
        .collect()
}

/// The axes and the grid; a line chart's lines too.
fn frame(
    kind: ChartKind,
    overview: &Overview,
    size: Size,
    scale: Scale,
    palette: &mut Palette,
) -> LineChart {
    let label = palette.add("--chart-label");
    let grid = palette.add("--chart-grid");
    let mut chart = LineChart::new(Vec::new(), Vec::new());
    plain(&mut chart.base, overview, size.width, size.height);
    chart.margin.top = size.top;
    chart.grid.left = Some(size.left);
    chart.grid.right = Some(size.right);
    chart.grid.stroke_color = grid;
    chart.grid.stroke_width = 1.0;
    chart.series.stroke_width = 1.75;
    chart.series.symbol = Some(Symbol::None);
    chart.series.smooth = false;
    chart.x_axis.height = size.bottom;
    chart.x_axis.stroke_color = grid;
    chart.x_axis.font = font(label);
    for (i, value) in scale.ticks().enumerate() {
        let up = size.plot_height() * i as f32 / scale.steps as f32;
        chart.texts.push(TextConfig {
            text: kind.tick(value),
            right: Some(size.width - size.left + 8.0),
            top: Some(size.top + size.plot_height() - up - 6.0),
            font: font(label),
            ..TextConfig::default()
        });
    }
    chart
}

/// What both kinds of chart share: a bare canvas over the overview's time.
fn plain(chart: &mut ChartBase, overview: &Overview, width: f32, height: f32) {
    let bucket = f64::from(overview.bucket_seconds);
    chart.width = width;
    chart.height = height;
    chart.margin = Edges::default();
    chart.background_color = Color::transparent();
    chart.font_family = "Inter".to_owned();
    chart.compact = true;
    chart.legend.show = Some(false);
    chart.y_axis_hidden = true;
    chart.x_axis.kind = AxisType::Time;
    // A bucket stands in its middle: the axis runs from the first one's start to the last one's end.
    chart.x_axis.values = overview
        .series
        .iter()
        .map(|point| point.start.timestamp() as f64 + bucket / 2.0)
        .collect();
    if let (Some(first), Some(last)) = (overview.series.first(), overview.series.last()) {
        chart.x_axis.min = Some(first.start.timestamp() as f64);
        chart.x_axis.max = Some(last.start.timestamp() as f64 + bucket);
    }
}

fn y_axis(scale: Scale) -> YAxisConfig {
    YAxisConfig {
        min: Some(0.0),
        max: Some(scale.top as f32),
        split_number: scale.steps,
        ..YAxisConfig::default()
    }
}

fn font(color: Color) -> FontConfig {
    FontConfig {
        size: 11.0,
        color,
        weight: None,
    }
}

/// The custom properties of a drawing, each with its placeholder.
#[derive(Default)]
struct Palette {
    names: Vec<&'static str>,
    series: Vec<Color>,
}

impl Palette {
    fn add(&mut self, name: &'static str) -> Color {
        self.names.push(name);
        palette_color(self.names.len() - 1)
    }

    /// The drawing with properties in place of their placeholders.
    fn resolve(&self, svg: &str) -> String {
        let mut svg = svg.to_owned();
        for (i, name) in self.names.iter().enumerate() {
            svg = svg.replace(&palette_color(i).hex(), &format!("var({name})"));
        }
        svg
    }
}

/// What is inside the outermost element of an SVG document.
fn body(svg: &str) -> &str {
    let inside = svg.find('>').map_or("", |end| &svg[end + 1..]);
    inside.strip_suffix("</svg>").unwrap_or(inside)
}

/// The drawing without its `data-…` attributes, which are half of it: the crosshair has the values.
fn without_data(svg: &str) -> String {
    let mut out = String::with_capacity(svg.len() / 2);
    let mut rest = svg;
    while let Some(start) = rest.find(" data-") {
        out.push_str(&rest[..start]);
        let attribute = &rest[start + 1..];
        let end = attribute
            .find("=\"")
            .and_then(|open| Some(open + 2 + attribute[open + 2..].find('"')? + 1));
        match end {
            Some(end) => rest = &attribute[end..],
            None => return out + &rest[start..],
        }
    }
    out + rest
}

/// A colour that no drawing uses by itself.
fn palette_color(index: usize) -> Color {
    (1, 2, 0x10 + index as u8).into()
}

#[cfg(test)]
mod tests {
    use super::{body, lone_points, without_data};

    #[test]
    fn a_point_between_gaps_is_found() {
        let values = [Some(1.0), None, Some(2.0), Some(3.0), None, Some(4.0)];
        assert_eq!(
            lone_points(&values),
            [Some(1.0), None, None, None, None, Some(4.0)]
        );
        assert_eq!(lone_points(&[]), []);
    }

    #[test]
    fn only_data_attributes_go() {
        let bar = r#"<rect x="1" data-series="Cached input" data-value="3" fill="red"/>"#;
        assert_eq!(without_data(bar), r#"<rect x="1" fill="red"/>"#);
        assert_eq!(without_data("<g/>"), "<g/>");
    }

    #[test]
    fn the_body_is_what_the_element_holds() {
        assert_eq!(
            body(r#"<svg width="1"><g><path/></g></svg>"#),
            "<g><path/></g>"
        );
    }
}
