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
pub fn commas(text: &str) -> Vec<String> {
    let parts = || text.split([',', '\n']).map(str::trim);
    array(text).unwrap_or_else(|| said(parts()))
}

/// What stands on lines, with the blanks that are in it: phrases and patterns may mean them.
pub fn lines(text: &str) -> Vec<String> {
    array(text).unwrap_or_else(|| said(text.lines()))
}

fn shown(
    all: &[String],
    between: &str,
    read: fn(&str) -> Vec<String>,
    json: fn(&[String]) -> serde_json::Result<String>,
) -> String {
    let plain = all.join(between);
    // Browsers change line breaks, and leave them out of a line.
    let breaks = all.iter().any(|one| one.contains(char::is_control));
    if !breaks && read(&plain) == all {
        return plain;
    }
    json(all).expect("texts are JSON")
}

fn array(text: &str) -> Option<Vec<String>> {
    let array: Vec<String> = serde_json::from_str(text).ok()?;
    (!array.is_empty()).then_some(array)
}

fn said<'a>(all: impl Iterator<Item = &'a str>) -> Vec<String> {
    all.filter(|part| !part.trim().is_empty())
        .map(str::to_owned)
        .collect()
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
            (vec![], "", ""),
        ] {
            let all: Vec<_> = all.into_iter().map(str::to_owned).collect();
            assert_eq!(with_commas(&all), commas_of);
            assert_eq!(on_lines(&all), lines_of);
            assert_eq!(commas(commas_of), all);
            // As browsers send them.
            assert_eq!(lines(&lines_of.replace('\n', "\r\n")), all);
        }
        assert_eq!(commas(" a ,, b\nc "), ["a", "b", "c"]);
        assert_eq!(lines(" a\r\n\r\n  \r\nb "), [" a", "b "]);
    }
}
