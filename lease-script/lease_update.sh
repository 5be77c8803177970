#!/bin/sh
# Keeps dnsmasq's leases in NVRAM: see README.md.
# shellcheck disable=SC2015,SC2064,SC2086,SC3043 # lists are split at line breaks
case ${1-} in
'') echo 'lease-update: no action' >&2 && false ;;
init | add | old | del) ( # nothing leaks into a wrapper that sources this file
set +eu -f
umask 077 && exec </dev/null
export LC_ALL=C
nl='
'
IFS=$nl

say() { printf 'lease-update: %s\n' "$1" >&2; }
fail() { say "$1" && exit 1; }

# tool COMMANDS: one call, or, for Tomato's, one for each.
tool() {
	[ -n "$single" ] || exec "$nvram" "$@"
	while [ $# -gt 0 ]; do
		case $1 in
		get) value=$("$nvram" get "$2") && printf '%s\n%s\n' "$value" "$value"; shift 3 ;;
		*set) "$nvram" "$1" "$2" || exit; shift ;;
		info) ;;
		*) "$nvram" "$1" || exit ;;
		esac
		shift
	done
}

# --- The format of a lease ---

number() { case $1 in '' | *[!0-9]* | 0?* | ???????????*) false ;; esac; }
hex() { case :$1: in *[!0-9a-f:]* | *::* | *:?:* | *[!:][!:][!:]*) false ;; *) [ ${#1} -le "$2" ] ;; esac; }

ipv4() {
	local IFS=. all=4$1
	set -- $1
	[ "$#$*" = "$all" ] || return
	for group in "$@"; do number "$group" && [ "$group" -le 255 ] || return; done
}

# As inet_ntop() writes it: `::` is the first of the longest runs of zeros.
ipv6() {
	local IFS=: zeros=:0:0:0:0:0:0:0:0:
	case $1 in *[!0-9a-f:]* | *:::* | *::*::* | :[!:]* | *[!:]: | *:*:*:*:*:*:*:*:*) return 1 ;; esac
	for group in $1; do
		case $group in ?????* | 0?*) return 1 ;; ?*) zeros=${zeros#:0} ;; esac
	done
	case $zeros,$1 in
	:0:0:0:0:0:,::ffff:*) false ;;
	:0:0*,*::*) case :${1%%::*}: in *$zeros* | *:0:) false ;; esac && case :${1#*::}: in *${zeros}0:* | :0:*) false ;; esac ;;
	:,*) case :$1: in *:0:0:*) false ;; esac ;;
	*) false ;;
	esac
}

# valid NAME=VALUE: whether dnsmasq can read it.
valid() {
	local IFS=' '
	name=${1%%=*} value=${1#*=}
	set -- $value
	case $#$name$value in
	5"$prefix$3$*") number "$1" && [ ${#4} -le 255 ] || return ;;
	2"${prefix}duid$*") kind=duid && [ "$1" = duid ] && hex "$2" 254; return ;;
	*) return 1 ;;
	esac
	case $4$3 in
	*[[:cntrl:]]*) false ;;
	*:*)
		kind=6 && ipv6 "$3" && hex "$5" 764 && set -- "${2#T}" && number "$1" &&
			case $1 in ?) ;; 429496729[6-9]) false ;; *) [ "${1%?}" -le 429496729 ] ;; esac
		;;
	*)
		mac=${2#[0-9a-f][0-9a-f]-} kind=4
		hex "${mac:-${2:+00}}" 47 && ipv4 "$3" && { [ "$5" = '*' ] || hex "$5" 764; }
		;;
	esac
}

# --- One writer at a time ---
# A writer adds PID.START to a file in RAM, and empties it after `commit`. The first that runs is the owner. What an ended
# one set may not be in flash.

