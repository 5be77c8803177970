//! `leaselab schema`.

use crate::exit::Exit;

pub(super) fn run() -> Exit {
    out!("{}", scenario::json_schema());
    Exit::Passed
}
