use std::collections::BTreeSet;

use super::*;

#[test]
fn each_reference_leads_somewhere() {
    fn walk<'a>(value: &'a Value, found: &mut BTreeSet<&'a str>) {
        match value {
            Value::Object(fields) => {
                found.extend(fields.get("$ref").and_then(Value::as_str));
                fields.values().for_each(|value| walk(value, found));
            }
            Value::Array(all) => all.iter().for_each(|value| walk(value, found)),
            _ => {}
        }
    }
    let mut found = BTreeSet::new();
    walk(&DOCUMENT, &mut found);
    assert!(found.len() > 30, "{found:?}");
    for reference in found {
        let place = reference.strip_prefix('#').unwrap();
        assert!(DOCUMENT.pointer(place).is_some(), "{reference}");
    }
}

#[test]
fn operations_have_names_of_their_own() {
    let mut seen = BTreeSet::new();
    for methods in DOCUMENT["paths"].as_object().unwrap().values() {
        for operation in methods.as_object().unwrap().values() {
            let id = operation["operationId"].as_str().unwrap();
            assert!(seen.insert(id), "{id} is there twice");
            assert!(!operation["summary"].as_str().unwrap().is_empty());
        }
    }
}

#[test]
fn what_is_sent_and_what_is_answered_may_differ() {
    let schemas = DOCUMENT["components"]["schemas"].as_object().unwrap();
    let required = |name: &str| schemas[name]["required"].as_array().unwrap().len();
    // What has a default can be left out, and is always answered.
    assert_eq!(required("RateLimitInput"), 1);
    assert!(required("RateLimit") > 1);
    let put = &DOCUMENT["paths"]["/api/v1/limits/{name}"]["put"];
    let body = &put["requestBody"]["content"]["application/json"]["schema"]["$ref"];
    assert_eq!(body, "#/components/schemas/RateLimitInput");
}

#[test]
fn parameters_come_of_a_type() {
    let overview = &DOCUMENT["paths"]["/api/v1/overview"]["get"]["parameters"];
    let names: Vec<_> = overview.as_array().unwrap().iter().collect();
    let range = names.iter().find(|one| one["name"] == "range").unwrap();
    assert_eq!(range["in"], "query");
    assert_eq!(range["required"], false);
    let provider = names.iter().find(|one| one["name"] == "provider").unwrap();
    assert_eq!(provider["schema"]["type"], "string");
}
