#!/bin/sh
# bare_system.sh <package...>: leaves of the Debian it runs in the packages that these patterns match, with their
# licences, and nothing else. dpkg's list of them stays true, for whoever scans the image.
set -eu
# Removing a package runs its scripts, and some of them want what is removed before them.
rm -f /var/lib/dpkg/info/*.prerm /var/lib/dpkg/info/*.postrm
unneeded=
for package in $(dpkg-query --show --showformat '${Package}\n'); do
    needed=
    for pattern in "$@"; do
        # shellcheck disable=SC2254 # a pattern it is meant to be
        case $package in
        $pattern) needed=yes ;;
        esac
    done
    [ -n "$needed" ] || unneeded="$unneeded $package"
done
# shellcheck disable=SC2086 # one word each
dpkg --purge --force-all $unneeded >/tmp/said 2>&1 || {
    cat /tmp/said >&2
    exit 1
}
rm /tmp/said
# Converters between character sets, which Python brings itself; what belonged to tools that are gone; what was noted on
# the way; dpkg's lists of files, which name what trim.py took out.
rm -rf /usr/lib/*/gconv /usr/share/bash-completion /usr/share/gcc /usr/share/gdb /usr/share/lintian /usr/share/man \
    /usr/share/perl5 /usr/share/terminfo /usr/share/tabset /usr/share/debconf /usr/share/bug /etc/apt /etc/cron* \
    /etc/init.d /etc/logrotate.d /etc/pam* /etc/rc* /etc/systemd /etc/terminfo /usr/lib/systemd /usr/lib/udev \
    /var/lib/apt /var/lib/dpkg/info /var/lib/dpkg/*-old /var/lib/dpkg/triggers /var/lib/dpkg/updates /var/lib/pam \
    /var/lib/systemd /var/lib/shells.state /var/cache /var/log /var/backups /usr/local/share/ca-certificates
# What entry points, SAM and people who look around use; Python needs none of them.
for tool in /usr/bin/* /usr/sbin/*; do
    case ${tool##*/} in
    sh | dash | python3* | cat | chmod | chown | cp | date | df | du | env | head | id | ln | ls | mkdir | mv | rm | sleep | \
        tail | test | true | uname | wc) ;;
    *) rm -rf "$tool" ;;
    esac
done
for document in /usr/share/doc/*/*; do
    case $document in
    */copyright) ;;
    *) rm -rf "$document" ;;
    esac
done
