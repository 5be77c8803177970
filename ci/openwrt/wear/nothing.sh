# The erases of a boot, without a change of a lease.
# shellcheck shell=sh disable=SC1091
. /lab/fill.sh
