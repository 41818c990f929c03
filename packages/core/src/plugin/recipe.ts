import { type OptionTable, type OptionValues, parseOptions } from './options.ts';

/** What a recipe is written for; every word is quoted for sh already. */
export interface RecipeSituation {
  /** As the user typed it: `[user@]host[:port]` or a Host of ssh_config. */
  readonly destination: string;
  /** The `viassh` command, and the remote shell `viassh-ssh`, by names or paths that work in any folder. */
  readonly viassh: string;
  readonly remoteShell: string;
}

/** The configuration that makes a program use viassh, before the types of its options are erased. */
export interface RecipeDefinition<T extends OptionTable> {
  /** What `viassh recipe` calls it: the program's own name. */
  readonly program: string;
  /** One line for lists. */
  readonly summary: string;
  readonly options: T;
  /**
   * A script for a POSIX shell, to be read, pasted, or piped to `sh`: it sets variables, calls the program's own
   * configuration command, or appends to its files by here-documents. Comments say what for.
   *
   * @throws ViasshError OPTION_INVALID for what the program's configuration has no way to write
   */
  script(situation: RecipeSituation, options: OptionValues<T>): string;
}

/** The configuration that makes a program use viassh. With options it is made by {@link defineRecipe}. */
export interface Recipe extends Omit<RecipeDefinition<OptionTable>, 'options' | 'script'> {
  readonly options?: OptionTable;
  /** `words` are those behind `--`. @throws ViasshError OPTION_INVALID */
  script(situation: RecipeSituation, raw?: Readonly<Record<string, unknown>>, words?: readonly string[]): string;
}

/** Makes a recipe from its definition; the types of its options are checked here and erased after. */
export function defineRecipe<const T extends OptionTable>(definition: RecipeDefinition<T>): Recipe {
  return {
    ...definition,
    script: (situation, raw = {}, words = []) =>
      definition.script(situation, parseOptions(definition.options, raw, words)),
  };
}
