//! Answers that are kept, in bounded memory.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use moka::sync::Cache;

use super::freshness::{Freshness, Wants};

/// Bytes of all that is kept, and of one body.
const MOST: u64 = 32 << 20;
const MOST_OF_ONE: usize = 1 << 20;

/// By URL. Of several variants of one the last one is kept.
#[derive(Debug)]
pub struct Kept(Cache<String, Arc<Entry>>);

/// An answer.
#[derive(Debug)]
pub struct Entry {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
    stored: Instant,
    freshness: Freshness,
    /// What the request said that it depends on.
    variant: Vec<Vec<HeaderValue>>,
}

impl Default for Kept {
    fn default() -> Self {
        let weigh = |url: &String, entry: &Arc<Entry>| {
            let headers = entry.headers.iter();
            let headers: usize = headers
                .map(|(name, value)| name.as_str().len() + value.len())
                .sum();
            let size = url.len() + headers + entry.body.len() + 512;
            u32::try_from(size).unwrap_or(u32::MAX)
        };
        Self(Cache::builder().max_capacity(MOST).weigher(weigh).build())
    }
}

impl Kept {
    /// A fresh answer to this request, and how old it is.
    pub fn find(
        &self,
        url: &str,
        request: &HeaderMap,
        wants: Wants,
    ) -> Option<(Arc<Entry>, Duration)> {
        let entry = self.0.get(url)?;
        let since = entry.stored.elapsed();
        let age = since + entry.freshness.age;
        let is_fresh = since < entry.freshness.lifetime;
        let is_meant = entry.variant == variant(&entry.freshness.varies_by, request);
        let is_young = wants.max_age.is_none_or(|most| age <= most);
        let is_his = wants.authorized && !entry.freshness_is_shared();
        (is_fresh && is_meant && is_young && !is_his).then_some((entry, age))
    }

    /// What was there has been changed.
    pub fn forget(&self, url: &str) {
        self.0.invalidate(url);
    }
}

impl Entry {
    /// Whether it may be given to who shows credentials: he might get another one.
    fn freshness_is_shared(&self) -> bool {
        let control = self.headers.get_all(http::header::CACHE_CONTROL);
        control.iter().any(|value| {
            let value = value.as_bytes().to_ascii_lowercase();
            let text = String::from_utf8_lossy(&value);
            text.contains("public") || text.contains("s-maxage")
        })
    }
}

fn variant(names: &[HeaderName], headers: &HeaderMap) -> Vec<Vec<HeaderValue>> {
    let values = names.iter();
    values
        .map(|name| headers.get_all(name).iter().cloned().collect())
        .collect()
}

/// An answer that is being passed on, and kept once all of it has been.
#[derive(Debug)]
pub struct Keeping {
    kept: Arc<Kept>,
    url: String,
    entry: Entry,
    body: BytesMut,
}

impl Keeping {
    pub fn new(
        kept: &Arc<Kept>,
        url: String,
        request: &HeaderMap,
        (status, headers): (StatusCode, &HeaderMap),
        freshness: Freshness,
    ) -> Self {
        Self {
            kept: Arc::clone(kept),
            url,
            entry: Entry {
                status,
                headers: headers.clone(),
                body: Bytes::new(),
                stored: Instant::now(),
                variant: variant(&freshness.varies_by, request),
                freshness,
            },
            body: BytesMut::new(),
        }
    }

    /// `None`: it has become too long.
    #[must_use]
    pub fn push(mut self, chunk: &[u8]) -> Option<Self> {
        if self.body.len() + chunk.len() > MOST_OF_ONE {
            return None;
        }
        self.body.extend_from_slice(chunk);
        Some(self)
    }

    /// All of it has come.
    pub fn finish(mut self) {
        self.entry.body = self.body.freeze();
        self.kept.0.insert(self.url, Arc::new(self.entry));
    }
}
