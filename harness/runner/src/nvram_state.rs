//! What NVRAM holds in RAM and in flash, and whether variables that are not leases were lost, changed or added.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use nvram_emu::Machine;
use nvram_emu::dialect::Loaded;

use scenario::digest;

use super::owned_variables::OwnedVariables;
use super::severity::Severity;

/// Prefix of variables that the tools add on their own.
const SDRAM: &[u8] = b"sdram_";

/// Variables by name.
pub type Variables = BTreeMap<Vec<u8>, Vec<u8>>;

/// Sums of hashes of variables. Two stores with equal sums hold the same variables, in any order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct Sums {
    /// Lease variables.
    own: u128,
    /// Variables that the tools add on their own: `sdram_*`.
    sdram: u128,
    /// All other variables.
    others: u128,
    /// Number of all other variables.
    count: usize,
}

/// The variables in RAM or in flash. Cheap to clone; the map by name is made when it is first used.
#[derive(Clone, Debug, Default)]
pub struct NvramSnapshot(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    loaded: Option<Loaded>,
    sums: Sums,
    variables: OnceLock<Variables>,
}

impl NvramSnapshot {
    /// The variables of a load; a clone of `like` if that has the same load.
    fn of(loaded: Option<Loaded>, owned: &OwnedVariables, like: Option<&Self>) -> Self {
        if let Some(like) = like.filter(|like| same_load(loaded.as_ref(), like.0.loaded.as_ref())) {
            return like.clone();
        }
        let texts = loaded.iter().flat_map(|loaded| loaded.table().raw_entries());
        let sums = Sums::of(texts, owned);
        Self(Arc::new(Inner { loaded, sums, variables: OnceLock::new() }))
    }

    /// The variables by name.
    pub fn variables(&self) -> &Variables {
        self.0.variables.get_or_init(|| {
            let pairs = self.0.loaded.iter().flat_map(|loaded| loaded.table().iter());
            pairs.map(|(name, value)| (name.to_vec(), value.to_vec())).collect()
        })
    }

    /// The value of one variable.
    pub fn get(&self, name: &[u8]) -> Option<&[u8]> {
        match &self.0.loaded {
            Some(loaded) => loaded.table().get(name),
            None => self.variables().get(name).map(Vec::as_slice),
        }
    }

    /// Whether both share one load of the same image.
    pub fn is_load_of(&self, other: &Self) -> bool {
        same_load(self.0.loaded.as_ref(), other.0.loaded.as_ref())
    }

    /// A hash of the variables that are not leases.
    pub fn neighbours(&self) -> u64 {
        digest::of(&(self.0.sums.sdram, self.0.sums.others))
    }
}

impl PartialEq for NvramSnapshot {
    fn eq(&self, other: &Self) -> bool {
        self.0.sums == other.0.sums
    }
}

fn same_load(a: Option<&Loaded>, b: Option<&Loaded>) -> bool {
    match (a, b) {
        (Some(Loaded::File(a)), Some(Loaded::File(b))) => Arc::ptr_eq(a, b),
        (Some(Loaded::Kernel(a)), Some(Loaded::Kernel(b))) => Arc::ptr_eq(a, b),
        _ => false,
    }
}

impl Sums {
    /// The sums of entries `name=value` with their NUL.
    fn of<'v>(texts: impl Iterator<Item = &'v [u8]>, owned: &OwnedVariables) -> Self {
        let mut sums = Self::default();
        for text in texts {
            let one = digest::of_bytes(text);
            let end = text.iter().position(|byte| *byte == b'=').unwrap_or(text.len());
            let sum = if owned.contains(&text[..end]) {
                &mut sums.own
            } else if text.starts_with(SDRAM) {
                &mut sums.sdram
            } else {
                sums.count += 1;
                &mut sums.others
            };
            *sum = sum.wrapping_add(one);
        }
        sums
    }

    /// Whether the variables that are not leases are equal.
    fn same_neighbours(self, other: Self) -> bool {
        (self.sdram, self.others) == (other.sdram, other.others)
    }
}

/// What NVRAM holds in RAM and in flash.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NvramState {
    /// What `nvram get` prints.
    pub ram: NvramSnapshot,
    /// What the next boot will load.
    pub flash: NvramSnapshot,
}

impl NvramState {
    /// The state of a machine of whose variables these belong to the script. Parts that have not changed since `before` are
    /// taken from it.
    pub fn of(machine: &Machine, owned: &OwnedVariables, before: Option<&Self>) -> Self {
        let flash =
            NvramSnapshot::of(machine.load_flash(), owned, before.map(|before| &before.flash));
        let ram = machine.load_ram();
        let ram =
            match before.filter(|before| same_load(ram.as_ref(), before.ram.0.loaded.as_ref())) {
                Some(before) => before.ram.clone(),
                None => NvramSnapshot::of(ram, owned, Some(&flash)),
            };
        Self { ram, flash }
    }

    /// The state after a boot: RAM holds what flash holds.
    pub fn booted(flash: NvramSnapshot) -> Self {
        Self { ram: flash.clone(), flash }
    }

    /// What a boot would load from flash.
    pub fn flash_of(machine: &Machine, owned: &OwnedVariables) -> NvramSnapshot {
        NvramSnapshot::of(machine.load_flash(), owned, None)
    }

    /// Describes the variables that are not leases and were lost, changed or added in `now`. In RAM they must be as before;
    /// in flash, as before in flash or in RAM. The tools may add their own `sdram_*`.
    pub fn neighbour_differences(
        &self,
        now: &Self,
        owned: &OwnedVariables,
    ) -> Vec<NeighbourDifference> {
        let mut differences = compare(&[&self.ram], &now.ram, owned, "RAM");
        differences.extend(compare(&[&self.flash, &self.ram], &now.flash, owned, "flash"));
        differences
    }

