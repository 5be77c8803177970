//! Converts a step to its table.

use std::num::NonZeroU32;

use serde::{Serialize, Serializer};

use super::located::Located;
use super::table::RawStep;
use crate::actions::ClientEvent;
use crate::disturbance::Disturbance;
use crate::expectations::Expectations;
use crate::step::{Action, CallDisturbance, ClientMessage, Repeat, Step};

impl Serialize for Step {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        RawStep::from(self.clone()).serialize(serializer)
    }
}

impl From<Step> for RawStep {
    fn from(step: Step) -> Self {
        let expect = Expectations(step.expect);
        let mut raw = Self { note: step.note, when: step.when, expect, ..Self::default() };
        match step.repeat {
            None => {}
            Some(Repeat::Times(times)) => raw.times = Some(Located::new(times)),
            Some(Repeat::Every { every, until }) => {
                raw.every = Some(Located::new(every));
                raw.until = Some(Located::new(until));
            }
        }
        raw.web_page = step.web_page.then(|| Located::new(true));
        if let Some(CallDisturbance { call, disturbance }) = step.disturbance {
            raw.at_call = (call != NonZeroU32::MIN).then(|| Located::new(call));
            match disturbance {
                Disturbance::Cut(point) => raw.cut = Some(Located::new(point)),
                Disturbance::Kill(point) => raw.kill = Some(Located::new(point)),
                Disturbance::Fail(word) => raw.fail = Some(Located::new(word)),
            }
        }
        raw.set_action(step.action);
        raw
    }
}

impl RawStep {
    fn set_action(&mut self, action: Action) {
        match action {
            Action::Check => {}
            Action::Boot(boot) => self.boot = Some(Located::new(boot)),
            Action::Shutdown => self.shutdown = Some(Located::new(true)),
            Action::PowerCut => self.power_cut = Some(Located::new(true)),
            Action::Advance(time) => self.advance = Some(Located::new(time)),
            Action::SetClock(moment) => self.set_clock = Some(Located::new(moment)),
            Action::Ntp => self.ntp = Some(Located::new(true)),
            Action::Drift(ppm) => self.drift = Some(Located::new(ppm)),
            Action::Dnsmasq(action) => self.dnsmasq = Some(Located::new(action)),
            Action::Join(join) => self.join = Some(Located::new(join)),
            Action::Client(message, event) => *self.client(message) = Some(Located::new(event)),
            Action::Silence(event) => self.silence = Some(Located::new(event)),
            Action::Journal(journal) => self.journal = Some(Located::new(journal)),
            Action::Call(call) => self.call = Some(Located::new(call)),
            Action::Nvram(commands) => self.nvram = Some(Located::new(commands)),
            Action::Damage(damage) => self.damage = Some(Located::new(damage)),
            Action::Files(files) => self.files = Some(Located::new(files)),
            Action::RemoveFiles(paths) => self.remove_files = Some(Located::new(paths)),
            Action::Configure(configure) => self.configure = Some(Located::new(*configure)),
        }
    }

    fn client(&mut self, message: ClientMessage) -> &mut Option<Located<ClientEvent>> {
        match message {
            ClientMessage::Request => &mut self.request,
            ClientMessage::Renew => &mut self.renew,
            ClientMessage::Rebind => &mut self.rebind,
            ClientMessage::InitReboot => &mut self.init_reboot,
            ClientMessage::Rename => &mut self.rename,
            ClientMessage::Inform => &mut self.inform,
            ClientMessage::Release => &mut self.release,
            ClientMessage::Decline => &mut self.decline,
        }
    }
}
