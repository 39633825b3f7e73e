//! `Part`: <https://ai.google.dev/api/caching#Part>

use super::{camel, member, standard_base64};
use crate::chat::{MediaKind, MediaSource};
use crate::json::{ArrayWriter, Json, Node, ObjectWriter, ShapeError};
use crate::text::Text;

/// A piece of a turn.
#[derive(Debug, Default)]
pub(crate) struct Part<'n, 'a> {
    pub data: PartData<'n, 'a>,
    /// It is one of the model's thoughts.
    pub thought: bool,
    /// Base64.
    pub signature: Option<Text>,
    /// Of bytes or a URI: its `displayName`.
    pub name: Option<Text>,
    /// What else it says of itself, by name: `videoMetadata`.
    pub others: Vec<Text>,
}

#[derive(Debug, Default)]
pub(crate) enum PartData<'n, 'a> {
    #[default]
    Nothing,
    Text(Text),
    /// Bytes or a URI, and the media type.
    Media(MediaSource, Option<Text>),
    Call(Call),
    /// A `functionResponse`.
    Response(&'n Node<'a>),
    /// A kind that has no place in a chat of another protocol: `executableCode`.
    Other(Text),
}

#[derive(Debug)]
pub(crate) struct Call {
    pub id: Option<Text>,
    pub name: Option<Text>,
    /// A JSON object without white space.
    pub args: Text,
    /// A piece of a call whose arguments are streamed.
    pub partial: bool,
}

/// # Errors
/// A field of another type.
pub(crate) fn read_part<'n, 'a>(part: &'n Node<'a>) -> Result<Part<'n, 'a>, ShapeError> {
    let mut read = Part::default();
    for (key, value) in part.object()?.members() {
        if value.is_null() {
            continue;
        }
        match &*camel(key) {
            "text" => read.data = PartData::Text(value.text()?),
            "thought" => read.thought = value.bool()?,
            "thoughtSignature" => {
                let signature = standard_base64(value.text()?);
                read.signature = Some(signature).filter(|signature| !signature.is_empty());
            }
            "functionCall" => read.data = PartData::Call(read_call(value)?),
            "functionResponse" => read.data = PartData::Response(value),
            "inlineData" => {
                let data = member(value.object()?, "data")
                    .map(Node::text)
                    .transpose()?;
                let source = MediaSource::Data(standard_base64(data.unwrap_or_default()));
                read.data = PartData::Media(source, media_type(value)?);
                read.name = filled(value, "displayName")?;
            }
            "fileData" => {
                let uri = member(value.object()?, "fileUri")
                    .map(Node::text)
                    .transpose()?;
                read.data = PartData::Media(source_of(uri.unwrap_or_default()), media_type(value)?);
                read.name = filled(value, "displayName")?;
            }
            kind @ ("executableCode" | "codeExecutionResult" | "toolCall" | "toolResponse") => {
                read.data = PartData::Other(Text::from(kind));
            }
            other => read.others.push(Text::from(other)),
        }
    }
    Ok(read)
}

fn read_call(call: &Node<'_>) -> Result<Call, ShapeError> {
    let text = |name| member(call, name).map(Node::text).transpose();
    let args = match member(call.object()?, "args") {
        Some(args) => args.object()?.json().compact().as_text().clone(),
        None => Text::from_static("{}"),
    };
    let partial = member(call, "partialArgs").is_some() || member(call, "willContinue").is_some();
    Ok(Call {
        id: text("id")?.filter(|id| !id.is_empty()),
        name: text("name")?.filter(|name| !name.is_empty()),
        args,
        partial: partial || call.members().next().is_none(),
    })
}

fn media_type(data: &Node<'_>) -> Result<Option<Text>, ShapeError> {
    filled(data, "mimeType")
}

/// A member's text, unless it is empty.
fn filled(data: &Node<'_>, name: &str) -> Result<Option<Text>, ShapeError> {
    let found = member(data, name).map(Node::text).transpose()?;
    Ok(found.filter(|text| !text.is_empty()))
}

