#!/bin/sh
# The router's init system, as far as it concerns dnsmasq: `service dnsmasq restart`, `service restart_dnsmasq` and
# `/etc/init.d/dnsmasq restart`. The first process stands for dnsmasq; signal 40 restarts it.

case "$0 $*" in
*dnsmasq*reload* | *reload*dnsmasq*) kill -HUP 1 ;;
*dnsmasq*restart* | *restart*dnsmasq* | *dnsmasq*stop* | *stop*dnsmasq*) kill -40 1 ;;
*dnsmasq*start* | *start*dnsmasq*) ;;
*)
	echo "${0##*/}: this router has no other service than dnsmasq" >&2
	exit 1
	;;
esac
