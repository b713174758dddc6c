# Makes the data directory that every MariaDB container starts from; run inside the image to be.
# Prints the server's version last.
set -e
mkdir -p /opt/mysqlsvc
printf '[mariadbd]\ninnodb_log_file_size=16M\n' >/opt/mysqlsvc/template.cnf
# A host whose own name does not resolve is good enough.
mariadb-install-db --defaults-file=/opt/mysqlsvc/template.cnf --force --user=root \
    --auth-root-authentication-method=normal --skip-test-db --datadir=/opt/mysqlsvc/template
# The servers may run as another user; these are data of nobody.
chmod -R a+rX /opt/mysqlsvc
mariadbd --version
