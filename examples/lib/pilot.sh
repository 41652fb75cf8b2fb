# Shared by the examples: RSE (SQLite) and nginx in front of an intranet, on loopback, with three people.
# Sourced by run.sh, which sets NAME, PROFILE, FRONT, BACK and SERVICE and defines intranet_start, _stop, _verify and _purge.
set -euo pipefail

HERE=$(cd "$(dirname "${BASH_SOURCE[1]}")" && pwd)
ROOT=$(cd "$HERE/../.." && pwd)
STATE=${STATE:-/var/tmp/rse-pilot-$NAME}
RSE=${RSE:-$ROOT/.venv/bin/rse}
ADDRESS=http://127.0.0.1:$FRONT

say() { printf '%s\n' "$*"; }
fail() { say "$*" >&2; exit 1; }

# Debian packages, without starting the services that they bring.
need() {
    local missing=() package
    for package in "$@"; do
        [ "$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null)" = "install ok installed" ] || missing+=("$package")
    done
    [ ${#missing[@]} -eq 0 ] && return
    [ "$(id -u)" = 0 ] || fail "These Debian packages are missing: ${missing[*]}. Run this once as root, or install them."
    say "Installing ${missing[*]}"
    local guard=
    if [ ! -e /usr/sbin/policy-rc.d ]; then
        guard=/usr/sbin/policy-rc.d
        printf '#!/bin/sh\nexit 101\n' >$guard
        chmod 755 $guard
    fi
    local done=0
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >"$STATE/apt.log" 2>&1 || {
        apt-get update -qq >>"$STATE/apt.log" 2>&1 || true
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >>"$STATE/apt.log" 2>&1 || done=1
    }
    [ -z "$guard" ] || rm -f $guard
    [ $done = 0 ] || fail "The packages could not be installed; see $STATE/apt.log."
}

# start NAME COMMAND...: in the background, in a process group of its own, its number kept in a file.
start() {
    local name=$1
    shift
    if running "$name"; then return; fi
    setsid "$@" >"$STATE/$name.log" 2>&1 </dev/null &
    echo $! >"$STATE/$name.pid"
}
running() { [ -s "$STATE/$1.pid" ] && kill -0 "$(cat "$STATE/$1.pid")" 2>/dev/null; }
stop() {
    if running "$1"; then
        local pid i
        pid=$(cat "$STATE/$1.pid")
        kill -TERM -- "-$pid" 2>/dev/null || kill -TERM "$pid" 2>/dev/null || true
        for i in $(seq 100); do
            kill -0 -- "-$pid" 2>/dev/null || break
            sleep 0.1
        done
        kill -KILL -- "-$pid" 2>/dev/null || true
    fi
    rm -f "$STATE/$1.pid"
}
wait_for() {
    local i
    for i in $(seq 200); do
        curl -s -o /dev/null -m 5 "$@" && return
        sleep 0.1
    done
    fail "Nothing answers at ${*: -1}; see the logs in $STATE."
}

random() { head -c 48 /dev/urandom | base64 | tr -dc 'A-Za-z0-9' | head -c 40; }

# Three people at three levels; each one's password is the name.
write_people() {
    cat >"$STATE/entities.csv" <<CSV
entity_id,name,parent_id
org,Organisation pilote,
com,Communication,org
site,Agence du Nord,org
siege,Services centraux,org
CSV
    cat >"$STATE/people.csv" <<CSV
external_id,username,display_name,email,entity_id,job_title,manager_external_id,is_manager,locale,phone,site
p1,claire,Claire Lefèvre,claire@pilote.test,com,Chargée de communication,,no,fr,,Lille
p2,remi,Rémi Dœuvre,remi@pilote.test,site,Conseiller,,no,fr,,Lille
p3,irene,Irène Gaël,irene@pilote.test,siege,Comptable,,no,fr,,Paris
CSV
    : >"$STATE/users"
    local person
    for person in claire remi irene; do
        printf '%s:%s\n' "$person" "$(openssl passwd -apr1 "$person")" >>"$STATE/users"
    done
    chmod 644 "$STATE/users"
}

rse_prepare() {
    [ -x "$RSE" ] || fail "RSE is not installed in $ROOT/.venv. Run make demo or make test once, in $ROOT."
    if [ ! -s "$STATE/rse.toml" ]; then
        write_people
        local secret
        secret=$(random)
        printf '%s' "$secret" >"$STATE/secret"
        (umask 077 && cat >"$STATE/rse.toml" <<TOML
database_url = "sqlite:///$STATE/rse.db"
secret_key = "$(random)"
legacy_origins = ["$ADDRESS"]
secure_cookies = false          # this pilot speaks plain http on loopback

[host]
profile = "$PROFILE"

[sso]
sources = ["header"]

[sso.header]
issuer = "header:pilot"
user = "X-RSE-User"
peers = ["127.0.0.1"]
secrets = ["$secret"]
TOML
        )
        chmod 600 "$STATE/secret"
        export RSE_CONFIG=$STATE/rse.toml
        "$RSE" init >"$STATE/init.log" 2>&1 || fail "rse init failed; see $STATE/init.log."
        "$RSE" people import "$STATE/people.csv" --entities "$STATE/entities.csv" >>"$STATE/init.log" 2>&1 ||
            fail "The people could not be imported; see $STATE/init.log."
        "$RSE" level set --entity com comment --why "Pilote" >>"$STATE/init.log" 2>&1
        "$RSE" level set --entity site react --why "Pilote" >>"$STATE/init.log" 2>&1
        "$RSE" level set --entity siege inform --why "Pilote" >>"$STATE/init.log" 2>&1
    fi
    export RSE_CONFIG=$STATE/rse.toml
}
rse_start() {
    rse_prepare
    start rse "$RSE" run --host 127.0.0.1 --port "$SERVICE"
    wait_for "http://127.0.0.1:$SERVICE/rse/healthz"
}

nginx_start() {
    if running nginx; then return; fi
    rse_prepare
    "$RSE" host nginx --server-name _ --listen "127.0.0.1:$FRONT" --upstream "http://127.0.0.1:$BACK" \
        --rse "http://127.0.0.1:$SERVICE" --sso basic --users-file "$STATE/users" --secret "$(cat "$STATE/secret")" \
        >"$STATE/intranet.conf" 2>"$STATE/host.log" || fail "No configuration was printed; see $STATE/host.log."
    cat >"$STATE/nginx.conf" <<CONF
daemon off;
pid $STATE/nginx.run;
error_log $STATE/nginx-error.log;
events { worker_connections 256; }
http {
    include /etc/nginx/mime.types;
    access_log off;
    client_body_temp_path $STATE/tmp/body; proxy_temp_path $STATE/tmp/proxy; fastcgi_temp_path $STATE/tmp/fastcgi;
    uwsgi_temp_path $STATE/tmp/uwsgi; scgi_temp_path $STATE/tmp/scgi;
    include $STATE/intranet.conf;
}
CONF
    mkdir -p "$STATE/tmp"
    local nginx
    nginx=$(command -v nginx || echo /usr/sbin/nginx)
    "$nginx" -e "$STATE/nginx-error.log" -t -c "$STATE/nginx.conf" >"$STATE/nginx-test.log" 2>&1 ||
        fail "nginx refuses the configuration; see $STATE/nginx-test.log."
    start nginx "$nginx" -e "$STATE/nginx-error.log" -c "$STATE/nginx.conf"
    wait_for "$ADDRESS/"
}

pilot() {
    case ${1:-start} in
    start)
        mkdir -p "$STATE"
        chmod 755 "$STATE"
        need nginx openssl curl
        intranet_start
        rse_start
        nginx_start
        say "$ADDRESS/ is $NAME with RSE in it."
        say "  claire / claire   may comment     remi / remi   may react     irene / irene   sees the intranet as it was"
        say "  An article: $ADDRESS$(cat "$STATE/article")"
        say "  rse with this site: RSE_CONFIG=$STATE/rse.toml $RSE"
        say "  $0 stop"
        ;;
    stop)
        stop nginx
        stop rse
        intranet_stop
        say "Stopped. The data stays in $STATE."
        ;;
    stop-rse) stop rse ;;
    start-rse) rse_start ;;
    verify)
        if intranet_verify; then say "Not a file of $NAME was changed."; else fail "These files of $NAME were changed."; fi
        ;;
    purge)
        pilot stop
        intranet_purge
        rm -rf --one-file-system "$STATE"
        ;;
    *) fail "Use: $0 start | stop | stop-rse | start-rse | verify | purge" ;;
    esac
}
