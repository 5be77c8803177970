//! A queued call and its rendering (helper.c `queue_script`, `create_helper`).

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::call::{Action, ScriptCall};
use super::clock::Build;
use super::hex::hex_text;
use super::hw_addr::HwAddr;
use super::lease::{ExtraData, Lease, LeaseKind};
use super::names::legal_name;
use super::release::Release;
use super::rules::{
    ClassVariables, GeneratedDuid, NameArgument, Rules, TimeRemaining, UserClasses,
};
use super::stale_buffers::StaleBuffers;
use super::text::Text;

/// The subject of a call.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Subject<'a> {
    Lease { lease: &'a Lease, name: Option<&'a Text> },
    Neighbour { hw: &'a HwAddr, addr: IpAddr },
    Transfer { size: u64, client: IpAddr, path: &'a [u8] },
}

/// A call that dnsmasq has just queued. Rendering it with [`PendingCall::render`] is expensive; counting it is not.
#[derive(Debug)]
pub struct PendingCall<'a> {
    /// Why the script is called.
    pub action: Action,
    pub(crate) subject: Subject<'a>,
    pub(crate) context: &'a CallContext,
    pub(crate) stale: &'a StaleBuffers,
    /// dnsmasq's clock when the call was queued.
    pub(crate) now: i64,
}

/// The values that are the same in all calls of one dnsmasq process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CallContext {
    pub(crate) build: Build,
    pub(crate) rules: Rules,
    pub(crate) script: Vec<u8>,
    /// The names of the server's interfaces.
    pub(crate) interfaces: Vec<Vec<u8>>,
    pub(crate) server_duid: Vec<u8>,
    /// Whether the server's DUID was read from the database.
    pub(crate) duid_was_stored: bool,
    pub(crate) log_dhcp: bool,
}

impl CallContext {
    /// Returns whether `DNSMASQ_SERVER_DUID` is the server's DUID.
    pub(crate) fn reports_server_duid(&self) -> bool {
        self.duid_was_stored || self.rules.generated_duid == GeneratedDuid::Known
    }
}

