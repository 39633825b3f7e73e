//! How the models differ in what they take, as far as requests have to know:
//! <https://docs.anthropic.com/en/docs/about-claude/models/overview>

/// What a model takes, told by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Model {
    tier: Tier,
    /// Major and minor: `claude-3-5-haiku` is (3, 5), `claude-opus-4-20250514` is (4, 0).
    version: (u32, u32),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tier {
    Haiku,
    Sonnet,
    Opus,
    /// Fable and Mythos.
    Large,
    /// A model of somebody else's behind the same protocol.
    Unknown,
}

/// How a model is told to think.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Thinking {
    None,
    /// By a number of tokens.
    Budget,
    /// By words; by a number of tokens too.
    Either,
    /// By words only.
    Adaptive,
}

/// How a model is told not to think.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Off {
    /// It does not, unless told to.
    Unsaid,
    Disabled,
    BetweenTools,
    /// It always does.
    Never,
}

/// The newest that is known of: names without a version are taken for it.
const NEWEST: (u32, u32) = (5, 5);

impl Model {
    pub(super) fn of(name: &str) -> Self {
        let name = name.to_ascii_lowercase();
        let has = |word: &str| name.contains(word);
        let Some(start) = name.find("claude") else {
            return Self {
                tier: Tier::Unknown,
                version: (0, 0),
            };
        };
        let tier = if has("haiku") || has("instant") {
            Tier::Haiku
        } else if has("sonnet") {
            Tier::Sonnet
        } else if has("fable") || has("mythos") {
            Tier::Large
        } else {
            Tier::Opus
        };
        // Dates and revisions have more digits, or an `@` or a `v` before them.
        let mut numbers = name[start..]
            .split(['-', '.', '_'])
            .filter_map(|word| word.split('@').next())
            .filter(|word| (1..=2).contains(&word.len()))
            .filter_map(|word| word.parse::<u32>().ok());
        let version = match (numbers.next(), numbers.next()) {
            (Some(major), minor) => (major, minor.unwrap_or(0)),
            (None, _) => NEWEST,
        };
        Self { tier, version }
    }

    fn known(self) -> bool {
        self.tier != Tier::Unknown
    }

    fn since(self, version: (u32, u32)) -> bool {
        self.known() && self.version >= version
    }

    /// How many tokens to ask for where the client does not say: as many as the model writes at most, up to
    /// what every model of its generation does.
    pub(super) fn max_tokens(self) -> u64 {
        if !self.known() || !self.since((3, 5)) {
            4_096
        } else if !self.since((3, 7)) {
            8_192
        } else if self.tier == Tier::Opus && !self.since((4, 5)) {
            32_000
        } else {
            64_000
        }
    }

    /// How many tokens it writes at most; the API refuses to be asked for more.
    pub(super) fn most_tokens(self) -> Option<u64> {
        let most = if self.since((4, 6)) {
            128_000
        } else {
            self.max_tokens()
        };
        self.known().then_some(most)
    }

    pub(super) fn thinking(self) -> Thinking {
        if !self.known() {
            Thinking::Budget
        } else if !self.since((3, 7)) {
            Thinking::None
        } else if !self.since((4, 6)) {
            Thinking::Budget
        } else if !self.since((4, 7)) {
            Thinking::Either
        } else {
            Thinking::Adaptive
        }
    }

    pub(super) fn off(self) -> Off {
        match self.tier {
            Tier::Unknown => Off::Unsaid,
            Tier::Large => Off::Never,
            _ if !self.since((5, 0)) => Off::Unsaid,
            _ if !self.since((5, 5)) => Off::Disabled,
            Tier::Sonnet | Tier::Haiku if self.version < (6, 0) => Off::BetweenTools,
            _ => Off::Never,
        }
    }

    /// Whether it hides its thoughts unless told not to.
    pub(super) fn hides_thoughts(self) -> bool {
        self.since((4, 7))
    }

