#!/bin/bash
# A stock WordPress (Debian's package, not a file of it changed) with RSE in its pages. See README.md.
NAME=wordpress PROFILE=wordpress FRONT=${FRONT:-8181} BACK=${BACK:-8182} SERVICE=${SERVICE:-8183}
. "$(cd "$(dirname "$0")" && pwd)/../lib/pilot.sh"
SOCKET=$STATE/mariadb.sock
SITE=rse-pilot-$FRONT
CONFIG=/etc/wordpress/config-$SITE.php

database() { mariadb --no-defaults -uroot -S "$SOCKET" "$@"; }

database_start() {
    if running mariadb; then return; fi
    if [ ! -d "$STATE/db/mysql" ]; then
        install -d -o mysql -g mysql "$STATE/db"
        mariadb-install-db --no-defaults --user=mysql --datadir="$STATE/db" --auth-root-authentication-method=normal \
            --skip-test-db >"$STATE/mariadb-install.log" 2>&1 || fail "See $STATE/mariadb-install.log."
    fi
    install -d -o mysql -g mysql "$STATE/db-run"
    SOCKET=$STATE/db-run/s
    start mariadb mariadbd --no-defaults --user=mysql --datadir="$STATE/db" --socket="$SOCKET" \
        --pid-file="$STATE/db-run/pid" --skip-networking --innodb-buffer-pool-size=64M --innodb-flush-log-at-trx-commit=0
    local i
    for i in $(seq 200); do
        mariadb-admin --no-defaults -uroot -S "$SOCKET" ping >/dev/null 2>&1 && return
        sleep 0.1
    done
    fail "The database does not answer; see $STATE/mariadb.log."
}

# Debian's way to configure a site: a file in /etc/wordpress, chosen by a variable of the web server.
configure() {
    [ -s "$CONFIG" ] && grep -q "$STATE/" "$CONFIG" && return
    local key
    {
        echo "<?php"
        echo "define('DB_NAME', 'wordpress'); define('DB_USER', 'wordpress'); define('DB_PASSWORD', '$(random)');"
        echo "define('DB_HOST', 'localhost:$SOCKET'); define('DB_CHARSET', 'utf8mb4');"
        for key in AUTH_KEY SECURE_AUTH_KEY LOGGED_IN_KEY NONCE_KEY AUTH_SALT SECURE_AUTH_SALT LOGGED_IN_SALT NONCE_SALT; do
            echo "define('$key', '$(random)');"
        done
        echo "define('WP_HTTP_BLOCK_EXTERNAL', true); define('DISABLE_WP_CRON', true); // state: $STATE/"
    } >"$CONFIG"
    chmod 644 "$CONFIG"
}

intranet_start() {
    need wordpress wordpress-theme-twentytwentyone mariadb-server php-cli php-mysql php-xml php-mbstring
    SOCKET=$STATE/db-run/s
    database_start
    configure
    local password
    password=$(php -r "include '$CONFIG'; echo DB_PASSWORD;")
    database -e "CREATE DATABASE IF NOT EXISTS wordpress CHARACTER SET utf8mb4;
        CREATE USER IF NOT EXISTS wordpress@localhost IDENTIFIED BY '$password';
        ALTER USER wordpress@localhost IDENTIFIED BY '$password';
        GRANT ALL ON wordpress.* TO wordpress@localhost"
    cp "$HERE/router.php" "$HERE/seed.php" "$STATE/"
    if [ ! -s "$STATE/article" ]; then
        runuser -u www-data -- env PILOT_SITE="$SITE" PILOT_HOST="127.0.0.1:$FRONT" php -d display_errors=stderr "$STATE/seed.php" \
            >"$STATE/article.new" 2>"$STATE/seed.log" || fail "WordPress could not be set up; see $STATE/seed.log."
        tail -1 "$STATE/article.new" >"$STATE/article"
    fi
    start php runuser -u www-data -- env PILOT_SITE="$SITE" PHP_CLI_SERVER_WORKERS=4 php -d display_errors=stderr -S "127.0.0.1:$BACK" \
        -t /usr/share/wordpress "$STATE/router.php"
    wait_for -H "Host: 127.0.0.1:$FRONT" "http://127.0.0.1:$BACK/"
}
intranet_stop() {
    stop php
    stop mariadb
}
intranet_verify() { [ -z "$(dpkg -V wordpress wordpress-theme-twentytwentyone | tee /dev/stderr)" ]; }
intranet_purge() { rm -f "$CONFIG"; }

pilot "${1:-start}"
