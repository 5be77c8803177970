//! Errors with a place in a text, displayed with file, line, column and a caret.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

/// A text and the path of its file.
#[derive(Debug, PartialEq, Eq)]
pub struct Source {
    /// Path of the file.
    pub path: PathBuf,
    /// Contents of the file.
    pub text: String,
}

impl Source {
    /// Creates a source from the text of the file at `path`.
    pub fn new(path: &Path, text: String) -> Arc<Self> {
        Arc::new(Self { path: path.to_owned(), text })
    }

    /// Returns the line and column of a byte offset. Both start at 1; columns count characters.
    pub fn position(&self, offset: usize) -> (usize, usize) {
        let mut offset = offset.min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        let before = &self.text[..offset];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    }
}

/// An error at a place in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceError {
    /// The text.
    pub source: Arc<Source>,
    /// The range of invalid bytes.
    pub span: Range<usize>,
    /// The problem.
    pub message: String,
    /// How to solve the problem, if that is known.
    pub help: Option<String>,
}

impl SourceError {
    /// Creates an error without help.
    pub fn new(source: &Arc<Source>, span: Range<usize>, message: impl Into<String>) -> Self {
        let end = source.text.len();
        let span = span.start.min(end)..span.end.clamp(span.start.min(end), end);
        Self { source: Arc::clone(source), span, message: message.into(), help: None }
    }

    /// Adds help to the error.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl SourceError {
    /// Renders the error like [`Display`](fmt::Display), but with colours for a terminal.
    pub fn to_styled_string(&self) -> String {
        self.render(&Renderer::styled())
    }

    fn render(&self, renderer: &Renderer) -> String {
        // For a span over several lines, such as a whole step, only the first line is shown.
        let first_line = self.source.text[self.span.clone()].lines().next().unwrap_or("").len();
        let span = self.span.start..self.span.start + first_line;
        let path = self.source.path.to_string_lossy();
        let mut group = Level::ERROR.primary_title(&self.message).element(
            Snippet::source(&self.source.text)
                .path(path)
                .annotation(AnnotationKind::Primary.span(span)),
        );
        if let Some(help) = &self.help {
            group = group.element(Level::HELP.message(help));
        }
        renderer.render(&[group])
    }
}

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(&Renderer::plain()))
    }
}

impl std::error::Error for SourceError {}
