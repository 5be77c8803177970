//! Values for the spanned fields of a scenario that is not read from a file.

use toml::Spanned;

/// Wraps a value with an empty span.
pub fn unspanned<T>(value: T) -> Spanned<T> {
    Spanned::new(0..0, value)
}
