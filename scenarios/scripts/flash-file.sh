#!/bin/sh
# A lease script that keeps the leases in a file on the flash file system.
#
# The new contents are written to a second file, synced, and moved over the first: after a power cut the file is as before
# or as after. NVRAM is not used.

file=/jffs/dnsmasq.leases

case $1 in
init)
	[ ! -f "$file" ] || cat "$file"
	exit 0
	;;
add | old | del) ;;
*) exit 0 ;;
esac

[ -f "$file" ] || : >"$file"
{
	# Every other lease, DHCPv6 after DHCPv4, and the identifier of the server between them.
	awk -v address="$3" '$1 != "duid" && $3 != address && $3 !~ /:/' "$file"
	case $1$3 in
	del* | *:*) ;;
	*) echo "${DNSMASQ_LEASE_LENGTH:-$DNSMASQ_LEASE_EXPIRES} $2 $3 ${4:-*} ${DNSMASQ_CLIENT_ID:-*}" ;;
	esac
	case $DNSMASQ_SERVER_DUID in
	?*) echo "duid $DNSMASQ_SERVER_DUID" ;;
	*) grep '^duid ' "$file" ;;
	esac
	awk -v address="$3" '$3 != address && $3 ~ /:/' "$file"
	case $1$3 in
	del*) ;;
	*:*) echo "${DNSMASQ_LEASE_LENGTH:-$DNSMASQ_LEASE_EXPIRES} $DNSMASQ_IAID $3 ${4:-*} $2" ;;
	esac
} >"$file.new" || exit 1

if cmp -s "$file.new" "$file"; then
	rm "$file.new"
	exit 0
fi
sync && mv "$file.new" "$file" && sync
