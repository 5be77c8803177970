#!/bin/sh
# Keeps dnsmasq's leases in NVRAM: see README.md.
# shellcheck disable=SC2015,SC2064,SC2086,SC3043
case ${1-} in
'') echo 'lease-update: no action' >&2 && false ;;
init | add | old | del) ( # a subshell: wrappers source this
set +eu -f
umask 077 && exec </dev/null
export LC_ALL=C
nl='
'
IFS=$nl

say() { printf 'lease-update: %s\n' "$1" >&2; }
fail() { say "$1" && exit 1; }

# Tomato's tool takes one command.
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
	case .$1. in
	*[!0-9.]* | *..* | *.0[!.]* | *[!.][!.][!.][!.]* | *.[3-9][!.][!.].* | *.2[6-9][!.].* | *.25[6-9].* | *.*.*.*.*.*.*) false ;;
	*.*.*.*.*.*) ;;
	*) false ;;
	esac
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

# Whether dnsmasq can read $line, NAME=VALUE.
valid() {
	IFS=' '
	set -- $line
	IFS=$nl
	time=${1#*=} key=$3 name=$prefix$3 kind=4
	value="$time $2 $3 $4 $5"
	case $#$line in
	"5$name=$value") number "$time" && [ ${#4} -le 255 ] || return ;;
	"2${prefix}duid=duid $2") kind=duid key=duid value="duid $2" && hex "$2" 254; return ;;
	*) return 1 ;;
	esac
	case $4 in *[[:cntrl:]]*) return 1 ;; esac
	case $3 in
	*:*)
		kind=6 && ipv6 "$3" && hex "$5" 764 && set -- "${2#T}" && number "$1" &&
			case $1 in 429496729[6-9]) false ;; *) [ "0${1%?}" -le 429496729 ] ;; esac
		return
		;;
	esac
	case $2 in
	[0-9a-f][0-9a-f]:[0-9a-f][0-9a-f]:[0-9a-f][0-9a-f]:[0-9a-f][0-9a-f]:[0-9a-f][0-9a-f]:[0-9a-f][0-9a-f]) ;;
	*) mac=${2#[0-9a-f][0-9a-f]-} && hex "${mac:-${2:+00}}" 47 || return ;;
	esac
	ipv4 "$3" && case $5 in '*') ;; *) hex "$5" 764 ;; esac
}

# --- One writer at a time ---
# PID.START of each writer, until its `commit`: what an ended one has set may not be in flash.

process() {
	local IFS=' '
	id=
	[ -r "/proc/$1/stat" ] && read -r stat 2>/dev/null <"/proc/$1/stat" || return
	set -- ${stat##*) } # blanks in a name
	[ "$1" = Z ] || id=${stat%% *}.${20}
}

lock() {
	[ -d "$run" ] || mkdir "$run" 2>/dev/null
	# The folder stays the same.
	cd -P "$run" 2>/dev/null && [ -O . ] && [ "${PWD##*/}" = "${run##*/}" ] && log=intents &&
		[ ! -L $log ] && true 2>/dev/null <>$log && [ -f $log ] && process self && me=$id || return
	# bounded
	[ ! -s "$log" ] || [ "$({ head -c 9999 "$log" | wc -c; } 2>/dev/null)" != 9999 ] || { true >"$log" && uncommitted=1; }
	while [ $((tries += 1)) -le 20 ]; do
		owner=
		while read -r line; do
			case $line in "$me") id=$me ;; [1-9]*.*) process "${line%%.*}" ;; *) uncommitted='' && return 1 ;; esac
			if [ "$id" != "$line" ]; then uncommitted=1; else owner=${owner:-$id}; fi
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
	valid || { bad=$bad${line%%=*}$nl && return; }
	case $seen in *" $key "*) odd=1 && return ;; esac
	seen="$seen$key "
	[ $kind = duid ] || [ $((count += 1)) -le "$max" ] || return 0
	case $kind in
	4) n4=${n4}get$nl$name$nl v4=$v4$value$nl ;;
	6) n6=${n6}get$nl$name$nl v6=$v6$value$nl ;;
	*) server=$value$nl ;;
	esac
}
clear() { n4='' n6='' v4='' v6='' server='' seen=' ' count=0; }

