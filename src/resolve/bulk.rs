//! Many questions at once: one bulk read per namespace and round.

use std::rc::Rc;

use catalog::access::Grant;
use catalog::key::{Key, Namespace};
use catalog::refusal::Refusal;
use catalog::resolution::{Question, Read, Resolution, Unavailable};
use vecmap::VecMap;

use super::backend::Backend;
use super::reader::Reader;
use super::resolved::{Resolved, Settled};
use super::{advance, begin, late};
use crate::trace::Trace;

/// The records of one round by their keys.
type RoundRecords = VecMap<Key, Read<Rc<[u8]>>>;

/// Resolves all questions and returns the results in the order of the questions.
pub(crate) async fn resolve_all<B: Backend>(
    reader: &Reader<B>,
    questions: Vec<Result<Question, Refusal>>,
    grant: &Grant,
    trace: &mut Trace,
) -> Vec<Settled> {
    let (mut open, mut settled, mut ended) = (Vec::new(), Vec::new(), Vec::new());
    for (at, question) in questions.into_iter().enumerate() {
        let begun = question.and_then(|question| begin(question, grant));
        settled.push(begun.map(|resolution| open.push((at, resolution))).err().map(Err));
    }
    while !open.is_empty() {
        let records = read_round(reader, &open, trace).await;
        let mut next = Vec::new();
        // References of one catalog follow each other, so that it is parsed once.
        open.sort_by(|(_, a), (_, b)| a.key().cmp(b.key()));
        for (at, mut resolution) in open {
            let read = records.get(resolution.key()).cloned().unwrap_or_else(unread);
            match advance(reader, &mut resolution, read, grant) {
                None => next.push((at, resolution)),
                Some(done) => ended.push((at, resolution.into_question(), done)),
            }
        }
        // The keys of the next read and the random draws keep the order of the references.
        next.sort_by_key(|(at, _)| *at);
        open = next;
    }
    for (at, end) in look(reader, ended, grant, trace).await {
        settled.get_mut(at).map(|place| place.replace(end));
    }
    settled.into_iter().flatten().collect()
}

/// The ends of questions by their positions.
type Ended = Vec<(usize, Question, Result<Resolved, Refusal>)>;

/// Looks for the versions of refused questions once more.
async fn look<B: Backend>(
    reader: &Reader<B>,
    ended: Ended,
    grant: &Grant,
    trace: &mut Trace,
) -> Vec<(usize, Settled)> {
    let (mut found, mut refused) = (Vec::new(), Vec::new());
    for (at, question, end) in ended {
        match end {
            Ok(resolved) => found.push((at, Ok((question, resolved)))),
            Err(refusal) => refused.push((at, question, refusal)),
        }
    }
    let questions = refused.iter().map(|(_, question, refusal)| (question, refusal.clone()));
    let looked = late::look(reader, questions.collect(), grant, trace).await;
    let looked = refused.into_iter().zip(looked);
    let looked = looked.map(|((at, question, _), end)| (at, end.map(|end| (question, end))));
    found.into_iter().chain(looked).collect()
}

fn unread() -> Read<Rc<[u8]>> {
    Err(Unavailable("the key was not read".to_owned()))
}

/// Reads the keys that the resolutions wait for, except those in memory.
async fn read_round<B: Backend>(
    reader: &Reader<B>,
    open: &[(usize, Resolution)],
    trace: &mut Trace,
) -> RoundRecords {
    let mut records = RoundRecords::new();
    let mut missing = [(Namespace::Slots, Vec::new()), (Namespace::Components, Vec::new())];
    for (_, resolution) in open {
        let key = resolution.key();
        if let Some(bytes) = reader.fresh(key) {
            records.insert(key.clone(), Ok(Some(bytes)));
            continue;
        }
        let all = missing.iter_mut().find(|(namespace, _)| *namespace == key.namespace());
        if let Some((_, keys)) = all.filter(|(_, keys)| !keys.contains(key)) {
            keys.push(key.clone());
        }
    }
    for (namespace, keys) in missing.into_iter().filter(|(_, keys)| !keys.is_empty()) {
        match reader.records(namespace, &keys, trace).await {
            Ok(values) => records.extend(keys.into_iter().zip(values.into_iter().map(Ok))),
            Err(error) => {
                records.extend(keys.into_iter().map(|key| (key, Err(error.clone()))));
            }
        }
    }
    records
}
