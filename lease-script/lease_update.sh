#!/bin/sh
# Keeps the leases of dnsmasq in NVRAM. Usage:
#
#   dnsmasq --leasefile-ro --dhcp-script=/path/lease_update.sh
#
# dnsmasq calls it with `init`, or with `add|old|del MAC-or-DUID ADDRESS [HOSTNAME]`. A web page may call it
# with `init` at any time. README.md beside this file documents the variables LEASE_*, the stored format, and
# where each nvram tool reports its free space. `lease-update` is the same program in Rust.
#
# Runs in busybox ash and needs no program but `nvram`. No number exceeds 31 bits: times are handled as digits.
# Exit code: 0 done, or nothing to do; 1 not done, with the reason in one line on standard error.

LC_ALL=C # a character is a byte
set -f   # stored text is never a file name pattern
nl='
'
IFS=$nl

say() {
	printf 'lease-update: %s\n' "$1" >&2
}

fail() {
	say "$1"
	exit 1
}

# --- the format of a lease ---------------------------------------------------------------------------------

# is_hex TEXT MAX: 1 to MAX bytes of two hex digits with colons between them.
is_hex() {
	case :$1: in
	*[!0-9a-f:]* | *::* | *:?:* | *[!:][!:][!:]*) return 1 ;;
	esac
	[ $(((${#1} + 1) / 3)) -le "$2" ]
}

is_time() {
	case $1 in
	0 | [1-9]) return 0 ;;
	'' | 0* | *[!0-9]*) return 1 ;;
	esac
	[ ${#1} -le 10 ]
}

# is_iaid TEXT: an unsigned 32-bit number, optionally after a T.
is_iaid() {
	is_time "${1#T}" || return 1
	i=${1#T}
	[ ${#i} -eq 10 ] || return 0
	j=${i#?????}
	i=${i%"$j"}
	[ "$i" -lt 42949 ] || { [ "$i" -eq 42949 ] && [ "1$j" -le 167295 ]; }
}

# is_hardware TEXT: an optional type, then 1 to 16 bytes; after a type, the bytes may be missing.
is_hardware() {
	case $1 in
	[0-9a-f][0-9a-f]-) return 0 ;;
	[0-9a-f][0-9a-f]-*) is_hex "${1#???}" 16 ;;
	*) is_hex "$1" 16 ;;
	esac
}

# is_host TEXT: 1 to 255 bytes without blanks and control characters.
is_host() {
	case $1 in
	'' | *' '* | *[[:cntrl:]]*) return 1 ;;
	esac
	[ ${#1} -le 255 ]
}

# family TEXT: sets fam to 4 or 6 if TEXT is an address in the form of inet_ntop(), otherwise to nothing; and
# key to digits by which addresses are sorted.
family() {
	fam=
	key=
	case $1 in
	'' | *[!0-9a-f.:]* | *..* | .* | *. | *.*.*.*.*) return ;;
	*.*.*.*) family4 "$1" ;;
	*.*) return ;;
	*:::* | *::*::*) return ;;
	*:*) family6 "$1" ;;
	esac
}

family4() {
	IFS=.
	# shellcheck disable=SC2086 # splits at the dots
	set -- $1
	IFS=$nl
	for i in "$@"; do
		case $i in
		[0-9]) key=${key}00$i ;;
		[1-9][0-9]) key=${key}0$i ;;
		1[0-9][0-9] | 2[0-4][0-9] | 25[0-5]) key=$key$i ;;
		*) return ;;
		esac
	done
	fam=4
}

# groups TEXT: checks one side of an IPv6 address. n counts groups, run is the longest run of zeros, first and
# row say whether the side begins or ends with a zero.
groups() {
	run=0
	row=0
	first=
	case $1 in
	*:) return 1 ;;
	esac
	IFS=:
	# shellcheck disable=SC2086 # splits at the colons
	set -- $1
	IFS=$nl
	case ${1-} in
	0) first=0 ;;
	esac
	for i in "$@"; do
		case $i in
		0) row=$((row + 1)) ;;
		[1-9a-f] | [1-9a-f]? | [1-9a-f]?? | [1-9a-f]???) row=0 ;;
		*) return 1 ;;
		esac
		[ "$row" -le "$run" ] || run=$row
		case $i in
		?) i=000$i ;;
		??) i=00$i ;;
		???) i=0$i ;;
		esac
		key=$key$i
		n=$((n + 1))
	done
}

