//! `leaselab schema`.

use crate::exit::Exit;

pub(super) fn run() -> Exit {
    anstream::print!("{}", scenario::json_schema());
    Exit::Passed
}