# torn: OpenWrt's tool was writing. odd: a value looks like a variable.
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
		"$prefix"*=*) take ;;
		CRC8:*) sum=${line##*: } && case $line in *" ${sum%)} ("*) torn='' ;; *) torn=1 ;; esac ;;
		esac
	done
	names=$n4${server:+get$nl${prefix}duid$nl}$n6
}

init() {
	max=${LEASE_MAX:-1000} failed='' agreed=''
	number "$max" || { max=1000 && say 'LEASE_MAX is no number: 1000 taken'; }
	[ "$max" != 0 ] || max=9999999
	for _ in 1 2 3 4; do
		[ ! -s "$log" ] || lock init
		show && [ -z "$torn" ] || continue
		[ -z "$odd" ] || break
		[ "$v4$server$v6" != "${names:+$(tool $names 2>/dev/null)$nl}" ] || { agreed=1 && break; }
	done
	[ $code -le 1 ] || { say "$unread: no leases" && [ "$LEASE_STRICT" != 1 ]; exit; }
	[ $count -le "$max" ] || say "LEASE_MAX=$max: $((count - max)) leases left out"
	[ -n "$agreed$odd" ] || { say 'NVRAM changes: leases may be missing' && failed=1; }
	if [ -z "$agreed" ]; then # one by one
		clear
		for name in $names; do
			[ "$name" != get ] || continue
			value=$("$nvram" get "$name" 2>&1)
			case $?,$value in [01],) ;; [01],*) line=$name=$value && take ;; *) say "$unread" && failed=1 ;; esac
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

# Twice: a tool with one command per call prints one copy.
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
	[ -n "$more" ] || read_all show info
	line=$record=$want
	[ -z "$want" ] || valid || fail 'no valid lease: refused'
	free='' line='' after=${want:+$record==$want} before=${old:+$record==$old}
	for line in $all; do
		case $line in
		*'size: '*' bytes ('*' left)'*) room "${line##*bytes ?}" ;;
		"$prefix"*=*) valid || bad=$bad${line%%=*}$nl ;;
		esac
	done
	case $line in
	*' / '*' bytes available ('*) room "${line##*/ }" ;;
	*', '*' bytes free.') room "${line##*, }" ;;
	esac
	[ -n "$free" ] || room "$LEASE_NVRAM_FREE"
	case $duid/$nl$all$nl in /* | */*"$nl$duid=$server$nl"*) ;; *) after=$after$duid==$server ;; esac
	need=$((${#after} - ${#before}))
	# 84 for sdram_*, 8 for OpenWrt's last bytes
	need=$((need > 0 ? need + 92 : need + 8))
	[ -z "$free" ] || [ $need -le "$free" ] || fail "no room in NVRAM: $need bytes needed for $ip, $free left"
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
	ip=$3 duid='' server="duid $DNSMASQ_SERVER_DUID" uncommitted='' locked='' want='' bad='' more=show${nl}info
	case ${ip:-x} in *[!0-9a-f.:]*) fail 'no address: refused' ;; esac
	record=$prefix$ip
	case $1$ip in del*) ;; *:*) ! hex "${server#duid }" 254 || duid=${prefix}duid ;; esac
	[ "$1" != old ] || [ ! -d "$run" ] || more=''
	read_all $more
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
	# Others write, too.
	[ $#$uncommitted = 0 ] || write "$@" || write "$@" || { [ -z "$locked" ] || echo "$me" >"$log"; fail "$problem"; }
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
) ; case $1.$? in init.*) trap "exit $?" EXIT ;; *.0) ;; *) false ;; esac ;; # OpenWrt's wrapper ends with 1
esac
