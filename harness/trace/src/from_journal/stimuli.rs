//! Writes the events of a site as `stimuli.jsonl`.

use std::net::IpAddr;

use dnsmasq_model::hex_text;
use lease_formats::dhcpd::IaKind;
use serde_json::{Value, json};

use super::replay::lease_time_of;
use super::site_events::{SiteClient, SiteEvent, SiteEventKind};

/// Returns the text of `stimuli.jsonl`, with one line for each event. Events without a message (`expiry`, `abandoned`,
/// `reclaim`) have kinds of their own, because they are not inputs of dnsmasq.
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
        match &event.client {
            SiteClient::V4 { hardware, uid, hostname } => {
                line["do"] = json!(stimulus_kind(event.kind, false));
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
                if has_reply(event.kind) {
                    let address = event.address.to_string();
                    line["res"] =
                        json!({"type": "ACK", "ip": address, "lease_time": lease_time_of(event)});
                }
            }
            SiteClient::V6 { kind, iaid, duid, prefix_length } => {
                line["do"] = json!(stimulus_kind(event.kind, true));
                line["duid"] = json!(hex_text(duid));
                let mut ia = association(*kind, *iaid, event.address, *prefix_length);
                line["ia"] = json!([ia.clone()]);
                if has_reply(event.kind) {
                    ia["valid"] = json!(lease_time_of(event));
                    line["res"] = json!({"type": "REPLY", "ia": [ia]});
                }
            }
        }
        out.push_str(&line.to_string());
        out.push('\n');
    }
    out
}

fn has_reply(kind: SiteEventKind) -> bool {
    matches!(kind, SiteEventKind::Held | SiteEventKind::Grant | SiteEventKind::Renewal)
}

fn stimulus_kind(kind: SiteEventKind, v6: bool) -> &'static str {
    match (kind, v6) {
        (SiteEventKind::Held | SiteEventKind::Grant, false) => "request",
        (SiteEventKind::Renewal, false) => "renew",
        (SiteEventKind::Release, false) => "release",
        (SiteEventKind::Decline, false) => "decline",
        (SiteEventKind::Held | SiteEventKind::Grant, true) => "request6",
        (SiteEventKind::Renewal, true) => "renew6",
        (SiteEventKind::Release, true) => "release6",
        (SiteEventKind::Decline, true) => "decline6",
        (SiteEventKind::Expiry, _) => "expiry",
        (SiteEventKind::Abandoned, _) => "abandoned",
        (SiteEventKind::Reclaim, _) => "reclaim",
    }
}

fn association(kind: IaKind, iaid: u32, address: IpAddr, prefix_length: u8) -> Value {
    let address = match kind {
        IaKind::NonTemporary | IaKind::Temporary => address.to_string(),
        IaKind::Prefix => format!("{address}/{prefix_length}"),
    };
    json!({"type": kind.short_name(), "iaid": iaid, "addr": [address]})
}
