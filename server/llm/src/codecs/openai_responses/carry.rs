//! A client's body with what the upstream needs spliced in.

use bytes::Bytes;

use crate::chat::{ChatRequest, Losses, Protocol, Seal};
use crate::codec::Target;
use crate::error::ApiError;
use crate::json::{Edit, Node, Object, quote, splice};
use crate::segments::Segments;
use crate::wire::openai_responses::OWN_REASONING;

/// How a [`Seal::token`] begins.
const TOKEN: &[u8] = b"YWlndzEg";

/// The body; what of it is left out is noted.
///
/// # Errors
/// `instructions` to be added to that are no text.
pub(super) fn body(
    request: &ChatRequest,
    target: &Target<'_>,
    losses: &mut Losses,
) -> Result<Segments, ApiError> {
    let not_json = |error| ApiError::invalid(format!("The body is not valid JSON: {error}."));
    let body = own_thoughts(&request.body, losses).unwrap_or_else(|| request.body.clone());
    let mut object = Object::scan(body).map_err(not_json)?;
    if request.model.as_deref() != Some(target.model) {
        object.set("model", quote(target.model));
    }
    if let Some(prompt) = target.system_prompt {
        let said = object.get("instructions").unwrap_or(b"null");
        let told = match serde_json::from_slice::<Option<String>>(said) {
            Ok(Some(said)) if !said.is_empty() => quote(&format!("{said}\n\n{prompt}")),
            Ok(_) => quote(prompt),
            Err(_) => {
                let message = "The parameter 'instructions' must be a string.";
                let error = ApiError::invalid(message).with_code("invalid_type");
                return Err(error.with_param("instructions"));
            }
        };
        object.set("instructions", told);
    }
    Ok(object.finish())
}

/// The body without thoughts of other upstreams, which this one would refuse, and with its own as it gave them.
/// None where there is nothing to change, as nearly always.
fn own_thoughts(body: &Bytes, losses: &mut Losses) -> Option<Bytes> {
    let has = |mark: &[u8]| memchr::memmem::find(body, mark).is_some();
    if !has(TOKEN) && !has(OWN_REASONING.as_bytes()) {
        return None;
    }
    let root = Node::parse(body).ok()?;
    let items = root.get("input")?.array().ok()?;
    let mut edits = Vec::new();
    let mut before = false;
    let mut kept_any = false;
    for (at, item) in items.iter().enumerate() {
        let own = thought(item);
        if matches!(own, Thought::Foreign) {
            losses.drop("reasoning");
            // With the comma before it, or, where nothing before it is left, with the one after.
            let span = item.span();
            let span = if kept_any {
                items[at - 1].span().end..span.end
            } else {
                span.start..items.get(at + 1).map_or(span.end, |next| next.span().start)
            };
            edits.push(Edit {
                span,
                with: Bytes::new(),
            });
            before = true;
            continue;
        }
        kept_any = true;
        if let Thought::Own(seal) = own {
            before = true;
            for (key, value) in [("id", &seal.id), ("encrypted_content", &seal.data)] {
                if let Some(place) = item.get(key) {
                    edits.push(Edit {
                        span: place.span(),
                        with: quote(value),
                    });
                }
            }
        }
    }
    before.then(|| splice(body, edits).concat())
}

enum Thought {
    /// As the upstream gave it, or none at all.
    AsItIs,
    /// The upstream's, in an item of the gateway's.
    Own(Seal),
    Foreign,
}

fn thought(item: &Node<'_>) -> Thought {
    let text = |key: &str| item.get(key).and_then(|value| value.str().ok());
    let made_up = || text("id").is_some_and(|id| id.starts_with(OWN_REASONING));
    match text("type").as_deref() {
        Some("reasoning") => {}
        Some("item_reference") if made_up() => return Thought::Foreign,
        None if item.get("role").is_none() && made_up() => return Thought::Foreign,
        _ => return Thought::AsItIs,
    }
    let seal = text("encrypted_content").and_then(|data| Seal::from_token(&data));
    match seal {
        Some(seal) if seal.protocol == Protocol::OpenAiResponses => Thought::Own(seal),
        Some(_) => Thought::Foreign,
        None if made_up() => {
            // Its own data under an id of the gateway's, or nothing that it could know.
            match text("encrypted_content") {
                Some(_) => Thought::AsItIs,
                None => Thought::Foreign,
            }
        }
        None => Thought::AsItIs,
    }
}
