//! Requests' headers and answers as the runtime's own objects.

use js_sys::{Array, JSON, JsString, Object, Reflect};
use serde::{Serialize, Serializer};
use wasm_bindgen::prelude::*;
use web_sys::{Headers, ResponseInit};

use crate::config::ScriptVersion;
use crate::http::caller;
use crate::http::{Answer, Body};
use crate::lane::LANE_METHODS;
use crate::runtime::kv::Content;
use crate::trace::LogLine;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = console, js_name = log)]
    fn log(line: &JsString);

    /// An Analytics Engine data set.
    #[wasm_bindgen]
    type DataSet;

    #[wasm_bindgen(method, catch, js_name = writeDataPoint)]
    fn write_data_point(this: &DataSet, point: &Object) -> Result<(), JsValue>;

    /// The runtime's `Headers`, asked by names that are strings there already.
    #[wasm_bindgen(js_name = Headers)]
    type Fields;

    #[wasm_bindgen(method)]
    fn get(this: &Fields, name: &JsString) -> Option<String>;

    #[wasm_bindgen(js_name = Response)]
    type Reply;

    #[wasm_bindgen(constructor, js_class = Response, catch)]
    fn new(body: &JsValue, init: &ResponseInit) -> Result<Reply, JsValue>;
}

/// A method of the fast lane. Its number is what crosses over, in place of a text.
#[wasm_bindgen]
#[derive(Clone, Copy)]
pub enum LaneMethod {
    Get = "GET",
    Head = "HEAD",
}

impl LaneMethod {
    /// What HTTP calls it; `None` for every other method.
    pub(crate) fn name(self) -> Option<&'static str> {
        let [get, head] = LANE_METHODS;
        match self {
            Self::Get => Some(get),
            Self::Head => Some(head),
            _ => None,
        }
    }
}

/// The names of the headers that are asked for, as strings of the runtime.
pub(crate) struct Names(Vec<(&'static str, JsString)>);

impl Default for Names {
    fn default() -> Self {
        let [key, cloudflare_key] = caller::KEYS;
        let names = [
            "If-None-Match",
            "Origin",
            "Authorization",
            caller::OVERRIDE,
            caller::SEGMENT,
            key,
            cloudflare_key,
        ];
        Self(names.into_iter().map(|name| (name, name.into())).collect())
    }
}

impl Names {
    /// The value of a request's header.
    pub(crate) fn header(&self, headers: &Headers, name: &str) -> Option<String> {
        let fields: &Fields = headers.unchecked_ref();
        match self.0.iter().find(|(known, _)| *known == name) {
            Some((_, name)) => fields.get(name),
            None => fields.get(&name.into()),
        }
    }
}

/// The data set that is bound as `ANALYTICS`, and the script version that writes to it.
pub(crate) struct Analytics {
    set: DataSet,
    script: String,
}

impl Analytics {
    /// The data set of an environment, if it has one.
    pub(crate) fn of(env: &JsValue, script: &ScriptVersion) -> Option<Self> {
        let set: JsValue = Reflect::get(env, &"ANALYTICS".into()).unwrap_or_default();
        let script = script.id.clone();
        (!set.is_undefined()).then(|| Self { set: set.unchecked_into(), script })
    }

    fn write(&self, point: &Object) {
        // A data point that is not taken must not cost the caller the answer.
        if let Err(error) = self.set.write_data_point(point) {
            let why = Reflect::get(&error, &"message".into()).ok().and_then(|why| why.as_string());
            let (why, script) = (why.unwrap_or_default(), &self.script);
            log(&serde_json::to_string(&Lost { analytics: &why, script })
                .unwrap_or_default()
                .into());
        }
    }
}

/// The line that is logged for a data point that was not taken.
#[derive(Serialize)]
struct Lost<'a> {
    analytics: &'a str,
    #[serde(rename = "scriptVersion")]
    script: &'a str,
}

/// An answer that is ready to be sent, again and again: its status and headers, its log
/// line and its data point as the runtime's objects.
pub(crate) struct Prepared {
    init: ResponseInit,
    report: Report,
}

/// A log line and a data point as the runtime's objects.
pub(crate) struct Report {
    line: JsString,
    point: Option<Object>,
}

impl Prepared {
    /// Prepares an answer; `counted` makes a data point too.
    pub(crate) fn new<B>(
        answer: &Answer<B>,
        line: &LogLine<'_>,
        counted: bool,
    ) -> Result<Self, JsValue> {
        // One text crosses over in place of two for each header.
        let init = Init { status: answer.status, headers: Members(&answer.headers) };
        let init = JSON::parse(&serde_json::to_string(&init).unwrap_or_default())?;
        Ok(Self { init: init.unchecked_into(), report: Report::new(line, counted) })
    }

    /// What an answer over a service binding is but for its value.
    pub(crate) fn call(line: &LogLine<'_>, counted: bool) -> Self {
        Self { init: ResponseInit::new(), report: Report::new(line, counted) }
    }

    /// Makes it cheaper to send again: finished headers are copied, not read anew.
    pub(crate) fn keep(&self) -> Result<(), JsValue> {
        let headers = Reflect::get(&self.init, &"headers".into())?;
        let headers = Headers::new_with_record_from_str_to_str(headers.unchecked_ref())?;
        self.init.set_headers(&headers);
        Ok(())
    }

    /// Logs the request, and counts it where Analytics Engine is bound.
    pub(crate) fn report(&self, analytics: Option<&Analytics>) {
        self.report.send(analytics);
    }

    /// The response with a content or without a body.
    pub(crate) fn response(&self, content: Option<&Content>) -> Result<JsValue, JsValue> {
        let none = JsValue::NULL;
        let body = content.map_or(&none, |content| content.bytes().as_ref());
        Ok(Reply::new(body, &self.init)?.into())
    }

    /// The response with the body of the answer that it was made of.
    pub(crate) fn first_response(&self, body: Body<Content>) -> Result<JsValue, JsValue> {
        match body {
            Body::Empty => self.response(None),
            Body::Content(content) => self.response(Some(&content)),
            Body::Text(text) => Ok(Reply::new(&text.into(), &self.init)?.into()),
        }
    }
}

/// The members of a `ResponseInit`.
#[derive(Serialize)]
struct Init<'a> {
    status: u16,
    headers: Members<'a>,
}

/// Headers as an object; no name stands there twice.
struct Members<'a>(&'a [(&'static str, String)]);

impl Serialize for Members<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

impl Report {
    fn new(line: &LogLine<'_>, counted: bool) -> Self {
        Self { line: line.json().into(), point: counted.then(|| point(line)) }
    }

    fn send(&self, analytics: Option<&Analytics>) {
        log(&self.line);
        if let (Some(analytics), Some(point)) = (analytics, &self.point) {
            analytics.write(point);
        }
    }
}

fn point(line: &LogLine<'_>) -> Object {
    let point = Object::new();
    let list = |values: &mut dyn Iterator<Item = JsValue>| values.collect::<Array>();
    for (member, values) in [
        ("indexes", list(&mut line.blobs().into_iter().take(1).map(JsValue::from_str))),
        ("blobs", list(&mut line.blobs().into_iter().map(JsValue::from_str))),
        ("doubles", list(&mut line.doubles().into_iter().map(JsValue::from_f64))),
    ] {
        // Setting a member of a plain object does not fail.
        let _ = Reflect::set(&point, &member.into(), &values);
    }
    point
}
