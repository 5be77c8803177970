#!/bin/sh
# A lease script that keeps its leases in a small database, through the program `leasedb` beside it.

leasedb=$(dirname "$0")/leasedb
time=${DNSMASQ_LEASE_LENGTH:-$DNSMASQ_LEASE_EXPIRES}

case $1 in
init)
	exec "$leasedb" dump
	;;
add | old)
	case $3 in
	*:*)
		[ -z "$DNSMASQ_SERVER_DUID" ] || "$leasedb" put duid "duid $DNSMASQ_SERVER_DUID" || exit
		exec "$leasedb" put "$3" "$time $DNSMASQ_IAID $3 ${4:-*} $2"
		;;
	*)
		exec "$leasedb" put "$3" "$time $2 $3 ${4:-*} ${DNSMASQ_CLIENT_ID:-*}"
		;;
	esac
	;;
del)
	exec "$leasedb" delete "$3"
	;;
esac
