//! Members by which a request changes something beside giving an answer, or depends on what can change.

use crate::chat::Protocol;

#[derive(Debug)]
pub(crate) struct State {
    pub member: &'static str,
    /// The value that asks for nothing, if it is not null.
    nothing: &'static str,
}

impl State {
    const fn new(member: &'static str, nothing: &'static str) -> Self {
        Self { member, nothing }
    }

    /// Such a member of a body, by its name.
    pub fn of(protocol: Protocol, name: &str) -> Option<&'static Self> {
        all(protocol).iter().find(|state| state.member == name)
    }

    /// Whether this value of it, as JSON, asks for something.
    pub fn is_in(&self, value: &str) -> bool {
        value != "null" && value != self.nothing
    }
}

/// Whether a member of a body, with its value as JSON, asks for something beside an answer.
pub(crate) fn is_state(protocol: Protocol, name: &str, value: &str) -> bool {
    State::of(protocol, name).is_some_and(|state| state.is_in(value))
}

fn all(protocol: Protocol) -> &'static [State] {
    const RESPONSES: [State; 3] = [
        State::new("background", "false"),
        State::new("conversation", ""),
        State::new("previous_response_id", ""),
    ];
    const CHAT: [State; 1] = [State::new("store", "false")];
    const ANTHROPIC: [State; 1] = [State::new("container", "")];
    match protocol {
        Protocol::OpenAiResponses => &RESPONSES,
        Protocol::OpenAiChat => &CHAT,
        Protocol::Anthropic => &ANTHROPIC,
        _ => &[],
    }
}
