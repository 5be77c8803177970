//! An empty program, the baseline for `nvram get` in `cargo bench --bench process_start`.

fn main() {}
