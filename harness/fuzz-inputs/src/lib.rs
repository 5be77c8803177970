//! Runs fuzz tests. The test suite runs each fuzz test with the inputs that coverage-guided runs have found
//! (`seeds/TEST.tar.xz`), and with random inputs. `BOLERO_RANDOM_ITERATIONS=100000` increases the number of random inputs.
//! `ci/fuzz` runs the fuzz tests under libFuzzer, which is coverage-guided.

#![forbid(unsafe_code)]

use std::any::type_name_of_val;
use std::fs::File;
use std::io::Read as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

pub use bolero;

/// Runs the enclosing test function as a fuzz test: `fuzz_inputs::check!(ITERATIONS, |bytes: &[u8]| …)`.
#[macro_export]
macro_rules! check {
    ($iterations:expr, $test:expr) => {{
        fn inner() {}
        let test = $test;
        $crate::replay(&inner, &test);
        $crate::bolero::check!().with_iterations($iterations).for_each(test)
    }};
}

/// Runs a test with the packed inputs of the function in which `inner` is defined.
///
/// # Panics
/// Panics if the packed inputs cannot be read, or if the test panics.
pub fn replay<T>(inner: &T, test: &dyn Fn(&[u8])) {
    // libFuzzer starts with the inputs that ci/fuzz unpacks.
    if std::env::var_os("BOLERO_LIBFUZZER_ARGS").is_some() {
        return;
    }
    let name = type_name_of_val(inner).rsplit("::").nth(1).expect("a function");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds").join(name);
    // The test may have no packed inputs.
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
