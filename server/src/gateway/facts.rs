//! What routing may want to know of a request.

use std::borrow::Cow;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use bytes::Bytes;
use llm::carried::Operation;
use llm::chat::{ChatRequest, PartContent, Protocol, Role};
use llm::dialects::anthropic::count_tokens::estimate;
use llm::error::{ApiError, ErrorKind, ErrorSource};
use llm::json::{JsonError, Kind, Node, Scanner};

use super::Terms;
use super::context::Context;
use crate::auth::AuthResult;
use crate::routing::{Endpoint, Facts, Moment, Plan, Wish};

/// A token is about so many bytes of text, where nobody counts better.
pub(super) const BYTES_PER_TOKEN: u64 = 4;

/// A request that wants to be routed.
pub(super) struct Asking<'a> {
    pub endpoint: Endpoint,
    pub model: Option<&'a str>,
    pub terms: &'a Terms<'a>,
    /// Empty where it is not all here.
    pub body: &'a Bytes,
    pub chat: Option<&'a ChatRequest>,
}

static NOTHING: Bytes = Bytes::new();

/// Whether a body names models for the provider to choose from, as
/// <https://openrouter.ai/docs/features/model-routing> has it.
fn names_models(body: &[u8]) -> bool {
    const NAME: &[u8] = b"\"models\"";
    // A name that is escaped is looked for, too.
    let may = |what| memchr::memmem::find(body, what).is_some();
    if !may(NAME) && !may(b"\\u00") {
        return false;
    }
    let Ok(mut scanner) = Scanner::from_utf8(body) else {
        return false;
    };
    let mut found = false;
    let _ = (|| {
        let mut members = scanner.enter_object()?;
        while let Some(name) = scanner.next_member(&mut members)? {
            let value = scanner.peek()?;
            found |= name.is("models") && value != Kind::Null;
            scanner.skip_value()?;
        }
        Ok::<(), JsonError>(())
    })();
    found
}

impl<'a> Asking<'a> {
    pub fn new(endpoint: Endpoint, model: Option<&'a str>, terms: &'a Terms<'a>) -> Self {
        Self {
            endpoint,
            model,
            terms,
            body: &NOTHING,
            chat: None,
        }
    }

    pub fn chat(request: &'a ChatRequest, terms: &'a Terms<'a>) -> Self {
        let endpoint = match request.protocol {
            Protocol::OpenAiCompletions => Endpoint::Completions,
            _ => Endpoint::Chat,
        };
        Self {
            body: &request.body,
            chat: Some(request),
            ..Self::new(endpoint, request.model.as_deref(), terms)
        }
    }

    /// Its way through the targets.
    ///
    /// # Errors
    /// Nobody can answer it.
    pub fn plan(&self, context: &Context, moment: Moment) -> Result<Plan, ApiError> {
        let routing = &context.policies.routing;
        self.wished(context, |wish| routing.plan(wish, moment))
    }

    /// What the model is called that decides who answers, where the client wrote another name.
    pub fn known_as(&self, context: &Context) -> Option<Arc<str>> {
        let routing = &context.policies.routing;
        self.wished(context, |wish| Ok(routing.known_as(&wish)))
            .ok()
            .flatten()
    }

    /// Whether the caller may ask for this.
    ///
    /// # Errors
    /// He is limited to other models or providers, or there is no such model.
    pub fn check_access(&self, context: &Context) -> Result<(), ApiError> {
        let Some(access) = context.caller.access() else {
            return Ok(());
        };
        let routing = &context.policies.routing;
        self.wished(context, |wish| routing.check(wish))?;
        let names_others = access.limits_models() && names_models(self.body);
        if !names_others {
            return Ok(());
        }
        context.policies.keys.counts().add(AuthResult::Forbidden);
        let message = "`models` may lead to others than this key is for: leave it out.";
        let error = ApiError::new(ErrorKind::PermissionDenied, ErrorSource::Policy, message);
        Err(error.with_code("model_not_allowed").with_param("models"))
    }

    fn wished<T>(
        &self,
        context: &Context,
        then: impl FnOnce(Wish<'_>) -> Result<T, ApiError>,
    ) -> Result<T, ApiError> {
        let facts = RequestFacts {
            key: context.caller.key_name().map(|name| &**name),
            text: context.recording.text_in(),
            asking: self,
        };
        let wish = Wish {
            model: self.model,
            provider: self.terms.provider,
            endpoint: self.endpoint,
            access: context.caller.access(),
            facts: &facts,
        };
        then(wish).inspect_err(|error| {
            if error.kind == ErrorKind::PermissionDenied {
                let counts = context.policies.keys.counts();
                counts.add(AuthResult::Forbidden);
            }
        })
    }
}

/// What conditions call an endpoint that is carried.
pub(super) fn endpoint_of(operation: &Operation) -> Endpoint {
    let (family, what) = operation
        .name
        .split_once('.')
        .unwrap_or((operation.name, ""));
    match (family, what) {
        ("images", _) => Endpoint::Images,
        ("audio", "speech") => Endpoint::Speech,
        ("audio", "transcriptions") => Endpoint::Transcription,
        ("audio", "translations") => Endpoint::Translation,
        ("moderations", _) => Endpoint::Moderations,
        _ => Endpoint::Other,
    }
}

/// A request, as conditions and stickiness look at it. All is read only when somebody asks.
struct RequestFacts<'a> {
    /// The name of the caller's key.
    key: Option<&'a str>,
    /// Bytes of text in the body.
    text: u64,
    asking: &'a Asking<'a>,
}

impl RequestFacts<'_> {
    /// A value deep in the body, if it is text or a number.
    fn member(&self, path: &[&str]) -> Option<Cow<'_, str>> {
        let document = Node::parse(self.asking.body).ok()?;
        let mut node = &document;
        for name in path {
            node = node.get(name)?;
        }
        match node.str() {
            Ok(text) => Some(Cow::Owned(text.into_owned())),
            Err(_) => Some(Cow::Owned(node.number().ok()?.as_str().to_owned())),
        }
    }
}

impl Facts for RequestFacts<'_> {
    fn key(&self) -> Option<&str> {
        self.key
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.asking.terms.headers?.get(name)?.to_str().ok()
    }

    /// The body's `metadata`, or Gemini's `labels`.
    fn metadata(&self, name: &str) -> Option<Cow<'_, str>> {
        self.member(&["metadata", name])
            .or_else(|| self.member(&["labels", name]))
    }

    /// The end user, as each protocol names him.
    fn user(&self) -> Option<Cow<'_, str>> {
        self.member(&["user"])
            .or_else(|| self.member(&["safety_identifier"]))
            .or_else(|| self.member(&["metadata", "user_id"]))
    }

    /// An estimate: see [`estimate`]. Of what is no chat, a token for every four bytes of text.
    fn input_tokens(&self) -> u64 {
        let prompt = self.asking.chat.and_then(|chat| chat.prompt().ok());
        prompt.map_or(self.text.div_ceil(BYTES_PER_TOKEN), estimate)
    }

    /// Of the model, what the system says, and the user's first message.
    fn prefix(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        let Some(chat) = self.asking.chat else {
            self.asking.body.hash(&mut hasher);
            return hasher.finish();
        };
        chat.model.hash(&mut hasher);
        for message in chat.prompt().iter().flat_map(|prompt| &prompt.messages) {
            for part in &message.parts {
                if let PartContent::Text { text, .. } = &part.content {
                    text.as_str().hash(&mut hasher);
                }
            }
            if message.role != Role::System {
                break;
            }
        }
        hasher.finish()
    }
}
