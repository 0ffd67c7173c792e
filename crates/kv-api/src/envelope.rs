//! The envelope around every answer: `{ success, errors, result, result_info }`.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::error::{ApiMessage, Cause};
use crate::http::HttpAnswer;

/// An answer of the API.
#[derive(Debug, Deserialize)]
#[serde(bound = "T: DeserializeOwned")]
pub(crate) struct Envelope<T> {
    success: bool,
    #[serde(default)]
    errors: Vec<ApiMessage>,
    result: Option<T>,
    result_info: Option<ResultInfo>,
}

/// The position and the size of a listing.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct ResultInfo {
    /// Absent or empty on the last page.
    pub cursor: Option<String>,
    /// The number of entries on all pages together, if the pages are numbered.
    pub total_count: Option<usize>,
}

/// Parses the result of an answer that must have one.
pub(crate) fn result<T: DeserializeOwned>(answer: &HttpAnswer) -> Result<T, Cause> {
    page(answer).map(|(result, _)| result)
}

/// Parses the result of an answer and the position of the listing.
pub(crate) fn page<T: DeserializeOwned>(answer: &HttpAnswer) -> Result<(T, ResultInfo), Cause> {
    let envelope = open(answer)?;
    let info = envelope.result_info.unwrap_or_default();
    envelope.result.map(|result| (result, info)).ok_or_else(|| unreadable(answer, "no result"))
}

/// The result of a bulk write or delete.
#[derive(Debug, Deserialize)]
struct Bulk {
    successful_key_count: Option<usize>,
    #[serde(default)]
    unsuccessful_keys: Vec<String>,
}

/// Returns the keys for which a bulk call with `sent` keys failed.
///
/// The list counts with any status: `wrangler dev` sends it with a 5xx.
pub(crate) fn unsuccessful(answer: &HttpAnswer, sent: usize) -> Result<Vec<String>, Cause> {
    let whole: Result<Envelope<Bulk>, _> = serde_json::from_slice(&answer.body);
    if let Ok(Envelope { result: Some(bulk), .. }) = &whole
        && !bulk.unsuccessful_keys.is_empty()
    {
        return Ok(bulk.unsuccessful_keys.clone());
    }
    let count = open::<Bulk>(answer)?.result.and_then(|bulk| bulk.successful_key_count);
    match count {
        Some(count) if count < sent => {
            Err(unreadable(answer, &format!("it counts {count} of {sent} keys and names none")))
        }
        _ => Ok(Vec::new()),
    }
}

/// Describes an answer that is not a success, with the message of the API or of a proxy.
pub(crate) fn refused(answer: &HttpAnswer) -> Cause {
    let envelope: Result<Envelope<serde::de::IgnoredAny>, _> = serde_json::from_slice(&answer.body);
    match envelope {
        Ok(envelope) => Cause::Refused {
            status: answer.status,
            messages: envelope.errors,
            retry_after: answer.retry_after,
        },
        // The page of a proxy, or of Cloudflare itself before the API was reached.
        Err(_) if answer.status == 429 || answer.status >= 500 => Cause::Refused {
            status: answer.status,
            messages: Vec::new(),
            retry_after: answer.retry_after,
        },
        Err(_) => unreadable(answer, &beginning(&answer.body)),
    }
}

fn open<T: DeserializeOwned>(answer: &HttpAnswer) -> Result<Envelope<T>, Cause> {
    if !answer.is_success() {
        return Err(refused(answer));
    }
    let envelope: Envelope<T> = serde_json::from_slice(&answer.body)
        .map_err(|error| unreadable(answer, &format!("{error} in {}", beginning(&answer.body))))?;
    if envelope.success { Ok(envelope) } else { Err(refused(answer)) }
}

fn unreadable(answer: &HttpAnswer, why: &str) -> Cause {
    Cause::Unreadable { status: answer.status, why: why.to_owned() }
}

