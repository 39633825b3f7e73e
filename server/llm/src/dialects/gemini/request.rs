//! A client's request.

use super::conversation::{self, Conversation};
use super::{config, tools};
use crate::chat::{ChatRequest, Message, Prompt, Protocol, Role};
use crate::dialect::Incoming;
use crate::error::ApiError;
use crate::json::{JsonError, Kind, Node, Scanner};
use crate::text::Text;
use crate::wire::gemini::camel;

/// Checks the body and reads what routing wants to know.
pub(super) fn decode(incoming: Incoming<'_>) -> Result<ChatRequest, ApiError> {
    let mut request = ChatRequest::new(
        Protocol::Gemini,
        incoming.body.clone(),
        incoming.stamp,
        read,
    );
    let scan = Scan::of(&incoming.body)?;
    let model = incoming.model.map(str::to_owned).or(scan.model);
    request.model = model.map(|model| {
        let bare = model.strip_prefix("models/");
        bare.map(str::to_owned).unwrap_or(model)
    });
    request.stream = incoming.stream.unwrap_or(false);
    request.include_usage = true;
    request.choices = scan.choices;
    request.variant = incoming.variant;
    Ok(request)
}

struct Scan {
    model: Option<String>,
    choices: u32,
}

impl Scan {
    fn of(body: &[u8]) -> Result<Self, ApiError> {
        let mut scanner = Scanner::from_utf8(body).map_err(not_json)?;
        if scanner.peek().map_err(not_json)? != Kind::Object {
            return Err(ApiError::invalid("The body must be a JSON object."));
        }
        let mut scan = Self {
            model: None,
            choices: 1,
        };
        let mut contents = false;
        let mut members = scanner.enter_object().map_err(not_json)?;
        while let Some(key) = scanner.next_member(&mut members).map_err(not_json)? {
            let kind = scanner.peek().map_err(not_json)?;
            match &*camel(key.decode()) {
                "model" if kind == Kind::String => {
                    let model = scanner.string().map_err(not_json)?;
                    scan.model = Some(model.decode().into_owned());
                }
                "generationConfig" if kind == Kind::Object => scan.config(&mut scanner)?,
                "contents" => {
                    contents = matches!(kind, Kind::Array | Kind::Object);
                    scanner.skip_value().map_err(not_json)?;
                }
                _ => {
                    scanner.skip_value().map_err(not_json)?;
                }
            }
        }
        scanner.end().map_err(not_json)?;
        if !contents {
            let message = "The parameter 'contents' is missing: give an array of contents.";
            return Err(ApiError::invalid(message)
                .with_code("missing_required_parameter")
                .with_param("contents"));
        }
        Ok(scan)
    }

    fn config(&mut self, scanner: &mut Scanner<'_>) -> Result<(), ApiError> {
        let mut members = scanner.enter_object().map_err(not_json)?;
        while let Some(key) = scanner.next_member(&mut members).map_err(not_json)? {
            let kind = scanner.peek().map_err(not_json)?;
            let span = scanner.skip_value().map_err(not_json)?;
            if camel(key.decode()) != "candidateCount" || kind == Kind::Null {
                continue;
            }
            match scanner.text()[span].parse() {
                Ok(count @ 1..) => self.choices = count,
                _ => {
                    let param = "generationConfig.candidateCount";
                    let message =
                        format!("The parameter '{param}' must be a whole number of at least 1.");
                    return Err(ApiError::invalid(message).with_param(param));
                }
            }
        }
        Ok(())
    }
}

fn not_json(error: JsonError) -> ApiError {
    ApiError::invalid(format!("The body is not valid JSON: {error}.")).with_code("invalid_json")
}

/// Reads all of it.
fn read(request: &ChatRequest) -> Result<Prompt, ApiError> {
    let root = Node::parse(&request.body).map_err(not_json)?;
    let mut prompt = Prompt::default();
    let mut system = Vec::new();
    let mut conversation = Conversation::default();
    for (key, value) in root.object()?.members() {
        if value.is_null() {
            continue;
        }
        match &*camel(key) {
            "contents" => conversation.read(value)?,
            "systemInstruction" => system = conversation::system(value, &mut prompt.others)?,
            "generationConfig" => config::read(value, &mut prompt)?,
            "tools" => tools::read(value, &mut prompt)?,
            "toolConfig" => tools::read_config(value, &mut prompt)?,
            "model" => {}
            // What says nothing.
            "safetySettings" if value.array().is_ok_and(<[_]>::is_empty) => {}
            "store" if value.bool() == Ok(false) => {}
            other => prompt.others.push(Text::from(other)),
        }
    }
    if !system.is_empty() {
        prompt.messages.push(Message::new(Role::System, system));
    }
    conversation.finish(&mut prompt);
    Ok(prompt)
}
