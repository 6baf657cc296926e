#!/bin/sh
# Written by wikibot, which refuses every push while this file is not exactly as
# it wrote it. git hands it all refs of a push (receive.procReceiveRefs = refs);
# the server moves them, or says why not. No answer means no. The conversation
# is described in the documentation of wikibot's package hooks.
LC_ALL=C
trap '' PIPE
binary=@BINARY@
socket=@SOCKET@
cat=@CAT@

refuse() {
	printf 'wikibot refused this push: %s\n' "$1" >&2
	exit 1
}

# See pre-receive about WIKIBOT_PUSH.
if [ -z "${WIKIBOT_PUSH+set}" ]; then
	[ -x "$binary" ] ||
		refuse "the program $binary, which has to check it, is missing or not executable; start \"wikibot serve\" once from where the program is now, it mends its hooks"
	exec "$binary" hook proc-receive "$socket"
fi
{ true >&3; } 2>/dev/null && { true <&4; } 2>/dev/null ||
	refuse 'WIKIBOT_PUSH is set, but the descriptors 3 and 4 to the server are missing; unset WIKIBOT_PUSH and push again'
[ -x "$cat" ] ||
	refuse "the program $cat is missing; install it (coreutils) and restart \"wikibot serve\""

printf 'wikibot-hook 1 proc-receive\nend\n' >&3 2>/dev/null ||
	refuse 'the server has gone away; push again in a moment'

# What git says is binary (pkt-lines with a NUL), so a program carries it. The
# shell gives a background command /dev/null as its input, hence descriptor 9.
exec 9<&0
"$cat" <&9 >&3 4<&- 9<&- &
exec 9<&- 0</dev/null

while IFS= read -r line <&4; do
	case $line in
	'> '*) printf '%s' "${line#??}" ;;
	'| '*) printf '%s\n' "${line#??}" >&2 ;;
	ok) exit 0 ;;
	no) exit 1 ;;
	*) refuse 'the server gave an answer that this hook does not understand; restart "wikibot serve"' ;;
	esac
done
refuse 'the server went away before it answered; push again in a moment'
