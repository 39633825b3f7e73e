//! A request in pieces: its messages, and what is around them.

use serde::Deserialize;
use serde_json::value::RawValue;

/// A body: `head`, the messages one after the other, `tail`. Together they are the body, byte for byte.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Split<'b> {
    pub head: &'b str,
    /// Each with what is before it and after the one before.
    pub messages: Vec<&'b str>,
    pub tail: &'b str,
}

/// Where conversations are, in the protocols that there are.
#[derive(Deserialize)]
struct Body<'b> {
    #[serde(borrow)]
    messages: Option<&'b RawValue>,
    #[serde(borrow)]
    input: Option<&'b RawValue>,
    #[serde(borrow)]
    contents: Option<&'b RawValue>,
}

/// Takes a body apart. What is no conversation is all head.
pub(crate) fn split(body: &str) -> Split<'_> {
    conversation(body).unwrap_or(Split {
        head: body,
        messages: Vec::new(),
        tail: "",
    })
}

fn conversation(body: &str) -> Option<Split<'_>> {
    let parsed: Body<'_> = serde_json::from_str(body).ok()?;
    let lists = [parsed.messages, parsed.input, parsed.contents];
    let list = lists.into_iter().flatten();
    let list = list
        .filter(|value| value.get().starts_with('['))
        .max_by_key(|value| value.get().len())?;
    let elements: Vec<&RawValue> = serde_json::from_str(list.get()).ok()?;
    // Slices of the body: where they are in it.
    let place = |text: &str| (text.as_ptr() as usize).checked_sub(body.as_ptr() as usize);
    let start = place(elements.first()?.get())?;
    let mut messages = Vec::with_capacity(elements.len());
    let mut done = start;
    for element in elements {
        let end = place(element.get())? + element.get().len();
        messages.push(body.get(done..end)?);
        done = end;
    }
    Some(Split {
        head: body.get(..start)?,
        messages,
        tail: body.get(done..)?,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn messages_are_apart_from_what_is_around_them() {
        let body = r#"{"model":"m", "messages": [ {"a":[1]}, {"b":"]"} ,3], "stream":true}"#;
        assert_eq!(
            split(body),
            Split {
                head: r#"{"model":"m", "messages": [ "#,
                messages: vec![r#"{"a":[1]}"#, r#", {"b":"]"}"#, " ,3"],
                tail: r#"], "stream":true}"#,
            }
        );
        for whole in [
            "",
            "x",
            "[1,2]",
            "{}",
            r#"{"messages":[]}"#,
            r#"{"messages":"text"}"#,
            r#"{"messages":[1],"messages":[2]}"#,
            r#"{"messages":[1]"#,
        ] {
            let found = split(whole);
            assert_eq!((found.head, found.messages.len()), (whole, 0), "{whole}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn together_they_are_the_body(texts in prop::collection::vec("\\PC{0,6}", 0..5), other in "\\PC{0,6}", cut in any::<prop::sample::Index>()) {
            let body = serde_json::json!({"a": other, "input": texts, "z": {"messages": [1]}}).to_string();
            let cut = body.floor_char_boundary(cut.index(body.len() + 1));
            for body in [&body[..], &body[..cut]] {
                let found = split(body);
                prop_assert_eq!([found.head, &found.messages.concat(), found.tail].concat(), body);
            }
            prop_assert_eq!(split(&body).messages.len(), texts.len());
        }
    }
}
