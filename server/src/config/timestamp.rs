//! `"2027-01-31"` and `"2027-01-31T18:00:00+01:00"`.

use chrono::{DateTime, NaiveDate, NaiveTime, SecondsFormat, Utc};

use super::reading::{Form, Scalar, quoted};

impl Scalar for DateTime<Utc> {
    const EXPECTED: &'static str =
        "a day such as \"2027-01-31\", or a time such as \"2027-01-31T18:00:00+01:00\"";
    const FORM: Form = Form::Text;

    /// A day stands for its beginning, in UTC.
    fn parse(text: &str) -> Result<Self, String> {
        let day = text.parse::<NaiveDate>().ok();
        let day = day.map(|day| day.and_time(NaiveTime::MIN).and_utc());
        let time = || DateTime::parse_from_rfc3339(text).ok();
        day.or_else(|| time().map(|time| time.to_utc()))
            .ok_or_else(|| format!("expected {}, found \"{text}\"", Self::EXPECTED))
    }

    fn literal(&self) -> String {
        quoted(&self.to_rfc3339_opts(SecondsFormat::AutoSi, true))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_times_are_read() {
        for (text, expected) in [
            ("2027-01-31", Some("2027-01-31T00:00:00Z")),
            ("2027-01-31T18:00:00+01:00", Some("2027-01-31T17:00:00Z")),
            ("2027-01-31 18:00:00Z", Some("2027-01-31T18:00:00Z")),
            ("2027-01-31T18:00:00", None),
            ("2027-02-30", None),
            ("soon", None),
        ] {
            let found = <DateTime<Utc> as Scalar>::parse(text).ok();
            let literal = found.as_ref().map(Scalar::literal);
            assert_eq!(literal, expected.map(quoted), "{text}");
            let back = expected.and_then(|text| Scalar::parse(text).ok());
            assert_eq!(back, found, "{text}");
        }
    }
}
