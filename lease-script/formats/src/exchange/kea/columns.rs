//! The columns of a memfile.

use crate::dhcpd::Family;

/// The release of Kea whose rules apply to the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Release {
    /// Kea 2.2, as in Debian 12.
    V2_2,
    /// Kea 3.0.
    #[default]
    V3_0,
}

/// The columns of DHCPv4 (`CSVLeaseFile4::initColumns`).
pub(super) const COLUMNS_4: [&str; 12] = [
    "address",
    "hwaddr",
    "client_id",
    "valid_lifetime",
    "expire",
    "subnet_id",
    "fqdn_fwd",
    "fqdn_rev",
    "hostname",
    "state",
    "user_context",
    "pool_id",
];

/// The columns of DHCPv6 (`CSVLeaseFile6::initColumns`).
pub(super) const COLUMNS_6: [&str; 18] = [
    "address",
    "duid",
    "valid_lifetime",
    "expire",
    "subnet_id",
    "pref_lifetime",
    "lease_type",
    "iaid",
    "prefix_len",
    "fqdn_fwd",
    "fqdn_rev",
    "hostname",
    "hwaddr",
    "state",
    "user_context",
    "hwtype",
    "hwaddr_source",
    "pool_id",
];

/// The maximum number of columns that are read. Kea has 18.
pub(super) const MAX_COLUMNS: usize = 64;

pub(super) fn columns_of(family: Family) -> &'static [&'static str] {
    match family {
        Family::V4 => &COLUMNS_4,
        Family::V6 => &COLUMNS_6,
    }
}

/// Returns the number of columns that Kea 2.2 writes.
pub(super) fn columns_of_2_2(family: Family) -> usize {
    columns_of(family).len() - 1
}

/// The columns that the header of a file names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) family: Family,
    pub(super) names: Vec<String>,
}

impl Header {
    /// Parses a header (`VersionedCSVFile::validateHeader`).
    pub(super) fn parse(text: &[u8]) -> Result<Self, String> {
        let text = std::str::from_utf8(text).map_err(|_| "the header is not text".to_owned())?;
        let names: Vec<String> = text.split(',').map(str::to_owned).collect();
        if names.len() > MAX_COLUMNS {
            return Err(format!("{} columns, {MAX_COLUMNS} at most", names.len()));
        }
        let is_v6 = names.get(1).is_some_and(|name| name == "duid");
        let family = if is_v6 { Family::V6 } else { Family::V4 };
        // Files of older releases end after the host name.
        let least = columns_of(family).iter().position(|name| *name == "hostname").unwrap_or(0);
        for (at, wanted) in columns_of(family).iter().enumerate() {
            match names.get(at) {
                Some(name) if name == wanted => {}
                Some(name) => return Err(format!("column {} is {name:?}, not {wanted}", at + 1)),
                None if at > least => break,
                None => return Err(format!("the column {wanted} is missing")),
            }
        }
        Ok(Self { family, names })
    }

    /// Returns the name of a column. A value beyond the header belongs to the next column that Kea knows.
    pub(super) fn name(&self, at: usize) -> String {
        let known = columns_of(self.family).get(at).copied();
        match self.names.get(at).map(String::as_str).or(known) {
            Some(name) => name.to_owned(),
            None => format!("column_{}", at + 1),
        }
    }

    /// Returns the number of values that a row must have. Kea checks the number of columns but ignores the result, so a row
    /// fails only at the first value that it lacks (`VersionedCSVFile::next`, called by `CSVLeaseFile4::next`).
    pub(super) fn least(&self, release: Release) -> usize {
        let known = match (release, self.family) {
            (Release::V3_0, _) => columns_of(self.family).len(),
            (Release::V2_2, Family::V4) => columns_of_2_2(self.family),
            // The hardware type and its source may be missing.
            (Release::V2_2, Family::V6) => 15,
        };
        self.names.len().min(known)
    }
}
