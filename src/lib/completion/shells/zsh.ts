/** Works sourced and as a file named _atomctl in $fpath. */
export const ZSH = String.raw`#compdef atomctl
# zsh completion for atomctl, printed by: atomctl completion zsh
_atomctl() {
  local reply line value description files='' directories='' found=1
  local -a values options patterns
  reply=$(command atomctl __complete zsh "${'$'}{(@Q)words[2,CURRENT-1]}" "=${'$'}{(Q)PREFIX}" 2>/dev/null </dev/null) || return 1
  for line in "${'$'}{(@f)reply}"; do
    case $line in
      '='*)
        value=${'$'}{${'$'}{line#=}%%$'\t'*}
        description=''
        [[ $line == *$'\t'* ]] && description=":${'$'}{line#*$'\t'}"
        value=${'$'}{value//\\/\\\\}
        values+=("${'$'}{value//:/\\:}$description")
        ;;
      nospace) options=(-S '') ;;
      directories) directories=1 ;;
      files*)
        files=1
        patterns=("${'$'}{(@s:	:)line#files}")
        patterns=(${'$'}{patterns:#})
        ;;
    esac
  done
  (( ${'$'}{#values} )) && _describe -t values atomctl values "${'$'}{options[@]}" && found=0
  [[ -n $files$directories ]] || return found
  [[ $PREFIX == -*=* ]] && compset -P '*='
  if [[ -n $files ]] && (( ${'$'}{#patterns} )); then
    _files -g "${'$'}{(j: :)patterns}" && found=0
  elif [[ -n $files ]]; then
    _files && found=0
  else
    _files -/ && found=0
  fi
  return found
}
if [[ "${'$'}{funcstack[1]}" == _atomctl ]]; then
  _atomctl "$@"
else
  (( ${'$'}{+functions[compdef]} )) || { autoload -Uz compinit && compinit -i }
  compdef _atomctl atomctl
fi`
