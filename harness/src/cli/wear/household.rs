//! The household that is counted.

use crate::error::CommandError;
use dnsmasq_model::Release;
use scenario::Seconds;
use wear::Household;

/// A household, as arguments.
#[derive(Debug, clap::Args)]
pub(super) struct HouseholdArgs {
    /// Clients that are always on
    #[arg(long, value_name = "N", default_value_t = 12)]
    clients: u32,
    /// Lease time
    #[arg(long, value_name = "TIME", default_value = "12h")]
    lease_time: Seconds,
    /// Largest deviation of a renewal from half the lease time, in thousandths of it
    #[arg(long, value_name = "N", default_value_t = 50)]
    jitter: u32,
    /// Phones that come and go
    #[arg(long, value_name = "N", default_value_t = 8)]
    phones: u32,
    /// Average time that a phone stays
    #[arg(long, value_name = "TIME", default_value = "10h")]
    phone_home: Seconds,
    /// Average time that a phone is away
    #[arg(long, value_name = "TIME", default_value = "6h")]
    phone_away: Seconds,
    /// Phones return with a new random hardware address, so that they get another lease
    #[arg(long)]
    random_macs: bool,
    /// Guests a month, each with a new device
    #[arg(long, value_name = "N", default_value_t = 8)]
    guests: u32,
    /// Average time that a guest stays
    #[arg(long, value_name = "TIME", default_value = "4h")]
    guest_stay: Seconds,
    /// Number of addresses that the router leases; guests can use them up [default: more than enough]
    #[arg(long, value_name = "N")]
    pool: Option<u32>,
    /// dnsmasq's limit of leases, dhcp-lease-max [default: as many as addresses]
    #[arg(long, value_name = "N")]
    lease_max: Option<u32>,
    /// Orderly reboots a month
    #[arg(long, value_name = "N", default_value_t = 1)]
    reboots: u32,
    /// SIGHUPs to dnsmasq a month
    #[arg(long, value_name = "N", default_value_t = 4)]
    sighups: u32,
    /// Power cuts a year
    #[arg(long, value_name = "N", default_value_t = 4)]
    power_cuts: u32,
    /// Time that the router is off after a power cut
    #[arg(long, value_name = "TIME", default_value = "90s")]
    off: Seconds,
    /// Release of dnsmasq, from 2.33 to 2.92 [default: the newest]
    #[arg(long, value_name = "RELEASE")]
    pub(super) dnsmasq_release: Option<Release>,
    /// Only the clients that are always on: no phones, guests, reboots, SIGHUPs or power cuts
    #[arg(long)]
    quiet: bool,
}

/// The value of an option as seconds in 32 bits.
fn narrow(what: &str, seconds: Seconds) -> Result<u32, CommandError> {
    u32::try_from(seconds.0)
        .map_err(|_| CommandError::Usage(format!("--{what} {seconds}: at most 136 years")))
}

impl HouseholdArgs {
    pub(super) fn household(&self) -> Result<Household, CommandError> {
        let lease_time = narrow("lease-time", self.lease_time)?;
        let household = if self.quiet {
            Household {
                jitter: self.jitter,
                pool: self.pool,
                lease_max: self.lease_max,
                release: self.dnsmasq_release.unwrap_or_default(),
                ..Household::quiet(self.clients, lease_time)
            }
        } else {
            Household {
                clients: self.clients,
                phones: self.phones,
                phone_home: narrow("phone-home", self.phone_home)?,
                phone_away: narrow("phone-away", self.phone_away)?,
                guests: self.guests,
                guest_stay: narrow("guest-stay", self.guest_stay)?,
                lease_time,
                jitter: self.jitter,
                reboots: self.reboots,
                sighups: self.sighups,
                power_cuts: self.power_cuts,
                off: narrow("off", self.off)?,
                random_macs: self.random_macs,
                pool: self.pool,
                lease_max: self.lease_max,
                release: self.dnsmasq_release.unwrap_or_default(),
            }
        };
        household.check().map_err(CommandError::usage)?;
        Ok(household)
    }
}
