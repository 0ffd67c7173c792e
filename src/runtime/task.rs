//! Futures that `entry.js` drives: it passes the result of the promise that a future awaits,
//! and gets the next promise or the result of the future.
//!
//! wasm-bindgen-futures needs two closures per promise and a queue for all requests, which
//! makes a response slower, a cold one most. Here a future awaits only one promise after
//! another. It is polled when that promise has settled, by its own request, and its waker
//! does nothing.

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
    /// The promise that the polled future awaits.
    static AWAITED: Cell<Option<Promise>> = const { Cell::new(None) };
    /// The result of the promise that it has awaited.
    static OUTCOME: Cell<Option<Result<JsValue, JsValue>>> = const { Cell::new(None) };
}

/// Polls the future of a request with this number. Returns a promise to await, after which
/// [`resume`] or [`fail`] continues, or the value of the future.
///
/// # Errors
///
/// The error of the future.
pub(crate) fn begin(
    number: u32,
    future: impl Future<Output = Result<JsValue, JsValue>> + 'static,
) -> Result<JsValue, JsValue> {
    poll(number, Box::pin(future))
}

/// Awaits a promise. A future for [`begin`] must await nothing else.
pub(crate) async fn settled(promise: Promise) -> Result<JsValue, JsValue> {
    AWAITED.set(Some(promise));
    poll_fn(|_| OUTCOME.take().map_or(Poll::Pending, Poll::Ready)).await
}

/// Continues with the value of the promise; returns like `begin`.
///
/// # Errors
///
/// The error of the future, or that it was dropped because of too many requests.
#[wasm_bindgen]
pub fn resume(number: u32, value: JsValue) -> Result<JsValue, JsValue> {
    proceed(number, Ok(value))
}

/// Continues with the error of the promise; returns like `begin`.
///
/// # Errors
///
/// The error of the future, or that it was dropped because of too many requests.
#[wasm_bindgen]
pub fn fail(number: u32, error: JsValue) -> Result<JsValue, JsValue> {
    proceed(number, Err(error))
}

fn proceed(number: u32, outcome: Result<JsValue, JsValue>) -> Result<JsValue, JsValue> {
    let task = TASKS.with_borrow_mut(|tasks| tasks.take(number));
    let task = task.ok_or_else(|| Error::new("this isolate has too many concurrent requests"))?;
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
