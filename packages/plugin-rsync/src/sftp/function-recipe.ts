import { quoteWord, type Recipe } from '@viassh/core';

/** The recipe of a program that reads its `ssh` from `-S` and from no file: a function in the shell's start-up file. */
export function functionRecipe(program: 'scp' | 'sftp', example: (url: string) => string): Recipe {
  return {
    program,
    summary: `a shell function that gives ${program} its -S`,
    script: ({
      destination,
      remoteShell,
    }) => `# ${program} reads the name of its ssh from -S alone: no file and no variable sets it.
# So this is for what you type; other programs that call ${program} do not see it.
case \${SHELL##*/} in
  bash) viassh_file=$HOME/.bashrc ;;
  zsh) viassh_file=$HOME/.zshrc ;;
  *) viassh_file=$HOME/.profile ;;
esac
viassh_line=${quoteWord(`${program}() { command ${program} -S ${remoteShell} "$@"; }`)}
grep -qxF "$viassh_line" "$viassh_file" 2>/dev/null || printf '\\n%s\\n' "$viassh_line" >>"$viassh_file"
# In a new shell: ${example(destination.replace(/^ssh:\/\//, '').replaceAll(/\s+/g, ' '))}
`,
  };
}
