//! How to read a lease file: the options of all commands.

use std::path::PathBuf;
use std::sync::Arc;

use clap::ValueEnum;
use lease_formats::dhcpd::{Config, Family, Options, View};
use lease_formats::exchange::Format;
use lease_formats::exchange::dnsmasq::Times;
use lease_formats::exchange::kea::Release;

use super::clock;
use super::open_file::unreadable;
use crate::error::CommandError;

/// Which records of a dhcpd.leases count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ViewChoice {
    /// What dhcpd 4.4 keeps after a restart at the clock of --now
    Dhcpd,
    /// Every complete record: what can be salvaged
    #[value(name = "careful")]
    Salvage,
    /// The last declaration of each address that dhcpd's parser accepts
    Text,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Protocol {
    /// DHCPv4
    V4,
    /// DHCPv6
    V6,
}

/// Formats, by their names on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum FormatChoice {
    /// ISC dhcpd's dhcpd.leases
    Dhcpd,
    /// dnsmasq's lease file
    Dnsmasq,
    /// Kea's memfile
    KeaCsv,
    /// The JSON object that `convert --to json` and `show --json` write
    Json,
    /// The state file of OpenWrt's odhcpd
    Odhcpd,
    /// The leases of bootpd of macOS, /var/db/dhcpd_leases
    Bootpd,
    /// The status file of a virtual network of libvirt
    Libvirt,
}

/// Releases of Kea, by their numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum KeaRelease {
    /// Kea 2.2, as in Debian 12
    #[value(name = "2.2")]
    V2_2,
    /// Kea 3.0
    #[value(name = "3.0")]
    V3_0,
}

impl From<FormatChoice> for Format {
    fn from(form: FormatChoice) -> Self {
        match form {
            FormatChoice::Dhcpd => Self::Dhcpd,
            FormatChoice::Dnsmasq => Self::Dnsmasq,
            FormatChoice::KeaCsv => Self::KeaCsv,
            FormatChoice::Json => Self::Json,
            FormatChoice::Odhcpd => Self::Odhcpd,
            FormatChoice::Bootpd => Self::Bootpd,
            FormatChoice::Libvirt => Self::Libvirt,
        }
    }
}

/// How to read a lease file, for all commands.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct InputOptions {
    /// How to read a dhcpd.leases [default: careful]
    #[arg(long = "as", value_enum, value_name = "HOW")]
    pub(super) view: Option<ViewChoice>,
    /// The server's clock in seconds since 1970 [default: now]
    #[arg(long, value_name = "EPOCH", allow_negative_numbers = true)]
    pub(super) now: Option<i64>,
    /// The server's dhcpd.conf, for its ranges, prefixes, classes and failover peers. Without it every
    /// address is assumed to be configured
    #[arg(long, value_name = "DHCPD.CONF")]
    pub(super) conf: Option<PathBuf>,
    /// The protocol [default: detected from the content]
    #[arg(long, value_enum)]
    pub(super) family: Option<Protocol>,
    /// The format of the file [default: detected from the content]
    #[arg(long, value_enum, value_name = "FORM")]
    pub(super) from: Option<FormatChoice>,
    /// Read the times in a dnsmasq lease file as lengths that begin at --now, as its build with HAVE_BROKEN_RTC writes them
    #[arg(long)]
    pub(super) lengths: bool,
    /// The release of Kea that decides which rows are valid
    #[arg(long, value_enum, value_name = "RELEASE", default_value = "3.0")]
    pub(super) kea_release: KeaRelease,
    /// Times in a dnsmasq lease file stay as they are, even if they are lengths.
    #[arg(skip)]
    pub(super) as_written: bool,
}

impl InputOptions {
    pub(super) fn now(&self) -> i64 {
        self.now.unwrap_or_else(clock::now)
    }

    pub(super) fn options(&self) -> Result<Options, CommandError> {
        let view = match self.view {
            Some(ViewChoice::Dhcpd) => View::Dhcpd,
            Some(ViewChoice::Salvage) | None => View::Salvage,
            Some(ViewChoice::Text) => View::Text,
        };
        let mut options = Options::new(view, self.now());
        options.threads = std::thread::available_parallelism().map_or(1, usize::from);
        options.family = self.family.map(|family| match family {
            Protocol::V4 => Family::V4,
            Protocol::V6 => Family::V6,
        });
        if let Some(path) = &self.conf {
            let config = Config::read(path).map_err(|error| unreadable(path, &error))?;
            options.config = Some(Arc::new(config));
        }
        Ok(options)
    }

    /// The meaning of the times in a dnsmasq lease file.
    pub(super) fn times(&self) -> Times {
        match (self.lengths, self.as_written) {
            (true, _) => Times::Lengths(self.now()),
            (false, true) => Times::Absolute,
            (false, false) => Times::Detect(self.now()),
        }
    }

    pub(super) fn release(&self) -> Release {
        match self.kea_release {
            KeaRelease::V2_2 => Release::V2_2,
            KeaRelease::V3_0 => Release::V3_0,
        }
    }
}
