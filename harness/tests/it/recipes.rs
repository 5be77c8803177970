//! The CI recipes: their commands, as they are written in the files of the repository.

use std::fs;
use std::path::{Path, PathBuf};

use predicates::str::contains;
use saphyr::{LoadableYamlNode as _, Yaml};

use crate::lab::Lab;

fn recipe(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../ci").join(path)
}

fn yaml(path: &str) -> String {
    fs::read_to_string(recipe(path)).expect("a recipe")
}

/// A lab like the repository of a firmware: a lease script and one scenario of its own.
fn firmware() -> Lab {
    let lab = Lab::new();
    let script = include_str!("../../../lease-script/lease_update.sh");
    lab.write("files/usr/sbin/lease_update.sh", script);
    lab.command(&["scenario", "new", "scenarios/first.toml"]).assert().success();
    lab
}

/// The commands of a list of steps, without those that install leaselab or change the machine.
fn runs<'y>(steps: &'y Yaml<'y>, key: &str) -> Vec<&'y str> {
    let list = steps.as_sequence().expect("a list of steps");
    let commands = list.iter().filter_map(|step| match step.as_str() {
        Some(command) => Some(command),
        None => step.as_mapping_get(key).and_then(|command| command.as_str()),
    });
    commands.filter(|text| !text.contains("sudo ") && !text.contains("cargo install")).collect()
}

#[test]
fn the_github_action_checks_a_script() {
    let text = yaml("github/action.yml");
    let documents = Yaml::load_from_str(&text).expect("YAML");
    let action = &documents[0];
    let commands = runs(&action["runs"]["steps"], "run");
    assert_eq!(commands, ["\"$GITHUB_ACTION_PATH/check\""]);
    let lab = firmware();
    lab.write("script-that-stores-nothing.sh", "#!/bin/sh\nexit 0\n");
    for (options, code) in [("--quick --jobs 2", 1), ("--quick --allow survives", 0)] {
        lab.shell(commands[0])
            .env("GITHUB_ACTION_PATH", recipe("github"))
            .env("GITHUB_STEP_SUMMARY", lab.path().join("summary.md"))
            .env("INPUT_SCRIPT", "script-that-stores-nothing.sh")
            .env("INPUT_SHELL", "sh")
            .env("INPUT_OPTIONS", options)
            .env("LEASELAB", env!("CARGO_BIN_EXE_leaselab"))
            .assert()
            .code(code)
            .stdout(contains("survives"));
        for report in ["page.txt", "junit.xml", "report.json", "report.html"] {
            assert!(!lab.read(&format!("leaselab-report/{report}")).is_empty(), "{report}");
        }
    }
    assert!(lab.read("summary.md").contains("```\n"), "no page in the summary");
}

#[test]
fn the_shards_of_the_github_workflow_merge_into_one_report() {
    let text = yaml("github/example-workflow.yml");
    let documents = Yaml::load_from_str(&text).expect("YAML");
    let jobs = &documents[0]["jobs"];
    let lab = firmware();
    let shards = jobs["scenarios"]["strategy"]["matrix"]["shard"].as_sequence().expect("shards");
    assert_eq!(shards.len(), 4);
    for shard in shards {
        let shard = shard.as_integer().expect("a number").to_string();
        for command in runs(&jobs["scenarios"]["steps"], "run") {
            lab.shell(&command.replace("${{ matrix.shard }}", &shard)).assert().success();
        }
    }
    for command in runs(&jobs["report"]["steps"], "run") {
        lab.shell(command).assert().success();
    }
    assert!(lab.read("report.html").contains("<html"), "no page");
}

#[test]
fn the_jobs_of_gitlab_merge_into_one_report() {
    let text = yaml("gitlab/leaselab.gitlab-ci.yml");
    let documents = Yaml::load_from_str(&text).expect("YAML");
    let file = &documents[0];
    let script = file["variables"]["LEASE_SCRIPT"].as_str().expect("a path");
    let lab = firmware();
    let jobs = file["leases"]["parallel"].as_integer().expect("a number");
    for job in 1..=jobs {
        for command in runs(&file["leases"]["script"], "run") {
            lab.shell(command)
                .env("LEASE_SCRIPT", script)
                .env("CI_NODE_INDEX", job.to_string())
                .env("CI_NODE_TOTAL", jobs.to_string())
                .assert()
                .success();
        }
    }
    for command in runs(&file["leases-page"]["script"], "run") {
        lab.shell(command).assert().success();
    }
    assert!(lab.read("report.html").contains("<html"), "no page");
}

#[test]
fn the_tasks_of_a_job_array_merge_into_one_fleet() {
    let lab = firmware();
    let file = recipe("slurm/fleet.sbatch");
    for task in ["1", "2", "3"] {
        lab.shell(&format!("sh '{}'", file.display()))
            .env("HOUSEHOLDS", "12")
            .env("SLURM_ARRAY_TASK_ID", task)
            .env("SLURM_ARRAY_TASK_COUNT", "3")
            .assert()
            .success();
    }
    lab.shell(&format!("sh '{}' merge", file.display()))
        .assert()
        .success()
        .stdout(contains("12 households"));
}
