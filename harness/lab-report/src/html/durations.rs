//! Formats times and durations for readers.

/// Formats a time since the beginning of a case, for example `2 d 03:10:00`.
pub(super) fn since_start(seconds: i64) -> String {
    let (days, rest) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let clock = format!("{:02}:{:02}:{:02}", rest / 3600, rest / 60 % 60, rest % 60);
    if days == 0 { clock } else { format!("{days} d {clock}") }
}

/// Formats a duration in the largest unit that fits, for example `-3.5 h`.
pub(super) fn length(seconds: i64) -> String {
    let units = [(31_536_000, "year"), (86_400, "d"), (3600, "h"), (60, "min")];
    let unit = units.into_iter().find(|(size, _)| seconds.abs() >= *size);
    let Some((size, name)) = unit else { return format!("{seconds} s") };
    let number = format!("{:.1}", seconds as f64 / f64::from(size as i32));
    let number = number.strip_suffix(".0").unwrap_or(&number);
    let plural = if name == "year" && number != "1" { "s" } else { "" };
    format!("{number} {name}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_formatted_in_familiar_units() {
        assert_eq!(since_start(0), "00:00:00");
        assert_eq!(since_start(90_061), "1 d 01:01:01");
        assert_eq!(length(-12_600), "-3.5 h");
        assert_eq!(length(59), "59 s");
        assert_eq!(length(86_400), "1 d");
        assert_eq!(length(63_072_000), "2 years");
        assert_eq!(length(31_536_000), "1 year");
    }
}
