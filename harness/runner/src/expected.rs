//! What the store must hold: a model built only from acknowledged calls.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use super::escapes::show;
use super::lease_line::{DUID, split_time};
use super::lines::{Lines, Subject};
use super::severity::Severity;
use dnsmasq_model::ScriptCall;
use scenario::Rtc;
use scenario::digest;

/// The lines that acknowledged calls stored, and those that are uncertain because a call failed or was interrupted.
#[derive(Clone, Debug, Default)]
pub struct Expected {
    lines: Lines,
    /// Subjects whose last call was not acknowledged, and the lines that the store may hold for them (`None`: no line).
    uncertain: BTreeMap<Subject, BTreeSet<Option<Vec<u8>>>>,
    /// Subjects that a call removed, for the severity of differences.
    removed: BTreeSet<Subject>,
    key: OnceLock<u64>,
}

/// How a stored time may differ from the reported one.
#[derive(Clone, Copy, Debug)]
pub struct Tolerance {
    /// dnsmasq's build.
    pub rtc: Rtc,
    /// LEASE_SLACK in seconds.
    pub slack: u64,
}

/// A change that a call asks for: subject and line, `None` for a removal.
pub type Change = (Subject, Option<Vec<u8>>);

/// The changes that a call of dnsmasq asks the script to store.
pub fn changes(call: &ScriptCall) -> Vec<Change> {
    let word = |index: usize| call.argv.get(index).map(Vec::as_slice);
    let variable = |name: &str| call.env.get(name).map(Vec::as_slice);
    let (Some(second), Some(address)) = (word(2), word(3)) else { return Vec::new() };
    match call.action() {
        b"del" => vec![(address.to_vec(), None)],
        b"add" | b"old" => {
            let time = variable("DNSMASQ_LEASE_LENGTH").or(variable("DNSMASQ_LEASE_EXPIRES"));
            // Until 2.51 a blank follows the number.
            let time = time.map(|time| time.strip_suffix(b" ").unwrap_or(time));
            // 2.36 to 2.39 pass names with blanks, which a line cannot have.
            let name = word(4).filter(|name| !name.contains(&b' ')).unwrap_or(b"*");
            // A truncated id must not be stored: it could match another client.
            let id = variable("DNSMASQ_CLIENT_ID").filter(|id| !id.ends_with(b":")).unwrap_or(b"*");
            let v6 = address.contains(&b':');
            let (hardware, id) = if v6 {
                (variable("DNSMASQ_IAID").unwrap_or_default(), second)
            } else {
                (second, id)
            };
            let line = [time.unwrap_or(b"0"), hardware, address, name, id].join(&b' ');
            let mut changes = vec![(address.to_vec(), Some(line))];
            if let Some(duid) =
                variable("DNSMASQ_SERVER_DUID").filter(|duid| v6 && !duid.is_empty())
            {
                changes.push((DUID.to_vec(), Some([b"duid ", duid].concat())));
            }
            changes
        }
        _ => Vec::new(),
    }
}

impl Expected {
    /// The store holds exactly these lines.
    pub fn known(lines: Lines) -> Self {
        Self { lines, ..Self::default() }
    }

    /// A hash for deduplication.
    pub fn key(&self) -> u64 {
        *self.key.get_or_init(|| digest::of(&(&self.lines, &self.uncertain)))
    }

    /// Whether the store certainly contains the result of these changes.
    pub fn certainly_contains(&self, changes: &[Change]) -> bool {
        changes.iter().all(|(subject, line)| {
            self.lines.get(subject) == line.as_deref() && !self.uncertain.contains_key(subject)
        })
    }

    /// The lines, the uncertain ones as they were before.
    pub fn lines(&self) -> &Lines {
        &self.lines
    }

    /// A call returned 0: its changes are stored.
    pub fn acknowledged(&mut self, changes: Vec<Change>) {
        self.key = OnceLock::new();
        for (subject, line) in changes {
            self.uncertain.remove(&subject);
            self.lines.put(&subject, line.as_deref());
            if line.is_none() {
                self.removed.insert(subject);
            }
        }
    }

