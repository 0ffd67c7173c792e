//! The string literals of a script with their places.

use std::rc::Rc;

use oxc_ast::ast::{
    Argument as Given, CallExpression, ExportAllDeclaration, ExportNamedDeclaration, Expression,
    FunctionBody, ImportDeclaration, ImportExpression, ObjectExpression, ObjectPropertyKind,
    Program, StringLiteral, TSExternalModuleReference, TSImportType, TSLiteralType,
    TSModuleDeclaration, TemplateLiteral,
};
use oxc_ast_visit::{Visit, walk};
use oxc_span::{GetSpan as _, Span};

use super::super::expression::{Spelled, literals};
use super::super::literal::{
    Argument, Call, DocumentContents, Lines, Literal, Owner, Place, Value, lines_of,
};
use super::names::{ImportedNames, callee};

/// Returns the string literals of a program.
pub(super) fn read(program: &Program<'_>, text: &str, names: &ImportedNames) -> DocumentContents {
    let (lines, source) = (lines_of(text), text.lines().collect());
    let mut reader = TextReader {
        names,
        lines,
        source,
        contents: DocumentContents::default(),
        inside: Value::default(),
    };
    reader.visit_program(program);
    reader.contents
}

struct TextReader<'s> {
    names: &'s ImportedNames,
    lines: Lines,
    source: Vec<&'s str>,
    contents: DocumentContents,
    /// The object that is being read; outside of objects it has no keys.
    inside: Value,
}

