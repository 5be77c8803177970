#!/bin/sh
# Logs the calls that dnsmasq makes to a lease script, and calls that script. Usage:
#
#   dnsmasq --leasefile-ro --dhcp-script=/path/record.sh
#
# with the lease script beside this file as `lease_update.sh`, or named in RECORD_SCRIPT. README.md beside this
# file describes how to install it, and how `leaselab trace import` reads the log.
#
# The log is in RAM (/tmp), in two files that are used in turn, so that its size is limited. Nothing is written to
# flash. If the log cannot be written, the script is called all the same, and its output and exit code are passed
# through. Runs in busybox ash; `date` is the only other program, and may be missing.
#
#   RECORD_SCRIPT  the lease script (lease_update.sh in the directory of this file)
#   RECORD_LOG     prefix of the names of the two files (/tmp/dnsmasq-record), which end in .0 and .1
#   RECORD_MAX     maximum size of both files together in bytes (524288; at least 8192)

# These names do not occur in the environment of dnsmasq, which the script gets unchanged.
record_wall=$(date +%s 2>/dev/null) || record_wall=-
read -r record_up _ 2>/dev/null </proc/uptime || record_up=-

record_script=${RECORD_SCRIPT:-}
if [ -z "$record_script" ]; then
	case $0 in
	*/*) record_script=${0%/*}/lease_update.sh ;;
	*) record_script=./lease_update.sh ;;
	esac
fi

record_out=
if [ "${1-}" = init ]; then
	# The output is stored and passed through, including line breaks at its end. Leases contain no NUL, which a
	# shell variable cannot store.
	record_out=$(
		"$record_script" "$@"
		printf 'x%s' "$?"
	)
	record_code=${record_out##*x}
	record_out=${record_out%x*}
	printf '%s' "$record_out"
else
	"$record_script" "$@"
	record_code=$?
fi
read -r record_done _ 2>/dev/null </proc/uptime || record_done=-

# --- the log -----------------------------------------------------------------------------------------------
# In a subshell: errors here end nothing else.

(
	LC_ALL=C # a character is a byte
	set -f
	umask 077
	nl='
'
	IFS=$nl
	log=${RECORD_LOG:-/tmp/dnsmasq-record}
	max=${RECORD_MAX:-524288}
	case $max in
	*[!0-9]* | ?????????*) max=524288 ;;
	esac
	# A number with a leading zero would be octal.
	while [ "$max" != "${max#0?}" ]; do
		max=${max#0}
	done
	[ "$max" -ge 8192 ] || max=8192
	half=$((max / 2))

	# ours FILE: succeeds for a regular file of this user that is not a link; creates a missing file.
	ours() {
		if [ ! -e "$1" ] && [ ! -L "$1" ]; then
			set -C
			printf '' >"$1"
			set +C
		fi
		[ -f "$1" ] && [ -O "$1" ] && [ ! -L "$1" ]
	}

	all=
	# escape TEXT: sets text to TEXT with unusual bytes and blanks as \OOO.
	escape() {
		text=$1
		case $text in
		*[!0-9A-Za-z_.,:/@%+=*-]*) ;;
		*) return ;;
		esac
		[ -n "$all" ] || alphabet
		left=$text
		text=
		while [ -n "$left" ]; do
			# All usual bytes up to the next unusual one.
			good=${left%%[!0-9A-Za-z_.,:/@%+=*-]*}
			text=$text$good
			left=${left#"$good"}
			[ -n "$left" ] || break
			tail=${left#?}
			byte=${all%%"${left%"$tail"}"*}
			byte=$((${#byte} + 1))
			text=$text\\$((byte / 64))$((byte / 8 % 8))$((byte % 8))
			left=$tail
		done
	}

	# alphabet: sets all to all 255 bytes in order. The position of a byte is its number.
	alphabet() {
		for i in 0 1 2 3; do
			for j in 0 1 2 3 4 5 6 7; do
				for k in 0 1 2 3 4 5 6 7; do
					all=$all\\0$i$j$k
				done
			done
		done
		all=$(printf '%bx' "${all#?0000}")
		all=${all%x}
	}

	# add WORD TEXT: adds a line to the block.
	add() {
		escape "$2"
		block="$block$1 $text$nl"
	}

	number=0
	file=0
	used=0
	if [ -f "$log.state" ] && ours "$log.state"; then
		IFS=' ' read -r number file used _ <"$log.state" || number=
	fi
	case $number/$file/$used in
	*[!0-9/]* | /* | *//* | */ | ??????????*/* | */??*/* | */??????????)
		number=0
		file=0
		used=0
		;;
	esac
	case $file in
	1) ;;
	*) file=0 ;;
	esac
	# Without a state, the contents of the files are unknown: start a new file.
	[ "$number" -ne 0 ] || used=$half

	case $record_wall in
	'' | *[!0-9]*) record_wall=- ;;
	esac
	number=$((number + 1))
	head="${nl}call $number $record_wall $record_up$nl"
	foot="end $number $record_code $record_done$nl"
	block=$head
	for word in "$0" "$@"; do
		add arg "$word"
	done
	# Only the names are used: values may look like further lines.
	seen=$nl
	for line in $(export -p); do
		line=${line#export }
		line=${line#declare -x }
		line=${line#typeset -x }
		name=${line%%=*}
		case $name in
		DNSMASQ_*[!0-9A-Z_a-z]*) continue ;;
		DNSMASQ_?*) ;;
		*) continue ;;
		esac
		case $seen in
		*"$nl$name$nl"*) continue ;;
		esac
		seen=$seen$name$nl
		value=
		eval "value=\${$name-} given=\${$name+x}"
		[ -z "$given" ] || add "env $name" "$value"
	done
	if [ -n "$record_out" ]; then
		for line in $record_out; do
			# Leases contain blanks; only unusual lines are escaped.
			case $line in
			*[!0-9A-Za-z_.,:/@%+=*\ -]* | ' '* | *' ' | *'  '*) add out "$line" ;;
			*) block="${block}out $line$nl" ;;
			esac
		done
		case $record_out in
		*"$nl") ;;
		*) block="${block}cut$nl" ;;
		esac
	fi
	block=$block$foot

	# Of a call that is larger than half of the log, only the size is logged.
	if [ ${#block} -gt $((half - 64)) ]; then
		block="${head}large ${#block}$nl$foot"
	fi
	if [ $((used + ${#block})) -gt "$half" ]; then
		file=$((1 - file))
		used=0
		ours "$log.$file" || exit
		printf 'leaselab-record 1\n' >"$log.$file" || exit
		used=18
	fi
	ours "$log.$file" || exit
	# A partial write is recognized by its missing end.
	printf '%s' "$block" >>"$log.$file"
	used=$((used + ${#block}))
	# Written in place with a fixed length, which needs no additional space.
	ours "$log.state" && printf '%10s %s %10s\n' "$number" "$file" "$used" 1<>"$log.state"
) >/dev/null 2>&1 </dev/null

case $record_code in
'' | *[!0-9]*) record_code=1 ;;
esac
exit "$record_code"
