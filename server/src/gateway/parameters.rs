//! A target's own parameters, put into the body that its upstream is sent.

use bytes::Bytes;
use llm::json::Object;
use llm::segments::Segments;
use serde_json::Value;

/// The body with these members, each in place of what stood there. A name with dots leads into objects:
/// `generationConfig.temperature`. `null` takes the member away. What is no JSON object stays as it is.
pub(super) fn with_parameters<'p>(
    body: Segments,
    parameters: impl IntoIterator<Item = (&'p String, &'p Value)>,
) -> Segments {
    let mut body = body;
    for (name, value) in parameters {
        body = with(&body.concat(), name, value).unwrap_or(body);
    }
    body
}

/// `None`: not an object.
fn with(body: &Bytes, name: &str, value: &Value) -> Option<Segments> {
    with_parameter(Object::scan(body.clone()).ok()?, name, value)
}

/// An object with one such member. `None`: that cannot be.
pub(super) fn with_parameter(mut object: Object, name: &str, value: &Value) -> Option<Segments> {
    match name.split_once('.') {
        None if value.is_null() => object.remove(name),
        None => object.set(name, value.to_string().into()),
        Some((outer, inner)) => {
            let there = object.get(outer).map(Bytes::copy_from_slice);
            let changed = there
                .and_then(|there| with(&there, inner, value))
                .or_else(|| with(&Bytes::from_static(b"{}"), inner, value))?;
            object.set(outer, changed.concat());
        }
    }
    Some(object.finish())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn changed(body: &'static str, parameters: &Value) -> String {
        let body = Segments::from(Bytes::from_static(body.as_bytes()));
        let members = parameters.as_object().unwrap();
        String::from_utf8(with_parameters(body, members).concat().to_vec()).unwrap()
    }

    #[test]
    fn members_are_replaced_added_and_taken_away() {
        let body = r#"{"model":"m", "temperature": 1.0,"top_k":3, "other" :[1 ,2]}"#;
        let parameters = json!({"temperature": 0, "seed": 7, "top_k": null});
        assert_eq!(
            changed(body, &parameters),
            r#"{"seed":7,"model":"m", "temperature": 0, "other" :[1 ,2]}"#
        );
    }

    #[test]
    fn dots_lead_into_objects() {
        let parameters = json!({"config.temperature": 0, "new.thing.a": "b", "text.a": 1});
        let body = r#"{"config":{"max":5,"temperature":1},"text":"x"}"#;
        let changed: Value = serde_json::from_str(&changed(body, &parameters)).unwrap();
        assert_eq!(
            changed,
            json!({"config": {"max": 5, "temperature": 0}, "new": {"thing": {"a": "b"}}, "text": {"a": 1}})
        );
    }

    #[test]
    fn what_is_no_object_stays() {
        assert_eq!(changed("[1]", &json!({"a": 1})), "[1]");
        assert_eq!(changed("", &json!({"a": 1})), "");
    }
}
