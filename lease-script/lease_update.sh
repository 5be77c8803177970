#!/bin/sh
# Keeps the leases of dnsmasq in NVRAM: dnsmasq --leasefile-ro --dhcp-script=/path/lease_update.sh
# README.md explains LEASE_*, the stored format and the reasons; `lease-update` is the same in Rust. Needs nvram and awk;
# mkdir once after a boot; dd and sleep after a call that was killed, or beside another one.
# shellcheck disable=SC2015,SC2016,SC2086,SC2164,SC3043 # words are split at line breaks; a router's shell has `local`
case ${1-} in
'') echo 'lease-update: usage: init | add|old|del MAC-or-DUID ADDRESS [HOSTNAME]' >&2 && false ;;
init | add | old | del) ( # a subshell: nothing leaks into a wrapper that sources this file
set +eu -f
umask 077 && exec </dev/null
export LC_ALL=C # a character is a byte
nl='
'
IFS=$nl

say() { printf 'lease-update: %s\n' "$1" >&2; }
fail() { say "$1" && exit 1; }

# --- A folder in RAM: one writer at a time, and changes that may not be in flash yet ---
# A call that writes adds `PID.START NAME=VALUE` (`PID.START NAME`: removed) to the file `intents`, and empties it after
# `commit`. The first line of a running process is the owner's; that of one that has ended may not be committed.

# process PID: sets id to PID.START, START being the start time: field 22 of stat, after a name that may have blanks.
process() {
	local IFS=' '
	id=
	case $1 in *[!0-9]*) [ "$1" = self ] || return ;; esac
	[ -r "/proc/$1/stat" ] && read -r stat 2>/dev/null <"/proc/$1/stat" || return
	set -- ${stat##*) }
	[ "$1" = Z ] || id=${stat%% *}.${20-}
}

# enter: goes to the folder, through no link; only this user can write to it.
enter() {
	cd -P "$run" 2>/dev/null && here=${PWD%/}/$folder || return
	[ -d "$here" ] || mkdir "$here" 2>/dev/null
	cd -P "$here" 2>/dev/null && [ "$PWD" = "$here" ] && [ -O . ] && [ ! -L intents ] &&
		{ [ ! -e intents ] || { [ -f intents ] && [ -O intents ]; }; }
}

# lock [ENTRY]: waits for calls that write, and adds ENTRY. Sets ended to the changes of calls that have ended.
lock() {
	enter || return
	if [ -s intents ]; then
		case $(dd if=intents of=/dev/null bs=9000 skip=1 count=1 2>&1) in
		*'0+0 records in'*) read -r line <intents && case $line in [1-9]*.*' '*) ;; *) return 1 ;; esac ;;
		*) owed=1 && : >intents ;; # too long to be read
		esac
	fi
	process self
	me=$id
	while [ $((tries += 1)) -le 20 ]; do
		owner='' ended=''
		[ ! -s intents ] || while read -r line; do
			process "${line%%.*}"
			if [ "$id" = "${line%% *}" ]; then owner=${owner:-$id}; else ended=$ended${line#* }$nl; fi
		done <intents
		case $owner/${1-} in
		"$me"/* | /) locked=1 && return ;;
		/*) printf '%s\n' "$me $1" 2>/dev/null >>intents ;;
		*) sleep 1 ;;
		esac
	done
	[ -z "${1-}" ] || [ -z "$owner" ] || fail "process ${owner%.*} writes to NVRAM: nothing stored"
}

# --- The format of a lease, and what `nvram show` says ---
# In the environment: p, the prefix, and for `init` max, LEASE_MAX; for a change n and v, name and value, old, the value
# before, and d, the variable with the DUID of the server.
program='
function hex(t, n) { return length(t) < n * 3 && t ~ /^[0-9a-f][0-9a-f](:[0-9a-f][0-9a-f])*$/ }
function number(t) { return length(t) < 11 && t ~ /^(0|[1-9][0-9]*)$/ }

# 4 or 6 for an address as inet_ntop() writes it.
function family(a, w, i, n, at, zeros) {
	if (split(a, w, ".") == 4) {
		while (++i < 5) if (w[i] + 0 "" != w[i] || w[i] > 255 || w[i] < 0) return
		return 4
	}
	if (a !~ /^[0-9a-f:]+$/ || a ~ /:::|::.*::|^:[^:]|[^:]:$|(^|:)0[^:]|[^:][^:][^:][^:][^:]/) return
	for (i = split(a, w, ":"); i; i--) n += w[i] != ""
	if (!(at = index(a, "::"))) return n == 8 && (":" a ":") !~ /:0:0:/ ? 6 : 0
	# `::` is the first of the longest runs of two or more zeros. ::ffff:1.2.3.4 is never leased.
	if (n > 6 || a ~ /(^|:)0::|::0(:|$)|^::ffff:[^:]+:[^:]+$/) return
	for (i = n; i < 8; i++) zeros = zeros ":0"
	return index(":" substr(a, 1, at), zeros ":") || index(substr(a, at + 1) ":", zeros ":0:") ? 0 : 6
}

# 4 or 6 for a lease, 5 for the DUID of the server, if the variable n may have the value v.
function kind(n, v, w, f) {
	if (v ~ /[\001-\037\177]/) return
	if (n == p "duid") return split(v, w, " ") == 2 && v == "duid " w[2] && hex(w[2], 85) ? 5 : 0
	if (split(v, w, " ") != 5 || v != w[1] " " w[2] " " w[3] " " w[4] " " w[5]) return
	f = n == p w[3] && number(w[1]) && length(w[4]) < 256 ? family(w[3]) : 0
	if (f == 4 && w[5] == "*") w[5] = "00"
	if (f == 4 ? sub(/^[0-9a-f][0-9a-f]-/, "", w[2]) && w[2] == "" || hex(w[2], 16) : \
		sub(/^T?/, "", w[2]) && number(w[2]) && w[2] + 0 < 4294967296) return hex(w[5], 255) ? f : 0
}

# A value can forge any text but the last line of `show`: the smallest number of free bytes counts.
function room(text, field, w) {
	split(text, w, " ")
	sub(/^\(/, "", w[field])
	if (free == "" || w[field] + 0 < free) free = w[field] + 0
}

BEGIN {
	p = ENVIRON["p"]; n = ENVIRON["n"]; v = ENVIRON["v"]; old = ENVIRON["old"]; d = ENVIRON["d"]; max = ENVIRON["max"]
	if (n == "" && (!number(max) || length(max) > 9)) { note = "LEASE_MAX is no number: 1000 taken"; max = 1000 }
}
{ before = last; last = $0 }
$0 == d { d = "" }
index($0, p) == 1 && (i = index($0, "=")) {
	name = substr($0, 1, i - 1)
	value = substr($0, i + 1)
	k = kind(name, value)
	if (seen[name]++) odd = " odd"
	else if (!k) bad = bad $0 "\n"
	else if (k == 5 || max == 0 || count++ < max) { words[k] = words[k] "get=" name "="; lines[k] = lines[k] value "\n" }
	next
}
index("0123456789d", substr($0, 1, 1)) && /^(duid|[0-9]+) / && !/ bytes used / { odd = " odd" } # the second line of a value?
index($0, "NVRAM Utility") == 1 { odd = " one" } # Tomato: one command per call
index($0, "CRC8:") == 1 { torn = $2 ")" == $4 ? "" : " torn" }
index($0, "size: ") && match($0, /size: [0-9]+ bytes \(-?[0-9]+ left\)/) { room(substr($0, RSTART), 4) }
END {
	if (n == "") {
		if (max > 0 && count > max) note = "LEASE_MAX=" max ": " count - max " leases left out"
		print last odd torn (NR == 1 ? " empty" : "") ";" note
		printf "words%s\n%s%s", words[4] words[5] words[6], bad, lines[4] lines[5] lines[6]
		exit
	}
	if (last ~ / bytes used \/ [0-9]+ bytes available \(/) room(last, 5)
	if (before == "---" && last ~ /, -?[0-9]+ bytes free\.$/) room(last, 6)
	if (free == "") free = ENVIRON["LEASE_NVRAM_FREE"]
	if (free ~ /[^0-9-]/) free = 0
	need = length(v) - length(old) + (d == "" ? 0 : length(d) + 1) + (v == "" ? -length(n) - 2 : old == "" ? length(n) + 2 : 0)
	need += need > 0 ? 92 : 8 # for sdram_* variables 84, padding and the last bytes, which OpenWrt cannot use, 8
	if (!family(substr(n, length(p) + 1)) || v != "" && !kind(n, v)) print "not a lease that dnsmasq can read: refused"
	else if (free != "" && need > free + 0) print "no room in NVRAM: " need " bytes needed, " free " left: " n " not stored"
	else printf "ok\n%s", bad
}'
check() { p=$prefix n=${record-} v=${want-} old=${old-} d=${duid:+$duid=$server} max=${LEASE_MAX:-1000} awk "$program" 2>/dev/null; }

# --- init ---

# list TEXT: takes apart what the program printed.
list() {
	flags='' words='' values='' bad=''
	[ -n "$1" ] || return
	set -- $1
	flags=$1 words=${2#words} && shift
	while shift && case ${1-} in "$prefix"*) ;; *) false ;; esac; do bad=$bad$nl${1%%=*}; done
	values=$*
}
show() { list "$({ "$nvram" show $info 2>/dev/null; echo "exit $?"; } | check)"; }

# by_name: prints the variables in $names as `show` does, each read by itself. No lease has two lines.
by_name() {
	local IFS=$nl=
	for name in $names; do
		[ "$name" != get ] || continue
		value=$("$nvram" get "$name" 2>&1; echo "x$?")
		case $value in
		x[01]) ;;
		*"$nl"*"$nl"x[01]) echo "$name=" ;;
		*x[01]) printf '%s' "$name=${value%x?}" ;;
		*) say "$unread" && failed=1 ;;
		esac
	done
	echo "exit $failed"
}

init() {
	info=info failed=0
	[ ! -s "$run/$folder/intents" ] || lock
	cd "$back"
	tries=0
	while [ $((tries += 1)) -le 4 ]; do # until two readings agree
		show
		case $flags in 'exit '[01]' empty'*) case $("$nvram" show 2>&1) in '' | *'size: '*) ;; *) flags= ;; esac ;; esac
		case $flags in
		*' one'*) info='' && show ;;
		'exit '[01][\ \;]*) ;;
		*) say "$unread: no leases" && [ "${LEASE_STRICT-}" != 1 ] && exit; exit 1 ;;
		esac
		names=$bad printed=$values
		case $info$flags in
		exit* | *odd*) tries=9 ;;
		*torn*) ;;
		*) [ "$values" != "${words:+$(IFS='='; "$nvram" $words 2>/dev/null)}" ] || break ;;
		esac
		names=$words$bad printed=
	done
	[ -z "${flags#*;}" ] || say "${flags#*;}"
	case $tries$flags in 5*torn*) say 'NVRAM changes while it is read: leases may be missing' && failed=1 ;; esac
	if [ -n "$names" ]; then
		list "$(by_name | check)"
		for name in $bad; do
			case $name in *[!0-9A-Za-z_.:-]*) name='odd name' ;; esac
			say "$name: left out: no valid lease"
		done
		printed=${printed:-$values}
	fi
	[ -z "$printed" ] || printf '%s\n' "$printed"
	case $flags in 'exit 1'*) [ "${LEASE_STRICT-}" != 1 ] ;; esac
}

# --- add, old, del ---

number() { case $1 in '' | *[!0-9]* | 0?* | ???????????*) return 1 ;; esac; }
hex() { case :$1: in *[!0-9a-f:]* | *::* | *:?:* | *[!:][!:][!:]*) return 1 ;; esac && [ ${#1} -le "$2" ]; }

# read_all [show info]: sets all to the record twice, the DUID of the server twice, and the output of the commands. Sets
# old to the record, and single if the tool takes one command per call: Tomato prints its usage, others one copy.
read_all() {
	if [ -z "$single" ]; then
		[ -z "$duid" ] || set -- get "$duid" get "$duid" "$@"
		all=$("$nvram" get "$record" get "$record" "$@" 2>&1)
		[ $? -le 1 ] || fail "$unread"
		case $all in 'NVRAM Utility'*) single=1 ;; *"$nl"* | 'size: '* | '') ;; *) single=1 ;; esac
	fi
	if [ -n "$single" ] && all=; then
		for name in "$record" $duid; do
			value=$("$nvram" get "$name" 2>&1)
			[ -z "$value" ] || all=$all$value$nl$value$nl
		done
		[ $# = 0 ] || all=$all$("$nvram" show 2>&1) || fail "$unread"
	fi
	old=${all%%"$nl"*}
	case $old/$all in duid\ *) old= ;; ?*/"$old$nl$old" | ?*/"$old$nl$old$nl"*) ;; *) old= ;; esac
}

