//! Parameters that say what happens anyway.

/// Whether leaving a parameter with this value out changes nothing; the value is JSON.
pub(crate) fn says_nothing(name: &str, value: &[u8]) -> bool {
    let value = value.trim_ascii();
    if matches!(value, b"null" | b"[]") {
        return true;
    }
    // Of a parameter that switches something on by being there, an empty object says much.
    if value == b"{}" {
        return name != "web_search_options";
    }
    match name {
        "n" => value == b"1",
        "presence_penalty" | "frequency_penalty" | "top_logprobs" => {
            matches!(value, b"0" | b"0.0")
        }
        "logprobs" | "store" | "stream" | "return_token_ids" => value == b"false",
        "parallel_tool_calls" => value == b"true",
        "temperature" | "top_p" => matches!(value, b"1" | b"1.0"),
        "modalities" => {
            let written = value.iter().filter(|byte| !byte.is_ascii_whitespace());
            written.eq(br#"["text"]"#)
        }
        "service_tier" => matches!(value, br#""auto""# | br#""default""#),
        "verbosity" => value == br#""medium""#,
        "truncation" => value == br#""disabled""#,
        _ => false,
    }
}
