//! The program's memory: its heap, and its code.

#![allow(
    unsafe_code,
    reason = "neither the heap nor the system has a function that is safe by its type"
)]

use std::alloc::{GlobalAlloc, Layout};
use std::ffi::c_long;
#[cfg(target_os = "linux")]
use std::{fs, io, ops::Range};

use libmimalloc_sys::{mi_free, mi_malloc, mi_option_set, mi_option_t, mi_realloc, mi_zalloc};
use mimalloc::MiMalloc;
#[cfg(target_os = "linux")]
use rustix::mm::{Advice, madvise};

/// A request takes a tenth less time than with glibc's, for 2 MB more; musl's is slow under threads.
#[global_allocator]
static HEAP: Heap = Heap;

/// mimalloc, asked as C programs ask it wherever that is enough. [`MiMalloc`] always names the alignment, and mimalloc asks
/// itself for that much more where it finds no free block at once. Of 96 or 112 bytes, say, which fill their kind of block,
/// that is the next larger kind: then it finds none the next time either. Every fifth allocation of a request took this way,
/// at some 250 instructions in place of 10.
struct Heap;

/// All blocks are aligned to this if they are as large, and smaller ones to their size:
/// <https://microsoft.github.io/mimalloc/group__malloc.html>, as `malloc` has to by the C standard.
const ALIGNED: usize = align_of::<u128>();

fn is_aligned_anyway(size: usize, align: usize) -> bool {
    align <= ALIGNED && align <= size
}

// SAFETY: what is asked for is mimalloc's to give. It gives blocks of at least their size, aligned as said above or as
// asked for, and takes them back whichever way they were got.
unsafe impl GlobalAlloc for Heap {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if is_aligned_anyway(layout.size(), layout.align()) {
            // SAFETY: it may be asked for any size.
            return unsafe { mi_malloc(layout.size()) }.cast();
        }
        // SAFETY: as promised to this function.
        unsafe { MiMalloc.alloc(layout) }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if is_aligned_anyway(layout.size(), layout.align()) {
            // SAFETY: it may be asked for any size.
            return unsafe { mi_zalloc(layout.size()) }.cast();
        }
        // SAFETY: as promised to this function.
        unsafe { MiMalloc.alloc_zeroed(layout) }
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, _: Layout) {
        // SAFETY: the block is one of mimalloc's, as promised to this function.
        unsafe { mi_free(block.cast()) };
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if is_aligned_anyway(size, layout.align()) {
            // SAFETY: the block is one of mimalloc's, as promised to this function.
            return unsafe { mi_realloc(block.cast(), size) }.cast();
        }
        // SAFETY: as promised to this function.
        unsafe { MiMalloc.realloc(block, layout, size) }
    }
}

/// What is free for so many milliseconds goes back to the system. With mimalloc's own 1,000 a load of 256 connections
/// takes 10 MB more, and no less time.
const KEEP_FREE: c_long = 100;

/// Sets the heap up. Before there is another thread.
pub fn set_up() {
    // SAFETY: it is mimalloc's own function, and nothing else reads its options just now.
    // <https://microsoft.github.io/mimalloc/group__options.html>
    unsafe { mi_option_set(PURGE_DELAY, KEEP_FREE) };
}

/// Lets go of the code that has run so far. It stays in the page cache, where what is needed again comes from: that is
/// much less. A third of what an idle gateway has in memory would be code that it never runs again.
///
/// # Errors
/// The system does not say where the code is, or keeps it.
#[cfg(target_os = "linux")]
pub fn forget_start() -> io::Result<()> {
    let maps = fs::read_to_string("/proc/self/maps")?;
    let code = code(&maps, forget_start as *const () as usize)
        .ok_or_else(|| io::Error::other("the code is at no place in /proc/self/maps"))?;
    // SAFETY: the mapping is one of the program's file that nobody may write to, so that all of it can be read from there
    // again. <https://man7.org/linux/man-pages/man2/madvise.2.html>
    unsafe { madvise(code.start as *mut _, code.len(), Advice::LinuxDontNeed)? };
    Ok(())
}

/// `mi_option_purge_delay`, which the bindings leave out.
const PURGE_DELAY: mi_option_t = 15;

/// The mapping of code that has this address, of a process's `maps`.
/// <https://man7.org/linux/man-pages/man5/proc_pid_maps.5.html>
#[cfg(target_os = "linux")]
fn code(maps: &str, address: usize) -> Option<Range<usize>> {
    maps.lines().find_map(|line| {
        let mut columns = line.split_ascii_whitespace();
        let (start, end) = columns.next()?.split_once('-')?;
        let number = |hexadecimal| usize::from_str_radix(hexadecimal, 16).ok();
        let range = number(start)?..number(end)?;
        let is_code = columns.next()? == "r-xp" && range.contains(&address);
        is_code.then_some(range)
    })
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use libmimalloc_sys::mi_option_get;

    use super::*;

    #[test]
    fn the_heap_knows_the_option() {
        // SAFETY: as in `set_up`.
        let usual = unsafe { mi_option_get(PURGE_DELAY) };
        assert_eq!(usual, 1000, "another option has this number");
        set_up();
        // SAFETY: as above.
        assert_eq!(unsafe { mi_option_get(PURGE_DELAY) }, KEEP_FREE);
    }

    #[test]
    fn blocks_are_aligned_as_they_have_to_be() {
        for align in (0..8).map(|power| 1 << power) {
            for size in (1..2100).chain([8191, 8192, 8193, 70_000, 700_000, 5_000_000]) {
                let layout = Layout::from_size_align(size, align).unwrap();
                let larger = Layout::from_size_align(size + 40, align).unwrap();
                // SAFETY: sizes are not 0, and layouts are those of the blocks.
                unsafe {
                    // Two, so that not all of them lie at the beginning of a page.
                    let [block, other] = [HEAP.alloc(layout), HEAP.alloc_zeroed(layout)];
                    assert!(
                        [block, other]
                            .iter()
                            .all(|block| block.addr().is_multiple_of(align)),
                        "{size} of {align}"
                    );
                    block.write_bytes(7, size);
                    assert!((0..size).all(|i| *other.add(i) == 0), "{size} of {align}");
                    let block = HEAP.realloc(block, layout, size + 40);
                    assert!(
                        block.addr().is_multiple_of(align),
                        "{size} of {align}, grown"
                    );
                    assert!(
                        (0..size).all(|i| *block.add(i) == 7),
                        "{size} of {align}, grown"
                    );
                    HEAP.dealloc(other, layout);
                    HEAP.dealloc(block, larger);
                }
            }
        }
    }

    #[test]
    fn code_is_where_it_can_only_be_run() {
        let maps = "1000-2000 r--p 00000000 fe:00 1 /gateway\n\
                    2000-5000 r-xp 00001000 fe:00 1 /gateway\n\
                    5000-6000 rw-p 00004000 fe:00 1 /gateway\n\
                    7000-8000 rwxp 00000000 00:00 0\n";
        assert_eq!(code(maps, 0x2000), Some(0x2000..0x5000));
        for other in [0x1000, 0x5000, 0x7000, 0x9000] {
            assert_eq!(code(maps, other), None);
        }
    }

    #[test]
    fn what_is_needed_again_is_there() {
        forget_start().unwrap();
        forget_start().unwrap();
    }
}
