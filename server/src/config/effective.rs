//! The configuration as it holds: every key with its value and where that comes from.

use std::fmt::Write as _;

use super::problem::Source;

/// Every key of the configuration with its value, secrets masked, in the order of the structs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Effective {
    blocks: Vec<Block>,
}

/// One key and its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// `base_url`
    pub key: String,
    /// `providers[1].base_url`
    pub path: String,
    /// As TOML writes it, secrets masked; `None`: not set.
    pub literal: Option<String>,
    /// Who said so.
    pub source: Source,
    /// The environment variable that overrides it.
    pub variable: String,
}

/// A table.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Block {
    path: String,
    /// `[server]`, `[[providers]]`; empty for the document itself.
    header: String,
    source: Source,
    settings: Vec<Setting>,
}

impl Effective {
    /// Every key there is, in order.
    pub fn settings(&self) -> impl Iterator<Item = &Setting> {
        self.blocks.iter().flat_map(|block| &block.settings)
    }

    /// All of it as TOML: each value followed by a comment that says where it comes from. Read as a file it gives
    /// the same configuration, once the environment gives the secrets.
    pub fn to_toml(&self) -> String {
        let mut out = "# Every key as it holds, and who says so. Secrets are masked.\n".to_owned();
        for block in &self.blocks {
            if block.settings.is_empty() && !block.header.starts_with("[[") {
                continue;
            }
            let _ = writeln!(out, "\n{}", block.header);
            for setting in &block.settings {
                let line = match &setting.literal {
                    Some(literal) => format!("{} = {literal}", toml_key(&setting.key)),
                    None => format!("# {} =", toml_key(&setting.key)),
                };
                let source = match &setting.literal {
                    Some(_) => setting.source.to_string(),
                    None => format!("not set ({})", setting.variable),
                };
                // A comment cannot hold line breaks, and a value's own are inside its quotes.
                let _ = writeln!(
                    out,
                    "{line:<40} # {}",
                    source.replace(char::is_control, " ")
                );
            }
        }
        out
    }

    /// Begins a table; gives its number.
    pub(super) fn begin(&mut self, path: String, header: String) -> usize {
        self.blocks.push(Block {
            path,
            header,
            source: Source::Default,
            settings: Vec::new(),
        });
        self.blocks.len() - 1
    }

    pub(super) fn stands_at(&mut self, block: usize, source: Source) {
        self.blocks[block].source = source;
    }

    pub(super) fn keep(
        &mut self,
        block: usize,
        key: &str,
        literal: Option<String>,
        source: Source,
        variable: String,
    ) {
        let block = &mut self.blocks[block];
        let path = if block.path.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", block.path)
        };
        block.settings.push(Setting {
            key: key.to_owned(),
            path,
            literal,
            source,
            variable,
        });
    }

    /// Who said the value at `path`; where nobody did, where its table stands.
    pub(super) fn source_of(&self, path: &str) -> Source {
        let said = |source: &&Source| **source != Source::Default;
        let settings = self.settings().filter(|setting| {
            // The key's own value, or an item of its list.
            let rest = path.strip_prefix(setting.path.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('['))
        });
        if let Some(source) = settings.map(|setting| &setting.source).find(said) {
            return source.clone();
        }
        let around = self.blocks.iter().filter(|block| {
            let rest = path.strip_prefix(&block.path);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        });
        let mut around: Vec<&Block> = around.collect();
        around.sort_by_key(|block| std::cmp::Reverse(block.path.len()));
        let sources = around.iter().map(|block| &block.source);
        sources
            .into_iter()
            .find(said)
            .cloned()
            .unwrap_or(Source::Default)
    }
}

/// Quoted unless it is a bare key.
fn toml_key(key: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !key.is_empty() && key.chars().all(bare) {
        key.to_owned()
    } else {
        super::reading::quoted(key)
    }
}
