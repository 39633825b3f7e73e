//! What a body can be in tokens.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind};
use bytes::Bytes;
use memchr::memmem;

use crate::json::{Kind, Node};

/// What a model is told that stands in no request: the frame of a conversation, the head of a list of tools.
const FRAME: u64 = 64;
const TOOLS: u64 = 1_024;
/// An image, however large: the most that a model makes of one.
const IMAGE: u64 = 50_000;
/// What is fetched, searched, remembered or kept elsewhere: as much as fits into the largest usual context.
const UNSEEN: u64 = 1_000_000;
/// Words without which a body holds text alone. One of them may stand in a text as well: then it is only read closer.
const SIGNS: [&str; 16] = [
    "mage",
    "nline",
    "ile",
    "ocument",
    "udio",
    "ideo",
    "edia",
    "tools",
    // And those of requests that need not be in one place.
    "previous_response_id",
    "conversation",
    "\"prompt\"",
    "cachedContent",
    "cached_content",
    "web_search",
    "mcp_servers",
    // A name may be written so that nobody recognizes it who does not read it.
    "\\u",
];
/// Members by which a request says what is kept elsewhere.
const TOLD_ELSEWHERE: [&str; 6] = [
    "previous_response_id",
    "conversation",
    "cachedContent",
    "cached_content",
    "web_search_options",
    "mcp_servers",
];

/// All of them are looked for in one pass.
static ANY_SIGN: LazyLock<AhoCorasick> = LazyLock::new(|| {
    AhoCorasick::builder()
        .match_kind(MatchKind::LeftmostFirst)
        .build(SIGNS)
        .expect("a few short words")
});

/// The most tokens that a body can be. A body that is not JSON is as many as it has bytes.
pub fn input(body: &Bytes) -> u64 {
    let bytes = body.len() as u64 + FRAME;
    if !ANY_SIGN.is_match(&body[..]) {
        return bytes;
    }
    let Ok(root) = Node::parse(body) else {
        return bytes;
    };
    let mut sum = Sum::default();
    sum.read(&root, "", None);
    for name in TOLD_ELSEWHERE {
        sum.more += root.get(name).map_or(0, |_| UNSEEN);
    }
    // A stored prompt of OpenAI's; a text, or texts, are there to be read.
    if root
        .get("prompt")
        .is_some_and(|it| it.kind() == Kind::Object)
    {
        sum.more += UNSEEN;
    }
    if let Some(tools) = root.get("tools") {
        sum.more += TOOLS;
        for tool in tools.array().unwrap_or_default() {
            sum.more += of_tool(tool);
        }
    }
    bytes.saturating_sub(sum.less).saturating_add(sum.more)
}

/// What a tool adds that its provider works itself, or explains to the model.
fn of_tool(tool: &Node<'_>) -> u64 {
    let kind = tool.get("type").and_then(|kind| kind.str().ok());
    match kind.as_deref() {
        Some("function" | "custom") => 0,
        // The client works them.
        Some(kind)
            if [
                "bash_",
                "text_editor_",
                "computer",
                "memory_",
                "local_shell",
                "apply_patch",
            ]
            .iter()
            .any(|own| kind.starts_with(own)) =>
        {
            4 * TOOLS
        }
        Some(_) => UNSEEN,
        // Anthropic's and Gemini's say what it is by what it has.
        None => {
            let described = [
                "input_schema",
                "functionDeclarations",
                "function_declarations",
            ];
            let told = described.iter().any(|name| tool.get(name).is_some());
            let others = tool
                .members()
                .filter(|(name, _)| !described.contains(&&**name) && tool.get("name").is_none());
            let hosted = others.count() as u64;
            match (told, hosted) {
                (_, 0) => 0,
                _ => UNSEEN,
            }
        }
    }
}

/// What is no text.
#[derive(Debug, Default)]
struct Sum {
    /// Bytes that are no text.
    less: u64,
    /// Tokens that they are.
    more: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sort {
    Image,
    Sound,
    Other,
}

fn sort_of(name: &str) -> Option<Sort> {
    let has = |word| memmem::find(name.as_bytes(), word).is_some();
    if has(b"image") {
        Some(Sort::Image)
    } else if has(b"audio") || has(b"video") {
        Some(Sort::Sound)
    } else if has(b"file") || has(b"document") || has(b"pdf") {
        Some(Sort::Other)
    } else {
        None
    }
}

impl Sum {
    fn read(&mut self, node: &Node<'_>, key: &str, sort: Option<Sort>) {
        match node.kind() {
            Kind::Object => {
                let said = ["mimeType", "mime_type", "media_type", "type", "format"];
                let said = said.iter().find_map(|name| {
                    let text = node.get(name)?.str().ok()?;
                    match &*text {
                        "wav" | "mp3" | "flac" | "ogg" | "pcm16" => Some(Sort::Sound),
                        text => sort_of(text),
                    }
                });
                let sort = said.or(sort);
                for (name, value) in node.members() {
                    self.read(value, &name, sort_of(&name).or(sort));
                }
            }
            Kind::Array => {
                for item in node.array().unwrap_or_default() {
                    self.read(item, key, sort);
                }
            }
            Kind::String => self.text(node, key, sort),
            _ => {}
        }
    }

