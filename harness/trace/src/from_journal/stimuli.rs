//! Events as lines of `stimuli.jsonl`, the words of the recordings.

use dnsmasq_model::hex_text;
use std::net::IpAddr;

use lease_formats::dhcpd::IaKind;
use serde_json::{Value, json};

use super::events::{SiteEvent, SiteKind, Who};
use super::replay::length;

/// A line for each event. What no client did (`expiry`, `abandoned`, `reclaim`) has its own word, which a reader of
/// stimuli passes over; time passes between two lines.
pub fn stimuli(events: &[SiteEvent]) -> String {
    let begin = events.first().map_or(0, |event| event.time);
    let mut out = String::new();
    for (i, event) in events.iter().enumerate() {
        let t = event.time - begin;
        let mut line = json!({
            "i": i, "t": t, "wall": event.time, "mono": t,
            "event": event.kind.name(),
            "ends": if event.ends.is_never() { json!("never") } else { json!(event.ends.0) },
        });
        match &event.who {
            Who::Four { hardware, uid, hostname } => {
                line["do"] = json!(word(event.kind, false));
                line["ip"] = json!(event.address.to_string());
                if let Some(hardware) = hardware {
                    line["mac"] = json!(hex_text(&hardware.bytes));
                    if hardware.kind != 1 {
                        line["htype"] = json!(hardware.kind);
                    }
                }
                if !uid.is_empty() {
                    line["clid"] = json!(hex_text(uid));
                }
                if let Some(name) = hostname {
                    line["hostname"] = json!(String::from_utf8_lossy(name));
                }
                if gives(event.kind) {
                    let address = event.address.to_string();
                    line["res"] =
                        json!({"type": "ACK", "ip": address, "lease_time": length(event)});
                }
            }
            Who::Six { kind, iaid, duid, prefix_length } => {
                line["do"] = json!(word(event.kind, true));
                line["duid"] = json!(hex_text(duid));
                let mut ia = association(*kind, *iaid, event.address, *prefix_length);
                line["ia"] = json!([ia.clone()]);
                if gives(event.kind) {
                    ia["valid"] = json!(length(event));
                    line["res"] = json!({"type": "REPLY", "ia": [ia]});
                }
            }
        }
        out.push_str(&line.to_string());
        out.push('\n');
    }
    out
}

fn gives(kind: SiteKind) -> bool {
    matches!(kind, SiteKind::Held | SiteKind::Grant | SiteKind::Renewal)
}

fn word(kind: SiteKind, six: bool) -> &'static str {
    match (kind, six) {
        (SiteKind::Held | SiteKind::Grant, false) => "request",
        (SiteKind::Renewal, false) => "renew",
        (SiteKind::Release, false) => "release",
        (SiteKind::Decline, false) => "decline",
        (SiteKind::Held | SiteKind::Grant, true) => "request6",
        (SiteKind::Renewal, true) => "renew6",
        (SiteKind::Release, true) => "release6",
        (SiteKind::Decline, true) => "decline6",
        (SiteKind::Expiry, _) => "expiry",
        (SiteKind::Abandoned, _) => "abandoned",
        (SiteKind::Reclaim, _) => "reclaim",
    }
}

fn association(kind: IaKind, iaid: u32, address: IpAddr, prefix_length: u8) -> Value {
    let (kind, address) = match kind {
        IaKind::NonTemporary => ("na", address.to_string()),
        IaKind::Temporary => ("ta", address.to_string()),
        IaKind::Prefix => ("pd", format!("{address}/{prefix_length}")),
    };
    json!({"type": kind, "iaid": iaid, "addr": [address]})
}
