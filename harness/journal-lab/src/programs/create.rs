//! Creates the program of each strategy.

use super::dhcpd::{self, Dhcpd, Swap};
use super::dnsmasq::Dnsmasq;
use super::kea::Kea;
use super::lease_update::LeaseUpdate;
use super::program::Program;
use disk_model::Disk;
use scenario::Strategy;

/// Creates the program of a strategy. It has not been started yet.
pub(crate) fn program(strategy: Strategy) -> Box<dyn Program> {
    match strategy {
        Strategy::OldManual => Box::new(Dhcpd::new(Swap::TwoRenames)),
        Strategy::Dhcpd44 | Strategy::Dhcpd44NoLink => Box::new(Dhcpd::new(Swap::LinkAndRename)),
        Strategy::Dnsmasq => Box::new(Dnsmasq::default()),
        Strategy::Kea => Box::new(Kea::default()),
        Strategy::Ours => Box::new(LeaseUpdate),
    }
}

/// Creates the files that the installation of the program creates.
pub(crate) fn install(strategy: Strategy, disk: &mut Disk) {
    if matches!(strategy, Strategy::OldManual | Strategy::Dhcpd44 | Strategy::Dhcpd44NoLink) {
        // dhcpd does not start without its lease file.
        disk.create_synced(dhcpd::LIVE, b"");
    }
}
