//! Seals in `reasoning_details`:
//! <https://openrouter.ai/docs/use-cases/reasoning-tokens#preserving-reasoning-blocks>
//!
//! An item's signature makes sense only together with its type, format and id, so all of them are kept in the seal:
//! its data is the item, without its text.

use crate::chat::{Protocol, Seal};
use crate::json::{Node, ObjectWriter, ShapeError, object};
use crate::text::Text;

/// What kind of item a seal comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SealKind {
    /// `reasoning.text` with its `signature`.
    Text,
    /// `reasoning.summary` with its `signature`, should it have one.
    Summary,
    /// `reasoning.encrypted` with its `data`.
    Encrypted,
}

impl SealKind {
    fn name(self) -> &'static str {
        match self {
            Self::Text => "reasoning.text",
            Self::Summary => "reasoning.summary",
            Self::Encrypted => "reasoning.encrypted",
        }
    }

    /// The member that the seal stands in.
    fn member(self) -> &'static str {
        match self {
            Self::Text | Self::Summary => "signature",
            Self::Encrypted => "data",
        }
    }
}

/// Reads an item: what was thought, and its seal.
///
/// # Errors
/// It is no object, or its members are no texts.
pub(crate) fn read_detail(item: &Node<'_>) -> Result<(Text, Option<Seal>), ShapeError> {
    let member = |key: &str| item.get(key).map(Node::text).transpose();
    let kind = item.object()?.require("type")?.str()?;
    let text = member("text")?.or(member("summary")?).unwrap_or_default();
    let signature = member("signature")?.filter(|seal| !seal.is_empty());
    let data = member("data")?.filter(|seal| !seal.is_empty());
    let (kind, data) = match (&*kind, signature, data) {
        ("reasoning.encrypted", _, Some(data)) => (SealKind::Encrypted, Some(data)),
        ("reasoning.summary", signature, _) => (SealKind::Summary, signature),
        (_, signature, _) => (SealKind::Text, signature),
    };
    let seal = match data {
        Some(data) => {
            let (format, id) = (member("format")?, member("id")?);
            Some(read_seal(kind, data, format.as_ref(), id.as_ref()))
        }
        None => None,
    };
    Ok((text, seal))
}

/// The seal of an item, whoever made it.
fn read_seal(kind: SealKind, data: Text, format: Option<&Text>, id: Option<&Text>) -> Seal {
    if let Some(seal) = Seal::from_token(&data) {
        return seal;
    }
    let item = object(|item| {
        item.string("type", kind.name());
        item.string(kind.member(), &data);
        if let Some(format) = format {
            item.string("format", format);
        }
        if let Some(id) = id {
            item.string("id", id);
        }
    });
    Seal {
        protocol: Protocol::OpenAiChat,
        data: Text::from_utf8(item).expect("JSON is UTF-8"),
        encrypted: kind == SealKind::Encrypted,
        id: id.cloned().unwrap_or_default(),
    }
}

/// Writes an item of `reasoning_details`: what was thought, and its seal.
pub(crate) fn write_detail(
    item: &mut ObjectWriter<'_>,
    text: &str,
    seal: Option<&Seal>,
    index: usize,
) {
    match seal {
        Some(seal) if seal.protocol == Protocol::OpenAiChat => {
            if !write_kept(item, text, seal) {
                write_text(item, text);
            }
        }
        Some(seal) => {
            let kind = if seal.encrypted {
                SealKind::Encrypted
            } else {
                SealKind::Text
            };
            item.string("type", kind.name());
            if kind == SealKind::Text || !text.is_empty() {
                item.string("text", text);
            }
            item.string(kind.member(), &seal.for_client(Protocol::OpenAiChat));
            item.null("format");
        }
        None => write_text(item, text),
    }
    item.plain("index", index);
}

fn write_text(item: &mut ObjectWriter<'_>, text: &str) {
    item.string("type", SealKind::Text.name());
    item.string("text", text);
    item.null("format");
}

/// Writes the item as it was. False, and nothing is written, where it is not what it should be: clients keep seals.
fn write_kept(item: &mut ObjectWriter<'_>, text: &str, seal: &Seal) -> bool {
    let Ok(kept) = Node::parse(seal.data.as_bytes()) else {
        return false;
    };
    let member = match kept.get("type").and_then(|kind| kind.str().ok()).as_deref() {
        Some("reasoning.summary") => Some("summary"),
        Some("reasoning.encrypted") => (!text.is_empty()).then_some("text"),
        Some(_) => Some("text"),
        None => return false,
    };
    for (key, value) in kept.members() {
        item.json(&key, &value.json());
    }
    if let Some(member) = member {
        item.string(member, text);
    }
    true
}
