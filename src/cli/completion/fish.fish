# Completion of bedrock-profiles for fish: bedrock-profiles completion fish | source
function __bedrock_profiles_complete
    set -l words (commandline --tokenize --cut-at-cursor --current-process) (commandline --current-token --cut-at-cursor)
    set -l lines ($words[1] __complete -- $words[2..] 2>/dev/null)
    string match --invert --regex '^:[0-9]+$' -- $lines
    if string match --quiet ':0' -- $lines[-1]
        __fish_complete_path (commandline --current-token --cut-at-cursor)
    end
end
complete --command bedrock-profiles --no-files --arguments '(__bedrock_profiles_complete)'
