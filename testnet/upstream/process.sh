#!/bin/sh
# process.sh start BINARY HOME | stop HOME | alive HOME: a node's process as a service manager would run it, for the commands of a
# rollout's plan. Its number stands in HOME.pid, its log in HOME.log.
set -eu

running() { # PID: a process that is there and not a zombie
    state=$(sed 's/.*) //; s/ .*//' "/proc/$1/stat" 2>/dev/null) && [ "$state" != Z ]
}

case $1 in
    start)
        cd "$(dirname "$3")"
        name=$(basename "$3")
        # A session of its own: no signal to whoever started it ends the node.
        HOME=$PWD GOMAXPROCS=1 setsid "$2" start --home "$name" >>"$name.log" 2>&1 </dev/null &
        echo $! >"$name.pid"
        ;;
    stop)
        pid=$(cat "$2.pid")
        running "$pid" || exit 0
        kill "$pid"
        tries=900
        while running "$pid"; do
            tries=$((tries - 1))
            [ "$tries" -gt 0 ] || { echo "pid $pid does not end" >&2; exit 1; }
            sleep 0.1
        done
        ;;
    alive) running "$(cat "$2.pid")" ;;
    *)
        echo "usage: process.sh start BINARY HOME | stop HOME | alive HOME" >&2
        exit 2
        ;;
esac