    fn text(&mut self, node: &Node<'_>, key: &str, sort: Option<Sort>) {
        let Some(sort) = sort else {
            return;
        };
        let Ok(text) = node.str() else {
            return;
        };
        let bytes = node.span().len() as u64;
        if let Some(url) = text.strip_prefix("data:") {
            let head = &url[..url.floor_char_boundary(64)];
            self.inline(sort_of(head).unwrap_or(sort), bytes);
        } else if matches!(key, "data" | "file_data" | "bytes" | "images" | "image")
            && is_encoded(&text)
        {
            self.inline(sort, bytes);
        } else if key.ends_with("url")
            || key.ends_with("uri")
            || key.ends_with("Uri")
            || key.ends_with("Url")
            || matches!(key, "file_id" | "fileId")
        {
            self.more += match sort {
                Sort::Image => IMAGE,
                Sort::Sound | Sort::Other => UNSEEN,
            };
        }
    }

    fn inline(&mut self, sort: Sort, bytes: u64) {
        self.less += bytes;
        self.more += match sort {
            Sort::Image => IMAGE,
            // Silence is packed to a hundred bytes a second, of which models make some thirty tokens.
            Sort::Sound => bytes / 2 + FRAME,
            Sort::Other => bytes.clamp(IMAGE, UNSEEN),
        };
    }
}

/// Base64, not words.
fn is_encoded(text: &str) -> bool {
    text.len() >= 32
        && text.bytes().take(256).all(|byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'-' | b'_')
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(body: &str) -> u64 {
        input(&Bytes::copy_from_slice(body.as_bytes()))
    }

    #[test]
    fn text_is_at_most_its_bytes() {
        for body in [
            r#"{"model":"m","messages":[{"role":"user","content":"Hello"}]}"#,
            r#"{"messages":[{"role":"user","content":"an image, a file, a video: all words"}]}"#,
            r#"{"prompt":"audio"}"#,
            r#"{"messages":[{"role":"user","content":[{"type":"image","x":1}]}]}"#,
            "no JSON, but an image",
        ] {
            assert_eq!(of(body), body.len() as u64 + FRAME, "{body}");
        }
    }

    #[test]
    fn what_is_kept_elsewhere_counts_however_it_is_spelled() {
        for name in TOLD_ELSEWHERE {
            let body = format!(r#"{{"{name}":"x"}}"#);
            assert!(of(&body) >= UNSEEN, "{name}");
            let (first, rest) = name.split_at(1);
            let escaped = format!("\\u{:04x}{rest}", first.as_bytes()[0]);
            let body = format!(r#"{{"{escaped}":"x"}}"#);
            assert!(of(&body) >= UNSEEN, "{body}");
        }
        let image = r#"{"type":"image_url","im\u0061ge_url":{"url":"https://example.com/a.png"}}"#;
        assert!(of(image) >= IMAGE);
    }

    #[test]
    fn files_do_not_count_by_their_bytes() {
        let data = "QUJD".repeat(300_000);
        let text = 1_000;
        for (body, most) in [
            (
                format!(
                    r#"{{"type":"image_url","image_url":{{"url":"data:image/png;base64,{data}"}}}}"#
                ),
                IMAGE,
            ),
            (
                format!(r#"{{"type":"input_image","image_url":"data:image/png;base64,{data}"}}"#),
                IMAGE,
            ),
            (
                format!(r#"{{"inlineData":{{"mimeType":"image/png","data":"{data}"}}}}"#),
                IMAGE,
            ),
            (
                format!(
                    r#"{{"type":"image","source":{{"type":"base64","media_type":"image/png","data":"{data}"}}}}"#
                ),
                IMAGE,
            ),
            (format!(r#"{{"content":"x","images":["{data}"]}}"#), IMAGE),
            (
                format!(
                    r#"{{"type":"input_audio","input_audio":{{"format":"wav","data":"{data}"}}}}"#
                ),
                600_000,
            ),
            (
                format!(
                    r#"{{"type":"document","source":{{"type":"base64","media_type":"application/pdf","data":"{data}"}}}}"#
                ),
                UNSEEN,
            ),
        ] {
            let found = of(&body);
            assert!(
                (most..most + text).contains(&found),
                "{found} {}",
                &body[..60]
            );
        }
    }

    #[test]
    fn what_is_elsewhere_counts_as_much_as_it_may_be() {
        for (body, least) in [
            (
                r#"{"image_url":{"url":"https://example.com/x.png"}}"#,
                IMAGE,
            ),
            (
                r#"{"fileData":{"mimeType":"video/mp4","fileUri":"gs://x"}}"#,
                UNSEEN,
            ),
            (r#"{"type":"input_file","file_id":"file-1"}"#, UNSEEN),
            (r#"{"previous_response_id":"resp_1","input":"x"}"#, UNSEEN),
            (r#"{"prompt":{"id":"pmpt_1"}}"#, UNSEEN),
            (r#"{"tools":[{"type":"web_search"}]}"#, UNSEEN),
            (r#"{"tools":[{"googleSearch":{}}]}"#, UNSEEN),
            (
                r#"{"tools":[{"type":"bash_20250124","name":"bash"}]}"#,
                TOOLS,
            ),
        ] {
            assert!(of(body) >= least, "{body}");
        }
        for body in [
            r#"{"tools":[{"type":"function","function":{"name":"f"}}]}"#,
            r#"{"tools":[{"name":"f","input_schema":{}}]}"#,
            r#"{"tools":[{"functionDeclarations":[{"name":"f"}]}]}"#,
        ] {
            assert_eq!(of(body), body.len() as u64 + FRAME + TOOLS, "{body}");
        }
    }
}
