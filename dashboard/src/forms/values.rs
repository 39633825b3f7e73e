//! What is in a form's fields.

use serde::{Deserialize, Serialize};

/// Names of fields and what is in them, as a browser sends them: a box that is not ticked is not there.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
#[serde(transparent)]
pub struct Values(Vec<(String, String)>);

impl Values {
    /// What is in a field; empty where there is no such field.
    pub fn get(&self, name: &str) -> &str {
        self.0
            .iter()
            .find(|(field, _)| field == name)
            .map_or("", |(_, value)| value.as_str())
    }

    /// What is in all fields of this name: the ticked ones of some boxes.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0
            .iter()
            .filter(move |(field, _)| field == name)
            .map(|(_, value)| value.as_str())
    }

    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(field, _)| field == name)
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// One more field.
    pub fn put(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.0.push((name.into(), value.into()));
    }

    /// A box: there only where it is ticked.
    pub fn tick(&mut self, name: impl Into<String>, ticked: bool) {
        if ticked {
            self.put(name, "on");
        }
    }

    /// How many rows a list has: the fields `rates[0].…`, `rates[1].…` are of two.
    pub fn rows(&self, list: &str) -> usize {
        let indices = self.names().filter_map(|name| {
            let (index, _) = name
                .strip_prefix(list)?
                .strip_prefix('[')?
                .split_once(']')?;
            index.parse::<usize>().ok()
        });
        let last = indices.max();
        last.map_or(0, |last| (last + 1).min(self.0.len() + MOST_GAPS))
    }
}

/// A form has a field in each row, and as many rows more that were taken out of it. No page has others.
const MOST_GAPS: usize = 200;

impl From<Vec<(String, String)>> for Values {
    fn from(fields: Vec<(String, String)>) -> Self {
        Self(fields)
    }
}

#[cfg(test)]
mod tests {
    use super::Values;

    #[test]
    fn rows_are_counted_by_their_indices() {
        let mut values = Values::default();
        assert_eq!(values.rows("rates"), 0);
        values.put("rates[0].requests", "");
        values.put("rates[2].tokens", "5");
        values.put("rates[x].tokens", "5");
        values.put("ratesque[7].tokens", "5");
        values.put("rates[99999999].tokens", "5");
        assert_eq!(values.rows("rates"), 205);
        assert_eq!(values.rows("ratesque"), 8);
        assert_eq!(values.get("rates[2].tokens"), "5");
        assert!(!values.has("rates[1].tokens"));

        let mut long = Values::default();
        for row in 0..1_000 {
            long.put(format!("overrides[{row}].enabled"), "on");
        }
        assert_eq!(long.rows("overrides"), 1_000);
    }
}
