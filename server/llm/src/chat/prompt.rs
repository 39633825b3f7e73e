//! What a client says, in no protocol: what codecs of another protocol are given.
//!
//! Made only where dialect and codec differ; within one protocol the bytes are carried.

use serde::{Deserialize, Serialize};

use super::{Citation, Seal, ToolKind};
use crate::json::Json;
use crate::text::Text;

/// A request in no protocol. Whatever is `None` or empty was not said.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Prompt {
    /// The conversation in order, the system's messages included, where they stood.
    pub messages: Vec<Message>,
    pub tools: Vec<Tool>,
    pub tool_choice: Option<ToolChoice>,
    /// Whether several tools may be called at once.
    pub parallel_tool_calls: Option<bool>,
    pub max_output_tokens: Option<u64>,
    /// Numbers are kept as they were written.
    pub temperature: Option<Json>,
    pub top_p: Option<Json>,
    pub top_k: Option<Json>,
    pub min_p: Option<Json>,
    pub presence_penalty: Option<Json>,
    pub frequency_penalty: Option<Json>,
    pub seed: Option<Json>,
    /// Texts at which the model stops.
    pub stop: Vec<Text>,
    /// How many alternatives; `None` is one.
    pub choices: Option<u32>,
    /// How probable the tokens were, and how many alternatives of each (0: none).
    pub logprobs: Option<u32>,
    pub output: Output,
    pub reasoning: Option<Reasoning>,
    /// The end user, for the provider's abuse detection.
    pub user: Option<Text>,
    /// Parameters that only the client's protocol has, by name: a codec of another one drops them, and says so.
    /// Not here: what says what happens anyway (`stream`, `store: false`, defaults spelled out).
    pub others: Vec<Text>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// The operator of the application: `system`, `developer`, `instructions`.
    System,
    User,
    Assistant,
    /// The results of tools; a message holds [`PartContent::ToolResult`] only, and no other message holds any.
    Tool,
}

/// One turn, or a piece of one: neighbours of the same role are not merged by dialects, codecs whose protocol
/// wants turns to alternate merge them.
#[derive(Clone, Debug, PartialEq, Hash)]
pub struct Message {
    pub role: Role,
    /// The participant's name, where the protocol has one.
    pub name: Option<Text>,
    pub parts: Vec<Part>,
}

/// A piece of a message, and whether the provider's prompt cache should keep everything up to its end.
#[derive(Clone, Debug, PartialEq, Hash)]
pub struct Part {
    pub content: PartContent,
    pub cache: Option<CachePoint>,
}

/// Everything up to here should be cached by the provider.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct CachePoint {
    /// How long, as the protocol says it: `5m`, `1h`.
    pub ttl: Option<Text>,
}

#[derive(Clone, Debug, PartialEq, Hash)]
pub enum PartContent {
    Text {
        text: Text,
        /// Of what the assistant said.
        citations: Vec<Citation>,
    },
    /// An image, a document, a recording.
    Media(Media),
    /// What the assistant thought in an earlier turn. Text without a seal is for people: most protocols cannot take it back.
    Reasoning { text: Text, seal: Option<Seal> },
    /// Why the assistant declined.
    Refusal(Text),
    /// What the assistant called.
    ToolCall {
        id: Text,
        name: Text,
        /// JSON for a function, any text for a custom tool.
        arguments: Text,
        kind: ToolKind,
    },
    /// What a call gave.
    ToolResult {
        /// The call's id; empty where the client's protocol has none.
        id: Text,
        /// The tool's name, where the client says or an earlier call of this id tells.
        name: Option<Text>,
        /// [`PartContent::Text`] and [`PartContent::Media`] only.
        parts: Vec<Part>,
        is_error: bool,
    },
    /// What only the client's protocol knows: a codec of another one drops it, naming `what`.
    Other { what: Text },
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Media {
    pub kind: MediaKind,
    pub source: MediaSource,
    /// `image/png`, where it is known.
    pub media_type: Option<Text>,
    /// The file's name or the document's title.
    pub name: Option<Text>,
    /// OpenAI's `detail` of an image: `low`, `high`, `auto`.
    pub detail: Option<Text>,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq, Hash)]
