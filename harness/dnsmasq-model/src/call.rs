//! A script call (helper.c `queue_script` and `create_helper`).

use std::collections::BTreeMap;

/// A script call: the arguments and variables of `execve`. `argv[0]` is the base name of the script.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ScriptCall {
    /// The arguments, starting with the script's name.
    pub argv: Vec<Vec<u8>>,
    /// The `DNSMASQ_*` variables.
    pub env: BTreeMap<String, Vec<u8>>,
}

impl ScriptCall {
    /// Returns `argv[1]`: `init`, `add`, `old`, `del`, `arp-add`, `arp-del` or `tftp`.
    #[must_use]
    pub fn action(&self) -> &[u8] {
        self.argv.get(1).map_or(&[], Vec::as_slice)
    }

    /// Maximum length of the text of a client identifier or DUID after [`ScriptCall::truncate_ids`].
    pub const MAX_ID_TEXT: usize = 100 * "00:".len();

    /// Truncates the client identifier and the DUID like a dnsmasq with the fix for CVE-2026-4892 (March 2026; in
    /// Debian since 2.90-4~deb12u2): the helper converts at most 100 bytes, and the text of a longer identifier ends in
    /// a colon (helper.c `create_helper`).
    pub fn truncate_ids(&mut self) {
        if let Some(id) = self.env.get_mut("DNSMASQ_CLIENT_ID") {
            id.truncate(Self::MAX_ID_TEXT);
        }
        if self.env.contains_key("DNSMASQ_IAID") {
            self.argv.iter_mut().skip(2).take(1).for_each(|duid| duid.truncate(Self::MAX_ID_TEXT));
        }
    }
}

/// Why the script is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Action {
    /// A new lease.
    Add,
    /// A lease has changed. After SIGHUP and at start, there is such a call for every lease.
    Old,
    /// `old` with `DNSMASQ_OLD_HOSTNAME`: the lease lost its name.
    OldHostname,
    /// A lease has ended.
    Del,
    /// A neighbour appeared (`--script-arp`).
    ArpAdd,
    /// A neighbour disappeared (`--script-arp`).
    ArpDel,
    /// A TFTP transfer ended.
    Tftp,
}

impl Action {
    /// Returns the first argument of the script.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Action::Add => "add",
            Action::Old | Action::OldHostname => "old",
            Action::Del => "del",
            Action::ArpAdd => "arp-add",
            Action::ArpDel => "arp-del",
            Action::Tftp => "tftp",
        }
    }
}

/// Returns the `init` call. dnsmasq runs it with popen() before all other calls and sets no variables (lease.c
/// `lease_init`).
#[must_use]
pub(crate) fn init_call(script: &[u8]) -> ScriptCall {
    ScriptCall { argv: vec![script.to_vec(), b"init".to_vec()], env: BTreeMap::new() }
}
