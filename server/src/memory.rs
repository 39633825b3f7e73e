//! What only the start needs is given back.

#![allow(unsafe_code, reason = "the system is told so by its own function")]

use std::ffi::{c_int, c_void};
use std::fs;
use std::io;
use std::ops::Range;

/// Lets go of the code that has run so far. It stays in the page cache, where what is needed again comes from: that is
/// much less. Half of what an idle gateway has in memory would be code that it never runs again.
///
/// # Errors
/// The system does not say where the code is, or keeps it.
pub fn forget_start() -> io::Result<()> {
    let code = code(
        &fs::read_to_string("/proc/self/maps")?,
        forget_start as *const () as usize,
    )
    .ok_or_else(|| io::Error::other("the code is at no place in /proc/self/maps"))?;
    // SAFETY: the mapping is one of the program's file that nobody may write to, so that all of it can be read from there
    // again. <https://man7.org/linux/man-pages/man2/madvise.2.html>
    let result = unsafe { madvise(code.start as *mut c_void, code.len(), MADV_DONTNEED) };
    match result {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

const MADV_DONTNEED: c_int = 4;

unsafe extern "C" {
    fn madvise(address: *mut c_void, length: usize, advice: c_int) -> c_int;
}

/// The mapping of code that has this address, of a process's `maps`.
/// <https://man7.org/linux/man-pages/man5/proc_pid_maps.5.html>
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

#[cfg(test)]
mod tests {
    use super::*;

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
