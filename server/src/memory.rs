//! The program's memory: its heap, and its code.

#![allow(
    unsafe_code,
    reason = "neither the heap nor the system has a function that is safe by its type"
)]

use std::ffi::c_long;
#[cfg(target_os = "linux")]
use std::{fs, io, ops::Range};

use libmimalloc_sys::{mi_option_set, mi_option_t};
#[cfg(target_os = "linux")]
use rustix::mm::{Advice, madvise};

/// A request takes a tenth less time than with glibc's, for 2 MB more; musl's is slow under threads.
#[global_allocator]
static HEAP: mimalloc::MiMalloc = mimalloc::MiMalloc;

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
