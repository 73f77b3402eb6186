/** fish 3.1 or newer; fish quotes what it inserts. */
export const FISH = String.raw`# fish completion for atomctl, printed by: atomctl completion fish
function __atomctl_complete
    set -l tokens (commandline -opc)
    set -l current (commandline -ct)
    set -e tokens[1]
    set -l prefix (string match -r -- '^-[^=]*=' "$current")
    set -l word (string replace -r -- '^-[^=]*=' '' "$current")
    for line in (command atomctl __complete fish $tokens "=$current" 2>/dev/null </dev/null)
        switch "$line"
            case '=*'
                string sub -s 2 -- "$line"
            case 'files*'
                set -l patterns (string split \t -- "$line")
                set -e patterns[1]
                set -l all (__fish_complete_path "$word" | string replace -r -- '\t.*' '')
                set -l kept
                for pattern in $patterns '*/'
                    set -a kept (string match -- "$pattern" $all)
                end
                test (count $patterns) -gt 0; and test (count $kept) -gt 0; or set kept $all
                for file in $kept
                    printf '%s%s\n' "$prefix" $file
                end
            case directories
                for file in (__fish_complete_directories "$word")
                    printf '%s%s\n' "$prefix" $file
                end
        end
    end
end
complete -c atomctl -e
complete -c atomctl -f -a '(__atomctl_complete)'`
