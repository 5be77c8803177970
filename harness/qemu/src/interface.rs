//! The guest's LAN interface in place of the one that a scenario names.

use scenario::{Action, Scenario};

/// Gives the router's interface another name, also where options of dnsmasq name it.
pub(super) fn rename(scenario: &mut Scenario, to: &str) {
    let from = std::mem::replace(scenario.router.interface.as_mut(), to.to_owned());
    if from == to {
        return;
    }
    let steps = scenario.steps.iter_mut().filter_map(|step| match &mut step.as_mut().action {
        Action::Configure(change) => Some(change),
        _ => None,
    });
    let changed = steps.filter_map(|change| change.options.as_mut()).flatten();
    for option in scenario.server.options.iter_mut().chain(changed) {
        *option.as_mut() = in_option(option.get_ref(), &from, to);
    }
}

/// An option with another name of an interface. A name stands between `=`, `,` and `:`, as in
/// `--dhcp-range=::,constructor:br0,ra-names`.
fn in_option(option: &str, from: &str, to: &str) -> String {
    let mut renamed = String::new();
    for part in option.split_inclusive(['=', ',', ':']) {
        let word = part.trim_end_matches(['=', ',', ':']);
        renamed += if word == from { to } else { word };
        renamed += &part[word.len()..];
    }
    renamed
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::in_option;

    #[rstest]
    #[case("--dhcp-range=::1,::9,constructor:br0,64", "--dhcp-range=::1,::9,constructor:br-lan,64")]
    #[case("--no-dhcp-interface=br0", "--no-dhcp-interface=br-lan")]
    #[case("--dhcp-host=br01,192.168.1.9", "--dhcp-host=br01,192.168.1.9")]
    #[case("--dhcp-authoritative", "--dhcp-authoritative")]
    fn the_name_of_the_interface_is_replaced_where_it_stands_alone(
        #[case] option: &str,
        #[case] expected: &str,
    ) {
        assert_eq!(in_option(option, "br0", "br-lan"), expected);
    }
}
