#!/bin/sh
# naive.sh with a mistake that is easy to make: `init` prints a banner. dnsmasq reads words, not lines, and takes the
# three words for the beginning of the first lease.

if [ "$1" = init ]; then
	echo "lease_update: restoring leases"
	nvram show 2>/dev/null | sed -n 's/^dnsmasq_lease_[^=]*=//p'
	exit
fi

case $1 in
add | old)
	when=${DNSMASQ_LEASE_LENGTH:-$DNSMASQ_LEASE_EXPIRES}
	nvram set "dnsmasq_lease_$3=$when $2 $3 ${4:-*} ${DNSMASQ_CLIENT_ID:-*}"
	;;
del)
	nvram unset "dnsmasq_lease_$3"
	;;
*)
	exit 0
	;;
esac
nvram commit
