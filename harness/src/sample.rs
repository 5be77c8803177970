//! A pairwise sample of scenario matrices.

use std::collections::BTreeSet;
use std::sync::Arc;

use scenario::{Case, Scalar};

/// Two parameters with their values, or the same parameter twice if the matrix has only one.
type Pair<'c> = [(&'c str, &'c Scalar); 2];

/// For each case, whether it belongs to the sample. The sample of a file holds every pair of values of two parameters
/// that any of its cases has. `cases` has the cases of a file next to each other.
pub fn pairwise(cases: &[Case]) -> Vec<bool> {
    let of_one_file = |a: &Case, b: &Case| Arc::ptr_eq(&a.source, &b.source);
    cases.chunk_by(of_one_file).flat_map(pairwise_of_file).collect()
}

/// Repeatedly takes the case with the most new pairs, and the first one among equals, until no pair is missing.
fn pairwise_of_file(cases: &[Case]) -> Vec<bool> {
    let pairs: Vec<BTreeSet<Pair<'_>>> = cases.iter().map(pairs_of).collect();
    let mut missing: BTreeSet<&Pair<'_>> = pairs.iter().flatten().collect();
    let mut chosen = vec![false; cases.len()];
    loop {
        let new = |index: &usize| pairs[*index].iter().filter(|p| missing.contains(p)).count();
        let best = (0..cases.len()).rev().max_by_key(new).filter(|index| new(index) > 0);
        let Some(index) = best else { break };
        chosen[index] = true;
        missing.retain(|pair| !pairs[index].contains(*pair));
    }
    // A file without parameters has one case and no pairs.
    if let [only] = chosen.as_mut_slice() {
        *only = true;
    }
    chosen
}

fn pairs_of(case: &Case) -> BTreeSet<Pair<'_>> {
    let values: Vec<(&str, &Scalar)> =
        case.parameters.iter().map(|(name, value)| (name.as_str(), value)).collect();
    let mut pairs = BTreeSet::new();
    for (index, first) in values.iter().enumerate() {
        let others = &values[index + 1..];
        pairs.extend(others.iter().map(|second| [*first, *second]));
        if values.len() == 1 {
            pairs.insert([*first, *first]);
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;
    use std::path::Path;

    use scenario::{Overrides, cases};

    use super::*;

    /// The cases of a file with these parameters.
    fn matrix(parameters: &[(&str, &str)]) -> Vec<Case> {
        let mut lines = String::new();
        let mut used = String::new();
        for (name, values) in parameters {
            writeln!(lines, "{name} = {values}").expect("a string takes any text");
            write!(used, "${{{name}}} ").expect("a string takes any text");
        }
        let text = format!(
            "title = \"matrix\"\nstory = \"{used}\"\n[parameters]\n{lines}[[step]]\nboot = {{}}\n"
        );
        cases(Path::new("matrix.toml"), text, &Overrides::default()).expect("a scenario")
    }

    #[test]
    fn every_pair_of_values_is_in_the_sample() {
        let cases =
            matrix(&[("a", "[1, 2, 3]"), ("b", "[1, 2, 3]"), ("c", "[1, 2, 3]"), ("d", "[1, 2]")]);
        let sample = pairwise(&cases);
        let all: BTreeSet<Pair<'_>> = cases.iter().flat_map(pairs_of).collect();
        let chosen = || cases.iter().zip(&sample).filter(|(_, in_sample)| **in_sample);
        let covered: BTreeSet<Pair<'_>> = chosen().flat_map(|(case, _)| pairs_of(case)).collect();
        assert_eq!(covered, all);
        assert!(chosen().count() <= 12, "{} of {}", chosen().count(), cases.len());
    }

    #[test]
    fn all_values_of_a_single_parameter_and_a_single_case_are_in_the_sample() {
        assert_eq!(pairwise(&matrix(&[("a", "[1, 2, 3]")])), [true; 3]);
        assert_eq!(pairwise(&matrix(&[])), [true]);
    }

    #[test]
    fn each_file_is_sampled_separately() {
        let two = [matrix(&[("a", "[1, 2]"), ("b", "[1]")]), matrix(&[])].concat();
        assert_eq!(pairwise(&two), [true; 3]);
    }
}