process() {
	local IFS=' '
	id=
	[ -r "/proc/$1/stat" ] && read -r stat 2>/dev/null <"/proc/$1/stat" || return
	set -- ${stat##*) } # the name can have blanks
	[ "$1" = Z ] || id=${stat%% *}.${20}
}

# Fails if something else is in its place.
lock() {
	[ -d "$run" ] || mkdir "$run" 2>/dev/null
	[ ! -L "$run" ] && [ -O "$run" ] && [ ! -L "$log" ] && true 2>/dev/null <>"$log" && [ -f "$log" ] &&
		process self && me=$id || return
	# not if it has grown
	[ ! -s "$log" ] || [ "$({ head -c 9999 "$log" | wc -c; } 2>/dev/null)" != 9999 ] || { true >"$log" && owed=1; }
	while [ $((tries += 1)) -le 20 ]; do
		owner=
		while read -r line; do
			case $line in [1-9]*.*) process "${line%%.*}" ;; *) owed='' && return 1 ;; esac
			if [ "$id" != "$line" ]; then owed=1; else owner=${owner:-$id}; fi
		done <"$log"
		case $owner/$1 in
		"$me"/* | /init) locked=1 && return ;;
		/*) echo "$me" 2>/dev/null >>"$log" || return ;;
		*) sleep 1 ;;
		esac
	done
	[ -z "$owner" ] || [ "$1" = init ] || fail "process ${owner%.*} writes to NVRAM"
	false
}

# --- init ---

take() {
	valid "$1" || { bad=$bad$name$nl && return; }
	case $names in *"$nl$name$nl"*) odd=1 && return ;; esac
	case $kind$max in duid* | ?0) ;; *) [ $((count += 1)) -le "$max" ] || return 0 ;; esac
	names=${names}get$nl$name$nl values=$values$value$nl
	case $kind in 4) v4=$v4$value$nl ;; 6) v6=$v6$value$nl ;; *) server=$value$nl ;; esac
}

# torn: OpenWrt's tool was writing. odd: a value looks like a variable, or Tomato's tool.
show() {
	clear && bad='' odd='' torn=''
	lines=$(tool show info 2>/dev/null)
	code=$?
	case $code$lines in
	?'NVRAM Utility'*) odd=1 && lines=$(tool show 2>/dev/null) || code=2 ;;
	1) code=2 ;;
	esac
	[ $code -le 1 ] || return
	for line in $lines; do
		case $line in
		"$prefix"*=*) take "$line" ;;
		CRC8:*) sum=${line##*: } && case $line in *" ${sum%)} ("*) torn='' ;; *) torn=1 ;; esac ;;
		esac
	done
}
clear() { v4='' server='' v6='' names='' values='' count=0; }

init() {
	max=${LEASE_MAX:-1000} failed='' agreed=''
	number "$max" || { max=1000 && say 'LEASE_MAX is no number: 1000 taken'; }
	for _ in 1 2 3 4; do # until two readings agree
		[ ! -s "$log" ] || lock init
		show && [ -z "$torn" ] || continue
		[ -z "$odd" ] || break
		[ "$values" != "${names:+$(tool $names 2>/dev/null)$nl}" ] || { agreed=1 && break; }
	done
	[ $code -le 1 ] || { say "$unread: no leases" && [ "$LEASE_STRICT" != 1 ]; exit; }
	[ "$max" = 0 ] || [ $count -le "$max" ] || say "LEASE_MAX=$max: $((count - max)) leases left out"
	[ -n "$agreed$odd" ] || { say 'NVRAM changes: leases may be missing' && failed=1; }
	if [ -z "$agreed" ]; then # one by one: no value can look like another variable
		list=$names
		clear
		for name in $list; do
			[ "$name" != get ] || continue
			value=$("$nvram" get "$name" 2>&1)
			case $?,$value in [01],) ;; [01],*) take "$name=$value" ;; *) say "$unread" && failed=1 ;; esac
		done
	fi
	for name in $bad; do
		case $name in *[!0-9A-Za-z_.:-]*) name='odd name' ;; esac
		say "$name: left out: no valid lease"
	done
	printf %s "$v4$server$v6"
	[ -z "$failed" ] || [ "$LEASE_STRICT" != 1 ]
}

# --- add, old, del ---

# Names are read twice: one copy, or a usage message, means a tool with one command per call.
read_all() {
	[ -z "$duid" ] || set -- get "$duid" get "$duid" "$@"
	while all=$(tool get "$record" get "$record" "$@" 2>&1); [ $? -le 1 ] || fail "$unread"; [ -z "$single" ]; do
		case $all in 'NVRAM Utility'*) ;; *"$nl"* | 'size: '* | '') break ;; esac
		single=1 code=1
	done
	old=${all%%"$nl"*}
	case $old/$all$nl in duid\ *) old= ;; ?*/"$old$nl$old$nl"*) ;; *) old= ;; esac
}

stored() {
	[ -n "$want" ] || { [ -z "$old" ]; return; }
	case $all$nl in "$want$nl$want$nl${duid:+$server$nl$server$nl}"*) ;; *) false ;; esac
}

