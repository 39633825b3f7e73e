//! A file's end as memory, so that appending to it is no system call. What is written there belongs to the file at once,
//! and outlives the process however that ends.
//!
//! Before a piece is mapped, it is filled with zeros: a full disk is found out then, as an error. That is so where a file's
//! blocks stay where they are; where changes are written elsewhere (Btrfs, ZFS), the disk could be full afterwards, and the
//! process be ended by a signal. There, and where nobody knows, records are written. Whoever cuts the file off meanwhile
//! ends the process, as with the memory that SQLite shares for its write-ahead log.

#![allow(
    unsafe_code,
    reason = "what is mapped changes where the file does, and so has to be nobody else's"
)]

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};

use memmap2::{MmapMut, MmapOptions};

/// In bytes: how much is made and mapped at a time. A multiple of what any system's pages are.
const WINDOW: u64 = 64 << 10;

/// A file that grows, and which nobody else writes to.
#[derive(Debug)]
pub struct Tail {
    pub file: File,
    /// In bytes, of what was appended.
    pub length: u64,
    /// In bytes, of the file: behind what was appended it has zeros.
    made: u64,
    window: Window,
}

#[derive(Debug)]
enum Window {
    /// What begins so far in the file.
    Mapped { start: u64, memory: MmapMut },
    /// There is none yet, or the file system is none for it.
    None,
}

impl Tail {
    /// The file is that long, and all of it was appended.
    pub fn new(file: File, length: u64) -> Self {
        Self {
            file,
            length,
            made: length,
            window: Window::None,
        }
    }

    /// # Errors
    /// The file system's; then nothing was appended.
    pub fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let end = self.length + bytes.len() as u64;
        if end > self.made {
            self.make_room(end)?;
        }
        match &mut self.window {
            Window::Mapped { start, memory } => {
                let at = usize::try_from(self.length - *start).expect("a window is small");
                memory[at..at + bytes.len()].copy_from_slice(bytes);
            }
            Window::None => write_at(&self.file, self.length, bytes)?,
        }
        self.length = end;
        Ok(())
    }

    /// Makes the file reach at least to `end`, and maps it from where the next byte goes.
    fn make_room(&mut self, end: u64) -> io::Result<()> {
        let made = end.next_multiple_of(WINDOW);
        let start = self.length / WINDOW * WINDOW;
        let whole = |length: u64| usize::try_from(length).map_err(io::Error::other);
        let zeros = vec![0; whole(made - self.made)?];
        if let Err(error) = write_at(&self.file, self.made, &zeros) {
            let _ = self.file.set_len(self.made);
            return Err(error);
        }
        self.made = made;
        let mut options = MmapOptions::new();
        options.offset(start).len(whole(made - start)?);
        self.window = if stays_where_it_is(&self.file) {
            // SAFETY: the file is locked, and no other part of the process writes to it or makes it shorter.
            match unsafe { options.map_mut(&self.file) } {
                Ok(memory) => Window::Mapped { start, memory },
                Err(_) => Window::None,
            }
        } else {
            Window::None
        };
        Ok(())
    }
}

/// Whether what was written once can be written again without more room on the disk.
#[cfg(target_os = "linux")]
fn stays_where_it_is(file: &File) -> bool {
    // <https://man7.org/linux/man-pages/man2/statfs.2.html>: ext2 to ext4, XFS, tmpfs.
    const KNOWN: [u64; 3] = [0xef53, 0x5846_5342, 0x0102_1994];
    rustix::fs::fstatfs(file).is_ok_and(|system| KNOWN.contains(&(system.f_type as u64)))
}

#[cfg(not(target_os = "linux"))]
fn stays_where_it_is(_: &File) -> bool {
    false
}

fn write_at(mut file: &File, at: u64, bytes: &[u8]) -> io::Result<()> {
    file.seek(SeekFrom::Start(at))?;
    file.write_all(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces() -> impl Iterator<Item = Vec<u8>> {
        let lengths = [1, 100, 4096, 65_535, 65_536, 65_537, 200_000, 7];
        (1..).zip(lengths).map(|(byte, length)| vec![byte; length])
    }

    #[test]
    fn what_was_appended_stands_in_the_file() {
        let folder = tempfile::tempdir().unwrap();
        for mapped in [true, false] {
            let path = folder.path().join("file");
            std::fs::write(&path, b"before").unwrap();
            // What may not be read cannot be mapped, but written.
            let mut options = File::options();
            let file = options.read(mapped).write(true).open(&path).unwrap();
            let mut tail = Tail::new(file, 6);
            let mut expected = b"before".to_vec();
            for piece in pieces() {
                tail.append(&piece).unwrap();
                expected.extend_from_slice(&piece);
                let content = std::fs::read(&path).unwrap();
                assert_eq!(tail.length, expected.len() as u64);
                assert!(content[..expected.len()] == expected);
                assert!(content[expected.len()..].iter().all(|byte| *byte == 0));
            }
            assert_eq!(
                matches!(tail.window, Window::Mapped { .. }),
                mapped && stays_where_it_is(&tail.file)
            );
        }
    }

    #[test]
    fn what_cannot_be_written_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, b"before").unwrap();
        let mut tail = Tail::new(File::open(&path).unwrap(), 6);
        assert!(tail.append(b"more").is_err());
        assert_eq!(tail.length, 6);
        assert_eq!(std::fs::read(&path).unwrap(), b"before");
    }
}
