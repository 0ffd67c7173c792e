//! Request headers and responses as objects of the runtime.

use js_sys::{Array, JSON, JsString, Object, Reflect};
use serde::{Serialize, Serializer};
use wasm_bindgen::prelude::*;
use web_sys::{Headers, ResponseInit};

use crate::config::ScriptVersion;
use crate::http::headers::{
    AUTHORIZATION, IF_MATCH, IF_NONE_MATCH, KEYS, ORIGIN, OVERRIDE, SEGMENT,
};
use crate::http::{Body, JsonPart, Response};
use crate::resolve::memory::MAX_KEPT;
use crate::runtime::content::{ContentBody, ContentHandle};
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

    /// The runtime's `Headers`, read by names that are already strings of the runtime.
    #[wasm_bindgen(js_name = Headers)]
    type JsHeaders;

    /// A header that was not sent costs no memory of the Wasm.
    #[wasm_bindgen(method)]
    fn get(this: &JsHeaders, name: &JsString) -> Option<JsString>;

    #[wasm_bindgen(js_name = Response)]
    type JsResponse;

    #[wasm_bindgen(constructor, js_class = Response, catch)]
    fn new(body: &JsValue, init: &ResponseInit) -> Result<JsResponse, JsValue>;
}

#[wasm_bindgen(module = "/src/runtime/json.js")]
extern "C" {
    /// Returns the bytes of the large contents in JSON that is being sent.
    pub(super) fn sending() -> f64;

    #[wasm_bindgen(js_name = jsonBody)]
    fn json_body(parts: &Array, large: u32) -> JsValue;
}

/// The names of the headers that the Worker reads, as strings of the runtime.
pub(crate) struct HeaderNames(Vec<(&'static str, JsString)>);

impl Default for HeaderNames {
    fn default() -> Self {
        let [key, cloudflare_key] = KEYS;
        // The lane reads the first ones.
        let lane = [OVERRIDE, IF_NONE_MATCH, key, cloudflare_key, SEGMENT];
        let names = lane.into_iter().chain([ORIGIN, AUTHORIZATION, IF_MATCH]);
        Self(names.map(|name| (name, name.into())).collect())
    }
}

impl HeaderNames {
    /// Returns the value of a request header.
    pub(crate) fn header(&self, headers: &Headers, name: &str) -> Option<String> {
        let fields: &JsHeaders = headers.unchecked_ref();
        let value = match self.0.iter().find(|(known, _)| *known == name) {
            Some((_, name)) => fields.get(name),
            None => fields.get(&name.into()),
        };
        value.map(String::from)
    }
}

/// The data set that is bound as `ANALYTICS`, with the script version that writes to it.
pub(crate) struct Analytics {
    set: DataSet,
    script: String,
}

impl Analytics {
    /// Finds the data set of an environment.
    pub(crate) fn of(env: &JsValue, script: &ScriptVersion) -> Option<Self> {
        let set: JsValue = Reflect::get(env, &"ANALYTICS".into()).unwrap_or_default();
        let script = script.id.clone();
        (!set.is_undefined()).then(|| Self { set: set.unchecked_into(), script })
    }

    fn write(&self, point: &Object) {
        // The caller gets its response even if the data point is rejected.
        if let Err(error) = self.set.write_data_point(point) {
            let why = Reflect::get(&error, &"message".into()).ok().and_then(|why| why.as_string());
            let (why, script) = (why.unwrap_or_default(), &self.script);
            log_line(&RejectedDataPoint { analytics: &why, script });
        }
    }
}

/// Logs a line that is not about one request, as JSON.
pub(super) fn log_line(line: &impl Serialize) {
    log(&serde_json::to_string(line).unwrap_or_default().into());
}

/// The log line for a data point that was rejected.
#[derive(Serialize)]
struct RejectedDataPoint<'a> {
    analytics: &'a str,
    #[serde(rename = "scriptVersion")]
    script: &'a str,
}

/// A response that can be sent many times: its status and headers, its log line and its data
/// point as objects of the runtime.
pub(crate) struct Prepared {
    /// The status and the headers; `None` for a call over a service binding.
    init: Option<ResponseInit>,
    report: RequestReport,
}

/// A log line and a data point as objects of the runtime.
pub(crate) struct RequestReport {
    line: JsString,
    point: Option<Object>,
}

impl Prepared {
    /// Prepares a response. `counted` adds a data point.
    pub(crate) fn new<B>(
        response: &Response<B>,
        line: &LogLine<'_>,
        counted: bool,
    ) -> Result<Self, JsValue> {
        // One string crosses the boundary instead of two for each header.
        let init = Init { status: response.status, headers: Members(&response.headers) };
        let init = JSON::parse(&serde_json::to_string(&init).unwrap_or_default())?;
        Ok(Self { init: Some(init.unchecked_into()), report: RequestReport::new(line, counted) })
    }

    /// Prepares the report of a call over a service binding.
    pub(crate) fn call(line: &LogLine<'_>, counted: bool) -> Self {
        Self { init: None, report: RequestReport::new(line, counted) }
    }

    /// Makes the response cheaper to send again: finished headers are copied, not parsed.
    pub(crate) fn keep(&self) -> Result<(), JsValue> {
        let Some(init) = &self.init else { return Ok(()) };
        let headers = Reflect::get(init, &"headers".into())?;
        let headers = Headers::new_with_record_from_str_to_str(headers.unchecked_ref())?;
        init.set_headers(&headers);
        Ok(())
    }

    /// Logs the request and, if Analytics Engine is bound, writes a data point.
    pub(crate) fn report(&self, analytics: Option<&Analytics>) {
        self.report.send(analytics);
    }

    /// Creates the response, with a content or without a body.
    pub(crate) fn response(&self, content: Option<&ContentHandle>) -> Result<JsValue, JsValue> {
        let none = JsValue::NULL;
        let body = content.map_or(&none, |content| content.bytes().as_ref());
        self.with_body(body)
    }

    /// Creates the response with the body of the first answer.
    pub(crate) fn first_response(&self, body: Body<ContentBody>) -> Result<JsValue, JsValue> {
        match body {
            Body::Empty => self.response(None),
            Body::Content(content) => self.with_body(content.as_ref()),
            Body::Json(parts) => {
                let parts = parts.iter().map(part).collect();
                self.with_body(&json_body(&parts, MAX_KEPT as u32))
            }
            Body::Text(text) => self.with_body(&text.into()),
        }
    }

    fn with_body(&self, body: &JsValue) -> Result<JsValue, JsValue> {
        let init = self.init.as_ref().ok_or("a call over a service binding has no response")?;
        Ok(JsResponse::new(body, init)?.into())
    }
}

fn part(part: &JsonPart<ContentBody>) -> JsValue {
    match part {
        JsonPart::Text(text) => text.into(),
        JsonPart::Content(content) => content.as_ref().clone(),
    }
}

/// The members of a `ResponseInit`.
#[derive(Serialize)]
struct Init<'a> {
    status: u16,
    headers: Members<'a>,
}

/// Headers as an object. No name occurs twice.
struct Members<'a>(&'a [(&'static str, String)]);

impl Serialize for Members<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

impl RequestReport {
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
