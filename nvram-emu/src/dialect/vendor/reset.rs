//! The variables that `clear` and `erase` of DD-WRT keep.
//!
//! From src/router/nvram/backup.c of mirror/dd-wrt at c1330ebb1b: `nvram_critical_internal`, `nvram_clear`.

use memchr::memmem;

/// The names that are kept, except for those in [`NUMBERED`].
const KEPT: &str = "\
ATEMODE Ate_power_on_off_ret CFEver GemtekPmonVer HW_ver PA aa2g af_hash ag0 ag1 antswctl2g antswitch \
bl_version blink_diag_led board_id boardflags boardflags2 boardflags3 boardnum boardpwrctl boardrev boardtype \
boot_hw_model boot_hw_ver boot_ver boot_wait bootflags bootnv_ver bootpartition bw40po bwduppo bxa2g \
bypasscrccheck cardbus cck2gpo ccode cddpo cert_region cfe_disable_2G cfe_disable_5G cfe_ping_timeout \
cisco_default clkdivsf clkfreq color cpurev csromrev ctf_fa_cap cthwver custom_id default_passphrase \
default_ssid deviceType devid devinfo_version dl_ram_addr et0macaddr_safe et_pwrsave et_txq_thresh \
extpagain2g firmwarename gs_sku_id hardware_version hw_mac_addr hw_model hw_rev hw_revision hw_version \
hwrev hwver il0macaddr image_first_offset image_second_offset itt2ga0 itt2ga1 lan_ifname lan_ifnames landevs \
ledbh0 ledbh10 ledbh11 ledbh2 ledbh3 ledbh5 leddc loader_version macaddr manufacturer manufacturerURL \
manufacturer_date maxp2ga0 maxp2ga1 maxpartialboots melco_id mfg_data_version mfg_wait model \
modelDescription modelNumber nocountrysel nospare ntype nvram_factory_reset nvram_min_ver nvram_reboot \
nvram_space nvram_version odmpid ofdm2gpo os_flash_addr os_ram_addr pa2gw0a0 pa2gw0a1 pa2gw1a0 pa2gw1a1 \
pa2gw2a0 pa2gw2a1 parefldovoltage pcie_force_gen1 pdetrange2g phyid_num pincode pmon_date pmon_ver prodid \
product product_name productid region regrev regulation_domain regulation_domain_5G reset_gpio rgmii_port \
rssisav2g rssismc2g rssismf2g rxchain rxpo2g scratch sdram_config sdram_init sdram_ncdl sdram_refresh \
secret_code serial_no serial_number sn sromrev stbcpo strap_p5_mode sw_version tc_passphrase tc_ssid \
territory_code test_led_gpio tftp_max_retries tftp_recv_timeout tftp_rrq_timeout tftpd_ipaddr tftpserverip \
tri2g triso2g tssipos2g txchain um_board_id usb_gpio_reverse uuid_key wait_time wan_ifname wan_ifnames \
wandevs watchdog winbond_flash wl0_country_code wl0_country_rev wl0_wandevs wl1_country_code \
wl1_country_rev wl_country wl_dmarxctl wl_dmatxctl wl_msglevel wl_pcie_mrrs wl_use_coregpio wltest \
wps_lock_forever_cnt xtalfreq";

/// Numbered names that are kept: the text before and after the number, and the highest number. The lowest is 0.
const NUMBERED: [(&str, &str, u8); 10] = [
    ("gpio", "", 22),
    ("wl0gpio", "", 4),
    ("mcs2gpo", "", 7),
    ("devpath", "", 3),
    ("et", "macaddr", 2),
    ("et", "mdcport", 2),
    ("et", "phyaddr", 2),
    ("vlan", "hwname", 2),
    ("vlan", "ports", 2),
    ("wl", "id", 2),
];

/// Kept wireless settings of one vendor's boot loader, `DEF-p_wireless_ethN_BAND-SETTING`.
const DEFAULTS: [&str; 4] = ["authmode", "authmode_ex", "crypto", "wpapsk"];

/// Names with these prefixes are kept.
const PREFIXES: [&str; 7] = ["sb/", "pci/", "pcie/", "0:", "1:", "2:", "3:"];
/// Names that are removed although they contain `_hwaddr`. All other names that contain it are kept.
const REMOVED: [&str; 5] =
    ["lan_hwaddr", "wlan0_hwaddr", "wlan1_hwaddr", "wlan2_hwaddr", "wlan3_hwaddr"];

/// Whether a reset keeps the variable `name`.
pub(super) fn keeps(name: &[u8]) -> bool {
    let Ok(name) = std::str::from_utf8(name) else {
        // All listed names are ASCII, but prefixes and the substring can still match.
        return PREFIXES.iter().any(|prefix| name.starts_with(prefix.as_bytes()))
            || memmem::find(name, b"_hwaddr").is_some();
    };
    if REMOVED.contains(&name) {
        return false;
    }
    KEPT.split(' ').any(|kept| kept == name)
        || NUMBERED.iter().any(|rule| is_numbered(name, *rule))
        || is_boot_default(name)
        || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
        || name.contains("_hwaddr")
}

fn is_numbered(name: &str, (before, after, highest): (&str, &str, u8)) -> bool {
    let number = name.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
    let number = number.and_then(|digits| Some((digits, digits.parse::<u8>().ok()?)));
    number.is_some_and(|(digits, number)| number <= highest && digits == number.to_string())
}

fn is_boot_default(name: &str) -> bool {
    let bands = ["eth1_11a-", "eth1_11bg-", "eth2_11a-", "eth2_11bg-"];
    name.strip_prefix("DEF-p_wireless_").is_some_and(|rest| {
        bands.iter().filter_map(|band| rest.strip_prefix(band)).any(|rest| DEFAULTS.contains(&rest))
    })
}
