#!/bin/sh
# The way of OpenWrt: dnsmasq calls a wrapper, which sources the user's script and then tells the rest of the system about
# the lease. `exit` in the user's script ends the wrapper, so whatever follows is not done in that case.

user_script=${USER_DHCPSCRIPT:-$(dirname "$0")/one-variable.sh}

# shellcheck source=/dev/null
[ ! -f "$user_script" ] || . "$user_script"

case $1 in
add) action=add ;;
del) action=remove ;;
old) action=update ;;
*) exit 0 ;;
esac
# There is no ubus in the lab.
command -v ubus >/dev/null || exit 0
ubus call hotplug.dhcp call "{ \"env\": [\"ACTION=$action\", \"MACADDR=$2\", \"IPADDR=$3\", \"HOSTNAME=$4\"] }"
