//! What is shown of a secret.

/// No secret can hold it: they are ASCII.
const ELLIPSIS: char = '…';
/// Of a shorter secret nothing is shown.
const SHORTEST_SHOWN: usize = 16;

/// `sk-…abcd`; of a short one `…` alone.
pub fn masked(secret: &str) -> String {
    if secret.len() < SHORTEST_SHOWN || !secret.is_ascii() {
        return ELLIPSIS.to_string();
    }
    format!("{}{ELLIPSIS}{}", &secret[..3], &secret[secret.len() - 4..])
}

/// Whether a text is what is shown of a secret, not one itself.
pub fn is_masked(text: &str) -> bool {
    text.contains(ELLIPSIS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn little_is_shown() {
        assert_eq!(masked("sk-0123456789abcd"), "sk-…abcd");
        assert_eq!(masked("short-secret"), "…");
        assert_eq!(masked(""), "…");
        assert!(is_masked(&masked("sk-0123456789abcd")));
        assert!(!is_masked("sk-0123456789abcd"));
    }
}