compose() {
	time=${DNSMASQ_LEASE_LENGTH:-$DNSMASQ_LEASE_EXPIRES} slack=${LEASE_SLACK:-0} second=$1 host=$2 id=$DNSMASQ_CLIENT_ID
	time=${time% } # dnsmasq until 2.51
	case $host in '' | *' '* | *[[:cntrl:]]*) host='*' ;; *) [ ${#host} -le 255 ] || host='*' ;; esac
	hex "$id" 764 || id='*'
	case $ip in *:*) second=$DNSMASQ_IAID id=$1 ;; esac
	number "$slack" || { say 'LEASE_SLACK is no number: 0 taken' && slack=0; }
	if [ "$slack" != 0 ] && [ "$time" != 0 ] && [ -z "$DNSMASQ_LEASE_LENGTH" ] && number "$time"; then
		stored=${old%% *} later=$((time + slack))
		[ ${#later} -le 10 ] || later=9999999999
		number "$stored" && [ "$stored" -ge "$time" ] && [ "$stored" -le $later ] && time=$stored || time=$later
	fi
	want="$time $second $ip $host $id"
}

# The smallest counts: a value can look like the line of the tool.
room() {
	set -- "${1%% *}"
	number "${1#-}" && { [ "${free:-$1}" -lt "$1" ] || free=$1; }
}

check() {
	[ -z "$want" ] || valid "$record=$want" || fail 'no valid lease: refused'
	free='' line='' after=${want:+$record==$want} before=${old:+$record==$old}
	for line in $all; do
		case $line in
		*'size: '*' bytes ('*' left)'*) room "${line##*bytes ?}" ;;
		"$prefix"*=*) valid "$line" || bad=$bad$name$nl ;;
		esac
	done
	case $line in
	*' / '*' bytes available ('*) room "${line##*/ }" ;;
	*', '*' bytes free.') room "${line##*, }" ;;
	esac
	[ -n "$free" ] || room "$LEASE_NVRAM_FREE"
	case $duid/$nl$all$nl in /* | */*"$nl$duid=$server$nl"*) ;; *) after=$after$duid==$server ;; esac
	need=$((${#after} - ${#before}))
	# 84 for sdram_*, 8 for padding and OpenWrt's last bytes
	need=$((need > 0 ? need + 92 : need + 8))
	[ -z "$free" ] || [ $need -le "$free" ] || fail "no room in NVRAM: $need bytes needed, $free left"
}

write() {
	problem="NVRAM did not take $record"
	(tool "$@" commit) >/dev/null 2>&1
	code=$?
	read_all
	stored || return
	problem='NVRAM commit failed'
	[ $code = 0 ]
}

update() {
	ip=$3 duid='' server="duid $DNSMASQ_SERVER_DUID" owed='' locked='' want='' bad=''
	case ${ip:-x} in *[!0-9a-f.:]*) fail 'no address: refused' ;; esac
	record=$prefix$ip
	case $1$ip in del*) ;; *:*) ! hex "${server#duid }" 254 || duid=${prefix}duid ;; esac
	read_all show info
	[ "$1" = del ] || compose "$2" "$4"
	if ! stored; then check; elif [ ! -s "$log" ]; then exit; fi
	lock "$1" || say "no lock in RAM: $run is not ours"
	[ $tries -le 2 ] || read_all show info
	set --
	if ! stored; then
		for name in $bad; do # a name that occurs twice is part of a value
			case $nl$all in *"$nl$name="*"$nl$name="*) ;; *) set -- "$@" unset "$name" ;; esac
		done
		[ -n "$want" ] && set -- "$@" set "$record=$want" || set -- "$@" unset "$record"
		[ -z "$duid" ] || set -- "$@" set "$duid=$server"
	fi
	# Twice: others may write, too.
	[ $#$owed = 0 ] || write "$@" || write "$@" || { [ -z "$locked" ] || echo "$me" >"$log"; fail "$problem"; }
	[ -z "$locked" ] || true >"$log"
}

prefix=${LEASE_PREFIX:-dnsmasq_lease_} unread='cannot read NVRAM' single='' tries=0
[ "${LEASE_STORE:-nvram}" = nvram ] || fail 'LEASE_STORE: no such store'
case $prefix in [!0-9A-Za-z_]* | *[!0-9A-Za-z_.-]*) fail 'LEASE_PREFIX: letters, digits, _ . - only' ;; esac
run=${LEASE_RUN:-/tmp}/.${prefix}run
log=$run/intents
PATH=$PATH:/usr/sbin nvram=${LEASE_NVRAM:-nvram}
command -v "$nvram" >/dev/null || unread="$unread: no program ${nvram##*/}"
if [ "$1" = init ]; then init; else update "$@"; fi
) ; case $1.$? in init.*) trap "exit $?" EXIT ;; *.0) ;; *) false ;; esac ;; # OpenWrt's wrapper would end with 1
esac
