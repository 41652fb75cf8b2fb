#!/bin/bash
# A stock SPIP 4.4 (Debian's package, not a file of it changed) with RSE in its pages. See README.md.
NAME=spip PROFILE=spip FRONT=${FRONT:-8191} BACK=${BACK:-8192} SERVICE=${SERVICE:-8193}
. "$(cd "$(dirname "$0")" && pwd)/../lib/pilot.sh"

# Debian 12 has no SPIP: there it lives in a Debian 13 of its own, in a folder. On Debian 13 it is simply installed.
if apt-cache policy spip 2>/dev/null | grep -q 'Candidate: 4\.[4-9]'; then INSIDE=; else INSIDE=${ROOTFS:-$STATE/trixie}; fi

inside() {
    if [ -n "$INSIDE" ]; then chroot --userspec=www-data:www-data "$INSIDE" "$@"; else runuser -u www-data -- "$@"; fi
}

install_spip() {
    if [ -z "$INSIDE" ]; then
        need spip php-cli php-sqlite3 php-gd php-curl
        return
    fi
    [ -e "$INSIDE/.complete" ] && return
    [ "$(id -u)" = 0 ] || fail "A Debian 13 folder must be made: run this once as root."
    need debootstrap
    say "Making a Debian 13 folder for SPIP in $INSIDE (about a minute)"
    local mirror
    mirror=$(apt-get indextargets --format '$(REPO_URI)' | grep -v security | head -1)
    rm -rf --one-file-system "$INSIDE"
    debootstrap --variant=minbase --include=ca-certificates trixie "$INSIDE" "$mirror" >"$STATE/debootstrap.log" 2>&1 ||
        fail "See $STATE/debootstrap.log."
    printf '#!/bin/sh\nexit 101\n' >"$INSIDE/usr/sbin/policy-rc.d"
    chmod 755 "$INSIDE/usr/sbin/policy-rc.d"
    DEBIAN_FRONTEND=noninteractive chroot "$INSIDE" apt-get install -y -qq --no-install-recommends \
        spip php-cli php-sqlite3 php-gd php-curl >"$STATE/spip-install.log" 2>&1 || fail "See $STATE/spip-install.log."
    touch "$INSIDE/.complete"
}

# SPIP's own installer, step by step, as a person would click through it.
set_up() {
    local site="$INSIDE/var/lib/spip/sites/default" step common password
    [ -s "$site/config/connect.php" ] && return
    password=$(random)
    (umask 077 && printf '%s\n' "$password" >"$STATE/admin-password")
    common="lang=fr&chmod=511&server_db=sqlite3&adresse_db=&login_db=&pass_db=&choix_db=spip&table_new=spip&tprefix=spip"
    installer() {
        curl -s -m 120 -b "$STATE/cookies" -c "$STATE/cookies" -H "Host: 127.0.0.1:$FRONT" \
            -o "$STATE/installer-$1.html" "http://127.0.0.1:$BACK/ecrire/?exec=install" "${@:2}"
    }
    installer welcome
    installer chmod -d "etape=chmod&lang=fr"
    for step in 1 2 3; do installer $step -d "etape=$step&$common"; done
    installer 3b -d "etape=3b&$common" -d "email=admin@pilote.test&login=admin" --data-urlencode "nom=Administration" \
        -d "pass=$password&pass_verif=$password"
    installer 4 -d "etape=4&$common"
    installer end -d "etape=fin&$common"
    [ -s "$site/config/connect.php" ] || fail "SPIP's installer did not finish; see $STATE/installer-*.html."
}

intranet_start() {
    need curl
    install_spip
    local as=(runuser -u www-data --)
    [ -z "$INSIDE" ] || as=(chroot --userspec=www-data:www-data "$INSIDE")
    start php env PHP_CLI_SERVER_WORKERS=4 "${as[@]}" php -d display_errors=0 -S "127.0.0.1:$BACK" -t /usr/share/spip
    wait_for "http://127.0.0.1:$BACK/"
    set_up
    if [ ! -s "$STATE/article" ]; then
        install -m 644 "$HERE/seed.php" "$INSIDE/tmp/rse-pilot-seed.php"
        inside env PILOT_HOST="127.0.0.1:$FRONT" php -d display_errors=stderr /tmp/rse-pilot-seed.php \
            >"$STATE/article.new" 2>"$STATE/seed.log" || fail "SPIP could not be filled; see $STATE/seed.log."
        rm -f "$INSIDE/tmp/rse-pilot-seed.php"
        tail -1 "$STATE/article.new" | grep '^/' >"$STATE/article" || fail "SPIP could not be filled; see $STATE/seed.log."
    fi
}
intranet_stop() { stop php; }
intranet_verify() {
    local check=(dpkg -V spip)
    [ -z "$INSIDE" ] || check=(chroot "$INSIDE" "${check[@]}")
    [ -z "$("${check[@]}" | tee /dev/stderr)" ]
}
intranet_purge() { :; }

pilot "${1:-start}"