family6() {
	n=0
	case $1 in
	*::*)
		groups "${1%%::*}" && [ "$row" -eq 0 ] || return
		left=$run
		lead=$key
		key=
		groups "${1#*::}" && [ -z "$first" ] || return
		[ "$n" -le 6 ] && [ "$left" -lt $((8 - n)) ] && [ "$run" -le $((8 - n)) ] || return
		# inet_ntop() writes these as ::ffff:1.2.3.4; they are never leased.
		case $1 in
		::ffff:*) [ "$n" -ne 3 ] || return ;;
		esac
		j=$n
		while [ "$j" -lt 8 ]; do
			lead=${lead}0000
			j=$((j + 1))
		done
		key=$lead$key
		;;
	*)
		groups "$1" && [ "$n" -eq 8 ] && [ "$run" -le 1 ] || return
		;;
	esac
	fam=6
}

# parse ADDRESS VALUE: succeeds if VALUE is a record for ADDRESS, whose family is in fam, and sets time;
# otherwise sets why to the reason.
parse() {
	case $2 in
	*[[:cntrl:]]*) why='control character in it' && return 1 ;;
	esac
	case " $2 " in
	*'  '* | *' '*' '*' '*' '*' '*' '*' '*) why='not five words' && return 1 ;;
	*' '*' '*' '*' '*' '*' ') ;;
	*) why='not five words' && return 1 ;;
	esac
	time=${2%% *}
	rest=${2#* }
	hard=${rest%% *}
	rest=${rest#* }
	is_time "$time" || { why='time is no number' && return 1; }
	[ "${rest%% *}" = "$1" ] || { why='address is not that of its name' && return 1; }
	rest=${rest#* }
	if [ "$fam" = 4 ]; then
		is_hardware "$hard" || { why='hardware address is not hexadecimal' && return 1; }
	else
		is_iaid "$hard" || { why='IAID is no 32-bit number' && return 1; }
	fi
	is_host "${rest%% *}" || { why='host name too long' && return 1; }
	rest=${rest#* }
	case $fam$rest in
	'4*') return 0 ;;
	esac
	is_hex "$rest" 255 || { why='client-id is not hexadecimal' && return 1; }
}

is_duid_line() {
	case $1 in
	'duid '*) is_hex "${1#duid }" 85 ;;
	*) return 1 ;;
	esac
}

