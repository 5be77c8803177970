//! The variables that are not leases: nobody may lose, change or add one.

use std::collections::BTreeMap;

use nvram_emu::Machine;

/// Variables by name.
pub(crate) type Variables = BTreeMap<Vec<u8>, Vec<u8>>;

/// Both views of the NVRAM.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Views {
    /// What `get` gives.
    pub(crate) ram: Variables,
    /// What the next boot will load.
    pub(crate) flash: Variables,
}

impl Views {
    /// Looks at a machine.
    pub(crate) fn of(machine: &Machine) -> Self {
        let collect = |variables: Option<Vec<(Vec<u8>, Vec<u8>)>>| {
            variables.unwrap_or_default().into_iter().collect()
        };
        Self { ram: collect(machine.ram_variables()), flash: collect(machine.flash_variables()) }
    }

    /// How the neighbours in `now` differ from what a well-behaved script leaves of these: RAM as it
    /// was, each variable in flash as it was in flash or in RAM. The tools' own `sdram_*` may be added.
    pub(crate) fn harm(&self, now: &Self, prefix: &[u8]) -> Vec<String> {
        let mut harm = compare(&[&self.ram], &now.ram, prefix, "RAM");
        harm.extend(compare(&[&self.flash, &self.ram], &now.flash, prefix, "flash"));
        harm
    }

    /// The variables whose names begin with `prefix`.
    pub(crate) fn leases<'a>(
        variables: &'a Variables,
        prefix: &'a [u8],
    ) -> impl Iterator<Item = (&'a Vec<u8>, &'a Vec<u8>)> {
        variables.iter().filter(move |(name, _)| name.starts_with(prefix))
    }
}

fn compare(allowed: &[&Variables], now: &Variables, prefix: &[u8], place: &str) -> Vec<String> {
    let names = allowed.iter().flat_map(|variables| variables.keys()).chain(now.keys());
    let names: std::collections::BTreeSet<&Vec<u8>> =
        names.filter(|name| !name.starts_with(prefix)).collect();
    names
        .into_iter()
        .filter_map(|name| {
            let value = now.get(name);
            if allowed.iter().any(|variables| variables.get(name) == value) {
                return None;
            }
            let added = allowed.iter().all(|variables| !variables.contains_key(name));
            if added && name.starts_with(b"sdram_") {
                return None;
            }
            let what = match (added, value) {
                (true, _) => "added",
                (false, None) => "lost",
                (false, Some(_)) => "changed",
            };
            Some(format!("{} was {what} in {place}", name.escape_ascii()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn views(ram: &[(&str, &str)], flash: &[(&str, &str)]) -> Views {
        let collect = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(n, v)| (n.as_bytes().to_vec(), v.as_bytes().to_vec())).collect()
        };
        Views { ram: collect(ram), flash: collect(flash) }
    }

    #[test]
    fn a_commit_may_save_what_another_program_had_set() {
        let before = views(&[("ssid", "new")], &[("ssid", "old")]);
        let after =
            views(&[("ssid", "new"), ("lease_1", "x")], &[("ssid", "new"), ("lease_1", "x")]);
        assert_eq!(before.harm(&after, b"lease_"), Vec::<String>::new());
    }

    #[test]
    fn losing_changing_and_adding_are_told_apart() {
        let before = views(&[("a", "1"), ("b", "1")], &[("a", "1"), ("b", "1")]);
        let after =
            views(&[("a", "2"), ("c", "1")], &[("a", "1"), ("b", "1"), ("sdram_init", "0")]);
        assert_eq!(
            before.harm(&after, b"lease_"),
            ["a was changed in RAM", "b was lost in RAM", "c was added in RAM"]
        );
    }
}
