# Runs the server $1 in a sandbox container; its files are in /sandbox, a data directory to start
# from in the image. It is the supervisor that MySQL's RESTART and CLONE ask for (exit status 16).
first=
if [ ! -e /sandbox/data ]; then
    cp -r /opt/mysqlsvc/template /sandbox/data.new && mv /sandbox/data.new /sandbox/data || exit 1
    first=--init-file=/sandbox/accounts.sql
fi
trap 'kill -TERM "$pid" 2>/dev/null' TERM
export MYSQLD_PARENT_PID=$$
status=16
while [ "$status" -eq 16 ]; do
    # The lock of a killed server names a process id that another may have after a restart.
    rm -f /tmp/mysql.sock /tmp/mysql.sock.lock
    "$1" --defaults-file=/sandbox/my.cnf $first >>/sandbox/error.log 2>&1 &
    pid=$!
    # A signal ends the wait, not the server.
    while :; do
        wait "$pid"; status=$?
        kill -0 "$pid" 2>/dev/null || break
    done
    first=
done
exit "$status"
