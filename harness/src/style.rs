//! Colours of words on the console. They are removed where the console shows none: see `--color`.

use clap::builder::styling::{AnsiColor, Style, Styles};

/// A check that passed.
pub(crate) const PASSED: Style = AnsiColor::Green.on_default().bold();
/// A check that failed, and an error.
pub(crate) const FAILED: Style = AnsiColor::Red.on_default().bold();
/// Something that was left out.
pub(crate) const SKIPPED: Style = AnsiColor::Yellow.on_default();

/// The colours of help texts.
pub(crate) const HELP: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());