# good NAME VALUE: succeeds if VALUE is valid for the variable NAME, and sets fam (0 for the DUID of the server),
# key and time; otherwise sets why.
good() {
	suffix=${1#"$prefix"}
	if [ "$suffix" = duid ]; then
		fam=0
		is_duid_line "$2" || { why='not a DUID' && return 1; }
		return 0
	fi
	family "$suffix"
	[ -n "$fam" ] || { why='no address in its name' && return 1; }
	parse "$suffix" "$2"
}

# clean TEXT: sets text to TEXT for a message: at most 80 characters, with ? for unusual ones.
clean() {
	text=$1
	case $1 in
	*[!0-9A-Za-z_.:-]*)
		rest=$1
		text=
		while [ -n "$rest" ] && [ ${#text} -lt 80 ]; do
			i=${rest#?}
			case $rest in
			[0-9A-Za-z_.:-]*) text=$text${rest%"$i"} ;;
			*) text=$text\? ;;
			esac
			rest=$i
		done
		;;
	*) [ ${#text} -le 80 ] || clean "$text " ;;
	esac
}

# --- times as digits ---------------------------------------------------------------------------------------

# split TIME: sets high and low to its halves of five digits, each after a 1.
split() {
	i=0000000000$1
	i=${i#"${i%??????????}"}
	low=1${i#?????}
	high=1${i%?????}
}

# add_times A B: sets sum, at most 9999999999.
add_times() {
	split "$1"
	i_high=$high
	i_low=$low
	split "$2"
	low=$((i_low + low - 200000))
	high=$((i_high + high - 200000))
	if [ "$low" -ge 100000 ]; then
		low=$((low - 100000))
		high=$((high + 1))
	fi
	sum=9999999999
	[ "$high" -lt 100000 ] || return 0
	low=$((low + 100000))
	sum=$high${low#1}
	[ "$high" -ne 0 ] || sum=$((low - 100000))
}

# at_most A B: succeeds if A <= B.
at_most() {
	split "$1"
	i_high=$high
	i_low=$low
	split "$2"
	[ "$i_high" -lt "$high" ] || { [ "$i_high" -eq "$high" ] && [ "$i_low" -le "$low" ]; }
}

# --- NVRAM -------------------------------------------------------------------------------------------------
#
# The tool reads from /dev/null: standard input is the caller's, or in pending() the intent log.

# read_var NAME: sets value and, if the variable exists, found. The x keeps line breaks at the end. Tools return
# 0 or 1 for a missing variable; a greater code means that the tool crashed or could not be started.
read_var() {
	value=$("$nvram" get "$1" 2>/dev/null </dev/null
		printf 'x%s' "$?")
	code=${value##*x}
	value=${value%x*}
	found=
	[ -z "$value" ] || found=1
	value=${value%"$nl"}
	[ "$code" -le 1 ]
}

# get NAME: the same, but an error ends the script.
get() {
	read_var "$1" || fail 'cannot read NVRAM'
}

# put NAME VALUE: sets a variable and reads it back, since some tools fail silently.
put() {
	set_var "$1" "$2" && read_var "$1" && [ -n "$found" ] && [ "$value" = "$2" ]
}

set_var() {
	"$nvram" set "$1=$2" >/dev/null 2>&1 </dev/null
}

unset_var() {
	"$nvram" unset "$1" >/dev/null 2>&1 </dev/null
}

# show_all: sets show, bytes (its length), errors and code (of `nvram show`) with one process.
show_all() {
	end="${nl}lease-update: end of show "
	show=$({
		errors=$("$nvram" show 2>&1 >&3 3>&- </dev/null)
		printf '%s%s' "$end$? " "$errors"
	} 3>&1)
	errors=${show##*"$end"}
	show=${show%"$end"*}
	bytes=${#show}
	show=${show%"$nl"}
	code=${errors%% *}
	errors=${errors#* }
}

# room GROWTH: succeeds if there is space for GROWTH more bytes; otherwise sets room to a message. README.md has
# the table. 84: the four sdram_* variables that some tools add at the first write. 8: padding, and the last
# bytes, which would make OpenWrt's tool refuse all writes.
room() {
	used=
	free=
	case $errors in
	*'size: '*' bytes ('*' left)'*)
		free=${errors##*' bytes ('}
		free=${free%%' left)'*}
		;;
	*)
		info=$("$nvram" info 2>/dev/null </dev/null)
		info=${info##*"$nl"}
		case $info in
		*' bytes used / '*' bytes available ('*)
			used=${info%%' bytes used'*}
			free=${info#*' / '}
			free=${free%%' bytes'*}
			;;
		*)
			case $before/$last in
			---/*' entries, '*' bytes used, '*' bytes free.')
				free=${last##*', '}
				free=${free%%' bytes'*}
				;;
			*/'size: '*' bytes ('*' left)')
				free=${last##*' bytes ('}
				free=${free%' left)'}
				;;
			*) free=${LEASE_NVRAM_FREE-} ;;
			esac
			;;
		esac
		;;
	esac
	case $free in
	'') return 0 ;;
	- | -*[!0-9]* | [!0-9-]* | ?*[!0-9]* | ??????????*) free=0 ;;
	esac
	need=$(($1 + 8))
	case $used in
	'' | *[!0-9]* | ??????????*) ;;
	*)
		# The image that the tool will write: header, entries, end, rounded up. Variables that the tool adds
		# are already in `show`; the numbers of `info` may be older.
		need=$(((20 + bytes + 1 + $1 + 4) / 4 * 4 + 1 - used))
		;;
	esac
	if [ "$1" -gt 0 ] && [ "$need" -lt $(($1 + 92)) ]; then
		need=$(($1 + 92))
	fi
	[ "$need" -le "$free" ] && return 0
	room="no room in NVRAM: $need bytes needed, $free left"
	return 1
}

# scan: reads `show` and sets invalid to the names under the prefix without a valid lease (at most 100), and
# invalid_bytes to the number of bytes that they use.
scan() {
	show_all
	[ "$code" -eq 0 ] || fail 'cannot read NVRAM'
	invalid=
	invalid_bytes=0
	lookups=0
	before=
	last=
	held=
	blank=
	case $show$nl in
	*"$nl$nl"*) blank=1 ;;
	esac
	for line in $show; do
		before=$last
		last=$line
		case $line in
		"$prefix"*=*)
			held=
			name=${line%%=*}
			case $name in
			"$record" | "$duid") continue ;;
			esac
			if good "$name" "${line#*=}"; then
				held=$name
				[ -n "$blank" ] || continue
				case $nl$show$nl in
				*"$nl$line$nl$nl"*) check "$name" ;;
				esac
			else
				check "$name"
			fi
			;;
		[0-9A-Za-z_]*=*)
			name=${line%%=*}
			case $name in
			*[!0-9A-Za-z_./:-]*) [ -z "$held" ] || check "$held" ;;
			esac
			held=
			;;
		*)
			[ -z "$held" ] || check "$held"
			held=
			;;
		esac
	done
}

