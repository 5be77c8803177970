//! Dates as text.

use std::io::Write as _;

use super::date_range::{DateRange, civil};
use super::lease::Date;

impl Date {
    /// Returns a calendar date with a zone offset in seconds.
    pub fn calendar(day: [i32; 3], clock: [i32; 3], offset: i32) -> Self {
        DateRange::Full.calendar(day[0], [day[1], day[2]], clock, offset)
    }

    /// Appends the date in UTC as dhcpd writes it (`print_time` of common/print.c), or with `epoch` if dhcpd would read the
    /// calendar date as another time. Dates that dhcpd cannot represent are also written, although dhcpd reads them as
    /// `never`.
    pub fn write(self, out: &mut Vec<u8>) {
        /// 2038-01-01. dhcpd reads calendar dates from this day on as `never`.
        const YEAR_2038: i64 = 2_145_916_800;
        /// 10000-01-01.
        const YEAR_10000: i64 = 253_402_300_800;
        if self.is_never() {
            out.extend_from_slice(b"never");
        } else if self.is_absent()
            || self.0 >= YEAR_10000
            || (self.0 >= YEAR_2038 && self.fits_dhcpd())
        {
            let _ = write!(out, "epoch {}", self.0);
        } else {
            let (days, second) = (self.0 / 86_400, self.0 % 86_400);
            let (year, month, day) = civil(days);
            let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
            let _ = write!(
                out,
                "{} {year}/{month:02}/{day:02} {hour:02}:{minute:02}:{second:02}",
                (days + 4) % 7
            );
        }
    }
}
