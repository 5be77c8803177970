//! The timeline of a failure: marks in lanes, in the order of the events.

use super::durations::{length, since_start};
use super::heat::{self, HeatCell};
use super::layout::{
    GAP, HEIGHT, LABEL_WIDTH, LANE_HEIGHT, Lane, MIN_BAND, TOP, fitting, mark_width,
};
use crate::event::{Call, Command, Event, EventKind, Operation, OperationKind, Timeline};

/// Maximum numbers of events that are drawn before and after the beginning of the failing step.
const MAX_DRAWN: (usize, usize) = (120, 60);
/// Maximum number of flash operations of one call that are drawn.
const MAX_OPERATIONS: usize = 24;

/// The data from which the template draws a timeline.
pub(super) struct TimelineView {
    pub(super) label_width: usize,
    pub(super) top: usize,
    pub(super) width: usize,
    pub(super) height: usize,
    /// The x coordinate at which the failing step begins.
    pub(super) failing_x: usize,
    pub(super) lanes: Vec<LaneView>,
    pub(super) bands: Vec<Band>,
    pub(super) off: Vec<Span>,
    pub(super) marks: Vec<Mark>,
    pub(super) rows: Vec<Row>,
    /// Number of events that are not drawn.
    pub(super) omitted: usize,
    pub(super) heat: Vec<HeatCell>,
    pub(super) heat_text: String,
}

pub(super) struct LaneView {
    pub(super) name: &'static str,
    pub(super) y: usize,
    pub(super) text_y: usize,
}

/// The horizontal extent of a step.
pub(super) struct Band {
    pub(super) x: usize,
    pub(super) width: usize,
    pub(super) name: String,
    pub(super) time: String,
    pub(super) title: String,
    pub(super) failing: bool,
}

pub(super) struct Span {
    pub(super) x: usize,
    pub(super) width: usize,
}

/// A mark in a lane.
pub(super) struct Mark {
    pub(super) x: usize,
    pub(super) y: usize,
    pub(super) width: usize,
    pub(super) class: &'static str,
    /// Whether the mark is filled, for emphasis.
    pub(super) solid: bool,
    pub(super) label: String,
    pub(super) title: String,
}

/// An event as text.
pub(super) struct Row {
    pub(super) time: String,
    pub(super) lane: &'static str,
    pub(super) text: String,
}

impl TimelineView {
    /// Creates the view of the events around the step `failing`.
    pub(super) fn new(timeline: &Timeline, failing: usize) -> Self {
        let begins = |event: &Event| matches!(event.kind, EventKind::Step { number, .. } if number == failing);
        let all = &timeline.events;
        let at = all.iter().position(begins).unwrap_or(0);
        let first = at.saturating_sub(MAX_DRAWN.0);
        let last = (at + MAX_DRAWN.1).min(all.len());
        let mut drawing = Drawing { failing, ..Drawing::default() };
        for event in &all[first..last] {
            drawing.event(event);
        }
        drawing.end_step();
        drawing.end_off();
        let heat = timeline
            .flash
            .map(|flash| heat::cells(&heat::erases(all.iter(), flash)))
            .unwrap_or_default();
        let lane = |lane: Lane| LaneView { name: lane.name(), y: lane.y(), text_y: lane.y() + 19 };
        Self {
            label_width: LABEL_WIDTH,
            top: TOP,
            width: drawing.x.max(1),
            height: HEIGHT,
            failing_x: drawing.failing_x,
            lanes: Lane::ALL.into_iter().map(lane).collect(),
            bands: drawing.bands,
            off: drawing.off,
            marks: drawing.marks,
            rows: drawing.rows,
            omitted: timeline.omitted + first + (all.len() - last),
            heat_text: heat::description(&heat),
            heat,
        }
    }
}

/// The state of drawing a timeline from left to right.
#[derive(Default)]
struct Drawing {
    failing: usize,
    failing_x: usize,
    x: usize,
    /// The current step: its number, text, time, and the x coordinate at which it begins.
    step: Option<(usize, String, i64, usize)>,
    /// The x coordinate since which the router is off.
    off_since: Option<usize>,
    bands: Vec<Band>,
    off: Vec<Span>,
    marks: Vec<Mark>,
    rows: Vec<Row>,
}

/// The style of a mark.
#[derive(Clone, Copy)]
enum Look {
    Outlined,
    Solid,
}