    /// Whether it takes `temperature`, `top_p` and `top_k`.
    pub(super) fn samples(self) -> bool {
        !self.since((4, 7)) && self.tier != Tier::Large
    }

    /// Whether it takes `temperature` and `top_p` together.
    pub(super) fn samples_both(self) -> bool {
        !self.since((4, 1))
    }

    /// Whether a tool can be forced on it.
    pub(super) fn can_be_forced(self) -> bool {
        match self.tier {
            Tier::Large => !self.since((5, 1)),
            _ => !self.since((5, 5)),
        }
    }

    /// Whether it writes JSON after a schema, and calls tools strictly after theirs:
    /// <https://docs.anthropic.com/en/docs/build-with-claude/structured-outputs>
    pub(super) fn structured_outputs(self) -> bool {
        self.since((4, 5))
    }

    /// Whether the system may speak between turns.
    pub(super) fn system_between_turns(self) -> bool {
        match self.tier {
            Tier::Unknown => false,
            Tier::Opus | Tier::Large => self.since((4, 8)),
            Tier::Sonnet | Tier::Haiku => self.since((5, 0)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_the_version() {
        for (name, tier, version) in [
            ("claude-3-haiku-20240307", Tier::Haiku, (3, 0)),
            ("claude-3-5-sonnet-20241022", Tier::Sonnet, (3, 5)),
            ("claude-3-7-sonnet-latest", Tier::Sonnet, (3, 7)),
            ("claude-opus-4-20250514", Tier::Opus, (4, 0)),
            ("claude-opus-4-1", Tier::Opus, (4, 1)),
            ("claude-sonnet-4-5-20250929", Tier::Sonnet, (4, 5)),
            ("anthropic/claude-4.7-opus", Tier::Opus, (4, 7)),
            ("us.anthropic.claude-opus-4-6-v1:0", Tier::Opus, (4, 6)),
            ("claude-opus-4@20250514", Tier::Opus, (4, 0)),
            ("claude-haiku-5-5", Tier::Haiku, (5, 5)),
            ("claude-mythos-preview", Tier::Large, NEWEST),
            ("Claude-Fable-5-1", Tier::Large, (5, 1)),
            ("claude-instant-1.2", Tier::Haiku, (1, 2)),
            ("some-model-7b", Tier::Unknown, (0, 0)),
        ] {
            assert_eq!(Model::of(name), Model { tier, version }, "{name}");
        }
    }

    #[test]
    fn generations_think_in_their_ways() {
        for (name, thinking, off, samples, forced) in [
            ("claude-3-5-haiku", Thinking::None, Off::Unsaid, true, true),
            (
                "claude-haiku-4-5",
                Thinking::Budget,
                Off::Unsaid,
                true,
                true,
            ),
            ("claude-opus-4-6", Thinking::Either, Off::Unsaid, true, true),
            (
                "claude-opus-4-8",
                Thinking::Adaptive,
                Off::Unsaid,
                false,
                true,
            ),
            (
                "claude-sonnet-5",
                Thinking::Adaptive,
                Off::Disabled,
                false,
                true,
            ),
            (
                "claude-sonnet-5-5",
                Thinking::Adaptive,
                Off::BetweenTools,
                false,
                false,
            ),
            (
                "claude-opus-5-5",
                Thinking::Adaptive,
                Off::Never,
                false,
                false,
            ),
            (
                "claude-fable-5",
                Thinking::Adaptive,
                Off::Never,
                false,
                true,
            ),
            ("somebody-elses", Thinking::Budget, Off::Unsaid, true, true),
        ] {
            let model = Model::of(name);
            assert_eq!(model.thinking(), thinking, "{name}");
            assert_eq!(model.off(), off, "{name}");
            assert_eq!(model.samples(), samples, "{name}");
            assert_eq!(model.can_be_forced(), forced, "{name}");
        }
    }
}
