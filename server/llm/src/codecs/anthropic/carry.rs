//! A client's body with what the upstream needs spliced in.

use bytes::Bytes;
use http::HeaderMap;
use memchr::memmem;

use crate::chat::{ChatRequest, Layout, Losses, Protocol, Seal};
use crate::codec::{ReplyForm, Target, WireRequest};
use crate::error::{ApiError, ErrorKind, ErrorSource};
use crate::json::{Edit, Kind, Node, Span, quote, remove_items, splice};
use crate::wire::anthropic::{RequestLayout, SystemPlace, not_json};

pub(super) fn encode(
    request: &ChatRequest,
    target: &Target<'_>,
    path: &str,
) -> Result<WireRequest, ApiError> {
    let Layout::Anthropic(layout) = &request.layout else {
        let message = "A request of another protocol cannot be sent as it is.";
        return Err(ApiError::new(
            ErrorKind::Internal,
            ErrorSource::Gateway,
            message,
        ));
    };
    let mut losses = Losses::default();
    let mut edits = Vec::new();
    let mut first_members = Vec::new();
    if request.model.as_deref() != Some(target.model) {
        let model = quote(target.model);
        match &layout.model {
            Some(span) => edits.push(replace(span, model)),
            None => first_members.extend_from_slice(&[b"\"model\":", &model[..], b","].concat()),
        }
    }
    if let Some(prompt) = target.system_prompt {
        add_system(layout, prompt, &mut edits, &mut first_members);
    }
    if !first_members.is_empty() {
        edits.push(insert(layout.start, first_members));
    }
    if has_foreign_thoughts(&request.body) {
        let root = Node::parse(&request.body).map_err(|error| not_json(&error))?;
        leave_out_foreign_thoughts(&root, &mut edits, &mut losses);
    }
    Ok(WireRequest {
        method: http::Method::POST,
        path: path.to_owned(),
        headers: headers(request, target),
        body: splice(&request.body, edits),
        losses,
        form: ReplyForm {
            carried: true,
            answer_tool: None,
        },
    })
}

/// The client's version of the protocol, which its body is written for, and its betas.
fn headers(request: &ChatRequest, target: &Target<'_>) -> HeaderMap {
    let mut headers = super::request::headers(target.api_version);
    for (name, value) in &request.headers {
        if name == super::request::VERSION_HEADER {
            headers.insert(name.clone(), value.clone());
        } else {
            headers.append(name.clone(), value.clone());
        }
    }
    headers
}

/// The operator's prompt goes last: what the client marked for the cache stays the beginning it was.
fn add_system(
    layout: &RequestLayout,
    prompt: &str,
    edits: &mut Vec<Edit>,
    first_members: &mut Vec<u8>,
) {
    let quoted = quote(prompt);
    match &layout.system {
        SystemPlace::Absent => {
            first_members.extend_from_slice(&[b"\"system\":", &quoted[..], b","].concat());
        }
        SystemPlace::Empty(span) => edits.push(replace(span, quoted)),
        SystemPlace::Text(end) => {
            let inner = &quoted[1..quoted.len() - 1];
            edits.push(insert(*end, [b"\\n\\n", inner].concat()));
        }
        SystemPlace::Blocks(end) => {
            let block = [b",{\"type\":\"text\",\"text\":", &quoted[..], b"}"].concat();
            edits.push(insert(*end, block));
        }
    }
}

/// Whether the body may hold thoughts of another upstream: they have no signature, or a token of the gateway's.
/// Looks at bytes only, so that a body without any is not read again.
fn has_foreign_thoughts(body: &Bytes) -> bool {
    if memmem::find(body, Seal::TOKEN_START.as_bytes()).is_some() {
        return true;
    }
    ["\"signature\"", "\"encrypted_index\""].iter().any(|key| {
        memmem::find_iter(body, key).any(|at| {
            let rest = body[at + key.len()..].trim_ascii_start();
            rest.strip_prefix(b":")
                .is_some_and(|value| value.trim_ascii_start().starts_with(b"\"\""))
        })
    })
}

/// Takes out what the upstream would refuse: thoughts that it did not sign, and the sources of other upstreams'
/// searches. They came from a failover, or from another model behind the same name.
fn leave_out_foreign_thoughts(root: &Node<'_>, edits: &mut Vec<Edit>, losses: &mut Losses) {
    let messages = root.get("messages").map(items).unwrap_or_default();
    let mut gone = Vec::new();
    for message in messages {
        let blocks = message.get("content").map(items).unwrap_or_default();
        let foreign: Vec<bool> = blocks.iter().map(is_foreign_thought).collect();
        let lost = blocks.iter().zip(&foreign).filter(|(_, foreign)| **foreign);
        if lost.into_iter().any(|(block, _)| has_text(block)) {
            losses.drop("reasoning");
        }
        if !blocks.is_empty() && foreign.iter().all(|foreign| *foreign) {
            gone.push(true);
            continue;
        }
        gone.push(false);
        remove_items(blocks, &foreign, edits);
        for block in blocks {
            if let Some(citations) = block.get("citations") {
                let list = items(citations);
                let foreign: Vec<bool> = list.iter().map(is_foreign_citation).collect();
                if foreign.contains(&true) {
                    losses.drop("citations");
                }
                remove_items(list, &foreign, edits);
            }
        }
    }
    // A turn of nothing else.
    remove_items(messages, &gone, edits);
}

fn items<'n, 'a>(node: &'n Node<'a>) -> &'n [Node<'a>] {
    match node.kind() {
        Kind::Array => node.array().unwrap_or_default(),
        _ => &[],
    }
}

fn is_foreign_thought(block: &Node<'_>) -> bool {
    let field = match text(block, "type").as_deref() {
        Some("thinking") => "signature",
        Some("redacted_thinking") => "data",
        _ => return false,
    };
    match text(block, field) {
        Some(seal) if seal.is_empty() => true,
        Some(seal) => {
            Seal::from_token(&seal).is_some_and(|seal| seal.protocol != Protocol::Anthropic)
        }
        None => false,
    }
}

fn has_text(thought: &Node<'_>) -> bool {
    text(thought, "thinking").is_some_and(|text| !text.is_empty())
}

fn is_foreign_citation(citation: &Node<'_>) -> bool {
    text(citation, "encrypted_index").is_some_and(|index| index.is_empty())
}

fn text<'a>(node: &Node<'a>, key: &str) -> Option<std::borrow::Cow<'a, str>> {
    let value = node.get(key).filter(|value| value.kind() == Kind::String)?;
    value.str().ok()
}

fn replace(span: &Span, with: Bytes) -> Edit {
    Edit {
        span: span.clone(),
        with,
    }
}

fn insert(at: usize, with: Vec<u8>) -> Edit {
    Edit {
        span: at..at,
        with: Bytes::from(with),
    }
}
