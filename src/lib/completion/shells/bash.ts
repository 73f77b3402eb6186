/** bash 4 or newer; the words are read from the line itself, because bash has cut them at `=` and `:`. */
export const BASH = String.raw`# bash completion for atomctl, printed by: atomctl completion bash
_atomctl() {
  local reply line file files='' directories='' word=''
  local -a patterns=()
  COMPREPLY=()
  reply=$(command atomctl __complete bash "${'$'}{COMP_LINE:0:COMP_POINT}" "$COMP_WORDBREAKS" 2>/dev/null </dev/null) || return 0
  while IFS= read -r line; do
    case $line in
      =*) COMPREPLY+=("${'$'}{line#=}") ;;
      word*) word=${'$'}{line#word$'\t'} ;;
      nospace) compopt -o nospace ;;
      directories) directories=1 ;;
      files*)
        files=1
        IFS=$'\t' read -r -a patterns <<<"${'$'}{line#files}"
        ;;
    esac
  done <<<"$reply"
  if [[ -n $files ]]; then
    if [[ ${'$'}{#patterns[@]} -gt 0 ]]; then
      for line in "${'$'}{patterns[@]}"; do
        [[ -z $line ]] && continue
        while IFS= read -r file; do COMPREPLY+=("$file"); done < <(compgen -f -X "!$line" -- "$word")
      done
      while IFS= read -r file; do COMPREPLY+=("$file"); done < <(compgen -d -- "$word")
      compopt -o filenames
    fi
    [[ ${'$'}{#COMPREPLY[@]} -gt 0 ]] || compopt -o default
  elif [[ -n $directories ]]; then
    compopt -o dirnames
  fi
}
complete -F _atomctl atomctl`
