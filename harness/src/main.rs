//! Entry point of `leaselab`.

fn main() {}
