//! YAML into the tree. <https://yaml.org/spec/1.2.2/>, core schema; no anchors, one document.

use saphyr_parser::{Event, Parser, ScalarStyle, Span};

use super::{Entry, Node, SyntaxError, Table, Value};

/// Collections inside each other; no honest configuration comes near.
const DEEPEST: usize = 64;

/// The tree of a YAML document, or what is wrong with its syntax.
pub(in crate::config) fn from_yaml(text: &str) -> Result<Table, Vec<SyntaxError>> {
    let mut tree = Tree::default();
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| {
            vec![SyntaxError {
                line: error.marker().line(),
                message: error.info().to_owned(),
            }]
        })?;
        tree.take(event, span).map_err(|error| vec![error])?;
    }
    match tree.root {
        None => Ok(Table::default()),
        Some(Node {
            value: Value::Null, ..
        }) => Ok(Table::default()),
        Some(Node {
            value: Value::Table(table),
            ..
        }) => Ok(table),
        Some(node) => Err(vec![SyntaxError {
            line: node.line,
            message: format!(
                "expected keys with values (`server:`), found {}",
                node.value.noun()
            ),
        }]),
    }
}

/// The tree as far as events have told it.
#[derive(Default)]
struct Tree {
    root: Option<Node>,
    open: Vec<Open>,
    documents: usize,
}

/// A collection whose end has not come.
enum Open {
    List {
        line: usize,
        items: Vec<Node>,
    },
    Table {
        line: usize,
        table: Table,
        key: Option<(String, usize)>,
    },
}

impl Tree {
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), SyntaxError> {
        let line = span.start.line();
        let error = |message: &str| {
            Err(SyntaxError {
                line,
                message: message.to_owned(),
            })
        };
        match event {
            Event::DocumentStart(_) => {
                self.documents += 1;
                if self.documents > 1 {
                    return error("a second document begins; write everything into one");
                }
            }
            Event::Alias(_) => {
                return error("anchors and aliases are not read; write the value out");
            }
            Event::SequenceStart(..) | Event::MappingStart(..) if self.open.len() >= DEEPEST => {
                return error("too many collections inside each other");
            }
            Event::SequenceStart(..) => self.open.push(Open::List {
                line,
                items: Vec::new(),
            }),
            Event::MappingStart(..) => self.open.push(Open::Table {
                line,
                table: Table::default(),
                key: None,
            }),
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some(done) = self.open.pop() {
                    return self.put(done.into_node());
                }
            }
            Event::Scalar(text, style, ..) => {
                let is_key = matches!(self.open.last(), Some(Open::Table { key: None, .. }));
                let value = if style == ScalarStyle::Plain && !is_key {
                    plain(&text)
                } else {
                    Value::Text(text.into_owned())
                };
                return self.put(Node { value, line });
            }
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
        }
        Ok(())
    }

    fn put(&mut self, node: Node) -> Result<(), SyntaxError> {
        match self.open.last_mut() {
            None => self.root = Some(node),
            Some(Open::List { items, .. }) => items.push(node),
            Some(Open::Table { table, key, .. }) => match key.take() {
                Some((key, line)) => table.entries.push(Entry { key, line, node }),
                None => {
                    let Value::Text(name) = node.value else {
                        return Err(SyntaxError {
                            line: node.line,
                            message: format!("a key must be text, not {}", node.value.noun()),
                        });
                    };
                    if let Some(first) = table.entries.iter().find(|entry| entry.key == name) {
                        return Err(SyntaxError {
                            line: node.line,
                            message: format!(
                                "duplicate key \"{name}\", first in line {}",
                                first.line
                            ),
                        });
                    }
                    *key = Some((name, node.line));
                }
            },
        }
        Ok(())
    }
}

impl Open {
    fn into_node(self) -> Node {
        match self {
            Self::List { line, items } => Node {
                value: Value::List(items),
                line,
            },
            Self::Table { line, table, .. } => Node {
                value: Value::Table(table),
                line,
            },
        }
    }
}

/// A scalar without quotes: <https://yaml.org/spec/1.2.2/#103-core-schema>.
fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "true" | "True" | "TRUE" => return Value::Bool(true),
        "false" | "False" | "FALSE" => return Value::Bool(false),
        _ => {}
    }
    for (prefix, radix) in [("0x", 16), ("0o", 8)] {
        if let Some(digits) = text.strip_prefix(prefix)
            && let Ok(number) = u64::from_str_radix(digits, radix)
        {
            return Value::Integer(number.to_string());
        }
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let digits_only = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if !unsigned.is_empty() && digits_only(unsigned) {
        return Value::Integer(text.strip_prefix('+').unwrap_or(text).to_owned());
    }
    let starts_as_number = unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    if starts_as_number && text.parse::<f64>().is_ok() {
        return Value::Float(text.to_owned());
    }
    Value::Text(text.to_owned())
}
