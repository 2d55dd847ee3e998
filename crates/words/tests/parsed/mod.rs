//! A document, parsed as browsers do.

use std::collections::BTreeMap;

use html5ever::{
    ParseOpts, parse_document, tendril::TendrilSink, tokenizer::TokenizerOpts,
    tree_builder::TreeBuilderOpts,
};
use markup5ever_rcdom::{Handle, NodeData, RcDom};

/// An element, with all text that is in it.
#[derive(Debug, Clone)]
pub(crate) struct Element {
    pub(crate) name: String,
    pub(crate) attributes: BTreeMap<String, String>,
    pub(crate) text: String,
    /// How deep it lies.
    depth: usize,
    /// The id of the section that it is in.
    section: Option<String>,
}

/// A table.
pub(crate) struct Table {
    pub(crate) section: String,
    pub(crate) heads: Vec<Element>,
    pub(crate) rows: Vec<Vec<Element>>,
}

/// A document.
pub(crate) struct Document {
    /// What was wrong with it.
    pub(crate) errors: Vec<String>,
    /// All elements, in the order in which they begin.
    pub(crate) elements: Vec<Element>,
    /// All pieces of text.
    pub(crate) texts: Vec<String>,
}

impl Document {
    pub(crate) fn of(page: &str) -> Self {
        let options = ParseOpts {
            tokenizer: TokenizerOpts { exact_errors: true, ..TokenizerOpts::default() },
            tree_builder: TreeBuilderOpts { exact_errors: true, ..TreeBuilderOpts::default() },
        };
        let parsed = parse_document(RcDom::default(), options).one(page);
        let errors = parsed.errors.borrow().iter().map(ToString::to_string).collect();
        let mut document = Self { errors, elements: Vec::new(), texts: Vec::new() };
        document.walk(&parsed.document, 0, None);
        document
    }

    /// Adds a node and what is in it; gives its text.
    fn walk(&mut self, node: &Handle, depth: usize, section: Option<&str>) -> String {
        let mut place = None;
        let mut within = section.map(str::to_owned);
        match &node.data {
            NodeData::Text { contents } => {
                let text = contents.borrow().to_string();
                self.texts.push(text.clone());
                return text;
            }
            NodeData::Element { name, attrs, .. } => {
                let attributes: BTreeMap<_, _> = attrs
                    .borrow()
                    .iter()
                    .map(|attribute| {
                        (attribute.name.local.to_string(), attribute.value.to_string())
                    })
                    .collect();
                if &*name.local == "section" {
                    within = attributes.get("id").cloned();
                }
                place = Some(self.elements.len());
                let (name, text) = (name.local.to_string(), String::new());
                self.elements.push(Element {
                    name,
                    attributes,
                    text,
                    depth,
                    section: within.clone(),
                });
            }
            NodeData::Comment { .. } => panic!("the page has a comment"),
            _ => {}
        }
        let children = node.children.borrow();
        let parts = children.iter().map(|child| self.walk(child, depth + 1, within.as_deref()));
        let text = parts.collect::<Vec<_>>().concat();
        if let Some(place) = place {
            self.elements[place].text.clone_from(&text);
        }
        text
    }

    pub(crate) fn named(&self, name: &str) -> Vec<&Element> {
        self.elements.iter().filter(|element| element.name == name).collect()
    }

    /// The elements of this name in a section.
    pub(crate) fn inside(&self, section: &str, name: &str) -> Vec<&Element> {
        let all = self.named(name).into_iter();
        all.filter(|element| element.section.as_deref() == Some(section)).collect()
    }

    /// The elements without their texts.
    pub(crate) fn skeleton(&self) -> Vec<(usize, &str, &BTreeMap<String, String>)> {
        let bones = self.elements.iter();
        bones.map(|element| (element.depth, element.name.as_str(), &element.attributes)).collect()
    }

    pub(crate) fn tables(&self) -> Vec<Table> {
        let mut tables: Vec<Table> = Vec::new();
        let mut in_head = false;
        for element in &self.elements {
            match (element.name.as_str(), tables.last_mut()) {
                ("table", _) => {
                    let section = element.section.clone().expect("a table is in a section");
                    tables.push(Table { section, heads: Vec::new(), rows: Vec::new() });
                }
                ("thead", _) => in_head = true,
                ("tbody", _) => in_head = false,
                ("tr", Some(table)) if !in_head => table.rows.push(Vec::new()),
                ("th" | "td", Some(table)) if in_head => table.heads.push(element.clone()),
                ("th" | "td", Some(table)) => table.rows.last_mut().unwrap().push(element.clone()),
                _ => {}
            }
        }
        tables
    }

    /// The texts of the cells of one of a section's tables, counted from 0.
    pub(crate) fn cells(&self, section: &str, number: usize) -> Vec<Vec<String>> {
        let mut tables = self.tables().into_iter().filter(|table| table.section == section);
        let rows = tables.nth(number).map(|table| table.rows).unwrap_or_default().into_iter();
        rows.map(|row| row.into_iter().map(|cell| cell.text).collect()).collect()
    }
}
