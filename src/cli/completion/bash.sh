# Completion of bedrock-profiles for Bash: source <(bedrock-profiles completion bash)
_bedrock_profiles() {
  local line word words=() directive=4
  COMPREPLY=()
  # Bash splits words at `=` and `:`, and replaces only what is behind them.
  for word in "${COMP_WORDS[@]:1:COMP_CWORD}"; do
    if [[ ${#words[@]} -gt 0 && ($word == [=:]* || ${words[-1]} == *[=:]) ]]; then
      words[-1]+=$word
    else
      words+=("$word")
    fi
  done
  local current=${words[-1]##*[=:]}
  local kept=${words[-1]%"$current"}
  while IFS= read -r line; do
    case $line in
      :*) directive=${line#:} ;;
      *) line=${line%%$'\t'*}; COMPREPLY+=("${line#"$kept"}") ;;
    esac
  done < <("${COMP_WORDS[0]}" __complete -- "${words[@]}" 2>/dev/null)
  if [[ $directive == 0 && ${#COMPREPLY[@]} -eq 0 ]]; then
    compopt -o filenames 2>/dev/null
    while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -f -- "$current")
  fi
}
complete -F _bedrock_profiles bedrock-profiles