# check NAME: reads the complete value, since a line of `show` may belong to another variable.
check() {
	[ "$lookups" -lt 100 ] || return 0
	lookups=$((lookups + 1))
	case $nl$invalid in
	*"$nl$1$nl"*) return 0 ;;
	esac
	get "$1"
	[ -n "$found" ] || return 0
	! good "$1" "$value" || return 0
	invalid=$invalid$1$nl
	invalid_bytes=$((invalid_bytes + ${#1} + ${#value} + 2))
}

# --- the intent log: changes in RAM that may not be in flash yet -------------------------------------------
#
# A file in RAM with lines `PID.START NAME=VALUE`, or `PID.START NAME` for a removed variable; START is the start time
# of the process, since its number can be given to another one. The log is written before `set`, and emptied (there is
# no rm) after `commit`. A call that finds a line of a process that has ended, and sees that RAM contains the change,
# commits.

# own_log: succeeds if the log is a file of this user; other files are neither read nor written.
own_log() {
	[ -f "$intent_log" ] && [ -O "$intent_log" ] && [ ! -L "$intent_log" ]
}

# start_time PID: sets start to the start time of a process in clock ticks; empty if it has ended. (Linux,
# fs/proc/array.c, do_task_stat: field 22; field 2 is a name in parentheses that can contain blanks.)
start_time() {
	# shellcheck disable=SC3043 # every shell of a router has `local`
	local IFS=' '
	start=
	[ -r "/proc/$1/stat" ] || return 0
	read -r start 2>/dev/null <"/proc/$1/stat" || return 0
	# shellcheck disable=SC2086 # the fields are words
	set -- ${start##*) }
	start=${20-}
}

# pending: sets uncommitted if RAM contains an uncommitted change, stale if the log has entries of processes that
# have ended, and n to their number.
pending() {
	uncommitted=
	stale=
	n=0
	if [ ! -s "$intent_log" ] || ! own_log; then
		return 0
	fi
	while read -r line; do
		case $line in
		[1-9]*.*' '*) ;;
		*) continue ;;
		esac
		pid=${line%%.*}
		case $pid in
		*[!0-9]*) continue ;;
		esac
		start_time "$pid"
		[ -z "$start" ] || [ "$pid.$start" != "${line%% *}" ] || continue
		stale=1
		n=$((n + 1))
		[ -z "$uncommitted" ] || continue
		line=${line#* }
		get "${line%%=*}"
		case $line in
		*=*) [ -z "$found" ] || [ "$value" != "${line#*=}" ] || uncommitted=1 ;;
		*) [ -n "$found" ] || uncommitted=1 ;;
		esac
	done <"$intent_log"
}

