#compdef bedrock-profiles
# Completion of bedrock-profiles for Zsh: source <(bedrock-profiles completion zsh), or this text as _bedrock-profiles in a folder of $fpath
_bedrock-profiles() {
  local line directive=4
  local -a candidates
  while IFS= read -r line; do
    case $line in
      :*) directive=${line#:} ;;
      *$'\t'*) candidates+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}") ;;
      *) candidates+=("${line//:/\\:}") ;;
    esac
  done < <("${words[1]}" __complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)
  (( ${#candidates} )) && _describe -t values value candidates
  if [[ $directive == 0 ]]; then
    _files
  fi
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
  _bedrock-profiles "$@"
else
  compdef _bedrock-profiles bedrock-profiles
fi
