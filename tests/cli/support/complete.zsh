# Completes a line as zsh does when tab is pressed: zsh -f complete.zsh LINE
# $SCRIPT is the completion script, $MATCHES the file that gets the matches, one a line.
if [[ -n $1 ]]; then
  # zsh completes only a line that is typed at a terminal.
  zmodload zsh/zpty
  zpty typing zsh -f -i
  zpty -w typing "source ${(q)0}"
  zpty -w -n typing "$1"$'\t'
  while zpty -r typing line; do :; done
  exit
fi
autoload -U compinit && compinit -u -D
source $SCRIPT
compadd() {
  # With one of these options, it computes something and offers nothing.
  if [[ ${@[1,(i)(-|--)]} == *-(O|A|D)\ * ]]; then builtin compadd "$@"; return; fi
  local -a matches
  builtin compadd -A matches "$@"
  (( $#matches )) && print -rl -- $matches >>$MATCHES
  builtin compadd "$@"
}
comppostfuncs=(exit)
bindkey '^I' complete-word
