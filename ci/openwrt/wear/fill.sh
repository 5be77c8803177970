# Fills the overlay but for about 400 KiB, and writes a lease file with 50 leases to /tmp/leases. The size of the overlay's
# free space decides when JFFS2 has to erase blocks.
# shellcheck shell=sh
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
dd if=/dev/urandom of=/etc/fill bs=1024 count=1200 2>/dev/null
sync
n=1
while [ $n -le 50 ]; do
	echo "1767657600 02:aa:00:00:00:$(printf %02x $n) 192.168.1.$((100 + n)) client-$n 01:02:aa:00:00:00:$(printf %02x $n)"
	n=$((n + 1))
done >/tmp/leases
