//! Tests of the client against a scripted server, including failures.

use std::cell::RefCell;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::rc::Rc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::batch::{Batch, Pair};
use crate::client::{KvApi, Patience, TIMEOUT};
use crate::error::Cause;
use crate::http::{Http, HttpSettings, RetryNotice};
use crate::limits::{CLOUDFLARE, CallLimits};
use crate::namespace::KvNamespace;
use crate::namespace::ListedKey;
use crate::retry::RetryPolicy;
use crate::token::Token;

/// The reaction of the server to a request.
enum Reply {
    /// Answers with a status, further headers and a body.
    HttpAnswer(u16, &'static str, String),
    /// Closes the connection without an answer.
    Reset,
    /// Closes the connection in the middle of the body.
    Cut(String),
}

use Reply::{Cut, HttpAnswer, Reset};

/// A received request.
#[derive(Debug)]
struct Seen {
    /// `GET /path?query`
    line: String,
    authorization: Option<String>,
    body: String,
}

/// Serves one reply per connection, then returns the requests.
fn serve(replies: Vec<Reply>) -> (String, JoinHandle<Vec<Seen>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let handle = std::thread::spawn(move || {
        let answer = |reply| {
            let (mut stream, _) = listener.accept().unwrap();
            let seen = read_request(&stream);
            send(&mut stream, reply);
            seen
        };
        replies.into_iter().map(answer).collect()
    });
    (url, handle)
}

fn read_request(stream: &TcpStream) -> Seen {
    let mut reader = BufReader::new(stream);
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if line.trim().is_empty() {
            break;
        }
        head.push(line.trim().to_owned());
    }
    let header = |name: &str| {
        let found = head.iter().find_map(|line| line.split_once(": ").filter(|h| h.0 == name));
        found.map(|(_, value)| value.to_owned())
    };
    let length = header("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    Seen {
        line: head[0].trim_end_matches(" HTTP/1.1").to_owned(),
        authorization: header("authorization"),
        body: String::from_utf8(body).unwrap(),
    }
}

fn send(stream: &mut TcpStream, reply: Reply) {
    let (head, body) = match reply {
        Reset => return,
        Cut(body) => (format!("HTTP/1.1 200 OK\r\ncontent-length: {}", body.len() + 9), body),
        HttpAnswer(status, headers, body) => {
            (format!("HTTP/1.1 {status} X\r\n{headers}content-length: {}", body.len()), body)
        }
    };
    write!(stream, "{head}\r\nconnection: close\r\n\r\n{body}").unwrap();
}