impl Drawing {
    fn event(&mut self, event: &Event) {
        let seconds = event.seconds;
        match &event.kind {
            EventKind::Step { number, text } => {
                self.end_step();
                if *number == self.failing {
                    self.failing_x = self.x;
                }
                self.step = Some((*number, text.clone(), seconds, self.x));
                self.x += GAP;
                self.row(seconds, "step", format!("step {number}: {text}"));
            }
            EventKind::PowerOn => {
                self.end_off();
                self.mark(seconds, Lane::Faults, "m-other", Look::Outlined, "on", "power on");
            }
            EventKind::PowerOff => {
                self.mark(seconds, Lane::Faults, "m-fault", Look::Solid, "off", "power off");
                self.off_since.get_or_insert(self.x);
            }
            EventKind::Dnsmasq { what } => {
                self.mark(seconds, Lane::Dnsmasq, "m-dnsmasq", Look::Outlined, what, what);
            }
            EventKind::Clock { jump } => {
                let label = match jump {
                    0 => "rate".to_owned(),
                    1.. => format!("+{}", length(*jump)),
                    _ => length(*jump),
                };
                let title = format!("the wall clock changes by {}", length(*jump));
                self.mark(seconds, Lane::Clock, "m-clock", Look::Solid, &label, &title);
            }
            EventKind::Client { client, message, reply, address } => {
                let label = format!("{client} {message}");
                let address = address.as_deref().unwrap_or("no address");
                let title = format!("{client}: {message} → {reply}, {address}");
                let look = if reply == "nak" { Look::Solid } else { Look::Outlined };
                self.mark(seconds, Lane::Clients, "m-client", look, &label, &title);
            }
            EventKind::Call(call) => self.call(seconds, call),
            EventKind::OtherProgram { command, operations } => {
                self.command(seconds, command, "m-other");
                self.operations(seconds, operations);
            }
            EventKind::Damage => {
                self.mark(
                    seconds,
                    Lane::Faults,
                    "m-fault",
                    Look::Solid,
                    "damage",
                    "bytes are overwritten",
                );
            }
        }
    }

    fn call(&mut self, seconds: i64, call: &Call) {
        let mut words = call.arguments.split(' ');
        let (action, address) = (words.next().unwrap_or_default(), words.nth(1));
        let label = address.map_or(action.to_owned(), |address| format!("{action} {address}"));
        let title = format!("{}: {}", call.arguments, call.end);
        let (class, look) =
            if call.succeeded { ("m-call", Look::Outlined) } else { ("m-fault", Look::Solid) };
        let begin = self.x;
        self.mark(seconds, Lane::Script, class, look, &label, &title);
        let end_of_label = std::mem::replace(&mut self.x, begin);
        for line in &call.stderr {
            self.row(seconds, "stderr", line.clone());
        }
        let commit =
            call.commands.iter().rposition(|command| command.arguments.starts_with("commit"));
        let mut below = begin;
        for (index, command) in call.commands.iter().enumerate() {
            self.command(seconds, command, "m-command");
            if Some(index) == commit {
                below = self.x;
            }
        }
        let end_of_commands = std::mem::replace(&mut self.x, below);
        self.operations(seconds, &call.operations);
        self.x = self.x.max(end_of_commands).max(end_of_label);
        if let Some(fault) = &call.fault {
            self.mark(seconds, Lane::Faults, "m-fault", Look::Solid, fault, fault);
        }
        if call.end == "power off" {
            self.off_since.get_or_insert(self.x);
        }
    }

    fn command(&mut self, seconds: i64, command: &Command, class: &'static str) {
        let name = command.arguments.split(' ').next().unwrap_or_default();
        let (look, end) = match command.code {
            Some(0) => (Look::Outlined, "exit 0".to_owned()),
            Some(code) => (Look::Solid, format!("exit {code}")),
            None => (Look::Outlined, "no exit code".to_owned()),
        };
        let class = if matches!(look, Look::Solid) { "m-fault" } else { class };
        let title = format!("nvram {} → {end}", command.arguments);
        self.mark(seconds, Lane::Nvram, class, look, name, &title);
    }

    fn operations(&mut self, seconds: i64, operations: &[Operation]) {
        for operation in operations.iter().take(MAX_OPERATIONS) {
            let Operation { kind, offset, length } = operation;
            let (class, label, word, look) = match kind {
                OperationKind::Erase => ("m-erase", "E", "erase", Look::Solid),
                OperationKind::Program => ("m-program", "P", "program", Look::Outlined),
            };
            let title = format!("{word} {length} bytes at {offset:#x}");
            self.mark(seconds, Lane::Flash, class, look, label, &title);
        }
        if let Some(more @ 1..) = operations.len().checked_sub(MAX_OPERATIONS) {
            let title = format!("{more} more flash operations");
            self.mark(
                seconds,
                Lane::Flash,
                "m-program",
                Look::Outlined,
                &format!("+{more}"),
                &title,
            );
        }
    }

    fn mark(
        &mut self,
        seconds: i64,
        lane: Lane,
        class: &'static str,
        look: Look,
        label: &str,
        title: &str,
    ) {
        let label = fitting(label, 26 * 7);
        let width = mark_width(&label);
        self.marks.push(Mark {
            x: self.x,
            y: lane.y() + (LANE_HEIGHT - 20) / 2,
            width,
            class,
            solid: matches!(look, Look::Solid),
            label,
            title: format!("{} {title}", since_start(seconds)),
        });
        self.row(seconds, lane.name(), title.to_owned());
        self.x += width + GAP;
    }

    fn row(&mut self, seconds: i64, lane: &'static str, text: String) {
        self.rows.push(Row { time: since_start(seconds), lane, text });
    }

    fn end_step(&mut self) {
        let Some((number, text, seconds, x)) = self.step.take() else { return };
        self.x = self.x.max(x + MIN_BAND);
        let width = self.x - x;
        self.bands.push(Band {
            x,
            width,
            name: fitting(&format!("{number} {text}"), width.saturating_sub(10)),
            time: fitting(&since_start(seconds), width.saturating_sub(10)),
            title: format!("step {number}: {text}"),
            failing: number == self.failing,
        });
    }

    fn end_off(&mut self) {
        if let Some(x) = self.off_since.take() {
            self.off.push(Span { x, width: self.x.saturating_sub(x) });
        }
    }
}
