//! Answers in one sentence how long the flash lasts.

use std::fmt::Write as _;

use super::study::{Calls, RowResult, Study, StudyRow};
use scenario::{Seconds, quantity};

impl Study {
    /// Returns a sentence that says how long the flash lasts with each script.
    pub fn answer(&self, results: &[RowResult]) -> String {
        let rows: Vec<&StudyRow> = results.iter().flatten().collect();
        let mut scripts: Vec<&str> = Vec::new();
        for row in &rows {
            if !scripts.contains(&row.script.as_str()) {
                scripts.push(&row.script);
            }
        }
        let mut lives = Vec::new();
        for script in scripts {
            let years = rows.iter().filter(|row| row.script == script).map(|row| row.yearly.years);
            lives.push(format!("{} with the script \"{script}\"", range_in_words(years)));
        }
        let Some((last, first)) = lives.split_last() else {
            return "Nothing was counted.".to_owned();
        };
        let mut lives = first.join(", ");
        let _ = write!(lives, "{}{last}", if first.is_empty() { "" } else { " and " });
        let builds = if self.builds.len() > 1 { ", depending on dnsmasq's build" } else { "" };
        format!(
            "The flash of {} lasts {lives}{builds}, in {}.",
            self.routers_in_words(),
            self.workload_in_words()
        )
    }

    /// Describes the router, or returns the number of routers.
    fn routers_in_words(&self) -> String {
        match (&self.model, &self.routers[..]) {
            (Some(model), [_]) => format!("the {model}"),
            (_, [only]) => {
                format!("a router with {} and the {} nvram", only.chip.name, only.dialect)
            }
            (_, routers) => quantity(routers.len(), "router"),
        }
    }

    /// Describes the household, recording or scenario.
    fn workload_in_words(&self) -> String {
        match &self.calls {
            Calls::Simulated(simulation) => {
                format!("a household with {}", simulation.household.in_words())
            }
            Calls::Repeated { source, .. } => match &source.labels()[..] {
                [only] => format!("an endless repetition of {only}"),
                labels => format!("endless repetitions of {}", quantity(labels.len(), "workload")),
            },
        }
    }
}

/// Returns a lifetime in words, such as `12.3 years` or `41 days`. `None` means that nothing is erased.
fn life_in_words(years: Option<f64>) -> String {
    match years {
        None => "for ever".to_owned(),
        Some(years) if years >= 1000.0 => "more than 1000 years".to_owned(),
        Some(years) if years >= 100.0 => format!("{years:.0} years"),
        Some(years) if years >= 1.0 => format!("{years:.1} years"),
        Some(years) => quantity((years * 365.0).round() as u64, "day"),
    }
}

/// Returns the shortest and the longest lifetime in words, or only one of them if both read the same.
fn range_in_words(lives: impl Iterator<Item = Option<f64>>) -> String {
    let mut sorted: Vec<Option<f64>> = lives.collect();
    sorted.sort_by(|a, b| a.unwrap_or(f64::INFINITY).total_cmp(&b.unwrap_or(f64::INFINITY)));
    let [shortest, longest] = [sorted.first(), sorted.last()].map(|life| life.copied().flatten());
    let [first, last] = [shortest, longest].map(life_in_words);
    match longest {
        _ if first == last => first,
        Some(_) => format!("{first} to {last}"),
        None => format!("at least {first}"),
    }
}

impl super::household::Household {
    /// Describes the household in a few words.
    pub fn in_words(&self) -> String {
        let mut parts = Vec::new();
        for (number, noun) in [(self.clients, "client"), (self.phones, "phone")] {
            if number > 0 {
                parts.push(quantity(number, noun));
            }
        }
        if self.guests > 0 {
            parts.push(format!("{} a month", quantity(self.guests, "guest")));
        }
        if let Some(pool) = self.pool {
            let noun = if pool == 1 { "address" } else { "addresses" };
            parts.push(format!("a pool of {pool} {noun}"));
        }
        format!("{}, leases of {}", parts.join(", "), Seconds(u64::from(self.lease_time)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lifetimes_are_described_as_ranges() {
        let range = |lives: &[Option<f64>]| range_in_words(lives.iter().copied());
        assert_eq!(range(&[Some(3.41), Some(15.7)]), "3.4 years to 15.7 years");
        assert_eq!(range(&[None, Some(0.1)]), "at least 37 days");
        assert_eq!(range(&[Some(120.4), Some(120.2)]), "120 years");
        assert_eq!(range(&[Some(1.0 / 365.0)]), "1 day");
        assert_eq!(range(&[Some(2e6)]), "more than 1000 years");
    }
}
