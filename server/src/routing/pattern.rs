//! Model names with wildcards.

/// A name in which each `*` stands for any number of characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    pieces: Vec<String>,
}

impl Pattern {
    /// `None` where `name` has no `*`: then it is a plain name.
    pub fn parse(name: &str) -> Option<Self> {
        name.contains('*').then(|| Self {
            pieces: name.split('*').map(str::to_owned).collect(),
        })
    }

    /// How many characters are fixed: of several patterns that match, the one that says most wins.
    pub fn weight(&self) -> usize {
        self.pieces.iter().map(String::len).sum()
    }

    /// Whether the character is one of those that are fixed.
    pub fn has(&self, character: char) -> bool {
        self.pieces.iter().any(|piece| piece.contains(character))
    }

    pub fn matches(&self, name: &str) -> bool {
        let [first, middle @ .., last] = self.pieces.as_slice() else {
            return false;
        };
        let Some(mut rest) = name.strip_prefix(first.as_str()) else {
            return false;
        };
        for piece in middle {
            match rest.find(piece.as_str()) {
                Some(at) => rest = &rest[at + piece.len()..],
                None => return false,
            }
        }
        rest.ends_with(last.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::Pattern;

    #[test]
    fn a_star_stands_for_anything() {
        for (pattern, name, matches) in [
            ("gpt-*", "gpt-4o", true),
            ("gpt-*", "gpt-", true),
            ("gpt-*", "my-gpt-4o", false),
            ("*", "", true),
            ("*-mini", "gpt-4o-mini", true),
            ("*-mini", "gpt-4o-mini-2", false),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c-b", false),
            ("aa*aa", "aaa", false),
        ] {
            let parsed = Pattern::parse(pattern).unwrap();
            assert_eq!(parsed.matches(name), matches, "{pattern} {name}");
        }
        assert_eq!(Pattern::parse("gpt-4o"), None);
    }
}
