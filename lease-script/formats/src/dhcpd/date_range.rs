//! Dates after 2037: as they are written, or as dhcpd computes them.

use super::lease::Date;

/// How to compute dates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum DateRange {
    /// As dhcpd does: with 32 bits, and with `never` from 2038 on.
    #[default]
    Dhcpd,
    /// As they are written.
    Full,
}

impl DateRange {
    /// Returns the date `epoch SECONDS`.
    pub(crate) fn epoch(self, seconds: i64) -> Date {
        match self {
            Self::Dhcpd => Date::of_dhcpd(seconds as i32),
            Self::Full => Date(seconds),
        }
    }

    /// Returns a calendar date with a zone offset in seconds.
    pub(crate) fn calendar(
        self,
        year: i32,
        [month, day]: [i32; 2],
        clock: [i32; 3],
        offset: i32,
    ) -> Date {
        let dhcpd = seconds(year, month, day, clock, offset);
        // Years below 1900 are counted from 1900.
        let year = if year < 1900 { year.wrapping_add(1900) } else { year };
        let is_far = (2038..=9999).contains(&year);
        if self == Self::Dhcpd || !is_far {
            return Date::of_dhcpd(dhcpd);
        }
        let month = month.clamp(1, 12);
        let days = days_from_civil(i64::from(year), i64::from(month)) + i64::from(day) - 1;
        let [hour, minute, second] = clock.map(i64::from);
        Date(((days * 24 + hour) * 60 + minute) * 60 + second + i64::from(offset))
    }
}

/// Returns the number of days from 1970-01-01 to the first day of a month.
pub(crate) fn days_from_civil(year: i64, month: i64) -> i64 {
    // Years begin in March, so that a leap day is the last day of a year. Eras of 400 years begin on 0000-03-01.
    let year = if month <= 2 { year - 1 } else { year };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5;
    365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + day_of_year
        - 719_468
}

/// Returns the year, month and day of a day counted from 1970-01-01.
pub(crate) fn civil(days: i64) -> (i64, i64, i64) {
    // Years begin in March, and eras of 400 years on 0000-03-01.
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + era * 400 + i64::from(month <= 2), month, day)
}

/// Returns the seconds of a calendar date as dhcpd computes them: with 32 bits and without range checks.
pub(crate) fn seconds(year: i32, month: i32, day: i32, clock: [i32; 3], offset: i32) -> i32 {
    const DAYS: [i32; 11] = [31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
    let year = if year > 1900 { year - 1900 } else { year };
    if year >= 138 {
        return i32::MAX;
    }
    let month = month.wrapping_sub(1);
    // An invalid month reads outside dhcpd's table, which is undefined behaviour. Here it counts 0 days.
    let before = usize::try_from(month.wrapping_sub(1)).ok().and_then(|at| DAYS.get(at)).copied();
    let leap = i32::from(month > 1 && year.wrapping_sub(72) % 4 == 0);
    year.wrapping_sub(70)
        .wrapping_mul(365)
        .wrapping_add(year.wrapping_sub(69) / 4)
        .wrapping_add(before.unwrap_or(0))
        .wrapping_add(leap)
        .wrapping_add(day)
        .wrapping_sub(1)
        .wrapping_mul(24)
        .wrapping_add(clock[0])
        .wrapping_mul(60)
        .wrapping_add(clock[1])
        .wrapping_mul(60)
        .wrapping_add(clock[2])
        .wrapping_add(offset)
}
