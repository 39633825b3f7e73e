//! Tells the crate where the dashboard's site is: `DASHBOARD_SITE_DIR`, for rust-embed.
//!
//! `cargo xtask build` fills the folder. It is created here, so that checks and tests run before
//! there is a site.

use std::{env, error::Error, fs, path::PathBuf};

fn main() -> Result<(), Box<dyn Error>> {
    // <target dir>/[<triple>/]<profile>/build/server-<hash>/out
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let mut target = out
        .ancestors()
        .nth(4)
        .ok_or("OUT_DIR is not inside a target directory")?;
    if target
        .file_name()
        .is_some_and(|name| name == env::var("TARGET").unwrap_or_default().as_str())
    {
        target = target
            .parent()
            .ok_or("the target directory has no parent")?;
    }
    let profile = env::var("PROFILE")?;
    let site = target.join("site").join(&profile);
    fs::create_dir_all(site.join("pkg"))?;
    println!("cargo::rustc-env=DASHBOARD_SITE_DIR={}", site.display());

    // A release binary has the site inside; a debug one reads it from disk.
    println!("cargo::rerun-if-changed=build.rs");
    // sqlx takes the migrations in when it is compiled.
    println!("cargo::rerun-if-changed=../migrations");
    if profile == "release" {
        println!("cargo::rerun-if-changed={}", site.display());
    }
    Ok(())
}
