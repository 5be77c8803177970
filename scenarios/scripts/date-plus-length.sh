#!/bin/sh
# A lease script that calculates when a lease ends: the date plus the length of the lease. That is what dnsmasq reports
# anyway where the clock is right. In a build with HAVE_BROKEN_RTC dnsmasq reads the date as a length of decades; and
# an infinite lease, which has no remaining time, ends at once.

case $1 in
init)
	nvram show 2>/dev/null | sed -n 's/^dnsmasq_lease_[^=]*=//p'
	exit 0
	;;
add | old)
	length=${DNSMASQ_LEASE_LENGTH:-${DNSMASQ_TIME_REMAINING:-0}}
	ends=$(($(date +%s) + length))
	lease="$ends $2 $3 ${4:-*} ${DNSMASQ_CLIENT_ID:-*}"
	[ "$(nvram get "dnsmasq_lease_$3" 2>/dev/null)" != "$lease" ] || exit 0
	nvram set "dnsmasq_lease_$3=$lease"
	;;
del)
	nvram unset "dnsmasq_lease_$3"
	;;
*)
	exit 0
	;;
esac
nvram commit