    /// Whether a boot from `flash` would lose, change or add a variable that is not a lease. Faster than
    /// [`NvramState::neighbour_differences`].
    pub fn neighbours_differ_in(&self, flash: &NvramSnapshot, owned: &OwnedVariables) -> bool {
        let allowed = [&self.flash, &self.ram];
        if is_fine(&allowed, flash) {
            return false;
        }
        let (old, ram, now) = (self.flash.0.sums, self.ram.0.sums, flash.0.sums);
        // If RAM was equal to flash, no variable may be missing.
        (old.same_neighbours(ram) && now.count < old.count)
            || !compare(&allowed, flash, owned, "flash").is_empty()
    }

    /// Whether the lease records in RAM are also those in `now`'s RAM, and in its flash if that has changed.
    pub(crate) fn keeps_records(&self, now: &Self) -> bool {
        let same = |later: &NvramSnapshot| self.ram.0.sums.own == later.0.sums.own;
        same(&now.ram) && (now.flash == self.flash || same(&now.flash))
    }

    /// The variables that belong to the script.
    pub fn leases<'a>(
        variables: &'a Variables,
        owned: &'a OwnedVariables,
    ) -> impl Iterator<Item = (&'a Vec<u8>, &'a Vec<u8>)> {
        variables.iter().filter(move |(name, _)| owned.contains(name))
    }
}

/// What happened to a variable of another program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NeighbourChange {
    /// It was not there before.
    Added,
    /// It has another value.
    Changed,
    /// It is not there any more.
    Lost,
}

impl NeighbourChange {
    fn name(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Changed => "changed",
            Self::Lost => "lost",
        }
    }
}

/// A variable of another program that is not as it was.
#[derive(Clone, Debug)]
pub struct NeighbourDifference {
    /// The name of the variable.
    pub name: Vec<u8>,
    /// What happened to it.
    pub change: NeighbourChange,
    /// A description.
    pub text: String,
}

impl NeighbourDifference {
    /// How serious it is: a variable that was added takes room, but no setting is lost.
    pub fn severity(&self) -> Severity {
        match self.change {
            NeighbourChange::Added => Severity::Risk,
            NeighbourChange::Changed | NeighbourChange::Lost => Severity::Bug,
        }
    }
}

fn is_fine(allowed: &[&NvramSnapshot], now: &NvramSnapshot) -> bool {
    allowed.iter().any(|old| old.0.sums.same_neighbours(now.0.sums))
}

fn compare(
    allowed: &[&NvramSnapshot],
    now: &NvramSnapshot,
    owned: &OwnedVariables,
    place: &str,
) -> Vec<NeighbourDifference> {
    if is_fine(allowed, now) {
        return Vec::new();
    }
    let names = allowed.iter().flat_map(|contents| contents.variables().keys());
    let names: BTreeSet<&Vec<u8>> =
        names.chain(now.variables().keys()).filter(|name| !owned.contains(name)).collect();
    names
        .into_iter()
        .filter_map(|name| {
            let value = now.get(name);
            if allowed.iter().any(|old| old.get(name) == value) {
                return None;
            }
            let added = allowed.iter().all(|old| old.get(name).is_none());
            if added && name.starts_with(SDRAM) {
                return None;
            }
            let change = match (added, value) {
                (true, _) => NeighbourChange::Added,
                (false, None) => NeighbourChange::Lost,
                (false, Some(_)) => NeighbourChange::Changed,
            };
            let text = format!("{} was {} in {place}", name.escape_ascii(), change.name());
            Some(NeighbourDifference { name: name.clone(), change, text })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owned() -> OwnedVariables {
        OwnedVariables::with_prefix(b"lease_")
    }

    fn texts(differences: &[NeighbourDifference]) -> Vec<&str> {
        differences.iter().map(|difference| difference.text.as_str()).collect()
    }

    fn views(ram: &[(&str, &str)], flash: &[(&str, &str)]) -> NvramState {
        let collect = |pairs: &[(&str, &str)]| {
            let bytes = || pairs.iter().map(|(n, v)| (n.as_bytes(), v.as_bytes()));
            let variables: Variables = bytes().map(|(n, v)| (n.to_vec(), v.to_vec())).collect();
            let texts: Vec<_> = bytes().map(|(n, v)| [n, b"=", v, b"\0"].concat()).collect();
            let sums = Sums::of(texts.iter().map(Vec::as_slice), &owned());
            NvramSnapshot(Arc::new(Inner { loaded: None, sums, variables: variables.into() }))
        };
        NvramState { ram: collect(ram), flash: collect(flash) }
    }

    #[test]
    fn a_commit_may_save_what_another_program_had_set() {
        let before = views(&[("ssid", "new")], &[("ssid", "old")]);
        let after =
            views(&[("ssid", "new"), ("lease_1", "x")], &[("ssid", "new"), ("lease_1", "x")]);
        assert!(before.neighbour_differences(&after, &owned()).is_empty());
    }

    #[test]
    fn lost_changed_and_added_variables_are_reported_as_such() {
        let before = views(&[("a", "1"), ("b", "1")], &[("a", "1"), ("b", "1")]);
        let after =
            views(&[("a", "2"), ("c", "1")], &[("a", "1"), ("b", "1"), ("sdram_init", "0")]);
        assert_eq!(
            texts(&before.neighbour_differences(&after, &owned())),
            ["a was changed in RAM", "b was lost in RAM", "c was added in RAM"]
        );
    }
}
