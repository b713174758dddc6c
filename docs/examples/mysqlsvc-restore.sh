#!/bin/bash
# Makes a backup that comes in on standard input (mbstream) the data of a MariaDB server. This is
# what `restore` in `[cluster.clone]` calls, on the node that is to become a copy:
#
#   backup  = ["ssh", "{donor_host}", "mariadb-backup", "--backup", "--stream=mbstream"]
#   restore = ["ssh", "{node_host}", "sudo", "/usr/local/sbin/mysqlsvc-restore"]
#
# Its contract: the server is stopped, its data are replaced, it is started, and the exit status is 0
# only if all of that was done. It says where the copy stands in one line on standard output,
# `gtid_slave_pos=POSITION`, and everything else on standard error.
#
# The old data stay where they are until the new ones are whole and prepared, so there has to be room
# for both. No password is needed here; what mariadb-backup logs in with on the donor belongs into an
# option file there ([mariadb-backup] user, password), not among its arguments.
set -euo pipefail

datadir=${MYSQLSVC_DATADIR:-/var/lib/mysql}
owner=${MYSQLSVC_OWNER:-mysql:mysql}
stop=${MYSQLSVC_STOP:-systemctl stop mariadb}
start=${MYSQLSVC_START:-systemctl start mariadb}

new=$datadir.mysqlsvc-new
old=$datadir.mysqlsvc-old
fail() { echo "mysqlsvc-restore: $*" >&2; exit 1; }

# An attempt whose caller died ends by the end of its input, and then removes what it has begun:
# that must not be ours.
exec 9>"$datadir.mysqlsvc-lock"
flock --wait 60 9 || fail "an earlier attempt is still at work"

rm -rf "$new"
[ ! -e "$old" ] || fail "$old is there, from an earlier attempt that broke off; look, and remove it"
install -d -m 0700 "$new"
trap 'rm -rf "$new"' EXIT
mbstream -x -C "$new"

# They come last in the stream: without them it was cut short.
info=
for name in mariadb_backup_binlog_info xtrabackup_binlog_info; do
    [ ! -e "$new/$name" ] || info=$new/$name
done
[ -e "$new/xtrabackup_checkpoints" ] || [ -e "$new/mariadb_backup_checkpoints" ] ||
    fail "the stream ended before the backup did"
[ -n "$info" ] || fail "the backup does not say where it stands: the donor has no binary log"
position=$(cut -f 3 "$info")
mariadb-backup --prepare --target-dir="$new" >&2
chown -R "$owner" "$new"

$stop >&2
mv "$datadir" "$old"
mv "$new" "$datadir"
$start >&2 9>&-
rm -rf "$old"
echo "gtid_slave_pos=$position"
