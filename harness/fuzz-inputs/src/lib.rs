//! Fuzz tests. The test suite runs each with the inputs that coverage-guided runs have found (`seeds/TEST.tar.xz`) and with
//! random ones; `BOLERO_RANDOM_ITERATIONS=100000` asks for more of these. `ci/fuzz` runs them under libFuzzer, which is
//! guided by coverage.

#![forbid(unsafe_code)]

use std::any::type_name_of_val;
use std::fs::File;
use std::io::Read as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

pub use bolero;

/// Runs the test function around it as a fuzz test: `fuzz_inputs::check!(ITERATIONS, |bytes: &[u8]| …)`.
#[macro_export]
macro_rules! check {
    ($iterations:expr, $test:expr) => {{
        fn inner() {}
        let test = $test;
        $crate::replay(&inner, &test);
        $crate::bolero::check!().with_iterations($iterations).for_each(test)
    }};
}

/// Runs a test with the packed inputs of the function that `inner` is defined in.
///
/// # Panics
/// If the packed inputs cannot be read, or as the test does.
pub fn replay<T>(inner: &T, test: &dyn Fn(&[u8])) {
    // libFuzzer begins with inputs of its own, which ci/fuzz unpacks.
    if std::env::var_os("BOLERO_LIBFUZZER_ARGS").is_some() {
        return;
    }
    let name = type_name_of_val(inner).rsplit("::").nth(1).expect("a function");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds").join(name);
    // A test without packed inputs.
    let Ok(file) = File::open(path.with_extension("tar.xz")) else { return };
    let mut archive = tar::Archive::new(lzma_rust2::XzReader::new(file, true));
    for entry in archive.entries().expect("an archive") {
        let mut entry = entry.expect("an entry");
        let mut input = Vec::new();
        entry.read_to_end(&mut input).expect("an input");
        let result = catch_unwind(AssertUnwindSafe(|| test(&input)));
        assert!(result.is_ok(), "{name} fails for this input: {}", input.escape_ascii());
    }
}