    /// A call did not return 0: its changes may be stored or not.
    pub fn mark_uncertain(&mut self, changes: Vec<Change>) {
        self.key = OnceLock::new();
        for (subject, line) in changes {
            let before = self.lines.get(&subject).map(<[u8]>::to_vec);
            if before == line && !self.uncertain.contains_key(&subject) {
                // Stored or not makes no difference.
                continue;
            }
            let choices = self.uncertain.entry(subject).or_default();
            choices.insert(before);
            choices.insert(line);
        }
    }

    /// The store holds `actual`: nothing is uncertain any more.
    pub fn settle(&mut self, actual: &Lines) {
        self.key = OnceLock::new();
        for subject in std::mem::take(&mut self.uncertain).into_keys() {
            self.lines.put(&subject, actual.get(&subject));
        }
    }

    /// dnsmasq has read `actual` from RAM. What is uncertain in flash stays uncertain.
    pub fn reread(&mut self, actual: &Lines) {
        self.key = OnceLock::new();
        self.lines.clone_from(actual);
    }

    /// From now on the store must hold what it holds now for these subjects.
    pub fn accept(&mut self, subjects: &[Subject], actual: &Lines) {
        for subject in subjects {
            self.uncertain.remove(subject);
            self.lines.put(subject, actual.get(subject));
        }
    }

    /// Whether nothing is uncertain and the lines are equal.
    pub(crate) fn is_certainly_equal_to(&self, other: &Self) -> bool {
        !self.is_uncertain() && !other.is_uncertain() && self.lines == other.lines
    }

    /// Whether anything is uncertain.
    pub fn is_uncertain(&self) -> bool {
        !self.uncertain.is_empty()
    }

    /// Whether `actual` violates the model for an uncertain subject, and for any other.
    pub fn faults(&self, actual: &Lines, tolerance: Tolerance) -> (bool, bool) {
        let fine = |subject: &Subject| self.is_fine(subject, actual, tolerance);
        let uncertain = self.uncertain.keys().any(|subject| !fine(subject));
        (uncertain, self.others_differ(actual, tolerance))
    }

    /// Whether a certain subject differs. Both lists are sorted and walked together.
    fn others_differ(&self, actual: &Lines, tolerance: Tolerance) -> bool {
        let sure = |(subject, _): &(&[u8], &[u8])| {
            self.uncertain.is_empty() || !self.uncertain.contains_key(*subject)
        };
        let (mut wanted, mut found) = (self.lines.iter().filter(sure), actual.iter().filter(sure));
        loop {
            match (wanted.next(), found.next()) {
                (None, None) => return false,
                (Some((subject, wanted)), Some((about, found)))
                    if subject == about
                        && (wanted == found || same_line(wanted, found, tolerance)) => {}
                _ => return true,
            }
        }
    }

    fn is_fine(&self, subject: &[u8], actual: &Lines, tolerance: Tolerance) -> bool {
        let found = actual.get(subject);
        let holds = |wanted: Option<&[u8]>| match (wanted, found) {
            (None, None) => true,
            (Some(wanted), Some(found)) => same_line(wanted, found, tolerance),
            _ => false,
        };
        match self.uncertain.get(subject) {
            Some(choices) => choices.iter().any(|choice| holds(choice.as_deref())),
            None => holds(self.lines.get(subject)),
        }
    }

