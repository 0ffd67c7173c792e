//! Decides on one tag of a push.

use gix_hash::ObjectId;

use crate::read::tags::Tagged;

/// The object of a tag here, on the remote, and in this clone's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sides {
    /// The tag's object here.
    pub(super) local: ObjectId,
    /// The tag's object on the remote now.
    pub(super) remote: Option<ObjectId>,
    /// The tag's object on the remote when this clone last saw it.
    pub(super) seen: Option<ObjectId>,
    /// The tag's object that `slotctl tag set` last made here.
    pub(super) moved: Option<ObjectId>,
}

/// The decision on a tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TagVerdict {
    /// The remote has the same tag.
    Same,
    /// The remote gets the tag.
    New,
    /// The tag is moved on the remote, if it still has this object there.
    Move(ObjectId),
    /// Only others changed the tag since this clone saw it: there is nothing to push.
    Behind,
    /// The remote has another tag, which this clone never saw: the dates tell which of the two was
    /// moved later.
    Unseen,
    /// The tag would be moved on the remote, which needs `--force`.
    NeedsForce,
    /// Others moved the tag since this clone saw it, and it was moved here too.
    Conflict,
    /// The tag is a version, and the remote has another tag of this name.
    OtherVersion,
}

/// A slot that others changed, or may have changed.
pub(super) struct Theirs<'a> {
    /// The slot's tag here.
    pub(super) tagged: &'a Tagged,
    /// The tag's object on the remote; `None` if it was deleted.
    pub(super) remote: Option<ObjectId>,
    /// The decision on the slot.
    pub(super) verdict: TagVerdict,
}

/// Decides on a tag. A version is never moved; a slot is moved only from an object that this
/// clone saw.
pub(super) fn decide(sides: Sides, version: bool, force: bool) -> TagVerdict {
    let Sides { local, remote, seen, moved } = sides;
    let Some(remote) = remote else {
        // It was there, and here it did not change: others deleted it.
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

    /// The columns: local, remote, seen, moved; 0 is `None`.
    #[test]
    fn decide_covers_every_combination_of_sides() {
        let same = |verdict| (verdict, verdict);
        for (sides, (plain, forced)) in [
            ((1, 1, 0, 0), same(TagVerdict::Same)),
            ((1, 1, 2, 3), same(TagVerdict::Same)),
            ((1, 0, 0, 0), same(TagVerdict::New)),
            ((1, 0, 2, 1), same(TagVerdict::New)),
            ((1, 0, 1, 1), same(TagVerdict::Behind)),
            // Moved here only.
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
