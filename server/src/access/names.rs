//! What users, API tokens and passwords may be.

use shared::policies::FieldError;

use super::password::{LONGEST, SHORTEST};

const LONGEST_NAME: usize = 64;
/// These stand in the list of changes for others.
const RESERVED: [&str; 5] = ["admin", "token", "gateway", "nobody", "unknown"];

/// What is wrong with a user's name.
pub(super) fn of_user(name: &str) -> Option<FieldError> {
    let message = if RESERVED.contains(&name) {
        format!("`{name}` stands for somebody else: choose another name")
    } else if !is_name(name) || name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        format!(
            "1 to {LONGEST_NAME} lower-case letters, digits, `.`, `_`, `-`, `+` and `@`, the first one a letter or a \
             digit"
        )
    } else {
        return None;
    };
    Some(about("name", message))
}

/// What is wrong with an API token's name.
pub(super) fn of_token(name: &str) -> Option<FieldError> {
    let message = format!(
        "1 to {LONGEST_NAME} letters, digits, `.`, `_`, `-`, `+` and `@`, the first one a letter or a digit"
    );
    (!is_name(name)).then(|| about("name", message))
}

/// What is wrong with a password.
pub(super) fn of_password(field: &str, user: &str, password: &str) -> Option<FieldError> {
    let length = password.chars().count();
    let message = if length < SHORTEST {
        format!("at least {SHORTEST} characters")
    } else if length > LONGEST {
        format!("at most {LONGEST} characters")
    } else if password.to_lowercase().contains(&user.to_lowercase()) && length < 2 * SHORTEST {
        "not made of the user's name".to_owned()
    } else if is_one_repeated(password) {
        "not one character over and over".to_owned()
    } else {
        return None;
    };
    Some(about(field, message))
}

pub(super) fn about(field: &str, message: impl Into<String>) -> FieldError {
    FieldError {
        field: field.to_owned(),
        message: message.into(),
    }
}

fn is_name(name: &str) -> bool {
    let others = |byte: u8| byte.is_ascii_alphanumeric() || b"._-+@".contains(&byte);
    name.len() <= LONGEST_NAME
        && name
            .bytes()
            .next()
            .is_some_and(|byte| byte.is_ascii_alphanumeric())
        && name.bytes().all(others)
}

fn is_one_repeated(password: &str) -> bool {
    let mut characters = password.chars();
    let first = characters.next();
    characters.all(|one| Some(one) == first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain() {
        for name in ["a", "alice", "alice.b@example.com", "0x", "a-b_c+d"] {
            assert_eq!(of_user(name), None, "{name}");
        }
        let long = "a".repeat(LONGEST_NAME + 1);
        for name in [
            "", "admin", "token", "Alice", "-a", "a b", "a/b", "ä", "a\n", "a:b", &*long,
        ] {
            assert!(of_user(name).is_some(), "{name}");
        }
        assert_eq!(of_token("CI-Deploy"), None);
        assert!(of_token("token:x").is_some());
    }

    #[test]
    fn passwords_are_long_and_not_obvious() {
        for password in [
            "short",
            "aaaaaaaaaaaaaaaa",
            "alice-123456",
            &"x7".repeat(200),
        ] {
            assert!(
                of_password("password", "alice", password).is_some(),
                "{password}"
            );
        }
        assert_eq!(
            of_password("password", "alice", "correct horse battery"),
            None
        );
        assert_eq!(of_password("password", "alice", "päßwörter in zwölf"), None);
    }
}