# log_changes LINES: adds entries to the log. Earlier entries stay if they are uncommitted and not too many.
log_changes() {
	if [ ! -e "$intent_log" ] && [ ! -L "$intent_log" ]; then
		umask 077
		set -C
		printf '' 2>/dev/null >"$intent_log"
		set +C
	fi
	if ! own_log; then
		say "no marker in RAM: $intent_log is not a file of ours"
		return 0
	fi
	if [ -z "$uncommitted" ] || [ "$n" -ge 64 ]; then
		printf '' >"$intent_log"
	fi
	entries=
	start_time $$
	for line in $1; do
		entries="$entries$$.$start $line$nl"
	done
	printf '%s' "$entries" 2>/dev/null >>"$intent_log" || say "no marker in RAM: cannot write to $intent_log"
}

clear_log() {
	! own_log || printf '' >"$intent_log"
}

commit() {
	"$nvram" commit >/dev/null 2>&1 </dev/null || fail 'NVRAM commit failed: the next call tries again'
	clear_log
}

# --- init --------------------------------------------------------------------------------------------------

# sort_by WIDTH: sorts the lines of list by their first WIDTH hex digits; the sort is stable.
sort_by() {
	skip=
	while [ ${#skip} -lt "$1" ]; do
		skip=$skip\?
	done
	while [ -n "$skip" ]; do
		skip=${skip#?}
		b0='' b1='' b2='' b3='' b4='' b5='' b6='' b7='' b8='' b9='' ba='' bb='' bc='' bd='' be='' bf=''
		for item in $list; do
			# shellcheck disable=SC2295 # a pattern of question marks
			case ${item#$skip} in
			0*) b0=$b0$item$nl ;;
			1*) b1=$b1$item$nl ;;
			2*) b2=$b2$item$nl ;;
			3*) b3=$b3$item$nl ;;
			4*) b4=$b4$item$nl ;;
			5*) b5=$b5$item$nl ;;
			6*) b6=$b6$item$nl ;;
			7*) b7=$b7$item$nl ;;
			8*) b8=$b8$item$nl ;;
			9*) b9=$b9$item$nl ;;
			a*) ba=$ba$item$nl ;;
			b*) bb=$bb$item$nl ;;
			c*) bc=$bc$item$nl ;;
			d*) bd=$bd$item$nl ;;
			e*) be=$be$item$nl ;;
			f*) bf=$bf$item$nl ;;
			esac
		done
		list=$b0$b1$b2$b3$b4$b5$b6$b7$b8$b9$ba$bb$bc$bd$be$bf
	done
}

