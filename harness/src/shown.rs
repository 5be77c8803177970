//! Names of files in messages.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

/// The name of a file as text of one line without control characters: see [`lab_report::printable`].
pub(crate) trait Shown {
    fn shown(&self) -> String;
}

impl Shown for OsStr {
    fn shown(&self) -> String {
        lab_report::printable(&self.to_string_lossy())
    }
}

impl Shown for OsString {
    fn shown(&self) -> String {
        self.as_os_str().shown()
    }
}

impl Shown for Path {
    fn shown(&self) -> String {
        self.as_os_str().shown()
    }
}

impl Shown for PathBuf {
    fn shown(&self) -> String {
        self.as_os_str().shown()
    }
}
