//! Writes the id of a namespace into a configuration, and keeps its comments and its order.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use jsonc_parser::cst::{CstArray, CstInputValue, CstObject, CstRootNode};
use toml_edit::{ArrayOfTables, DocumentMut, Item, Table, Value, value};

use super::document::JSON;

const BINDINGS: &str = "kv_namespaces";

/// Sets the id of the namespace that is bound as `binding` in the environment, and adds the
/// binding if it is missing.
///
/// # Errors
///
/// If the file cannot be read or written, or has something else at this place.
pub(crate) fn set_namespace_id(
    file: &Path,
    environment: Option<&str>,
    binding: &str,
    id: &str,
) -> Result<()> {
    let shown = file.display();
    let text = fs::read_to_string(file).with_context(|| format!("cannot read {shown}"))?;
    let edited = match file.extension().is_some_and(|extension| extension == "toml") {
        true => in_toml(&text, environment, binding, id),
        false => in_json(&text, environment, binding, id),
    };
    let edited = edited.with_context(|| format!("cannot put the id of {binding} into {shown}"))?;
    fs::write(file, edited).with_context(|| format!("cannot write {shown}"))
}

fn in_toml(text: &str, environment: Option<&str>, binding: &str, id: &str) -> Result<String> {
    let mut document: DocumentMut = text.parse()?;
    let table = toml_section(&mut document, environment)?;
    let item = table.entry(BINDINGS).or_insert(Item::ArrayOfTables(ArrayOfTables::new()));
    match item {
        Item::ArrayOfTables(all) => {
            let own = all.iter_mut().find(|table| is_bound(table.get("binding"), binding));
            match own {
                Some(table) => set_toml_id(table, id),
                None => {
                    let mut table = Table::new();
                    table.insert("binding", value(binding));
                    table.insert("id", value(id));
                    all.push(table);
                }
            }
        }
        Item::Value(Value::Array(all)) => {
            let mut tables = all.iter_mut().filter_map(Value::as_inline_table_mut);
            let own =
                tables.find(|table| table.get("binding").and_then(Value::as_str) == Some(binding));
            own.context("the list has no such binding; add it by hand")?.insert("id", id.into());
        }
        _ => bail!("{BINDINGS} is not a list"),
    }
    Ok(document.to_string())
}

/// Returns the table of an environment, which must exist; the top level without one.
fn toml_section<'a>(
    document: &'a mut DocumentMut,
    environment: Option<&str>,
) -> Result<&'a mut Table> {
    let Some(name) = environment else { return Ok(document.as_table_mut()) };
    let table = document.get_mut("env").and_then(|env| env.get_mut(name));
    let table = table.and_then(Item::as_table_mut);
    table.with_context(|| format!("env.{name} is not a table"))
}

fn is_bound(item: Option<&Item>, binding: &str) -> bool {
    item.and_then(Item::as_str) == Some(binding)
}

fn set_toml_id(table: &mut Table, id: &str) {
    match table.get_mut("id").and_then(Item::as_value_mut) {
        Some(old) => {
            let decor = old.decor().clone();
            *old = id.into();
            *old.decor_mut() = decor;
        }
        None => drop(table.insert("id", value(id))),
    }
}

fn in_json(text: &str, environment: Option<&str>, binding: &str, id: &str) -> Result<String> {
    let root = CstRootNode::parse(text, &JSON)?;
    let mut section = root.object_value().context("it is not an object")?;
    if let Some(name) = environment {
        let env = section.object_value("env").and_then(|env| env.object_value(name));
        section = env.with_context(|| format!("env.{name} is not an object"))?;
    }
    let all = section.array_value_or_create(BINDINGS);
    let all = all.with_context(|| format!("{BINDINGS} is not a list"))?;
    match json_binding(&all, binding) {
        Some(own) => match own.get("id") {
            Some(old) => old.set_value(text_value(id)),
            None => drop(own.append("id", text_value(id))),
        },
        None => {
            let members = [("binding", binding), ("id", id)];
            let members = members.map(|(name, text)| (name.to_owned(), text_value(text)));
            all.append(CstInputValue::Object(members.to_vec()));
        }
    }
    Ok(root.to_string())
}

fn json_binding(all: &CstArray, binding: &str) -> Option<CstObject> {
    all.elements().into_iter().filter_map(|element| element.as_object()).find(|object| {
        let name = object.get("binding").and_then(|name| name.value()?.as_string_lit());
        name.and_then(|name| name.decoded_value().ok()).as_deref() == Some(binding)
    })
}

fn text_value(text: &str) -> CstInputValue {
    CstInputValue::String(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0123456789abcdef0123456789abcdef";

    #[test]
    fn an_id_is_added_to_json_with_comments() {
        let text = "{\n  // the resolver\n  \"env\": {\n    \"production\": {\n      \"kv_namespaces\": [{ \"binding\": \"SLOTS\" }, { \"binding\": \"COMPONENTS\", \"id\": \"old\" }],\n    },\n  },\n}\n";
        let edited = in_json(text, Some("production"), "SLOTS", ID).unwrap();
        let edited = in_json(&edited, Some("production"), "COMPONENTS", ID).unwrap();
        assert_eq!(edited.matches(ID).count(), 2, "{edited}");
        assert!(edited.contains("// the resolver") && !edited.contains("old"), "{edited}");
        let edited = in_json(&edited, Some("production"), "OTHER", ID).unwrap();
        assert_eq!(edited.matches(ID).count(), 3, "{edited}");
        assert!(in_json(text, Some("staging"), "SLOTS", ID).is_err());
        assert!(in_json("{ \"kv_namespaces\": 1 }", None, "SLOTS", ID).is_err());
    }

    #[test]
    fn an_id_is_added_to_toml_with_comments() {
        let text = "# the resolver\n[[env.production.kv_namespaces]]\nbinding = \"SLOTS\"\n\n[[env.production.kv_namespaces]]\nbinding = \"COMPONENTS\"\nid = \"old\" # kept\n";
        let edited = in_toml(text, Some("production"), "SLOTS", ID).unwrap();
        let edited = in_toml(&edited, Some("production"), "COMPONENTS", ID).unwrap();
        let edited = in_toml(&edited, Some("production"), "OTHER", ID).unwrap();
        assert_eq!(edited.matches(ID).count(), 3, "{edited}");
        assert!(edited.starts_with("# the resolver") && edited.contains("# kept"), "{edited}");
        let inline = "kv_namespaces = [{ binding = \"SLOTS\" }]\n";
        assert!(in_toml(inline, None, "SLOTS", ID).unwrap().contains(ID));
        assert!(in_toml(inline, None, "OTHER", ID).is_err());
        assert!(in_toml(text, Some("staging"), "SLOTS", ID).is_err());
    }
}
