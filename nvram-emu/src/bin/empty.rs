//! The smallest Rust program: what `nvram get` is compared with (`cargo bench --bench process_start`).

fn main() {}
