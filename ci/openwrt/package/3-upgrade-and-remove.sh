# After a power cut with leases in a journal; upgrade, removal, and the package for apk.
# shellcheck shell=sh disable=SC1091,SC2154 # lib.sh
. /lab/package/lib.sh
try 120 test -d /sys/class/net/br-lan/brif
try 30 leased laptop
try 30 leased phone
try 30 leased tablet
echo 'ok   the journal has survived a power cut'

expect 'an upgrade' opkg install /lab/package/lease-update.ipk
expect 'the upgrade keeps the settings' test "$(uci get lease-update.main.store)" = journal
try 30 leased tablet

# The script of 2006 does not work in a jail.
chmod -x /sbin/ujail
expect 'opkg remove' opkg remove lease-update
expect 'the earlier script is configured again' test "$(uci get dhcp.@dnsmasq[0].dhcpscript)" = /etc/lease_2006.sh
expect_not 'no line stays in files of dnsmasq' grep -q lease-update /etc/dnsmasq.conf /etc/init.d/dnsmasq
expect_not 'no program stays' ls /usr/sbin/lease-update /usr/lib/lease-update/setup /etc/init.d/lease-update
expect 'the stored leases stay' test -s /etc/lease-update/dhcpd.leases
try 30 dnsmasq_runs
uci delete dhcp.@dnsmasq[0].dhcpscript
echo >/etc/dnsmasq.conf
/etc/init.d/dnsmasq restart
try 30 leased tablet
lease 02:aa:00:00:00:04 printer
try 30 leased printer
echo 'ok   without a script, dnsmasq goes on with the leases in its file'

chmod +x /sbin/ujail
expect 'apk add' apk add --allow-untrusted /lab/package/lease-update.apk
try 30 leased printer
# shellcheck disable=SC2016 # expanded by the inner shell
expect 'the leases of the file were stored' \
	sh -c '. /var/etc/lease-update.env && "$LEASE_PROGRAM" init | grep " printer "'
expect 'apk del' apk del lease-update
expect_not 'no script is configured' uci get dhcp.@dnsmasq[0].dhcpscript
try 30 leased printer
