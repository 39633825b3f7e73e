//! Several texts in one field: between commas or on lines, and as a JSON array where that would not give them back.

/// Names for a line: `a, b`.
pub fn with_commas(all: &[String]) -> String {
    shown(all, ", ", commas, serde_json::to_string)
}

/// Texts for a field of several lines: one a line.
pub fn on_lines(all: &[String]) -> String {
    shown(all, "\n", lines, serde_json::to_string_pretty)
}

/// What stands between commas, without the blanks around it.
///
/// # Errors
/// It begins as a JSON array of texts, and is none.
pub fn commas(text: &str) -> serde_json::Result<Vec<String>> {
    let parts = text.split([',', '\n']).map(str::trim);
    let inside = text.trim_start().strip_prefix('[');
    let begins = inside.is_some_and(|inside| inside.trim_start().starts_with('"'));
    array_or(text, begins, parts)
}

/// What stands on lines, with the blanks that are in it: phrases and patterns may mean them.
///
/// # Errors
/// It begins as a JSON array over several lines, and is none.
pub fn lines(text: &str) -> serde_json::Result<Vec<String>> {
    // `["']` is a pattern.
    let begins = text.lines().next().is_some_and(|line| line.trim() == "[");
    array_or(text, begins, text.lines())
}

fn shown(
    all: &[String],
    between: &str,
    read: fn(&str) -> serde_json::Result<Vec<String>>,
    json: fn(&[String]) -> serde_json::Result<String>,
) -> String {
    let plain = all.join(between);
    // Browsers change line breaks, and leave them out of a line.
    let breaks = all.iter().any(|one| one.contains(char::is_control));
    if !breaks && read(&plain).is_ok_and(|read| read == all) {
        return plain;
    }
    json(all).expect("texts are JSON")
}

/// The texts of the array that a text is, else what is said in its parts.
fn array_or<'a>(
    text: &str,
    begins: bool,
    parts: impl Iterator<Item = &'a str>,
) -> serde_json::Result<Vec<String>> {
    match serde_json::from_str::<Vec<String>>(text) {
        Ok(array) if !array.is_empty() => return Ok(array),
        Err(error) if begins => return Err(error),
        Ok(_) | Err(_) => {}
    }
    let said = parts.filter(|part| !part.trim().is_empty());
    Ok(said.map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_comes_back() {
        for (all, commas_of, lines_of) in [
            (vec!["a", "b c"], "a, b c", "a\nb c"),
            (
                vec!["Doe, Jane", "b"],
                r#"["Doe, Jane","b"]"#,
                "Doe, Jane\nb",
            ),
            (vec![" a "], r#"[" a "]"#, " a "),
            (vec![" "], r#"[" "]"#, "[\n  \" \"\n]"),
            (
                vec!["(?x) a\n b "],
                r#"["(?x) a\n b "]"#,
                "[\n  \"(?x) a\\n b \"\n]",
            ),
            (
                vec![r#"["a"]"#],
                r#"["[\"a\"]"]"#,
                "[\n  \"[\\\"a\\\"]\"\n]",
            ),
            (vec!["[ab]", "[]"], "[ab], []", "[ab]\n[]"),
            (vec![r#"["']+"#, "["], r#"["[\"']+","["]"#, "[\"']+\n["),
            (vec!["[", "a"], "[, a", "[\n  \"[\",\n  \"a\"\n]"),
            (vec![], "", ""),
        ] {
            let all: Vec<_> = all.into_iter().map(str::to_owned).collect();
            assert_eq!(with_commas(&all), commas_of);
            assert_eq!(on_lines(&all), lines_of);
            assert_eq!(commas(commas_of).unwrap(), all);
            // As browsers send them.
            assert_eq!(lines(&lines_of.replace('\n', "\r\n")).unwrap(), all);
        }
        assert_eq!(commas(" a ,, b\nc ").unwrap(), ["a", "b", "c"]);
        assert_eq!(lines(" a\r\n\r\n  \r\nb ").unwrap(), [" a", "b "]);
    }

    #[test]
    fn half_an_array_is_not_torn_apart() {
        for text in [r#"["Doe, Jane", b]"#, r#" [ "a"#, r#"["a", 1]"#] {
            assert!(commas(text).is_err(), "{text}");
        }
        assert!(lines("[\r\n  \"a\",\r\n  b\r\n]").is_err());
    }
}
