//! Names in either spelling.

use std::borrow::Cow;

use crate::json::Node;

/// A field's name as the documentation spells it: `max_output_tokens` is `maxOutputTokens`.
pub(crate) fn camel(name: Cow<'_, str>) -> Cow<'_, str> {
    if !name.contains('_') {
        return name;
    }
    let mut camel = String::with_capacity(name.len());
    let mut raise = false;
    for character in name.chars() {
        if character == '_' {
            raise = !camel.is_empty();
        } else if std::mem::take(&mut raise) {
            camel.extend(character.to_uppercase());
        } else {
            camel.push(character);
        }
    }
    Cow::Owned(camel)
}

/// A member in either spelling that is there and not null; `name` is the documented one.
pub(crate) fn member<'n, 'a>(object: &'n Node<'a>, name: &str) -> Option<&'n Node<'a>> {
    object.get(name).or_else(|| {
        object
            .members()
            .find(|(key, value)| {
                key.contains('_') && !value.is_null() && camel(key.clone()) == name
            })
            .map(|(_, value)| value)
    })
}

/// The items of a repeated field, which may be written without its brackets where it has but one.
pub(crate) fn items<'n, 'a>(field: &'n Node<'a>) -> &'n [Node<'a>] {
    match field.array() {
        Ok(items) => items,
        Err(_) => std::slice::from_ref(field),
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn both_spellings_are_read() {
        assert_eq!(camel("max_output_tokens".into()), "maxOutputTokens");
        assert_eq!(camel("topP".into()), "topP");
        assert_eq!(camel("_a__b_".into()), "aB");
        let body = Bytes::from_static(br#"{"top_p":1,"topK":2,"top_k":null}"#);
        let root = Node::parse(&body).unwrap();
        assert_eq!(member(&root, "topP").unwrap().u64(), Ok(1));
        assert_eq!(member(&root, "topK").unwrap().u64(), Ok(2));
        assert!(member(&root, "seed").is_none());
    }
}