    /// How `actual` differs from what must be stored.
    pub fn differences(&self, actual: &Lines, tolerance: Tolerance) -> Vec<Difference> {
        if self.faults(actual, tolerance) == (false, false) {
            return Vec::new();
        }
        let stored = [&self.lines, actual].into_iter().flat_map(Lines::iter);
        let subjects: BTreeSet<&[u8]> = stored
            .map(|(subject, _)| subject)
            .chain(self.uncertain.keys().map(Vec::as_slice))
            .collect();
        let mut differences = Vec::new();
        for subject in subjects {
            let found = actual.get(subject);
            let uncertain = self.uncertain.contains_key(subject);
            if !self.is_fine(subject, actual, tolerance) {
                let wanted = self.lines.get(subject);
                let text = |line: Option<&[u8]>| line.map_or("nothing".to_owned(), show);
                differences.push(Difference {
                    subject: subject.to_vec(),
                    wanted: wanted.map(<[u8]>::to_vec),
                    found: found.map(<[u8]>::to_vec),
                    uncertain,
                    severity: self.severity(subject, found),
                    text: format!(
                        "{}: expected {}, found {}",
                        subject.escape_ascii(),
                        text(wanted),
                        text(found)
                    ),
                });
            }
        }
        differences
    }
}

impl Expected {
    /// How serious it is that `found` is stored for a subject: as serious as its difference from the nearest line that may
    /// be stored.
    fn severity(&self, subject: &[u8], found: Option<&[u8]>) -> Severity {
        let of_choice = |wanted: Option<&[u8]>| match (wanted, found) {
            (Some(wanted), Some(found)) => line_severity(wanted, found),
            // dnsmasq makes a new DUID. Its clients ask again, and keep their addresses.
            _ if subject == DUID => Severity::Risk,
            // A lease that was deleted comes back with the next start.
            (None, Some(_)) if self.removed.contains(subject) => Severity::Risk,
            _ => Severity::Bug,
        };
        let severity = match self.uncertain.get(subject) {
            Some(choices) => choices.iter().map(|choice| of_choice(choice.as_deref())).min(),
            None => Some(of_choice(self.lines.get(subject))),
        };
        severity.unwrap_or(Severity::Bug)
    }
}

/// How serious it is that `found` is stored instead of `wanted`, both about one address.
///
/// A wrong client, host name or client-id is a bug. A wrong time, or a host name or client-id that is left out, is a risk:
/// dnsmasq still knows which client has the address.
fn line_severity(wanted: &[u8], found: &[u8]) -> Severity {
    let words = |line: &[u8]| -> Option<[Vec<u8>; 5]> {
        let words: Vec<Vec<u8>> = line.split(|byte| *byte == b' ').map(<[u8]>::to_vec).collect();
        words.try_into().ok()
    };
    let (Some(wanted), Some(found)) = (words(wanted), words(found)) else { return Severity::Risk };
    let [_, wanted_hardware, _, wanted_name, wanted_id] = &wanted;
    let [_, hardware, _, name, id] = &found;
    let is_wrong = |wanted: &Vec<u8>, found: &Vec<u8>| wanted != found && found != b"*";
    if hardware != wanted_hardware || is_wrong(wanted_name, name) || is_wrong(wanted_id, id) {
        Severity::Bug
    } else {
        Severity::Risk
    }
}

/// A subject whose line is not what must be stored.
#[derive(Clone, Debug)]
pub struct Difference {
    /// The subject.
    pub subject: Subject,
    /// The line that must be stored; of an uncertain subject, the one before its last call.
    pub wanted: Option<Vec<u8>>,
    /// The line that is stored.
    pub found: Option<Vec<u8>>,
    /// How serious it is.
    pub severity: Severity,
    /// Whether its last call was not acknowledged.
    pub uncertain: bool,
    /// A description.
    pub text: String,
}

/// Whether two lines are equal, except that the found time may be later by the slack.
fn same_line(wanted: &[u8], found: &[u8], tolerance: Tolerance) -> bool {
    let (Some((wanted_time, wanted_rest)), Some((time, rest))) =
        (split_time(wanted), split_time(found))
    else {
        return wanted == found;
    };
    let slack = if tolerance.rtc == Rtc::Good && wanted_time != 0 { tolerance.slack } else { 0 };
    wanted_rest == rest && (wanted_time..=wanted_time.saturating_add(slack)).contains(&time)
}

#[cfg(test)]
mod tests {
    use super::super::init_output;
    use super::*;

