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
            ("2027-01-31", Ok("2027-01-31T00:00:00Z")),
            ("2027-01-31T18:00:00+01:00", Ok("2027-01-31T17:00:00Z")),
            ("2027-01-31 18:00:00Z", Ok("2027-01-31T18:00:00Z")),
            ("2027-01-31T18:00:00", Err(())),
            ("2027-02-30", Err(())),
            ("soon", Err(())),
        ] {
            let found = <DateTime<Utc> as Scalar>::parse(text).map_err(|_| ());
            let literal = found.as_ref().map(Scalar::literal).map_err(|()| ());
            assert_eq!(literal, expected.map(quoted), "{text}");
            if let Ok(found) = found {
                let back = <DateTime<Utc> as Scalar>::parse(expected.unwrap());
                assert_eq!(back, Ok(found));
            }
        }
    }
}
