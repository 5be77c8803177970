# A router with the script of 2006 and leases in NVRAM gets the package.
# shellcheck shell=sh disable=SC1091,SC2154 # lib.sh
. /lab/package/lib.sh
try 120 test -d /sys/class/net/br-lan/brif

# The script of 2006 does not work in a jail, which has no nvram.
chmod -x /sbin/ujail
cp /lab/package/naive.sh /etc/lease_2006.sh
echo leasefile-ro >/etc/dnsmasq.conf
uci set dhcp.@dnsmasq[0].dhcpscript=/etc/lease_2006.sh
uci commit dhcp
/etc/init.d/dnsmasq enable
/etc/init.d/dnsmasq start
lease 02:aa:00:00:00:01 laptop
echo "$address" >/etc/address-of-laptop
try 20 nvram get "dnsmasq_lease_$address"
/etc/init.d/dnsmasq stop
chmod +x /sbin/ujail

expect 'opkg install' opkg install /lab/package/lease-update.ipk
expect 'the script of the package is configured' \
	test "$(uci get dhcp.@dnsmasq[0].dhcpscript)" = /usr/lib/lease-update/dhcp-script
expect 'the service is enabled' /etc/init.d/lease-update enabled
expect_not 'uci-defaults has run' test -e /etc/uci-defaults/90-lease-update
try 30 dnsmasq_runs
try 30 leased laptop
echo 'ok   the lease of the script of 2006 is still there'
lease 02:aa:00:00:00:02 phone
try 30 leased phone
expect 'a new lease is in NVRAM' nvram get "dnsmasq_lease_$address"
try 10 grep -qs "dhcp add 02:aa:00:00:00:02 $address phone" /var/run/dnsmasq/hotplug /tmp/lab/hotplug
echo 'ok   hotplug was told'
expect 'dnsmasq runs in a jail' pidof ujail
