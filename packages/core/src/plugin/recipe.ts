/** What a recipe is written for; every word is quoted for sh already. */
export interface RecipeSituation {
  /** As the user typed it: `[user@]host[:port]` or a Host of ssh_config. */
  readonly destination: string;
  /** The `viassh` command, and the remote shell `viassh-ssh`, by names or paths that work in any folder. */
  readonly viassh: string;
  readonly remoteShell: string;
}

/** The configuration that makes a program use viassh. */
export interface Recipe {
  /** What `viassh recipe` calls it: the program's own name. */
  readonly program: string;
  /** One line for lists. */
  readonly summary: string;
  /**
   * A script for a POSIX shell, to be read, pasted, or piped to `sh`: it sets variables, calls the program's own
   * configuration command, or appends to its files by here-documents. Comments say what for.
   */
  script(situation: RecipeSituation): string;
}
