# After a power cut; then the leases move to a journal on the overlay.
# shellcheck shell=sh disable=SC1091,SC2154 # lib.sh
. /lab/package/lib.sh
try 120 test -d /sys/class/net/br-lan/brif
try 30 leased laptop
try 30 leased phone
echo 'ok   both leases are back after a power cut'
lease 02:aa:00:00:00:01 laptop
expect 'a client gets its address again' test "$address" = "$(cat /etc/address-of-laptop)"

uci set lease-update.main.store=journal
uci commit lease-update
/etc/init.d/lease-update restart
try 30 leased phone
lease 02:aa:00:00:00:03 tablet
try 30 leased tablet
expect 'a new lease is in the journal' grep -q "$address" /etc/lease-update/dhcpd.leases
expect 'the earlier leases are in the journal' grep -q "$(cat /etc/address-of-laptop)" /etc/lease-update/dhcpd.leases
expect_not 'the lease is not in NVRAM' nvram get "dnsmasq_lease_$address"
