//! What a client of OpenAI's protocol wrote for the upstream's own.

use crate::chat::{ChatRequest, Losses, Prompt, Protocol};
use crate::json::{Json, Object};
use crate::text::Text;

/// Of the parameters that only the client's protocol has: those that the upstream's has under the same name, as they
/// were written. The rest is noted as left out.
pub(super) fn parameters(
    request: &ChatRequest,
    prompt: &Prompt,
    known: &[&'static str],
    losses: &mut Losses,
) -> Vec<(&'static str, Json)> {
    let openai = request.protocol == Protocol::OpenAiChat;
    let mut body = None;
    let mut own = Vec::new();
    for name in &prompt.others {
        let known = known.iter().find(|known| openai && *name == **known);
        let value = known.and_then(|known| {
            let body = body.get_or_insert_with(|| Object::scan(request.body.clone()).ok());
            let value = body.as_ref()?.get(known)?;
            let text = Text::from_utf8(request.body.slice_ref(value)).ok()?;
            Some((*known, Json::of_valid(text)))
        });
        match value {
            Some(found) => own.push(found),
            None => losses.drop(name.to_string()),
        }
    }
    own
}
