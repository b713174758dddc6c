# Makes the data directory that every MySQL container starts from; run inside the image to be.
# Prints the server's version last. No auto.cnf: each server makes a server_uuid of its own.
set -e
mkdir -p /opt/mysqlsvc
mysqld --no-defaults --initialize-insecure --user=root --datadir=/opt/mysqlsvc/template \
    --skip-log-bin --innodb-redo-log-capacity=16M --secure-file-priv=NULL
rm -f /opt/mysqlsvc/template/auto.cnf
# The servers may run as another user; these are keys and data of nobody.
chmod -R a+rX /opt/mysqlsvc
mysqld --version