impl PendingCall<'_> {
    /// Returns the lease that the call is about, if any.
    #[must_use]
    pub fn lease(&self) -> Option<&Lease> {
        match self.subject {
            Subject::Lease { lease, .. } => Some(lease),
            _ => None,
        }
    }

    /// Returns the host name of the call, including its domain if it has one.
    #[must_use]
    pub fn name(&self) -> Option<&Text> {
        match self.subject {
            Subject::Lease { name, .. } => name,
            _ => None,
        }
    }

    /// Renders the call as the helper executes it (helper.c `create_helper`).
    #[must_use]
    pub fn render(&self) -> ScriptCall {
        let mut argv = vec![self.context.script.clone(), self.action.as_str().as_bytes().to_vec()];
        let mut env = BTreeMap::new();
        match self.subject {
            Subject::Lease { lease, name } => {
                self.lease_arguments(lease, name, &mut argv, &mut env);
            }
            Subject::Neighbour { hw, addr } => {
                argv.push(hw.text().into_bytes());
                argv.push(addr.to_string().into_bytes());
            }
            Subject::Transfer { size, client, path } => {
                argv.push(size.to_string().into_bytes());
                argv.push(client.to_string().into_bytes());
                argv.push(path.to_vec());
                let rules = &self.context.rules;
                if self.context.log_dhcp && rules.log_dhcp_variable && rules.log_dhcp_in_tftp {
                    env.insert("DNSMASQ_LOG_DHCP".to_owned(), b"1".to_vec());
                }
            }
        }
        ScriptCall { argv, env }
    }

    fn lease_arguments(
        &self,
        lease: &Lease,
        name: Option<&Text>,
        argv: &mut Vec<Vec<u8>>,
        env: &mut BTreeMap<String, Vec<u8>>,
    ) {
        let rules = &self.context.rules;
        let mut set = |name: &str, value: Vec<u8>| {
            env.insert(["DNSMASQ_", name].concat(), value);
        };
        let clid = lease.clid.as_deref().unwrap_or_default();
        let v6 = lease.kind.is_v6();
        if let LeaseKind::V6(kind) = lease.kind {
            argv.push(match (clid.is_empty(), rules.mac6) {
                (false, _) => hex_text(clid).into_bytes(),
                (true, true) => self.stale.packet.text(),
                (true, false) => self.stale.argument.clone(),
            });
            set("IAID", kind.iaid_text(lease.iaid).into_bytes());
            set("SERVER_DUID", self.server_duid());
            if !lease.hw.is_empty() && rules.mac6 {
                set("MAC", lease.hw.text().into_bytes());
            }
        } else {
            argv.push(lease.hw.text().into_bytes());
            if !clid.is_empty() {
                set("CLIENT_ID", hex_text(clid).into_bytes());
            }
        }
        let relay = lease.giaddr.filter(|_| !v6 && rules.relay_address_variable);
        argv.push(match relay.filter(|_| rules.relay_replaces_address) {
            Some(relay) => relay.to_string().into_bytes(),
            None => lease.addr.to_string().into_bytes(),
        });
        let own = lease.interface.and_then(|own| self.context.interfaces.get(usize::from(own)));
        if let Some(own) = own {
            set("INTERFACE", own.clone());
        }
        let time = |number: String| {
            if rules.space_after_times { number + " " } else { number }.into_bytes()
        };
        match self.context.build {
            Build::NoRtc => set("LEASE_LENGTH", time(lease.length.to_string())),
            Build::Rtc => set("LEASE_EXPIRES", time((lease.expires as u64).to_string())),
        }
        let name = name.and_then(|name| argument_name(name, rules));
        let (name, domain) = match &name {
            None => (None, None),
            Some(name) => match name.iter().position(|&b| b == b'.') {
                Some(dot) if rules.domain_variable => (Some(&name[..dot]), Some(&name[dot + 1..])),
                _ => (Some(&name[..]), None),
            },
        };
        if let Some(domain) = domain {
            set("DOMAIN", domain.to_vec());
        }
        match lease.extra.as_deref() {
            None if rules.data_missing_variable => set("DATA_MISSING", b"1".to_vec()),
            None => {}
            Some(extra) => extra_variables(extra, v6, self.action, rules, &mut set),
        }
        if let Some(relay) = relay {
            set("RELAY_ADDRESS", relay.to_string().into_bytes());
        }
        let remaining = match rules.time_remaining {
            TimeRemaining::Never => None,
            TimeRemaining::NotInDel | TimeRemaining::NotInDelNorZero
                if self.action == Action::Del =>
            {
                None
            }
            // For an infinite lease, this is (unsigned int)difftime(0, now).
            TimeRemaining::Always | TimeRemaining::NotInDel => {
                Some(difference(lease.expires, self.now))
            }
            TimeRemaining::NotInDelNorZero => {
                Some(remaining_time(lease.expires, self.now)).filter(|remaining| *remaining != 0)
            }
        };
        if let Some(remaining) = remaining {
            set("TIME_REMAINING", time(remaining.to_string()));
        }
        if self.context.log_dhcp && rules.log_dhcp_variable {
            set("LOG_DHCP", b"1".to_vec());
        }
        if let Some(name) = name {
            if self.action == Action::OldHostname {
                set("OLD_HOSTNAME", name.to_vec());
            } else {
                argv.push(name.to_vec());
            }
        }
    }

    fn server_duid(&self) -> Vec<u8> {
        let context = self.context;
        match context.rules.generated_duid {
            GeneratedDuid::Stale if !context.duid_was_stored => self.stale.packet.text(),
            GeneratedDuid::Empty if !context.duid_was_stored => Vec::new(),
            _ => hex_text(&context.server_duid).into_bytes(),
        }
    }
}

/// Returns the host name that the helper of this release passes as an argument for a lease with this name, or `None` if
/// it passes none.
#[must_use]
pub fn hostname_argument(name: &[u8], release: Release) -> Option<Vec<u8>> {
    let rules = Rules::of(release);
    let mut name = argument_name(name, &rules)?;
    if rules.domain_variable {
        let end = name.iter().position(|byte| *byte == b'.').unwrap_or(name.len());
        name.truncate(end);
    }
    Some(name)
}

/// Returns the name as the helper passes it, including its domain, or `None` if it is not passed.
fn argument_name(name: &[u8], rules: &Rules) -> Option<Vec<u8>> {
    match rules.name_argument {
        NameArgument::Unchecked => {
            // The helper only removes a trailing dot.
            let name = super::names::c_string(name);
            let legal = legal_name(name, rules.name_syntax);
            Some(legal.filter(|_| rules.reports_lost_names).unwrap_or(name).to_vec())
        }
        NameArgument::WithoutSpaces if name.contains(&b' ') => None,
        NameArgument::WithoutSpaces | NameArgument::Legal => {
            legal_name(name, rules.name_syntax).map(<[u8]>::to_vec)
        }
    }
}

