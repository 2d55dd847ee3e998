//! Holds answers to the OpenAPI document: is the status in it, and is the body what it says?
//!
//! Stricter than JSON Schema: what the document does not name must not be there either.

use serde_json::Value;

use super::house::Reply;

/// The document.
pub(crate) struct Document(pub(crate) Value);

impl Document {
    pub(crate) fn new(document: Value) -> Self {
        Self(document)
    }

    /// The operations: method, path with its parameters, and what is said of it.
    pub(crate) fn operations(&self) -> Vec<(String, String, &Value)> {
        let paths = self.0["paths"].as_object().unwrap().iter();
        paths
            .flat_map(|(path, methods)| {
                let methods = methods.as_object().unwrap().iter();
                methods.map(|(method, what)| (method.to_uppercase(), path.clone(), what))
            })
            .collect()
    }

    /// The operation that answers this request.
    pub(crate) fn operation(&self, method: &str, path: &str) -> Option<&Value> {
        let fits = |template: &str| {
            let (template, path) = (template.split('/'), path.split('/'));
            template.clone().count() == path.clone().count()
                && template.zip(path).all(|(part, given)| part.starts_with('{') || part == given)
        };
        let all = self.operations();
        let found = all.into_iter().find(|(verb, template, _)| verb == method && fits(template));
        found.map(|(_, _, operation)| operation)
    }

    /// Checks an answer; of requests that nothing is said about there is nothing to check.
    pub(crate) fn check(&self, method: &str, path: &str, reply: &Reply) {
        let Some(operation) = self.operation(method, path) else { return };
        let response = &operation["responses"][reply.status.to_string()];
        assert!(
            response.is_object(),
            "{method} {path}: no status {} in the document",
            reply.status
        );
        if reply.status == 401 {
            return; // as the gateway words it, which comes first
        }
        let kind = reply.headers["content-type"].as_str().unwrap();
        let content = response["content"].as_object().unwrap();
        let schema =
            &content.get(kind).unwrap_or_else(|| panic!("{path}: {kind} of {content:?}"))["schema"];
        let wrong = self.differences(schema, &reply.body, "");
        assert!(wrong.is_empty(), "{method} {path}: {wrong:#?} in {:#}", reply.body);
    }

    /// In what a value is not what a schema says.
    pub(crate) fn differences(&self, schema: &Value, value: &Value, at: &str) -> Vec<String> {
        if let Some(name) = schema["$ref"].as_str() {
            let place = name.trim_start_matches('#');
            let target = self.0.pointer(place).unwrap_or_else(|| panic!("no {name}"));
            return self.differences(target, value, at);
        }
        if let Some(choices) = schema["oneOf"].as_array() {
            let fits = |choice: &&Value| self.differences(choice, value, at).is_empty();
            return match choices.iter().filter(fits).count() {
                1 => Vec::new(),
                number => vec![format!("{at}: {number} of the choices fit {value}")],
            };
        }
        let kinds = match &schema["type"] {
            Value::String(kind) => vec![kind.as_str()],
            Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
            _ => panic!("{at}: a schema without a type: {schema}"),
        };
        if !kinds.iter().any(|kind| is_of(kind, value)) {
            return vec![format!("{at}: expected {kinds:?}, got {value}")];
        }
        if let Some(choices) = schema["enum"].as_array()
            && !choices.contains(value)
        {
            return vec![format!("{at}: {value} is none of {choices:?}")];
        }
        match value {
            Value::Array(items) => {
                let item = |(place, item): (usize, &Value)| {
                    self.differences(&schema["items"], item, &format!("{at}/{place}"))
                };
                items.iter().enumerate().flat_map(item).collect()
            }
            Value::Object(fields) => {
                let Some(properties) = schema["properties"].as_object() else {
                    return Vec::new();
                };
                let required = schema["required"].as_array().into_iter().flatten();
                let required = required.filter_map(Value::as_str);
                let missing = required.filter(|name| !fields.contains_key(*name));
                let mut wrong: Vec<_> =
                    missing.map(|name| format!("{at}/{name}: missing")).collect();
                for (name, field) in fields {
                    match properties.get(name) {
                        Some(schema) => {
                            wrong.extend(self.differences(schema, field, &format!("{at}/{name}")));
                        }
                        None => wrong.push(format!("{at}/{name}: not in the document")),
                    }
                }
                wrong
            }
            _ => Vec::new(),
        }
    }
}

fn is_of(kind: &str, value: &Value) -> bool {
    match kind {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => panic!("no type of JSON: {kind}"),
    }
}

#[test]
fn what_is_not_as_documented_is_noticed() {
    use serde_json::json;

    let document = Document::new(json!({ "components": { "schemas": { "Job": {
        "type": "object",
        "required": ["name"],
        "properties": {
            "name": { "type": "string", "enum": ["backup"] },
            "next": { "oneOf": [{ "type": "null" }, { "type": "integer" }] },
            "list": { "type": "array", "items": { "type": "number" } },
        },
    } } } }));
    let schema = json!({ "$ref": "#/components/schemas/Job" });
    for (value, expected) in [
        (json!({ "name": "backup", "next": null, "list": [1, 2.5] }), ""),
        (json!({ "next": 7 }), "/name: missing"),
        (json!({ "name": "x" }), "/name: \"x\" is none of"),
        (json!({ "name": "backup", "next": "x" }), "/next: 0 of the choices fit"),
        (json!({ "name": "backup", "list": ["x"] }), "/list/0: expected [\"number\"]"),
        (json!({ "name": "backup", "more": 1 }), "/more: not in the document"),
        (json!([]), ": expected [\"object\"]"),
    ] {
        let wrong = document.differences(&schema, &value, "").join("; ");
        assert!(wrong.starts_with(expected) && wrong.is_empty() == expected.is_empty(), "{wrong}");
    }
}
