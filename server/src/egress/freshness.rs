//! How long an answer may be given again: <https://www.rfc-editor.org/rfc/rfc9111>

use std::time::Duration;

use http::header::{AGE, CACHE_CONTROL, EXPIRES, HeaderName, PRAGMA, RANGE, SET_COOKIE, VARY};
use http::{HeaderMap, StatusCode};

/// What a request says of kept answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wants {
    /// Neither a kept answer nor that this one is kept.
    pub no_store: bool,
    /// The API itself is to be asked.
    pub no_cache: bool,
    /// No older than so.
    pub max_age: Option<Duration>,
    /// With credentials of the client's: an answer is his, unless it says otherwise.
    pub authorized: bool,
}

/// How an answer may be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Freshness {
    /// From now on.
    pub lifetime: Duration,
    /// How old it is already.
    pub age: Duration,
    /// The request's headers that it depends on.
    pub varies_by: Vec<HeaderName>,
}

#[derive(Debug, Default)]
struct Directives {
    no_store: bool,
    no_cache: bool,
    private: bool,
    public: bool,
    max_age: Option<u64>,
    shared_max_age: Option<u64>,
}

impl Wants {
    pub fn of(headers: &HeaderMap) -> Self {
        let said = Directives::of(headers);
        let pragma = headers.get(PRAGMA).is_some_and(|value| {
            let value = value.as_bytes().to_ascii_lowercase();
            value == b"no-cache" && !headers.contains_key(CACHE_CONTROL)
        });
        Self {
            // A part is nothing that could be given again.
            no_store: said.no_store || headers.contains_key(RANGE),
            no_cache: said.no_cache || pragma || said.max_age == Some(0),
            max_age: said.max_age.map(Duration::from_secs),
            authorized: headers.keys().any(is_credential),
        }
    }
}

/// Many APIs take credentials under names of their own, which nothing but the name tells.
fn is_credential(name: &HeaderName) -> bool {
    const PARTS: [&str; 9] = [
        "api-key",
        "apikey",
        "auth",
        "credential",
        "password",
        "secret",
        "session",
        "signature",
        "token",
    ];
    PARTS.iter().any(|part| name.as_str().contains(part))
}

impl Freshness {
    /// `None`: it may not be kept, or does not say for how long.
    pub fn of(status: StatusCode, headers: &HeaderMap, wants: Wants) -> Option<Self> {
        let keepable = matches!(status.as_u16(), 200 | 203 | 301 | 308 | 404 | 410);
        let said = Directives::of(headers);
        let is_theirs = said.no_store || said.no_cache || said.private;
        if !keepable || wants.no_store || is_theirs || headers.contains_key(SET_COOKIE) {
            return None;
        }
        if wants.authorized && !said.public && said.shared_max_age.is_none() {
            return None;
        }
        let lifetime = said
            .shared_max_age
            .or(said.max_age)
            .or_else(|| until(headers))?;
        let age = headers
            .get(AGE)
            .and_then(|value| value.to_str().ok()?.trim().parse().ok())
            .unwrap_or(0);
        if lifetime <= age {
            return None;
        }
        let mut varies_by = Vec::new();
        for value in headers.get_all(VARY) {
            for name in value.to_str().ok()?.split(',').map(str::trim) {
                if name == "*" {
                    return None;
                }
                varies_by.push(name.parse().ok()?);
            }
        }
        Some(Self {
            lifetime: Duration::from_secs(lifetime - age),
            age: Duration::from_secs(age),
            varies_by,
        })
    }
}

/// Seconds until `Expires`.
fn until(headers: &HeaderMap) -> Option<u64> {
    let at = httpdate::parse_http_date(headers.get(EXPIRES)?.to_str().ok()?).ok()?;
    let left = at.duration_since(std::time::SystemTime::now()).ok()?;
    Some(left.as_secs())
}

impl Directives {
    fn of(headers: &HeaderMap) -> Self {
        let mut said = Self::default();
        for value in headers.get_all(CACHE_CONTROL) {
            for directive in value.to_str().unwrap_or("no-store").split(',') {
                let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
                let seconds = || {
                    let digits = value.trim().trim_matches('"');
                    // What cannot be read is stale.
                    Some(digits.parse().unwrap_or(0))
                };
                match name.trim().to_ascii_lowercase().as_str() {
                    "no-store" => said.no_store = true,
                    "no-cache" => said.no_cache = true,
                    "private" => said.private = true,
                    "public" => said.public = true,
                    "max-age" => said.max_age = seconds(),
                    "s-maxage" => said.shared_max_age = seconds(),
                    _ => {}
                }
            }
        }
        said
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lifetime(status: u16, lines: &[(&str, &str)], wants: Wants) -> Option<u64> {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            let name: HeaderName = name.parse().unwrap();
            headers.append(name, value.parse().unwrap());
        }
        let status = StatusCode::from_u16(status).unwrap();
        Freshness::of(status, &headers, wants).map(|it| it.lifetime.as_secs())
    }

    #[test]
    fn an_answer_says_how_long() {
        let anybody = Wants::default();
        let cc = |value| [("cache-control", value)];
        for (lines, expected) in [
            (&cc("max-age=60")[..], Some(60)),
            (&cc("Public, Max-Age=60, s-maxage=90"), Some(90)),
            (&cc("max-age=\"60\""), Some(60)),
            (&cc("max-age=x"), None),
            (&cc("max-age=60, private"), None),
            (&cc("max-age=60, no-cache"), None),
            (&cc("no-store"), None),
            (&cc("max-age=0"), None),
            (&[][..], None),
            (&[("cache-control", "max-age=60"), ("age", "20")], Some(40)),
            (&[("cache-control", "max-age=60"), ("vary", "*")], None),
            (
                &[("cache-control", "max-age=60"), ("set-cookie", "a=b")],
                None,
            ),
            (&[("expires", "0")], None),
        ] {
            assert_eq!(lifetime(200, lines, anybody), expected, "{lines:?}");
        }
        assert_eq!(lifetime(500, &cc("max-age=60"), anybody), None);
        assert_eq!(lifetime(206, &cc("max-age=60"), anybody), None);
    }

    #[test]
    fn what_is_somebodys_own_is_not_kept() {
        let his = Wants {
            authorized: true,
            ..Wants::default()
        };
        let cc = |value| [("cache-control", value)];
        assert_eq!(lifetime(200, &cc("max-age=60"), his), None);
        assert_eq!(lifetime(200, &cc("public, max-age=60"), his), Some(60));
        assert_eq!(lifetime(200, &cc("s-maxage=60"), his), Some(60));
    }

    #[test]
    fn a_request_says_what_it_wants() {
        let wants = |name: &'static str, value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(name, value.parse().unwrap());
            Wants::of(&headers)
        };
        assert!(wants("cache-control", "no-store").no_store);
        assert!(wants("range", "bytes=0-1").no_store);
        assert!(wants("cache-control", "no-cache").no_cache);
        assert!(wants("cache-control", "max-age=0").no_cache);
        assert!(wants("pragma", "no-cache").no_cache);
        let age = wants("cache-control", "max-age=5").max_age;
        assert_eq!(age, Some(Duration::from_secs(5)));
    }
}
