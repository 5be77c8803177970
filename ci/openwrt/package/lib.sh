#!/bin/sh
# shellcheck disable=SC3043 # every shell of a router has `local`
# What the scripts of this folder share. They run in a guest that imitates OpenWrt, one per boot.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
set -e

# try SECONDS COMMAND...: repeats the command until it succeeds.
try() {
	local left="$1"
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$left" -gt 0 ] || fail "not within time: $*"
		left=$((left - 1))
		sleep 1
	done
}

fail() {
	echo "FAILED: $1"
	echo '--- dnsmasq'
	tail -n 20 /tmp/dnsmasq.log
	echo '--- /tmp/dhcp.leases'
	cat /tmp/dhcp.leases
	echo '--- boot'
	cat /tmp/boot.log
	exit 1
}

# expect WHAT COMMAND...: the command must succeed.
expect() {
	local what="$1"
	shift
	"$@" >/tmp/output 2>&1 || {
		cat /tmp/output
		df /
		fail "$what"
	}
	echo "ok   $what"
}

# expect_not WHAT COMMAND...: the command must fail.
expect_not() {
	local what="$1"
	shift
	! "$@" >/dev/null 2>&1 || fail "$what"
	echo "ok   $what"
}

# lease MAC NAME: a client asks for an address. Sets address.
lease() {
	if [ ! -d /sys/class/net/client ]; then
		# busybox cannot name the other end.
		ip link add client type veth
		ip link set veth0 master br-lan
		ip link set veth0 up
	fi
	ip link set client down
	ip link set client address "$1"
	ip link set client up
	rm -f /tmp/address
	udhcpc -i client -f -n -q -B -t 20 -T 1 -x "hostname:$2" -s /lab/package/udhcpc >/tmp/udhcpc.log 2>&1 ||
		fail "$2 got no address: $(cat /tmp/udhcpc.log)"
	# shellcheck disable=SC2034 # for the caller
	read -r address </tmp/address
}

# leased NAME: whether dnsmasq's lease file in RAM, which LuCI reads, contains the lease of a client.
leased() {
	grep -q " $1 " /tmp/dhcp.leases
}

dnsmasq_runs() {
	[ -n "$(pidof dnsmasq)" ]
}