pub enum MediaKind {
    Image,
    /// A PDF, a text file.
    Document,
    Audio,
    Video,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum MediaSource {
    /// Not a `data:` URL: dialects take those apart.
    Url(Text),
    /// Base64, standard alphabet.
    Data(Text),
    /// The id of a file that was uploaded to the provider of the client's protocol.
    File(Text),
    /// A document that is plain text.
    Text(Text),
}

/// A tool that the model may call.
#[derive(Clone, Debug, PartialEq, Hash)]
pub enum Tool {
    Function {
        name: Text,
        description: Option<Text>,
        /// A JSON schema; `None`: no parameters.
        parameters: Option<Json>,
        strict: Option<bool>,
        cache: Option<CachePoint>,
    },
    /// One that takes free text (OpenAI).
    Custom {
        name: Text,
        description: Option<Text>,
        /// The grammar, as it was written.
        format: Option<Json>,
    },
    /// One that the provider itself runs (web search, code execution): only the same protocol knows it.
    Hosted { what: Text },
}

/// Which tools the model must, may or must not call.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ToolChoice {
    Auto,
    None,
    /// At least one, whichever.
    Required,
    /// This one.
    Tool(Text),
    /// Only some of the tools, of which one must be called or not.
    Among {
        names: Vec<Text>,
        required: bool,
    },
}

/// What the answer has to be.
#[derive(Clone, Debug, Default, PartialEq, Hash)]
pub enum Output {
    #[default]
    Text,
    /// Any JSON object.
    Json,
    /// JSON of this schema.
    Schema {
        name: Option<Text>,
        description: Option<Text>,
        schema: Json,
        strict: Option<bool>,
    },
}

/// How much the model should think.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Reasoning {
    pub effort: Option<Effort>,
    /// At most this many tokens; 0: do not think; `None`: not said.
    pub budget_tokens: Option<u64>,
    /// Whether the client wants to see thoughts (a summary, or as they are).
    pub visible: Option<bool>,
}

/// In words. Codecs whose upstream takes a number use [`Effort::budget_tokens`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effort {
    None,
    Minimal,
    Low,
    Medium,
    High,
    /// OpenAI's `xhigh`, Anthropic's `max`.
    Max,
}

impl Effort {
    /// Reads OpenAI's and Anthropic's words.
    pub fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "none" => Self::None,
            "minimal" => Self::Minimal,
            "low" => Self::Low,
            "medium" => Self::Medium,
            "high" => Self::High,
            "xhigh" | "max" => Self::Max,
            _ => return None,
        })
    }

    /// The number that gateways and providers commonly put for the word.
    pub fn budget_tokens(self) -> u64 {
        match self {
            Self::None => 0,
            Self::Minimal | Self::Low => 1024,
            Self::Medium => 8192,
            Self::High => 24576,
            Self::Max => 32768,
        }
    }

    /// The word for a number.
    pub fn of_budget(tokens: u64) -> Self {
        match tokens {
            0 => Self::None,
            1..=2048 => Self::Low,
            2049..=16384 => Self::Medium,
            16385..=28672 => Self::High,
            _ => Self::Max,
        }
    }
}

impl MediaKind {
    /// The name in losses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Document => "document",
            Self::Audio => "audio",
            Self::Video => "video",
        }
    }

    /// What [`Media::name`] is called in losses.
    pub fn name_parameter(self) -> &'static str {
        match self {
            Self::Image => "image.name",
            Self::Document => "document.name",
            Self::Audio => "audio.name",
            Self::Video => "video.name",
        }
    }
}

impl Reasoning {
    /// In words, whichever way it was said.
    pub fn effort(&self) -> Option<Effort> {
        self.effort
            .or_else(|| self.budget_tokens.map(Effort::of_budget))
    }

    /// In tokens, whichever way it was said.
    pub fn budget(&self) -> Option<u64> {
        self.budget_tokens
            .or_else(|| self.effort.map(Effort::budget_tokens))
    }
}

impl Part {
    pub fn new(content: PartContent) -> Self {
        Self {
            content,
            cache: None,
        }
    }

    pub fn text(text: impl Into<Text>) -> Self {
        Self::new(PartContent::Text {
            text: text.into(),
            citations: Vec::new(),
        })
    }
}

impl Message {
    pub fn new(role: Role, parts: Vec<Part>) -> Self {
        Self {
            role,
            name: None,
            parts,
        }
    }
}

impl Prompt {
    /// The name of the tool that the call of this id was for.
    pub fn called(&self, call: &str) -> Option<&Text> {
        self.messages
            .iter()
            .flat_map(|message| &message.parts)
            .find_map(|part| match &part.content {
                PartContent::ToolCall { id, name, .. } if *id == call => Some(name),
                _ => None,
            })
    }
}
