//! `${VAR}` and `${VAR:-default}` in text; `$${` stands for `${`.

/// `text` with its variables replaced by what `variable` says; or what is wrong with it.
///
/// As in a shell, the default of `${VAR:-default}` also stands for a variable that is set but empty. A default
/// is taken as it is and ends at the first `}`.
pub(super) fn interpolate<'v>(
    text: &str,
    variable: impl Fn(&str) -> Option<&'v str>,
) -> Result<String, String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        if rest[..at].ends_with('$') {
            out.push_str(&rest[..at - 1]);
            out.push_str("${");
            rest = &rest[at + 2..];
            continue;
        }
        out.push_str(&rest[..at]);
        let inside = &rest[at + 2..];
        let end = inside.find('}').ok_or_else(|| {
            "\"${\" without \"}\"; write \"${NAME}\", or \"$${\" for the characters themselves"
                .to_owned()
        })?;
        let (name, default) = match inside[..end].split_once(":-") {
            Some((name, default)) => (name, Some(default)),
            None => (&inside[..end], None),
        };
        if !is_name(name) {
            return Err(format!(
                "\"{name}\" is no name of an environment variable; write \"${{NAME}}\", or \"$${{\" for the \
                 characters themselves"
            ));
        }
        match (variable(name), default) {
            (Some(""), Some(default)) | (None, Some(default)) => out.push_str(default),
            (Some(value), _) => out.push_str(value),
            (None, None) => {
                return Err(format!(
                    "the environment variable {name} is not set; set it, or give a default: \
                     \"${{{name}:-…}}\""
                ));
            }
        }
        rest = &inside[end + 1..];
    }
    out.push_str(rest);
    Ok(out)
}

fn is_name(name: &str) -> bool {
    !name.starts_with(|c: char| c.is_ascii_digit())
        && !name.is_empty()
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::interpolate;

    fn with_home(text: &str) -> Result<String, String> {
        interpolate(text, |name| match name {
            "HOME" => Some("/root"),
            "EMPTY" => Some(""),
            "NESTED" => Some("${HOME}"),
            _ => None,
        })
    }

    #[test]
    fn replaces_variables() {
        for (text, expected) in [
            ("", ""),
            ("plain $HOME", "plain $HOME"),
            ("${HOME}", "/root"),
            ("a${HOME}b${HOME}c", "a/rootb/rootc"),
            ("${NONE:-else}", "else"),
            ("${NONE:-}", ""),
            ("${EMPTY:-else}", "else"),
            ("${EMPTY}", ""),
            ("${HOME:-else}", "/root"),
            ("${NONE:-a:-b}", "a:-b"),
            ("$${HOME}", "${HOME}"),
            ("$${HOME} ${HOME}", "${HOME} /root"),
            ("${NESTED}", "${HOME}"),
            ("ü${HOME}ß", "ü/rootß"),
        ] {
            assert_eq!(with_home(text).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn names_what_is_wrong() {
        for (text, expected) in [
            (
                "${NONE}",
                "the environment variable NONE is not set; set it, or give a default: \"${NONE:-…}\"",
            ),
            (
                "${HOME",
                "\"${\" without \"}\"; write \"${NAME}\", or \"$${\" for the characters themselves",
            ),
            (
                "${A B}",
                "\"A B\" is no name of an environment variable; write \"${NAME}\", or \"$${\" for the \
                 characters themselves",
            ),
            (
                "${}",
                "\"\" is no name of an environment variable; write \"${NAME}\", or \"$${\" for the \
                 characters themselves",
            ),
        ] {
            assert_eq!(with_home(text), Err(expected.to_owned()), "{text}");
        }
    }
}