# rank TIME: sets key to eleven digits that sort leases by their end; 0 stands for an infinite lease.
rank() {
	key=10000000000
	[ "$1" != 0 ] || return 0
	split "$1"
	key=0${high#1}${low#1}
}

# longest MAX: selects the leases that are printed: those with a rank above edge, and the first ties of those at
# edge.
longest() {
	list=
	for item in $v4 $v6; do
		item=${item#* }
		rank "${item%% *}"
		list=$list$key$nl
	done
	sort_by 11
	j=$((count - $1))
	ties=0
	edge=
	for item in $list; do
		if [ "$j" -gt 0 ]; then
			j=$((j - 1))
			continue
		fi
		[ -n "$edge" ] || edge=$item
		[ "$item" != "$edge" ] || ties=$((ties + 1))
	done
}

# print LIST: prints the selected records of LIST.
print() {
	for item in $1; do
		item=${item#* }
		if [ -n "$edge" ]; then
			rank "${item%% *}"
			if [ "$key" = "$edge" ]; then
				[ "$ties" -gt 0 ] || continue
				ties=$((ties - 1))
			else
				above_edge || continue
			fi
		fi
		printf '%s\n' "$item"
	done
}

# above_edge: succeeds if key is above edge; both have eleven digits.
above_edge() {
	i=1${key%?????}
	j=1${edge%?????}
	[ "$i" -gt "$j" ] || { [ "$i" -eq "$j" ] && [ "1${key#??????}" -gt "1${edge#??????}" ]; }
}

init() {
	max=${LEASE_MAX:-1000}
	if ! is_time "$max" || [ ${#max} -gt 9 ]; then
		say 'LEASE_MAX is no number: 1000 taken'
		max=1000
	fi
	show_all
	if [ "$code" -ne 0 ] || { [ -z "$show" ] && [ -n "$errors" ] && [ "${errors#*size: }" = "$errors" ]; }; then
		say 'cannot read NVRAM: no leases'
		[ "${LEASE_STRICT-}" != 1 ]
		exit
	fi
	v4=
	v6=
	server=
	seen=$nl
	bad=
	count=0
	for line in $show; do
		case $line in
		"$prefix"*=*) ;;
		*) continue ;;
		esac
		name=${line%%=*}
		case $seen in
		*"$nl$name$nl"*)
			clean "$name"
			say "$text: left out: listed twice"
			continue
			;;
		esac
		seen=$seen$name$nl
		if ! read_var "$name"; then
			clean "$name"
			say "$text: left out: cannot be read"
			bad=1
			continue
		fi
		if [ -z "$found" ]; then
			clean "$name"
			say "$text: left out: no such variable"
			continue
		fi
		if good "$name" "$value"; then
			case $fam in
			0)
				server=$value
				continue
				;;
			4) v4="$v4$key $value$nl" ;;
			6) v6="$v6$key $value$nl" ;;
			esac
			count=$((count + 1))
		else
			clean "$name"
			say "$text: left out: $why"
		fi
	done
	list=$v4
	sort_by 12
	v4=$list
	list=$v6
	sort_by 32
	v6=$list
	edge=
	if [ "$max" -gt 0 ] && [ "$count" -gt "$max" ]; then
		longest "$max"
		say "LEASE_MAX=$max: $((count - max)) leases left out"
	fi
	print "$v4"
	[ -z "$server" ] || printf '%s\n' "$server"
	print "$v6"
	[ -z "$bad" ] || [ "${LEASE_STRICT-}" != 1 ]
	exit
}

# --- add, old, del -----------------------------------------------------------------------------------------

# compose HARDWARE HOST: sets want to the record for the lease that dnsmasq reports.
compose() {
	time=${DNSMASQ_LEASE_LENGTH:-${DNSMASQ_LEASE_EXPIRES-}}
	# Until dnsmasq 2.51 a blank follows the number.
	time=${time% }
	is_time "$time" || fail 'no lease time: refused'
	host=${2:-*}
	is_host "$host" || host='*'
	if [ "$fam" = 4 ]; then
		is_hardware "$1" || fail 'hardware address is not hexadecimal: refused'
		second=$1
		id=${DNSMASQ_CLIENT_ID:-*}
		is_hex "$id" 255 || id='*'
	else
		is_hex "$1" 255 || fail 'DUID is not hexadecimal: refused'
		second=${DNSMASQ_IAID-}
		is_iaid "$second" || fail 'IAID is no 32-bit number: refused'
		id=$1
	fi
	[ -n "${DNSMASQ_LEASE_LENGTH-}" ] || add_slack "$time"
	want="$time $second $address $host $id"
}

# add_slack EXPIRY: sets time to the time to store: the stored time if it is in [EXPIRY, EXPIRY + slack], otherwise
# EXPIRY + slack.
add_slack() {
	slack=${LEASE_SLACK:-0}
	if ! is_time "$slack"; then
		say 'LEASE_SLACK is no number of seconds: 0 taken'
		slack=0
	fi
	[ "$1" != 0 ] && [ "$slack" != 0 ] || return 0
	report=$1
	add_times "$report" "$slack"
	if [ -n "$found" ] && parse "$address" "$value" && at_most "$report" "$time" && at_most "$time" "$sum"; then
		return 0
	fi
	time=$sum
}

