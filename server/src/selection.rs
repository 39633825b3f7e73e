//! Which of an operator's rules are about a request.

use std::net::IpAddr;

use foldhash::HashMap;
use shared::policies::Selector;

use crate::config::IpNet;
use crate::routing::pattern::Pattern;

/// What rules select requests by.
#[derive(Clone, Copy, Debug, Default)]
pub struct Subject<'a> {
    /// The name of the client's key.
    pub key: Option<&'a str>,
    pub project: Option<&'a str>,
    /// The name that the client asked for.
    pub model: Option<&'a str>,
    /// What decides who answers, where the client wrote something else: the model of an alias, of `provider/model`, or
    /// of the provider that it chose.
    pub known_as: Option<&'a str>,
    pub address: Option<IpAddr>,
}

impl<'a> Subject<'a> {
    /// The names that the model goes by.
    fn models(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.model.into_iter().chain(self.known_as)
    }

    /// The one name by which requests for the model are counted.
    pub fn counted_as(&self) -> Option<&'a str> {
        self.known_as.or(self.model)
    }
}

/// Things that are each about some requests, in an order.
///
/// A request costs what may be about it, however many others there are: those that name keys are found by the key,
/// else those that name projects by the project, else those that name models by the model.
#[derive(Clone, Debug)]
pub struct Selection<T> {
    all: Vec<(Matcher, T)>,
    /// Places in `all`, rising.
    by_key: HashMap<String, Vec<usize>>,
    by_project: HashMap<String, Vec<usize>>,
    by_model: HashMap<String, Vec<usize>>,
    /// Of those that can only be found by looking.
    others: Vec<usize>,
}

impl<T> Default for Selection<T> {
    fn default() -> Self {
        Self {
            all: Vec::new(),
            by_key: HashMap::default(),
            by_project: HashMap::default(),
            by_model: HashMap::default(),
            others: Vec::new(),
        }
    }
}

#[derive(Clone, Debug)]
struct Matcher {
    keys: Vec<String>,
    projects: Vec<String>,
    models: Vec<Model>,
    addresses: Vec<Addresses>,
    except_addresses: Vec<Addresses>,
}

#[derive(Clone, Debug)]
enum Model {
    Name(String),
    Pattern(Pattern),
}

impl Model {
    fn new(name: &str) -> Self {
        match Pattern::parse(name) {
            Some(pattern) => Self::Pattern(pattern),
            None => Self::Name(name.to_owned()),
        }
    }

    fn matches(&self, name: &str) -> bool {
        match self {
            Self::Name(own) => own == name,
            Self::Pattern(pattern) => pattern.matches(name),
        }
    }
}

#[derive(Clone, Debug)]
enum Addresses {
    All,
    Net(IpNet),
}

impl Addresses {
    /// Nobody knows who a client without an address is.
    fn has(&self, address: Option<IpAddr>) -> bool {
        match self {
            Self::All => true,
            Self::Net(net) => address.is_some_and(|address| net.contains(&address)),
        }
    }
}

/// The addresses that a selector's entry means; `None`: it is not an address, a network or `*.*.*.*`.
fn addresses(text: &str) -> Option<Addresses> {
    if matches!(text, "*" | "*.*.*.*") {
        return Some(Addresses::All);
    }
    let net = text.parse::<IpNet>().ok();
    net.or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
        .map(Addresses::Net)
}

/// Whether a selector's entry means addresses.
pub fn is_addresses(text: &str) -> bool {
    addresses(text).is_some()
}

impl Matcher {
    fn new(selector: &Selector) -> Self {
        let all = |texts: &[String]| texts.iter().filter_map(|text| addresses(text)).collect();
        Self {
            keys: selector.keys.clone(),
            projects: selector.projects.clone(),
            models: selector
                .models
                .iter()
                .map(|model| Model::new(model))
                .collect(),
            addresses: all(&selector.addresses),
            except_addresses: all(&selector.except_addresses),
        }
    }

    fn matches(&self, subject: &Subject<'_>) -> bool {
        let named = |names: &[String], name: Option<&str>| {
            names.is_empty() || name.is_some_and(|name| names.iter().any(|one| one == name))
        };
        let model = || {
            self.models.is_empty()
                || subject
                    .models()
                    .any(|model| self.models.iter().any(|pattern| pattern.matches(model)))
        };
        let among = |list: &[Addresses]| list.iter().any(|one| one.has(subject.address));
        let address = || {
            (self.addresses.is_empty() || among(&self.addresses)) && !among(&self.except_addresses)
        };
        named(&self.keys, subject.key)
            && named(&self.projects, subject.project)
            && model()
            && address()
    }
}

