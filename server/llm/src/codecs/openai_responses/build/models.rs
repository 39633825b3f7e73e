//! What models' names tell of how they reason: <https://platform.openai.com/docs/guides/reasoning>

/// How a model takes it to be told not to reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reasons {
    /// It can be told not to: `none` is an effort.
    UnlessTold,
    /// It reasons always, or nothing is known of it: `none` may be refused.
    Always,
    /// It never does, and refuses to be told how much.
    Never,
}

impl Reasons {
    pub fn of(model: &str) -> Self {
        // `ft:gpt-4.1:…`, `openai/gpt-5.1`
        let name = model.strip_prefix("ft:").unwrap_or(model);
        let name = name.rsplit('/').next().unwrap_or(name);
        let starts = |family: &&str| name.starts_with(*family);
        if ["gpt-3.5", "gpt-4", "gpt-audio", "chatgpt-4o"]
            .iter()
            .any(starts)
        {
            return Self::Never;
        }
        // From 5.1 on, but for those that are made to reason, or to choose by themselves.
        let word = |word: &str| name.split('-').any(|part| part == word);
        let version = name.strip_prefix("gpt-").and_then(|rest| {
            let number = rest.split('-').next()?;
            let (major, minor) = number.split_once('.').unwrap_or((number, "0"));
            Some((major.parse::<u32>().ok()?, minor.parse::<u32>().ok()?))
        });
        let special = ["pro", "codex", "chat"].into_iter().any(word);
        if version.is_some_and(|version| version >= (5, 1)) && !special {
            Self::UnlessTold
        } else {
            Self::Always
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell() {
        for (model, expected) in [
            ("gpt-5.1", Reasons::UnlessTold),
            ("gpt-5.4-mini-2026-03-17", Reasons::UnlessTold),
            ("gpt-6-luna", Reasons::UnlessTold),
            ("gpt-6.2-sol", Reasons::UnlessTold),
            ("openai/gpt-5.2", Reasons::UnlessTold),
            ("gpt-5", Reasons::Always),
            ("gpt-5-mini", Reasons::Always),
            ("gpt-5.2-pro", Reasons::Always),
            ("gpt-5.1-codex", Reasons::Always),
            ("gpt-5.1-chat-latest", Reasons::Always),
            ("gpt-oss-120b", Reasons::Always),
            ("o3-mini", Reasons::Always),
            ("my-deployment", Reasons::Always),
            ("gpt-4o-mini", Reasons::Never),
            ("ft:gpt-4.1:acme::1", Reasons::Never),
            ("chatgpt-4o-latest", Reasons::Never),
        ] {
            assert_eq!(Reasons::of(model), expected, "{model}");
        }
    }
}
