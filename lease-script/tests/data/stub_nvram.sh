#!/bin/sh
# A stand-in for nvram: variables as files in $STUB/ram, committed to $STUB/flash; counts calls in $STUB/calls.
echo "$*" | head -n 1 >>"$STUB/calls"
mkdir -p "$STUB/ram" "$STUB/flash"
case $1 in
get) [ -f "$STUB/ram/$2" ] && cat "$STUB/ram/$2" && echo ;;
set) printf %s "${2#*=}" >"$STUB/ram/${2%%=*}" ;;
unset) rm -f "$STUB/ram/$2" ;;
show) cd "$STUB/ram" && for f in *; do [ -f "$f" ] && { printf '%s=' "$f"; cat "$f"; echo; }; done; echo "size: 1000 bytes (20000 left)" >&2 ;;
commit) rm -rf "$STUB/flash" && cp -r "$STUB/ram" "$STUB/flash" ;;
esac
