#!/bin/sh
# A lease script that keeps all leases in one NVRAM variable, dnsmasq_leases, with a `;` between them.
#
# It writes only what has changed, and leaves everything as it is where the tool has no room for the new value. A
# marker in RAM makes the next call commit when one was killed between `set` and `commit`.

variable=dnsmasq_leases
marker=/tmp/dnsmasq_leases.uncommitted
set -f # host names are no patterns

stored=$(nvram get "$variable" 2>/dev/null)

# is_lease LINE: five words of which the first is a number, or the identifier of the DHCPv6 server.
is_lease() {
	IFS=' '
	# shellcheck disable=SC2086 # splits at the blanks
	set -- $1
	IFS=';'
	case $#$1 in
	2duid) return 0 ;;
	5*[!0-9]*) return 1 ;;
	5?*) return 0 ;;
	esac
	return 1
}

IFS=';'
case $1 in
init)
	for line in $stored; do
		if is_lease "$line"; then
			printf '%s\n' "$line"
		fi
	done
	exit 0
	;;
add | old | del) ;;
*) exit 0 ;;
esac

new=
for line in $stored; do
	case $line in
	*" $3 "*) ;;
	'duid '*) [ -n "$DNSMASQ_SERVER_DUID" ] || new=$new$line\; ;;
	*) new=$new$line\; ;;
	esac
done
case $3 in
*:*)
	[ -z "$DNSMASQ_SERVER_DUID" ] || new="${new}duid $DNSMASQ_SERVER_DUID;"
	second=$DNSMASQ_IAID
	id=$2
	;;
*)
	second=$2
	id=${DNSMASQ_CLIENT_ID:-*}
	;;
esac
if [ "$1" != del ]; then
	time=${DNSMASQ_LEASE_LENGTH:-$DNSMASQ_LEASE_EXPIRES}
	new="$new$time $second $3 ${4:-*} $id;"
fi

# normal LEASES: prints them sorted, because an unchanged lease moves to the end.
normal() {
	printf '%s' "$1" | tr ';' '\n' | sort
}

# free_bytes: the last number that the tool gives for its free space, on either output.
free_bytes() {
	{
		nvram show
		nvram info
	} 2>&1 | sed -n -e 's|.* bytes used / \([0-9]*\) bytes available.*|\1|p' \
		-e 's|^size: .* bytes (\(-*[0-9]*\) left)$|\1|p' \
		-e 's|^.* entries, .* bytes used, \([0-9]*\) bytes free\.$|\1|p' | tail -n 1
}

if [ ! -e "$marker" ] && [ "$(normal "$new")" = "$(normal "$stored")" ]; then
	exit 0
fi
growth=$((${#new} - ${#stored}))
if [ "$growth" -gt 0 ]; then
	free=$(free_bytes)
	if [ $((growth + 200)) -gt "${free:-0}" ]; then
		echo "one-variable.sh: no room for $3" >&2
		exit 1
	fi
fi
: >"$marker"
nvram set "$variable=$new"
if [ "$(nvram get "$variable")" != "$new" ]; then
	echo "one-variable.sh: nvram did not take $3" >&2
	exit 1
fi
nvram commit && rm -f "$marker"