# cost NAME HAD OLD NEW: adds the bytes that the change needs to growth.
cost() {
	if [ -n "$2" ]; then
		growth=$((growth + ${#4} - ${#3}))
	else
		growth=$((growth + ${#1} + ${#4} + 2))
	fi
}

# put_back NAME HAD OLD: restores the earlier state of a variable in RAM.
put_back() {
	if [ -n "$2" ]; then
		set_var "$1" "$3"
	else
		unset_var "$1"
	fi
}

# undo: restores the earlier values after the tool did not accept a change. Nothing is committed.
undo() {
	[ -z "$drop$change" ] || put_back "$record" "$had" "$old"
	[ -z "$new_duid" ] || put_back "$duid" "$had_duid" "$old_duid"
	[ -n "$uncommitted" ] || clear_log
	clean "$record"
	fail "NVRAM did not take $text: nothing stored"
}

store() {
	growth=0
	lines=
	scan
	for name in $invalid; do
		lines=$lines$name$nl
	done
	if [ -n "$drop" ]; then
		growth=$((0 - ${#record} - ${#old} - 2))
		lines=$lines$record$nl
	elif [ -n "$change" ]; then
		cost "$record" "$had" "$old" "$want"
		lines=$lines$record=$want$nl
	fi
	if [ -n "$new_duid" ]; then
		cost "$duid" "$had_duid" "$old_duid" "$new_duid"
		lines=$lines$duid=$new_duid$nl
	fi
	growth=$((growth - invalid_bytes))
	clean "$record"
	room "$growth" || fail "$room: $text not stored"
	log_changes "$lines"

	for name in $invalid; do
		unset_var "$name"
	done
	if [ -n "$drop" ]; then
		unset_var "$record"
		if ! read_var "$record" || [ -n "$found" ]; then
			undo
		fi
	elif [ -n "$change" ]; then
		put "$record" "$want" || undo
	fi
	if [ -n "$new_duid" ]; then
		put "$duid" "$new_duid" || undo
	fi
	if [ -z "$free" ]; then
		# Without a number of free bytes, check that the tool dropped no other variable.
		i=$((bytes + growth))
		show_all
		[ "$bytes" -eq "$i" ] || undo
	fi
	commit
}

update() {
	address=${3-}
	family "$address"
	if [ -z "$fam" ]; then
		clean "$address"
		fail "$text: no address: refused"
	fi
	record=$prefix$address
	duid=
	new_duid=
	had_duid=
	old_duid=
	drop=
	change=
	want=
	get "$record"
	had=$found
	old=$value
	if [ "$1" = del ]; then
		drop=$found
	else
		compose "${2-}" "${4-}"
		if [ -z "$had" ] || [ "$old" != "$want" ]; then
			change=1
		fi
		if [ "$fam" = 6 ] && is_duid_line "duid ${DNSMASQ_SERVER_DUID-}"; then
			get "${prefix}duid"
			if [ -z "$found" ] || [ "$value" != "duid $DNSMASQ_SERVER_DUID" ]; then
				duid=${prefix}duid
				had_duid=$found
				old_duid=$value
				new_duid="duid $DNSMASQ_SERVER_DUID"
			fi
		fi
	fi
	pending
	if [ -n "$drop$change$new_duid" ]; then
		store
	elif [ -n "$uncommitted" ]; then
		commit
	elif [ -n "$stale" ]; then
		clear_log
	fi
	exit 0
}

# --- main --------------------------------------------------------------------------------------------------

case ${1-} in
init | add | old | del) ;;
'') fail 'usage: init | add|old|del MAC-or-DUID ADDRESS [HOSTNAME]' ;;
*) exit 0 ;; # dnsmasq also reports other events
esac
case ${LEASE_STORE:-nvram} in
nvram) ;;
journal:*) fail 'LEASE_STORE=journal: not in this shell script' ;;
*) fail 'LEASE_STORE: no such store' ;;
esac
prefix=${LEASE_PREFIX:-dnsmasq_lease_}
case $prefix in
[!0-9A-Za-z_]* | *[!0-9A-Za-z_.-]*) fail 'LEASE_PREFIX: letters, digits, _ . - only' ;;
esac
intent_log=${LEASE_RUN:-/tmp}/.${prefix}marker
nvram=${LEASE_NVRAM-}
if [ -z "$nvram" ]; then
	nvram=nvram
	command -v nvram >/dev/null 2>&1 || nvram=/usr/sbin/nvram
fi
case $1 in
init) init ;;
*) update "$@" ;;
esac
