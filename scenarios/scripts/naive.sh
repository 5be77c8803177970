#!/bin/sh
# A minimal lease script, for comparison with lease_update.sh. It sets and commits in every call but init,
# compares and checks nothing, and prints every matching line of `nvram show`.

if [ "$1" = init ]; then
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
esac
nvram commit
