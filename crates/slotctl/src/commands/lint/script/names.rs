//! Finds the original names of a script's names.

use std::collections::{BTreeMap, BTreeSet};

use oxc_ast::ast::{
    BindingPattern, BindingProperty, CallExpression, ChainElement, Expression, ImportSpecifier,
};
use oxc_ast_visit::{Visit, walk};

/// The names that a script gives to what it imports and takes out of objects.
#[derive(Default)]
pub(super) struct ImportedNames {
    /// `load` for `import { loadComponent as load }`, and `p` for `const { prompts: p } = ctx`.
    aliases: BTreeMap<String, String>,
    /// `prompts` for `const { prompts } = ctx`.
    destructured: BTreeSet<String>,
}

impl<'a> Visit<'a> for ImportedNames {
    fn visit_import_specifier(&mut self, it: &ImportSpecifier<'a>) {
        let (imported, local) = (it.imported.name().to_string(), it.local.name.to_string());
        if imported != local {
            self.aliases.insert(local, imported);
        }
    }

    fn visit_binding_property(&mut self, it: &BindingProperty<'a>) {
        let key = it.key.static_name();
        if let (Some(key), Some(local)) = (key, bound_name(&it.value)) {
            if key != local {
                self.aliases.insert(local.clone(), key.into_owned());
            }
            self.destructured.insert(local);
        }
        walk::walk_binding_property(self, it);
    }
}

fn bound_name(pattern: &BindingPattern<'_>) -> Option<String> {
    pattern.get_identifier_name().map(|name| name.to_string())
}

/// Returns the names of a callee, for example `ctx`, `schemas`, `get`, and tells if the first was
/// taken out of an object. Computed names are left out.
pub(super) fn callee(names: &ImportedNames, call: &CallExpression<'_>) -> (Vec<String>, bool) {
    let mut path = Vec::new();
    add(&call.callee, &mut path);
    let Some(first) = path.first_mut() else { return (path, false) };
    let destructured = names.destructured.contains(first);
    if let Some(name) = names.aliases.get(first) {
        first.clone_from(name);
    }
    (path, destructured)
}

fn add(expression: &Expression<'_>, path: &mut Vec<String>) {
    match expression.get_inner_expression() {
        Expression::Identifier(name) => path.push(name.name.to_string()),
        Expression::MetaProperty(meta) => path.push(meta.property.name.to_string()),
        Expression::StaticMemberExpression(member) => {
            add(&member.object, path);
            path.push(member.property.name.to_string());
        }
        Expression::ComputedMemberExpression(member) => {
            add(&member.object, path);
            if let Expression::StringLiteral(name) = &member.expression {
                path.push(name.value.to_string());
            }
        }
        Expression::CallExpression(call) => add(&call.callee, path),
        Expression::NewExpression(new) => add(&new.callee, path),
        Expression::AwaitExpression(awaited) => add(&awaited.argument, path),
        Expression::ChainExpression(chain) => chained(&chain.expression, path),
        _ => {}
    }
}

fn chained(element: &ChainElement<'_>, path: &mut Vec<String>) {
    match element {
        ChainElement::CallExpression(call) => add(&call.callee, path),
        ChainElement::TSNonNullExpression(inner) => add(&inner.expression, path),
        ChainElement::StaticMemberExpression(member) => {
            add(&member.object, path);
            path.push(member.property.name.to_string());
        }
        _ => {}
    }
}