impl<'a> Visit<'a> for TextReader<'_> {
    fn visit_string_literal(&mut self, it: &StringLiteral<'a>) {
        let place = here(&self.inside);
        put(self, it.value.as_str(), it.span, &place);
    }

    fn visit_template_literal(&mut self, it: &TemplateLiteral<'a>) {
        match it.single_quasi() {
            Some(text) => {
                let place = here(&self.inside);
                put(self, text.as_str(), it.span, &place);
            }
            None => template(self, it),
        }
    }

    fn visit_call_expression(&mut self, it: &CallExpression<'a>) {
        let outer = std::mem::take(&mut self.inside);
        self.visit_expression(&it.callee);
        let call = Rc::new(call_of(self.names, it));
        for (index, given) in it.arguments.iter().enumerate() {
            argument(self, &call, index, given);
        }
        self.inside = outer;
    }

    fn visit_object_expression(&mut self, it: &ObjectExpression<'a>) {
        object(self, it);
    }

    fn visit_function_body(&mut self, it: &FunctionBody<'a>) {
        let outer = std::mem::take(&mut self.inside);
        walk::walk_function_body(self, it);
        self.inside = outer;
    }

    // Nothing reads the specifiers of modules and the texts of types at run time.
    fn visit_import_declaration(&mut self, it: &ImportDeclaration<'a>) {
        module(self, it.source.value.as_str(), it.source.span);
    }

    fn visit_export_all_declaration(&mut self, it: &ExportAllDeclaration<'a>) {
        module(self, it.source.value.as_str(), it.source.span);
    }

    fn visit_export_named_declaration(&mut self, it: &ExportNamedDeclaration<'a>) {
        if let Some(declaration) = &it.declaration {
            self.visit_declaration(declaration);
        }
    }

    fn visit_import_expression(&mut self, it: &ImportExpression<'a>) {
        if text_of(&it.source).is_none() {
            self.visit_expression(&it.source);
        }
    }

    fn visit_ts_module_declaration(&mut self, it: &TSModuleDeclaration<'a>) {
        if let Some(body) = &it.body {
            self.visit_ts_module_declaration_body(body);
        }
    }

    fn visit_ts_import_type(&mut self, _: &TSImportType<'a>) {}

    fn visit_ts_literal_type(&mut self, _: &TSLiteralType<'a>) {}

    fn visit_ts_external_module_reference(&mut self, _: &TSExternalModuleReference<'a>) {}
}

/// Returns the place of a text that is not an argument.
fn here(inside: &Value) -> Place {
    if inside.keys.is_empty() { Place::Script } else { Place::Value(inside.clone()) }
}

fn module(reader: &mut TextReader<'_>, text: &str, span: Span) {
    put(reader, text, span, &Place::Module);
}

fn put(reader: &mut TextReader<'_>, text: &str, span: Span, place: &Place) {
    let found = spelled(reader, text, span, place);
    reader.contents.literals.extend(found);
}

fn spelled(reader: &TextReader<'_>, text: &str, span: Span, place: &Place) -> Vec<Literal> {
    let (first, last) = (reader.lines.at(span.start as usize), reader.lines.at(span.end as usize));
    let lines = first.saturating_sub(1)..last.min(reader.source.len());
    let source = reader.source.get(lines).unwrap_or_default().to_vec();
    literals(&Spelled { text, begins: first, line: first, source }, place)
}

/// Reads the parts of a template literal: its partials, and the texts in its expressions.
fn template(reader: &mut TextReader<'_>, it: &TemplateLiteral<'_>) {
    for quasi in &it.quasis {
        let text = quasi.value.raw.as_str();
        let found = spelled(reader, text, quasi.span, &here(&reader.inside));
        let partials = found.into_iter().filter(|found| matches!(found.place, Place::Partial(_)));
        reader.contents.literals.extend(partials);
    }
    for expression in &it.expressions {
        reader.visit_expression(expression);
    }
}

fn argument(reader: &mut TextReader<'_>, call: &Rc<Call>, index: usize, given: &Given<'_>) {
    reader.inside = Value { call: Some(Rc::clone(call)), ..Value::default() };
    match given.as_expression() {
        Some(expression) => chosen(reader, call, index, expression),
        None => reader.visit_argument(given),
    }
}

/// Reads the texts that an argument can have: both of `condition ? 'a' : 'b'`.
fn chosen(reader: &mut TextReader<'_>, call: &Rc<Call>, index: usize, it: &Expression<'_>) {
    if let Some(text) = text_of(it) {
        let place = Place::Argument { call: Rc::clone(call), index };
        return put(reader, &text, it.span(), &place);
    }
    match it.get_inner_expression() {
        Expression::ConditionalExpression(it) => {
            reader.visit_expression(&it.test);
            chosen(reader, call, index, &it.consequent);
            chosen(reader, call, index, &it.alternate);
        }
        Expression::LogicalExpression(it) => {
            chosen(reader, call, index, &it.left);
            chosen(reader, call, index, &it.right);
        }
        _ => reader.visit_expression(it),
    }
}

fn object(reader: &mut TextReader<'_>, it: &ObjectExpression<'_>) {
    let outer = reader.inside.owner.clone();
    reader.inside.in_script = true;
    let (operation, agent) = (property(it, "operation"), property(it, "agent"));
    if let (Some(name), Some(operation)) = (property(it, "name"), &operation) {
        reader.contents.agents.push((name, operation.clone()));
    }
    if (operation.is_some() && outer.operation.is_none()) || agent.is_some() {
        reader.inside.owner = Owner { operation, agent, is_document: false };
    }
    for property in &it.properties {
        match property {
            ObjectPropertyKind::ObjectProperty(property) => {
                let name = property.key.static_name().unwrap_or_default().into_owned();
                reader.inside.keys.push(name);
                reader.visit_expression(&property.value);
                reader.inside.keys.pop();
            }
            ObjectPropertyKind::SpreadProperty(spread) => reader.visit_expression(&spread.argument),
        }
    }
    reader.inside.owner = outer;
}

/// Returns the text of a property.
fn property(it: &ObjectExpression<'_>, name: &str) -> Option<String> {
    it.properties.iter().find_map(|property| match property {
        ObjectPropertyKind::ObjectProperty(property)
            if property.key.static_name().is_some_and(|key| key == name) =>
        {
            text_of(&property.value)
        }
        _ => None,
    })
}

/// Returns the text of a string literal, or of a template literal without expressions.
fn text_of(expression: &Expression<'_>) -> Option<String> {
    match expression.get_inner_expression() {
        Expression::StringLiteral(text) => Some(text.value.to_string()),
        Expression::TemplateLiteral(text) => text.single_quasi().map(|text| text.to_string()),
        _ => None,
    }
}

fn call_of(names: &ImportedNames, it: &CallExpression<'_>) -> Call {
    let (callee, destructured) = callee(names, it);
    let arguments = it.arguments.iter().map(|given| match given.as_expression() {
        None => Argument::Other,
        Some(expression) => match (expression.get_inner_expression(), text_of(expression)) {
            (_, Some(text)) => Argument::Text(text),
            (Expression::CallExpression(call), _) => Argument::Call(Rc::new(call_of(names, call))),
            _ => Argument::Other,
        },
    });
    Call { callee, destructured, arguments: arguments.collect() }
}
