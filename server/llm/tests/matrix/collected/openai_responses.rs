//! Responses: <https://platform.openai.com/docs/api-reference/responses-streaming>

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Event, append};
use crate::expect::differences;

#[derive(Default)]
struct Items {
    /// What the deltas amount to, by `output_index`.
    open: BTreeMap<u64, Value>,
    done: Vec<Value>,
}

pub fn read(events: &[Event]) -> Result<Value, String> {
    let mut items = Items::default();
    let mut failure: Option<&Value> = None;
    for (number, event) in events.iter().enumerate() {
        let data = event.data.as_ref().ok_or("[DONE]")?;
        let kind = data["type"].as_str().unwrap_or_default();
        if event.name.as_deref() != Some(kind) {
            return Err(format!("{kind} is named {:?}", event.name));
        }
        if data["sequence_number"] != number {
            return Err(format!("number {number} is {}", data["sequence_number"]));
        }
        let last = number + 1 == events.len();
        match kind {
            "response.created" | "response.in_progress" => {
                if data["response"]["status"] != "in_progress" {
                    return Err(format!("{kind}: {data}"));
                }
            }
            "response.completed" | "response.incomplete" if last => {
                return items.end(kind, &data["response"]);
            }
            "response.failed" if last => {
                if failure.is_none_or(|failure| data["response"]["error"]["message"] != *failure) {
                    return Err(format!("{data} after the error {failure:?}"));
                }
                return Ok(data["response"].clone());
            }
            "error" if last || number + 2 == events.len() => {
                failure = Some(&data["message"]);
                if last {
                    return Ok(json!({"error": data}));
                }
            }
            _ if number == 0 => return Err(format!("{kind} comes first")),
            _ => items.one(kind, data)?,
        }
    }
    Err("no end".to_owned())
}

impl Items {
    fn one(&mut self, kind: &str, data: &Value) -> Result<(), String> {
        let index = data["output_index"]
            .as_u64()
            .ok_or(format!("{kind}: no index"))?;
        if kind == "response.output_item.added" {
            if index != self.done.len() as u64 + self.open.len() as u64 {
                return Err(format!("item {index} is out of order"));
            }
            self.open.insert(index, data["item"].clone());
            return Ok(());
        }
        let item = self
            .open
            .get_mut(&index)
            .ok_or(format!("{kind} of no item"))?;
        if kind == "response.output_item.done" {
            let built = self.open.remove(&index).ok_or("no item")?;
            let mut built = built;
            built["status"] = data["item"]["status"].clone();
            for part in parts(&mut built) {
                if part["done"].take() != true {
                    return Err(format!("a part is not done: {part}"));
                }
            }
            agree(&built, &data["item"])?;
            if index != self.done.len() as u64 {
                return Err(format!("item {index} is done out of order"));
            }
            self.done.push(data["item"].clone());
            return Ok(());
        }
        if data["item_id"] != item["id"] {
            return Err(format!("{kind}: item_id is {}", data["item_id"]));
        }
        part(item, kind, data)
    }

    fn end(&self, kind: &str, response: &Value) -> Result<Value, String> {
        if !self.open.is_empty() {
            return Err("an item is not done".to_owned());
        }
        let output = response["output"].as_array().ok_or("no output")?;
        if *output != self.done {
            return Err(format!(
                "the output is {output:?}, its items {:?}",
                self.done
            ));
        }
        let status = kind.strip_prefix("response.");
        if response["status"].as_str() != status {
            return Err(format!("{kind} says {}", response["status"]));
        }
        Ok(response.clone())
    }
}

fn parts(item: &mut Value) -> impl Iterator<Item = &mut Value> {
    let content = item.get_mut("content").and_then(Value::as_array_mut);
    content.into_iter().flatten()
}

/// What the deltas amount to has to be what the finished item says.
fn agree(built: &Value, done: &Value) -> Result<(), String> {
    let mut built = built.clone();
    if let Some(item) = built.as_object_mut() {
        // What only the finished item says.
        for late in ["encrypted_content", "status"] {
            item.remove(late);
        }
    }
    for part in parts(&mut built) {
        if let Some(part) = part.as_object_mut() {
            part.remove("done");
            part.remove("logprobs");
        }
    }
    let faults = differences(&built, done);
    faults
        .is_empty()
        .then_some(())
        .ok_or(format!("an item is not what its deltas say: {faults:?}"))
}

fn part(item: &mut Value, kind: &str, data: &Value) -> Result<(), String> {
    let list = match kind.contains("summary") {
        true => ("summary", data["summary_index"].as_u64()),
        false => ("content", data["content_index"].as_u64()),
    };
    let event = kind.strip_prefix("response.").unwrap_or(kind);
    match event {
        "function_call_arguments.delta" => append(item, "arguments", &data["delta"]),
        "function_call_arguments.done" => {
            if data["arguments"] != item["arguments"] {
                return Err(format!("the arguments are {}", item["arguments"]));
            }
        }
        "custom_tool_call_input.delta" => append(item, "input", &data["delta"]),
        "custom_tool_call_input.done" => {}
        "content_part.added" | "reasoning_summary_part.added" => {
            if !item[list.0].is_array() {
                item[list.0] = json!([]);
            }
            let parts = item[list.0].as_array_mut().ok_or("no parts")?;
            if list.1 != Some(parts.len() as u64) {
                return Err(format!("{kind}: out of order"));
            }
            parts.push(data["part"].clone());
        }
        _ => {
            let at = list.1.ok_or(format!("{kind}: no index of a part"))? as usize;
            let part = item[list.0]
                .get_mut(at)
                .ok_or(format!("{kind} of no part"))?;
            deeper(part, event, data)?;
        }
    }
    Ok(())
}

fn deeper(part: &mut Value, event: &str, data: &Value) -> Result<(), String> {
    match event {
        "output_text.delta" | "reasoning_summary_text.delta" | "reasoning_text.delta" => {
            append(part, "text", &data["delta"]);
        }
        "refusal.delta" => append(part, "refusal", &data["delta"]),
        "output_text.annotation.added" => {
            super::extend(part, "annotations", &json!([data["annotation"]]));
        }
        "output_text.done" | "reasoning_summary_text.done" | "reasoning_text.done" => {
            if data["text"] != part["text"] {
                return Err(format!("{event}: {} is not {}", data["text"], part["text"]));
            }
        }
        "refusal.done" => {
            if data["refusal"] != part["refusal"] {
                return Err(format!("{event}: the refusal differs"));
            }
        }
        "content_part.done" => part["done"] = true.into(),
        "reasoning_summary_part.done" => {}
        _ => return Err(format!("unknown: {event}")),
    }
    Ok(())
}
