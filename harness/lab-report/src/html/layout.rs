//! The geometry of a timeline, in pixels.

/// Width of the column with the names of the lanes.
pub(super) const LABEL_WIDTH: usize = 92;
/// Height of the row with the steps.
pub(super) const TOP: usize = 40;
/// Height of a lane.
pub(super) const LANE_HEIGHT: usize = 30;
/// Distance between two marks.
pub(super) const GAP: usize = 4;
/// Minimum width of a step.
pub(super) const MIN_BAND: usize = 76;
/// Estimated width of a character.
const CHARACTER: usize = 7;

/// The lanes, from top to bottom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lane {
    Clients,
    Dnsmasq,
    Script,
    Nvram,
    Flash,
    Clock,
    Faults,
}

impl Lane {
    pub(super) const ALL: [Self; 7] = [
        Self::Clients,
        Self::Dnsmasq,
        Self::Script,
        Self::Nvram,
        Self::Flash,
        Self::Clock,
        Self::Faults,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Clients => "clients",
            Self::Dnsmasq => "dnsmasq",
            Self::Script => "script",
            Self::Nvram => "nvram",
            Self::Flash => "flash",
            Self::Clock => "clock",
            Self::Faults => "faults",
        }
    }

    /// Returns the y coordinate of the top of the lane.
    pub(super) fn y(self) -> usize {
        TOP + LANE_HEIGHT * self as usize
    }
}

/// Height of the whole timeline.
pub(super) const HEIGHT: usize = TOP + LANE_HEIGHT * Lane::ALL.len();

/// Returns the width of a mark with this label.
pub(super) fn mark_width(label: &str) -> usize {
    label.chars().count() * CHARACTER + 10
}

/// Shortens a text to fit into this width.
pub(super) fn fitting(text: &str, width: usize) -> String {
    let most = (width / CHARACTER).max(2);
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most - 1).chain(['…']).collect()
}
