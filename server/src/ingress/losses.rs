//! What of a request its upstream was not told, as headers of the reply.

use std::borrow::Cow;
use std::fmt::Write as _;

use http::{HeaderMap, HeaderName, HeaderValue};
use llm::chat::Losses;

/// Parameters that were left out.
const DROPPED: HeaderName = HeaderName::from_static("x-gateway-dropped");
/// Parameters that were reached by other means.
const EMULATED: HeaderName = HeaderName::from_static("x-gateway-emulated");
/// Proxies take only so long a header.
const MAX_VALUE: usize = 4096;

pub(super) fn tell(losses: &Losses, headers: &mut HeaderMap) {
    for (header, names) in [(DROPPED, &losses.dropped), (EMULATED, &losses.emulated)] {
        if !names.is_empty() {
            headers.insert(header, list(names));
        }
    }
}

/// Appends a name, which may be anything: what has no place in a header, and the comma, is escaped as in URLs.
pub(super) fn escape(name: &str, value: &mut String) {
    for &byte in name.as_bytes() {
        if byte.is_ascii_graphic() && byte != b',' && byte != b'%' {
            value.push(char::from(byte));
        } else {
            let _ = write!(value, "%{byte:02X}");
        }
    }
}

/// The names with commas between.
fn list(names: &[Cow<'static, str>]) -> HeaderValue {
    let mut value = String::new();
    for name in names {
        let before = value.len();
        if before > 0 {
            value.push_str(", ");
        }
        escape(name, &mut value);
        if value.len() > MAX_VALUE {
            value.truncate(before);
            break;
        }
    }
    HeaderValue::try_from(value).unwrap_or_else(|_| HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_name_makes_a_header() {
        let mut losses = Losses::default();
        losses.drop("logprobs");
        losses.drop("a, b\r\nx: ü");
        losses.emulate("response_format");
        let mut headers = HeaderMap::new();
        tell(&losses, &mut headers);
        assert_eq!(headers[DROPPED], "logprobs, a%2C%20b%0D%0Ax:%20%C3%BC");
        assert_eq!(headers[EMULATED], "response_format");
    }

    #[test]
    fn a_header_has_an_end() {
        let mut losses = Losses::default();
        losses.drop("first");
        losses.drop("x".repeat(5000));
        let mut headers = HeaderMap::new();
        tell(&losses, &mut headers);
        assert_eq!(headers[DROPPED], "first");
    }
}
