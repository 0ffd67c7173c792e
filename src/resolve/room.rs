//! The room for large contents that an answer needs as a whole.

use catalog::record::Snapshot;
use catalog::refusal::Refusal;

use super::backend::Backend;
use super::large::is_large;
use super::reader::Reader;

/// The maximum sum of the large contents that answers hold at once, in bytes: a quarter of the
/// memory of an isolate.
const MAX_WHOLE: u64 = 32 << 20;

/// The large contents of one answer, from before they are read until its response is created.
/// Contents of up to a mebibyte are shared by all answers, so they are not counted.
pub(crate) struct Room<'a, B: Backend> {
    reader: &'a Reader<B>,
    taken: u64,
}

impl<'a, B: Backend> Room<'a, B> {
    /// Begins without any content.
    pub(crate) fn new(reader: &'a Reader<B>) -> Self {
        Self { reader, taken: 0 }
    }

    /// Takes the room for a content.
    ///
    /// # Errors
    ///
    /// 503 if the contents of all answers are too large together.
    pub(crate) fn take(&mut self, snapshot: &Snapshot) -> Result<(), Refusal> {
        if !is_large(snapshot) {
            return Ok(());
        }
        let Reader { backend, whole, .. } = self.reader;
        let all = whole.get() + snapshot.size;
        if all + backend.sending() > MAX_WHOLE {
            return Err(Refusal::Overloaded);
        }
        whole.set(all);
        self.taken += snapshot.size;
        Ok(())
    }
}

impl<B: Backend> Drop for Room<'_, B> {
    fn drop(&mut self) {
        let whole = &self.reader.whole;
        whole.set(whole.get() - self.taken);
    }
}
