//! `contents` and `systemInstruction`: <https://ai.google.dev/api/caching#Content>

use crate::chat::{
    Media, MediaSource, Message, Part, PartContent, Prompt, Protocol, Role, Seal, ToolKind,
};
use crate::error::ApiError;
use crate::json::Node;
use crate::text::Text;
use crate::wire::gemini::{self, PartData, items, media_kind, member, read_part};

/// The system's parts; a text alone is taken for one.
pub(super) fn system(
    instruction: &Node<'_>,
    others: &mut Vec<Text>,
) -> Result<Vec<Part>, ApiError> {
    if let Ok(text) = instruction.text() {
        return Ok(vec![Part::text(text)]);
    }
    let mut read = Vec::new();
    let parts = member(instruction.object()?, "parts");
    for node in parts.map(items).unwrap_or_default() {
        let part = read_part(node)?;
        others.extend(part.others);
        match part.data {
            PartData::Text(text) => read.push(Part::text(text)),
            PartData::Media(source, media_type) => {
                read.push(media(source, media_type, part.name));
            }
            PartData::Nothing => {}
            PartData::Call(_) | PartData::Response(_) | PartData::Other(_) => {
                return Err(node.not("a text").into());
            }
        }
    }
    Ok(read)
}

/// The turns under construction.
///
/// What a model said in a stream comes back in many contents, one a chunk: they are one turn, and their texts
/// one text.
#[derive(Debug, Default)]
pub(super) struct Conversation {
    messages: Vec<Message>,
    others: Vec<Text>,
    role: Option<Role>,
    parts: Vec<Part>,
    /// The pieces of a text, or of a thought, that may go on.
    pieces: Vec<Text>,
    thinking: bool,
    calls: Calls,
}

/// The calls so far, for results that do not say whose they are.
#[derive(Debug, Default)]
struct Calls {
    /// Id, name, and whether there was a result.
    all: Vec<(Text, Text, bool)>,
    /// All before have a result.
    answered: usize,
}

impl Conversation {
    pub fn read(&mut self, contents: &Node<'_>) -> Result<(), ApiError> {
        for content in items(contents) {
            let role = member(content.object()?, "role");
            let role = match role.map(Node::str).transpose()?.as_deref() {
                None | Some("" | "user") => Role::User,
                Some("model") => Role::Assistant,
                Some("function" | "tool") => Role::Tool,
                Some(_) => {
                    let role = role.unwrap_or(content);
                    return Err(role.not("'user' or 'model'").into());
                }
            };
            if role != Role::Assistant {
                self.end_turn();
            }
            let parts = member(content, "parts");
            for part in parts.map(items).unwrap_or_default() {
                self.part(role, part)?;
            }
        }
        Ok(())
    }

    pub fn finish(mut self, prompt: &mut Prompt) {
        self.end_turn();
        prompt.messages.append(&mut self.messages);
        for other in self.others {
            if !prompt.others.contains(&other) {
                prompt.others.push(other);
            }
        }
    }

    fn part(&mut self, role: Role, node: &Node<'_>) -> Result<(), ApiError> {
        let part = read_part(node)?;
        for other in part.others {
            if !self.others.contains(&other) {
                self.others.push(other);
            }
        }
        // A result is the tools', whoever brings it; what else a client says is the user's.
        let role = match (&part.data, role) {
            (PartData::Response(_), _) => Role::Tool,
            (_, Role::Assistant) => Role::Assistant,
            _ => Role::User,
        };
        self.turn(role);
        let signature = part
            .signature
            .map(|signature| Seal::of_client(Protocol::Gemini, signature, false));
        match part.data {
            PartData::Text(text) if part.thought => self.thought(text, signature),
            PartData::Text(text) => {
                self.sign(signature);
                self.text(text);
            }
            PartData::Media(source, media_type) => {
                self.sign(signature);
                self.push(media(source, media_type, part.name).content);
            }
            PartData::Call(call) => {
                self.sign(signature);
                self.call(call, node)?;
            }
            PartData::Response(response) => {
                let result = self.response(response)?;
                self.push(result);
            }
            PartData::Other(what) => self.push(PartContent::Other { what }),
            PartData::Nothing => self.sign(signature),
        }
        Ok(())
    }

    fn turn(&mut self, role: Role) {
        if self.role != Some(role) {
            self.end_turn();
            self.role = Some(role);
        }
    }

    fn end_turn(&mut self) {
        self.end_text();
        let parts = std::mem::take(&mut self.parts);
        if let Some(role) = self.role.take()
            && !parts.is_empty()
        {
            self.messages.push(Message::new(role, parts));
        }
    }

    fn text(&mut self, text: Text) {
        if self.thinking || self.role != Some(Role::Assistant) {
            self.end_text();
        }
        if !text.is_empty() {
            self.pieces.push(text);
        }
    }