stored() {
	case $want/$all$nl in
	/*) [ -z "$old" ] ;;
	?*/"$want$nl$want$nl${duid:+$server$nl$server$nl}"*) ;;
	*) return 1 ;;
	esac
}

# compose MAC HOST: sets want to the record for the lease.
compose() {
	time=${DNSMASQ_LEASE_LENGTH:-${DNSMASQ_LEASE_EXPIRES-}} slack=${LEASE_SLACK:-0} second=$1 id=${DNSMASQ_CLIENT_ID-} host=$2
	time=${time% } # until dnsmasq 2.51, a blank follows
	case $host in '' | *' '* | *[[:cntrl:]]*) host='*' ;; *) [ ${#host} -le 255 ] || host='*' ;; esac
	hex "$id" 764 || id='*'
	case $ip in *:*) second=${DNSMASQ_IAID-} id=$1 ;; esac
	number "$slack" || { say 'LEASE_SLACK is no number of seconds: 0 taken' && slack=0; }
	if [ "$slack" != 0 ] && [ "$time" != 0 ] && [ -z "${DNSMASQ_LEASE_LENGTH-}" ] && number "$time"; then
		slack=$((time + slack < 9999999999 ? time + slack : 9999999999))
		number "${old%% *}" && [ $((${old%% *} >= time && ${old%% *} <= slack)) = 1 ] && slack=${old%% *}
		time=$slack
	fi
	want="$time $second $ip $host $id"
}

