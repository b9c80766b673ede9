# Completion of qmo for fish: qmo itself says what may stand at the cursor.

function __fish_qmo
    set -l word (commandline -t)
    set -l option (string match -r -- '^--[^=]+=' "$word" | string join '')
    set -l value (string replace -- "$option" '' "$word")
    for line in (env _QMO_COMPLETE=fish_complete COMP_WORDS=(commandline -cp) COMP_CWORD="$word" qmo 2>/dev/null)
        set -l answer (string split -m 1 , -- $line)
        switch $answer[1]
            case plain
                printf '%s\n' "$option$answer[2]"
            case dir
                printf '%s\n' "$option"(__fish_complete_directories "$value")
            case file
                printf '%s\n' "$option"(__fish_complete_path "$value")
        end
    end
end

complete --no-files --command qmo --arguments "(__fish_qmo)"
