//! What becomes of one tag in a push.

use gix_hash::ObjectId;

use crate::read::tags::Tagged;

/// A tag here, there, and in this clone's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sides {
    /// What it is here.
    pub(super) local: ObjectId,
    /// What it is on the remote now.
    pub(super) remote: Option<ObjectId>,
    /// What it was there when this clone last saw it.
    pub(super) seen: Option<ObjectId>,
    /// What `slotctl tag set` last made of it here.
    pub(super) moved: Option<ObjectId>,
}

/// What becomes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TagVerdict {
    /// The remote has the same.
    Same,
    /// The remote gets it.
    New,
    /// It is moved there, if it still is what it was.
    Move(ObjectId),
    /// Only others changed it since this clone saw it: nothing to push.
    Behind,
    /// The remote has another, which nobody here has seen: one was moved after the
    /// other, and the dates say which.
    Unseen,
    /// It would be moved there, which needs `--force`.
    NeedsForce,
    /// Others moved it since this clone saw it, and it was moved here too.
    Conflict,
    /// It is a version and another one on the remote.
    OtherVersion,
}

/// A slot that others changed, or may have.
pub(super) struct Theirs<'a> {
    /// The slot's tag here.
    pub(super) tagged: &'a Tagged,
    /// What it is there; none if it was deleted.
    pub(super) remote: Option<ObjectId>,
    /// What is the matter.
    pub(super) verdict: TagVerdict,
}

/// Decides. A version is never moved; a slot only from what this clone has seen.
pub(super) fn decide(sides: Sides, version: bool, force: bool) -> TagVerdict {
    let Sides { local, remote, seen, moved } = sides;
    let Some(remote) = remote else {
        // It was there and is as it was: others deleted it.
        return if seen == Some(local) { TagVerdict::Behind } else { TagVerdict::New };
    };
    match remote == local {
        true => TagVerdict::Same,
        false if version => TagVerdict::OtherVersion,
        false if seen == Some(local) => TagVerdict::Behind,
        false if seen == Some(remote) && force => TagVerdict::Move(remote),
        false if seen == Some(remote) => TagVerdict::NeedsForce,
        false if seen.is_none() && moved != Some(local) => TagVerdict::Unseen,
        false => TagVerdict::Conflict,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u8) -> ObjectId {
        ObjectId::from_bytes_or_panic(&[number; 20])
    }

    #[track_caller]
    fn check(sides: (u8, u8, u8, u8), slot: TagVerdict, forced: TagVerdict) {
        let (local, remote, seen, moved) = sides;
        let some = |number: u8| (number > 0).then(|| id(number));
        let sides =
            Sides { local: id(local), remote: some(remote), seen: some(seen), moved: some(moved) };
        assert_eq!(decide(sides, false, false), slot);
        assert_eq!(decide(sides, false, true), forced);
        let version = decide(sides, true, true);
        assert!(!matches!(
            version,
            TagVerdict::Move(_) | TagVerdict::NeedsForce | TagVerdict::Conflict
        ));
    }

    /// Local, remote, seen, moved: 0 is nothing.
    #[test]
    fn every_case() {
        let same = |verdict| (verdict, verdict);
        for (sides, (plain, forced)) in [
            ((1, 1, 0, 0), same(TagVerdict::Same)),
            ((1, 1, 2, 3), same(TagVerdict::Same)),
            ((1, 0, 0, 0), same(TagVerdict::New)),
            ((1, 0, 2, 1), same(TagVerdict::New)),
            ((1, 0, 1, 1), same(TagVerdict::Behind)),
            // Moved here, nobody else did.
            ((2, 1, 1, 2), (TagVerdict::NeedsForce, TagVerdict::Move(id(1)))),
            // Moved with plain Git after slotctl had seen it.
            ((2, 1, 1, 0), (TagVerdict::NeedsForce, TagVerdict::Move(id(1)))),
            // Moved here and by others.
            ((2, 3, 1, 2), same(TagVerdict::Conflict)),
            ((2, 3, 1, 0), same(TagVerdict::Conflict)),
            ((2, 3, 0, 2), same(TagVerdict::Conflict)),
            // Pushed from here, then moved by others.
            ((2, 3, 2, 2), same(TagVerdict::Behind)),
            // Nothing is known.
            ((2, 3, 0, 0), same(TagVerdict::Unseen)),
        ] {
            check(sides, plain, forced);
        }
    }
}
