//! The variables that Linksys' library for the WRT54GL 4.30.11 sets together with another one.
//!
//! From `nvram_converts`, nvram_convert.c in ReliefLabs/EasyTomato at caaae2e52.

/// Names after `wl_` that are mirrored as `wl0_`.
const WIRELESS: &str = "\
afterburner akm ap_isolate auth auth_mode bcn channel closed country country_code crypto dtim frag frameburst \
gmode gmode_protection ifname key key1 key2 key3 key4 lazywds maclist macmode mode phytype plcphdr preauth \
radio radius_ipaddr radius_key radius_port rate rateset rts ssid unit wds wep wme wme_ap_be wme_ap_bk wme_ap_vi \
wme_ap_vo wme_no_ack wme_sta_be wme_sta_bk wme_sta_vi wme_sta_vo wpa_gtk_rekey wpa_psk";

/// Names after `wl_` that are also mirrored as `d11g_`.
const OLD_WIRELESS: &str = "bcn channel dtim frag rate rateset rts";

/// Names after `ppp_` that are mirrored as `pppoe_`.
const PPP: &str = "\
ac ac_1 demand demand_1 idletime idletime_1 keepalive keepalive_1 passwd passwd_1 service service_1 static \
static_ip username username_1";

/// The names that `nvram_set` also sets, in its order.
pub(super) fn mirrors(name: &[u8]) -> Vec<String> {
    let Ok(name) = std::str::from_utf8(name) else { return Vec::new() };
    let listed = |names: &str, name: &str| names.split(' ').any(|listed| listed == name);
    let mut mirrors = Vec::new();
    if let Some(rest) = name.strip_prefix("wl_").filter(|rest| listed(WIRELESS, rest)) {
        if rest == "radio" {
            mirrors.push("wl0_mode".into());
        }
        mirrors.push(format!("wl0_{rest}"));
        if rest == "gmode" {
            mirrors.push("d11g_mode".into());
        } else if listed(OLD_WIRELESS, rest) {
            mirrors.push(format!("d11g_{rest}"));
        }
    } else if let Some(rest) = name.strip_prefix("ppp_").filter(|rest| listed(PPP, rest)) {
        mirrors.push(format!("pppoe_{rest}"));
    }
    mirrors
}