/// Truncates a value at the first `=` or NUL, or returns `None` for an empty value (helper.c `grab_extradata`).
fn grab(value: &[u8]) -> Option<Vec<u8>> {
    let value = super::names::c_string(value);
    if value.is_empty() {
        return None;
    }
    let end = value.iter().position(|&b| b == b'=').unwrap_or(value.len());
    Some(value[..end].to_vec())
}

fn extra_variables(
    extra: &ExtraData,
    v6: bool,
    action: Action,
    rules: &Rules,
    set: &mut impl FnMut(&str, Vec<u8>),
) {
    let mut set_unless_empty = |name: &str, value: &[u8], exists: bool| {
        if let Some(value) = grab(value).filter(|_| exists) {
            set(name, value);
        }
    };
    let classes = match rules.classes {
        ClassVariables::None => false,
        ClassVariables::InAdd => action == Action::Add,
        ClassVariables::UntilNextCall => true,
    };
    if v6 {
        for (i, class) in extra.vendor_classes.iter().enumerate() {
            match i.checked_sub(1) {
                None => set_unless_empty("VENDOR_CLASS_ID", class, true),
                Some(i) => set_unless_empty(&format!("VENDOR_CLASS{i}"), class, true),
            }
        }
        set_unless_empty("RELAY_ADDRESS", &extra.relay_address, true);
    } else {
        set_unless_empty("VENDOR_CLASS", &extra.vendor_class, classes);
        set_unless_empty("CPEWAN_OUI", &extra.cpewan[0], rules.tags_variable);
        set_unless_empty("CPEWAN_SERIAL", &extra.cpewan[1], rules.tags_variable);
        set_unless_empty("CPEWAN_CLASS", &extra.cpewan[2], rules.tags_variable);
        set_unless_empty("CIRCUIT_ID", &extra.circuit_id, rules.agent_variables);
        set_unless_empty("SUBSCRIBER_ID", &extra.subscriber_id, rules.agent_variables);
        set_unless_empty("REMOTE_ID", &extra.remote_id, rules.agent_variables);
    }
    let supplied = rules.supplied_hostname_variable;
    set_unless_empty("SUPPLIED_HOSTNAME", &extra.supplied_hostname, supplied);
    let requested =
        if v6 { rules.requested_options6_variable } else { rules.requested_options_variable };
    set_unless_empty("REQUESTED_OPTIONS", &extra.requested_options, requested);
    set_unless_empty("MUD_URL", &extra.mud_url, rules.mud_url_variable);
    set_unless_empty("TAGS", &extra.tags, rules.tags_variable);
    let user_classes: Vec<&Vec<u8>> = match rules.user_classes {
        _ if v6 => extra.user_classes.iter().collect(),
        UserClasses::NonEmpty => extra.user_classes.iter().filter(|c| !c.is_empty()).collect(),
        UserClasses::First => extra.user_classes.iter().take(1).collect(),
        UserClasses::All => extra.user_classes.iter().collect(),
    };
    for (i, class) in user_classes.into_iter().enumerate() {
        set_unless_empty(&format!("USER_CLASS{i}"), class, classes || v6);
    }
}

/// Computes `(unsigned int)difftime(expires, now)`, which wraps around if the lease has already expired (helper.c
/// `queue_script`).
pub(crate) fn remaining_time(expires: i64, now: i64) -> u32 {
    if expires == 0 { 0 } else { difference(expires, now) }
}

/// Computes `(unsigned int)difftime(expires, now)`.
fn difference(expires: i64, now: i64) -> u32 {
    // A double that fits into 64 bits is truncated to its low half. Beyond that, the low half of the processor's
    // "indefinite" integer is 0.
    let difference = (i128::from(expires) - i128::from(now)) as f64;
    if difference.abs() < 9_223_372_036_854_775_808.0 { difference as i64 as u32 } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_end_at_an_equals_sign() {
        assert_eq!(grab(b"other vendor=with equals"), Some(b"other vendor".to_vec()));
        assert_eq!(grab(b"=x"), Some(Vec::new()));
        assert_eq!(grab(b""), None);
    }

    #[test]
    fn time_remaining_wraps() {
        assert_eq!(remaining_time(1000, 2400), 4_294_965_896);
        assert_eq!(remaining_time(0, 2400), 0);
        assert_eq!(remaining_time(i64::MAX, -1), 0);
    }
}
