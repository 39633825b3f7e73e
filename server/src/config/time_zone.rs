//! The clock that days, weeks and months are told by.

use chrono_tz::Tz;

use super::reading::{Form, Scalar, quoted};

/// A time zone by its name in the IANA database: `Europe/Berlin`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeZone(pub Tz);

impl Default for TimeZone {
    fn default() -> Self {
        Self(Tz::UTC)
    }
}

impl Scalar for TimeZone {
    const EXPECTED: &'static str = "the name of a time zone such as \"Europe/Berlin\" or \"UTC\"";
    const FORM: Form = Form::Text;

    fn parse(text: &str) -> Result<Self, String> {
        let zone = text.parse();
        zone.map(Self)
            .map_err(|_| format!("expected {}, found \"{text}\"", Self::EXPECTED))
    }

    fn literal(&self) -> String {
        quoted(self.0.name())
    }
}
