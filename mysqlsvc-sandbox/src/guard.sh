# Ends the processes of a directory and removes it, once its owner says so or is dead. Run as:
# sh -c SCRIPT guard DIR ID MARKER DOCKER [NAME:OPTION...]
# Reads one word from stdin. "dismiss": the directory lives on, do nothing. "down": an orderly end,
# nobody starts anything any more. End of file: the owner died, perhaps while starting something.
# MARKER: the file in DIR that holds ID. DOCKER: yes, or no where docker is not to be asked.
# Exit: 0 clean, 3 processes left, 4 containers or network left, 5 directory left.
trap '' HUP INT TERM PIPE
dir=$1 id=$2 marker=$3 docker=$4
shift 4
IFS= read -r word || word=died
[ "$word" = dismiss ] && exit 0
if [ "$word" = down ]; then looks=1; else looks=3; fi
label="mysqlsvc.sandbox=$id"

# Prints PID if one of its arguments begins with TEXT.
has_argument() {
    tr '\n\000' ' \n' <"/proc/$1/cmdline" | while IFS= read -r argument; do
        case $argument in "$2"*) echo "$1"; break ;; esac
    done
}

# Only ours: of such a name, and with this directory right behind the option. Others may name the
# directory too, or one whose path ends like ours.
processes() {
    for file in $(grep -lsF -- "$dir/" /proc/[0-9]*/cmdline); do
        pid=${file#/proc/}; pid=${pid%/cmdline}
        read -r name <"/proc/$pid/comm" || continue
        for program in "$@"; do
            [ "$name" = "${program%%:*}" ] && has_argument "$pid" "${program#*:}$dir/"
        done
    done 2>/dev/null
}

quiet=0 turns=0
while [ "$quiet" -lt "$looks" ]; do
    pids=$(processes "$@")
    if [ -z "$pids" ]; then
        quiet=$((quiet + 1))
        [ "$quiet" -lt "$looks" ] && sleep 0.1
        continue
    fi
    # shellcheck disable=SC2086
    kill -KILL $pids 2>/dev/null
    quiet=0 turns=$((turns + 1))
    [ "$turns" -gt 200 ] && exit 3
    sleep 0.02
done

# A look that docker did not answer is not a quiet one.
if [ "$docker" = yes ]; then
    quiet=0 turns=0
    while [ "$quiet" -lt "$looks" ]; do
        if containers=$(docker ps -aq --filter "label=$label") &&
            networks=$(docker network ls -q --filter "label=$label") &&
            [ -z "$containers$networks" ]; then
            quiet=$((quiet + 1))
            [ "$quiet" -lt "$looks" ] && sleep 1
            continue
        fi
        # shellcheck disable=SC2086
        [ -n "$containers" ] && docker rm -f -v $containers
        # shellcheck disable=SC2086
        [ -n "$networks" ] && docker network rm $networks
        quiet=0 turns=$((turns + 1))
        [ "$turns" -gt 50 ] && exit 4
        [ "$turns" -gt 1 ] && sleep 0.2
    done >/dev/null 2>&1
fi

# The marker shows that the directory is ours; one without it is removed only when empty.
if [ "$(cat "$dir/$marker" 2>/dev/null)" = "$id" ]; then
    turns=0
    # A thread of the owner may still be writing, until it finds its directory gone.
    until rm -rf --one-file-system -- "$dir" 2>/dev/null; do
        turns=$((turns + 1))
        [ "$turns" -gt 50 ] && exit 5
        sleep 0.05
    done
elif [ -d "$dir" ]; then
    rmdir -- "$dir" 2>/dev/null
fi
[ ! -e "$dir" ] || exit 5
