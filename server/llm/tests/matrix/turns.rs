//! A conversation that goes on: the client sends back what it was told, as its official SDK keeps it.

use serde_json::{Value, json};

use crate::protocols::Client;

/// The next request, with an answer to every tool the model called.
pub fn next(client: &Client, body: &Value, reply: &Value) -> Value {
    let mut next = body.clone();
    let turns = next[client.turns].as_array_mut().unwrap();
    let list = |of: &Value| of.as_array().cloned().unwrap_or_default();
    match client.name() {
        "openai_chat" => {
            let message = &reply["choices"][0]["message"];
            turns.push(message.clone());
            for call in list(&message["tool_calls"]) {
                turns.push(
                    json!({"role": "tool", "tool_call_id": call["id"], "content": "21 degrees"}),
                );
            }
        }
        "openai_responses" => {
            let output = list(&reply["output"]);
            turns.extend(output.clone());
            for item in output {
                if item["type"] == "function_call" {
                    turns.push(json!({"type": "function_call_output",
                        "call_id": item["call_id"], "output": "21 degrees"}));
                }
            }
        }
        "anthropic" => {
            turns.push(json!({"role": "assistant", "content": reply["content"]}));
            let results = list(&reply["content"]).into_iter().filter_map(|block| {
                (block["type"] == "tool_use").then(|| {
                    json!({"type": "tool_result", "tool_use_id": block["id"],
                        "content": "21 degrees"})
                })
            });
            turns.push(json!({"role": "user", "content": results.collect::<Vec<_>>()}));
        }
        _ => {
            let content = &reply["candidates"][0]["content"];
            turns.push(content.clone());
            let results = list(&content["parts"]).into_iter().filter_map(|part| {
                let call = part.get("functionCall")?;
                let mut result =
                    json!({"name": call["name"], "response": {"output": "21 degrees"}});
                if let Some(id) = call.get("id") {
                    result["id"] = id.clone();
                }
                Some(json!({"functionResponse": result}))
            });
            turns.push(json!({"role": "user", "parts": results.collect::<Vec<_>>()}));
        }
    }
    next
}
