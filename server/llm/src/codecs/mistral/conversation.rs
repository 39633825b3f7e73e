//! The messages in an order that Mistral takes.
//!
//! A system message comes before the assistant has spoken, an assistant's answer between a tool's result and the user,
//! and the last word is not the assistant's, unless it is to be continued. Otherwise: 400
//! `invalid_request_message_order`.
//! <https://github.com/mistralai/mistral-common/blob/main/src/mistral_common/protocol/instruct/validator.py>

use std::borrow::Cow;

use super::call_ids::CallIds;
use super::content::{Chunk, Takes, chunks, write};
use crate::chat::{Losses, Message, Part, PartContent, Prompt, Role, ToolKind};
use crate::codecs::failed_tool::{ERROR, says_so};
use crate::json::{ArrayWriter, ObjectWriter, quote};
use crate::text::Text;

/// What stands in place of the answer that the assistant never gave between a tool's result and the user's next word.
const BRIDGE: &str = "OK.";

/// Writes all messages, with the operator's after the client's leading system messages.
pub(super) fn write_messages(
    prompt: &Prompt,
    system: Option<&str>,
    unsealed_thoughts: bool,
    losses: &mut Losses,
    list: &mut ArrayWriter<'_>,
) {
    let mut conversation = Conversation {
        prompt,
        unsealed_thoughts,
        losses,
        list,
        ids: CallIds::default(),
        previous: None,
    };
    let messages = prompt.messages.as_slice();
    let leading = messages
        .iter()
        .take_while(|message| message.role == Role::System);
    let (first, rest) = messages.split_at(leading.count());
    for message in first {
        conversation.system(message);
    }
    if let Some(text) = system {
        conversation.message("system", |message| message.string("content", text));
    }
    let mut rest = rest;
    while let Some(next) = rest.first() {
        // What the assistant says in a row is one turn: results are counted against its calls.
        let same = |message: &&Message| {
            message.role == next.role && matches!(next.role, Role::Assistant | Role::Tool)
        };
        let count = rest.iter().take_while(same).count().max(1);
        let (turn, after) = rest.split_at(count);
        match next.role {
            Role::System => conversation.system(next),
            Role::User => conversation.user(next),
            Role::Assistant => conversation.assistant(turn, after.is_empty()),
            Role::Tool => turn
                .iter()
                .for_each(|message| conversation.results(message)),
        }
        rest = after;
    }
}

struct Conversation<'p, 'w, 'l> {
    prompt: &'p Prompt,
    /// Whether the model takes thoughts back that nobody signed.
    unsealed_thoughts: bool,
    losses: &'w mut Losses,
    list: &'w mut ArrayWriter<'l>,
    ids: CallIds,
    /// Who spoke last.
    previous: Option<Role>,
}

impl Conversation<'_, '_, '_> {
    fn message(&mut self, role: &str, write: impl FnOnce(&mut ObjectWriter<'_>)) {
        self.list.object(|message| {
            message.string("role", role);
            write(message);
        });
    }

    fn system(&mut self, message: &Message) {
        let chunks = chunks(&message.parts, Takes::Text, self.losses);
        if chunks.is_empty() {
            return;
        }
        if matches!(self.previous, None | Some(Role::System | Role::User)) {
            self.name(message);
            self.message("system", |out| write(&chunks, out.member("content")));
            self.previous = Some(Role::System);
        } else {
            self.losses.emulate("messages.role");
            self.user_content(&chunks);
        }
    }

    fn user(&mut self, message: &Message) {
        self.name(message);
        let chunks = chunks(&message.parts, Takes::Media, self.losses);
        self.user_content(&chunks);
    }

    fn user_content(&mut self, chunks: &[Chunk<'_>]) {
        if self.previous == Some(Role::Tool) {
            self.losses.emulate("messages.role");
            self.message("assistant", |out| out.string("content", BRIDGE));
        }
        self.message("user", |out| write(chunks, out.member("content")));
        self.previous = Some(Role::User);
    }

    fn assistant(&mut self, turn: &[Message], last: bool) {
        for message in turn {
            self.name(message);
        }
        let parts = || turn.iter().flat_map(|message| &message.parts);
        let takes = Takes::Thoughts {
            unsealed: self.unsealed_thoughts,
        };
        let mut chunks = chunks(parts(), takes, self.losses);
        chunks.retain(|chunk| !matches!(chunk, Chunk::Text(text) if text.is_empty()));
        let calls: Vec<Call<'_>> = parts().filter_map(Call::of).collect();
        if chunks.is_empty() && calls.is_empty() {
            // Refused by Mistral, and nothing is lost.
            return;
        }
        let ids: Vec<_> = calls
            .iter()
            .map(|call| self.ids.of_call(call.id).into_owned())
            .collect();
        self.message("assistant", |out| {
            if !chunks.is_empty() {
                write(&chunks, out.member("content"));
            }
            if !calls.is_empty() {
                out.array("tool_calls", |list| {
                    for (call, id) in calls.iter().zip(&ids) {
                        call.write(id, list);
                    }
                });
            }
            if last && calls.is_empty() {
                out.plain("prefix", true);
            }
        });
        self.previous = Some(Role::Assistant);
    }

    fn results(&mut self, message: &Message) {
        for part in &message.parts {
            let PartContent::ToolResult {
                id,
                name,
                parts,
                is_error,
            } = &part.content
            else {
                continue;
            };
            if part.cache.is_some() {
                self.losses.drop("cache_control");
            }
            let mut chunks = chunks(parts, Takes::Media, self.losses);
            if *is_error {
                // There is no field for it.
                self.losses.emulate("is_error");
                if !matches!(chunks.first(), Some(Chunk::Text(text)) if says_so(text)) {
                    chunks.insert(0, Chunk::Text(Cow::Borrowed(ERROR)));
                }
            }
            let name = name.as_ref().or_else(|| self.prompt.called(id));
            let id = self.ids.of_result(id).into_owned();
            self.message("tool", |out| {
                out.string("tool_call_id", &id);
                if let Some(name) = name {
                    out.string("name", name);
                }
                write(&chunks, out.member("content"));
            });
            self.previous = Some(Role::Tool);
        }
    }

    fn name(&mut self, message: &Message) {
        if message.name.is_some() {
            self.losses.drop("messages.name");
        }
    }
}

/// What the assistant called.
struct Call<'a> {
    id: &'a str,
    name: &'a Text,
    arguments: &'a Text,
    kind: ToolKind,
}

impl<'a> Call<'a> {
    fn of(part: &'a Part) -> Option<Self> {
        match &part.content {
            PartContent::ToolCall {
                id,
                name,
                arguments,
                kind,
            } => Some(Self {
                id,
                name,
                arguments,
                kind: *kind,
            }),
            _ => None,
        }
    }

    fn write(&self, id: &str, list: &mut ArrayWriter<'_>) {
        list.object(|call| {
            call.string("id", id);
            call.string("type", "function");
            call.object("function", |function| {
                function.string("name", self.name);
                let arguments = function.member("arguments");
                match self.kind {
                    ToolKind::Custom => {
                        let input = quote(self.arguments);
                        let input = std::str::from_utf8(&input).unwrap_or("\"\"");
                        arguments.strings(["{\"input\":", input, "}"]);
                    }
                    _ if self.arguments.trim().is_empty() => arguments.string("{}"),
                    _ => arguments.string(self.arguments),
                }
            });
        });
    }
}
