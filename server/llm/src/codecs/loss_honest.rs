//! A law: what a prompt says is in the body that a codec writes, or is named as lost.

use std::sync::OnceLock;

use bytes::Bytes;

use crate::chat::{
    CachePoint, ChatRequest, Citation, Effort, Media, MediaKind, MediaSource, Message, Output,
    Part, PartContent, Prompt, Protocol, Reasoning, Role, Seal, Stamp, Tool, ToolChoice, ToolKind,
};
use crate::codec::{ChatCodec, Target};
use crate::codecs;
use crate::error::ApiError;
use crate::json::Json;
use crate::providers;
use crate::text::Text;

/// One thing that a prompt can say.
struct Asked {
    what: String,
    put: Box<dyn Fn(&mut Prompt)>,
    seen: Seen,
    /// The names that its loss may have.
    names: Vec<String>,
    /// What has to be there for it to mean anything.
    beside: fn(&mut Prompt),
}

/// How it shows in a body.
enum Seen {
    /// This text is in it.
    Mark(String),
    /// It is another body than without.
    Change,
}

fn nothing(_: &mut Prompt) {}

fn mark(what: &str, mark: &str, names: &[&str], put: impl Fn(&mut Prompt) + 'static) -> Asked {
    Asked {
        what: what.to_owned(),
        put: Box::new(put),
        seen: Seen::Mark(mark.to_owned()),
        names: names.iter().map(|&name| name.to_owned()).collect(),
        beside: nothing,
    }
}

fn change(what: &str, names: &[&str], put: impl Fn(&mut Prompt) + 'static) -> Asked {
    Asked {
        seen: Seen::Change,
        ..mark(what, "", names, put)
    }
}

fn json(text: &str) -> Json {
    Json::parse(Text::from(text)).unwrap()
}

fn cached(content: PartContent) -> Part {
    Part {
        content,
        cache: Some(CachePoint {
            ttl: Some(Text::from("1h")),
        }),
    }
}

fn say(prompt: &mut Prompt, role: Role, part: Part) {
    prompt.messages.push(Message::new(role, vec![part]));
}

fn text(text: &str) -> PartContent {
    Part::text(text).content
}

fn call(id: &str, kind: ToolKind, arguments: &str) -> PartContent {
    PartContent::ToolCall {
        id: Text::from(id),
        name: Text::from("look"),
        arguments: Text::from(arguments),
        kind,
    }
}

/// A call and its result.
fn called(prompt: &mut Prompt, id: &str, parts: Vec<Part>, is_error: bool) {
    let call = call(id, ToolKind::Function, "{}");
    say(prompt, Role::Assistant, Part::new(call));
    let result = PartContent::ToolResult {
        id: Text::from(id),
        name: Some(Text::from("look")),
        parts,
        is_error,
    };
    say(prompt, Role::Tool, Part::new(result));
    say(prompt, Role::Assistant, Part::text("Seen."));
    say(prompt, Role::User, Part::text("And?"));
}

/// The function that every prompt of this law offers.
fn look() -> Tool {
    Tool::Function {
        name: Text::from("look"),
        description: None,
        parameters: Some(json(
            r#"{"type":"object","properties":{},"additionalProperties":false}"#,
        )),
        strict: None,
        cache: None,
    }
}

fn strict_look() -> Tool {
    match look() {
        Tool::Function {
            name,
            parameters,
            cache,
            ..
        } => Tool::Function {
            name: Text::from(format!("{name}_strictly")),
            description: Some(Text::from("m-tool-description")),
            parameters,
            strict: Some(true),
            cache,
        },
        other => other,
    }
}

fn base() -> Prompt {
    Prompt {
        messages: vec![Message::new(Role::User, vec![Part::text("Hello")])],
        tools: vec![look()],
        ..Prompt::default()
    }
}

