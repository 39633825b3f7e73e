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

/// The query without a parameter, all else as it was; `None`: nothing is left.
pub(super) fn without(query: &str, name: &str) -> Option<String> {
    let kept: Vec<&str> = query
        .split('&')
        .filter(|pair| {
            let key = pair.split('=').next().unwrap_or_default();
            decoded(key).as_deref() != Some(name)
        })
        .collect();
    let kept = kept.join("&");
    (!kept.is_empty()).then_some(kept)
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

    #[test]
    fn what_is_left_stays_as_it_was() {
        assert_eq!(without("a=%2f&key=s&b", KEY).as_deref(), Some("a=%2f&b"));
        assert_eq!(without("%6Bey=s", KEY), None);
    }
}
