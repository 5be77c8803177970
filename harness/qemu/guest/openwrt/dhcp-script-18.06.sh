#!/bin/sh
# Imitates the wrapper of OpenWrt 15.05 to 18.06: an executable script is run, and sourced as well if it fails.
if [ -n "$USER_DHCPSCRIPT" ]; then
	# shellcheck disable=SC1090,SC2015,SC2240 # as OpenWrt has it
	[ -x "$USER_DHCPSCRIPT" ] && "$USER_DHCPSCRIPT" "$@" || . "$USER_DHCPSCRIPT" "$@"
fi
export MACADDR="$2" IPADDR="$3" HOSTNAME="$4"
case $1 in
add) ACTION=add exec /sbin/hotplug-call dhcp ;;
del) ACTION=remove exec /sbin/hotplug-call dhcp ;;
old) ACTION=update exec /sbin/hotplug-call dhcp ;;
arp-add) ACTION=add exec /sbin/hotplug-call neigh ;;
arp-del) ACTION=remove exec /sbin/hotplug-call neigh ;;
esac
