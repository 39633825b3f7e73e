//! The spelling that was probably meant.

/// The option nearest to `word`, if it is near enough to be a slip of the pen.
pub(super) fn nearest<'a>(
    word: &str,
    options: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let plain = folded(word);
    options
        .into_iter()
        .map(|option| {
            let other = folded(option);
            let near = plain.chars().count().max(other.chars().count()) / 3;
            (strsim::osa_distance(&plain, &other), near.max(1), option)
        })
        .filter(|(distance, near, _)| distance <= near)
        .min_by_key(|(distance, ..)| *distance)
        .map(|(.., option)| option)
}

/// `did you mean "kind"?`, or else what there is to choose from.
pub(in crate::config) fn did_you_mean(word: &str, options: &[&str]) -> String {
    match nearest(word, options.iter().copied()) {
        Some(option) => format!("did you mean \"{option}\"?"),
        None if options.is_empty() => "there is none".to_owned(),
        None => format!("valid: {}", options.join(", ")),
    }
}

/// `apiKey`, `api-key` and `api_key` are the same slip.
fn folded(word: &str) -> String {
    word.chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}
