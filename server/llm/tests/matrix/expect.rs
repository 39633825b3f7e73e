//! Partial expectations.

use serde_json::Value;

/// What of `expected` is not so in `found`. Objects may hold more than is expected, lists may not; a string
/// is compared as JSON if both are JSON; `"$any"` is anything that is there, `"$none"` nothing or null,
/// `{"$either": [..]}` one of several.
pub fn differences(expected: &Value, found: &Value) -> Vec<String> {
    let mut all = Vec::new();
    compare("", expected, Some(found), &mut all);
    all
}

fn compare(at: &str, expected: &Value, found: Option<&Value>, all: &mut Vec<String>) {
    let there = found.filter(|found| !found.is_null());
    match (expected, found) {
        (Value::String(word), _) if word == "$any" => {
            if there.is_none() {
                all.push(format!("{at} is missing"));
            }
        }
        (Value::String(word), _) if word == "$none" => {
            if let Some(found) = there {
                all.push(format!("{at} is {found}"));
            }
        }
        (Value::Object(word), _) if word.contains_key("$either") => {
            let ways = word["$either"].as_array().unwrap();
            let found = found.unwrap_or(&Value::Null);
            if !ways.iter().any(|way| differences(way, found).is_empty()) {
                all.push(format!("{at} is {found}, none of {ways:?}"));
            }
        }
        // A list with one text is the same as the text.
        (Value::String(text), Some(Value::Array(parts)))
            if parts.len() == 1 && parts[0]["text"] == *text => {}
        (_, None) => all.push(format!("{at} is missing")),
        (Value::Object(expected), Some(Value::Object(found))) => {
            for (key, value) in expected {
                compare(&format!("{at}.{key}"), value, found.get(key), all);
            }
        }
        (Value::Array(expected), Some(Value::Array(found))) if expected.len() == found.len() => {
            for (number, (expected, found)) in expected.iter().zip(found).enumerate() {
                compare(&format!("{at}[{number}]"), expected, Some(found), all);
            }
        }
        (expected, Some(found)) => {
            if !same(expected, found) {
                all.push(format!("{at} is {found}, not {expected}"));
            }
        }
    }
}

fn same(expected: &Value, found: &Value) -> bool {
    if expected == found {
        return true;
    }
    match (expected, found) {
        (Value::Number(expected), Value::Number(found)) => expected.as_f64() == found.as_f64(),
        (Value::String(expected), Value::String(found)) => {
            let json = |text: &str| serde_json::from_str::<Value>(text).ok();
            json(expected).is_some_and(|expected| json(found) == Some(expected))
        }
        _ => false,
    }
}

/// `over` put over `base`: objects are merged, all else is replaced.
pub fn merged(base: &Value, over: &Value) -> Value {
    match (base, over) {
        (Value::Object(base), Value::Object(over)) => {
            let mut both = base.clone();
            for (key, value) in over {
                let old = both.get(key).unwrap_or(&Value::Null);
                both.insert(key.clone(), merged(old, value));
            }
            Value::Object(both)
        }
        (_, over) => over.clone(),
    }
}

#[test]
fn what_is_not_as_expected_is_told() {
    use serde_json::json;
    let found = json!({"a": [1.0, {"b": "{\"x\": 1}"}], "c": null, "d": 2});
    let good = json!({"a": [1, {"b": "{\"x\":1}"}], "c": "$none", "d": "$any", "e": "$none"});
    assert_eq!(differences(&good, &found), Vec::<String>::new());
    for bad in [
        json!({"a": [1]}),
        json!({"a": [1, {"b": "x"}]}),
        json!({"c": "$any"}),
        json!({"d": "$none"}),
        json!({"d": 3}),
        json!({"e": 1}),
    ] {
        assert_eq!(differences(&bad, &found).len(), 1, "{bad}");
    }
}