fn ok(result: &str) -> Reply {
    HttpAnswer(200, "", format!(r#"{{"success":true,"errors":[],"result":{result}}}"#))
}

fn refusal(status: u16, headers: &'static str, code: i64) -> Reply {
    let body = format!(r#"{{"success":false,"errors":[{{"code":{code},"message":"no"}}]}}"#);
    HttpAnswer(status, headers, body)
}

/// Creates a client of Cloudflare's API at `url` with short waits, and the list of its waits.
fn api(url: &str) -> (KvApi, Rc<RefCell<Vec<Duration>>>) {
    let waits = Rc::new(RefCell::new(Vec::new()));
    let told = Rc::clone(&waits);
    let settings = HttpSettings {
        root: format!("{url}/accounts/1"),
        token: Token::new("s3cret"),
        retry: RetryPolicy::new(Duration::from_millis(1), Duration::from_millis(2), 3),
        timeout: TIMEOUT,
        paced: true,
        proxied: false,
    };
    let http = Http::new(settings, Box::new(move |_, wait| told.borrow_mut().push(wait)));
    (KvApi::new(http, CallLimits { pairs: 3, ..CLOUDFLARE }), waits)
}

fn keys(range: std::ops::Range<usize>) -> Vec<String> {
    range.map(|number| format!("k{number}")).collect()
}

fn batch(keys: &[&str]) -> Batch {
    let mut batch = Batch::new(CLOUDFLARE);
    assert!(keys.iter().all(|key| batch.push(Pair { key, value: b"v", metadata: None })));
    batch
}

fn lines(seen: &[Seen]) -> Vec<&str> {
    seen.iter().map(|seen| seen.line.as_str()).collect()
}

const PATH: &str = "/accounts/1/storage/kv/namespaces/n%2F1";

#[test]
fn a_listing_follows_its_cursor() {
    let page = |keys: &str, cursor: &str| {
        let body = format!(
            r#"{{"success":true,"result":[{keys}],"result_info":{{"cursor":"{cursor}"}}}}"#
        );
        HttpAnswer(200, "", body)
    };
    let (url, server) = serve(vec![
        page(r#"{"name":"a","metadata":{"hash":1}}"#, "c/1"),
        page(r#"{"name":"b"}"#, ""),
    ]);
    let (api, _) = api(&url);
    let listed: Vec<ListedKey> =
        KvNamespace::new(&api, "n/1").list("").flat_map(|page| page.unwrap()).collect();
    let names: Vec<&str> = listed.iter().map(|listed| listed.name.as_str()).collect();
    assert_eq!((names, listed[0].metadata.is_some(), api.calls()), (vec!["a", "b"], true, 2));
    let seen = server.join().unwrap();
    let first = format!("GET {PATH}/keys?limit=1000");
    assert_eq!(lines(&seen), [first.as_str(), &format!("{first}&cursor=c%2F1")]);
    assert_eq!(seen[0].authorization.as_deref(), Some("Bearer s3cret"));
}

#[test]
fn a_repeated_list_cursor_is_an_error() {
    let page = || {
        HttpAnswer(200, "", r#"{"success":true,"result":[],"result_info":{"cursor":"c"}}"#.into())
    };
    let (url, server) = serve(vec![page(), page()]);
    let (api, _) = api(&url);
    let pages: Vec<_> = KvNamespace::new(&api, "n/1").list("").collect();
    let error = pages[1].as_ref().unwrap_err().to_string();
    assert_eq!((pages.len(), error.ends_with("the listing leads back to itself")), (2, true));
    server.join().unwrap();
}

#[test]
fn an_absent_key_is_none_and_other_404s_are_errors() {
    let (url, server) = serve(vec![
        HttpAnswer(200, "", "\r\n bytes".into()),
        refusal(404, "", 10009),
        refusal(404, "", 10013),
    ]);
    let (api, _) = api(&url);
    let namespace = KvNamespace::new(&api, "n/1");
    assert_eq!(namespace.get("a/b@v1").unwrap().as_deref(), Some(&b"\r\n bytes"[..]));
    assert_eq!(namespace.get("a").unwrap(), None);
    let error = namespace.get("a").unwrap_err().to_string();
    assert!(error.ends_with("/values/a: status 404: no (code 10013)"), "{error}");
    let seen = server.join().unwrap();
    assert_eq!(lines(&seen)[0], format!("GET {PATH}/values/a%2Fb%40v1"));
}

#[test]
fn get_texts_reads_100_keys_at_once_and_halves_refused_batches() {
    let (url, server) = serve(vec![
        ok(r#"{"values":{"k0":"zero","k1":null}}"#),
        refusal(413, "", 10000),
        HttpAnswer(200, "", "x".into()),
        refusal(400, "", 10000),
        HttpAnswer(200, "", "y".into()),
        HttpAnswer(200, "", "z".into()),
    ]);
    let (api, _) = api(&url);
    let mut found = Vec::new();
    let take = |key: &str, value: Option<&[u8]>| {
        found.extend(value.map(|value| format!("{key}={}", str::from_utf8(value).unwrap())));
    };
    KvNamespace::new(&api, "n/1").get_texts(&keys(0..103), take).unwrap();
    assert_eq!(found, ["k0=zero", "k100=x", "k101=y", "k102=z"]);
    let seen = server.join().unwrap();
    assert_eq!(seen[0].body.split(',').count(), 100);
    let value = format!("GET {PATH}/values/k100");
    assert_eq!(seen[1].body, r#"{"keys":["k100","k101","k102"]}"#);
    assert_eq!(
        (seen[2].line.as_str(), seen[3].body.as_str()),
        (value.as_str(), r#"{"keys":["k101","k102"]}"#)
    );
}

#[test]
fn bulk_write_retries_only_unsuccessful_keys() {
    let bulk = |status, count: usize, keys: &str| {
        HttpAnswer(
            status,
            "",
            format!(
                r#"{{"success":{},"errors":[],"result":{{"successful_key_count":{count},"unsuccessful_keys":[{keys}]}}}}"#,
                status == 200
            ),
        )
    };
    let (url, server) =
        serve(vec![bulk(200, 1, r#""b","c""#), bulk(500, 1, r#""c""#), bulk(200, 1, "")]);
    let (api, _) = api(&url);
    KvNamespace::new(&api, "n/1").put_batch(batch(&["a", "b", "c"])).unwrap();
    let seen = server.join().unwrap();
    assert_eq!(lines(&seen), vec![format!("PUT {PATH}/bulk"); 3]);
    assert_eq!(seen[2].body, r#"[{"key":"c","value":"v"}]"#);
}

#[test]
fn bulk_write_error_names_the_unwritten_keys() {
    let left = || ok(r#"{"successful_key_count":0,"unsuccessful_keys":["a"]}"#);
    let (url, server) = serve(vec![left(), left(), left(), left()]);
    let (api, _) = api(&url);
    let error = KvNamespace::new(&api, "n/1").put_batch(batch(&["a"])).unwrap_err();
    assert!(error.to_string().ends_with("/bulk: not written: a (tried 4 times)"), "{error}");
    assert_eq!(server.join().unwrap().len(), 4);
}

#[test]
fn delete_batch_sends_a_list_of_keys() {
    let (url, server) = serve(vec![ok("null")]);
    let (api, _) = api(&url);
    let mut batch = Batch::new(CLOUDFLARE);
    assert!(batch.push_key("a") && batch.push_key("b"));
    KvNamespace::new(&api, "n/1").delete_batch(batch).unwrap();
    let seen = server.join().unwrap();
    assert_eq!(
        (lines(&seen)[0], seen[0].body.as_str()),
        (format!("POST {PATH}/bulk/delete").as_str(), r#"["a","b"]"#)
    );
}

#[test]
fn transient_failures_are_retried() {
    let html = || HttpAnswer(502, "", "<html>".into());
    for mishap in [
        refusal(500, "", 10000),
        refusal(429, "", 971),
        html(),
        Reset,
        Cut(r#"{"success":true"#.into()),
        HttpAnswer(200, "", r#"{"success":true,"resu"#.into()),
    ] {
        let (url, server) = serve(vec![mishap, html(), Reset, ok("null")]);
        let (api, waits) = api(&url);
        KvNamespace::new(&api, "n/1").put_batch(batch(&["a"])).unwrap();
        assert_eq!((api.calls(), waits.borrow().len()), (4, 3));
        let seen = server.join().unwrap();
        assert!(seen.iter().all(|seen| seen.body == r#"[{"key":"a","value":"v"}]"#));
    }
}

#[test]
fn retries_end_after_four_attempts() {
    let (url, server) = serve((0..4).map(|_| refusal(503, "", 10000)).collect());
    let (api, _) = api(&url);
    let error = KvNamespace::new(&api, "n/1").put("k", b"v").unwrap_err();
    let text = format!("PUT {url}{PATH}/values/k: status 503: no (code 10000) (tried 4 times)");
    assert_eq!(error.to_string(), text);
    server.join().unwrap();
}

/// Cloudflare answers with a 429, which is retried for any other reason.
#[test]
fn an_exhausted_daily_limit_is_not_retried() {
    let (url, server) = serve(vec![refusal(429, "retry-after: 1\r\n", 10048)]);
    let (api, waits) = api(&url);
    let error = KvNamespace::new(&api, "n/1").put_batch(batch(&["a"])).unwrap_err();
    assert_eq!((error.attempts, waits.borrow().len()), (1, 0), "{error}");
    assert!(
        error.hint().is_some_and(|hint| hint.contains("until 00:00 UTC")),
        "{:?}",
        error.hint()
    );
    assert_eq!(server.join().unwrap().len(), 1);
}

#[test]
fn namespaces_are_listed_page_by_page_and_once() {
    let page = |id: &str, total| {
        let body = r#"{"success":true,"errors":[],"result":[{"id":"ID","title":"t"}],"result_info":{"total_count":TOTAL}}"#;
        HttpAnswer(200, "", body.replace("ID", id).replace("TOTAL", total))
    };
    let (url, server) = serve(vec![page("a", "2"), page("b", "2")]);
    let api = api(&url).0;
    for _ in 0..2 {
        let all = api.namespaces().unwrap();
        assert_eq!(all.iter().map(|info| info.id.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    }
    let lines: Vec<String> = server.join().unwrap().into_iter().map(|seen| seen.line).collect();
    let path = "GET /accounts/1/storage/kv/namespaces?page=";
    assert_eq!(lines, [format!("{path}1&per_page=100"), format!("{path}2&per_page=100")]);
}

#[test]
fn bound_is_empty_if_the_worker_is_absent_or_unreadable() {
    let settings = r#"{"bindings":[
        {"type":"kv_namespace","name":"SLOTS","namespace_id":"0af"},
        {"type":"plain_text","name":"COMPONENTS","text":"x"}]}"#;
    for (reply, expected) in [
        (ok(settings), &[("SLOTS", "0af")][..]),
        (refusal(404, "", 10007), &[]),
        (refusal(403, "", 10000), &[]),
    ] {
        let (url, server) = serve(vec![reply]);
        let bound = api(&url).0.bound("w").unwrap();
        let bound: Vec<_> = bound.iter().map(|b| (&*b.name, &*b.namespace_id)).collect();
        assert_eq!(bound, expected);
        let [seen] = &server.join().unwrap()[..] else { panic!("one call") };
        assert_eq!(seen.line, "GET /accounts/1/workers/scripts/w/settings");
    }
}

#[test]
fn unreachable_local_server_error_has_a_hint() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let api = KvApi::local(&url, Patience::default(), Box::new(|_, _| {})).unwrap();
    let error = api.namespaces().unwrap_err();
    assert!(matches!(error.cause, Cause::Unreachable(_)) && error.attempts == 5, "{error}");
    assert_eq!(error.hint(), Some("is `wrangler dev` running there? `npm run dev` starts it"));
}

#[test]
fn retry_after_sets_the_wait() {
    let (url, server) = serve(vec![refusal(429, "retry-after: 1\r\n", 971), ok("null")]);
    let (api, waits) = api(&url);
    let began = Instant::now();
    KvNamespace::new(&api, "n/1").put("k", b"").unwrap();
    assert!(began.elapsed() >= Duration::from_secs(1));
    assert_eq!(*waits.borrow(), [Duration::from_secs(1)]);
    server.join().unwrap();
}

#[test]
fn client_errors_are_not_retried_and_hide_the_token() {
    for status in [400, 401, 403, 404, 413] {
        let (url, server) = serve(vec![refusal(status, "", 10000)]);
        let (api, _) = api(&url);
        let error = KvNamespace::new(&api, "n/1").put("k", b"v").unwrap_err();
        let shown = format!("{error} {error:?} {api:?}");
        assert!(!shown.contains("s3cret") && shown.contains("redacted"), "{shown}");
        assert_eq!(server.join().unwrap().len(), 1);
    }
}

#[test]
fn redirects_are_not_followed() {
    let (url, server) = serve(vec![HttpAnswer(302, "location: /elsewhere\r\n", String::new())]);
    let (api, _) = api(&url);
    let error = KvNamespace::new(&api, "n/1").get("k").unwrap_err().to_string();
    assert!(error.contains("status 302"), "{error}");
    assert_eq!(server.join().unwrap().len(), 1);
}

#[test]
fn invalid_urls_and_account_ids_are_rejected() {
    let notice = || -> RetryNotice { Box::new(|_, _| {}) };
    for url in ["", "ftp://a", "http://", "http://a b", "http://a?b"] {
        assert!(KvApi::local(url, Patience::default(), notice()).is_err(), "{url:?}");
    }
    let token = || Token::new("s3cret").unwrap();
    for (base, account) in [("http://example.com", "1"), ("https://a", ""), ("https://a", "1/2")] {
        let error =
            KvApi::cloudflare(base, account, token(), Patience::default(), notice()).unwrap_err();
        assert!(!format!("{error:?}").contains("s3cret"));
    }
    assert!(
        KvApi::cloudflare("https://a/client/v4/", "0af", token(), Patience::default(), notice())
            .is_ok()
    );
}

#[test]
fn the_clock_is_that_of_the_answers() {
    let body = r#"{"success":true,"errors":[],"result":[]}"#.to_owned();
    let date = "Date: Sat, 28 Nov 2026 18:00:00 GMT\r\n";
    let (url, server) = serve(vec![HttpAnswer(200, date, body)]);
    let api = api(&url).0;
    assert_eq!(api.time(), None);
    api.namespaces().unwrap();
    let said = httpdate::parse_http_date("Sat, 28 Nov 2026 18:00:00 GMT").unwrap();
    let since = api.time().unwrap().duration_since(said).unwrap();
    assert!(since < Duration::from_mins(1), "{since:?}");
    server.join().unwrap();
}
