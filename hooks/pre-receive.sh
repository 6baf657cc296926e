#!/bin/sh
# Written by wikibot, which refuses every push while this file is not exactly as
# it wrote it. git runs it before any ref moves; its exit status 1 refuses the
# whole push. It validates nothing itself: it tells the server what is being
# pushed and does as the server answers. No answer means no. The conversation is
# described in the documentation of wikibot's package hooks.
LC_ALL=C
trap '' PIPE
binary=@BINARY@
socket=@SOCKET@

refuse() {
	printf 'wikibot refused this push: %s\n' "$1" >&2
	exit 1
}

# A push that the server itself started has WIKIBOT_PUSH set and two inherited
# descriptors, 3 to the server and 4 from it. It must never reach the socket,
# where pushes have the rights of the host.
if [ -z "${WIKIBOT_PUSH+set}" ]; then
	[ -x "$binary" ] ||
		refuse "the program $binary, which has to check it, is missing or not executable; start \"wikibot serve\" once from where the program is now, it mends its hooks"
	exec "$binary" hook pre-receive "$socket"
fi
{ true >&3; } 2>/dev/null && { true <&4; } 2>/dev/null ||
	refuse 'WIKIBOT_PUSH is set, but the descriptors 3 and 4 to the server are missing; unset WIKIBOT_PUSH and push again'

# Values go with their length in bytes, so that none can pass for another.
frame() {
	printf '%s %s\n%s\n' "$1" "${#2}" "$2"
}

{
	printf 'wikibot-hook 1 pre-receive\n'
	frame objects "${GIT_OBJECT_DIRECTORY-}"
	frame alternates "${GIT_ALTERNATE_OBJECT_DIRECTORIES-}"
	frame quarantine "${GIT_QUARANTINE_PATH-}"
	i=0
	while [ "$i" -lt "${GIT_PUSH_OPTION_COUNT:-0}" ]; do
		eval "value=\${GIT_PUSH_OPTION_$i-}"
		frame option "$value"
		i=$((i + 1))
	done
	while IFS= read -r line || [ -n "$line" ]; do
		frame command "$line"
	done
	printf 'end\n'
} >&3 2>/dev/null || refuse 'the server has gone away; push again in a moment'

while IFS= read -r line <&4; do
	case $line in
	'| '*) printf '%s\n' "${line#??}" >&2 ;;
	ok) exit 0 ;;
	no) exit 1 ;;
	*) refuse 'the server gave an answer that this hook does not understand; restart "wikibot serve"' ;;
	esac
done
refuse 'the server went away before it answered; push again in a moment'
