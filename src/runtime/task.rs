//! Futures that `entry.js` waits for: it hands a future what the promise came to that the
//! future awaits, and gets the next promise or what the future came to.
//!
//! wasm-bindgen-futures does so with two closures a promise and a queue for all requests,
//! which a request's answer pays for, a cold one most. Here nothing is awaited but one
//! promise after the other, so a future is polled when that one has settled, by the
//! request that it belongs to, and its waker has nothing to do.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use js_sys::{Error, Promise};
use wasm_bindgen::prelude::*;

use crate::runtime::waiting::Waiting;

type Task = Pin<Box<dyn Future<Output = Result<JsValue, JsValue>>>>;

thread_local! {
    static TASKS: RefCell<Waiting<Task>> = RefCell::default();
    /// What the future that is polled awaits from now on.
    static AWAITED: Cell<Option<Promise>> = const { Cell::new(None) };
    /// What that came to which it awaited.
    static OUTCOME: Cell<Option<Result<JsValue, JsValue>>> = const { Cell::new(None) };
}

/// Polls the future of a request, by the request's number: a promise to be awaited, after
/// which [`resume`] or [`fail`] goes on, or what the future came to.
///
/// # Errors
///
/// What the future came to.
pub(crate) fn begin(
    number: u32,
    future: impl Future<Output = Result<JsValue, JsValue>> + 'static,
) -> Result<JsValue, JsValue> {
    poll(number, Box::pin(future))
}

/// What a promise comes to. Nothing else may be awaited in what [`begin`] is given.
pub(crate) async fn settled(promise: Promise) -> Result<JsValue, JsValue> {
    AWAITED.set(Some(promise));
    poll_fn(|_| OUTCOME.take().map_or(Poll::Pending, Poll::Ready)).await
}

/// Goes on with the value of the promise that was awaited; as `begin`.
///
/// # Errors
///
/// What the future came to; or that it was given up.
#[wasm_bindgen]
pub fn resume(number: u32, value: JsValue) -> Result<JsValue, JsValue> {
    go_on(number, Ok(value))
}

/// Goes on with the error of the promise that was awaited; as `begin`.
///
/// # Errors
///
/// What the future came to; or that it was given up.
#[wasm_bindgen]
pub fn fail(number: u32, error: JsValue) -> Result<JsValue, JsValue> {
    go_on(number, Err(error))
}

fn go_on(number: u32, outcome: Result<JsValue, JsValue>) -> Result<JsValue, JsValue> {
    let task = TASKS.with_borrow_mut(|tasks| tasks.take(number));
    let task = task.ok_or_else(|| Error::new("this isolate has too many requests at once"))?;
    OUTCOME.set(Some(outcome));
    poll(number, task)
}

fn poll(number: u32, mut task: Task) -> Result<JsValue, JsValue> {
    match task.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(outcome) => outcome,
        Poll::Pending => {
            // Only `settled` leaves a promise: nothing would ever resume another future.
            let promise = AWAITED.take().ok_or_else(|| Error::new("only promises are awaited"))?;
            TASKS.with_borrow_mut(|tasks| tasks.put(number, task));
            Ok(promise.into())
        }
    }
}