/// All that a prompt can say.
fn everything() -> Vec<Asked> {
    // A field that is new is in the law, or this does not compile.
    let Prompt {
        messages: _,
        tools: _,
        tool_choice: _,
        parallel_tool_calls: _,
        max_output_tokens: _,
        temperature: _,
        top_p: _,
        top_k: _,
        min_p: _,
        presence_penalty: _,
        frequency_penalty: _,
        seed: _,
        stop: _,
        choices: _,
        logprobs: _,
        output: _,
        reasoning: _,
        user: _,
        others: _,
    } = Prompt::default();
    let mut all = parameters();
    all.extend(conversation());
    all.extend(media());
    all.extend(tools());
    all.extend(output());
    all.extend(reasoning());
    all
}

fn parameters() -> Vec<Asked> {
    let mut all = vec![
        mark("max_output_tokens", "1234", &["max_tokens"], |prompt| {
            prompt.max_output_tokens = Some(1234);
        }),
        change("n", &["n"], |prompt| prompt.choices = Some(3)),
        change("logprobs", &["logprobs"], |prompt| {
            prompt.logprobs = Some(0);
        }),
        mark("user", "m-user", &["user"], |prompt| {
            prompt.user = Some(Text::from("m-user"));
        }),
        mark("others", "\u{0}", &["m-other"], |prompt| {
            prompt.others.push(Text::from("m-other"));
        }),
        mark("user, too long", "uuu", &["user"], |prompt| {
            prompt.user = Some(Text::from("u".repeat(300)));
        }),
    ];
    let mut alternatives = change("top_logprobs", &["logprobs", "top_logprobs"], |prompt| {
        prompt.logprobs = Some(4);
    });
    alternatives.beside = |prompt| prompt.logprobs = Some(0);
    all.push(alternatives);
    for number in 1..=6 {
        let stop = format!("m-stop-{number}");
        let before = (1..number).map(|number| Text::from(format!("m-stop-{number}")));
        let before: Vec<Text> = before.collect();
        all.push(mark(
            &stop.clone(),
            &stop.clone(),
            &["stop"],
            move |prompt| {
                prompt.stop.clone_from(&before);
                prompt.stop.push(Text::from(stop.as_str()));
            },
        ));
    }
    all.push(change("stop, blank", &["stop"], |prompt| {
        prompt.stop.push(Text::from("\n"));
    }));
    type Field = fn(&mut Prompt) -> &mut Option<Json>;
    let numbers: [(&str, Field, &[&'static str]); 7] = [
        ("temperature", |p| &mut p.temperature, &["0.321", "1.987"]),
        ("top_p", |p| &mut p.top_p, &["0.654", "0.998"]),
        ("top_k", |p| &mut p.top_k, &["47", "777"]),
        ("min_p", |p| &mut p.min_p, &["0.0531"]),
        (
            "presence_penalty",
            |p| &mut p.presence_penalty,
            &["0.431", "-1.431"],
        ),
        (
            "frequency_penalty",
            |p| &mut p.frequency_penalty,
            &["0.541", "-1.541"],
        ),
        ("seed", |p| &mut p.seed, &["86420"]),
    ];
    for (name, field, values) in numbers {
        for value in values {
            let number = json(value);
            all.push(mark(
                &format!("{name} {value}"),
                value,
                &[name],
                move |prompt| {
                    *field(prompt) = Some(number.clone());
                },
            ));
        }
    }
    all
}

fn conversation() -> Vec<Asked> {
    let mut all = Vec::new();
    let roles = [
        (Role::System, "system"),
        (Role::User, "user"),
        (Role::Assistant, "assistant"),
    ];
    for (role, name) in roles {
        let said = format!("m-{name}-text");
        all.push(mark(&said.clone(), &said.clone(), &[], move |prompt| {
            say(prompt, role, Part::text(said.as_str()));
        }));
        let called = format!("m-{name}-name");
        let what = format!("the name of {name}");
        all.push(mark(
            &what,
            &called.clone(),
            &["messages.name"],
            move |prompt| {
                prompt.messages.push(Message {
                    role,
                    name: Some(Text::from(called.as_str())),
                    parts: vec![Part::text("Named.")],
                });
            },
        ));
        let cites = format!("https://cited.example/{name}");
        if role == Role::Assistant {
            all.push(mark(
                "citations",
                &cites.clone(),
                &["citations"],
                move |prompt| {
                    let citation = Citation {
                        url: Some(Text::from(cites.as_str())),
                        title: Some(Text::from("Cited")),
                        range: Some((0, 3)),
                        ..Citation::default()
                    };
                    let content = PartContent::Text {
                        text: Text::from("Cited."),
                        citations: vec![citation],
                    };
                    say(prompt, role, Part::new(content));
                },
            ));
        }
        let what = format!("something else of {name}");
        all.push(mark(&what, "\u{0}", &["m-else"], move |prompt| {
            let what = Text::from("m-else");
            say(prompt, role, Part::new(PartContent::Other { what }));
        }));
        let refusal = format!("m-{name}-refusal");
        all.push(mark(
            &refusal.clone(),
            &refusal.clone(),
            &["messages.content"],
            move |prompt| {
                let refusal = PartContent::Refusal(Text::from(refusal.as_str()));
                say(prompt, role, Part::new(refusal));
            },
        ));
    }
    all.extend(cache_points());
    all.push(mark("arguments", "m-arguments", &[], |prompt| {
        let call = call("call_1", ToolKind::Function, r#"{"at":"m-arguments"}"#);
        say(prompt, Role::Assistant, Part::new(call));
    }));
    all.push(mark(
        "broken arguments",
        "m-broken",
        &["messages.tool_calls.arguments"],
        |prompt| {
            let call = call("call_2", ToolKind::Function, r#"{"at":"m-broken"#);
            say(prompt, Role::Assistant, Part::new(call));
        },
    ));
    all.push(mark("free text", "m-free-text", &[], |prompt| {
        let call = call("call_3", ToolKind::Custom, "m-free-text");
        say(prompt, Role::Assistant, Part::new(call));
    }));
    all.push(mark("a result", "m-result", &[], |prompt| {
        called(prompt, "call_4", vec![Part::text("m-result")], false);
    }));
    let mut failed = change("is_error", &["is_error"], |prompt| {
        if let Some(PartContent::ToolResult { is_error, .. }) = prompt
            .messages
            .iter_mut()
            .flat_map(|message| &mut message.parts)
            .map(|part| &mut part.content)
            .find(|content| matches!(content, PartContent::ToolResult { .. }))
        {
            *is_error = true;
        }
    });
    failed.beside = |prompt| called(prompt, "call_6", vec![Part::text("No.")], false);
    all.push(failed);
    all.push(mark(
        "something else of a result",
        "\u{0}",
        &["m-else"],
        |prompt| {
            let what = Text::from("m-else");
            called(
                prompt,
                "call_7",
                vec![Part::new(PartContent::Other { what })],
                false,
            );
        },
    ));
    all
}

/// Wherever there can be one.
fn cache_points() -> Vec<Asked> {
    let image = || {
        media_of(
            MediaKind::Image,
            MediaSource::Url(Text::from("https://i.example/1")),
        )
    };
    type Put = Box<dyn Fn(&mut Prompt)>;
    let places: Vec<(&str, Put)> = vec![
        (
            "a system's text",
            Box::new(|prompt| {
                prompt
                    .messages
                    .insert(0, Message::new(Role::System, vec![cached(text("Kept."))]));
            }),
        ),
        (
            "a user's text",
            Box::new(|prompt| say(prompt, Role::User, cached(text("Kept.")))),
        ),
        (
            "an assistant's text",
            Box::new(|prompt| {
                say(prompt, Role::Assistant, cached(text("Kept.")));
            }),
        ),
        (
            "a refusal",
            Box::new(|prompt| {
                say(
                    prompt,
                    Role::Assistant,
                    cached(PartContent::Refusal(Text::from("No."))),
                );
            }),
        ),
        (
            "an image",
            Box::new(move |prompt| {
                say(prompt, Role::User, cached(PartContent::Media(image())));
            }),
        ),
        (
            "a call",
            Box::new(|prompt| {
                let call = call("call_8", ToolKind::Function, "{}");
                say(prompt, Role::Assistant, cached(call));
            }),
        ),
        (
            "a result",
            Box::new(|prompt| {
                let call = call("call_9", ToolKind::Function, "{}");
                say(prompt, Role::Assistant, Part::new(call));
                let result = PartContent::ToolResult {
                    id: Text::from("call_9"),
                    name: None,
                    parts: vec![Part::text("Found.")],
                    is_error: false,
                };
                say(prompt, Role::Tool, cached(result));
            }),
        ),
        (
            "a part of a result",
            Box::new(|prompt| {
                called(prompt, "call_10", vec![cached(text("Found."))], false);
            }),
        ),
        (
            "a thought",
            Box::new(|prompt| {
                let thought = PartContent::Reasoning {
                    text: Text::from("Hm."),
                    seal: None,
                };
                prompt.messages.push(Message::new(
                    Role::Assistant,
                    vec![Part::text("So."), cached(thought), Part::text("Yes.")],
                ));
            }),
        ),
        (
            "a tool",
            Box::new(|prompt| {
                for tool in &mut prompt.tools {
                    if let Tool::Function { cache, .. } = tool {
                        *cache = Some(CachePoint {
                            ttl: Some(Text::from("1h")),
                        });
                    }
                }
            }),
        ),
    ];
    let places = places.into_iter();
    places
        .map(|(place, put)| {
            mark(
                &format!("cache_control of {place}"),
                "\"ttl\":\"1h\"",
                &["cache_control"],
                put,
            )
        })
        .collect()
}

fn media_of(kind: MediaKind, source: MediaSource) -> Media {
    Media {
        kind,
        source,
        media_type: Some(Text::from_static(match kind {
            MediaKind::Image => "image/png",
            MediaKind::Document => "application/pdf",
            MediaKind::Audio => "audio/mpeg",
            MediaKind::Video => "video/mp4",
        })),
        name: None,
        detail: None,
    }
}

/// All kinds of all sources, wherever there can be some. Of `media_type` nothing is demanded: it says once more what
/// the bytes say.
fn media() -> Vec<Asked> {
    let kinds = [
        (MediaKind::Image, "image"),
        (MediaKind::Document, "document"),
        (MediaKind::Audio, "audio"),
        (MediaKind::Video, "video"),
    ];
    let mut all = Vec::new();
    let mut number = 0;
    for (kind, name) in kinds {
        for source in ["url", "data", "file", "text"] {
            if source == "text" && kind != MediaKind::Document {
                continue;
            }
            for place in ["system", "user", "assistant", "result"] {
                number += 1;
                let mark_text = format!("mmmm{number:04}");
                let media = {
                    let text = Text::from(mark_text.as_str());
                    media_of(
                        kind,
                        match source {
                            "url" => {
                                MediaSource::Url(Text::from(format!("https://m.example/{text}.x")))
                            }
                            "data" => MediaSource::Data(text),
                            "file" => MediaSource::File(text),
                            _ => MediaSource::Text(text),
                        },
                    )
                };
                let what = format!("{name} by {source} of {place}");
                let names: &[&str] = &[name, "messages.content"];
                let plain = media.clone();
                all.push(mark(&what, &mark_text, names, move |prompt| {
                    show(prompt, place, plain.clone());
                }));
                let member = format!("{name}.name");
                let named = Media {
                    name: Some(Text::from(format!("n{mark_text}"))),
                    ..media.clone()
                };
                all.push(mark(
                    &format!("the name of {what}"),
                    &format!("n{mark_text}"),
                    &[&member, name],
                    move |prompt| show(prompt, place, named.clone()),
                ));
                if kind == MediaKind::Image {
                    let detailed = Media {
                        detail: Some(Text::from_static("low")),
                        ..media
                    };
                    all.push(mark(
                        &format!("the detail of {what}"),
                        "\"detail\":\"low\"",
                        &["image.detail", name],
                        move |prompt| show(prompt, place, detailed.clone()),
                    ));
                }
            }
        }
    }
    all
}

fn show(prompt: &mut Prompt, place: &str, media: Media) {
    let part = Part::new(PartContent::Media(media));
    match place {
        "system" => say(prompt, Role::System, part),
        "user" => say(prompt, Role::User, part),
        "assistant" => say(prompt, Role::Assistant, part),
        _ => called(prompt, "call_11", vec![part], false),
    }
}

fn tools() -> Vec<Asked> {
    let custom = |format: Option<Json>| Tool::Custom {
        name: Text::from("m-custom"),
        description: Some(Text::from("m-custom-description")),
        format,
    };
    let grammar = r#"{"type":"grammar","grammar":{"syntax":"lark","definition":"m-grammar"}}"#;
    let mut all = vec![
        mark("a tool's name", "look_strictly", &[], |prompt| {
            prompt.tools.push(strict_look());
        }),
        mark(
            "a tool's description",
            "m-tool-description",
            &[],
            |prompt| {
                prompt.tools.push(strict_look());
            },
        ),
        mark("a tool's parameters", "m-parameter", &[], |prompt| {
            prompt.tools.push(Tool::Function {
                name: Text::from("touch"),
                description: None,
                parameters: Some(json(r#"{"type":"object","properties":{"m-parameter":{}}}"#)),
                strict: None,
                cache: None,
            });
        }),
        mark(
            "a strict tool",
            "\"strict\":true",
            &["tools.strict"],
            |prompt| {
                prompt.tools.push(strict_look());
            },
        ),
        mark("strict tools only", "strict", &["tools.strict"], |prompt| {
            prompt.tools = vec![strict_look()];
        }),
        mark(
            "a custom tool",
            "m-custom-description",
            &["tools.m-custom"],
            {
                let tool = custom(None);
                move |prompt| prompt.tools.push(tool.clone())
            },
        ),
        mark(
            "a grammar",
            "m-grammar",
            &["tools.m-custom", "tools.m-custom.format"],
            {
                let tool = custom(Some(json(grammar)));
                move |prompt| prompt.tools.push(tool.clone())
            },
        ),
        mark("a hosted tool", "\u{0}", &["tools.m-hosted"], |prompt| {
            prompt.tools.push(Tool::Hosted {
                what: Text::from("m-hosted"),
            });
        }),
        change("one at a time", &["parallel_tool_calls"], |prompt| {
            prompt.parallel_tool_calls = Some(false);
        }),
    ];
    let among = |required| ToolChoice::Among {
        names: vec![Text::from("look")],
        required,
    };
    for choice in [
        ToolChoice::None,
        ToolChoice::Required,
        ToolChoice::Tool(Text::from("look")),
        ToolChoice::Tool(Text::from("nobody")),
        among(true),
        among(false),
    ] {
        let mut asked = change(&format!("{choice:?}"), &["tool_choice"], move |prompt| {
            prompt.tool_choice = Some(choice.clone());
        });
        asked.beside = |prompt| {
            prompt.tools.push(Tool::Function {
                name: Text::from("touch"),
                description: None,
                parameters: None,
                strict: None,
                cache: None,
            });
        };
        all.push(asked);
    }
    all
}

fn output() -> Vec<Asked> {
    const FORMAT: &str = "response_format";
    let schema = |prompt: &mut Prompt| {
        prompt.output = Output::Schema {
            name: Some(Text::from("m-schema-name")),
            description: Some(Text::from("m-schema-description")),
            schema: json(
                r#"{"type":"object","properties":{"m-schema":{"type":"string"}},"required":["m-schema"],"additionalProperties":false}"#,
            ),
            strict: Some(true),
        };
    };
    let titled = |prompt: &mut Prompt| {
        prompt.output = Output::Schema {
            name: Some(Text::from("m-other-name")),
            description: Some(Text::from("m-other-description")),
            schema: json(
                r#"{"title":"A","description":"B","type":"object","properties":{},"additionalProperties":false}"#,
            ),
            strict: None,
        };
    };
    let name = ["response_format.name"];
    let description = ["response_format.description"];
    vec![
        change("any JSON", &[FORMAT], |prompt| prompt.output = Output::Json),
        mark("a schema", "m-schema", &[], schema),
        mark("a schema's name", "m-schema-name", &name, schema),
        mark(
            "a schema's description",
            "m-schema-description",
            &description,
            schema,
        ),
        mark("a titled schema's name", "m-other-name", &name, titled),
        mark(
            "a described schema's description",
            "m-other-description",
            &description,
            titled,
        ),
        mark(
            "a strict schema",
            "\"strict\":true",
            &[FORMAT, "response_format.strict"],
            schema,
        ),
    ]
}

fn reasoning() -> Vec<Asked> {
    const LOST: [&str; 1] = ["reasoning"];
    let mut all = Vec::new();
    for effort in [
        Effort::None,
        Effort::Minimal,
        Effort::Low,
        Effort::Medium,
        Effort::High,
        Effort::Max,
    ] {
        all.push(change(&format!("{effort:?}"), &LOST, move |prompt| {
            prompt.reasoning = Some(Reasoning {
                effort: Some(effort),
                ..Reasoning::default()
            });
        }));
    }
    all.push(mark("a budget", "3333", &LOST, |prompt| {
        prompt.max_output_tokens = Some(16_000);
        prompt.reasoning = Some(Reasoning {
            budget_tokens: Some(3333),
            ..Reasoning::default()
        });
    }));
    for visible in [true, false] {
        let names = ["reasoning", "reasoning.summary"];
        let mut asked = change(&format!("visible: {visible}"), &names, move |prompt| {
            if let Some(reasoning) = &mut prompt.reasoning {
                reasoning.visible = Some(visible);
            }
        });
        asked.beside = |prompt| {
            prompt.reasoning = Some(Reasoning {
                effort: Some(Effort::High),
                ..Reasoning::default()
            });
        };
        all.push(asked);
    }
    for protocol in Protocol::ALL.into_iter().map(Some).chain([None]) {
        let said = format!("m-thought-{protocol:?}");
        all.push(mark(&said.clone(), &said.clone(), &LOST, move |prompt| {
            let seal = protocol.map(|protocol| Seal {
                protocol,
                data: Text::from("c2lnbmVk"),
                encrypted: false,
                id: Text::from("rs_1"),
            });
            let thought = PartContent::Reasoning {
                text: Text::from(said.as_str()),
                seal,
            };
            let parts = vec![Part::new(thought), Part::text("So it is.")];
            prompt.messages.push(Message::new(Role::Assistant, parts));
            say(prompt, Role::User, Part::text("And?"));
        }));
    }
    all
}

/// What happens anyway, and hence is neither in the body nor lost.
fn happens_anyway(asked: &str, provider: &str, protocol: Protocol, model: &str) -> bool {
    match asked {
        // Answers are written by a grammar made of the schema: none is ever another.
        "a strict schema" => matches!(
            protocol,
            Protocol::Anthropic | Protocol::Cohere | Protocol::Gemini | Protocol::Ollama
        ),
        // Not to think.
        "None" => match protocol {
            Protocol::Anthropic => !model.contains('5') || model == "claude-sonnet-4-5",
            Protocol::Gemini => matches!(model, "gemini-2.0-flash" | "gemini-2.5-flash-image"),
            Protocol::Mistral => model == "codestral-latest",
            Protocol::OpenAiResponses => model == "gpt-4o",
            _ => false,
        },
        // Most show what they think, and cannot be told not to; OpenAI itself shows nothing unless it is told to.
        "visible: true" => match protocol {
            Protocol::OpenAiChat => !matches!(provider, "azure" | "openai"),
            Protocol::Anthropic | Protocol::Cohere | Protocol::Mistral | Protocol::Ollama => true,
            _ => false,
        },
        "visible: false" => match protocol {
            Protocol::OpenAiChat => matches!(provider, "azure" | "openai"),
            Protocol::OpenAiResponses => true,
            _ => false,
        },
        _ => false,
    }
}

/// The models that codecs tell apart.
fn models(protocol: Protocol) -> &'static [&'static str] {
    match protocol {
        Protocol::Anthropic => &[
            "claude-3-haiku-20240307",
            "claude-3-7-sonnet-latest",
            "claude-sonnet-4-5",
            "claude-opus-4-6",
            "claude-opus-5-5",
            "claude-mythos-5",
            "their-model",
        ],
        Protocol::Gemini => &[
            "gemini-2.0-flash",
            "gemini-2.5-flash",
            "gemini-2.5-pro",
            "gemini-2.5-flash-image",
            "gemini-3-pro-preview",
            "tunedModels/mine",
        ],
        Protocol::Cohere => &["command-a-03-2025", "command-a-reasoning-08-2025"],
        Protocol::Mistral => &[
            "codestral-latest",
            "magistral-medium-latest",
            "mistral-large-latest",
            "mistral-small-latest",
        ],
        _ => &["gpt-4o", "gpt-5.1", "o3", "their-model"],
    }
}

/// A body, and what is named as lost.
fn sent(codec: &dyn ChatCodec, model: &str, prompt: Prompt) -> (String, Vec<String>) {
    let never = |_: &ChatRequest| -> Result<Prompt, ApiError> { unreachable!("it is there") };
    let client = Protocol::ALL
        .into_iter()
        .find(|&client| client != codec.protocol())
        .unwrap();
    let mut request = ChatRequest::new(client, Bytes::from_static(b"{}"), Stamp::default(), never);
    request.prompt = OnceLock::from(Ok(Box::new(prompt)));
    let wire = codec.encode_request(&request, &Target::new(model)).unwrap();
    let body = String::from_utf8(wire.body.concat().to_vec()).unwrap();
    let losses = wire.losses.dropped.into_iter().chain(wire.losses.emulated);
    (body, losses.map(String::from).collect())
}

/// Each codec of each provider with each of its models.
fn everywhere(mut run: impl FnMut(&'static str, &'static dyn ChatCodec, &'static str)) {
    let provided = providers::all()
        .iter()
        .flat_map(|provider| provider.codecs.iter().map(|codec| (provider.id, *codec)));
    let usual = codecs::all().iter().map(|codec| ("any", *codec));
    for (provider, codec) in provided.chain(usual) {
        // A chat cannot be told as a text to continue: it is refused as a whole.
        if codec.protocol() == Protocol::OpenAiCompletions {
            continue;
        }
        for model in models(codec.protocol()) {
            run(provider, codec, model);
        }
    }
}

fn says(asked: &Asked, with: &(String, Vec<String>), without: &str) -> bool {
    let seen = match &asked.seen {
        Seen::Mark(mark) => with.0.contains(mark),
        Seen::Change => with.0 != without,
    };
    seen || with.1.iter().any(|lost| asked.names.contains(lost))
}

#[test]
fn each_thing_is_sent_or_named_as_lost() {
    let all = everything();
    let mut silent = Vec::new();
    everywhere(|provider, codec, model| {
        let protocol = codec.protocol();
        for asked in &all {
            let mut prompt = base();
            (asked.beside)(&mut prompt);
            let (without, _) = sent(codec, model, prompt.clone());
            (asked.put)(&mut prompt);
            let with = sent(codec, model, prompt);
            let anyway = happens_anyway(&asked.what, provider, protocol, model);
            if !anyway && !says(asked, &with, &without) {
                silent.push(format!("{provider}, {protocol:?}, {model}: {}", asked.what));
            }
        }
    });
    assert!(silent.is_empty(), "silently lost:\n{}", silent.join("\n"));
}

/// What is asked for together may exclude one another: no less is it to be named.
#[test]
fn all_things_at_once_are_sent_or_named_as_lost() {
    let all = everything();
    let mut silent = Vec::new();
    everywhere(|provider, codec, model| {
        let mut prompt = base();
        for asked in &all {
            (asked.put)(&mut prompt);
        }
        let with = sent(codec, model, prompt);
        for asked in &all {
            // What is put in place of another is not there any more.
            let replaced = REPLACED.iter().any(|start| asked.what.starts_with(start));
            let marked = matches!(asked.seen, Seen::Mark(_));
            if marked && !replaced && !says(asked, &with, "") {
                silent.push(format!("{provider}, {model}: {}", asked.what));
            }
        }
    });
    assert!(silent.is_empty(), "silently lost:\n{}", silent.join("\n"));
}

/// What overwrites one another when everything is asked for, and the tools that are then not among the chosen ones.
const REPLACED: [&str; 15] = [
    "frequency_penalty 0",
    "presence_penalty 0",
    "temperature 0",
    "top_k 4",
    "top_p 0",
    "user",
    "max_output_tokens",
    "m-stop-",
    "a titled schema",
    "a described schema",
    "a strict schema",
    "a strict tool",
    "a tool's",
    "strict tools only",
    "a budget",
];
