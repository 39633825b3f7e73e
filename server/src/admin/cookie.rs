//! The cookie that holds a session.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

/// What the cookie's name begins with.
const NAME: &str = "ai_gateway_session";

/// What the request's cookie says, whatever that is worth.
pub(super) fn read(headers: &HeaderMap) -> Option<&str> {
    let name = name(headers);
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|cookies| cookies.to_str().ok())
        .flat_map(|cookies| cookies.split(';'))
        .find_map(|cookie| cookie.trim().strip_prefix(&*name)?.strip_prefix('='))
}

/// A `Set-Cookie` for whoever sent a request with these headers.
pub(super) fn set(headers: &HeaderMap, secret: &str, lasts: Duration) -> HeaderValue {
    let mut cookie = format!(
        "{}={secret}; Path=/; HttpOnly; SameSite=Lax; Max-Age={}",
        name(headers),
        lasts.as_secs()
    );
    if is_https(headers) {
        cookie.push_str("; Secure");
    }
    HeaderValue::from_str(&cookie).expect("it is made of ASCII characters")
}

/// A `Set-Cookie` that makes the browser forget its session.
pub(super) fn forget(headers: &HeaderMap) -> HeaderValue {
    set(headers, "", Duration::ZERO)
}

/// The cookie's name. Cookies do not know ports, so the name does: two gateways on one machine would take each
/// other's otherwise. It is the port that the browser calls, whatever it is mapped to.
fn name(headers: &HeaderMap) -> String {
    let port = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok())
        .and_then(|host| host.rsplit_once(':')?.1.parse::<u16>().ok());
    match port {
        Some(port) => format!("{NAME}_{port}"),
        None => NAME.to_owned(),
    }
}

/// Whether the browser is on the other side of something that speaks TLS, as far as that and the browser say. Whoever
/// lies gets a cookie that his own browser does not send back.
fn is_https(headers: &HeaderMap) -> bool {
    let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let forwarded = text(&HeaderName::from_static("x-forwarded-proto"));
    forwarded.is_some_and(|scheme| scheme.trim().eq_ignore_ascii_case("https"))
        || text(&header::ORIGIN).is_some_and(|origin| origin.starts_with("https://"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(HeaderName, &str)]) -> HeaderMap {
        let pairs = pairs.iter();
        pairs
            .map(|(name, value)| (name.clone(), value.parse().unwrap()))
            .collect()
    }

    #[test]
    fn every_port_has_its_own_cookie() {
        for (host, expected) in [
            ("localhost:8081", "ai_gateway_session_8081"),
            ("[::1]:9000", "ai_gateway_session_9000"),
            ("[::1]", "ai_gateway_session"),
            ("gateway.example.com", "ai_gateway_session"),
            ("localhost:8=1", "ai_gateway_session"),
        ] {
            let headers = headers(&[(header::HOST, host)]);
            assert_eq!(name(&headers), expected, "{host}");
        }
    }

    #[test]
    fn it_comes_back_as_it_went() {
        let host = (header::HOST, "localhost:81");
        let set = set(
            &headers(std::slice::from_ref(&host)),
            "abc",
            Duration::from_secs(60),
        );
        let set = set.to_str().unwrap();
        assert_eq!(
            set,
            "ai_gateway_session_81=abc; Path=/; HttpOnly; SameSite=Lax; Max-Age=60"
        );
        for (cookies, expected) in [
            ("theme=dark; ai_gateway_session_81=abc", Some("abc")),
            ("ai_gateway_session=abc", None),
            ("ai_gateway_session_811=abc", None),
            ("", None),
        ] {
            let headers = headers(&[host.clone(), (header::COOKIE, cookies)]);
            assert_eq!(read(&headers), expected, "{cookies}");
        }
    }

    #[test]
    fn it_is_secure_where_the_browser_speaks_tls() {
        let lasts = Duration::from_secs(60);
        for (name, value, secure) in [
            ("x-forwarded-proto", "https", true),
            ("x-forwarded-proto", "http", false),
            ("origin", "https://gateway.example.com", true),
            ("origin", "http://localhost:8081", false),
        ] {
            let headers = headers(&[(HeaderName::from_static(name), value)]);
            for cookie in [set(&headers, "abc", lasts), forget(&headers)] {
                let cookie = cookie.to_str().unwrap();
                assert_eq!(cookie.ends_with("; Secure"), secure, "{name}: {value}");
            }
        }
    }
}
