# Completion of bedrock-profiles for Bash: source <(bedrock-profiles completion bash)
_bedrock_profiles() {
  local IFS=$'\n' line current=${COMP_WORDS[COMP_CWORD]} directive=4
  COMPREPLY=()
  # Bash splits words at `=`; the whole word is completed, and what is in front of `=` is removed again.
  local words=() word
  for word in "${COMP_WORDS[@]:1:COMP_CWORD}"; do
    if [[ ${#words[@]} -gt 0 && ($word == = || ${words[-1]} == *=) && ${words[-1]} == --* ]]; then
      words[-1]+=$word
    else
      words+=("$word")
    fi
  done
  [[ $current == = ]] && current=
  while IFS= read -r line; do
    case $line in
      :*) directive=${line#:} ;;
      *) line=${line%%$'\t'*}; [[ ${words[-1]} == --*=* ]] && line=${line#*=}; COMPREPLY+=("$line") ;;
    esac
  done < <("${COMP_WORDS[0]}" __complete -- "${words[@]}" 2>/dev/null)
  if [[ $directive == 0 && ${#COMPREPLY[@]} -eq 0 ]]; then
    compopt -o filenames 2>/dev/null
    while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -f -- "$current")
  fi
}
complete -F _bedrock_profiles bedrock-profiles
