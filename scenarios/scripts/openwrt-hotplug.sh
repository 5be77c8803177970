#!/bin/sh
# OpenWrt's wrapper of dnsmasq's script, /usr/lib/dnsmasq/dhcp-script.sh, around lease_update.sh. WRAPPER says how it runs
# the user's script. What it would tell hotplug, it writes to /tmp/hotplug.
# shellcheck disable=SC2015,SC2240 # as in OpenWrt

script=$(command -v lease_update.sh)
case $WRAPPER in
15.05) # until 18.06
	# shellcheck source=/dev/null
	[ -x "$script" ] && "$script" "$@" || . "$script" "$@"
	;;
19.07) # and later
	# shellcheck source=/dev/null
	[ -f "$script" ] && . "$script" "$@"
	;;
*) "$script" "$@" ;;
esac

object=
case $1 in
add | del | old) object=dhcp ;;
arp-add | arp-del) object=neigh ;;
esac
[ "$WRAPPER" = 19.07 ] || [ -n "$object" ] || exit 0
[ -n "$object" ] && echo "$object $*" >>/tmp/hotplug