    fn line(text: &str) -> Lines {
        init_output::parse(format!("{text}\n").as_bytes()).expect("a lease line")
    }

    fn tolerance(slack: u64) -> Tolerance {
        Tolerance { rtc: Rtc::Good, slack }
    }

    #[test]
    fn a_stored_time_may_be_later_by_the_slack_and_never_earlier() {
        let expected = Expected::known(line("1000 02:aa 10.0.0.1 * *"));
        let differs = |time: &str| !expected.differences(&line(time), tolerance(60)).is_empty();
        assert!(!differs("1000 02:aa 10.0.0.1 * *"));
        assert!(!differs("1060 02:aa 10.0.0.1 * *"));
        assert!(differs("1061 02:aa 10.0.0.1 * *"));
        assert!(differs("999 02:aa 10.0.0.1 * *"));
    }

    #[test]
    fn an_infinite_lease_stays_infinite() {
        let expected = Expected::known(line("0 02:aa 10.0.0.1 * *"));
        assert!(!expected.differences(&line("60 02:aa 10.0.0.1 * *"), tolerance(60)).is_empty());
    }

    #[test]
    fn an_uncertain_lease_may_be_as_before_or_as_after_and_nothing_else() {
        let mut expected = Expected::known(line("1000 02:aa 10.0.0.1 old *"));
        let after = line("2000 02:aa 10.0.0.1 new *");
        let (subject, line_after) = after.iter().next().expect("one line");
        expected.mark_uncertain(vec![(subject.to_vec(), Some(line_after.to_vec()))]);
        let fine = |text: &str| expected.differences(&line(text), tolerance(0)).is_empty();
        assert!(fine("1000 02:aa 10.0.0.1 old *"));
        assert!(fine("2000 02:aa 10.0.0.1 new *"));
        assert!(!fine("2000 02:aa 10.0.0.1 old *"));
        assert!(!expected.differences(&Lines::new(), tolerance(0)).is_empty());
    }

    #[test]
    fn a_difference_is_as_serious_as_what_dnsmasq_loses() {
        let expected = Expected::known(line("1000 02:aa 10.0.0.1 phone 01:02:aa"));
        let severity = |lines: &Lines| {
            let differences = expected.differences(lines, tolerance(0));
            differences.iter().map(|difference| difference.severity).max()
        };
        for (found, wanted) in [
            ("900 02:aa 10.0.0.1 phone 01:02:aa", Severity::Risk),
            ("1000 02:aa 10.0.0.1 * 01:02:aa", Severity::Risk),
            ("1000 02:aa 10.0.0.1 phone *", Severity::Risk),
            ("1000 02:aa 10.0.0.1 tablet 01:02:aa", Severity::Bug),
            ("1000 02:ab 10.0.0.1 phone 01:02:aa", Severity::Bug),
        ] {
            assert_eq!(severity(&line(found)), Some(wanted), "{found}");
        }
        assert_eq!(severity(&Lines::new()), Some(Severity::Bug));
    }

    #[test]
    fn a_deleted_lease_that_is_still_stored_is_a_risk() {
        let stored = line("1000 02:aa 10.0.0.1 * *");
        let mut expected = Expected::known(stored.clone());
        expected.acknowledged(vec![(b"10.0.0.1".to_vec(), None)]);
        let differences = expected.differences(&stored, tolerance(0));
        assert_eq!(differences[0].severity, Severity::Risk);
        let differences = Expected::default().differences(&stored, tolerance(0));
        assert_eq!(differences[0].severity, Severity::Bug, "a lease that was never given");
    }

    #[test]
    fn a_lease_that_no_call_added_is_a_difference() {
        let expected = Expected::known(line("1000 02:aa 10.0.0.1 * *"));
        let mut both = line("1000 02:aa 10.0.0.1 * *");
        both.put(b"10.0.0.2", Some(b"7 02:ab 10.0.0.2 * *"));
        assert_eq!(expected.differences(&both, tolerance(0)).len(), 1);
    }
}
