//! Checks that every scenario in the repository is unchanged after it is written and read again.

use std::path::{Path, PathBuf};

use scenario::{Case, Condition, Overrides, Scenario, cases, to_toml};

fn scenario_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder of scenarios") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            scenario_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "toml") {
            found.push(path);
        }
    }
}

/// Returns the scenario of a case without its parameters.
fn without_parameters(case: &Case) -> Scenario {
    let mut scenario = case.scenario.clone();
    scenario.parameters.clear();
    scenario.except.clear();
    scenario.breaks.retain(|breaks| case.matches(&breaks.when));
    for breaks in &mut scenario.breaks {
        breaks.when = Condition::default();
    }
    scenario.steps.retain(|step| case.matches(&step.get_ref().when));
    for step in &mut scenario.steps {
        let mut unconditional = step.get_ref().clone();
        unconditional.when = Condition::default();
        unconditional.expect.retain(|expect| case.matches(&expect.when));
        for expect in &mut unconditional.expect {
            expect.when = Condition::default();
        }
        *step = scenario::unspanned(unconditional);
    }
    scenario
}

#[test]
fn every_scenario_is_read_back_as_it_was_written() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios");
    let mut files = Vec::new();
    scenario_files(&root, &mut files);
    assert!(!files.is_empty(), "{}", root.display());
    for path in files {
        let read = |text: String| match cases(&path, text, &Overrides::default()) {
            Ok(cases) => cases,
            Err(error) => panic!("{error}"),
        };
        for case in read(std::fs::read_to_string(&path).expect("a scenario file")) {
            let scenario = without_parameters(&case);
            let text = to_toml(&scenario, "");
            let again = read(text.clone());
            assert_eq!(again.len(), 1, "{}", case.name());
            assert_eq!(again[0].scenario, scenario, "{}:\n{text}", case.name());
        }
    }
}
