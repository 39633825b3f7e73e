//! The figures of the dashboard's first page.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use shared::analytics::{Bucket, ErrorCount, Interval, Overview, OverviewQuery, Share, UsageGroup};

use super::rollups::{self, Wanted};
use super::{Figures, Store, StoreError};

/// Entries of the tables beside the charts.
const TOP: usize = 10;

impl Store {
    /// Traffic, tokens, errors, latency and cost over a time range that ends `now`, from rollups. What was recorded within
    /// the last second may be missing.
    pub async fn overview(
        &self,
        query: &OverviewQuery,
        now: DateTime<Utc>,
    ) -> Result<Overview, StoreError> {
        let frame = Frame::new(query, now.timestamp());
        let mut sums = Sums::new(frame.buckets());
        let mut snapshot = self.reader().begin().await?;
        let previous = frame.wanted(query, frame.previous_from_s, frame.from_s);
        let previous = Wanted {
            coarsest: Interval::Day,
            ..previous
        };
        rollups::each(&mut snapshot, &previous, |rollup| {
            rollups::decode(&mut sums.previous, rollup.figures)
        })
        .await?;
        // Charts tell the time apart, and tables the names: nothing needs both, which would be many more rollups.
        let charts = frame.wanted(query, frame.from_s, frame.end_s);
        rollups::each(&mut snapshot, &charts, |rollup| {
            let bucket = frame.bucket_of(rollup.start_s);
            match sums.buckets.get_mut(bucket) {
                Some(bucket) => rollups::decode(bucket, rollup.figures),
                None => Ok(()),
            }
        })
        .await?;
        let tables = Wanted {
            by: &[UsageGroup::Model, UsageGroup::Provider],
            coarsest: Interval::Day,
            ..charts
        };
        rollups::each(&mut snapshot, &tables, |rollup| {
            let mut names = rollups::values(rollup.key);
            let mut name = || names.next().unwrap_or(Ok(""));
            let pair = entry(entry(&mut sums.pairs, name()?), name()?);
            rollups::decode(pair, rollup.figures)
        })
        .await?;
        Ok(sums.overview(query, &frame, now))
    }
}

/// The range of time, cut into buckets that start at multiples of their width.
struct Frame {
    previous_from_s: i64,
    from_s: i64,
    /// The end of the last bucket, which contains now.
    end_s: i64,
    width_s: i64,
}

impl Frame {
    fn new(query: &OverviewQuery, now_s: i64) -> Self {
        let width_s = i64::from(query.range.bucket_seconds());
        let length_s = i64::from(query.range.seconds());
        let end_s = now_s - now_s.rem_euclid(width_s) + width_s;
        Self {
            previous_from_s: end_s - 2 * length_s,
            from_s: end_s - length_s,
            end_s,
            width_s,
        }
    }

    fn buckets(&self) -> usize {
        ((self.end_s - self.from_s) / self.width_s) as usize
    }

    fn bucket_of(&self, second: i64) -> usize {
        ((second - self.from_s) / self.width_s) as usize
    }

    /// The rollups of some of it, as they are told apart in the charts.
    fn wanted<'q>(&self, query: &'q OverviewQuery, from_s: i64, to_s: i64) -> Wanted<'q> {
        let width = match self.width_s {
            ..3600 => Interval::Minute,
            _ => Interval::Hour,
        };
        let names = [
            (UsageGroup::Model, &query.model),
            (UsageGroup::Provider, &query.provider),
        ];
        let names = names.into_iter();
        Wanted {
            from_s,
            to_s,
            finest: width,
            coarsest: width,
            by: &[],
            names: names
                .filter_map(|(group, name)| Some((group, name.as_deref()?)))
                .collect(),
            status: None,
        }
    }
}

/// What is added up while rollups come.
struct Sums {
    previous: Figures,
    buckets: Vec<Figures>,
    /// By requested model, then provider: the totals of either come from these.
    pairs: HashMap<String, HashMap<String, Figures>>,
}

impl Sums {
    fn new(buckets: usize) -> Self {
        Self {
            previous: Figures::default(),
            buckets: vec![Figures::default(); buckets],
            pairs: HashMap::new(),
        }
    }

    fn overview(self, query: &OverviewQuery, frame: &Frame, now: DateTime<Utc>) -> Overview {
        let mut totals = Figures::default();
        for bucket in &self.buckets {
            totals.merge(bucket);
        }
        let mut models = HashMap::<String, Figures>::new();
        let mut providers = HashMap::<String, Figures>::new();
        for (model, pairs) in &self.pairs {
            for (provider, figures) in pairs {
                entry(&mut models, model).merge(figures);
                entry(&mut providers, provider).merge(figures);
            }
        }
        let mut errors: Vec<_> = totals
            .error_kinds
            .iter()
            .map(|(kind, count)| ErrorCount {
                kind: kind.to_string(),
                count: *count,
            })
            .collect();
        errors.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.kind.cmp(&b.kind)));
        Overview {
            query: query.clone(),
            from: time(frame.from_s),
            until: now,
            bucket_seconds: query.range.bucket_seconds(),
            totals: totals.totals(),
            previous: (self.previous.requests > 0).then(|| self.previous.totals()),
            series: self
                .buckets
                .iter()
                .enumerate()
                .map(|(i, figures)| Bucket {
                    start: time(frame.from_s + i as i64 * frame.width_s),
                    totals: figures.totals(),
                })
                .collect(),
            models: top(models),
            providers: top(providers),
            errors,
        }
    }
}

/// The most used ones. Requests that named no model, or reached no provider, are no entry, and neither is what only
/// shadows went to.
fn top(figures: HashMap<String, Figures>) -> Vec<Share> {
    let mut named: Vec<_> = figures
        .into_iter()
        .filter(|(name, figures)| !name.is_empty() && figures.requests > 0)
        .collect();
    named.sort_by(|(a_name, a), (b_name, b)| {
        b.requests.cmp(&a.requests).then_with(|| a_name.cmp(b_name))
    });
    named.truncate(TOP);
    named
        .into_iter()
        .map(|(name, figures)| Share {
            name,
            totals: figures.totals(),
        })
        .collect()
}

fn entry<'m, T: Default>(map: &'m mut HashMap<String, T>, name: &str) -> &'m mut T {
    if !map.contains_key(name) {
        map.insert(name.to_owned(), T::default());
    }
    map.get_mut(name).expect("inserted above")
}

fn time(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(second, 0).expect("seconds near now")
}
