//! The name and the description of an answer's schema, for protocols that have no place for them beside it.

use std::borrow::Cow;

use crate::chat::{Losses, Output};
use crate::json::{Json, Object, quote};
use crate::text::Text;

/// The schema, with what it is called and what it is for inside: as `title` and `description`, where it does not say
/// so itself. What finds no place is noted. `None`: no schema is asked for.
pub(super) fn labelled<'p>(output: &'p Output, losses: &mut Losses) -> Option<Cow<'p, Json>> {
    let Output::Schema {
        name,
        description,
        schema,
        strict: _,
    } = output
    else {
        return None;
    };
    let mut root = Object::scan(schema.as_text().as_bytes().clone()).ok();
    let mut added = false;
    for (label, keyword, lost) in [
        (name, "title", "response_format.name"),
        (description, "description", "response_format.description"),
    ] {
        let Some(label) = label.as_ref().filter(|label| !label.is_empty()) else {
            continue;
        };
        let label = quote(label);
        match &mut root {
            // Beside a reference, nothing else counts.
            Some(root) if root.get("$ref").is_some() => losses.drop(lost),
            Some(root) => match root.get(keyword) {
                None => {
                    root.set(keyword, label);
                    added = true;
                }
                Some(said) if *said == *label => {}
                Some(_) => losses.drop(lost),
            },
            None => losses.drop(lost),
        }
    }
    let written = root
        .filter(|_| added)
        .and_then(|root| Text::from_utf8(root.finish().concat()).ok());
    Some(match written {
        Some(written) => Cow::Owned(Json::of_valid(written)),
        None => Cow::Borrowed(schema),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(schema: &str) -> (String, Losses) {
        let output = Output::Schema {
            name: Some(Text::from("thing")),
            description: Some(Text::from("A \"thing\".")),
            schema: Json::parse(Text::from(schema)).unwrap(),
            strict: None,
        };
        let mut losses = Losses::default();
        let schema = labelled(&output, &mut losses).unwrap().as_str().to_owned();
        (schema, losses)
    }

    #[test]
    fn a_schema_says_what_it_is_called() {
        let (schema, losses) = of(r#"{"type":"object"}"#);
        assert_eq!(
            schema,
            r#"{"title":"thing","description":"A \"thing\".","type":"object"}"#
        );
        assert!(losses.is_empty());
    }

    #[test]
    fn what_it_says_itself_stays() {
        let own = r#"{"title":"thing","description":"Another.","type":"object"}"#;
        let (schema, losses) = of(own);
        assert_eq!(schema, own);
        assert_eq!(losses.dropped, ["response_format.description"]);
    }

    #[test]
    fn what_cannot_hold_it_is_left_alone() {
        for own in ["true", r##"{"$ref":"#/$defs/a","$defs":{"a":{}}}"##] {
            let (schema, losses) = of(own);
            assert_eq!(schema, own);
            assert_eq!(losses.dropped.len(), 2);
        }
    }
}
