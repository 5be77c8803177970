#!/bin/sh
# Logs the calls that dnsmasq makes to a lease script, and calls that script. Usage:
#
#   dnsmasq --leasefile-ro --dhcp-script=/path/record.sh
#
# with the lease script beside this file as `lease_update.sh`, or named in RECORD_SCRIPT. README.md beside this
# file describes how to install it, and how `leaselab trace import` reads the log.
#
# The log is in a folder in RAM, in two files that are used in turn, so that its size is limited. Nothing is written
# to flash. If the log cannot be written, the script is called all the same, and its output and exit code are passed
# through. Runs in busybox ash; needs `awk`, and `mkdir` for the first call.
#
#   RECORD_SCRIPT  the lease script (lease_update.sh in the directory of this file)
#   RECORD_LOG     the folder (/tmp/dnsmasq-record); only its owner may write to it
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

# --- the log, in a subshell: errors here end nothing else --------------------------------------------------
(
	export LC_ALL=C # a character is a byte
	umask 077
	nl='
'
	folder=${RECORD_LOG:-/tmp/dnsmasq-record}
	[ "${folder#/}" != "$folder" ] || folder=./$folder
	name=${folder##*/}
	cd -P -- "${folder%/*}/" || exit
	parent=${PWD%/}
	[ -e "$name" ] || [ -L "$name" ] || mkdir -m 700 "./$name"
	# Once this is the current folder, nobody can exchange it. It must not be reached through a link, and must be
	# ours: then nobody else can put links in place of the files in it.
	cd -P -- "./$name" || exit
	[ -n "$name" ] && [ "$PWD" = "$parent/$name" ] && [ -O . ] || exit
	state=
	# shellcheck disable=SC2094 # it is read long before it is written
	[ ! -f state ] || read -r state <state
	cut=0
	[ "${record_out%"$nl"}" != "$record_out" ] || [ -z "$record_out" ] || cut=1

	# awk makes the block from the arguments, the environment and the output of init. In texts, all but usual bytes
	# become \OOO, so that values cannot look like further lines. It prints the new state (number of the call, file,
	# size of the file, whether it is begun anew) and the block.
	# shellcheck disable=SC2016 # a program for awk
	new=$(printf '%s\n%s' "$state" "$record_out" | awk -v "wall=$record_wall" -v "up=$record_up" \
		-v "code=$record_code" -v "ended=$record_done" -v "cut=$cut" -- '
		function escaped(text, usual,    i, c, all) {
			for (i = 1; i <= length(text); i++) {
				c = substr(text, i, 1)
				all = all (c ~ usual ? c : sprintf("\\%03o", byte[c]))
			}
			return all
		}
		BEGIN {
			for (i = 1; i < 256; i++) byte[sprintf("%c", i)] = i
			usual = "[0-9A-Za-z_.,:/@%+=*-]"
			for (i = 1; i < ARGC; i++) block = block "arg " escaped(ARGV[i], usual) "\n"
			for (name in ENVIRON) if (name ~ /^DNSMASQ_[0-9A-Z_a-z]+$/)
				block = block "env " name " " escaped(ENVIRON[name], usual) "\n"
			ARGC = 1
		}
		# Without a state, the contents of the files are unknown: a new one is started.
		NR == 1 { valid = /^ *[0-9]+ [01] +[0-9]+$/ && length($0) < 30; number = $1; file = $2; used = $3; next }
		{ block = block "out " escaped($0, "[0-9A-Za-z_.,:/@%+=* -]") "\n" }
		END {
			max = ENVIRON["RECORD_MAX"]
			if (max !~ /^[0-9]+$/ || length(max) > 9) max = 524288
			half = int((max < 8192 ? 8192 : max) / 2)
			number = valid ? number + 1 : 1
			head = "\ncall " number " " (wall ~ /^[0-9]+$/ ? wall : "-") " " up "\n"
			foot = (cut ? "cut\n" : "") "end " number " " code " " ended "\n"
			# Of a call that is larger than half of the log, only the size is logged.
			size = length(head block foot)
			block = head (size > half - 64 ? "large " size "\n" : block) foot
			fresh = !valid || used + length(block) > half
			if (fresh) { file = 1 - file; used = 18 }
			printf "%d %d %d %d\n%s", number, file, used + length(block), fresh, block
		}' "$0" "$@")
	[ -n "$new" ] || exit
	IFS=' '
	# shellcheck disable=SC2086 # four numbers
	set -- ${new%%"$nl"*}
	[ "$4" = 0 ] || printf 'leaselab-record 1\n' >"log.$2" || exit
	# A partial write is recognized by its missing end.
	printf '%s\n' "${new#*"$nl"}" >>"log.$2"
	# Written in place with a fixed length, which needs no additional space.
	printf '%10s %s %10s\n' "$1" "$2" "$3" 1<>state
) >/dev/null 2>&1 </dev/null

case $record_code in
'' | *[!0-9]*) record_code=1 ;;
esac
exit "$record_code"