/// An uploaded file's URI only its provider can read; anything else on the web everybody can.
fn source_of(uri: Text) -> MediaSource {
    let web = uri.starts_with("https://") || uri.starts_with("http://");
    if web && !uri.contains("/v1beta/files/") && !uri.contains("/v1/files/") {
        MediaSource::Url(uri)
    } else {
        MediaSource::File(uri)
    }
}

/// What something of this media type is.
pub(crate) fn media_kind(media_type: &str) -> MediaKind {
    let family = media_type.split('/').next().unwrap_or_default();
    match family.to_ascii_lowercase().as_str() {
        "image" => MediaKind::Image,
        "audio" => MediaKind::Audio,
        "video" => MediaKind::Video,
        _ => MediaKind::Document,
    }
}

/// The parts of one turn under construction. A signature comes before what it signs and waits for it.
#[derive(Debug)]
pub(crate) struct PartWriter<'w, 'o> {
    parts: &'w mut ArrayWriter<'o>,
    written: u32,
    signature: Option<Text>,
}

impl<'w, 'o> PartWriter<'w, 'o> {
    /// `signature`: of the part that comes first.
    pub fn new(parts: &'w mut ArrayWriter<'o>, signature: Option<Text>) -> Self {
        Self {
            parts,
            written: 0,
            signature,
        }
    }

    /// Signs the part that comes next.
    pub fn sign(&mut self, signature: Text) {
        self.end();
        self.signature = Some(signature);
    }

    pub fn thought(&mut self, text: &str, signature: Option<&str>) {
        self.end();
        self.written += 1;
        self.parts.object(|part| {
            part.string("text", text);
            part.plain("thought", true);
            if let Some(signature) = signature {
                part.string("thoughtSignature", signature);
            }
        });
    }

    pub fn text(&mut self, text: &str) {
        self.part(|part| part.string("text", text));
    }

    /// `arguments`: an object in JSON; anything else becomes its member `input`.
    pub fn call(&mut self, id: Option<&str>, name: &str, arguments: &Text) {
        self.part(|part| {
            part.object("functionCall", |call| {
                if let Some(id) = id {
                    call.string("id", id);
                }
                call.string("name", name);
                match object(arguments) {
                    Some(args) => call.json("args", &args),
                    None if arguments.trim().is_empty() => call.object("args", |_| {}),
                    None => call.object("args", |args| args.string("input", arguments)),
                }
            });
        });
    }

    pub fn media(&mut self, source: &MediaSource, media_type: Option<&str>) {
        self.part(|part| write_media(part, source, media_type));
    }

    /// A signature that nothing followed gets an empty part of its own, as it comes in streams.
    pub fn end(&mut self) {
        if self.signature.is_some() {
            self.text("");
        }
    }

    /// How many parts there are so far.
    pub fn written(&self) -> u32 {
        self.written
    }

    /// The signature that still waits.
    pub fn into_signature(self) -> Option<Text> {
        self.signature
    }

    pub fn part(&mut self, write: impl FnOnce(&mut ObjectWriter<'_>)) {
        let signature = self.signature.take();
        self.written += 1;
        self.parts.object(|part| {
            write(part);
            if let Some(signature) = signature {
                part.string("thoughtSignature", &signature);
            }
        });
    }
}

/// The text as JSON, if it is an object.
fn object(text: &Text) -> Option<Json> {
    let object = text.trim_ascii_start().starts_with('{');
    object.then(|| Json::parse(text.clone()).ok())?
}

/// The member of a part that holds bytes or a URI.
pub(crate) fn write_media(
    part: &mut ObjectWriter<'_>,
    source: &MediaSource,
    media_type: Option<&str>,
) {
    let (field, value, data) = match source {
        MediaSource::Data(data) => ("inlineData", "data", data),
        MediaSource::Url(uri) | MediaSource::File(uri) => ("fileData", "fileUri", uri),
        MediaSource::Text(text) => return part.string("text", text),
    };
    part.object(field, |media| {
        if let Some(media_type) = media_type {
            media.string("mimeType", media_type);
        }
        media.string(value, data);
    });
}
