# 1,000 renewals of 50 leases as dnsmasq writes its own lease file (lease.c, lease_update_file): truncated, written as a
# whole, synced.
# shellcheck shell=sh disable=SC1091
. /lab/fill.sh
n=1
while [ $n -le 1000 ]; do
	sed "s/^[0-9]*\( 02:aa:00:00:00:$(printf %02x $((n % 50 + 1))) \)/$((1767657600 + 600 * n))\1/" /tmp/leases >/tmp/new
	cp /tmp/new /tmp/leases
	dd if=/tmp/leases of=/etc/dnsmasq.leases bs=64k conv=fsync 2>/dev/null || exit 1
	n=$((n + 1))
done
