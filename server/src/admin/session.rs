//! Sessions of the dashboard: a signed cookie each.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::http::{HeaderMap, header};
use chrono::Utc;
use hmac::{Hmac, Mac};
use sha2::Sha256;

use super::revoked::Revoked;

/// What the cookie's name begins with.
const COOKIE: &str = "ai_gateway_session";

/// Issues and checks sessions. A session is `<end>.<id>.<signature>`: nothing is kept of it but, until
/// its end, that it was revoked.
#[derive(Debug)]
pub(super) struct Sessions {
    key: [u8; 32],
    ttl: Duration,
    revoked: Mutex<Revoked>,
}

impl Sessions {
    pub fn new(key: [u8; 32], ttl: Duration, revoked: Revoked) -> Self {
        Self {
            key,
            ttl,
            revoked: Mutex::new(revoked),
        }
    }

    /// A new session as a `Set-Cookie` value, for whoever sent the request with these headers.
    pub fn issue(&self, headers: &HeaderMap) -> String {
        let end =
            Utc::now().timestamp() + i64::try_from(self.ttl.as_secs()).unwrap_or(i64::MAX / 2);
        let claim = format!("{end}.{}", uuid::Uuid::new_v4().simple());
        let signature = self.sign(&claim).finalize().into_bytes();
        format!(
            "{}={claim}.{}; Path=/; HttpOnly; SameSite=Lax; Max-Age={}",
            cookie_name(headers),
            hex(&signature),
            self.ttl.as_secs()
        )
    }

    /// A `Set-Cookie` value that makes the browser forget its session.
    pub fn forget(headers: &HeaderMap) -> String {
        let name = cookie_name(headers);
        format!("{name}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0")
    }

    /// Whether the request comes with a session that is still good.
    pub fn is_valid(&self, headers: &HeaderMap) -> bool {
        self.valid(headers).is_some()
    }

    /// Ends the session that the request came with. Returns the new version of the revoked sessions.
    pub fn revoke(&self, headers: &HeaderMap) -> Option<u64> {
        let (id, end) = self.valid(headers)?;
        let mut revoked = self.lock();
        revoked.insert(id, end, Utc::now().timestamp());
        Some(revoked.version)
    }

    /// The revoked sessions as JSON, and their version.
    pub fn revoked(&self) -> (String, u64) {
        let revoked = self.lock();
        let json = serde_json::to_string(&*revoked).expect("numbers under texts are JSON");
        (json, revoked.version)
    }

    fn valid<'a>(&self, headers: &'a HeaderMap) -> Option<(&'a str, i64)> {
        let name = cookie_name(headers);
        let value = headers
            .get_all(header::COOKIE)
            .iter()
            .filter_map(|cookies| cookies.to_str().ok())
            .flat_map(|cookies| cookies.split(';'))
            .find_map(|cookie| cookie.trim().strip_prefix(&*name)?.strip_prefix('='))?;
        let (claim, signature) = value.rsplit_once('.')?;
        // Compares in constant time.
        self.sign(claim).verify_slice(&unhex(signature)?).ok()?;
        let (end, id) = claim.split_once('.')?;
        let end: i64 = end.parse().ok()?;
        (end > Utc::now().timestamp() && !self.lock().contains(id, end)).then_some((id, end))
    }

    fn lock(&self) -> MutexGuard<'_, Revoked> {
        self.revoked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sign(&self, claim: &str) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).expect("HMAC takes any key");
        mac.update(claim.as_bytes());
        mac
    }
}

/// The cookie's name. Cookies do not know ports, so the name does: two gateways on one machine would
/// take each other's otherwise. It is the port that the browser calls, whatever it is mapped to.
fn cookie_name(headers: &HeaderMap) -> String {
    let port = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok())
        .and_then(|host| host.rsplit_once(':')?.1.parse::<u16>().ok());
    match port {
        Some(port) => format!("{COOKIE}_{port}"),
        None => COOKIE.to_owned(),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    digits
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::token::AdminToken;
    use super::*;

    fn sessions(token: &str, ttl: u64) -> Sessions {
        let key = AdminToken::configured(token).session_key();
        Sessions::new(key, Duration::from_secs(ttl), Revoked::default())
    }

    fn headers(host: &str, cookies: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().unwrap());
        headers.insert(header::COOKIE, cookies.parse().unwrap());
        headers
    }

    /// What a browser sends after this session was issued to it.
    fn visit(sessions: &Sessions) -> HeaderMap {
        let issued = sessions.issue(&headers("localhost:81", ""));
        let cookie = issued.split(';').next().unwrap();
        headers("localhost:81", &format!("theme=dark; {cookie}"))
    }

    #[test]
    fn an_issued_session_is_good_until_it_is_revoked() {
        let sessions = sessions("t", 60);
        let visit = visit(&sessions);
        assert!(sessions.is_valid(&visit));
        assert_eq!(sessions.revoke(&visit), Some(1));
        assert!(!sessions.is_valid(&visit));
        assert_eq!(sessions.revoke(&visit), None);
    }

    #[test]
    fn forged_expired_and_foreign_sessions_are_not() {
        let ours = sessions("t", 60);
        let good = visit(&ours)[header::COOKIE].to_str().unwrap().to_owned();
        let later = good.replacen("session_81=1", "session_81=2", 1);
        assert_ne!(good, later);
        assert!(!ours.is_valid(&headers("localhost:81", &later)));
        assert!(!ours.is_valid(&visit(&sessions("other", 60))));
        assert!(!ours.is_valid(&visit(&sessions("t", 0))));
        for junk in [
            "",
            "ai_gateway_session_81=",
            "ai_gateway_session_81=1.a.zz",
            "ai_gateway_session_81=x.x.x",
        ] {
            assert!(!ours.is_valid(&headers("localhost:81", junk)));
        }
    }

    #[test]
    fn every_port_has_its_own_cookie() {
        for (host, name) in [
            ("localhost:8081", "ai_gateway_session_8081"),
            ("[::1]:9000", "ai_gateway_session_9000"),
            ("[::1]", "ai_gateway_session"),
            ("gateway.example.com", "ai_gateway_session"),
            ("localhost:8=1", "ai_gateway_session"),
        ] {
            assert_eq!(cookie_name(&headers(host, "")), name, "{host}");
        }
    }
}
