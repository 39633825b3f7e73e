//! The table that is printed and the JSON that can be kept.

use serde::Serialize;

/// What the gateway must reach.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// At most so many times nginx's figure of the same run.
    Ratio(f64),
    /// At most this much.
    Absolute(f64),
}

/// One figure.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    pub scenario: &'static str,
    pub figure: String,
    pub unit: &'static str,
    pub gateway: f64,
    pub nginx: Option<f64>,
    pub direct: Option<f64>,
    pub limit: Option<Limit>,
}

impl Row {
    pub fn ratio(&self) -> Option<f64> {
        self.nginx
            .filter(|nginx| *nginx > 0.0)
            .map(|nginx| self.gateway / nginx)
    }

    /// `None` where there is no limit or nothing to compare with.
    pub fn reached(&self) -> Option<bool> {
        match self.limit? {
            Limit::Ratio(limit) => Some(self.ratio()? <= limit),
            Limit::Absolute(limit) => Some(self.gateway <= limit),
        }
    }

    /// The figures in the order of [`HEADINGS`].
    fn cells(&self) -> [String; 8] {
        let number = |value: Option<f64>| value.map_or("–".to_owned(), figure);
        let limit = match self.limit {
            Some(Limit::Ratio(ratio)) => format!("≤ {ratio}×"),
            Some(Limit::Absolute(most)) => format!("≤ {most} {}", self.unit),
            None => String::new(),
        };
        let verdict = match self.reached() {
            Some(true) => "pass",
            Some(false) => "MISS",
            None => "",
        };
        [
            format!("{}: {}", self.scenario, self.figure),
            self.unit.to_owned(),
            figure(self.gateway),
            number(self.nginx),
            number(self.direct),
            self.ratio()
                .map_or(String::new(), |ratio| format!("{ratio:.2}×")),
            limit,
            verdict.to_owned(),
        ]
    }
}

const HEADINGS: [&str; 8] = [
    "", "unit", "gateway", "nginx", "direct", "ratio", "limit", "",
];

/// The rows as a table of Markdown.
pub fn table(rows: &[Row]) -> String {
    let mut lines = vec![HEADINGS.map(str::to_owned)];
    lines.extend(rows.iter().map(Row::cells));
    let widths: Vec<usize> = (0..HEADINGS.len())
        .map(|column| {
            lines
                .iter()
                .map(|line| line[column].chars().count())
                .max()
                .unwrap_or(0)
        })
        .collect();
    let mut text = String::new();
    for (index, line) in lines.iter().enumerate() {
        for (column, cell) in line.iter().enumerate() {
            let fill = " ".repeat(widths[column] - cell.chars().count());
            // Words to the left, figures to the right.
            if matches!(column, 0 | 1 | 6 | 7) {
                text += &format!("| {cell}{fill} ");
            } else {
                text += &format!("| {fill}{cell} ");
            }
        }
        text += "|\n";
        if index == 0 {
            for width in &widths {
                text += &format!("|{}", "-".repeat(width + 2));
            }
            text += "|\n";
        }
    }
    text
}

fn figure(value: f64) -> String {
    match value.abs() {
        size if size >= 1000.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 0.1 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}