    fn thought(&mut self, text: Text, seal: Option<Seal>) {
        if !self.thinking {
            self.end_text();
            self.thinking = true;
        }
        if !text.is_empty() {
            self.pieces.push(text);
        }
        if seal.is_some() {
            let text = joined(&mut self.pieces);
            self.thinking = false;
            self.parts
                .push(Part::new(PartContent::Reasoning { text, seal }));
        }
    }

    /// A signature of what comes next.
    fn sign(&mut self, seal: Option<Seal>) {
        if seal.is_some() {
            let text = Text::default();
            self.push(PartContent::Reasoning { text, seal });
        }
    }

    fn push(&mut self, content: PartContent) {
        self.end_text();
        self.parts.push(Part::new(content));
    }

    fn end_text(&mut self) {
        let thinking = std::mem::take(&mut self.thinking);
        if self.pieces.is_empty() {
            return;
        }
        let text = joined(&mut self.pieces);
        self.parts.push(if thinking {
            Part::new(PartContent::Reasoning { text, seal: None })
        } else {
            Part::text(text)
        });
    }

    fn call(&mut self, call: gemini::Call, node: &Node<'_>) -> Result<(), ApiError> {
        let Some(name) = call.name else {
            let call = member(node, "functionCall").unwrap_or(node);
            return Err(call.require("name").map_or_else(ApiError::from, |name| {
                name.not("the name of a function").into()
            }));
        };
        // The place in the conversation makes an id that is the same in each of its turns.
        let number = self.calls.all.len() + 1;
        let id = call
            .id
            .unwrap_or_else(|| Text::from(format!("call_{number}")));
        self.calls.all.push((id.clone(), name.clone(), false));
        self.push(PartContent::ToolCall {
            id,
            name,
            arguments: call.args,
            kind: ToolKind::Function,
        });
        Ok(())
    }

    /// <https://ai.google.dev/api/caching#FunctionResponse>
    fn response(&mut self, node: &Node<'_>) -> Result<PartContent, ApiError> {
        let text = |name| member(node, name).map(Node::text).transpose();
        member(node.object()?, "name").map_or_else(|| node.require("name"), Ok)?;
        let name = text("name")?.unwrap_or_default();
        let id = text("id")?.filter(|id| !id.is_empty());
        let id = self.calls.answer(id, &name);
        for ignored in ["willContinue", "scheduling"] {
            let ignored = Text::from(ignored);
            if member(node, &ignored).is_some() && !self.others.contains(&ignored) {
                self.others.push(ignored);
            }
        }
        let (text, is_error) = match member(node, "response") {
            Some(response) => said(response)?,
            None => (Text::default(), false),
        };
        let mut parts = vec![Part::text(text)];
        let shown = member(node, "parts");
        for node in shown.map(items).unwrap_or_default() {
            let part = read_part(node)?;
            match part.data {
                PartData::Media(source, media_type) => {
                    parts.push(media(source, media_type, part.name));
                }
                _ => return Err(node.not("a part with 'inlineData' or 'fileData'").into()),
            }
        }
        Ok(PartContent::ToolResult {
            id,
            name: Some(name),
            parts,
            is_error,
        })
    }
}

impl Calls {
    /// The id of the call that is answered: the one that is said, or that of the first unanswered call of this
    /// name.
    fn answer(&mut self, id: Option<Text>, name: &Text) -> Text {
        let open = &mut self.all[self.answered..];
        let found = open.iter_mut().find(|(own_id, own_name, answered)| {
            !*answered && id.as_ref().map_or(own_name == name, |id| own_id == id)
        });
        let id = match (id, found) {
            (id, Some(call)) => {
                call.2 = true;
                id.unwrap_or_else(|| call.0.clone())
            }
            (id, None) => id.unwrap_or_default(),
        };
        while self.all.get(self.answered).is_some_and(|call| call.2) {
            self.answered += 1;
        }
        id
    }
}

/// What a function gave: under `output`, or `error`, or all of it. SDKs put plain values under `result`.
fn said(response: &Node<'_>) -> Result<(Text, bool), ApiError> {
    let mut members = response.object()?.members();
    if let (Some((key, value)), None) = (members.next(), members.next())
        && matches!(&*key, "output" | "result" | "error")
    {
        let text = match value.text() {
            Ok(text) => text,
            Err(_) => value.json().as_text().clone(),
        };
        return Ok((text, key == "error"));
    }
    Ok((response.json().as_text().clone(), false))
}

fn media(source: MediaSource, media_type: Option<Text>, name: Option<Text>) -> Part {
    Part::new(PartContent::Media(Media {
        kind: media_kind(media_type.as_deref().unwrap_or_default()),
        source,
        media_type,
        name,
        detail: None,
    }))
}

fn joined(pieces: &mut Vec<Text>) -> Text {
    match pieces.as_mut_slice() {
        [one] => {
            let one = std::mem::take(one);
            pieces.clear();
            one
        }
        _ => Text::from(
            pieces
                .drain(..)
                .map(|piece| piece.to_string())
                .collect::<String>(),
        ),
    }
}
