//! What waits to be sent to one service: bounded in number and in bytes.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::mpsc;

use super::counts::SinkCounts;
use super::entry::Entry;

const MAX_ENTRIES: usize = 8192;
const MAX_BYTES: usize = 8 << 20;

/// Where entries go in. Without it, the receiver comes to its end.
#[derive(Debug)]
pub(super) struct Intake {
    sender: mpsc::Sender<Arc<Entry>>,
    room: Arc<Room>,
}

/// What is taken of the room that there is, by entries that wait or are being sent.
#[derive(Debug)]
pub(super) struct Room {
    entries: AtomicUsize,
    bytes: AtomicUsize,
    counts: SinkCounts,
}

pub(super) fn queue(counts: SinkCounts) -> (Intake, Arc<Room>, mpsc::Receiver<Arc<Entry>>) {
    let (sender, receiver) = mpsc::channel(MAX_ENTRIES);
    let room = Arc::new(Room {
        entries: AtomicUsize::new(0),
        bytes: AtomicUsize::new(0),
        counts,
    });
    let intake = Intake {
        sender,
        room: Arc::clone(&room),
    };
    (intake, room, receiver)
}

impl Intake {
    /// Takes an entry if there is room. Never waits.
    pub fn push(&self, entry: &Arc<Entry>) {
        let size = entry.size();
        let room = &self.room;
        // Before it is sent, or it might be settled first.
        let bytes = room.bytes.fetch_add(size, Ordering::Relaxed) + size;
        room.entries.fetch_add(1, Ordering::Relaxed);
        room.counts.waiting.inc();
        if bytes > MAX_BYTES || self.sender.try_send(Arc::clone(entry)).is_err() {
            room.free(entry);
            room.counts.overflowed.inc();
        }
    }
}

impl Room {
    /// An entry is done with.
    pub fn free(&self, entry: &Entry) {
        self.bytes.fetch_sub(entry.size(), Ordering::Relaxed);
        self.entries.fetch_sub(1, Ordering::Relaxed);
        self.counts.waiting.dec();
    }

    /// So many are not.
    pub fn entries(&self) -> usize {
        self.entries.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::super::counts::Counts;
    use super::super::tests::entries;
    use super::*;

    #[test]
    fn what_there_is_no_room_for_is_counted() {
        let counts = Counts::default().of("splunk");
        let (intake, room, mut receiver) = queue(counts.clone());
        let entry = &entries(1)[0];
        for _ in 0..MAX_ENTRIES + 3 {
            intake.push(entry);
        }
        assert_eq!(counts.overflowed.get(), 3);
        assert_eq!(room.entries(), MAX_ENTRIES);
        room.free(&receiver.try_recv().unwrap());
        intake.push(entry);
        assert_eq!((counts.overflowed.get(), room.entries()), (3, MAX_ENTRIES));

        let mut large = Entry::clone(entry);
        large.message = "x".repeat(MAX_BYTES / 2);
        let large = Arc::new(large);
        let (intake, room, _receiver) = queue(counts.clone());
        for _ in 0..4 {
            intake.push(&large);
        }
        assert_eq!((counts.overflowed.get(), room.entries()), (6, 1));
    }
}
