//! Records that are read as a whole: catalog records and the index.

use catalog::key::Key;
use catalog::record::{self, Record};
use catalog::refusal::Refusal;

use super::backend::Backend;
use super::reader::Reader;
use crate::trace::Trace;

/// Reads and parses a record. If that fails, uses the last good one. Returns `None` if the
/// record does not exist.
///
/// # Errors
///
/// A refusal if the record cannot be read or parsed and memory has no good one.
pub(crate) async fn read<T: Record, B: Backend>(
    reader: &Reader<B>,
    key: &Key,
    trace: &mut Trace,
) -> Result<Option<T>, Refusal> {
    let refusal = match reader.record(key, &mut None, trace).await {
        Ok(None) => return Ok(None),
        Ok(Some(bytes)) => match record::parse(&bytes) {
            Ok(record) => {
                reader.keep_record(key, &bytes);
                return Ok(Some(record));
            }
            Err(error) => Refusal::RecordUnreadable(key.clone(), error),
        },
        Err(_) => Refusal::StoreUnavailable(key.namespace()),
    };
    let Some((bytes, age)) = reader.last_good_record(key) else { return Err(refusal) };
    trace.stale = Some(age);
    record::parse(&bytes).map(Some).map_err(|_| refusal)
}
