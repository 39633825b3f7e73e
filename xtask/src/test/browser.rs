//! A Chromium for the browser tests.

use std::{env, path::PathBuf, process::Command};

use anyhow::{Result, bail};

use super::apt_install;

/// The system's Chromium (or the one that `CHROMIUM` names); installed where that can be done.
pub fn find_chromium() -> Result<PathBuf> {
    if let Some(found) = find() {
        return Ok(found);
    }
    apt_install(&["chromium", "fonts-liberation"], "Chromium")?;
    match find() {
        Some(found) => Ok(found),
        None => bail!("Chromium is missing; set CHROMIUM to the path of one"),
    }
}

fn find() -> Option<PathBuf> {
    let named = env::var_os("CHROMIUM").map(PathBuf::from);
    let path = env::var_os("PATH").unwrap_or_default();
    let names = [
        "chromium",
        "chromium-browser",
        "google-chrome-stable",
        "google-chrome",
    ];
    let installed = env::split_paths(&path)
        .flat_map(|folder| names.map(|name| folder.join(name)))
        .filter(|file| file.is_file());
    named.into_iter().chain(installed).find(|browser| {
        Command::new(browser)
            .args(["--version", "--no-sandbox"])
            .output()
            .is_ok_and(|output| output.status.success())
    })
}