impl<T> FromIterator<(Selector, T)> for Selection<T> {
    fn from_iter<I: IntoIterator<Item = (Selector, T)>>(things: I) -> Self {
        let mut selection = Self::default();
        for (selector, thing) in things {
            let place = selection.all.len();
            let exact = |models: &[String]| models.iter().all(|model| !model.contains('*'));
            let (index, names) = if !selector.keys.is_empty() {
                (&mut selection.by_key, &selector.keys)
            } else if !selector.projects.is_empty() {
                (&mut selection.by_project, &selector.projects)
            } else if !selector.models.is_empty() && exact(&selector.models) {
                (&mut selection.by_model, &selector.models)
            } else {
                selection.others.push(place);
                selection.all.push((Matcher::new(&selector), thing));
                continue;
            };
            for name in names {
                let places = index.entry(name.clone()).or_default();
                if places.last() != Some(&place) {
                    places.push(place);
                }
            }
            selection.all.push((Matcher::new(&selector), thing));
        }
        selection
    }
}

impl<T> Selection<T> {
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// All there are, in order.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.all.iter().map(|(_, thing)| thing)
    }

    /// Those that are about such requests, in order.
    pub fn matching<'s>(&'s self, subject: Subject<'s>) -> impl Iterator<Item = &'s T> {
        let found = |index: &'s HashMap<String, Vec<usize>>, name: Option<&str>| -> &'s [usize] {
            let places = name.filter(|_| !index.is_empty());
            places
                .and_then(|name| index.get(name))
                .map_or(&[], Vec::as_slice)
        };
        let mut lists = [
            self.others.as_slice(),
            found(&self.by_key, subject.key),
            found(&self.by_project, subject.project),
            found(&self.by_model, subject.model),
            found(&self.by_model, subject.known_as),
        ];
        std::iter::from_fn(move || {
            // The lists in one order; a place may be in both of the models'.
            let place = lists
                .iter()
                .filter_map(|list| list.first().copied())
                .min()?;
            for list in &mut lists {
                if list.first() == Some(&place) {
                    *list = &list[1..];
                }
            }
            Some(place)
        })
        .map(|place| &self.all[place])
        .filter(move |(matcher, _)| matcher.matches(&subject))
        .map(|(_, thing)| thing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selector(keys: &[&str], projects: &[&str], models: &[&str], addresses: &[&str]) -> Selector {
        let texts = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
        Selector {
            keys: texts(keys),
            projects: texts(projects),
            models: texts(models),
            addresses: texts(addresses),
            ..Selector::default()
        }
    }

    #[test]
    fn finds_in_order_what_matches() {
        let selection: Selection<u32> = [
            (selector(&[], &[], &["gpt-*"], &[]), 0),
            (selector(&["a", "b", "a"], &[], &[], &[]), 1),
            (selector(&[], &["p"], &["gpt-4"], &[]), 2),
            (selector(&[], &[], &["gpt-4", "o3"], &[]), 3),
            (Selector::default(), 4),
            (selector(&[], &[], &[], &["10.0.0.0/8", "192.0.2.7"]), 5),
            (selector(&[], &[], &[], &["*.*.*.*"]), 6),
            (selector(&["a"], &["q"], &[], &[]), 7),
            (
                Selector {
                    except_addresses: vec!["10.0.0.0/8".to_owned()],
                    ..selector(&["c"], &[], &[], &[])
                },
                8,
            ),
        ]
        .into_iter()
        .collect();
        let find = |key, project, model, address: Option<&str>| -> Vec<u32> {
            let subject = Subject {
                key,
                project,
                model,
                known_as: None,
                address: address.map(|address| address.parse().unwrap()),
            };
            selection.matching(subject).copied().collect()
        };
        assert_eq!(find(None, None, None, None), [4, 6]);
        assert_eq!(
            find(Some("a"), Some("p"), Some("gpt-4"), Some("10.1.2.3")),
            [0, 1, 2, 3, 4, 5, 6]
        );
        assert_eq!(
            find(Some("a"), Some("q"), Some("o3"), Some("192.0.2.7")),
            [1, 3, 4, 5, 6, 7]
        );
        assert_eq!(
            find(Some("c"), None, Some("gpt-3"), Some("192.0.2.8")),
            [0, 4, 6, 8]
        );
        assert_eq!(
            find(Some("c"), None, Some("gpt-3"), Some("10.0.0.1")),
            [0, 4, 5, 6]
        );
    }

    #[test]
    fn another_name_is_no_way_round() {
        let selection: Selection<u32> = [
            (selector(&[], &[], &["gpt-4", "fast"], &[]), 0),
            (selector(&[], &[], &["gpt-*"], &[]), 1),
            (selector(&[], &[], &["o3"], &[]), 2),
        ]
        .into_iter()
        .collect();
        let subject = Subject {
            model: Some("fast"),
            known_as: Some("gpt-4"),
            ..Subject::default()
        };
        let found: Vec<u32> = selection.matching(subject).copied().collect();
        assert_eq!(found, [0, 1]);
        assert_eq!(subject.counted_as(), Some("gpt-4"));
    }
}