# write COMMANDS: and commit. Succeeds if the change is stored then.
write() {
	before=$single problem="NVRAM did not take $record: not stored"
	[ -z "$single" ] || while [ $# -gt 0 ]; do quietly "$1" "$2" && shift 2 || return; done
	quietly "$@" commit
	code=$?
	read_all
	stored || return
	problem='NVRAM commit failed: the next call tries again'
	[ "$before" = "$single" ] || { quietly commit; code=$?; } # the tool did the first command only
	[ $code = 0 ]
}
quietly() { "$nvram" "$@" >/dev/null 2>&1; }

update() {
	ip=${3-} duid='' server="duid ${DNSMASQ_SERVER_DUID-}" single='' owed='' locked='' want='' ended='' tries=0 verdict=''
	case $ip in '' | *[!0-9a-f.:]*) fail 'no address: refused' ;; esac
	record=$prefix$ip
	case $1$ip in del*) ;; *:*) ! hex "${server#duid }" 254 || duid=${prefix}duid ;; esac
	read_all show info
	[ "$1" = del ] || compose "${2-}" "${4-}"
	if stored; then
		[ -s "$run/$folder/intents" ] || exit 0
	else
		verdict=$(printf '%s\n' "$all" | check)
		case $verdict in ok*) ;; *) fail "${verdict:-$unread}" ;; esac
	fi
	lock "$record${want:+=$want}" || say "no lock in RAM: $run/$folder is not a folder of ours"
	cd "$back"
	[ -z "$ended" ] && [ $tries -le 2 ] || read_all show info # another call has changed NVRAM
	for line in $ended; do
		case ${line##*=*}/$nl$all$nl in
		/*"$nl$line$nl"*) owed=1 ;;
		/* | */*"$nl$line="*) ;;
		*) owed=1 ;;
		esac
	done
	set --
	if ! stored; then
		if [ -n "$want" ]; then set -- set "$record=$want"; else set -- unset "$record"; fi
		[ -z "$duid" ] || set -- "$@" set "$duid=$server"
		for line in ${verdict#ok}; do # names without a valid lease, unless the line belongs to another variable
			name=${line%%=*}
			value=$("$nvram" get "$name" 2>/dev/null)
			case $name=$value in "$record="*) ;; "$line" | *"$nl"*) set -- "$@" unset "$name" ;; esac
		done
	fi
	# Again if need be: another program may have written.
	[ $#$owed = 0 ] || write "$@" || write "$@" || fail "$problem"
	[ -z "$locked" ] || { enter && : >intents; }
}

back=$PWD run=${LEASE_RUN:-/tmp} prefix=${LEASE_PREFIX:-dnsmasq_lease_} nvram=${LEASE_NVRAM-} unread='cannot read NVRAM'
case ${LEASE_STORE:-nvram} in nvram) ;; journal:*) fail 'LEASE_STORE=journal: not in this shell script' ;; *) fail 'LEASE_STORE: no such store' ;; esac
case $prefix in [!0-9A-Za-z_]* | *[!0-9A-Za-z_.-]*) fail 'LEASE_PREFIX: letters, digits, _ . - only' ;; esac
folder=.${prefix}run
[ -n "$nvram" ] || { command -v nvram >/dev/null && nvram=nvram; } || nvram=/usr/sbin/nvram
for name in awk "$nvram"; do command -v "$name" >/dev/null || unread="cannot read NVRAM: no program ${name##*/}"; done
if [ "$1" = init ]; then init; else update "$@"; fi
) ; case $1.$? in init.0) trap 'exit 0' EXIT ;; init.*) trap 'exit 1' EXIT ;; *.0) ;; *) false ;; esac ;; # a wrapper's 1 ends dnsmasq
esac
