//! The HTML page.

mod cases_page;
mod crash_page;
mod durations;
mod head;
mod heat;
mod layout;
mod page;
mod timeline;
mod wear_chart;
mod wear_page;

pub use page::page;
