#!/bin/sh
# Imitates the wrapper of OpenWrt 19.07 and later: the user's script is sourced.
# shellcheck disable=SC1090,SC2240 # as OpenWrt has it
[ -f "$USER_DHCPSCRIPT" ] && . "$USER_DHCPSCRIPT" "$@"
object=dhcp
case $1 in
add) action=add ;;
del) action=remove ;;
old) action=update ;;
arp-add) action=add object=neigh ;;
arp-del) action=remove object=neigh ;;
*) object= ;;
esac
[ -n "$object" ] &&
	ubus call "hotplug.$object" call "{ \"env\": [ \"ACTION=$action\", \"MACADDR=$2\", \"IPADDR=$3\", \"HOSTNAME=$4\" ] }"