/// Returns the beginning of a body, for an error.
fn beginning(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body.get(..120).unwrap_or(body));
    format!("{:?}", text.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> HttpAnswer {
        HttpAnswer { status, retry_after: None, body: body.into() }
    }

    #[track_caller]
    fn says(cause: Cause, text: &str, transient: bool) {
        assert_eq!((cause.to_string().as_str(), cause.is_transient()), (text, transient));
    }

    #[test]
    fn page_returns_the_result_and_the_cursor() {
        let body = r#"{"success":true,"errors":[],"messages":[],"result":[1],"result_info":{"count":1,"cursor":"c"}}"#;
        let (result, info) = page::<Vec<u32>>(&answer(200, body)).unwrap();
        assert_eq!((result, info.cursor.as_deref()), (vec![1], Some("c")));
        assert_eq!(result_of("[]"), Ok(()));
    }

    fn result_of(json: &str) -> Result<(), String> {
        let body = format!(r#"{{"success":true,"result":{json}}}"#);
        result::<Vec<u32>>(&answer(200, &body)).map(drop).map_err(|cause| cause.to_string())
    }

    #[test]
    fn errors_contain_the_code_and_message_of_the_api() {
        let body = r#"{"success":false,"errors":[{"code":10000,"message":"Authentication \u001b[31merror"}],"result":null}"#;
        let text = r"status 403: Authentication \u{1b}[31merror (code 10000)";
        says(result::<Vec<u32>>(&answer(403, body)).unwrap_err(), text, false);
        says(
            result::<Vec<u32>>(&answer(503, body)).unwrap_err(),
            &text.replace("403", "503"),
            true,
        );
        // The answer is not a success, even with this status.
        says(
            result::<Vec<u32>>(&answer(200, body)).unwrap_err(),
            &text.replace("403", "200"),
            false,
        );
        let absent = r#"{"success":false,"errors":[{"code":10009,"message":"not found"}]}"#;
        assert!(refused(&answer(404, absent)).is_absent_key());
        assert!(!refused(&answer(404, &absent.replace("10009", "10013"))).is_absent_key());
    }

    #[test]
    fn bodies_that_are_not_an_envelope_are_errors() {
        let cut = r#"{"success":true,"resu"#;
        let text = "status 200, not an answer of the API: EOF while parsing a string at line 1 \
                    column 21 in \"{\\\"success\\\":true,\\\"resu\"";
        says(result::<Vec<u32>>(&answer(200, cut)).unwrap_err(), text, true);
        let page = "<html>Bad gateway</html>";
        says(result::<Vec<u32>>(&answer(502, page)).unwrap_err(), "status 502", true);
        says(
            result::<Vec<u32>>(&answer(404, "404 Not Found")).unwrap_err(),
            "status 404, not an answer of the API: \"404 Not Found\"",
            false,
        );
        says(
            result::<Vec<u32>>(&answer(200, r#"{"success":true}"#)).unwrap_err(),
            "status 200, not an answer of the API: no result",
            true,
        );
        assert!(result_of("{}").is_err());
    }

    #[test]
    fn unsuccessful_returns_the_keys_that_were_not_written() {
        let bulk = |count: usize, keys: &str| {
            format!(
                r#"{{"success":true,"errors":[],"result":{{"successful_key_count":{count},"unsuccessful_keys":[{keys}]}}}}"#
            )
        };
        assert_eq!(unsuccessful(&answer(200, &bulk(2, "")), 2).unwrap(), [""; 0]);
        assert_eq!(unsuccessful(&answer(200, &bulk(1, "\"b\"")), 2).unwrap(), ["b"]);
        assert_eq!(unsuccessful(&answer(500, &bulk(1, "\"b\"")), 2).unwrap(), ["b"]);
        assert_eq!(
            unsuccessful(&answer(200, r#"{"success":true,"result":null}"#), 2).unwrap(),
            [""; 0]
        );
        says(
            unsuccessful(&answer(200, &bulk(1, "")), 2).unwrap_err(),
            "status 200, not an answer of the API: it counts 1 of 2 keys and names none",
            true,
        );
    }
}
