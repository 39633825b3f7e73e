//! A URL's query.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// The parameter that may hold the client's key.
pub(super) const KEY: &str = "key";

/// The first value of a parameter, decoded; `None` also where it is not UTF-8.
pub(super) fn value<'a>(query: &'a str, name: &str) -> Option<Cow<'a, str>> {
    let (_, value) = pairs(query).find(|(key, _)| decoded(key).as_deref() == Some(name))?;
    decoded(value)
}

fn pairs(query: &str) -> impl Iterator<Item = (&str, &str)> {
    query
        .split('&')
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
}

fn decoded(text: &str) -> Option<Cow<'_, str>> {
    percent_decode_str(text).decode_utf8().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_decoded() {
        assert_eq!(
            value("alt=sse&key=a%2Fb&key=c", KEY).as_deref(),
            Some("a/b")
        );
        assert_eq!(value("alt=sse&%6Bey=d", KEY).as_deref(), Some("d"));
        assert_eq!(value("monkey=1", KEY), None);
    }
}
