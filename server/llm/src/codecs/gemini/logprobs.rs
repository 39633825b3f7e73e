//! How probable tokens were.

use crate::chat::TokenLogprob;
use crate::json::{Json, Node, ShapeError};
use crate::text::Text;
use crate::wire::gemini::items;

/// `LogprobsResult`: <https://ai.google.dev/api/generate-content#LogprobsResult>
pub(super) fn read_logprobs(result: &Node<'_>) -> Result<Vec<TokenLogprob>, ShapeError> {
    let chosen = result
        .get("chosenCandidates")
        .map(items)
        .unwrap_or_default();
    let mut top = result
        .get("topCandidates")
        .map(items)
        .unwrap_or_default()
        .iter();
    let mut tokens = Vec::with_capacity(chosen.len());
    for one in chosen {
        let (token, logprob) = read_token(one)?;
        let others = top.next().and_then(|others| others.get("candidates"));
        let others = others.map(items).unwrap_or_default();
        tokens.push(TokenLogprob {
            token,
            logprob,
            top: others.iter().map(read_token).collect::<Result<_, _>>()?,
        });
    }
    Ok(tokens)
}

fn read_token(candidate: &Node<'_>) -> Result<(Text, Json), ShapeError> {
    let token = candidate.object()?.get("token");
    let logprob = match candidate.get("logProbability") {
        Some(number) => number.number()?,
        None => Json::of_valid(Text::from_static("0")),
    };
    Ok((
        token.map(Node::text).transpose()?.unwrap_or_default(),
        logprob,
    ))
}
