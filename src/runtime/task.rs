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

use js_sys::{Date, Error, Promise};
use wasm_bindgen::prelude::*;

use crate::runtime::held::allocated;
use crate::runtime::waiting::Waiting;

/// The future of a request, with the bytes of Wasm memory that it holds.
struct Task {
    future: Pin<Box<dyn Future<Output = Result<JsValue, JsValue>>>>,
    held: usize,
}

/// The time for which a future may wait longer than its reads may take, in milliseconds.
const MARGIN: f64 = 1_000.0;

thread_local! {
    static TASKS: RefCell<Waiting<Task>> = RefCell::default();
    /// The longest time that one read may take, in milliseconds.
    static PATIENCE: Cell<f64> = const { Cell::new(0.0) };
    /// The promise that the polled future awaits.
    static AWAITED: Cell<Option<Promise>> = const { Cell::new(None) };
    /// The result of the promise that it has awaited.
    static OUTCOME: Cell<Option<Result<JsValue, JsValue>>> = const { Cell::new(None) };
}

/// Sets the longest time in milliseconds that one promise takes to settle. A future that has
/// waited for longer belongs to a request that was cancelled.
pub(crate) fn set_patience(milliseconds: u32) {
    PATIENCE.set(f64::from(milliseconds) + MARGIN);
}

/// Returns the time since which a request may have waited, in milliseconds since 1970.
pub(crate) fn oldest() -> f64 {
    Date::now() - PATIENCE.get()
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
    TASKS.with_borrow_mut(|tasks| tasks.drop_older(oldest()));
    let before = allocated();
    poll(number, Task { future: Box::pin(future), held: 0 }, before)
}

/// Drops the future of a request that was cancelled.
pub(crate) fn forget(number: u32) {
    drop(TASKS.with_borrow_mut(|tasks| tasks.take(number)));
}

/// Awaits a promise. A future for [`begin`] must await nothing else.
pub(crate) async fn settled(promise: Promise) -> Result<JsValue, JsValue> {
    AWAITED.set(Some(promise));
    poll_fn(|_| OUTCOME.take().map_or(Poll::Pending, Poll::Ready)).await
}

/// Continues with the value of the promise; returns like `begin`, or `undefined` if the future
/// was dropped because too many requests wait.
///
/// # Errors
///
/// The error of the future.
#[wasm_bindgen]
pub fn resume(number: u32, value: JsValue) -> Result<JsValue, JsValue> {
    proceed(number, Ok(value))
}

/// Continues with the error of the promise; returns like `resume`.
///
/// # Errors
///
/// The error of the future.
#[wasm_bindgen]
pub fn fail(number: u32, error: JsValue) -> Result<JsValue, JsValue> {
    proceed(number, Err(error))
}

fn proceed(number: u32, outcome: Result<JsValue, JsValue>) -> Result<JsValue, JsValue> {
    let task = TASKS.with_borrow_mut(|tasks| tasks.take(number));
    let Some(task) = task else { return Ok(JsValue::UNDEFINED) };
    OUTCOME.set(Some(outcome));
    poll(number, task, allocated())
}

/// Polls a future; `before` is the number of bytes that were allocated before.
fn poll(number: u32, mut task: Task, before: usize) -> Result<JsValue, JsValue> {
    match task.future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(outcome) => outcome,
        Poll::Pending => {
            // Only `settled` leaves a promise: nothing would ever resume another future.
            let promise = AWAITED.take().ok_or_else(|| Error::new("only promises are awaited"))?;
            task.held = (task.held + allocated()).saturating_sub(before);
            let (held, now) = (task.held, Date::now());
            TASKS.with_borrow_mut(|tasks| tasks.put(number, task, held, now));
            Ok(promise.into())
        }
    }
}
