import { formatDestination, parseDestination, quoteWord, type Recipe, ViasshError } from '@viassh/core';
import { builtinPlugins, builtinPrograms, builtinRecipes } from '../builtin.ts';
import { installedCommands } from '../installation.ts';
import type { CommandContext } from './command-context.ts';
import { writeTable } from './write-table.ts';

/**
 * `viassh recipe [PROGRAM DEST]`: prints the configuration that makes PROGRAM use viassh, or what programs there are.
 *
 * @throws ViasshError USAGE, DESTINATION_INVALID
 */
export async function runRecipe(
  { globals, environment, stdout }: CommandContext,
  program: string | undefined,
  destination: string | undefined,
  raw: Readonly<Record<string, unknown>>,
  words: readonly string[],
): Promise<number> {
  const recipes = await allRecipes();
  if (program === undefined) {
    const list = recipes.map(({ program, summary }) => ({ program, summary }));
    if (globals.json) stdout.write(`${JSON.stringify({ recipes: list }, null, 2)}\n`);
    else
      writeTable(
        stdout,
        list.map((recipe) => [recipe.program, recipe.summary]),
      );
    return 0;
  }
  const recipe = recipes.find((candidate) => candidate.program === program);
  if (recipe === undefined) {
    throw new ViasshError('USAGE', `there is no recipe for '${program}'`, {
      hint: `there are those for ${recipes.map((known) => known.program).join(', ')}`,
    });
  }
  if (destination === undefined) {
    throw new ViasshError('USAGE', 'the destination is missing', {
      hint: `viassh recipe ${program} [user@]host[:port]`,
    });
  }
  const { viassh, remoteShell } = installedCommands(environment.variables);
  const script = recipe.script(
    {
      destination: quoteWord(formatDestination(parseDestination(destination))),
      viassh: quoteWord(viassh),
      remoteShell: quoteWord(remoteShell),
    },
    raw,
    words,
  );
  stdout.write(globals.json ? `${JSON.stringify({ program, script }, null, 2)}\n` : script);
  return 0;
}

/** The first recipe that is named among words, for its options. */
export async function findRecipe(words: readonly string[]): Promise<Recipe | undefined> {
  const recipes = await allRecipes();
  const program = words.find((word) => recipes.some((recipe) => recipe.program === word));
  return recipes.find((recipe) => recipe.program === program);
}

async function allRecipes(): Promise<readonly Recipe[]> {
  const owners = await Promise.all([...builtinPlugins, ...builtinPrograms].map(async (entry) => await entry.load()));
  return [...owners.flatMap(({ recipes = [] }) => recipes), ...(await builtinRecipes())];
}
