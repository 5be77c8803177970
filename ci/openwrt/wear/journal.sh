# The same renewals with lease-update and a journal.
# shellcheck shell=sh disable=SC1091
. /lab/fill.sh
mkdir -p /etc/lease-update
export LEASE_STORE=journal:/etc/lease-update/dhcpd.leases
n=1
while [ $n -le 1000 ]; do
	i=$((n % 50 + 1))
	hex=$(printf %02x $i)
	DNSMASQ_LEASE_EXPIRES=$((1767657600 + 600 * n)) DNSMASQ_CLIENT_ID=01:02:aa:00:00:00:$hex \
		lease-update old "02:aa:00:00:00:$hex" "192.168.1.$((100 + i))" "client-$i" || exit 1
	n=$((n + 1))
done
